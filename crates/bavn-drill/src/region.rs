//! One region from one seed: people, care, work, thefts, day by day.

use crate::attacks::{self, ATTACKS, Attack, AttackPlan, PlanError, Stage};
use crate::chance::{some, stream};
use crate::hospital::{self, Hospital, Unit};
use crate::key;
use crate::life::Life;
use crate::people::{self, Patient, Role, Staff};
use crate::services;
use crate::shape::Shape;
use crate::truth::{Truth, TruthEntry};
use crate::work::{self, Lookup, Memory, Reader, Scene};
use crate::write::{self, Clerk, Names, Sink};
use bavn_model::Timestamp;
use fastrand::Rng;
use std::io;

/// What region to make.
#[derive(Clone, Debug)]
pub struct Settings {
    pub staff: usize,
    pub patients: usize,
    pub days: i32,
    pub seed: u64,
    /// Names from [`ATTACKS`], each with its options (`slow:take=10:cover=20`); none for a clean
    /// region.
    pub attacks: Vec<String>,
    /// 1: every system records everything at once, clocks agree, nobody is missing in HR. 0: as
    /// untidy as hospitals are.
    pub tidiness: f64,
    /// Midnight (UTC) of the first day; a Monday, so that week-ends fall where they should.
    pub start: Timestamp,
    /// Day before which nobody steals.
    pub quiet_days: i32,
    pub shape: Shape,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            staff: 400,
            patients: 40_000,
            days: 35,
            seed: 1,
            attacks: ATTACKS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            tidiness: 0.5,
            // 2024-01-01, a Monday.
            start: Timestamp::from_secs(1_704_067_200),
            quiet_days: 14,
            shape: Shape::default(),
        }
    }
}

impl Settings {
    /// When many are hurt at once; a day of its own in each region.
    pub(crate) fn crowd_day(&self) -> i32 {
        self.days / 3 + (self.seed % 7) as i32 * self.days / 75
    }

    /// When the record system is upgraded.
    pub(crate) fn upgrade_day(&self) -> i32 {
        self.days * 2 / 3 + (self.seed % 5) as i32 * self.days / 75
    }
}

/// Why a region cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Attack(#[from] PlanError),
    #[error(
        "a region needs at least {staff_min} staff, {patients_min} patients and {days_min} day"
    )]
    TooSmall { staff_min: usize, patients_min: usize, days_min: i32 },
    #[error("the region could not be written")]
    Write(#[from] io::Error),
}

/// Which of a region's files are wanted; each kind is the same bytes with or without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    All,
    /// What the hospitals' systems say. The answer key stays empty.
    Context,
    /// What was looked up.
    Events,
}

/// Everybody and everything in a region that has a name.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) names: Names,
    pub(crate) hospitals: Vec<Hospital>,
    pub(crate) units: Vec<Unit>,
    pub(crate) staff: Vec<Staff>,
    pub(crate) patients: Vec<Patient>,
    pub(crate) project: Option<Project>,
}

/// An approved audit: one reader, a cohort, a week or two.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) reader: usize,
    pub(crate) from_day: i32,
    pub(crate) to_day: i32,
    pub(crate) cohort: Vec<usize>,
}

/// Makes a region and writes it. The answer key comes back, and is written to nothing.
pub fn generate(settings: &Settings, sink: &mut dyn Sink) -> Result<Truth, SettingsError> {
    generate_files(settings, Files::All, sink)
}

/// As [`generate`], but only the files asked for: a reader must know the context before the first
/// event, and need not keep the events meanwhile.
pub fn generate_files(
    settings: &Settings,
    files: Files,
    sink: &mut dyn Sink,
) -> Result<Truth, SettingsError> {
    let plans = check(settings)?;
    let (cast, mut attacks) = cast(settings, &plans);
    if files != Files::Events {
        write::people(&cast, &settings.shape, sink)?;
    }
    let events = live(settings, &cast, files, &mut attacks, sink)?;
    let mut truth: Vec<TruthEntry> = attacks
        .iter()
        .filter(|attack| !attack.reads.is_empty())
        .map(|attack| key::entry(&cast, attack))
        .collect();
    truth.extend(key::oddities(&cast, settings));
    let Settings { seed, days, .. } = *settings;
    let (staff, patients) = (cast.staff.len(), cast.patients.len());
    Ok(Truth { seed, days, staff, patients, events, truth })
}

fn cast(settings: &Settings, plans: &[AttackPlan]) -> (Cast, Vec<Attack>) {
    let Settings { seed, days, tidiness, .. } = *settings;
    let (hospitals, mut units) =
        hospital::build(&mut stream(seed, "hospitals"), settings.staff, days, tidiness);
    let patients =
        people::patients(&mut stream(seed, "patients"), settings.patients, hospitals.len());
    let mut staff =
        people::staff(&mut stream(seed, "staff"), settings, &hospitals, &mut units, &patients);
    let stage = Stage {
        seed,
        days,
        begin: settings.quiet_days.clamp(0, days - 1),
        patients: patients.len(),
        shape: &settings.shape,
    };
    let attacks = attacks::choose(&mut stream(seed, "attacks"), plans, stage, &mut staff);
    let project = project(settings, &staff, &patients, &attacks);
    let names = Names { start: settings.start, identifiers: settings.shape.identifiers };
    (Cast { names, hospitals, units, staff, patients, project }, attacks)
}

/// Some honest clerk or doctor is asked to go through a few hundred records.
fn project(
    settings: &Settings,
    staff: &[Staff],
    patients: &[Patient],
    attacks: &[Attack],
) -> Option<Project> {
    let mut rng = stream(settings.seed, "project");
    let honest = |index: usize| {
        let reader = Reader::Staff(index);
        !attacks.iter().any(|attack| attack.thieves.contains(&reader))
    };
    let reader = (0..staff.len()).find(|&index| {
        let suits = matches!(staff[index].role, Role::Secretary | Role::Doctor);
        suits && staff[index].from_day < 0 && honest(index)
    })?;
    let from_day = settings.days / 2;
    let cohort: Vec<usize> = (0..patients.len()).collect();
    let cohort = some(&mut rng, &cohort, 240);
    (settings.days > 10).then(|| Project { reader, from_day, to_day: from_day + 6, cohort })
}

fn check(settings: &Settings) -> Result<Vec<AttackPlan>, SettingsError> {
    if settings.staff < STAFF_MIN || settings.patients < PATIENTS_MIN || settings.days < 1 {
        return Err(SettingsError::TooSmall {
            staff_min: STAFF_MIN,
            patients_min: PATIENTS_MIN,
            days_min: 1,
        });
    }
    let plans = settings.attacks.iter().map(|wanted| AttackPlan::parse(wanted));
    Ok(plans.collect::<Result<_, _>>()?)
}

/// Lives through the days, and a month before the log so that wards are not empty when it begins.
fn live(
    settings: &Settings,
    cast: &Cast,
    files: Files,
    attacks: &mut [Attack],
    sink: &mut dyn Sink,
) -> Result<u64, SettingsError> {
    let Settings { seed, days, tidiness, .. } = *settings;
    let Cast { hospitals, units, staff, patients, .. } = cast;
    let mut life = Life::new(stream(seed, "life"), patients, hospitals.len(), units.len());
    let mut clerk = Clerk::new(stream(seed, "records"), tidiness);
    let mut work = Work::new(seed);
    let mut next_event = 0;
    let crowd_day = settings.crowd_day();
    let all_days = (days + DAYS_BEFORE).unsigned_abs();
    for day in -DAYS_BEFORE..days {
        sink.lived(u64::from((day + DAYS_BEFORE).unsigned_abs()), u64::from(all_days));
        let crowd = if day == crowd_day && day > 0 { (settings.staff / 12).min(150) } else { 0 };
        life.day(day, hospitals, units, crowd);
        let happened = std::mem::take(&mut life.happened);
        if files != Files::Events {
            write::care(&mut clerk, cast, &happened, &settings.shape, sink)?;
        }
        if day < 0 || files == Files::Context {
            continue;
        }
        let scene = Scene {
            seed,
            hospitals,
            units,
            staff,
            patients,
            life: &life,
            shape: &settings.shape,
            day,
            project: cast.project.as_ref(),
            upgrade: day == settings.upgrade_day() && day > 0,
        };
        let today = work.day(&scene, attacks, day + 1 == days);
        write::lookups(cast, &today, &mut next_event, sink)?;
    }
    Ok(next_event)
}

/// What people do all day, and what spills over midnight.
struct Work {
    staff: Rng,
    thieves: Rng,
    machines: Rng,
    memory: Memory,
    rows: Vec<Lookup>,
}

impl Work {
    fn new(seed: u64) -> Self {
        Self {
            staff: stream(seed, "work"),
            thieves: stream(seed, "thieves"),
            machines: stream(seed, "services"),
            memory: Memory::default(),
            rows: Vec::new(),
        }
    }

    /// The look-ups of one day, in order; on the last one, all that are left.
    fn day(&mut self, scene: &Scene<'_>, attacks: &mut [Attack], last: bool) -> Vec<Lookup> {
        for (index, person) in scene.staff.iter().enumerate() {
            if let Some(shift) = person.shift(scene.seed, index, scene.day) {
                let (rng, memory) = (&mut self.staff, &mut self.memory);
                work::shift(rng, scene, memory, index, shift, &mut self.rows);
            }
        }
        services::day(&mut self.machines, scene, &mut self.rows);
        for attack in &mut *attacks {
            attack.day(&mut self.thieves, scene, &mut self.rows);
        }
        let cuts: Vec<_> = attacks.iter().filter_map(|attack| attack.cut.clone()).collect();
        // Night shifts end tomorrow; what is later than midnight waits for its day.
        let midnight = i64::from(scene.day + 1) * 86_400_000;
        let is_now = |row: &mut Lookup| last || row.at_millis < midnight;
        let mut today: Vec<Lookup> = self.rows.extract_if(.., is_now).collect();
        today.retain(|row| {
            scene.hospitals[row.hospital].silent.is_none_or(|(silent_day, hour)| {
                matches!(row.reader, Reader::Service(_))
                    || row.at_millis / 3_600_000 != i64::from(silent_day) * 24 + hour
            })
        });
        today.retain(|row| {
            let gone = cuts
                .iter()
                .any(|(hospital, gone)| row.hospital == *hospital && gone.contains(&row.at_millis));
            !gone || matches!(row.reader, Reader::Service(_))
        });
        // Clocks differ between logs; each log is in its own clock's order.
        today.sort_by_key(|row| (row.at_millis, row.hospital, row.reader));
        today
    }
}

const STAFF_MIN: usize = 20;
const PATIENTS_MIN: usize = 1_000;
/// Days of care before the log begins.
const DAYS_BEFORE: i32 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Memory as Files;

    fn small(seed: u64) -> (Files, Truth) {
        let settings = Settings {
            staff: 120,
            patients: 6_000,
            days: 21,
            seed,
            quiet_days: 7,
            ..Settings::default()
        };
        let mut files = Files::default();
        let truth = generate(&settings, &mut files).unwrap();
        (files, truth)
    }

    #[test]
    fn one_seed_one_region() {
        let ((files, truth), (again, truth_again)) = (small(5), small(5));
        assert!(files.files == again.files, "the same seed gave other bytes");
        assert_eq!(
            serde_json::to_string(&truth).unwrap(),
            serde_json::to_string(&truth_again).unwrap()
        );
        assert!(files.files != small(6).0.files);
    }

    #[test]
    fn every_theft_is_in_the_answer_key_and_in_the_log() {
        let (files, truth) = small(7);
        let log: usize = files
            .files
            .iter()
            .filter(|(name, _)| name.starts_with("events/"))
            .map(|(_, bytes)| bytes.split(|&byte| byte == b'\n').count() - 1)
            .sum();
        assert!(log as u64 >= truth.events && truth.events > 20_000, "{log} {}", truth.events);
        for (name, _) in ATTACKS {
            let entry = truth.truth.iter().find(|entry| entry.name == name);
            let entry = entry.unwrap_or_else(|| panic!("{name} is missing"));
            assert!(!entry.reads.is_empty() && !entry.who.is_empty(), "{name}");
            assert!(
                entry.reads.windows(2).all(|pair| pair[0].2 <= pair[1].2),
                "{name} is out of order"
            );
        }
    }

    #[test]
    fn every_look_up_reads_back() {
        use std::sync::Arc;
        let (files, _) = small(8);
        let mappings = Arc::new(bavn_decode::Mappings::default());
        for (name, bytes) in files.files.iter().filter(|(name, _)| name.starts_with("events/")) {
            let format = bavn_decode::sniff(name, bytes, &mappings).unwrap();
            let mut decoder = bavn_decode::Decoder::new(format, Arc::clone(&mappings), 0, name);
            let mut decoded = bavn_decode::Decoded::default();
            decoder.decode(bytes, true, &mut decoded);
            assert_eq!(decoded.rejects, [], "{name}");
            assert_eq!(
                decoded.records.len(),
                bytes.split(|&byte| byte == b'\n').count() - 1,
                "{name}"
            );
            for record in &decoded.records {
                assert!(record.who.is_some(), "{name}: nobody read");
                let search = record.kind == bavn_model::Kind::Search;
                assert_eq!(record.patients.len(), usize::from(!search), "{name} {:?}", record.kind);
            }
        }
    }

    #[test]
    fn context_and_events_apart_are_the_same_bytes_as_together() {
        let settings = Settings {
            staff: 60,
            patients: 2_000,
            days: 12,
            quiet_days: 4,
            attacks: vec!["burst_day".to_owned(), "slow:take=3:poison=4:cover=2".to_owned()],
            shape: Shape::of_seed(4, 12),
            ..Settings::default()
        };
        let (mut both, mut apart) = (Files::default(), Files::default());
        let truth = generate(&settings, &mut both).unwrap();
        for files in [super::Files::Context, super::Files::Events] {
            generate_files(&settings, files, &mut apart).unwrap();
        }
        assert!(both.files == apart.files);
        let slow = truth.truth.iter().find(|entry| entry.name == "slow").unwrap();
        assert!(slow.prepared.as_ref() < slow.start.as_ref() && slow.prepared.is_some());
    }

    #[test]
    fn an_unknown_attack_is_refused() {
        let settings = Settings { attacks: vec!["sneeze".to_owned()], ..Settings::default() };
        let refused = generate(&settings, &mut Files::default());
        assert!(matches!(refused, Err(SettingsError::Attack(PlanError::Unknown { .. }))));
    }
}
