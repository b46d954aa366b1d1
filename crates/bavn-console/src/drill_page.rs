//! Would we have seen it? Time to detect against patients lost, theft by theft.

use crate::answer::{Here, Sent};
use crate::page::coded;
use crate::reply::{Answer, Shape, csv, json};
use crate::text::{decimal, grouped, patients};
use crate::view::{DrillView, Theft};
use maud::{Markup, html};
use serde_json::json;

pub(crate) fn answer(here: &Here<'_>, sent: &Sent<'_>) -> Answer {
    let view = match here.board.drill() {
        Ok(view) => view,
        Err(trouble) => return here.failed(&trouble),
    };
    match sent.shape {
        Shape::Html => here.page(here.say("Drill", "Øvelse"), "/drill", &body(here, view.as_ref())),
        Shape::Json => json(&json!(view)),
        Shape::Csv => {
            let thefts = view.map(|view| view.thefts).unwrap_or_default();
            let row = |theft: Theft| {
                let secs = theft.secs_to_alarm.map_or(String::new(), |secs| secs.to_string());
                let (lost, stolen) = (theft.patients_lost, theft.patients_stolen);
                vec![theft.name, secs, lost.to_string(), stolen.to_string()]
            };
            csv("theft,secs_to_alarm,patients_lost,patients_stolen", thefts.into_iter().map(row))
        }
    }
}

fn body(here: &Here<'_>, view: Option<&DrillView>) -> Markup {
    html! {
        h1 { (here.say("Would we have seen it?", "Ville vi ha sett det?")) }
        @match view {
            None => { p { (coded(here.say(
                "No drill has been scored here. `bavn drill` makes a region and its thefts, `bavn drill score \
                 --json` scores the alarms; give that score to this console with `--score`.",
                "Ingen øvelse er vurdert her. `bavn drill` lager en region og tyveriene, `bavn drill score \
                 --json` vurderer alarmene; gi den vurderingen til konsollet med `--score`.",
            ))) } }
            Some(view) => { (of_score(here, view)) }
        }
    }
}

fn of_score(here: &Here<'_>, view: &DrillView) -> Markup {
    let found = view.thefts.iter().filter(|theft| theft.secs_to_alarm.is_some()).count() as u64;
    let lost: u64 = view.thefts.iter().map(|theft| theft.patients_lost).sum();
    let stolen: u64 = view.thefts.iter().map(|theft| theft.patients_stolen).sum();
    html! {
        p class="facts" { (view.source) }
        p class="summary" {
            strong { (grouped(found)) } " " (here.say("of", "av")) " " (grouped(view.thefts.len() as u64)) " "
            (if view.thefts.len() == 1 { here.say("theft", "tyveri") } else { here.say("thefts", "tyverier") }) " "
            (here.say("found; lost before the alarm", "funnet; tapt før alarmen")) ": "
            strong { (grouped(lost)) } " " (here.say("of", "av")) " " (patients(here.language, stolen)) "."
            @if let Some(rate) = view.false_alarms_per_10k_staff_day {
                " " (here.say("False alarms", "Falske alarmer")) ": " (decimal(here.language, rate, 2)) " "
                (here.say("per 10\u{202f}000 staff a day.", "per 10\u{a0}000 ansatte per døgn."))
            }
        }
        (scatter(here, &view.thefts))
    }
}

fn scatter(here: &Here<'_>, thefts: &[Theft]) -> Markup {
    let label =
        here.say("Time to the alarm against patients lost", "Tid til alarm mot tapte pasienter");
    let most = thefts.iter().map(|theft| theft.patients_lost).max().unwrap_or(0).max(1);
    // Logarithmic: from a second to a quarter of a year, from one patient to the most that were lost.
    let x = |secs: i64| {
        LEFT + ((secs.max(1) as f64).ln() / SECS_MAX.ln()).min(1.0) * (NEVER - LEFT - 40.0)
    };
    let y = |lost: u64| {
        TOP + (1.0 - (lost as f64 + 1.0).ln() / (most as f64 + 1.0).ln().max(1.0)) * PLOT
    };
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {}", TOP + PLOT + 54.0)) role="img" aria-label=(label) {
                line class="axis" x1=(LEFT) y1=(TOP + PLOT) x2=(WIDTH) y2=(TOP + PLOT) {}
                line class="axis" x1=(LEFT) y1=(TOP) x2=(LEFT) y2=(TOP + PLOT) {}
                @for (secs, name) in [
                    (60, here.say("1 min", "1 min")), (3_600, here.say("1 h", "1 t")),
                    (86_400, here.say("1 day", "1 døgn")), (2_592_000, "30 d"),
                ] {
                    line class="grid" x1=(px(x(secs))) x2=(px(x(secs))) y1=(TOP) y2=(TOP + PLOT) {}
                    text class="label" x=(px(x(secs))) y=(TOP + PLOT + 18.0) { (name) }
                }
                text class="tick" x="0" y="20" { (here.say("Patients lost", "Tapte pasienter")) }
                text class="label" x=(LEFT.midpoint(WIDTH)) y=(TOP + PLOT + 46.0) {
                    (here.say("Time from the first theft to the alarm", "Tid fra første tyveri til alarmen"))
                }
                text class="label" x=(NEVER) y=(TOP + PLOT + 18.0) { (here.say("never", "aldri")) }
                @for lost in ticks(most) {
                    text class="tick end" x=(LEFT - 6.0) y=(px(y(lost) + 4.0)) { (grouped(lost)) }
                }
                @for theft in thefts {
                    @let cx = theft.secs_to_alarm.map_or(NEVER, x);
                    @match theft.secs_to_alarm {
                        Some(_) => { circle class="dot" cx=(px(cx)) cy=(px(y(theft.patients_lost))) r="6" {} }
                        None => {
                            @let (cy, r) = (y(theft.patients_lost), 6.0);
                            line class="cross" x1=(px(cx - r)) y1=(px(cy - r)) x2=(px(cx + r)) y2=(px(cy + r)) {}
                            line class="cross" x1=(px(cx - r)) y1=(px(cy + r)) x2=(px(cx + r)) y2=(px(cy - r)) {}
                        }
                    }
                }
            }
            figcaption { (here.say(
                "Each mark is a theft: to the right it was found later, further up more patients were lost \
                 before. A cross was never found. Both scales are logarithmic.",
                "Hvert merke er et tyveri: lengre mot høyre ble det funnet senere, lenger opp gikk flere \
                 pasienter tapt før det. Et kryss ble aldri funnet. Begge skalaer er logaritmiske.",
            )) }
            table class="queue" {
                thead { tr {
                    th scope="col" { (here.say("Theft", "Tyveri")) }
                    th scope="col" class="number" { (here.say("To the alarm", "Til alarm")) }
                    th scope="col" class="number" { (here.say("Patients lost", "Tapte pasienter")) }
                } }
                tbody { @for theft in thefts { @let [english, bokmaal] = &theft.words; tr {
                    td { (here.say(english.as_str(), bokmaal)) }
                    td class="number" data-label=(here.say("To the alarm", "Til alarm")) {
                        (theft.secs_to_alarm.map_or_else(|| here.say("never", "aldri").to_owned(), |secs| lasted(here, secs)))
                    }
                    td class="number" data-label=(here.say("Patients lost", "Tapte pasienter")) {
                        (grouped(theft.patients_lost)) " / " (grouped(theft.patients_stolen))
                    }
                } } }
            }
        }
    }
}

fn lasted(here: &Here<'_>, secs: i64) -> String {
    match secs {
        ..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_800 => format!("{} {}", secs / 3_600, here.say("h", "t")),
        _ => format!("{} {}", secs / 86_400, here.say("days", "døgn")),
    }
}

fn ticks(most: u64) -> Vec<u64> {
    std::iter::successors(Some(1_u64), |tick| tick.checked_mul(10))
        .take_while(|tick| *tick <= most)
        .collect()
}

fn px(at: f64) -> String {
    format!("{at:.1}")
}

const WIDTH: f64 = 640.0;
const LEFT: f64 = 70.0;
const NEVER: f64 = 610.0;
const TOP: f64 = 34.0;
const PLOT: f64 = 220.0;
/// A quarter of a year.
const SECS_MAX: f64 = 7_948_800.0;
