//! `bavn case trail`: which accounts and machines, when, and does it still go on?

use super::coverage::digit;
use super::keep::open;
use super::scope::subject_of_case;
use crate::board::trail;
use crate::cli::CaseStore;
use crate::error::CommandResult;
use bavn_console::TrailView;
use bavn_detect::cases::CaseNumber;
use bavn_model::Timestamp;
use bavn_store::Window;
use serde_json::json;
use std::io::Write as _;

pub(crate) fn run(asked: &CaseStore, number: CaseNumber, as_json: bool) -> CommandResult {
    let (subject, from) = subject_of_case(&asked.access, number)?;
    let store = open(&asked.access)?;
    let trail = trail(&store, &subject, Window { from, to: Window::ALL.to })?;
    let until = store.as_of().last_look_up;
    let text = if as_json {
        format!("{}\n", json!({ "case": number, "trail": trail, "until": until }))
    } else {
        in_words(number, &trail, until)
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn in_words(number: CaseNumber, trail: &TrailView, until: Option<Timestamp>) -> String {
    let (Some(first), Some(last)) = (trail.times.first(), trail.last) else {
        return format!("C-{number}: its accounts have read nothing since it was first seen\n");
    };
    let step = trail.times.get(1).map_or(0, |second| second.secs_since(*first)) / 60;
    let mut lines = vec![format!(
        "C-{number} from {first} to {last}; a mark is {step} minutes, 1 to 9 a part of the line's busiest"
    )];
    let lanes = trail.lanes.iter().map(|lane| {
        let sum: u64 = lane.look_ups.iter().map(|&count| u64::from(count)).sum();
        let kind = if lane.is_machine { "machine" } else { "account" };
        let look_ups = if sum == 1 { "look-up" } else { "look-ups" };
        (format!("{kind} {}", lane.name), lane.look_ups.as_slice(), format!("{sum} {look_ups}"))
    });
    let most = trail.patients.iter().copied().max().unwrap_or(0);
    let patients = ("patients".to_owned(), trail.patients.as_slice(), format!("{most} at most"));
    let rows: Vec<(String, &[u32], String)> = lanes.chain([patients]).collect();
    let wide = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    for (name, counts, in_all) in rows {
        let most = u64::from(counts.iter().copied().max().unwrap_or(0));
        let strip: String = counts.iter().map(|&count| digit(u64::from(count), most)).collect();
        lines.push(format!("  {name:wide$}  {strip}  {in_all}"));
    }
    if let Some(until) = until {
        let minutes = until.secs_since(last) / 60;
        lines.push(match minutes {
            ..=GOES_ON_MINUTES => "it may still go on: no other look-up is much later".to_owned(),
            minutes => format!(
                "nothing of these accounts for {} h {} min before the last look-up of the store, {until}",
                minutes / 60,
                minutes % 60
            ),
        });
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Between two look-ups of somebody at work.
const GOES_ON_MINUTES: i64 = 60;
