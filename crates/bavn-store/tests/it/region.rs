//! Look-ups from a seed, and a store that holds them.

use bavn_model::{
    Action, EventId, Flag, Flags, Kind, Origin, Outcome, PatientName, Record, Timestamp,
};
use bavn_store::{Chance, Frame, Kek, Store, Taken, Writer};
use std::path::Path;

/// One look-up in plain fields.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub(crate) id: u128,
    pub(crate) at: Timestamp,
    pub(crate) who: Option<String>,
    pub(crate) patients: Vec<String>,
    pub(crate) host: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) flags: Flags,
    pub(crate) original: String,
    pub(crate) source: &'static str,
}

/// Numbers that look random and come from a seed (`SplitMix64`).
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % limit
    }
}

pub(crate) fn chance(seed: u64) -> Box<Chance> {
    let mut dice = Dice(seed);
    Box::new(move |bytes| {
        bytes.fill_with(|| dice.below(256) as u8);
        true
    })
}

pub(crate) fn kek() -> Kek {
    Kek::read(&[7; 32]).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::start_of_day(20_000)
}

/// The name of a patient under which no other test data lies.
pub(crate) fn patient_name(number: u64) -> String {
    format!("Patient/hidden-{number:07}")
}

/// Look-ups of a few days: few readers and patients, so that they meet often.
pub(crate) fn look_ups(seed: u64, count: usize) -> Vec<Plain> {
    let mut dice = Dice(seed);
    let kinds = [Kind::Read, Kind::Read, Kind::Search, Kind::Print, Kind::Update, Kind::Login];
    let outcomes = [Outcome::Success, Outcome::Success, Outcome::Unknown, Outcome::SeriousFailure];
    (0..count)
        .map(|number| {
            let micros = dice.below(4 * 86_400) as i64 * 1_000_000 + dice.below(3) as i64 * 1_500;
            let at = Timestamp::from_micros(now().micros() - 10 * 86_400_000_000 + micros);
            let mut flags = Flags::NONE;
            for flag in [Flag::OwnAccess, Flag::PatientUnresolved, Flag::NoZone] {
                if dice.below(12) == 0 {
                    flags.insert(flag);
                }
            }
            let patients = dice.below(4);
            Plain {
                id: u128::from(dice.below(u64::MAX)) << 64 | number as u128,
                at,
                who: (dice.below(20) > 0)
                    .then(|| format!("Practitioner/secret-{}", dice.below(12))),
                patients: (0..patients).map(|_| patient_name(dice.below(40))).collect(),
                host: (dice.below(3) > 0).then(|| format!("workplace-{}", dice.below(5))),
                kind: kinds[dice.below(kinds.len() as u64) as usize],
                outcome: outcomes[dice.below(outcomes.len() as u64) as usize],
                flags,
                original: format!("<original of {number} by nobody-must-see-{}>", dice.below(99)),
                source: "hospital-source-name",
            }
        })
        .collect()
}

pub(crate) fn record(plain: &Plain) -> Record<'_> {
    Record {
        id: EventId(plain.id),
        at: plain.at,
        who: plain.who.as_deref().map(Into::into),
        who_also: Vec::new(),
        on_behalf_of: None,
        application: Some("ehr-application-name".into()),
        patients: plain
            .patients
            .iter()
            .map(|name| PatientName { name: name.as_str().into(), also: Vec::new() })
            .collect(),
        resource: Some("Observation/under-cover".into()),
        action: Some(Action::Read),
        kind: plain.kind,
        found_by: None,
        purpose: std::iter::once("TREAT".into()).collect(),
        reason: Some("a reason in words".into()),
        outcome: plain.outcome,
        source: Some(plain.source.into()),
        address: plain.host.as_deref().map(Into::into),
        session: Some("session-of-somebody".into()),
        query: None,
        sequence: None,
        origin: Origin { line: 1, ..Origin::default() },
        flags: plain.flags,
    }
}

/// Writes look-ups in several commits.
pub(crate) fn write(folder: &Path, all: &[Plain], a_commit: usize) -> Taken {
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(1)).unwrap();
    let mut sum = Taken::default();
    for part in all.chunks(a_commit) {
        let mut frame = Frame::default();
        for plain in part {
            frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        }
        let taken = writer.take(&frame, now()).unwrap();
        sum.new += taken.new;
        sum.known += taken.known;
        sum.expired += taken.expired;
        writer.commit(now()).unwrap();
    }
    sum
}

pub(crate) fn open(folder: &Path) -> Store {
    Store::open(folder, &kek()).unwrap()
}
