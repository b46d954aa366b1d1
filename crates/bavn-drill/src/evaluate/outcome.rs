//! What came of one region: its thieves, and the alarms that were wrong.

use super::lots::{Lot, RegionPlan};
use crate::score::{Alarm, Thefts, bare, time};
use crate::truth::{Truth, TruthEntry};
use bavn_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the watch said of a region.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    pub alarms: Vec<Alarm>,
    pub look_ups: u64,
    /// Share of visits, and of first visits, that a record or a lesson explains.
    pub explained: f64,
    pub first_explained: f64,
    /// Function of each member of staff by bare name; empty where personnel has none.
    pub roles: BTreeMap<String, String>,
}

/// One region, judged.
#[derive(Clone, Debug)]
pub struct RegionOutcome {
    pub plan: RegionPlan,
    pub watched: Watched,
    pub truth: Truth,
    pub thieves: Vec<Thief>,
    pub sprays: Vec<Spray>,
    pub false_alarms: Vec<FalseAlarm>,
}

/// One identity in one theft.
#[derive(Clone, Debug)]
pub struct Thief {
    /// The theft as it was asked for, with its options.
    pub theft: String,
    pub name: String,
    pub who: String,
    /// His first stolen record.
    pub begins: Timestamp,
    pub named_at: Option<Timestamp>,
    /// Days of his with thefts up to the alarm: 1 is the first day.
    pub days_to_alarm: Option<usize>,
    /// Seconds from his first theft to each new patient.
    pub taken_after_secs: Vec<i64>,
    /// Patients he had before he was named.
    pub lost: usize,
    /// An alarm says that his patients stand on a list or share a trait.
    pub named_as_targeting: bool,
}

impl Thief {
    pub(crate) fn found(&self) -> bool {
        self.named_at.is_some()
    }

    pub(crate) fn secs_to_alarm(&self) -> Option<i64> {
        self.named_at.map(|at| at.secs_since(self.begins).max(0))
    }

    /// Patients he had `secs` after his first theft, had the alarm stopped him.
    pub(crate) fn lost_after(&self, secs: i64) -> usize {
        let until = self.secs_to_alarm().map_or(secs, |named| named.min(secs));
        self.taken_after_secs.iter().filter(|&&after| after <= until).count()
    }
}

/// Many accounts with a few patients each.
#[derive(Clone, Copy, Debug)]
pub struct Spray {
    pub accounts: usize,
    /// Named by the end of the first day, and within its first half.
    pub named_on_first_day: usize,
    pub named_in_half_a_day: usize,
    /// Innocent people named by the alarms that name the spray's accounts.
    pub wrongly: usize,
}

/// A finding that was an alarm, and names no thief or one before the theft.
#[derive(Clone, Debug)]
pub struct FalseAlarm {
    pub day: i32,
    pub names: Vec<String>,
    pub detector: String,
}

impl RegionOutcome {
    pub fn new(plan: RegionPlan, truth: Truth, watched: Watched) -> Self {
        let thefts = Thefts::new(&truth);
        let judged = thefts.judge(&watched.alarms, |alarm| alarm.is_alert);
        let mut thieves = Vec::new();
        let mut sprays = Vec::new();
        for attack in &thefts.attacks {
            let of_attack = thieves.len();
            for who in &attack.who {
                let who = bare(who);
                let named_at = judged.named.get(&who).copied();
                thieves.extend(thief(attack, who, named_at, &watched.alarms));
            }
            if attack.name == "sprayed" {
                let accounts = thieves.get(of_attack..).unwrap_or_default();
                sprays.push(spray(accounts, &thefts, &watched.alarms));
            }
        }
        let false_alarms = false_alarms(&plan, &judged.false_uids, &watched.alarms);
        Self { plan, watched, truth, thieves, sprays, false_alarms }
    }

    pub(crate) fn is(&self, lot: Lot) -> bool {
        self.plan.lot == lot
    }

    pub(crate) fn staff_days(&self) -> f64 {
        self.plan.settings.staff as f64 * f64::from(self.plan.settings.days)
    }

    /// Kinds of theft, and how many of them had a thief named.
    pub(crate) fn kinds(&self) -> (usize, usize) {
        let all: BTreeSet<&str> = self.thieves.iter().map(|thief| thief.name.as_str()).collect();
        let found = self.thieves.iter().filter(|thief| thief.found());
        let found: BTreeSet<&str> = found.map(|thief| thief.name.as_str()).collect();
        (found.len(), all.len())
    }
}

fn thief(
    attack: &TruthEntry,
    who: String,
    named_at: Option<Timestamp>,
    alarms: &[Alarm],
) -> Option<Thief> {
    let mut seen = BTreeSet::new();
    let own = attack.reads.iter().filter(|read| bare(&read.0) == who);
    let mut reads: Vec<(Timestamp, &str)> =
        own.filter_map(|read| Some((time(&read.2)?, read.1.as_str()))).collect();
    reads.sort_unstable();
    let begins = reads.first()?.0;
    let until = named_at.unwrap_or(Timestamp::MAX);
    let days: BTreeSet<i32> =
        reads.iter().filter(|(at, _)| *at <= until).map(|(at, _)| at.day()).collect();
    let firsts: Vec<Timestamp> =
        reads.iter().filter(|(_, patient)| seen.insert(*patient)).map(|&(at, _)| at).collect();
    let as_targeting = |alarm: &&Alarm| {
        let says = alarm.detectors.iter().any(|name| TARGETING.contains(&name.as_str()));
        alarm.is_alert && says && alarm.at >= begins && alarm.names.contains(&who)
    };
    Some(Thief {
        theft: attack.plan.clone().unwrap_or_else(|| attack.name.clone()),
        name: attack.name.clone(),
        begins,
        named_at,
        days_to_alarm: named_at.map(|_| days.len().max(1)),
        lost: firsts.iter().filter(|&&at| at <= until).count(),
        taken_after_secs: firsts.iter().map(|at| at.secs_since(begins)).collect(),
        named_as_targeting: alarms.iter().any(|alarm| as_targeting(&alarm)),
        who,
    })
}

fn spray(accounts: &[Thief], thefts: &Thefts<'_>, alarms: &[Alarm]) -> Spray {
    let begin = accounts.iter().map(|thief| thief.begins).min().unwrap_or_default();
    let within = |secs: i64| {
        let in_time = |at: Timestamp| at.secs_since(begin) <= secs;
        accounts.iter().filter(|thief| thief.named_at.is_some_and(in_time)).count()
    };
    let members: BTreeSet<&str> = accounts.iter().map(|thief| thief.who.as_str()).collect();
    let of_spray = |alarm: &&Alarm| {
        let after = alarm.at.secs_since(begin);
        alarm.is_alert
            && (0..=DAY_SECS).contains(&after)
            && alarm.names.iter().any(|name| members.contains(name.as_str()))
    };
    let named: BTreeSet<&str> = alarms
        .iter()
        .filter(of_spray)
        .flat_map(|alarm| alarm.names.iter().map(String::as_str))
        .collect();
    Spray {
        accounts: accounts.len(),
        named_on_first_day: within(DAY_SECS),
        named_in_half_a_day: within(DAY_SECS / 2),
        wrongly: named.iter().filter(|&&name| !thefts.begins.contains_key(name)).count(),
    }
}

fn false_alarms(plan: &RegionPlan, uids: &BTreeSet<String>, alarms: &[Alarm]) -> Vec<FalseAlarm> {
    let first_day = plan.settings.start.day();
    uids.iter()
        .filter_map(|uid| {
            let alarm = alarms.iter().find(|alarm| alarm.is_alert && alarm.uid == *uid)?;
            Some(FalseAlarm {
                day: alarm.at.day() - first_day,
                names: alarm.names.clone(),
                detector: alarm.detectors.first().cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// Detectors whose alarm says by what the patients were chosen.
const TARGETING: [&str; 2] = ["listed_patients", "target_enrichment"];
const DAY_SECS: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Settings;

    const TRUTH: &str = r#"{"seed":1,"days":10,"staff":100,"patients":50,"events":9,"truth":[
        {"kind":"attack","name":"slow","plan":"slow:take=2","who":["Practitioner/7"],
         "start":"2024-01-02T08:00:00Z",
         "reads":[["Practitioner/7","Patient/1","2024-01-02T08:00:00Z"],
                  ["Practitioner/7","Patient/1","2024-01-02T09:00:00Z"],
                  ["Practitioner/7","Patient/2","2024-01-03T08:00:00Z"],
                  ["Practitioner/7","Patient/3","2024-01-05T08:00:00Z"]]},
        {"kind":"attack","name":"sprayed","who":["Practitioner/8","Practitioner/9"],
         "start":"2024-01-02T08:00:00Z",
         "reads":[["Practitioner/8","Patient/4","2024-01-02T08:00:00Z"],
                  ["Practitioner/9","Patient/5","2024-01-02T10:00:00Z"]]}]}"#;

    fn alarm(uid: &str, at: &str, names: &[&str], is_alert: bool) -> Alarm {
        Alarm {
            uid: uid.to_owned(),
            at: time(at).unwrap(),
            is_alert,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            detectors: vec!["burst".to_owned()],
            ..Alarm::default()
        }
    }

    fn outcome(alarms: Vec<Alarm>) -> RegionOutcome {
        let plan = RegionPlan { lot: Lot::Ordinary, settings: Settings::default() };
        let watched = Watched { alarms, ..Watched::default() };
        RegionOutcome::new(plan, serde_json::from_str(TRUTH).unwrap(), watched)
    }

    #[test]
    fn a_thief_is_stopped_by_the_first_alarm_that_names_him() {
        let seen = outcome(vec![
            alarm("weak", "2024-01-02T08:30:00Z", &["7"], false),
            alarm("a", "2024-01-03T09:00:00Z", &["7"], true),
        ]);
        let thief = &seen.thieves[0];
        assert_eq!(
            (thief.theft.as_str(), thief.lost, thief.days_to_alarm),
            ("slow:take=2", 2, Some(2))
        );
        assert_eq!(thief.taken_after_secs, [0, 86_400, 3 * 86_400]);
        assert_eq!((thief.lost_after(3_600), thief.lost_after(10 * 86_400)), (1, 2));
        assert_eq!((seen.kinds(), seen.false_alarms.len()), ((1, 2), 0));
    }

    #[test]
    fn a_spray_is_named_in_time_and_its_innocents_are_counted() {
        let seen = outcome(vec![
            alarm("many", "2024-01-02T11:00:00Z", &["8", "5", "6"], true),
            alarm("late", "2024-01-04T11:00:00Z", &["9"], true),
            alarm("wrong", "2024-01-04T11:00:00Z", &["4"], true),
            alarm("early", "2024-01-01T11:00:00Z", &["7"], true),
        ]);
        let spray = seen.sprays[0];
        assert_eq!((spray.accounts, spray.named_on_first_day, spray.wrongly), (2, 1, 2));
        let days: Vec<i32> = seen.false_alarms.iter().map(|alarm| alarm.day).collect();
        assert_eq!(days, [0, 3]);
    }

    #[test]
    fn rows_are_missed_where_the_share_falls_short() {
        use super::super::{Met, bar, csv, markdown};
        let alarms = vec![alarm("a", "2024-01-02T08:00:00Z", &["7"], true)];
        let mut seen = outcome(alarms);
        for thief in &mut seen.thieves {
            thief.theft = "leaver".to_owned();
            thief.name = "leaver".to_owned();
        }
        let rows = bar(&[seen.clone()], 2.0);
        let leaver = rows.iter().find(|row| row.what.starts_with("leaver")).unwrap();
        assert_eq!(leaver.met, Met::Missed, "{leaver:?}");
        assert!(leaver.measured.starts_with("1 of 3"), "{leaver:?}");
        let order: Vec<Met> = rows.iter().map(|row| row.met).collect();
        assert!(order.is_sorted());
        assert!(order.contains(&Met::NotMeasured), "clean regions were not there");
        let text = markdown(&rows, &[seen]);
        assert!(text.lines().count() > rows.len() && text.contains("**missed**"));
        assert_eq!(csv(&rows).lines().count(), rows.len() + 1);
    }
}
