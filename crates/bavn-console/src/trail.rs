//! The story of a case in one picture: accounts and machines at work, and the patients they had.

use crate::answer::Here;
use crate::page::short;
use crate::text::{grouped, texts};
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
    let of = |counts: &[u32], place: usize| grouped(counts.get(place).copied().unwrap_or(0).into());
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
                summary { (texts(here.language).as_table) }
                div class="scroll" tabindex="0" { table {
                    thead { tr { th scope="col" { (here.say("From", "Fra")) } th scope="col" class="number" { (texts(here.language).patients) }
                        @for lane in shown { th scope="col" class="number" { (lane.name) } } } }
                    tbody { @for (place, at) in trail.times.iter().enumerate() {
                        @if trail.patients.get(place).is_some_and(|count| *count > 0) { tr {
                            td { (short(*at)) } td class="number" { (of(&trail.patients, place)) }
                            @for lane in shown { td class="number" { (of(&lane.look_ups, place)) } }
                        } }
                    } }
                } }
            }
        }
    }
}

/// Blast radius: how many patients as time went by, with bounds.
pub(crate) fn growth(here: &Here<'_>, points: &[Growth]) -> Markup {
    let is_open = points.iter().any(|point| point.best > 0 && point.upper.is_none());
    html! {
        figure {
            (growth_picture(here, points))
            figcaption {
                (here.say(
                    "Line: how many different patients had been exposed by then (UTC). Band: from what is \
                     certain to what is possible.",
                    "Linje: hvor mange ulike pasienter som var eksponert til da (UTC). Bånd: fra det sikre \
                     til det mulige.",
                ))
                @if is_open { " " (here.say("No upper bound is certain; the reasons say why.", "Ingen øvre grense er sikker; grunnene sier hvorfor.")) }
            }
            (growth_table(here, points))
        }
    }
}

fn growth_picture(here: &Here<'_>, points: &[Growth]) -> Markup {
    let label = here.say(
        "Patients exposed over time, with bounds",
        "Eksponerte pasienter over tid, med grenser",
    );
    let high = |point: &Growth| point.upper.unwrap_or(point.best);
    let most = points.iter().map(high).max().unwrap_or(0).max(1);
    let step = (GROWTH_WIDTH - GROWTH_LEFT) / points.len().saturating_sub(1).max(1) as f64;
    let bottom = GROWTH_TOP + GROWTH_PLOT;
    let x = |place: usize| GROWTH_LEFT + place as f64 * step;
    let y = |count: u64| bottom - count as f64 / most as f64 * GROWTH_PLOT;
    let line = |of: &dyn Fn(&Growth) -> u64| {
        let at = |(place, point)| format!("{:.1},{:.1}", x(place), y(of(point)));
        points.iter().enumerate().map(at).collect::<Vec<String>>()
    };
    let mut band = line(&high);
    band.extend(line(&|point| point.lower).into_iter().rev());
    let last = points.len().saturating_sub(1);
    let secs = points.last().zip(points.first()).map(|(to, from)| to.until.secs_since(from.until));
    let label_of = if secs > Some(LONG_SECS) { date } else { clock };
    html! {
        svg viewBox=(format!("0 0 {GROWTH_WIDTH} {}", bottom + 24.0)) role="img" aria-label=(label) {
            line class="axis" x1=(GROWTH_LEFT) x2=(GROWTH_WIDTH) y1=(bottom) y2=(bottom) {}
            text class="tick end" x=(GROWTH_LEFT - 6.0) y=(GROWTH_TOP + 8.0) { (grouped(most)) }
            text class="tick end" x=(GROWTH_LEFT - 6.0) y=(bottom) { "0" }
            polygon class="bounds" points=(band.join(" ")) {}
            polyline class="best" points=(line(&|point| point.best).join(" ")) {}
            @for (place, anchor) in [(0, "tick"), (last / 2, "label"), (last, "tick end")] {
                @if let Some(point) = points.get(place) {
                    text class=(anchor) x=(px(x(place))) y=(bottom + 18.0) { (label_of(point.until)) }
                }
            }
        }
    }
}

fn growth_table(here: &Here<'_>, points: &[Growth]) -> Markup {
    let words = texts(here.language);
    html! {
        details {
            summary { (words.as_table) }
            table {
                thead { tr {
                    th scope="col" { (here.say("Until", "Til")) }
                    @for name in [words.scope_lower, here.say("best", "best"), words.scope_upper] {
                        th scope="col" class="number" { (name) }
                    }
                } }
                tbody { @for point in points { tr {
                    td { (short(point.until)) }
                    @for count in [Some(point.lower), Some(point.best), point.upper] {
                        td class="number" { (count.map_or("–".to_owned(), grouped)) }
                    }
                } } }
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
                    span { (name(here, held)) ": " strong { (time_left(here, held)) } }
                    svg class="meter" width="120" height="8" viewBox="0 0 120 8" aria-hidden="true" {
                        rect class="cell" x="0" y="0" width="120" height="8" {}
                        rect class="bar" x="0" y="0" width=(px(gone * 120.0)) height="8" {}
                    }
                }
            } }
        }
    }
}

/// The same in one line, of the clock that runs out first.
pub(crate) fn next_clock(here: &Here<'_>, clocks: &[ClockView]) -> Markup {
    html! {
        @if let Some(held) = clocks.iter().min_by_key(|held| held.due) {
            span class="facts" { (name(here, held)) ": " (time_left(here, held)) }
        }
    }
}

fn name<'c>(here: &Here<'_>, clock: &'c ClockView) -> &'c str {
    here.say(clock.english.as_str(), clock.bokmaal.as_str())
}

fn time_left(here: &Here<'_>, clock: &ClockView) -> String {
    let left = clock.due.secs_since(here.now);
    if left > 0 {
        format!("{} {}", lasts(here, left), here.say("left", "igjen"))
    } else {
        format!("{} {}", lasts(here, -left), here.say("over", "over"))
    }
}

/// To the minute for the days that laws count in hours.
fn lasts(here: &Here<'_>, secs: i64) -> String {
    if secs < 96 * 3_600 {
        format!("{}:{:02} {}", secs / 3_600, secs / 60 % 60, here.say("h", "t"))
    } else {
        format!("{} {}", secs / 86_400, here.say("days", "døgn"))
    }
}

/// `11-27 14:05`.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(5..16).unwrap_or_default().replace('T', " ")
}

/// `2024-11-27`.
fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
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
const GROWTH_LEFT: f64 = 84.0;
/// From here on, days say more than hours.
const LONG_SECS: i64 = 60 * 86_400;
const GROWTH_TOP: f64 = 12.0;
const GROWTH_PLOT: f64 = 150.0;
