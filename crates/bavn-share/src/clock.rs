//! By when must each notice be sent, and must it be sent at all?

use crate::breach::{Breach, Declared, RiskLevel};
use crate::instant::{Instant, zone_named};
use crate::regime::{Regime, Trigger, Verified, Words};
use crate::words::Language;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Whether a regime asks for a notice of this breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    Owed,
    /// Kept in the register of GDPR article 33(5) all the same.
    NotOwed,
    /// Nobody has judged the risk yet: bavn does not judge in their place.
    NotAssessed,
    /// Owed only from an event that nobody has declared.
    NotDeclared,
}

/// One clock of one regime.
#[derive(Clone, Debug, Serialize)]
pub struct Due {
    pub regime: String,
    pub phase: String,
    /// Notice and phase, as people call them.
    #[serde(skip)]
    pub name: Words,
    pub law: String,
    #[serde(skip)]
    pub verified: Verified,
    /// The event that it counts from.
    pub from: String,
    /// Absent when the event has not been declared: the clock stands.
    pub declared: Option<Declared>,
    /// Absent also where law says "without undue delay" and names no time.
    pub by: Option<Instant>,
    pub hours_left: Option<i64>,
    pub sent_at: Option<Instant>,
    pub duty: Duty,
}

impl Due {
    /// What it says, in one sentence.
    pub fn said(&self, language: Language, zone: &str, now: Instant) -> String {
        let zone = zone_named(zone).unwrap_or(TimeZone::UTC);
        crate::text::state(self, language, &zone, now)
    }

    /// The same without who declared what: for a page that says it once for all clocks.
    pub fn left(&self, language: Language, zone: &str, now: Instant) -> String {
        let zone = zone_named(zone).unwrap_or(TimeZone::UTC);
        crate::text::left(self, language, &zone, now) + &crate::text::owed(self, language)
    }

    /// The time is over, the notice is owed or unjudged, and none was sent in time.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let Some(by) = self.by else { return false };
        self.duty != Duty::NotOwed && self.sent_at.unwrap_or(now) > by
    }
}

/// What the recorded judgement of risk, or a declared event, makes of a regime.
pub fn duty(breach: &Breach, regime: &Regime) -> Duty {
    let judged = breach.risk.as_ref().and_then(|risk| risk.level);
    let at_least = |level| match judged {
        None => Duty::NotAssessed,
        Some(judged) if judged >= level => Duty::Owed,
        Some(_) => Duty::NotOwed,
    };
    match regime.trigger {
        Trigger::Risk => at_least(RiskLevel::Risk),
        Trigger::HighRisk => at_least(RiskLevel::High),
        Trigger::Declared => {
            let first = regime.clocks.first().map(|clock| clock.from.as_str());
            let declared = first.is_some_and(|event| breach.declared.contains_key(event));
            if declared { Duty::Owed } else { Duty::NotDeclared }
        }
        Trigger::Wanted => Duty::NotOwed,
    }
}

fn name(regime: &Regime, phase: &str) -> Words {
    let named = |language| {
        let phase = regime.phase(phase).map_or(phase, |phase| phase.name.of(language));
        format!("{} ({phase})", regime.title.of(language))
    };
    Words { nb: named(Language::Nb), en: named(Language::En) }
}

/// Every clock of these regimes, the soonest first, those that stand last.
pub fn clocks(breach: &Breach, regimes: &[Regime], now: Instant) -> Vec<Due> {
    let zone = breach.zone();
    let mut due: Vec<Due> = regimes
        .iter()
        .flat_map(|regime| regime.clocks.iter().map(move |clock| (regime, clock)))
        .map(|(regime, clock)| {
            let declared = breach.declared.get(&clock.from).cloned();
            let has_time = clock.hours > 0 || clock.months > 0;
            let by = declared
                .as_ref()
                .filter(|_| has_time)
                .map(|start| start.at.later(clock.hours, clock.months, &zone));
            let sent = breach
                .sent
                .iter()
                .filter(|sent| sent.regime == regime.id && sent.phase == clock.phase);
            Due {
                regime: regime.id.clone(),
                phase: clock.phase.clone(),
                name: name(regime, &clock.phase),
                law: clock.law.clone(),
                verified: clock.verified,
                from: clock.from.clone(),
                declared,
                by,
                hours_left: by.map(|by| by.hours_since(now)),
                sent_at: sent.map(|sent| sent.at).min(),
                duty: duty(breach, regime),
            }
        })
        .collect();
    due.sort_by_key(|one| (one.by.is_none(), one.by));
    due
}
