//! What was alarmed, against what was stolen.

use crate::truth::{Truth, TruthEntry};
use bavn_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error("the answer key is not as `truth.json` should be")]
    Truth(#[source] serde_json::Error),
    #[error("alarm {line} is not JSON")]
    Alarm { line: usize, source: serde_json::Error },
}

/// How well the alarms met the thefts.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    pub attacks: Vec<AttackScore>,
    pub kinds: usize,
    pub kinds_found: usize,
    pub identities: usize,
    pub identities_named: usize,
    pub patients_lost: usize,
    /// Findings that were ever alarms and name no thief, or name one before the theft began.
    pub false_alarms: usize,
    pub false_alarms_per_10k_staff_day: f64,
    pub staff_days: f64,
    /// What the run's own ranking would give at other budgets.
    pub curve: Vec<Curve>,
}

/// One theft.
#[derive(Clone, Debug, Serialize)]
pub struct AttackScore {
    pub name: String,
    pub found: bool,
    /// From the first stolen record to the first alarm that names a thief.
    pub secs_to_alarm: Option<i64>,
    pub patients_stolen: usize,
    /// Distinct patients whom each thief read before he was named.
    pub patients_lost: usize,
    pub identities: usize,
    pub identities_named: usize,
}

/// The strongest findings that a budget allows.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Curve {
    pub false_alarms_per_10k_staff_day: f64,
    pub kinds_found: usize,
    pub identities_named: usize,
    pub patients_lost: usize,
}

/// One line of the alarms, as far as scoring needs it.
#[derive(Clone, Debug, Default)]
pub struct Alarm {
    pub uid: String,
    pub at: Timestamp,
    /// Inside the budget.
    pub is_alert: bool,
    pub closes: bool,
    /// Higher is less likely innocent.
    pub risk: f64,
    /// Whom it names, bare: `hcw-7`.
    pub names: Vec<String>,
    /// The leading detector first; empty where the line does not say.
    pub detectors: Vec<String>,
}

/// Scores alarms (OCSF Detection Findings, one a line) against an answer key.
pub fn score(truth: &str, alarms: &str) -> Result<Score, ScoreError> {
    let truth: Truth = serde_json::from_str(truth).map_err(ScoreError::Truth)?;
    let alarms: Vec<Alarm> = alarms
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let value = serde_json::from_str(line)
                .map_err(|source| ScoreError::Alarm { line: index + 1, source })?;
            Ok(alarm(&value))
        })
        .collect::<Result<_, _>>()?;
    let thefts = Thefts::new(&truth);
    let own = thefts.judge(&alarms, |alarm| alarm.is_alert);
    let staff_days = truth.staff as f64 * f64::from(truth.days);
    let attacks = thefts.per_attack(&own);
    Ok(Score {
        kinds: attacks.len(),
        kinds_found: attacks.iter().filter(|attack| attack.found).count(),
        identities: attacks.iter().map(|attack| attack.identities).sum(),
        identities_named: attacks.iter().map(|attack| attack.identities_named).sum(),
        patients_lost: attacks.iter().map(|attack| attack.patients_lost).sum(),
        attacks,
        false_alarms: own.false_uids.len(),
        false_alarms_per_10k_staff_day: own.false_uids.len() as f64 / staff_days * 1e4,
        staff_days,
        curve: BUDGETS
            .iter()
            .filter_map(|&budget| thefts.at_budget(&alarms, budget, staff_days))
            .collect(),
    })
}

fn alarm(line: &Value) -> Alarm {
    let names = line["evidences"].as_array().into_iter().flatten();
    Alarm {
        uid: line["finding_info"]["uid"].as_str().unwrap_or_default().to_owned(),
        at: Timestamp::from_micros(line["time"].as_i64().unwrap_or(0) * 1_000),
        is_alert: line["is_alert"] == true,
        closes: line["activity_id"] == 3,
        risk: line["risk_score"].as_f64().unwrap_or(0.0),
        names: names.filter_map(|one| one["actor"]["user"]["uid"].as_str()).map(bare).collect(),
        detectors: line["unmapped"]["bavn"]["detectors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
    }
}

/// The name without its kind or system: `Practitioner/hcw-7`, `system|hcw-7` and
/// `hcw-7` are one name.
pub fn bare(name: &str) -> String {
    name.rsplit(['/', '|']).next().unwrap_or(name).to_owned()
}

/// The thieves of one answer key.
#[derive(Debug)]
pub(crate) struct Thefts<'a> {
    pub(crate) attacks: Vec<&'a TruthEntry>,
    /// For each thief: from when an alarm on him is no false one.
    pub(crate) begins: BTreeMap<String, Timestamp>,
}

/// Who was named when, and which findings were wrong.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) named: BTreeMap<String, Timestamp>,
    pub(crate) false_uids: BTreeSet<String>,
}

impl<'a> Thefts<'a> {
    pub(crate) fn new(truth: &'a Truth) -> Self {
        let attacks: Vec<&TruthEntry> =
            truth.truth.iter().filter(|entry| entry.kind == "attack").collect();
        let mut begins: BTreeMap<String, Timestamp> = BTreeMap::new();
        for attack in &attacks {
            for who in &attack.who {
                let thief = bare(who);
                let own = attack.reads.iter().filter(|read| bare(&read.0) == thief);
                let prepared = attack.prepared.as_deref().and_then(time);
                let first = own.filter_map(|read| time(&read.2)).chain(prepared).min();
                let Some(begin) = first.or_else(|| attack.start.as_deref().and_then(time)) else {
                    continue;
                };
                let held = begins.entry(thief).or_insert(begin);
                *held = begin.min(*held);
            }
        }
        Self { attacks, begins }
    }

    pub(crate) fn judge(&self, alarms: &[Alarm], counts: impl Fn(&Alarm) -> bool) -> Judged {
        let mut judged = Judged::default();
        let mut by_uid: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for alarm in alarms.iter().filter(|alarm| !alarm.closes && counts(alarm)) {
            let (right, early) = by_uid.entry(&alarm.uid).or_default();
            for name in &alarm.names {
                let Some(&begin) = self.begins.get(name) else { continue };
                if alarm.at < begin {
                    *early = true;
                    continue;
                }
                *right = true;
                let held = judged.named.entry(name.clone()).or_insert(alarm.at);
                *held = alarm.at.min(*held);
            }
        }
        judged.false_uids = by_uid
            .into_iter()
            .filter(|&(_, (right, early))| !right || early)
            .map(|(uid, _)| uid.to_owned())
            .collect();
        judged
    }

    fn per_attack(&self, judged: &Judged) -> Vec<AttackScore> {
        self.attacks
            .iter()
            .map(|attack| {
                let thieves: Vec<String> = attack.who.iter().map(|who| bare(who)).collect();
                let named = thieves.iter().filter_map(|thief| judged.named.get(thief));
                let first_alarm = named.clone().min().copied();
                let begin = attack.start.as_deref().and_then(time);
                let lost: usize = thieves.iter().map(|thief| lost(attack, thief, judged)).sum();
                let stolen: BTreeSet<(&str, &str)> =
                    attack.reads.iter().map(|read| (read.0.as_str(), read.1.as_str())).collect();
                AttackScore {
                    name: attack.name.clone(),
                    found: first_alarm.is_some(),
                    secs_to_alarm: first_alarm
                        .zip(begin)
                        .map(|(at, begin)| at.secs_since(begin).max(0)),
                    patients_stolen: stolen.len(),
                    patients_lost: lost,
                    identities: thieves.len(),
                    identities_named: named.count(),
                }
            })
            .collect()
    }

    /// The lowest threshold on the run's own ranking that keeps to a budget.
    fn at_budget(&self, alarms: &[Alarm], budget: f64, staff_days: f64) -> Option<Curve> {
        let mut risks: Vec<f64> = alarms.iter().map(|alarm| alarm.risk).collect();
        risks.sort_by(|a, b| b.total_cmp(a));
        risks.dedup();
        let within = |risk: f64| {
            let judged = self.judge(alarms, |alarm| alarm.risk >= risk);
            let rate = judged.false_uids.len() as f64 / staff_days * 1e4;
            (rate <= budget).then_some((judged, rate))
        };
        // More findings never make fewer false ones, so the last that keeps to the budget is found by halving.
        let kept = risks.partition_point(|&risk| within(risk).is_some());
        let (judged, rate) = within(*risks.get(kept.checked_sub(1)?)?)?;
        let attacks = self.per_attack(&judged);
        Some(Curve {
            false_alarms_per_10k_staff_day: rate,
            kinds_found: attacks.iter().filter(|attack| attack.found).count(),
            identities_named: attacks.iter().map(|attack| attack.identities_named).sum(),
            patients_lost: attacks.iter().map(|attack| attack.patients_lost).sum(),
        })
    }
}

fn lost(attack: &TruthEntry, thief: &str, judged: &Judged) -> usize {
    let until = judged.named.get(thief).copied().unwrap_or(Timestamp::MAX);
    let own = attack.reads.iter().filter(|read| bare(&read.0) == thief);
    let before = own.filter(|read| time(&read.2).is_some_and(|at| at <= until));
    before.map(|read| read.1.as_str()).collect::<BTreeSet<_>>().len()
}

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok().map(|(at, _)| at)
}

/// A table to be read at a terminal.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:>6} {:>12} {:>16} {:>12}",
            "theft", "found", "to alarm", "patients lost", "named"
        )?;
        for attack in &self.attacks {
            writeln!(
                f,
                "{:<18} {:>6} {:>12} {:>16} {:>12}",
                attack.name,
                if attack.found { "yes" } else { "no" },
                attack.secs_to_alarm.map_or_else(|| "-".to_owned(), duration),
                format!("{} of {}", attack.patients_lost, attack.patients_stolen),
                format!("{} of {}", attack.identities_named, attack.identities),
            )?;
        }
        writeln!(
            f,
            "\n{} of {} kinds found, {} of {} identities named, {} patients lost",
            self.kinds_found,
            self.kinds,
            self.identities_named,
            self.identities,
            self.patients_lost
        )?;
        write!(
            f,
            "{} false alarms in {:.0} staff days: {:.2} per 10,000 staff a day",
            self.false_alarms, self.staff_days, self.false_alarms_per_10k_staff_day
        )?;
        for curve in &self.curve {
            write!(
                f,
                "\nranking cut at {:.1} false: {} kinds, {} identities, {} patients lost",
                curve.false_alarms_per_10k_staff_day,
                curve.kinds_found,
                curve.identities_named,
                curve.patients_lost
            )?;
        }
        Ok(())
    }
}

fn duration(secs: i64) -> String {
    match secs {
        ..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_800 => format!("{} h", secs / 3_600),
        _ => format!("{} days", secs / 86_400),
    }
}

const BUDGETS: [f64; 4] = [1.0, 2.0, 5.0, 20.0];

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: &str = r#"{"seed":1,"days":10,"staff":100,"patients":50,"events":9,"truth":[
        {"kind":"attack","name":"burst","who":["Practitioner/7"],"start":"2024-01-02T00:00:00Z",
         "reads":[["Practitioner/7","Patient/1","2024-01-02T00:00:00Z"],
                  ["Practitioner/7","Patient/2","2024-01-02T00:10:00Z"],
                  ["Practitioner/7","Patient/3","2024-01-02T00:20:00Z"]]},
        {"kind":"benign","name":"locum","who":"8"}]}"#;

    fn alarm_line(uid: &str, at: &str, who: &str, is_alert: bool, risk: f64) -> String {
        let (at, _) = Timestamp::parse(at).unwrap();
        serde_json::json!({"finding_info": {"uid": uid}, "time": at.millis(), "activity_id": 1,
            "is_alert": is_alert, "risk_score": risk,
            "evidences": [{"actor": {"user": {"uid": who}}}]})
        .to_string()
    }

    #[test]
    fn losses_end_when_the_thief_is_named() {
        let alarms = alarm_line("a", "2024-01-02T00:10:00Z", "Practitioner/7", true, 90.0);
        let score = score(TRUTH, &alarms).unwrap();
        let attack = &score.attacks[0];
        assert_eq!(
            (attack.found, attack.patients_lost, attack.secs_to_alarm),
            (true, 2, Some(600))
        );
        assert_eq!((score.false_alarms, score.identities_named), (0, 1));
    }

    #[test]
    fn early_alarms_and_strangers_are_false_and_weak_ones_are_not_counted() {
        let alarms = [
            alarm_line("early", "2024-01-01T00:10:00Z", "Practitioner/7", true, 99.0),
            alarm_line("wrong", "2024-01-03T00:10:00Z", "Practitioner/8", true, 80.0),
            alarm_line("weak", "2024-01-03T00:10:00Z", "Practitioner/9", false, 20.0),
        ];
        let score = score(TRUTH, &alarms.join("\n")).unwrap();
        assert_eq!((score.false_alarms, score.kinds_found, score.patients_lost), (2, 0, 3));
        assert!((score.false_alarms_per_10k_staff_day - 20.0).abs() < 1e-9);
    }
}
