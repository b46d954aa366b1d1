//! The answer key of a region: its thefts, and what looks odd and is innocent.

use crate::attacks::Attack;
use crate::people::{Role, Staff};
use crate::region::{Cast, Settings};
use crate::services;
use crate::truth::{Read, TruthEntry};
use crate::work::Reader;
use crate::write::Names;

/// One theft that took place, with the times of the logs that saw it.
pub(crate) fn entry(cast: &Cast, attack: &Attack) -> TruthEntry {
    let names = &cast.names;
    let mut reads = attack.reads.clone();
    for (reader, _, at_millis) in &mut reads {
        *at_millis += clock_offset(cast, *reader) * 1_000;
    }
    reads.sort_by_key(|&(reader, patient, at)| (at, reader, patient));
    let at = |millis: i64| names.at_millis(millis).to_string();
    let took = |thief: Reader| reads.iter().any(|&(reader, ..)| reader == thief);
    TruthEntry {
        kind: "attack".to_owned(),
        name: attack.plan.name.to_owned(),
        plan: (attack.plan.written != attack.plan.name).then(|| attack.plan.written.clone()),
        who: attack
            .thieves
            .iter()
            .filter(|&&thief| took(thief))
            .map(|&thief| Names::reader(thief))
            .collect(),
        prepared: attack.prepared.map(at),
        start: reads.first().map(|&(.., millis)| at(millis)),
        end: reads.last().map(|&(.., millis)| at(millis)),
        reads: reads
            .iter()
            .map(|&(reader, patient, millis)| {
                Read(Names::reader(reader), names.patient(patient), at(millis))
            })
            .collect(),
        note: None,
    }
}

/// Seconds by which the clock of the log is wrong in which a reader stands.
fn clock_offset(cast: &Cast, reader: Reader) -> i64 {
    let hospital = match reader {
        Reader::Staff(index) => cast.units[cast.staff[index].unit].hospital,
        Reader::Service(_) => 0,
    };
    cast.hospitals[hospital].clock_offset
}

/// People whose days look odd and are innocent.
pub(crate) fn oddities(cast: &Cast, settings: &Settings) -> Vec<TruthEntry> {
    let staff = &cast.staff;
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
        named("coder", &|person| person.role == Role::Coder),
        named("on_call", &|person| person.role == Role::Doctor && person.rotates),
        TruthEntry {
            kind: "benign".to_owned(),
            name: "nightly_batch".to_owned(),
            who: vec![Names::reader(Reader::Service(services::BATCH))],
            ..TruthEntry::default()
        },
    ];
    if let Some(project) = &cast.project {
        entries.push(TruthEntry {
            kind: "benign".to_owned(),
            name: "registry_audit".to_owned(),
            who: vec![Names::staff(project.reader)],
            ..TruthEntry::default()
        });
    }
    let mut silences = Vec::new();
    let mut event = |name: &str, day: i32| {
        entries.push(TruthEntry {
            kind: "benign".to_owned(),
            name: name.to_owned(),
            start: Some(cast.names.at(i64::from(day) * 86_400).to_string()),
            end: Some(cast.names.at(i64::from(day + 1) * 86_400).to_string()),
            note: Some(format!("day {day}")),
            ..TruthEntry::default()
        });
    };
    // Hours that no log of a hospital has.
    for hospital in &cast.hospitals {
        if let Some((day, hour)) = hospital.silent {
            let from = i64::from(day) * 86_400 + hour * 3_600;
            let at = |secs: i64| Some(cast.names.at(secs).to_string());
            silences.push(TruthEntry {
                kind: "benign".to_owned(),
                name: "silent_log".to_owned(),
                start: at(from),
                end: at(from + 3_600),
                note: Some(hospital.name.clone()),
                ..TruthEntry::default()
            });
        }
    }
    event("upgrade_day", settings.upgrade_day());
    event("mass_casualty_day", settings.crowd_day());
    if let Some((day, _)) = settings.shape.outage {
        event("interface_outage", day);
    }
    entries.extend(silences);
    entries
}
