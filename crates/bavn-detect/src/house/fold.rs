//! The house, as it follows from its acts.

use super::act::{Change, HouseAct, HouseDeed, Ruling};
use super::run::Run;
use crate::cases::{CaseNumber, NOTE_BYTES_MAX, SYSTEM, is_day_until};
use bavn_model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything beside the cases.
#[derive(Clone, Debug, Default)]
pub struct House {
    acts: Vec<HouseAct>,
    open: BTreeMap<usize, Open>,
    in_force: InForce,
    last_run: Option<usize>,
    last_verified: Option<usize>,
    ruled: BTreeMap<String, usize>,
    is_served: bool,
    /// When the employees' side agreed here, or no longer did.
    agreed_at: Option<Timestamp>,
}

/// A proposal that nobody has answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Open {
    /// Of its act.
    pub number: usize,
    pub at: Timestamp,
    pub by: String,
    pub change: Change,
    pub reason: String,
}

/// What two persons agreed upon; what they did not is as it is shipped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InForce {
    pub budget_per_10k_staff_day: Option<f64>,
    /// Until when, by detector.
    pub muted: BTreeMap<String, Timestamp>,
    pub retention_days: Option<u32>,
    pub signed_off: Option<SignedOff>,
    /// Until when somebody may see who the patients of a case are.
    #[serde(skip)]
    pub revealed: BTreeMap<(CaseNumber, String), Timestamp>,
}

/// That the employees' side agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedOff {
    pub by: String,
    pub date: String,
}

/// Why an act does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HouseRefusal {
    #[error("a reason is needed, of {bytes_max} bytes at most")]
    NoReason { bytes_max: usize },
    #[error("it needs a second person: whoever proposed it cannot confirm it")]
    SamePerson,
    #[error("there is no open proposal {proposal}")]
    NotOpen { proposal: usize },
    #[error("the proposal is older than {days} days; propose it again")]
    TooOld { days: i64 },
    #[error("a budget is more than 0 and at most {max} false alarms per 10,000 staff a day")]
    Budget { max: u32 },
    #[error("look-ups are kept for {min} to {max} days")]
    Retention { min: u32, max: u32 },
    #[error("a detector is muted for {days} days at most")]
    TooLongMuted { days: i64 },
    #[error("there is no such detector")]
    NoSuchDetector,
    #[error("only the employees' representative agrees for them, and confirms nothing else")]
    NotTheEmployees,
    #[error("write the day as 2026-11-27, not in the future")]
    NotADay,
    #[error("names are shown for {hours} hours at most")]
    TooLongRevealed { hours: i64 },
    #[error("no such look-up was drawn")]
    NotDrawn,
}

impl House {
    /// Takes the next act of the list, as it was kept.
    pub fn push(&mut self, act: HouseAct) {
        let number = self.acts.len();
        match &act.deed {
            HouseDeed::Proposed { change, reason } => {
                let (change, reason) = (change.clone(), reason.clone());
                let open = Open { number, at: act.at, by: act.by.clone(), change, reason };
                self.open.insert(number, open);
            }
            HouseDeed::Confirmed { proposal } => {
                if let Some(open) = self.open.remove(proposal) {
                    if matches!(open.change, Change::SignOff { .. }) {
                        self.agreed_at = Some(act.at);
                    }
                    self.in_force.take(open, &act);
                }
            }
            HouseDeed::Withdrawn { .. } => {
                (self.in_force.signed_off, self.agreed_at) = (None, Some(act.at));
            }
            HouseDeed::Served => self.is_served = true,
            HouseDeed::Declined { proposal } => drop(self.open.remove(proposal)),
            HouseDeed::Ran(_) => self.last_run = Some(number),
            HouseDeed::Verified { .. } => self.last_verified = Some(number),
            HouseDeed::Ruled { drawn, .. } => {
                self.ruled.insert(drawn.clone(), number);
            }
        }
        self.acts.push(act);
    }

    pub fn acts(&self) -> &[HouseAct] {
        &self.acts
    }

    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Whether a service works on this store.
    pub const fn is_served(&self) -> bool {
        self.is_served
    }

    /// When the employees' side had its last word here, and whether it agreed.
    pub(super) fn last_word(&self) -> Option<(Timestamp, Option<&SignedOff>)> {
        Some((self.agreed_at?, self.in_force.signed_off.as_ref()))
    }

    /// By number.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// The last run that ended, and when.
    pub fn last_run(&self) -> Option<(Timestamp, &Run)> {
        let act = self.acts.get(self.last_run?)?;
        match &act.deed {
            HouseDeed::Ran(run) => Some((act.at, run)),
            _ => None,
        }
    }

    pub fn last_verified(&self) -> Option<&HouseAct> {
        self.acts.get(self.last_verified?)
    }

    /// The last word on a look-up that was drawn: what, by whom and when.
    pub fn ruling(&self, drawn: &str) -> Option<(Ruling, &HouseAct)> {
        let act = self.acts.get(*self.ruled.get(drawn)?)?;
        match &act.deed {
            HouseDeed::Ruled { ruling, .. } => Some((*ruling, act)),
            _ => None,
        }
    }

    /// Whether somebody may be told who the patients of a case are.
    pub fn is_revealed(&self, case: CaseNumber, to: &str, now: Timestamp) -> bool {
        self.in_force.revealed.get(&(case, to.to_owned())).is_some_and(|&until| now < until)
    }

    /// What a person wants to do, checked: the act to write down.
    pub fn propose(
        &self,
        at: Timestamp,
        by: &str,
        role: &str,
        deed: HouseDeed,
    ) -> Result<HouseAct, HouseRefusal> {
        match &deed {
            HouseDeed::Proposed { change, reason } => {
                reason_given(reason)?;
                check(change, at)?;
            }
            HouseDeed::Confirmed { proposal } => {
                let open = self.open.get(proposal);
                let open = open.ok_or(HouseRefusal::NotOpen { proposal: *proposal })?;
                if open.by == by {
                    return Err(HouseRefusal::SamePerson);
                }
                if at.secs_since(open.at) > PROPOSAL_DAYS_MAX * 86_400 {
                    return Err(HouseRefusal::TooOld { days: PROPOSAL_DAYS_MAX });
                }
                if matches!(open.change, Change::SignOff { .. }) != (role == REPRESENTATIVE) {
                    return Err(HouseRefusal::NotTheEmployees);
                }
            }
            HouseDeed::Withdrawn { reason } => {
                reason_given(reason)?;
                if role != REPRESENTATIVE {
                    return Err(HouseRefusal::NotTheEmployees);
                }
            }
            HouseDeed::Declined { proposal } => {
                if !self.open.contains_key(proposal) {
                    return Err(HouseRefusal::NotOpen { proposal: *proposal });
                }
            }
            HouseDeed::Ruled { drawn, reason, .. } => {
                reason_given(reason)?;
                let runs = self.acts.iter().filter_map(|act| match &act.deed {
                    HouseDeed::Ran(run) => Some(run),
                    _ => None,
                });
                if !runs.flat_map(|run| &run.drawn).any(|held| held.lot == *drawn) {
                    return Err(HouseRefusal::NotDrawn);
                }
            }
            HouseDeed::Ran(_) | HouseDeed::Verified { .. } | HouseDeed::Served => {}
        }
        let by = if role.is_empty() { SYSTEM } else { by };
        Ok(HouseAct { at, by: by.to_owned(), role: role.to_owned(), deed })
    }
}

impl InForce {
    fn take(&mut self, open: Open, confirmed: &HouseAct) {
        match open.change {
            Change::Budget { per_10k_staff_day } => {
                self.budget_per_10k_staff_day = Some(per_10k_staff_day);
            }
            Change::Muted { detector, until } => {
                self.muted.insert(detector, until);
            }
            Change::Retention { days } => self.retention_days = Some(days),
            Change::SignOff { date } => {
                self.signed_off = Some(SignedOff { by: confirmed.by.clone(), date });
            }
            Change::Reveal { case, until } => {
                self.revealed.insert((case, open.by), until);
            }
        }
    }

    /// Detectors that are not heard now.
    pub fn muted_at(&self, now: Timestamp) -> Vec<String> {
        let still = self.muted.iter().filter(|&(_, &until)| now < until);
        still.map(|(detector, _)| detector.clone()).collect()
    }
}

fn reason_given(reason: &str) -> Result<(), HouseRefusal> {
    let good = !reason.trim().is_empty() && reason.len() <= NOTE_BYTES_MAX;
    if good { Ok(()) } else { Err(HouseRefusal::NoReason { bytes_max: NOTE_BYTES_MAX }) }
}

fn check(change: &Change, at: Timestamp) -> Result<(), HouseRefusal> {
    match change {
        Change::Budget { per_10k_staff_day: budget } => {
            let good = *budget > 0.0 && *budget <= f64::from(BUDGET_MAX);
            if good { Ok(()) } else { Err(HouseRefusal::Budget { max: BUDGET_MAX }) }
        }
        Change::Muted { detector, until } => {
            if !crate::Engine::detector_names().contains(&detector.as_str()) {
                return Err(HouseRefusal::NoSuchDetector);
            }
            let secs = until.secs_since(at);
            let good = secs > 0 && secs <= MUTED_DAYS_MAX * 86_400;
            if good { Ok(()) } else { Err(HouseRefusal::TooLongMuted { days: MUTED_DAYS_MAX }) }
        }
        Change::Retention { days } => {
            let (min, max) = (RETENTION_DAYS_MIN, RETENTION_DAYS_MAX);
            let good = (min..=max).contains(days);
            if good { Ok(()) } else { Err(HouseRefusal::Retention { min, max }) }
        }
        Change::SignOff { date } => {
            if is_day_until(date, at) {
                Ok(())
            } else {
                Err(HouseRefusal::NotADay)
            }
        }
        Change::Reveal { until, .. } => {
            let good = until.secs_since(at) <= REVEAL_HOURS_MAX * 3_600;
            if good {
                Ok(())
            } else {
                Err(HouseRefusal::TooLongRevealed { hours: REVEAL_HOURS_MAX })
            }
        }
    }
}

/// The role whose people speak for the employees.
const REPRESENTATIVE: &str = "representative";
const PROPOSAL_DAYS_MAX: i64 = 30;
const BUDGET_MAX: u32 = 1_000;
/// A quarter; whoever needs longer decides anew.
const MUTED_DAYS_MAX: i64 = 92;
/// A quarter: the baselines need as much.
const RETENTION_DAYS_MIN: u32 = 92;
/// Ten years.
const RETENTION_DAYS_MAX: u32 = 3_653;
const REVEAL_HOURS_MAX: i64 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000).plus_secs(day * 86_400)
    }

    fn act(house: &mut House, day: i64, by: &str, deed: HouseDeed) -> Result<(), HouseRefusal> {
        let role = match by {
            "eva" => "representative",
            "per" => "employee",
            _ => "privacy-officer",
        };
        let act = house.propose(at(day), by, role, deed)?;
        house.push(act);
        Ok(())
    }

    fn wanted(change: Change) -> HouseDeed {
        HouseDeed::Proposed { change, reason: "as agreed".to_owned() }
    }

    #[test]
    fn a_change_is_in_force_when_a_second_person_confirms_it() {
        let mut house = House::default();
        let budget = wanted(Change::Budget { per_10k_staff_day: 5.0 });
        act(&mut house, 0, "kari", budget).unwrap();
        assert_eq!(house.in_force().budget_per_10k_staff_day, None);
        let confirm = || HouseDeed::Confirmed { proposal: 0 };
        assert_eq!(act(&mut house, 0, "kari", confirm()), Err(HouseRefusal::SamePerson));
        let old = act(&mut house, 31, "ola", confirm());
        assert_eq!(old, Err(HouseRefusal::TooOld { days: 30 }));
        act(&mut house, 1, "ola", confirm()).unwrap();
        assert_eq!(house.in_force().budget_per_10k_staff_day, Some(5.0));
        let twice = act(&mut house, 1, "per", confirm());
        assert_eq!(twice, Err(HouseRefusal::NotOpen { proposal: 0 }));
    }

    #[test]
    fn only_the_employees_side_confirms_its_agreement_and_nothing_else() {
        let mut house = House::default();
        let date = "2023-11-14".to_owned();
        act(&mut house, 0, "kari", wanted(Change::SignOff { date })).unwrap();
        act(&mut house, 0, "kari", wanted(Change::Retention { days: 730 })).unwrap();
        let confirm = |proposal| HouseDeed::Confirmed { proposal };
        for other in ["ola", "per"] {
            let other = act(&mut house, 0, other, confirm(0));
            assert_eq!(other, Err(HouseRefusal::NotTheEmployees));
        }
        let other = act(&mut house, 0, "eva", confirm(1));
        assert_eq!(other, Err(HouseRefusal::NotTheEmployees));
        act(&mut house, 0, "eva", confirm(0)).unwrap();
        assert_eq!(house.in_force().signed_off.as_ref().unwrap().by, "eva");
        let withdrawn = || HouseDeed::Withdrawn { reason: "it changed".to_owned() };
        assert_eq!(act(&mut house, 1, "per", withdrawn()), Err(HouseRefusal::NotTheEmployees));
        act(&mut house, 1, "eva", withdrawn()).unwrap();
        assert_eq!(house.in_force().signed_off, None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut house = House::default();
        let later = |days: i64| at(days);
        for (change, day) in [
            (Change::Budget { per_10k_staff_day: 0.0 }, 0),
            (Change::Budget { per_10k_staff_day: f64::NAN }, 0),
            (Change::Retention { days: 91 }, 0),
            (Change::Retention { days: 4_000 }, 0),
            (Change::SignOff { date: "soon".to_owned() }, 0),
            (Change::SignOff { date: "2030-01-01".to_owned() }, 0),
            (Change::Muted { detector: "burst".to_owned(), until: later(93) }, 0),
            (Change::Muted { detector: "burst".to_owned(), until: later(0) }, 0),
            (Change::Muted { detector: "everything".to_owned(), until: later(1) }, 0),
            (Change::Reveal { case: CaseNumber(1), until: later(2) }, 0),
        ] {
            let told = act(&mut house, day, "kari", wanted(change.clone()));
            assert!(told.is_err(), "{change:?}");
        }
        let change = Change::Retention { days: 92 };
        let bare = HouseDeed::Proposed { change, reason: "  ".to_owned() };
        assert!(act(&mut house, 0, "kari", bare).is_err());
        let drawn = "x".to_owned();
        let ruled =
            HouseDeed::Ruled { drawn, ruling: Ruling::InOrder, reason: "a visit".to_owned() };
        assert_eq!(act(&mut house, 0, "kari", ruled), Err(HouseRefusal::NotDrawn));
        assert!(house.acts().is_empty());
    }

    #[test]
    fn a_reveal_is_for_who_asked_and_ends() {
        let mut house = House::default();
        let (case, until) = (CaseNumber(3), at(1));
        act(&mut house, 0, "kari", wanted(Change::Reveal { case, until })).unwrap();
        assert!(!house.is_revealed(case, "kari", at(0)));
        act(&mut house, 0, "ola", HouseDeed::Confirmed { proposal: 0 }).unwrap();
        assert!(house.is_revealed(case, "kari", at(0)));
        assert!(!house.is_revealed(case, "ola", at(0)) && !house.is_revealed(case, "kari", at(1)));
    }
}
