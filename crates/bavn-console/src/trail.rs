//! The story of a case in one picture: accounts and machines at work, and the patients they had.

use crate::answer::Here;
use crate::page::{grouped, short};
use crate::text::texts;
use crate::view::{ClockView, Growth, TrailView};
use bavn_model::Timestamp;
use maud::{Markup, html};

/// A lane for each account and machine, and at the bottom the patients, over time.
pub(crate) fn lanes(here: &Here<'_>, trail: &TrailView) -> Markup {
    let label = here.say(
        "Accounts, machines and patients over time",
        "Kontoer, maskiner og pasienter over tid",
    );
    let cells = trail.times.len().max(1) as f64;
    let step = (WIDTH - NAME) / cells;
    let shown = trail.lanes.get(..LANES_SHOWN).unwrap_or(&trail.lanes);
    let tall = HEAD + shown.len() as f64 * LANE + PATIENTS;
    let bottom = tall - 6.0;
    let most = trail.patients.iter().copied().max().unwrap_or(0).max(1);
    html! {
        figure {
            div class="scroll" tabindex="0" role="region" aria-label=(label) {
                svg class="fixed" width=(WIDTH) height=(tall) viewBox=(format!("0 0 {WIDTH} {tall}")) role="img" aria-label=(label) {
                    @for (place, at) in (0_u32..).zip(&trail.times) { @if place % 8 == 0 {
                        text class="tick" x=(px(NAME + f64::from(place) * step)) y="12" { (clock(*at)) }
                    } }
                    @for (row, lane) in (0_u32..).zip(shown) {
                        @let y = HEAD + f64::from(row) * LANE;
                        text class="row-name" x="0" y=(y + 13.0) { (shortened(&lane.name)) }
                        line class="grid" x1=(NAME) x2=(WIDTH) y1=(y + 9.0) y2=(y + 9.0) {}
                        @for (place, count) in (0_u32..).zip(&lane.look_ups) { @if *count > 0 {
                            rect class="good" x=(px(NAME + f64::from(place) * step)) y=(y + 3.0) width=(px((step - 1.0).max(1.5))) height="12" {}
                        } }
                    }
                    text class="row-name" x="0" y=(bottom - 20.0) { (texts(here.language).patients) }
                    @for (place, count) in (0_u32..).zip(&trail.patients) { @if *count > 0 {
                        @let tall = f64::from(*count) / f64::from(most) * (PATIENTS - 22.0);
                        rect class="bar" x=(px(NAME + f64::from(place) * step)) y=(px(bottom - tall)) width=(px((step - 1.0).max(1.5))) height=(px(tall)) {}
                    } }
                }
            }
            figcaption { (here.say(
                "Each lane is an account or a machine; a block is a time in which it worked. At the bottom, how \
                 many different patients were opened in the same time (UTC).",
                "Hver bane er en konto eller maskin; en blokk er en tid den arbeidet i. Nederst hvor mange ulike \
                 pasienter som ble åpnet i samme tid (UTC).",
            )) }
            details {
                summary { (here.say("The same as a table", "Det samme som tabell")) }
                div class="scroll" tabindex="0" { table {
                    thead { tr { th scope="col" { (here.say("From", "Fra")) } th scope="col" class="number" { (texts(here.language).patients) }
                        @for lane in shown { th scope="col" class="number" { (lane.name) } } } }
                    tbody { @for (place, at) in trail.times.iter().enumerate() {
                        @if trail.patients.get(place).is_some_and(|count| *count > 0) { tr {
                            td { (short(*at)) } td class="number" { (trail.patients.get(place).copied().unwrap_or(0)) }
                            @for lane in shown { td class="number" { (lane.look_ups.get(place).copied().unwrap_or(0)) } }
                        } }
                    } }
                } }
            }
        }
    }
}

/// Blast radius: how many patients until the end of each day, with bounds.
pub(crate) fn growth(here: &Here<'_>, days: &[Growth]) -> Markup {
    let label = here.say(
        "Patients exposed until each day, with bounds",
        "Eksponerte pasienter til hver dag, med grenser",
    );
    let most =
        days.iter().map(|day| day.upper.unwrap_or(day.best)).max().unwrap_or(0).max(1) as f64;
    let step = (GROWTH_WIDTH - GROWTH_LEFT) / days.len().max(1) as f64;
    let x = |place: u32| GROWTH_LEFT + (f64::from(place) + 0.5) * step;
    let y = |count: u64| GROWTH_TOP + (1.0 - count as f64 / most) * GROWTH_PLOT;
    let line = |of: fn(&Growth) -> u64| {
        let points =
            (0_u32..).zip(days).map(|(place, day)| format!("{:.1},{:.1}", x(place), y(of(day))));
        points.collect::<Vec<_>>().join(" ")
    };
    let is_open = days.iter().any(|day| day.upper.is_none());
    html! {
        figure {
            svg viewBox=(format!("0 0 {GROWTH_WIDTH} {}", GROWTH_TOP + GROWTH_PLOT + 24.0)) role="img" aria-label=(label) {
                line class="axis" x1=(GROWTH_LEFT) x2=(GROWTH_WIDTH) y1=(GROWTH_TOP + GROWTH_PLOT) y2=(GROWTH_TOP + GROWTH_PLOT) {}
                text class="tick end" x=(GROWTH_LEFT - 6.0) y=(GROWTH_TOP + 8.0) { (grouped(most as u64)) }
                text class="tick end" x=(GROWTH_LEFT - 6.0) y=(GROWTH_TOP + GROWTH_PLOT) { "0" }
                @for (place, day) in (0_u32..).zip(days) {
                    @let high = day.upper.unwrap_or(day.best);
                    rect class="bounds" x=(px(x(place) - 4.0)) y=(px(y(high))) width="8" height=(px((y(day.lower) - y(high)).max(2.0))) {}
                    circle class="dot" cx=(px(x(place))) cy=(px(y(day.best))) r="4" {}
                    @if days.len() <= 8 || place % 7 == 0 {
                        text class="label" x=(px(x(place))) y=(GROWTH_TOP + GROWTH_PLOT + 18.0) { (day.day.get(5..).unwrap_or_default()) }
                    }
                }
                polyline class="peers" points=(line(|day| day.best)) {}
            }
            figcaption {
                (here.say(
                    "Each dot: how many different patients by the end of that day. The bar around it runs from \
                     what is certain to what is possible.",
                    "Hver prikk: hvor mange ulike pasienter ved slutten av den dagen. Stolpen rundt går fra det \
                     sikre til det mulige.",
                ))
                @if is_open { " " (here.say("No upper bound is certain; the reasons say why.", "Ingen øvre grense er sikker; grunnene sier hvorfor.")) }
            }
            details {
                summary { (here.say("The same as a table", "Det samme som tabell")) }
                table {
                    thead { tr { th scope="col" { (texts(here.language).day) }
                        th scope="col" class="number" { (texts(here.language).scope_lower) }
                        th scope="col" class="number" { (here.say("best", "best")) }
                        th scope="col" class="number" { (texts(here.language).scope_upper) } } }
                    tbody { @for day in days { tr {
                        td { (day.day) } td class="number" { (grouped(day.lower)) } td class="number" { (grouped(day.best)) }
                        td class="number" { (day.upper.map_or("–".to_owned(), grouped)) }
                    } } }
                }
            }
        }
    }
}

/// How much time is left, clock by clock.
pub(crate) fn clocks(here: &Here<'_>, clocks: &[ClockView]) -> Markup {
    html! {
        @if !clocks.is_empty() {
            ul class="clocks" aria-label=(here.say("Clocks", "Klokker")) { @for held in clocks {
                @let left = held.due.secs_since(here.now);
                @let whole = held.due.secs_since(held.from).max(1);
                @let gone = (1.0 - left as f64 / whole as f64).clamp(0.0, 1.0);
                li {
                    span { (here.say(held.english.as_str(), held.bokmaal.as_str())) ": "
                        strong { @if left > 0 { (lasts(left)) " " (here.say("left", "igjen")) }
                            @else { (lasts(-left)) " " (here.say("over", "over")) } } }
                    svg class="meter" width="120" height="8" viewBox="0 0 120 8" aria-hidden="true" {
                        rect class="cell" x="0" y="0" width="120" height="8" {}
                        rect class="bar" x="0" y="0" width=(px(gone * 120.0)) height="8" {}
                    }
                }
            } }
        }
    }
}

fn lasts(secs: i64) -> String {
    if secs < 172_800 {
        format!("{}:{:02} h", secs / 3_600, secs / 60 % 60)
    } else {
        format!("{} d", secs / 86_400)
    }
}

/// `11-27 14:05`.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(5..16).unwrap_or_default().replace('T', " ")
}

fn shortened(name: &str) -> String {
    let bare = name.rsplit(['|', '/']).next().unwrap_or(name);
    if bare.chars().count() <= NAME_LETTERS {
        return bare.to_owned();
    }
    bare.chars().take(NAME_LETTERS - 1).chain(['…']).collect()
}

fn px(at: f64) -> String {
    format!("{at:.1}")
}

const WIDTH: f64 = 760.0;
const NAME: f64 = 140.0;
const NAME_LETTERS: usize = 20;
const HEAD: f64 = 20.0;
const LANE: f64 = 22.0;
const PATIENTS: f64 = 84.0;
/// Lanes that a picture can hold.
const LANES_SHOWN: usize = 14;
const GROWTH_WIDTH: f64 = 640.0;
const GROWTH_LEFT: f64 = 60.0;
const GROWTH_TOP: f64 = 12.0;
const GROWTH_PLOT: f64 = 150.0;
