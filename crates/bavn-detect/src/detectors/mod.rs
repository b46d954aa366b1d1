//! What can be wrong: one file a question.
//!
//! A detector sees every access once, in order, and gives a raw score: higher is stranger. It never
//! decides; [`crate::calibrate`] says how rare the score is and the queue what is worth a human's
//! time. To remove a detector, delete its file, its line in [`all`] and its test folder.

mod api_paging;
mod break_glass;
mod burst;
mod cohort_link;
mod cold_reads;
mod curious_readers;
mod day_volume;
mod honey_records;
mod improbable_pairs;
mod leaver;
mod listed_patients;
mod lone_reads;
mod random_audit;
mod related_patients;
mod search_harvest;
mod service_account;
mod source_silence;
mod sprayed_accounts;
mod strange_place;
mod target_enrichment;
mod unexplained_patients;

use crate::calibrate::{People, Person, STREAMS};
use crate::clientele::Clientele;
use crate::queue::Cause;
use crate::state::{Restoring, Saving, StateError, Traces};
use crate::visit::{Verdict, Visit, Warmth};
use bavn_model::{
    Access, Context, Fact, Family, IdentityId, InnocentStory, Lane, NextStep, PatientId, Timestamp,
    Tried,
};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// Every detector that judges one reader, in the order of their columns.
pub(crate) fn all(context: &Context) -> Vec<Box<dyn Detector>> {
    vec![
        Box::new(burst::Burst::new()),
        Box::new(day_volume::DayVolume::new()),
        Box::new(unexplained_patients::UnexplainedPatients::new()),
        Box::new(cold_reads::ColdReads::new()),
        Box::new(lone_reads::LoneReads::new()),
        Box::new(improbable_pairs::ImprobablePairs::new()),
        Box::new(related_patients::RelatedPatients::new(context)),
        Box::new(listed_patients::ListedPatients::new(context)),
        Box::new(honey_records::HoneyRecords::new(context)),
        Box::new(target_enrichment::TargetEnrichment::new(context)),
        Box::new(leaver::Leaver::new()),
        Box::new(service_account::ServiceAccount::new()),
        Box::new(api_paging::ApiPaging::new()),
        Box::new(search_harvest::SearchHarvest::new()),
        Box::new(break_glass::BreakGlass::new()),
        Box::new(strange_place::StrangePlace::new()),
    ]
}

/// Every detector that judges many readers together.
pub(crate) fn gatherings() -> Vec<Box<dyn Gathering>> {
    vec![
        Box::new(curious_readers::CuriousReaders::new()),
        Box::new(sprayed_accounts::SprayedAccounts::new()),
        Box::new(cohort_link::CohortLink::new()),
        Box::new(source_silence::SourceSilence::new()),
        Box::new(random_audit::RandomAudit::new()),
    ]
}

/// One question asked of many readers at once: of one patient's, or of everybody's hour.
pub(crate) trait Gathering: Debug + Send {
    /// Also its file, its manual page and its test folder.
    fn name(&self) -> &'static str;
    fn observe(&mut self, seen: &Seen<'_>, out: &mut Vec<Gathered>);
    /// An hour is over; `chances` holds, for each reader of the day, how unlikely his cold
    /// look-ups are.
    fn close_hour(
        &mut self,
        _now: Timestamp,
        _chances: &[(IdentityId, f32)],
        _people: &People,
        _out: &mut Vec<Gathered>,
    ) {
    }
    fn close_day(&mut self, _day: i32) {}
    /// Any access at all, also one that names nobody.
    fn heard(&mut self, _access: &Access) {}
    /// Whatever came before `now` has come.
    fn hours_over(&mut self, _now: Timestamp, _out: &mut Vec<Gathered>) {}
    /// As [`Self::close_day`], for what is told once a day.
    fn end_day(&mut self, _ended: &Ended<'_>, _out: &mut Vec<Gathered>) {}
    /// The most that it may be stands under `## Memory`.
    fn bytes_held(&self) -> usize;
    /// Writes what it has learned, not what it knows from the context.
    fn save(&self, out: &mut Saving);
    /// Goes on from what [`Self::save`] wrote; called on one that is new.
    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError>;
    /// Drops these of what it holds.
    fn forget(&mut self, _traces: &Traces) {}
}

/// A day that is over.
pub(crate) struct Ended<'a> {
    pub(crate) day: i32,
    /// False alarms that the whole budget allows in the region on a day.
    pub(crate) budget_per_day: f64,
    /// Whether an alarm on the reader's own work is open.
    pub(crate) is_suspect: &'a dyn Fn(IdentityId) -> bool,
}

/// What was found of many readers.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) detector: &'static str,
    pub(crate) cause: Cause,
    pub(crate) family: Family,
    /// Dense id of the patient, of what is shared or of the source, or the day.
    pub(crate) subject: u32,
    /// Expected innocent ones as strong, in the whole region on one day.
    pub(crate) false_per_day: f64,
    pub(crate) first_seen: Timestamp,
    pub(crate) entities: Vec<IdentityId>,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) tried: Vec<Tried>,
    pub(crate) evidence: Evidence,
}

/// One question asked of every access. Pure: no clock, no files, no randomness.
pub(crate) trait Detector: Debug + Send {
    /// Also its file, its manual page and its test folder.
    fn name(&self) -> &'static str;
    fn family(&self) -> Family;
    fn lane(&self) -> Lane;
    /// Scores that differ in kind are calibrated apart: one column each.
    fn channels(&self) -> usize {
        1
    }
    /// Whether the channel counts patients whether explained or not: ordinary work may bring any
    /// number of those.
    fn is_volume(&self, _channel: usize) -> bool {
        false
    }
    /// How far innocent scores reach, in nats, before this region has any history.
    fn shipped_nats(&self) -> f32 {
        2.0
    }
    /// One access, in order; scores only ever rise within a reader's day.
    fn observe(&mut self, seen: &Seen<'_>, out: &mut Scores);
    /// A reader's day is over: `person.today` is complete.
    fn close_person_day(&mut self, _identity: IdentityId, _person: &Person) {}
    /// Why the reader's present score is what it is. Called only for findings.
    fn evidence(&self, identity: IdentityId, person: &Person, context: &Context) -> Evidence;
    /// The most that it may be stands under `## Memory`.
    fn bytes_held(&self) -> usize;
    /// Writes what it has learned, not what it knows from the context.
    fn save(&self, out: &mut Saving);
    /// Goes on from what [`Self::save`] wrote; called on one that is new.
    fn restore(&mut self, from: &mut Restoring<'_>) -> Result<(), StateError>;
    /// Drops these of what it holds.
    fn forget(&mut self, _traces: &Traces) {}
}

/// One patient of one access, explained and counted.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) access: &'a Access,
    pub(crate) identity: IdentityId,
    /// None: the access names no patient, as a search does.
    pub(crate) patient: Option<PatientId>,
    pub(crate) visit: Option<&'a Visit>,
    /// Whether this access began the visit; later ones add nothing to counts of patients.
    pub(crate) opens: bool,
    /// Whether the patient has a crowd of readers these days.
    pub(crate) crowded: bool,
    pub(crate) person: &'a Person,
    pub(crate) clientele: &'a Clientele,
    pub(crate) context: &'a Context,
}

impl Seen<'_> {
    /// The visit, if this access began one that nothing explains.
    pub(crate) fn unexplained(&self) -> Option<&Visit> {
        self.visit.filter(|visit| self.opens && is_unexplained(visit))
    }
}

/// Nothing made by somebody else explains it. "Cannot judge" is not unexplained.
pub(crate) fn is_unexplained(visit: &Visit) -> bool {
    matches!(visit.verdict, Verdict::Unexplained | Verdict::MadeByReader { .. })
}

/// Unexplained, and of no unit near the reader's.
pub(crate) fn is_away(visit: &Visit) -> bool {
    is_unexplained(visit) && visit.warmth >= Warmth::Elsewhere
}

/// Unexplained, and nowhere near the reader in a year.
pub(crate) fn is_cold(visit: &Visit) -> bool {
    is_unexplained(visit) && visit.warmth == Warmth::Cold
}

/// The streams in which a visit counts as it begins. To be one of a crowd says
/// nothing about one reader.
pub(crate) fn counted(visit: &Visit, crowded: bool) -> [bool; STREAMS] {
    let alone = !crowded;
    [true, alone && is_unexplained(visit), alone && is_away(visit), alone && is_cold(visit), false]
}

/// The scores that one access raised: (channel, statistic).
#[derive(Debug, Default)]
pub(crate) struct Scores {
    pub(crate) raised: Vec<(u8, f32)>,
}

impl Scores {
    pub(crate) fn raise(&mut self, channel: u8, statistic: f32) {
        if statistic > 0.0 {
            self.raised.push((channel, statistic));
        }
    }
}

/// What a detector can say for its score.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The strongest first; empty when it has nothing countable to add.
    pub(crate) because: Vec<Fact>,
    pub(crate) innocent_story: InnocentStory,
    pub(crate) next_step: NextStep,
}

impl Evidence {
    fn of(because: Vec<Fact>, innocent_story: InnocentStory, next_step: NextStep) -> Self {
        Self { because, innocent_story, next_step }
    }

    fn nothing() -> Self {
        Self::of(Vec::new(), InnocentStory::None, NextStep::AskReader)
    }
}

/// State of one kind for each reader, by dense id.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PerReader<T> {
    held: Vec<T>,
}

impl<T: Default + Clone> PerReader<T> {
    fn new() -> Self {
        Self { held: Vec::new() }
    }

    fn get(&self, identity: IdentityId) -> Option<&T> {
        self.held.get(usize::from(identity))
    }

    /// Runs `with` on the reader's state, made if it is the first time.
    fn with<R>(&mut self, identity: IdentityId, with: impl FnOnce(&mut T) -> R) -> Option<R> {
        let index = usize::from(identity);
        if self.held.len() <= index {
            self.held.resize(index + 1, T::default());
        }
        self.held.get_mut(index).map(with)
    }

    fn bytes_held(&self) -> usize {
        self.held.capacity() * size_of::<T>()
    }
}

const DAY_SECS: u64 = 86_400;
