//! Heat maps as SVG made here, each with a sentence and the same as a table. A state is a shape as
//! well as a shade.

use crate::answer::Here;
use crate::text::{grouped, post};
use crate::view::{CoverageView, DayCell, DayState, RunView};
use maud::{Markup, html};

/// Sources by days.
pub(crate) fn sources(here: &Here<'_>, view: &CoverageView) -> Markup {
    let from = view.days.len().saturating_sub(DAYS_SHOWN);
    let days = view.days.get(from..).unwrap_or_default();
    let label = here.say("Sources by day", "Kilder etter dag");
    let tall = view.sources.len() as f64 * ROW + HEAD;
    let wide = NAME + days.len() as f64 * STEP + STEP * 2.0;
    html! {
        figure {
            div class="scroll" tabindex="0" role="region" aria-label=(label) {
                svg class="fixed" width=(wide) height=(tall) viewBox=(format!("0 0 {wide} {tall}"))
                    role="img" aria-label=(label) {
                    @for (place, day) in (0_u32..).zip(days) { @if place % 7 == 0 {
                        text class="tick" x=(NAME + f64::from(place) * STEP) y="12" {
                            (day.get(5..).unwrap_or_default())
                        }
                    } }
                    @for (row, source) in (0_u32..).zip(&view.sources) {
                        @let y = HEAD + f64::from(row) * ROW;
                        text class="row-name" x="0" y=(y + 14.0) { (shortened(&source.source)) }
                        @for (place, cell) in (0_u32..).zip(source.cells.get(from..).unwrap_or_default()) {
                            (day_cell(NAME + f64::from(place) * STEP, y, *cell))
                        }
                    }
                }
            }
            figcaption { (here.say(
                "A column is a day. Filled: look-ups came in time. Half: they came more than a day late. \
                 Cross: silence from a source that speaks on other days; a \"no\" for such a day is not \
                 evidence. Empty: before its first word.",
                "En kolonne er en dag. Fylt: oppslag kom i tide. Halv: de kom mer enn et døgn for sent. \
                 Kryss: taushet fra en kilde som melder seg ellers; et «nei» for en slik dag er intet bevis. \
                 Tomt: før den først meldte seg.",
            )) }
            (table(here, view, from))
        }
    }
}

fn table(here: &Here<'_>, view: &CoverageView, from: usize) -> Markup {
    let count = |row: &crate::view::SourceRow, wanted: DayState| {
        let shown = row.cells.get(from..).unwrap_or_default();
        shown.iter().filter(|cell| cell.state == wanted).count() as u64
    };
    let look_ups = |row: &crate::view::SourceRow| row.cells.iter().map(|cell| cell.look_ups).sum();
    html! {
        table class="queue" {
            thead { tr {
                th scope="col" { (here.say("Source", "Kilde")) }
                th scope="col" class="number" { (here.say("Look-ups", "Oppslag")) }
                th scope="col" class="number" { (here.say("Days in time", "Dager i tide")) }
                th scope="col" class="number" { (here.say("Late", "Sene")) }
                th scope="col" class="number" { (here.say("Silent", "Tause")) }
            } }
            tbody { @for row in &view.sources { tr {
                td { (row.source) }
                td class="number" data-label=(here.say("Look-ups", "Oppslag")) { (grouped(look_ups(row))) }
                td class="number" data-label=(here.say("Days in time", "Dager i tide")) { (grouped(count(row, DayState::OnTime))) }
                td class="number" data-label=(here.say("Late", "Sene")) { (count(row, DayState::Late)) }
                td class="number" data-label=(here.say("Silent", "Tause")) { (count(row, DayState::Silent)) }
            } } }
        }
        p class="facts" { (here.say("Every day stands in", "Hver dag står i")) " "
            a href="/coverage.csv" { "coverage.csv" } "." }
    }
}

fn day_cell(x: f64, y: f64, cell: DayCell) -> Markup {
    let (right, bottom) = (x + CELL, y + CELL);
    html! {
        rect class="cell" x=(x) y=(y) width=(CELL) height=(CELL) {}
        @match cell.state {
            DayState::OnTime => { rect class="good" x=(x) y=(y) width=(CELL) height=(CELL) {} }
            DayState::Late => { polygon class="good" points=(format!("{x},{y} {x},{bottom} {right},{bottom}")) {} }
            DayState::Silent => {
                line class="cross" x1=(x) y1=(y) x2=(right) y2=(bottom) {}
                line class="cross" x1=(x) y1=(bottom) x2=(right) y2=(y) {}
            }
            DayState::NotYet => {}
        }
    }
}

/// Units by weeks: the share that records explain.
pub(crate) fn units(here: &Here<'_>, run: &RunView) -> Markup {
    let label = here.say("Explained share by unit and week", "Forklart andel etter enhet og uke");
    let shown = run.units.get(..UNITS_SHOWN).unwrap_or(&run.units);
    html! {
        figure {
            figcaption { (here.say(
                "Per cent of a unit's visits in a week that a record of somebody else explains; never of a \
                 person, and a dash where fewer than five people worked. A low share says which feed or \
                 template is missing.",
                "Prosent av en enhets besøk i en uke som en annens registrering forklarer; aldri for en \
                 person, og strek der færre enn fem arbeidet. En lav andel peker på opplysninger eller en \
                 forklaring som mangler.",
            )) }
            div class="scroll" tabindex="0" role="region" aria-label=(label) { table {
                thead { tr {
                    th scope="col" { (here.say("Unit", "Enhet")) }
                    @for week in &run.weeks { th scope="col" class="number" { (week.get(5..).unwrap_or_default()) } }
                } }
                tbody { @for unit in shown { tr {
                    th scope="row" { (post(here.language, &unit.unit)) }
                    @for share in &unit.shares { td class="number share" {
                        @match share {
                            Some(share) => {
                                svg class="meter" width="40" height="6" viewBox="0 0 40 6" aria-hidden="true" {
                                    rect class="cell" x="0" y="0" width="40" height="6" {}
                                    rect class="good" x="0" y="0" width=(format!("{:.0}", share * 40.0)) height="6" {}
                                }
                                " " (format!("{:.0}", share * 100.0))
                            }
                            None => { "–" }
                        }
                    } }
                } } }
            } }
        }
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_LETTERS {
        return name.to_owned();
    }
    name.chars().take(NAME_LETTERS - 1).chain(['…']).collect()
}

const NAME: f64 = 150.0;
const NAME_LETTERS: usize = 22;
const STEP: f64 = 15.0;
const CELL: f64 = 12.0;
const ROW: f64 = 24.0;
const HEAD: f64 = 22.0;
/// Two months; the twins have all.
const DAYS_SHOWN: usize = 62;
const UNITS_SHOWN: usize = 60;
