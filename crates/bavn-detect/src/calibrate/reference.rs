//! The days that a combined chance is judged against.
//!
//! Chances improve as tails learn: what looked unheard of in the second week is ordinary by the
//! sixth. So the odd days of the last weeks are kept with their raw scores, and combined anew every
//! evening by the tails of that evening, each day without its own part in them.

use super::{Of, Ranking, SYSTEM_CLASS, SubjectDay, Tail, inside};
use bavn_model::{Family, IdentityId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The readers' days of the last weeks.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reference {
    days: VecDeque<Day>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Day {
    of: i32,
    /// Days on which nothing was odd, by class.
    quiet: Vec<f32>,
    odd: Vec<Odd>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Odd {
    identity: IdentityId,
    class: u8,
    /// (column, score) of what was odd.
    scores: Box<[(u8, f32)]>,
}

/// The laws of the combined score, of people and of system accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rankings {
    people: Ranking,
    systems: Ranking,
}

impl Default for Rankings {
    fn default() -> Self {
        Self { people: Ranking::new(Of::People), systems: Ranking::new(Of::Systems) }
    }
}

impl Rankings {
    pub(crate) fn p(&self, of: SubjectDay, nats: f32) -> f64 {
        if of.class == SYSTEM_CLASS { self.systems.p(of, nats) } else { self.people.p(of, nats) }
    }

    /// Days of people learned from.
    pub(crate) fn days(&self) -> f32 {
        self.people.days()
    }

    pub(crate) fn bytes_held(&self) -> usize {
        self.people.bytes_held() + self.systems.bytes_held()
    }

    fn of_mut(&mut self, class: u8) -> &mut Ranking {
        if class == SYSTEM_CLASS { &mut self.systems } else { &mut self.people }
    }
}

impl Reference {
    /// Adds one reader's closed day; `best` holds score and chance for each column.
    pub(crate) fn add(&mut self, day: i32, identity: IdentityId, class: u8, best: &[(f32, f32)]) {
        if self.days.back().is_none_or(|held| held.of != day) {
            self.days.push_back(Day { of: day, quiet: Vec::new(), odd: Vec::new() });
        }
        let Some(held) = self.days.back_mut() else { return };
        let scores: Box<[(u8, f32)]> = best
            .iter()
            .enumerate()
            .filter(|(_, (_, p))| *p <= ODD)
            .map(|(column, &(score, _))| (column as u8, score))
            .collect();
        if scores.is_empty() {
            let class = usize::from(class);
            if held.quiet.len() <= class {
                held.quiet.resize(class + 1, 0.0);
            }
            if let Some(quiet) = held.quiet.get_mut(class) {
                *quiet += 1.0;
            }
        } else if held.odd.len() < ODD_MAX {
            held.odd.push(Odd { identity, class, scores });
        }
    }

    /// The law of the combined score over the last weeks, as the present tails see it.
    /// `innocent`: the chance that a reader under alarm is.
    pub(crate) fn combine(
        &mut self,
        today: i32,
        families: &[Option<Family>],
        tails: &[Tail],
        innocent: impl Fn(IdentityId) -> Option<f32>,
    ) -> Rankings {
        let mut rankings = Rankings::default();
        while self.days.front().is_some_and(|held| today - held.of >= WINDOW_DAYS) {
            self.days.pop_front();
        }
        let mut chances = vec![1.0_f32; families.len()];
        for day in &self.days {
            for (class, &quiet) in day.quiet.iter().enumerate() {
                if quiet > 0.0 {
                    rankings.of_mut(class as u8).learn_quiet(class as u8, quiet);
                }
            }
            for odd in &day.odd {
                let of = SubjectDay { subject: odd.identity.0, class: odd.class, day: day.of };
                chances.fill(1.0);
                for &(column, score) in &odd.scores {
                    let column = usize::from(column);
                    if let (Some(p), Some(tail)) = (chances.get_mut(column), tails.get(column)) {
                        *p = tail.p_of_learned(of, score) as f32;
                    }
                }
                let nats = combined_nats(families, &chances.iter().copied());
                rankings.of_mut(odd.class).learn(of, nats, innocent(odd.identity));
            }
        }
        rankings.people.freeze();
        rankings.systems.freeze();
        rankings
    }

    pub(crate) fn bytes_held(&self) -> usize {
        let each = |odd: &Odd| size_of::<Odd>() + odd.scores.len() * size_of::<(u8, f32)>();
        self.days.iter().flat_map(|day| &day.odd).map(each).sum()
    }
}

/// `-ln` of the chance that all of a reader's scores together are innocent: Cauchy inside each
/// family, then across. Chances that are nothing unusual add nothing, nor do columns without a family.
pub(crate) fn combined_nats(
    families: &[Option<Family>],
    chances: &(impl Iterator<Item = f32> + Clone),
) -> f32 {
    const FAMILIES: [Family; 5] =
        [Family::Volume, Family::Relation, Family::Target, Family::Identity, Family::Pattern];
    let by_family = FAMILIES.map(|family| {
        let of_family =
            families.iter().zip(chances.clone()).filter(|(held, _)| **held == Some(family));
        inside(of_family.map(|(_, p)| if p > UNUSUAL { 0.5 } else { f64::from(p) }))
    });
    (-inside(by_family).ln()) as f32 - NOTHING_NATS
}

/// Scores rarer than this are kept of a day; what is judged is rarer still.
const ODD: f32 = 0.03;
const UNUSUAL: f32 = 0.02;
/// `-ln 0.5`: the combined score of a day with nothing unusual.
const NOTHING_NATS: f32 = std::f32::consts::LN_2;
const WINDOW_DAYS: i32 = 60;
/// Readers' days kept of one day: over what 57,000 staff bring.
const ODD_MAX: usize = 40_000;
