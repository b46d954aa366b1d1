//! A finding as one line that any security system reads: OCSF 1.5.0 Detection Finding (2004).
//!
//! Keys stand in the order written here, so that the same finding is the same bytes. No patient is
//! named unless asked for.

use crate::words::{Language, Speaker, title};
use bavn_model::{
    Context, Directory, Fact, Family, Finding, FindingState, Lane, Relation, Trait, TriedOutcome,
};
use serde_json::{Map, Value, json};

/// What an alarm line may hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct OcsfOptions {
    /// Name the exposed patients in `resources`: only for receivers that may know them.
    pub patients: bool,
    pub language: Language,
}

/// One line of JSON, without the line's end. Schema: `docs/schema/alarm.schema.json`.
pub fn ocsf_line(
    finding: &Finding,
    directory: &Directory,
    context: &Context,
    options: OcsfOptions,
) -> String {
    let speaker = Speaker { language: options.language, directory, context };
    let activity = match finding.state {
        FindingState::Created => 1,
        FindingState::Updated => 2,
        FindingState::Closed => 3,
    };
    let severity = severity_of(finding);
    let mut line = Ordered::default();
    line.put("class_uid", 2_004)
        .put("category_uid", 2)
        .put("activity_id", activity)
        .put("type_uid", 200_400 + activity)
        .put("metadata", json!({
            "version": OCSF_VERSION,
            "product": {"name": "bavn", "vendor_name": "bavn", "version": env!("CARGO_PKG_VERSION")},
        }))
        .put("time", finding.raised_at.millis())
        .put("severity_id", severity)
        .put("severity", SEVERITIES.get(severity).copied().unwrap_or("Unknown"))
        .put("risk_score", rounded(risk_score(finding), 4))
        .put("confidence_score", confidence(finding))
        .put("is_alert", finding.is_alert && finding.state != FindingState::Closed)
        .put("message", speaker.summary(finding))
        .put("finding_info", finding_info(finding, &speaker))
        .put("evidences", evidences(finding, directory));
    if options.patients {
        let names = finding.patients.iter().map(|&patient| directory.patients.name(patient));
        let resources: Vec<Value> =
            names.map(|name| json!({"type": "Patient", "uid": name})).collect();
        line.put("resources", resources);
    }
    line.put("remediation", json!({"desc": speaker.next_step(finding.next_step)}))
        .put("unmapped", json!({"bavn": unmapped(finding, &speaker)}));
    line.finish()
}

/// 0 to 100, falling as the calibrated chance rises: sorting by it ranks the whole run.
pub fn risk_score(finding: &Finding) -> f64 {
    let decades = -finding.p_value.clamp(1e-300, 1.0).log10();
    100.0 * decades / (decades + RISK_HALF_DECADES)
}

fn finding_info(finding: &Finding, speaker: &Speaker<'_>) -> Value {
    let attacks: Vec<Value> = techniques(finding.detector)
        .iter()
        .map(|&(technique, name, tactic, tactic_name)| {
            json!({
                "technique": {"uid": technique, "name": name},
                "tactic": {"uid": tactic, "name": tactic_name},
                "version": "16",
            })
        })
        .collect();
    json!({
        "uid": format!("{:032x}", finding.uid),
        "title": title(speaker.language, finding.detector),
        "desc": speaker.summary(finding),
        "types": finding.detectors,
        "first_seen_time": finding.first_seen.millis(),
        "last_seen_time": finding.last_seen.millis(),
        "analytic": {
            "uid": finding.detector,
            "name": title(speaker.language, finding.detector),
            "type_id": if finding.lane == Lane::Deterministic { 1 } else { 3 },
        },
        "attacks": attacks,
    })
}

fn evidences(finding: &Finding, directory: &Directory) -> Vec<Value> {
    finding
        .entities
        .iter()
        .map(|entity| {
            let mut evidence = Map::new();
            let uid = directory.identities.name(entity.identity);
            evidence.insert("actor".to_owned(), json!({"user": {"uid": uid, "name": uid}}));
            if let Some(host) = entity.host {
                let name = directory.hosts.name(host);
                let is_address = name.parse::<core::net::IpAddr>().is_ok();
                let key = if is_address { "ip" } else { "hostname" };
                evidence.insert("src_endpoint".to_owned(), json!({ key: name }));
                evidence.insert("device".to_owned(), json!({ key: name, "type_id": 0 }));
            }
            if let Some(client) = entity.client {
                evidence.insert("name".to_owned(), json!(directory.clients.name(client)));
            }
            Value::Object(evidence)
        })
        .collect()
}

fn unmapped(finding: &Finding, speaker: &Speaker<'_>) -> Value {
    let because: Vec<Value> =
        finding.because.iter().map(|fact| fact_value(fact, speaker)).collect();
    let tried: Vec<Value> = finding
        .tried
        .iter()
        .map(|tried| {
            let outcome = match tried.outcome {
                TriedOutcome::NotFound => "not_found",
                TriedOutcome::MadeByReader => "made_by_reader",
                TriedOutcome::CannotJudge { .. } => "cannot_judge",
            };
            json!({
                "template": tried.template,
                "outcome": outcome,
                "visits": tried.visits,
                "text": speaker.tried(tried),
            })
        })
        .collect();
    let uid = format!("{:032x}", finding.uid);
    json!({
        "scope": {
            "case": uid,
            "from": finding.first_seen,
            "to": finding.last_seen,
        },
        "case": uid,
        "p_value": finding.p_value,
        "expected_false_per_10k_staff_day": finding.expected_false_per_10k_staff_day,
        "calibrated": finding.calibrated,
        "rank": rounded(finding.rank, 3),
        "lane": lane_name(finding.lane),
        "family": family_name(finding.family),
        "patients_exposed": finding.patients.len(),
        "because": because,
        "tried": tried,
        "innocent_story": speaker.innocent_story(finding.innocent_story),
        "next_step": speaker.next_step(finding.next_step),
        "counterfactual": speaker.counterfactual(finding),
        "not_seen": speaker.not_seen(),
        "detectors": finding.detectors,
    })
}

/// A fact with its numbers and its sentence.
fn fact_value(fact: &Fact, speaker: &Speaker<'_>) -> Value {
    let mut value = numbers(fact, speaker);
    if let Value::Object(map) = &mut value {
        map.insert("text".to_owned(), Value::String(speaker.fact(fact)));
    }
    value
}

fn numbers(fact: &Fact, speaker: &Speaker<'_>) -> Value {
    let r = |number: f64| rounded(number, 4);
    match *fact {
        Fact::PatientsInWindow { opened, usual, highest_of_peers, window_secs } => json!({
            "fact": "patients_in_window", "opened": opened, "usual": r(usual),
            "highest_of_peers": highest_of_peers, "window_secs": window_secs}),
        Fact::UnexplainedPatients { unexplained, usual, window_secs } => json!({
            "fact": "unexplained_patients", "unexplained": unexplained, "usual": r(usual),
            "window_secs": window_secs}),
        Fact::AwayPatients { away, usual, window_secs } => json!({
            "fact": "away_patients", "away": away, "usual": r(usual), "window_secs": window_secs}),
        Fact::ColdPatients { cold, usual, window_secs } => json!({
            "fact": "cold_patients", "cold": cold, "usual": r(usual), "window_secs": window_secs}),
        Fact::LonePatients { alone, usual, window_secs } => json!({
            "fact": "lone_patients", "alone": alone, "usual": r(usual),
            "window_secs": window_secs}),
        Fact::SlowRise { patients, usual, working_days, since } => json!({
            "fact": "slow_rise", "patients": patients, "usual": r(usual),
            "working_days": working_days, "since": since}),
        Fact::ImprobablePatients { patients, one_in } => json!({
            "fact": "improbable_patients", "patients": patients, "one_in": r(one_in)}),
        Fact::RelatedPatients { relation, patients, reads } => json!({
            "fact": "related_patients", "relation": relation_name(relation), "patients": patients,
            "reads": reads}),
        Fact::ListedPatients { group, opened, of, expected } => json!({
            "fact": "listed_patients", "opened": opened, "of": of, "expected": r(expected),
            "list": speaker.context.groups().get(group as usize).map(|group| &group.name)}),
        Fact::ReadersOfPatient { readers, without_reason, usual, window_secs } => json!({
            "fact": "readers_of_patient", "readers": readers, "without_reason": without_reason,
            "usual": r(usual), "window_secs": window_secs}),
        Fact::AfterEnd { days, reads } => json!({
            "fact": "after_end", "days": days, "reads": reads}),
        Fact::BeforeStart { days, reads } => json!({
            "fact": "before_start", "days": days, "reads": reads}),
        Fact::Decoys { opened } => json!({"fact": "decoys", "opened": opened}),
        Fact::Dormant { days, reads } => json!({"fact": "dormant", "days": days, "reads": reads}),
        Fact::NewTrait { shared, reads, reads_before } => json!({
            "fact": "new_trait", "trait": trait_name(shared), "reads": reads,
            "reads_before": reads_before}),
        Fact::IdentifierRun { run, of } => json!({"fact": "identifier_run", "run": run, "of": of}),
        Fact::RegularGaps { reads, gap_secs, spread } => json!({
            "fact": "regular_gaps", "reads": reads, "gap_secs": r(gap_secs), "spread": r(spread)}),
        Fact::AccountsWithColdReads { accounts, expected, patients } => json!({
            "fact": "accounts_with_cold_reads", "accounts": accounts, "expected": r(expected),
            "patients": patients}),
        Fact::AccountsOnOneDay { accounts, expected, patients } => json!({
            "fact": "accounts_on_one_day", "accounts": accounts, "expected": r(expected),
            "patients": patients}),
        Fact::SharedTrait { shared, accounts, of, expected } => json!({
            "fact": "shared_trait", "trait": trait_name(shared), "accounts": accounts, "of": of,
            "expected": r(expected)}),
        Fact::Searches { searches, opened, usual, window_secs } => json!({
            "fact": "searches", "searches": searches, "opened": opened, "usual": r(usual),
            "window_secs": window_secs}),
        Fact::BreakGlass { times, usual, window_secs } => json!({
            "fact": "break_glass", "times": times, "usual": r(usual), "window_secs": window_secs}),
        Fact::SourceSilent { source, hours, usual_per_hour } => json!({
            "fact": "source_silent", "source": speaker.directory.sources.name(source),
            "hours": r(hours), "usual_per_hour": r(usual_per_hour)}),
        Fact::ExplainedLater { patients, hours } => json!({
            "fact": "explained_later", "patients": patients, "hours": hours}),
        _ => numbers_of_place(fact, speaker),
    }
}

/// Facts about places, sources and what came after.
fn numbers_of_place(fact: &Fact, speaker: &Speaker<'_>) -> Value {
    let r = |number: f64| rounded(number, 4);
    match *fact {
        Fact::SourceVolume { source, records, usual, hours } => json!({
            "fact": "source_volume", "source": speaker.directory.sources.name(source),
            "records": records, "usual": r(usual), "hours": r(hours)}),
        Fact::SourceClock { source, hours } => json!({
            "fact": "source_clock", "source": speaker.directory.sources.name(source),
            "hours": hours}),
        Fact::NewPlace { place, patients, one_in } => json!({
            "fact": "new_place", "trait": trait_name(place), "patients": patients,
            "one_in": r(one_in)}),
        Fact::TwoPlaces { times, minutes } => json!({
            "fact": "two_places", "times": times, "minutes": minutes}),
        Fact::DrawnByLot { of } => json!({"fact": "drawn_by_lot", "of": of}),
        _ => json!({"fact": "other"}),
    }
}

/// MITRE ATT&CK technique and tactic: (uid, name, tactic uid, tactic name).
fn techniques(
    detector: &str,
) -> &'static [(&'static str, &'static str, &'static str, &'static str)] {
    const COLLECTION: (&str, &str, &str, &str) =
        ("T1213", "Data from Information Repositories", "TA0009", "Collection");
    const AUTOMATED: (&str, &str, &str, &str) =
        ("T1119", "Automated Collection", "TA0009", "Collection");
    const ACCOUNTS: (&str, &str, &str, &str) =
        ("T1078", "Valid Accounts", "TA0001", "Initial Access");
    match detector {
        "burst" => &[COLLECTION, AUTOMATED],
        "api_paging" => &[AUTOMATED, COLLECTION],
        "leaver" | "service_account" | "sprayed_accounts" | "cohort_link" | "strange_place" => {
            &[ACCOUNTS, COLLECTION]
        }
        "source_silence" => {
            &[("T1562.008", "Disable or Modify Cloud Logs", "TA0005", "Defense Evasion")]
        }
        "random_audit" => &[],
        _ => &[COLLECTION],
    }
}

fn severity_of(finding: &Finding) -> usize {
    let far_out = finding.expected_false_per_10k_staff_day < 1e-3;
    match (finding.is_alert, far_out, finding.patients.len()) {
        (false, ..) => 2,
        (true, true, 100..) => 5,
        (true, true, _) | (true, false, 20..) => 4,
        (true, false, _) => 3,
    }
}

/// Chance that the finding is true, in percent, if thefts are as common as confirmed ones were.
fn confidence(finding: &Finding) -> i64 {
    let likely = 2.0 / (2.0 + finding.expected_false_per_10k_staff_day);
    (likely * 100.0).round() as i64
}

fn rounded(number: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    if number.is_finite() { (number * factor).round() / factor } else { 0.0 }
}

const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Live => "live",
        Lane::Daily => "daily",
        Lane::Slow => "slow",
        Lane::Cohort => "cohort",
        Lane::Deterministic => "deterministic",
        Lane::Coverage => "coverage",
        Lane::Audit => "audit",
    }
}

const fn family_name(family: Family) -> &'static str {
    match family {
        Family::Volume => "volume",
        Family::Relation => "relation",
        Family::Target => "target",
        Family::Identity => "identity",
        Family::Pattern => "pattern",
    }
}

const fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Oneself => "oneself",
        Relation::Kin => "kin",
        Relation::Household => "household",
        Relation::Colleague => "colleague",
        Relation::Neighbour => "neighbour",
        Relation::Surname => "surname",
    }
}

const fn trait_name(shared: Trait) -> &'static str {
    match shared {
        Trait::Host => "host",
        Trait::Network => "network",
        Trait::Client => "client",
        Trait::Hour => "hour",
        Trait::RecordKind => "record_kind",
        Trait::Patients => "patients",
        Trait::Group(_) => "group",
    }
}

/// A JSON object whose keys stand as they were put: `serde_json`'s own map sorts them.
#[derive(Default)]
struct Ordered {
    text: String,
}

impl Ordered {
    fn put(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&Value::from(key).to_string());
        self.text.push(':');
        self.text.push_str(&value.into().to_string());
        self
    }

    fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The newest version that both security lakes and SIEMs commonly read, and that has `is_alert`.
const OCSF_VERSION: &str = "1.5.0";
const SEVERITIES: [&str; 6] = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];
/// Chances of one in 10,000 score 50.
const RISK_HALF_DECADES: f64 = 4.0;
