//! `bavn case trail`: which accounts and machines, when, and does it still go on?

use super::coverage::digit;
use super::keep::open;
use super::scope::scope_of_case;
use crate::board::trail;
use crate::cli::CaseStore;
use crate::error::CommandResult;
use bavn_console::TrailView;
use bavn_detect::cases::CaseNumber;
use bavn_detect::words::{Language, look_ups};
use bavn_model::Timestamp;
use serde_json::json;
use std::io::Write as _;

pub(crate) fn run(
    asked: &CaseStore,
    number: CaseNumber,
    language: Language,
    as_json: bool,
) -> CommandResult {
    let of_case = scope_of_case(&asked.access, number)?;
    let store = open(&asked.access)?;
    let trail = trail(&store, &of_case.subject, of_case.window)?;
    let until = store.as_of().last_look_up;
    let text = if as_json {
        format!("{}\n", json!({ "case": number, "trail": trail, "until": until }))
    } else {
        in_words(number, &trail, until, language)
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn in_words(
    number: CaseNumber,
    trail: &TrailView,
    until: Option<Timestamp>,
    language: Language,
) -> String {
    let is_english = language == Language::English;
    let (Some(first), Some(last)) = (trail.times.first(), trail.last) else {
        return if is_english {
            format!("C-{number}: its accounts have read nothing since it was first seen\n")
        } else {
            format!("C-{number}: kontoene har ikke lest noe siden saken først ble sett\n")
        };
    };
    let step = trail.times.get(1).map_or(0, |second| second.secs_since(*first)) / 60;
    let mut lines = vec![if is_english {
        format!(
            "C-{number} from {first} to {last}; a mark is {step} minutes, 1 to 9 a part of the line's busiest"
        )
    } else {
        format!(
            "C-{number} fra {first} til {last}; et tegn er {step} minutter, 1 til 9 en del av linjens travleste"
        )
    }];
    lines.extend(strips(trail, language));
    lines.extend(until.map(|until| whether_it_goes_on(last, until, language)));
    lines.push(String::new());
    lines.join("\n")
}

/// A line an account, a machine, and one of patients.
fn strips(trail: &TrailView, language: Language) -> Vec<String> {
    let [account, machine, patients, at_most] = match language {
        Language::English => ["account", "machine", "patients", "at most"],
        Language::Bokmaal => ["konto", "maskin", "pasienter", "på det meste"],
    };
    let lanes = trail.lanes.iter().map(|lane| {
        let sum: u64 = lane.look_ups.iter().map(|&count| u64::from(count)).sum();
        let kind = if lane.is_machine { machine } else { account };
        (format!("{kind} {}", lane.name), lane.look_ups.as_slice(), look_ups(language, sum))
    });
    let most = trail.patients.iter().copied().max().unwrap_or(0);
    let of_patients = (patients.to_owned(), trail.patients.as_slice(), format!("{most} {at_most}"));
    let rows: Vec<(String, &[u32], String)> = lanes.chain([of_patients]).collect();
    let wide = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, counts, in_all): (String, &[u32], String)| {
        let most = u64::from(counts.iter().copied().max().unwrap_or(0));
        let strip: String = counts.iter().map(|&count| digit(u64::from(count), most)).collect();
        format!("  {name:wide$}  {strip}  {in_all}")
    };
    rows.into_iter().map(line).collect()
}

fn whether_it_goes_on(last: Timestamp, until: Timestamp, language: Language) -> String {
    let minutes = until.secs_since(last) / 60;
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (minutes, language) {
        (..=GOES_ON_MINUTES, Language::English) => {
            "it may still go on: no other look-up is much later".to_owned()
        }
        (..=GOES_ON_MINUTES, Language::Bokmaal) => {
            "det kan pågå ennå: intet annet oppslag er mye senere".to_owned()
        }
        (_, Language::English) => format!(
            "nothing of these accounts for {hours} h {rest} min before the last look-up of the store, {until}"
        ),
        (_, Language::Bokmaal) => format!(
            "ingenting fra disse kontoene i {hours} t {rest} min før lagerets siste oppslag, {until}"
        ),
    }
}

/// Between two look-ups of somebody at work.
const GOES_ON_MINUTES: i64 = 60;
