//! `bavn bench scope`: a store of simulated look-ups is made, and the questions to it are timed.

use super::bench::{core_seconds, peak_rss_megabytes, print, rss_words};
use super::keep::{chance, now, open_writer};
use crate::cli::BenchScope;
use crate::error::CommandResult;
use bavn_model::{Action, EventId, Flags, Kind, Origin, Outcome, PatientName, Record, Timestamp};
use bavn_store::{Frame, Kek, Purpose, Store, Subject, Window};
use serde::Serialize;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

#[derive(Debug, Default, Serialize)]
struct Measured {
    look_ups: u64,
    days: u64,
    /// Of the store: making look-ups up and encoding them is not counted. None if it was there.
    #[serde(flatten)]
    load: Option<Load>,
    bytes_a_look_up: BytesALookUp,
    /// From a closed store to the first answer.
    cold_start_milliseconds: f64,
    /// Five readers over two thirds of the days.
    scope: Times,
    /// One patient's readers, all days.
    readers: Times,
    /// One patient's whole report, look-up by look-up, all days.
    report: Times,
    /// Forty readers, all days.
    union: Times,
    /// For whoever asks others the same.
    asked: Asked,
    peak_rss_megabytes: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Load {
    #[serde(rename = "load_seconds")]
    seconds: f64,
    #[serde(rename = "load_core_seconds")]
    core_seconds: f64,
    #[serde(rename = "load_look_ups_per_second")]
    look_ups_per_second: f64,
}

/// The first questions of each kind, and the answers.
#[derive(Debug, Default, Serialize)]
struct Asked {
    /// In microseconds since the epoch; the third is the end of the part.
    from: i64,
    to: i64,
    part_to: i64,
    scope: Vec<(Vec<u64>, u64)>,
    readers: Vec<(u64, u64)>,
    union: Vec<(Vec<u64>, u64)>,
}

#[derive(Debug, Default, Serialize)]
struct BytesALookUp {
    columns: f64,
    index: f64,
    names: f64,
    evidence: f64,
}

#[derive(Debug, Default, Serialize)]
struct Times {
    milliseconds_p50: f64,
    milliseconds_p99: f64,
    /// Of a core's time, which others on the machine cannot take away.
    core_milliseconds_mean: f64,
    /// Of the last question: patients or readers.
    answer: u64,
}

/// What it took to load the store.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) seconds: f64,
    core_seconds: f64,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn run(arguments: &BenchScope) -> CommandResult {
    let key = key(arguments)?;
    let load = if arguments.dir.join("keys").exists() {
        None
    } else {
        let loaded = load(arguments, Kek::read(&key)?)?;
        Some(Load {
            seconds: loaded.seconds,
            core_seconds: loaded.core_seconds,
            look_ups_per_second: arguments.look_ups as f64 / loaded.seconds,
        })
    };
    if let Some(rows) = &arguments.rows {
        write_rows(arguments, rows)?;
    }
    let kek = Kek::read(&key)?;
    let mut dice = Dice(arguments.seed ^ 0x5eed);
    let start = first_day(arguments);
    let days = |count: u64| Window { from: start, to: start.plus_secs(count as i64 * 86_400) };
    let (part, whole) = (days(arguments.days * 2 / 3), days(arguments.days));

    let started = Instant::now();
    let store = Store::open(&arguments.dir, &kek)?;
    store.scope(&subject(&readers(&mut dice, arguments, 5)), part)?;
    let cold_start_milliseconds = started.elapsed().as_secs_f64() * 1e3;

    let mut asked = Asked {
        from: whole.from.micros(),
        to: whole.to.micros(),
        part_to: part.to.micros(),
        ..Asked::default()
    };
    let groups = |dice: &mut Dice, count: u64| -> Vec<Vec<u64>> {
        (0..QUESTIONS).map(|_| readers(dice, arguments, count)).collect()
    };
    let (five, forty) = (groups(&mut dice, 5), groups(&mut dice, 40));
    let patients = patients(arguments);
    let scope =
        times(&five, &mut asked.scope, |readers| Ok(store.scope(&subject(readers), part)?.best))?;
    let of_patient = times(&patients, &mut asked.readers, |&patient| {
        Ok(store.readers(&patient_name(patient), whole, &Purpose::Drill)?.len() as u64)
    })?;
    let few = patients.get(..REPORTS).unwrap_or(&patients);
    let report = times(few, &mut Vec::new(), |&patient| {
        let report = store.who(&patient_name(patient), whole, &Purpose::Drill)?;
        Ok(report.readings.len() as u64)
    })?;
    let union =
        times(&forty, &mut asked.union, |readers| Ok(store.scope(&subject(readers), whole)?.best))?;

    let (sizes, look_ups) = (store.sizes(), arguments.look_ups);
    let a_look_up = |bytes: u64| bytes as f64 / look_ups as f64;
    let measured = Measured {
        look_ups,
        days: arguments.days,
        load,
        bytes_a_look_up: BytesALookUp {
            columns: a_look_up(sizes.columns),
            index: a_look_up(sizes.index),
            names: a_look_up(sizes.names),
            evidence: a_look_up(sizes.evidence),
        },
        cold_start_milliseconds,
        scope,
        readers: of_patient,
        report,
        union,
        asked,
        peak_rss_megabytes: peak_rss_megabytes(),
    };
    print(&measured, arguments.json, || in_words(&measured))
}

fn in_words(measured: &Measured) -> String {
    let bytes = &measured.bytes_a_look_up;
    let times = |what: &str, times: &Times| {
        format!(
            "\n{what}: p50 {:.2} ms, p99 {:.2} ms, {:.2} ms of a core ({} found)",
            times.milliseconds_p50,
            times.milliseconds_p99,
            times.core_milliseconds_mean,
            times.answer
        )
    };
    let loaded = measured.load.as_ref().map_or_else(String::new, |load| {
        let Load { seconds, core_seconds, look_ups_per_second } = load;
        format!(
            " loaded in {seconds:.1} s, {core_seconds:.1} s of a core: {look_ups_per_second:.0} look-ups/s"
        )
    });
    format!(
        "{} look-ups of {} days{loaded}{}\n{:.1} bytes a look-up: {:.1} \
         columns, {:.1} index; beside them {:.1} names, {:.1} evidence\nfrom closed to the first \
         answer {:.0} ms{}{}{}{}",
        measured.look_ups,
        measured.days,
        rss_words(measured.peak_rss_megabytes),
        bytes.columns + bytes.index,
        bytes.columns,
        bytes.index,
        bytes.names,
        bytes.evidence,
        measured.cold_start_milliseconds,
        times("5 readers, two thirds of the days", &measured.scope),
        times("one patient's readers", &measured.readers),
        times("one patient's whole report", &measured.report),
        times("40 readers, all days", &measured.union),
    )
}

/// Asks each once, and then times it: what it takes when the files are in memory. Peers are timed so too.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn times<Q: Clone>(
    questions: &[Q],
    asked: &mut Vec<(Q, u64)>,
    mut ask: impl FnMut(&Q) -> CommandResult<u64>,
) -> CommandResult<Times> {
    for question in questions {
        let answer = ask(question)?;
        if asked.len() < QUESTIONS_KEPT {
            asked.push((question.clone(), answer));
        }
    }
    let mut taken = Vec::with_capacity(questions.len());
    let mut answer = 0;
    let core = core_seconds();
    for question in questions {
        let started = Instant::now();
        answer = ask(question)?;
        taken.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let count = taken.len().max(1);
    let core_milliseconds_mean = (core_seconds() - core) * 1e3 / count as f64;
    taken.sort_by(f64::total_cmp);
    let at = |part: usize| taken.get((count - 1) * part / 100).copied().unwrap_or_default();
    Ok(Times { milliseconds_p50: at(50), milliseconds_p99: at(99), core_milliseconds_mean, answer })
}

/// Of look-ups all over the store.
fn patients(arguments: &BenchScope) -> Vec<u64> {
    let every = (arguments.look_ups / QUESTIONS as u64).max(1) as usize;
    Made::by(arguments).step_by(every).take(QUESTIONS).map(|made| made.patient).collect()
}

fn readers(dice: &mut Dice, arguments: &BenchScope, count: u64) -> Vec<u64> {
    (0..count).map(|_| dice.below(arguments.staff)).collect()
}

fn subject(readers: &[u64]) -> Subject {
    Subject::Identities(readers.iter().map(|&reader| staff_name(reader)).collect())
}

/// What a key file holds.
pub(super) fn key(arguments: &BenchScope) -> CommandResult<Vec<u8>> {
    if let Some(file) = &arguments.key_file {
        return Ok(std::fs::read(file)?);
    }
    let mut key = vec![0; bavn_store::KEY_BYTES];
    chance()(&mut key);
    Ok(key)
}

pub(super) fn load(arguments: &BenchScope, kek: Kek) -> CommandResult<Loaded> {
    let mut writer = open_writer(&arguments.dir, "bench", kek)?;
    let mut loaded = Loaded::default();
    let mut frame = Frame::default();
    for made in Made::by(arguments) {
        push(&mut frame, &made);
        if frame.bytes_held() >= FRAME_BYTES {
            loaded.time(|| writer.take(&std::mem::take(&mut frame), now()))?;
        }
    }
    loaded.time(|| writer.take(&frame, now()))?;
    loaded.time(|| writer.commit(now()))?;
    Ok(loaded)
}

/// The same look-ups as numbers; not while the store is loaded, since a commit waits for the disk.
fn write_rows(arguments: &BenchScope, file: &Path) -> CommandResult {
    let mut rows = BufWriter::new(std::fs::File::create(file)?);
    for Made { reader, patient, at, id } in Made::by(arguments) {
        let (source, resource) = (reader % HOSPITALS, id.0 as usize & 3);
        writeln!(rows, "{},{reader},{patient},{reader},{source},{resource}", at.micros())?;
    }
    Ok(rows.flush()?)
}

/// One look-up.
struct Made {
    reader: u64,
    patient: u64,
    at: Timestamp,
    id: EventId,
}

impl Made {
    /// Visits of one to several look-ups, many under way at once, in the order of time. Most patients
    /// are of the reader's own unit.
    fn by(arguments: &BenchScope) -> impl Iterator<Item = Self> {
        let mut dice = Dice(arguments.seed);
        let mut visits = vec![(0, 0); VISITS_AT_ONCE];
        let start = first_day(arguments);
        let span = arguments.days * 86_400_000;
        let (look_ups, staff, patients) = (arguments.look_ups, arguments.staff, arguments.patients);
        (0..look_ups).map(move |number| {
            let place = dice.below(VISITS_AT_ONCE as u64) as usize;
            let is_new = number < VISITS_AT_ONCE as u64 || dice.below(5) < 2;
            let mut visit = visits.get(place).copied().unwrap_or_default();
            if is_new {
                let reader = dice.below(staff);
                let own = reader / STAFF_A_UNIT * PATIENTS_A_UNIT + dice.below(PATIENTS_A_UNIT);
                let any = dice.below(patients);
                visit = (reader, if dice.below(5) < 4 { own % patients } else { any });
                if let Some(held) = visits.get_mut(place) {
                    *held = visit;
                }
            }
            let millis = (u128::from(number) * u128::from(span) / u128::from(look_ups)) as i64;
            let (reader, patient) = visit;
            Self {
                reader,
                patient,
                at: Timestamp::from_micros(start.micros() + millis * 1_000),
                id: EventId(u128::from(dice.next()) << 64 | u128::from(number)),
            }
        })
    }
}

impl Loaded {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn time<T>(
        &mut self,
        work: impl FnOnce() -> Result<T, bavn_store::StoreError>,
    ) -> CommandResult<T> {
        let (started, core) = (Instant::now(), core_seconds());
        let done = work()?;
        self.seconds += started.elapsed().as_secs_f64();
        self.core_seconds += core_seconds() - core;
        Ok(done)
    }
}

fn push(frame: &mut Frame, &Made { reader, patient, at, id }: &Made) {
    let (who, whose) = (staff_name(reader), patient_name(patient));
    let host = format!("10.{}.{}.{}", reader >> 16, reader >> 8 & 255, reader & 255);
    let source = format!("hospital-{}", reader % HOSPITALS);
    let record = Record {
        id,
        at,
        who: Some(who.into()),
        who_also: Vec::new(),
        on_behalf_of: None,
        application: Some("ehr".into()),
        patients: std::iter::once(PatientName { name: whose.into(), also: Vec::new() }).collect(),
        resource: Some(
            ["Observation", "Patient", "DocumentReference", "Condition"]
                .get(id.0 as usize & 3)
                .map_or("Patient", |name| *name)
                .into(),
        ),
        action: Some(Action::Read),
        kind: Kind::Read,
        found_by: None,
        purpose: std::iter::once("TREAT".into()).collect(),
        reason: None,
        outcome: Outcome::Success,
        source: Some(source.into()),
        address: Some(host.into()),
        session: None,
        query: None,
        sequence: None,
        origin: Origin::default(),
        flags: Flags::NONE,
    };
    frame.push(&record, b"", "bench");
}

fn staff_name(number: u64) -> String {
    format!("Practitioner/prac-{number}")
}

fn patient_name(number: u64) -> String {
    format!("Patient/pat-{number}")
}

fn first_day(arguments: &BenchScope) -> Timestamp {
    Timestamp::start_of_day(now().day() - arguments.days as i32)
}

/// Numbers from a seed (`SplitMix64`, Steele and others 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

const QUESTIONS: usize = 100;
/// Whole reports, which read segments.
const REPORTS: usize = 20;
/// Of each kind; peers take far longer over one.
const QUESTIONS_KEPT: usize = 12;
const VISITS_AT_ONCE: usize = 8_192;
const STAFF_A_UNIT: u64 = 40;
const PATIENTS_A_UNIT: u64 = 400;
const HOSPITALS: u64 = 11;
const FRAME_BYTES: usize = 1 << 20;
