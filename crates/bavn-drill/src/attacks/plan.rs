//! One theft as it is asked for: `slow`, or `slow:take=10:own=0.5:cover=20`.

use super::ATTACKS;
use std::fmt;

/// A kind of theft and how it departs from what thieves of its kind usually do.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackPlan {
    /// One of [`ATTACKS`].
    pub name: &'static str,
    /// As it was written, with its options.
    pub written: String,
    /// How many identities take part.
    pub accounts: Option<usize>,
    /// Patients that one account takes: on a day at work, or at once for a raid.
    pub take: Option<usize>,
    /// Instead of `take`: the daily take as a share of the thief's own daily volume.
    pub share: Option<f64>,
    /// For how many days.
    pub days: Option<i32>,
    /// Share of the targets who lie in the thief's own unit, so that records explain them.
    pub own: f64,
    /// Innocent look-ups of the own unit's patients around each target.
    pub cover: usize,
    /// Days before the theft on which the thief reads ever more of other wards' patients.
    pub poison: i32,
    /// It begins on the day when no record of care reaches anybody.
    pub outage: bool,
}

/// Options of a theft, with what they mean: they stand in the manual.
pub const ATTACK_OPTIONS: [(&str, &str); 8] = [
    ("accounts=N", "how many identities take part"),
    ("take=N", "patients an account takes on a day at work, or at once in a raid"),
    ("share=X", "instead of take: a share of the thief's own daily volume"),
    ("days=N", "for how many days"),
    ("own=X", "share of the targets who lie in the thief's own unit, which records explain"),
    ("cover=N", "innocent look-ups of own patients around each target"),
    ("poison=N", "days before the theft on which other wards' patients are read, ever more"),
    ("outage=1", "begins on the day when no record of care reaches anybody"),
];

/// Why a theft is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("there is no attack `{name}`")]
    Unknown { name: String },
    #[error("`{option}` is no option of an attack, or its value is out of range")]
    Option { option: String },
}

impl AttackPlan {
    /// Reads `NAME[:OPTION=VALUE]...`.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let mut parts = text.split(':');
        let wanted = parts.next().unwrap_or_default();
        let known = ATTACKS.iter().find(|(name, _)| *name == wanted);
        let (name, _) = known.ok_or_else(|| PlanError::Unknown { name: wanted.to_owned() })?;
        let mut plan = Self {
            name,
            written: text.to_owned(),
            accounts: None,
            take: None,
            share: None,
            days: None,
            own: if *name == "half_own_unit" { 0.5 } else { 0.0 },
            cover: if *name == "covering" { 20 } else { 0 },
            poison: 0,
            outage: false,
        };
        for option in parts {
            plan.set(option).ok_or_else(|| PlanError::Option { option: option.to_owned() })?;
        }
        Ok(plan)
    }

    fn set(&mut self, option: &str) -> Option<()> {
        let (key, value) = option.split_once('=')?;
        let share = || value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        let count = || value.parse().ok().filter(|&count| count <= COUNT_MAX);
        match key {
            "accounts" => self.accounts = Some(count().filter(|&count| count > 0)?),
            "take" => self.take = Some(count().filter(|&count| count > 0)?),
            "share" => self.share = Some(value.parse().ok().filter(|share| *share > 0.0)?),
            "days" => self.days = Some(count().filter(|&count| count > 0)? as i32),
            "own" => self.own = share()?,
            "cover" => self.cover = count()?,
            "poison" => self.poison = count()? as i32,
            "outage" => self.outage = value.parse::<u8>().ok()? > 0,
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for AttackPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Of any option that counts.
const COUNT_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        let plan = AttackPlan::parse("slow:take=10:own=0.9:cover=20:poison=60:outage=1").unwrap();
        assert_eq!((plan.name, plan.take, plan.cover), ("slow", Some(10), 20));
        assert_eq!((plan.own, plan.poison, plan.outage), (0.9, 60, true));
        for wrong in ["sneeze", "slow:own=2", "slow:take=0", "slow:take", "slow:speed=3"] {
            assert!(AttackPlan::parse(wrong).is_err(), "{wrong}");
        }
        for (option, _) in ATTACK_OPTIONS {
            let option = option.replace(['N', 'X'], "1");
            assert!(AttackPlan::parse(&format!("slow:{option}")).is_ok(), "{option}");
        }
    }
}
