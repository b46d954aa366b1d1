//! `bavn proof canary`: did every read that was made to be looked for arrive?

use super::keep::{chance, now, open, take_in};
use crate::cli::ProofCanary;
use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_model::Timestamp;
use bavn_store::{PlannedRead, Probed, Said, to_hex};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

pub(crate) fn run(arguments: &ProofCanary) -> CommandResult {
    let path = arguments.plan.display();
    let text = std::fs::read_to_string(&arguments.plan)
        .with_context(|| format!("the plan `{path}` cannot be read"))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    let (reads, lines) = read(&text).map_err(|line| {
        CommandError::usage(format_args!("line {line} of `{path}` is not patient, comma, time"))
            .hint("write a time as in RFC 3339: Patient/probe-7,2026-11-23T08:00:00+01:00")
    })?;
    let store = open(&arguments.access)?;
    let plan = to_hex(&Sha256::digest(text.as_bytes()));
    let (tolerance, within) = (arguments.tolerance.into(), i64::from(arguments.within) * 60);
    let probed = store.probe(&reads, tolerance, within, now(), plan)?;
    let missing: Vec<usize> =
        probed.missing.iter().filter_map(|&place| lines.get(place).copied()).collect();
    if probed.canaries.planned > 0 {
        store.leave_said(&Said::Canaries(probed.canaries.clone()), &mut *chance())?;
        take_in(&arguments.access, &store)?;
    }
    let mut out = std::io::stdout();
    if arguments.json {
        let canaries = &probed.canaries;
        let told = json!({
            "planned": canaries.planned,
            "found": canaries.found,
            "missing_lines": missing,
            "not_due": probed.not_due,
            "loss_below": canaries.loss_below,
            "plan_sha256": canaries.plan,
        });
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "{}", in_words(&probed))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    let some: Vec<String> = missing.iter().take(LINES_SHOWN).map(ToString::to_string).collect();
    let sentence = format!("{} reads of the plan are not in the store", missing.len());
    Err(CommandError::new(Kind::Incomplete, anyhow::anyhow!("{sentence}"))
        .hint(format!("lines of the plan: {}", some.join(", ")))
        .hint("ask the source's log for these reads; `bavn coverage` shows where it was silent"))
}

/// The reads of a plan, and on which line each stands; or the first line that is none.
fn read(text: &str) -> Result<(Vec<PlannedRead>, Vec<usize>), usize> {
    let (mut reads, mut lines) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let (patient, at) = line.rsplit_once(',').ok_or(number)?;
        match Timestamp::parse(at.trim()) {
            Ok((at, _)) => {
                reads.push(PlannedRead { patient: patient.trim().to_owned(), at });
                lines.push(number);
            }
            // A header.
            Err(_) if number == 1 => {}
            Err(_) => return Err(number),
        }
    }
    Ok((reads, lines))
}

fn in_words(probed: &Probed) -> String {
    let canaries = &probed.canaries;
    let early = match probed.not_due {
        0 => String::new(),
        count => format!("; {count} more are not due yet"),
    };
    if canaries.planned == 0 {
        return format!("no read of the plan is due yet{early}");
    }
    format!(
        "{} of {} planned reads are in the store: with 95 % confidence, less than {:.3} % of reads are \
         lost{early}",
        canaries.found,
        canaries.planned,
        // Rounded up, so that it stays a bound.
        (canaries.loss_below * 1e5).ceil() / 1e3
    )
}

/// Of missing lines, how many are told; `--json` has all.
const LINES_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_and_its_first_bad_line_named() {
        let at = "2026-11-23T08:00:00Z";
        let (reads, lines) =
            read(&format!("patient,time\nPatient/probe-1,{at}\n\nurn:oid:2.16|1,x,{at}\n"))
                .unwrap();
        assert_eq!(
            (reads[0].patient.as_str(), reads[1].patient.as_str()),
            ("Patient/probe-1", "urn:oid:2.16|1,x")
        );
        assert_eq!(lines, [2, 4]);
        assert_eq!(read(&format!("a,{at}\nb,yesterday\n")), Err(2));
        assert_eq!(read("nothing\n"), Err(1));
    }
}
