//! What records that come late change, and what they may not.

use crate::hospital::{ORDINARY, hospital, time};
use bavn_detect::words::{Language, Speaker};
use bavn_detect::{Engine, Judgement, OcsfOptions, Settings, Verdict, ocsf_line};
use bavn_model::{Fact, Finding, FindingState};

/// Six patients far from the reader's ward, and something on later days, so that time goes on.
const READS: &str = "
read 2024-03-04T08:00:00Z s16 p1500,p1320,p1711,p1444,p1605,p1399 every=1700
read 2024-03-06T08:00:00Z s1 p1700
";
/// Their stays in his ward, which were written down five hours late.
const LATE: &str = "
stay p1500,p1320,p1711,p1444,p1605,p1399 ward-0 2024-03-04..2024-03-09 known=2024-03-04T13:00:00Z
";

struct Run {
    lines: Vec<String>,
    findings: Vec<Finding>,
    judgements: Vec<Judgement>,
    said: Vec<String>,
}

fn run(more: &str, accesses: usize) -> Run {
    let hospital = hospital(&format!("{ORDINARY}{READS}{more}"));
    let mut engine = Engine::new(hospital.context, Settings { budget_per_10k_staff_day: 20.0 });
    engine.keep_judgements();
    let mut run = Run { lines: vec![], findings: vec![], judgements: vec![], said: vec![] };
    for access in hospital.accesses.iter().take(accesses) {
        engine.observe(access, &mut run.findings);
        run.judgements.extend(engine.take_judgements());
    }
    for finding in &run.findings {
        let options = OcsfOptions::default();
        run.lines.push(ocsf_line(finding, &hospital.directory, engine.context(), options));
        for language in [Language::English, Language::Bokmaal] {
            let (directory, context) = (&hospital.directory, engine.context());
            run.said.push(Speaker { language, directory, context }.summary(finding));
        }
    }
    run
}

fn alarms(run: &Run) -> Vec<&Finding> {
    run.findings.iter().filter(|finding| finding.is_alert).collect()
}

#[test]
fn an_alarm_whose_whole_evidence_a_late_record_explains_is_closed_and_its_line_stays() {
    let without = run("", usize::MAX);
    let with = run(LATE, usize::MAX);
    let reader_alarms = alarms(&without);
    assert!(!reader_alarms.is_empty(), "{:?}", without.findings);
    // What was said before the record came is the same, byte for byte.
    assert_eq!(with.lines[..without.lines.len()], without.lines);
    let closed: Vec<&Finding> =
        with.findings.iter().filter(|finding| finding.state == FindingState::Closed).collect();
    let [closed] = closed[..] else { panic!("{} were closed", closed.len()) };
    assert_eq!(closed.uid, reader_alarms[0].uid);
    // Asked again a day after the last of the look-ups.
    assert_eq!(closed.raised_at, time("2024-03-06T08:00:00Z"));
    assert_eq!(closed.because[0], Fact::ExplainedLater { patients: 6, hours: 5 });
    assert!(with.lines.last().unwrap().contains("\"activity_id\":3"), "{:?}", with.lines.last());
    let said = with.said.join("\n");
    assert!(
        said.contains("all 6 patients are explained by records that came up to 5 hours later"),
        "{said}"
    );
    assert!(said.contains("registrert inntil 5 timer etterpå"), "{said}");
}

#[test]
fn one_patient_left_without_a_reason_keeps_the_alarm_open() {
    let late = LATE.replace("p1500,", "");
    let run = run(&late, usize::MAX);
    assert!(!alarms(&run).is_empty());
    assert!(run.findings.iter().all(|finding| finding.state != FindingState::Closed));
}

#[test]
fn a_closed_alarm_is_told_again_only_for_something_new() {
    let again = |reads: &str| {
        let run = run(&format!("{LATE}{reads}"), usize::MAX);
        let closed = run.findings.iter().position(|found| found.state == FindingState::Closed);
        let (first, after) = run.findings.split_at(closed.unwrap() + 1);
        let uid = first.last().unwrap().uid;
        after.iter().any(|finding| finding.is_alert && finding.uid == uid)
    };
    assert!(!again("read 2024-03-07T08:00:00Z s16 p1500,p1711,p1320 every=1700\n"));
    assert!(again("read 2024-03-07T08:00:00Z s16 p1511,p1333,p1702,p1488,p1619,p1277 every=900\n"));
}

#[test]
fn every_visit_is_judged_once_and_again_only_when_something_changed() {
    let run = run(LATE, usize::MAX);
    let of =
        |later: bool| run.judgements.iter().filter(move |held| held.known_at.is_some() == later);
    let mut visits: Vec<_> =
        of(false).map(|held| (held.identity, held.patient, held.since)).collect();
    let count = visits.len();
    assert!(of(false).all(|held| held.at == held.since));
    visits.sort_unstable();
    visits.dedup();
    assert_eq!(visits.len(), count, "the same visit twice");
    assert_eq!(of(true).filter(|held| held.since.day() == time("2024-03-04").day()).count(), 6);
    for held in of(true) {
        assert_eq!(held.at, held.since.plus_secs(86_400));
        assert!(matches!(held.verdict, Verdict::Explained { template: "stay_in_unit" }));
        assert!(held.known_at.unwrap() <= held.at);
        assert!(visits.binary_search(&(held.identity, held.patient, held.since)).is_ok());
    }
    // A prefix of the look-ups gives a prefix of the judgements.
    for share in [4, 9] {
        let part = self::run(LATE, count * share / 10).judgements;
        assert_eq!(part, run.judgements[..part.len()]);
    }
}
