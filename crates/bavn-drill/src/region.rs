//! One region from one seed: people, care, work, thefts, day by day.

use crate::attacks::{self, ATTACKS, Attack};
use crate::chance::stream;
use crate::hospital::{self, Hospital, Unit};
use crate::life::Life;
use crate::people::{self, Patient, Staff};
use crate::services;
use crate::truth::{Read, Truth, TruthEntry};
use crate::work::{self, Lookup, Memory, Reader, Scene};
use crate::write::{self, Names, Sink};
use bavn_model::Timestamp;
use std::io;

/// What region to make.
#[derive(Clone, Debug)]
pub struct Settings {
    pub staff: usize,
    pub patients: usize,
    pub days: i32,
    pub seed: u64,
    /// Names from [`ATTACKS`]; none for a clean region.
    pub attacks: Vec<String>,
    /// 1: every system records everything at once, clocks agree, nobody is missing in HR. 0: as
    /// untidy as hospitals are.
    pub tidiness: f64,
    /// Midnight (UTC) of the first day; a Monday, so that week-ends fall where they should.
    pub start: Timestamp,
    /// Day before which nobody steals.
    pub quiet_days: i32,
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
        }
    }
}

/// Why a region cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("there is no attack `{name}`")]
    UnknownAttack { name: String },
    #[error(
        "a region needs at least {staff_min} staff, {patients_min} patients and {days_min} day"
    )]
    TooSmall { staff_min: usize, patients_min: usize, days_min: i32 },
    #[error("the region could not be written")]
    Write(#[from] io::Error),
}

/// Makes a region and writes it. The answer key comes back, and is written to nothing.
pub fn generate(settings: &Settings, sink: &mut dyn Sink) -> Result<Truth, SettingsError> {
    let names = check(settings)?;
    let Settings { seed, days, tidiness, .. } = *settings;
    let (hospitals, mut units) =
        hospital::build(&mut stream(seed, "hospitals"), settings.staff, days, tidiness);
    let patients =
        people::patients(&mut stream(seed, "patients"), settings.patients, hospitals.len());
    let mut staff = people::staff(
        &mut stream(seed, "staff"),
        settings.staff,
        days,
        tidiness,
        &hospitals,
        &mut units,
        &patients,
    );
    let begin = settings.quiet_days.clamp(0, days - 1);
    let mut attacks = attacks::choose(
        &mut stream(seed, "attacks"),
        &names,
        days,
        &mut staff,
        patients.len(),
        begin,
    );
    let spelled = Names { start: settings.start };
    write::people(&spelled, &hospitals, &units, &staff, &patients, sink)?;
    let events =
        live(settings, &spelled, &hospitals, &units, &staff, &patients, &mut attacks, sink)?;
    let mut truth: Vec<TruthEntry> = attacks
        .iter()
        .filter(|attack| !attack.reads.is_empty())
        .map(|attack| entry(&spelled, attack))
        .collect();
    truth.extend(oddities(&staff, days));
    Ok(Truth { seed, days, staff: staff.len(), patients: patients.len(), events, truth })
}

fn check(settings: &Settings) -> Result<Vec<&'static str>, SettingsError> {
    if settings.staff < STAFF_MIN || settings.patients < PATIENTS_MIN || settings.days < 1 {
        return Err(SettingsError::TooSmall {
            staff_min: STAFF_MIN,
            patients_min: PATIENTS_MIN,
            days_min: 1,
        });
    }
    settings
        .attacks
        .iter()
        .map(|wanted| {
            let known = ATTACKS.iter().find(|(name, _)| name == wanted);
            known
                .map(|(name, _)| *name)
                .ok_or_else(|| SettingsError::UnknownAttack { name: wanted.clone() })
        })
        .collect()
}

/// Lives through the days, and a month before the log so that wards are not empty when it begins.
#[expect(clippy::too_many_arguments, reason = "the whole region takes part")]
fn live(
    settings: &Settings,
    names: &Names,
    hospitals: &[Hospital],
    units: &[Unit],
    staff: &[Staff],
    patients: &[Patient],
    attacks: &mut [Attack],
    sink: &mut dyn Sink,
) -> Result<u64, SettingsError> {
    let Settings { seed, days, tidiness, .. } = *settings;
    let mut life = Life::new(stream(seed, "life"), patients, hospitals.len(), units.len());
    let (mut at_work, mut thieves) = (stream(seed, "work"), stream(seed, "thieves"));
    let (mut machines, mut paper) = (stream(seed, "services"), stream(seed, "records"));
    let mut memory = Memory::default();
    let (mut next_event, mut next_record) = (0, 0);
    let mut rows: Vec<Lookup> = Vec::new();
    let upgrade_day = days * 2 / 3;
    let crowd_day = days / 3;
    for day in -DAYS_BEFORE..days {
        let crowd = if day == crowd_day && day > 0 { (settings.staff / 12).min(150) } else { 0 };
        life.day(day, hospitals, units, crowd);
        let happened = std::mem::take(&mut life.happened);
        write::care(
            &mut paper,
            names,
            hospitals,
            units,
            &happened,
            tidiness,
            &mut next_record,
            sink,
        )?;
        if day < 0 {
            continue;
        }
        let scene = Scene {
            seed,
            hospitals,
            units,
            staff,
            patients,
            life: &life,
            day,
            upgrade: day == upgrade_day && day > 0,
        };
        for (index, person) in staff.iter().enumerate() {
            if let Some(shift) = person.shift(seed, index, day) {
                work::shift(&mut at_work, &scene, &mut memory, index, shift, &mut rows);
            }
        }
        services::day(&mut machines, &scene, &mut rows);
        for attack in attacks.iter_mut() {
            attack.day(&mut thieves, &scene, &mut rows);
        }
        // Night shifts end tomorrow; what is later than midnight waits for its day.
        let midnight = i64::from(day + 1) * 86_400_000;
        let last = day + 1 == days;
        let mut today: Vec<Lookup> = Vec::with_capacity(rows.len());
        rows.retain(|row| {
            let now = row.at_millis < midnight;
            if now || last {
                today.push(row.clone());
            }
            !now
        });
        today.retain(|row| {
            hospitals[row.hospital].silent.is_none_or(|(silent_day, hour)| {
                matches!(row.reader, Reader::Service(_))
                    || row.at_millis / 3_600_000 != i64::from(silent_day) * 24 + hour
            })
        });
        // Clocks differ between logs; each log is in its own clock's order.
        today.sort_by_key(|row| (row.at_millis, row.hospital, row.reader));
        write::lookups(names, hospitals, staff, patients, &today, &mut next_event, sink)?;
    }
    Ok(next_event)
}

fn entry(names: &Names, attack: &Attack) -> TruthEntry {
    let mut reads = attack.reads.clone();
    reads.sort_by_key(|&(reader, patient, at)| (at, reader, patient));
    let at =
        |read: Option<&(Reader, usize, i64)>| read.map(|&(.., at)| names.at_millis(at).to_string());
    TruthEntry {
        kind: "attack".to_owned(),
        name: attack.name.to_owned(),
        who: attack
            .thieves
            .iter()
            .filter(|&&thief| reads.iter().any(|&(reader, ..)| reader == thief))
            .map(|&thief| Names::reader(thief))
            .collect(),
        start: at(reads.first()),
        end: at(reads.last()),
        reads: reads
            .iter()
            .map(|&(reader, patient, at)| {
                Read(
                    Names::reader(reader),
                    Names::patient(patient),
                    names.at_millis(at).to_string(),
                )
            })
            .collect(),
        note: None,
    }
}

/// People whose days look odd and are innocent.
fn oddities(staff: &[Staff], days: i32) -> Vec<TruthEntry> {
    let named = |name: &str, chosen: &dyn Fn(&Staff) -> bool| TruthEntry {
        kind: "benign".to_owned(),
        name: name.to_owned(),
        who: (0..staff.len()).filter(|&index| chosen(&staff[index])).map(Names::staff).collect(),
        ..TruthEntry::default()
    };
    let mut entries = vec![
        named("locum", &|person| person.locum),
        named("float_nurse", &|person| person.floats),
        named("new_staff", &|person| person.from_day >= 0 && !person.locum),
        named("two_posts", &|person| person.second_unit.is_some()),
        named("missing_in_hr", &|person| person.missing_in_hr),
    ];
    for (name, day) in [("upgrade_day", days * 2 / 3), ("mass_casualty_day", days / 3)] {
        let note = Some(format!("day {day}"));
        entries.push(TruthEntry {
            kind: "benign".to_owned(),
            name: name.to_owned(),
            note,
            ..TruthEntry::default()
        });
    }
    entries
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
    fn an_unknown_attack_is_refused() {
        let settings = Settings { attacks: vec!["sneeze".to_owned()], ..Settings::default() };
        let refused = generate(&settings, &mut Files::default());
        assert!(matches!(refused, Err(SettingsError::UnknownAttack { .. })));
    }
}
