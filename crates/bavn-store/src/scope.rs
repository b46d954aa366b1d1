//! Whose records were exposed to these readers, and how sure is that?

use crate::error::Result;
use crate::explained::{Explained, Outcomes};
use crate::index::{By, Posting};
use crate::names::{Of, Same};
use crate::reader::{AsOf, Store, Window, With};
use crate::row::{Class, Grade, NOBODY};
use crate::silence::Silence;
use bavn_model::{Kind, Timestamp};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Of whose look-ups the question is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Readers, as the source names them; all their spellings count.
    Identities(Vec<String>),
    Host(String),
    Client(String),
}

/// A patient of the store, by number; a name is asked for with a purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientNumber(pub(crate) u32);

impl std::fmt::Debug for PatientNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatientNumber(redacted)")
    }
}

/// What a subject had of one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    pub patient: PatientNumber,
    /// The furthest that the record came out.
    pub grade: Grade,
    /// Whether the source says of at least one look-up that it succeeded.
    pub certain: bool,
    pub look_ups: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// The answer, with its bounds and what it rests on.
#[derive(Clone, Debug)]
pub struct Scope {
    /// By patient, each once.
    pub exposed: Vec<Exposed>,
    /// Patients of whom a source says that content came back.
    pub lower: u64,
    /// Those, and patients of look-ups whose outcome no source states.
    pub best: u64,
    /// None: no number is certain to be enough; the reasons say why.
    pub upper: Option<u64>,
    pub reasons: Vec<Reason>,
    /// Exposing look-ups.
    pub look_ups: u64,
    pub attempts: Attempts,
    pub days: BTreeMap<i32, OfDay>,
    /// What was left out, if explained look-ups were not wanted.
    pub explained: Option<Explained>,
    pub as_of: AsOf,
    /// SHA-256 of question and answer: asked again, the same answer gives the same, whatever else the
    /// store has taken in.
    pub digest: String,
}

/// Denied and failed look-ups, which exposed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub look_ups: u64,
    pub patients: u64,
}

/// What was exposed on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfDay {
    pub look_ups: u64,
    pub patients: u64,
}

/// Why the bounds differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Of so many patients, no source says whether the look-up succeeded.
    OutcomeUnstated { patients: u64 },
    /// So many look-ups opened a record without saying whose.
    PatientUnresolved { look_ups: u64 },
    /// So many searches, lists or exports do not say which patients they showed.
    HitsUnknown { look_ups: u64 },
    /// Of so many patients, no verdict says whether a look-up was explained.
    NotJudged { patients: u64 },
    /// A source was silent for a time within the window.
    Silent(Silence),
    /// Look-ups from before this instant are past their time, and gone unless they are held.
    NoLongerKept { before: Timestamp },
}

impl Store {
    /// The scope of a subject in a window.
    pub fn scope(&self, subject: &Subject, window: Window) -> Result<Scope> {
        let (by, keys) = self.keys(subject)?;
        let postings = self.postings(by, &keys, window)?;
        let silences = self.silences(window)?;
        let mut scope = self.add_up(&postings, silences);
        if let Some(before) = self.kept_since().filter(|&before| window.from < before) {
            scope.upper = None;
            scope.reasons.push(Reason::NoLongerKept { before });
        }
        scope.digest = evidence_digest(by, &keys, window, &scope);
        Ok(scope)
    }

    /// The same without patients all of whose exposing look-ups were explained. The lower bound
    /// counts those of whom a look-up was looked into and nothing was found.
    pub fn scope_unexplained(&self, subject: &Subject, window: Window) -> Result<Scope> {
        let (by, keys) = self.keys(subject)?;
        let mut postings = self.postings(by, &keys, window)?;
        let outcomes = self.outcomes(by, &keys, window, &postings)?;
        let same = self.same(Of::Patient);
        let mut explained = Explained { judged_until: self.judged_until(), ..Explained::default() };
        let mut left_out = BTreeSet::new();
        postings.retain(|posting| {
            let patient = same.leader(posting.partner);
            let goes = posting.class().exposes() && outcomes.is_explained(patient);
            if goes {
                explained.look_ups += u64::from(posting.count);
                left_out.insert(patient);
            }
            !goes
        });
        explained.patients = left_out.len() as u64;
        let silences = self.silences(window)?;
        let mut scope = self.add_up(&postings, silences);
        leave_open(&mut scope, &outcomes, explained);
        scope.digest = evidence_digest(by, &keys, window, &scope);
        Ok(scope)
    }

    /// The look-ups of an answer by what `key` makes of each one's kind and source, and how many of
    /// its patients they exposed.
    pub fn scope_by(
        &self,
        subject: &Subject,
        window: Window,
        answer: &Scope,
        key: impl Fn(Kind, Option<&str>) -> String,
    ) -> Result<BTreeMap<String, OfDay>> {
        let (by, keys) = self.keys(subject)?;
        let (same, sources) = (self.same(Of::Patient), self.names(Of::Source)?);
        let of_answer: BTreeSet<u32> = answer.exposed.iter().map(|one| one.patient.0).collect();
        let mut found: BTreeMap<String, (u64, BTreeSet<u32>)> = BTreeMap::new();
        self.look_ups(by, &keys, window, With::Nothing, |look_up| {
            let patients = look_up.patients.iter().map(|&patient| same.leader(patient));
            let patients: BTreeSet<u32> =
                patients.filter(|patient| of_answer.contains(patient)).collect();
            if look_up.class.exposes() && !patients.is_empty() {
                let key = key(look_up.kind, sources.known(look_up.source));
                let counts = found.entry(key).or_default();
                counts.0 += 1;
                counts.1.extend(patients);
            }
            Ok(())
        })?;
        let count = |(look_ups, patients): (u64, BTreeSet<u32>)| OfDay {
            look_ups,
            patients: patients.len() as u64,
        };
        Ok(found.into_iter().map(|(key, counts)| (key, count(counts))).collect())
    }

    /// The names of the patients of an answer: every spelling, the first as the source gave it
    /// first. Whoever asks has said why.
    pub fn patient_names(&self, exposed: &[Exposed], _: &Purpose) -> Result<Vec<Vec<String>>> {
        let (names, same) = (self.names(Of::Patient)?, self.same(Of::Patient));
        let all = |patient: &Exposed| {
            let ids = same.all_of(&[patient.patient.0]);
            ids.into_iter().map(|id| names.name(id).to_owned()).collect()
        };
        Ok(exposed.iter().map(all).collect())
    }

    pub(crate) fn keys(&self, subject: &Subject) -> Result<(By, Vec<u32>)> {
        Ok(match subject {
            Subject::Identities(typed) => {
                let mut keys = BTreeSet::new();
                for name in typed {
                    keys.extend(self.find(Of::Identity, "identity", name)?);
                }
                (By::Identity, keys.into_iter().collect())
            }
            Subject::Host(name) => (By::Host, self.find(Of::Host, "host", name)?),
            Subject::Client(name) => (By::Client, self.find(Of::Client, "client", name)?),
        })
    }

    fn add_up(&self, postings: &[Posting], silences: Vec<Silence>) -> Scope {
        let same = self.same(Of::Patient);
        let (mut attempts, mut attempted) = (Attempts::default(), BTreeSet::new());
        let (mut unresolved, mut hits_unknown) = (0, 0);
        // Day by day, so that each patient of a day is counted once.
        let mut of_days: BTreeMap<i32, Vec<&[Posting]>> = BTreeMap::new();
        for of_day in postings.chunk_by(|a, b| a.day == b.day) {
            of_days.entry(of_day.first().map_or(0, |one| one.day)).or_default().push(of_day);
        }
        let (mut found, mut days) = (Found::default(), BTreeMap::new());
        for (day, postings) in of_days {
            let mut of_day = OfDay::default();
            for posting in postings.into_iter().flatten() {
                let count = u64::from(posting.count);
                match posting.class().exposed() {
                    Some((Grade::Opened, _)) if posting.partner == NOBODY => unresolved += count,
                    Some(_) if posting.partner == NOBODY => hits_unknown += count,
                    Some(exposed) => found.add(posting, exposed, same, &mut of_day),
                    None if posting.class() == Class::Attempt => {
                        attempts.look_ups += count;
                        attempted.insert(same.leader(posting.partner));
                    }
                    None => {}
                }
            }
            if of_day.look_ups > 0 {
                days.insert(day, of_day);
            }
        }
        attempted.remove(&NOBODY);
        attempts.patients = attempted.len() as u64;
        let look_ups = days.values().map(|of_day| of_day.look_ups).sum();
        let exposed = found.by_patient();
        let best = exposed.len() as u64;
        let lower = exposed.iter().filter(|patient| patient.certain).count() as u64;
        let mut reasons = Vec::new();
        if lower < best {
            reasons.push(Reason::OutcomeUnstated { patients: best - lower });
        }
        if unresolved > 0 {
            reasons.push(Reason::PatientUnresolved { look_ups: unresolved });
        }
        if hits_unknown > 0 {
            reasons.push(Reason::HitsUnknown { look_ups: hits_unknown });
        }
        let bounded = hits_unknown == 0 && silences.is_empty();
        reasons.extend(silences.into_iter().map(Reason::Silent));
        Scope {
            exposed,
            lower,
            best,
            upper: bounded.then_some(best + unresolved),
            reasons,
            look_ups,
            attempts,
            days,
            explained: None,
            as_of: self.as_of(),
            digest: String::new(),
        }
    }
}

/// Patients found so far, with the last day on which each was.
#[derive(Default)]
struct Found {
    places: HashMap<u32, usize, FixedState>,
    exposed: Vec<(Exposed, i32)>,
}

impl Found {
    /// Adds what was exposed, one day after another.
    fn add(
        &mut self,
        posting: &Posting,
        (grade, certain): (Grade, bool),
        same: &Same,
        of_day: &mut OfDay,
    ) {
        let (first, last) =
            (Timestamp::from_micros(posting.first), Timestamp::from_micros(posting.last));
        let (leader, look_ups) = (same.leader(posting.partner), u64::from(posting.count));
        of_day.look_ups += look_ups;
        let place = *self.places.entry(leader).or_insert(self.exposed.len());
        let Some((held, last_day)) = self.exposed.get_mut(place) else {
            of_day.patients += 1;
            let patient = PatientNumber(leader);
            let exposed = Exposed { patient, grade, certain, look_ups, first, last };
            self.exposed.push((exposed, posting.day));
            return;
        };
        of_day.patients += u64::from(std::mem::replace(last_day, posting.day) != posting.day);
        held.grade = held.grade.max(grade);
        held.certain |= certain;
        held.look_ups += look_ups;
        held.first = held.first.min(first);
        held.last = held.last.max(last);
    }

    fn by_patient(self) -> Vec<Exposed> {
        let mut exposed: Vec<Exposed> = self.exposed.into_iter().map(|(one, _)| one).collect();
        exposed.sort_unstable_by_key(|one| one.patient);
        exposed
    }
}

/// Bounds and reasons where it is not known of everybody whether the look-ups were explained.
fn leave_open(scope: &mut Scope, outcomes: &Outcomes, mut explained: Explained) {
    let is_unexplained = |patient: &&Exposed| outcomes.is_unexplained(patient.patient.0);
    let judged = scope.exposed.iter().filter(is_unexplained);
    scope.lower = judged.filter(|patient| patient.certain).count() as u64;
    let not_judged = scope.exposed.iter().filter(|patient| !is_unexplained(patient)).count() as u64;
    if not_judged > 0 {
        scope.reasons.insert(0, Reason::NotJudged { patients: not_judged });
    }
    explained.not_judged = not_judged;
    scope.explained = Some(explained);
}

/// The same question and answer give the same digest.
fn evidence_digest(by: By, keys: &[u32], window: Window, scope: &Scope) -> String {
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    digest.update(b"bavn scope 2\0");
    digest.update(by.word().as_bytes());
    for key in keys {
        digest.update(&key.to_be_bytes());
    }
    digest.update(&window.from.micros().to_be_bytes());
    digest.update(&window.to.micros().to_be_bytes());
    if let Some(explained) = scope.explained {
        digest.update(b"minus explained\0");
        digest.update(&explained.patients.to_be_bytes());
        digest.update(&explained.not_judged.to_be_bytes());
    }
    let mut fields = Vec::new();
    for exposed in &scope.exposed {
        fields.clear();
        fields.extend_from_slice(&exposed.patient.0.to_be_bytes());
        fields.extend_from_slice(&[exposed.grade as u8, u8::from(exposed.certain)]);
        fields.extend_from_slice(&exposed.look_ups.to_be_bytes());
        fields.extend_from_slice(&exposed.first.micros().to_be_bytes());
        fields.extend_from_slice(&exposed.last.micros().to_be_bytes());
        digest.update(&fields);
    }
    crate::keys::to_hex(digest.finish().as_ref())
}

/// Why somebody wants names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A patient asked who has read the record.
    Insight,
    /// A case is being worked on.
    Case(String),
    Audit,
    /// The people are not real.
    Drill,
}

impl std::str::FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownPurpose> {
        match text.split_once(' ') {
            None => match text {
                "insight" => Ok(Self::Insight),
                "audit" => Ok(Self::Audit),
                "drill" => Ok(Self::Drill),
                _ => Err(UnknownPurpose),
            },
            Some(("case", number)) if !number.trim().is_empty() => {
                Ok(Self::Case(number.trim().to_owned()))
            }
            Some(_) => Err(UnknownPurpose),
        }
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Insight => f.write_str("insight"),
            Self::Case(number) => write!(f, "case {number}"),
            Self::Audit => f.write_str("audit"),
            Self::Drill => f.write_str("drill"),
        }
    }
}

/// Not one of the purposes that names are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a purpose is `insight`, `case N`, `audit` or `drill`")]
pub struct UnknownPurpose;
