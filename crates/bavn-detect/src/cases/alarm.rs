//! An alarm as a case keeps it: names instead of numbers, sentences as they were said that day.

use crate::ocsf::risk_score;
use crate::words::{Language, Speaker, title};
use bavn_model::{Context, Directory, Fact, Finding, IdentityId, Timestamp, Trait};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One alarm. Holds no patient: their number, and marks by which two sets can be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Of the finding; an update has the same.
    pub uid: String,
    /// The leading one.
    pub detector: String,
    /// All that found it unlikely.
    pub detectors: BTreeSet<String>,
    pub raised_at: Timestamp,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// 0 to 100.
    pub risk: f64,
    /// Order by harm.
    pub rank: f64,
    pub expected_false: f64,
    /// Distinct patients exposed so far.
    pub patients: u32,
    /// The lowest [`MARKS_MAX`] hashes of them.
    pub marks: BTreeSet<u64>,
    pub identities: BTreeSet<String>,
    /// Other spellings of them, such as a name at log-in.
    #[serde(default)]
    pub also: BTreeSet<String>,
    /// Units of the readers when the alarm was raised.
    pub units: BTreeSet<String>,
    pub hosts: BTreeSet<String>,
    pub clients: BTreeSet<String>,
    /// What the alarm itself says that its look-ups have in common.
    pub shared: BTreeSet<Shared>,
    pub english: Said,
    pub bokmaal: Said,
}

/// A trait by which alarms are one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    Host,
    Client,
}

/// An alarm's sentences in one language; none names a patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub title: String,
    /// Who did what, in one sentence.
    pub summary: String,
    pub reasons: Vec<String>,
    /// Explanations that were looked for.
    pub tried: Vec<String>,
    pub innocent_story: String,
    pub next_step: String,
    pub counterfactual: String,
}

/// In whose hands an alarm suggests the account to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// Somebody who stole it: for the security operations centre.
    Stolen,
    /// Its owner: for the privacy officer.
    Own,
}

impl Alarm {
    pub fn of(finding: &Finding, directory: &Directory, context: &Context) -> Self {
        let said = |language| Said::of(finding, &Speaker { language, directory, context });
        let mut marks: BTreeSet<u64> =
            finding.patients.iter().map(|&id| mark(directory.patients.name(id))).collect();
        while marks.len() > MARKS_MAX {
            marks.pop_last();
        }
        let entities = || finding.entities.iter().take(ENTITIES_MAX);
        let unit = |entity: &bavn_model::Entity| {
            let held = context.assignments(entity.identity).iter().rev();
            let mut held = held.filter(|held| held.from <= finding.raised_at);
            let unit = held.find_map(|held| held.unit)?;
            context.unit(unit).map(|unit| unit.name.clone())
        };
        Self {
            uid: format!("{:032x}", finding.uid),
            detector: finding.detector.to_owned(),
            detectors: finding.detectors.iter().map(|&name| name.to_owned()).collect(),
            raised_at: finding.raised_at,
            first_seen: finding.first_seen,
            last_seen: finding.last_seen,
            risk: risk_score(finding),
            rank: finding.rank,
            expected_false: finding.expected_false_per_10k_staff_day,
            patients: finding.patients.len() as u32,
            marks,
            identities: entities()
                .map(|entity| directory.identities.name(entity.identity).to_owned())
                .collect(),
            also: also(finding, directory, context),
            units: entities().filter_map(unit).collect(),
            hosts: entities()
                .filter_map(|entity| entity.host)
                .map(|host| directory.hosts.name(host).to_owned())
                .collect(),
            clients: entities()
                .filter_map(|entity| entity.client)
                .map(|client| directory.clients.name(client).to_owned())
                .collect(),
            shared: finding.because.iter().filter_map(shared).collect(),
            english: said(Language::English),
            bokmaal: said(Language::Bokmaal),
        }
    }

    pub fn said(&self, language: Language) -> &Said {
        match language {
            Language::English => &self.english,
            Language::Bokmaal => &self.bokmaal,
        }
    }

    /// What this kind of alarm suggests. Curiosity needs the account's owner; a machine's pace or a
    /// trait that is new suggests another hand.
    pub fn hand(&self) -> Hand {
        let stolen = self.detectors.iter().any(|name| OF_A_MACHINE.contains(&name.as_str()));
        if stolen { Hand::Stolen } else { Hand::Own }
    }

    /// Whether a person, by the bare name, is one of its readers.
    pub fn is_about(&self, name: &str) -> bool {
        let bare = |name: &str| name.rsplit(['|', '/']).next().unwrap_or_default().to_lowercase();
        let name = bare(name);
        self.identities.iter().chain(&self.also).any(|held| bare(held) == name)
    }

    /// Whether the patients are largely the same: half of the smaller set, and three at least.
    pub(super) fn same_patients(&self, other: &Self) -> bool {
        // Of two sets cut at their lowest marks, only the range that both kept can be compared.
        let kept = |alarm: &Self| match alarm.marks.last() {
            Some(&last) if alarm.marks.len() >= MARKS_MAX => last,
            _ => u64::MAX,
        };
        let until = kept(self).min(kept(other));
        let both = self.marks.intersection(&other.marks).count();
        let smaller = self.marks.range(..=until).count().min(other.marks.range(..=until).count());
        both >= SAME_PATIENTS_MIN && both * 2 >= smaller
    }
}

impl Said {
    pub fn of(finding: &Finding, speaker: &Speaker<'_>) -> Self {
        Self {
            title: title(speaker.language, finding.detector).to_owned(),
            summary: speaker.summary(finding),
            reasons: finding
                .because
                .iter()
                .take(REASONS_MAX)
                .map(|fact| speaker.fact(fact))
                .collect(),
            tried: finding.tried.iter().map(|tried| speaker.tried(tried)).collect(),
            innocent_story: speaker.innocent_story(finding.innocent_story).to_owned(),
            next_step: speaker.next_step(finding.next_step).to_owned(),
            counterfactual: speaker.counterfactual(finding),
        }
    }
}

/// By which else the readers are known: nobody decides a case about oneself under another name.
fn also(finding: &Finding, directory: &Directory, context: &Context) -> BTreeSet<String> {
    let readers: BTreeSet<IdentityId> =
        finding.entities.iter().take(ENTITIES_MAX).map(|entity| entity.identity).collect();
    let spellings = directory.identities.spellings().filter(|(_, id)| readers.contains(id));
    let others = spellings.filter(|&(name, id)| name != directory.identities.name(id));
    let called = readers.iter().filter_map(|&reader| context.staff_name(reader));
    let others = others.take(SPELLINGS_MAX).map(|(name, _)| name);
    others.chain(called).map(str::to_owned).collect()
}

fn shared(fact: &Fact) -> Option<Shared> {
    let (Fact::NewTrait { shared, .. } | Fact::SharedTrait { shared, .. }) = fact else {
        return None;
    };
    match shared {
        Trait::Host => Some(Shared::Host),
        Trait::Client => Some(Shared::Client),
        _ => None,
    }
}

/// FNV-1a, then mixed: a mark to compare by, in a sealed file; no secret.
pub fn mark(name: &str) -> u64 {
    let bare = name.rsplit(['|', '/']).next().unwrap_or(name);
    let hash = bare.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

/// Sets of as many patients are compared exactly, larger ones by a sample.
const MARKS_MAX: usize = 256;
/// Detectors that a curious reader seldom sets off.
const OF_A_MACHINE: [&str; 6] =
    ["api_paging", "burst", "day_volume", "search_harvest", "service_account", "sprayed_accounts"];
const SAME_PATIENTS_MIN: usize = 3;
/// Readers that an alarm names in its case; the scope names all.
const ENTITIES_MAX: usize = 1_000;
const SPELLINGS_MAX: usize = 4 * ENTITIES_MAX;
const REASONS_MAX: usize = 3;
