//! Who is at work, and who is called when the owner is not?

use super::alarm::Hand;
use super::book::{Case, State};
use bavn_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The people that cases are given to, as the controller wrote them down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    #[serde(default)]
    pub zone: Zone,
    /// At least one.
    pub desks: Vec<Desk>,
}

/// One desk of one controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// None: of every controller.
    pub controller: Option<String>,
    /// `stolen` for the security operations centre, `own` for the privacy officer; none: both.
    pub hand: Option<DeskHand>,
    pub owner: Person,
    pub deputy: Person,
}

/// As [`Hand`], in a file that a person writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskHand {
    Stolen,
    Own,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    /// None: always awake, such as a desk that is manned around the clock.
    pub hours: Option<Hours>,
}

/// Local hours of duty on the days of the week, Monday = 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Minutes after midnight.
    pub from_minute: u16,
    /// Excluded; less than `from_minute`: until the next day.
    pub to_minute: u16,
    pub days: Vec<u8>,
}

/// What the clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// East of UTC, in winter.
    pub minutes: i16,
    /// One hour more from the last Sunday of March to that of October, both at 01:00 UTC
    /// (Directive 2000/84/EC, articles 2 and 3).
    pub european_summer: bool,
}

/// Why a duty list is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DutyError {
    #[error("the duty list names no desk")]
    NoDesk,
    #[error("`{name}` has hours that are no time of the day, or days other than 1 to 7")]
    Hours { name: String },
    #[error("a person of the duty list has no name")]
    NoName,
    #[error("no desk takes every case: one must have neither controller nor hand")]
    NoFallback,
}

/// Central European time, as the first users live by.
impl Default for Zone {
    fn default() -> Self {
        Self { minutes: 60, european_summer: true }
    }
}

/// One desk that takes everything: the privacy officer by day, the security operations centre at
/// night. A controller writes its own.
impl Default for Duty {
    fn default() -> Self {
        let hours = Hours { from_minute: 7 * 60 + 30, to_minute: 16 * 60, days: (1..=5).collect() };
        let officer = Person { name: "privacy-officer".to_owned(), hours: Some(hours) };
        let centre = Person { name: "soc".to_owned(), hours: None };
        let stolen = Desk {
            controller: None,
            hand: Some(DeskHand::Stolen),
            owner: centre.clone(),
            deputy: officer.clone(),
        };
        let all = Desk { controller: None, hand: None, owner: officer, deputy: centre };
        Self { zone: Zone::default(), desks: vec![stolen, all] }
    }
}

impl Duty {
    pub fn check(&self) -> Result<(), DutyError> {
        if self.desks.is_empty() {
            return Err(DutyError::NoDesk);
        }
        for person in self.desks.iter().flat_map(|desk| [&desk.owner, &desk.deputy]) {
            if person.name.trim().is_empty() {
                return Err(DutyError::NoName);
            }
            let good = |hours: &Hours| {
                hours.from_minute < MINUTES_A_DAY
                    && hours.to_minute <= MINUTES_A_DAY
                    && hours.from_minute != hours.to_minute
                    && hours.days.iter().all(|day| (1..=7).contains(day))
                    && !hours.days.is_empty()
            };
            if !person.hours.as_ref().is_none_or(good) {
                return Err(DutyError::Hours { name: person.name.clone() });
            }
        }
        if !self.desks.iter().any(|desk| desk.controller.is_none() && desk.hand.is_none()) {
            return Err(DutyError::NoFallback);
        }
        Ok(())
    }

    /// Who is given a case that is raised now: the owner, if awake; else the deputy; else whoever
    /// else is awake; else the owner, who finds it in the morning. Never one whom it is about.
    pub fn owner(
        &self,
        controller: &str,
        hand: Hand,
        now: Timestamp,
        is_about: impl Fn(&str) -> bool,
    ) -> &str {
        let Some(desk) = self.desk(controller, hand) else { return "" };
        let all = self.desks.iter().flat_map(|desk| [&desk.owner, &desk.deputy]);
        let asked = [&desk.owner, &desk.deputy].into_iter().chain(all);
        let others: Vec<&Person> = asked.filter(|person| !is_about(&person.name)).collect();
        let awake = others.iter().find(|person| self.is_awake(person, now));
        awake.or(others.first()).map_or("", |person| person.name.as_str())
    }

    /// Who is called after `level` calls went unheard; the last one is called again and again, and so
    /// is an owner beside whom nobody is awake.
    fn next<'d>(&'d self, case: &Case, now: Timestamp, level: u8, owner: &'d str) -> &'d str {
        let Some(desk) = self.desk(&case.controller, case.hand()) else { return "" };
        let mut people: Vec<&Person> = vec![&desk.deputy, &desk.owner];
        people.extend(self.desks.iter().flat_map(|desk| [&desk.owner, &desk.deputy]));
        let mut names: Vec<&str> = Vec::new();
        for person in people {
            let is_new = !names.contains(&person.name.as_str())
                && person.name != owner
                && !case.is_about(&person.name);
            if is_new && self.is_awake(person, now) {
                names.push(&person.name);
            }
        }
        let last = names.len().saturating_sub(1);
        let all = || self.desks.iter().flat_map(|desk| [&desk.owner, &desk.deputy]);
        let is_owner_awake = all().any(|one| one.name == owner && self.is_awake(one, now));
        let stays = is_owner_awake || case.is_about(&desk.deputy.name);
        let fallback = if stays { owner } else { &desk.deputy.name };
        names.get(usize::from(level).min(last)).copied().unwrap_or(fallback)
    }

    fn desk(&self, controller: &str, hand: Hand) -> Option<&Desk> {
        let fits = |desk: &&Desk| {
            let hand_fits = match desk.hand {
                None => true,
                Some(DeskHand::Stolen) => hand == Hand::Stolen,
                Some(DeskHand::Own) => hand == Hand::Own,
            };
            hand_fits && desk.controller.as_deref().is_none_or(|held| held == controller)
        };
        // The most particular desk first.
        let exact = |desk: &&Desk| (desk.controller.is_some(), desk.hand.is_some());
        self.desks.iter().filter(fits).max_by_key(exact).or(self.desks.first())
    }

    fn is_awake(&self, person: &Person, now: Timestamp) -> bool {
        let Some(hours) = &person.hours else { return true };
        let local = self.zone.local(now);
        let minute = (local.secs().rem_euclid(86_400) / 60) as u16;
        // The epoch was a Thursday.
        let today = ((local.day() + 3).rem_euclid(7) + 1) as u8;
        let yesterday = (today + 5) % 7 + 1;
        if hours.from_minute < hours.to_minute {
            return hours.days.contains(&today)
                && (hours.from_minute..hours.to_minute).contains(&minute);
        }
        hours.days.contains(&today) && minute >= hours.from_minute
            || hours.days.contains(&yesterday) && minute < hours.to_minute
    }

    /// Since when a case waits to be taken, and when the next person is called. Whoever looks at it
    /// has as long again; to look is not to own.
    pub fn call(&self, case: &Case) -> Option<(Timestamp, Timestamp)> {
        let waits = case.state() == State::New && case.escalations < ESCALATIONS_MAX;
        let since = case.called_at.max(case.read_at.unwrap_or(case.called_at));
        waits.then(|| (since, since.plus_secs(patience(case))))
    }

    /// The escalation that is due for a case, if any: when it fell due, its level, and to whom.
    pub(super) fn due(&self, case: &Case, now: Timestamp) -> Option<(Timestamp, u8, String)> {
        let (_, due) = self.call(case)?;
        let owner = case.owner.as_deref().unwrap_or_default();
        let to = self.next(case, due, case.escalations, owner);
        (due <= now).then(|| (due, case.escalations + 1, to.to_owned()))
    }
}

impl Zone {
    /// The instant whose UTC reading is what the wall shows.
    pub fn local(self, now: Timestamp) -> Timestamp {
        let summer = self.european_summer && is_summer(now);
        now.plus_secs((i64::from(self.minutes) + if summer { 60 } else { 0 }) * 60)
    }

    /// The last time, at or before `now`, that the wall showed this minute of the day.
    pub fn last(self, minute: u16, now: Timestamp) -> Timestamp {
        let local = self.local(now);
        let offset = local.secs_since(now);
        let today = Timestamp::start_of_day(local.day()).plus_secs(i64::from(minute) * 60);
        let at = if today > local { today.minus_secs(86_400) } else { today };
        at.minus_secs(offset)
    }
}

fn patience(case: &Case) -> i64 {
    match case.hand() {
        Hand::Stolen => PATIENCE_STOLEN_SECS,
        Hand::Own => PATIENCE_OWN_SECS,
    }
}

fn is_summer(now: Timestamp) -> bool {
    let text = now.to_string();
    let year = text.get(..4).unwrap_or("1970");
    let change = |month: &str| {
        let last = Timestamp::parse(&format!("{year}-{month}-31T01:00:00Z")).ok()?.0;
        let past_sunday = (last.day() + 4).rem_euclid(7);
        Some(last.minus_secs(i64::from(past_sunday) * 86_400))
    };
    matches!((change("03"), change("10")), (Some(from), Some(to)) if from <= now && now < to)
}

const MINUTES_A_DAY: u16 = 24 * 60;
/// A thief reads a record in seconds.
const PATIENCE_STOLEN_SECS: i64 = 15 * 60;
const PATIENCE_OWN_SECS: i64 = 24 * 3_600;
/// A case that nobody takes after as many calls is in every digest anyway.
const ESCALATIONS_MAX: u8 = 8;
