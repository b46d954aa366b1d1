//! An engine that was saved and gone on from says what one that never stopped says, byte for byte.

use crate::hospital::{Hospital, ORDINARY, hospital};
use bavn_detect::{ContextDigest, Engine, OcsfOptions, Settings, StateError, Traces, ocsf_line};
use bavn_model::Finding;
use std::path::{Path, PathBuf};

const THEFTS: &str = "
read 2024-02-26T01:00:00Z s4 p1200..p1290 every=6
read 2024-02-27T08:00:00Z s16 p1500..p1507 every=1700
read 2024-02-28T14:00:00Z s17 p1400..p1440 every=2
";

const SETTINGS: Settings = Settings { budget_per_10k_staff_day: 20.0 };

fn digest(hospital: &Hospital) -> ContextDigest {
    ContextDigest::of(&hospital.directory, &hospital.context)
}

fn restored(text: &str, state: &[u8]) -> Result<Engine, StateError> {
    let hospital = hospital(text);
    let digest = digest(&hospital);
    Engine::restore(hospital.context, SETTINGS, &[], digest, state)
}

#[test]
fn stopped_at_any_look_up_it_goes_on_as_if_it_had_not() {
    let text = format!("{ORDINARY}{THEFTS}");
    let hospital = hospital(&text);
    let digest = digest(&hospital);
    let mut whole = Engine::new(hospital.context, SETTINGS);
    let (mut told, mut told_by_restored) = (Vec::new(), Vec::new());
    let mut restarted = None;
    let all = hospital.accesses.len();
    // In the young days, in the middle of a day and of a visit, and in the middle of each theft.
    let cuts = [1, all / 5, all / 2 + 1, all - 400, all - 130, all - 60, all - 31, all - 7];
    for (number, access) in hospital.accesses.iter().enumerate() {
        if cuts.contains(&number) {
            let state = whole.save(digest).unwrap();
            let again = restored(&text, &state).unwrap();
            assert!(again.save(digest).unwrap() == state, "cut at {number}: other bytes");
            restarted = Some(again);
            told_by_restored.clone_from(&told);
        }
        whole.observe(access, &mut told);
        if let Some(restarted) = &mut restarted {
            restarted.observe(access, &mut told_by_restored);
            assert!(told == told_by_restored, "look-up {number}: other findings");
        }
    }
    let line = |finding: &Finding| {
        ocsf_line(finding, &hospital.directory, whole.context(), OcsfOptions::default())
    };
    assert!(told.iter().filter(|finding| finding.is_alert).count() >= 3);
    assert!(told.iter().map(line).eq(told_by_restored.iter().map(line)));
    let restarted = restarted.unwrap();
    assert!(whole.save(digest).unwrap() == restarted.save(digest).unwrap());
    assert_eq!(whole.report().explained.visits, restarted.report().explained.visits);
}

#[test]
fn without_what_tells_of_a_patient_it_goes_on_all_the_same() {
    let text = format!("{ORDINARY}{THEFTS}");
    let hospital = hospital(&text);
    let digest = digest(&hospital);
    let mut whole = Engine::new(hospital.context, SETTINGS);
    let (mut told, mut told_after) = (Vec::new(), Vec::new());
    let (before, after) = hospital.accesses.split_at(hospital.accesses.len() / 2);
    for access in before {
        whole.observe(access, &mut told);
    }
    let traces = Traces { numbers: vec![77], look_ups: vec![before[0].id] };
    let forgotten = Engine::forget(&whole.save(digest).unwrap(), &traces).unwrap();
    assert!(Engine::forget(&forgotten, &traces).unwrap() == forgotten);
    let mut again = restored(&text, &forgotten).unwrap();
    told.clear();
    for access in after {
        whole.observe(access, &mut told);
        again.observe(access, &mut told_after);
    }
    assert!(told.iter().any(|finding| finding.is_alert));
    assert!(told == told_after);
}

const SMALL: &str = "
unit ward-1
unit ward-2
patients p1..p60
staff anna nurse ward-1
staff bert nurse ward-2
staff robot device ward-1 system
stay p1..p20 ward-1 2024-01-01..2024-02-01
stay p21..p40 ward-2 2024-01-01..2024-02-01
routine 2024-01-02..2024-01-12
read 2024-01-05T10:00:00Z robot p1..p9 every=60
read 2024-01-09T10:00:00Z anna p30..p35 every=60
search 2024-01-10T09:00:00Z bert times=4 every=30
read 2024-01-11T02:00:00Z bert p41..p58 every=20 emergency
";

fn small() -> (Engine, ContextDigest) {
    let hospital = hospital(SMALL);
    let digest = digest(&hospital);
    let mut engine = Engine::new(hospital.context, SETTINGS);
    for access in &hospital.accesses {
        engine.observe(access, &mut Vec::new());
    }
    (engine, digest)
}

#[test]
fn a_state_of_something_else_is_refused_and_never_misread() {
    let (engine, digest) = small();
    let state = engine.save(digest).unwrap();
    assert!(restored(SMALL, &state).is_ok());
    let other = restored(&SMALL.replace("p21..p40 ward-2", "p21..p39 ward-2"), &state);
    assert_eq!(other.unwrap_err(), StateError::OtherContext);
    let mut renamed = state.clone();
    let name = state.windows(5).position(|bytes| bytes == b"burst").unwrap();
    renamed[name..name + 5].copy_from_slice(b"blast");
    let other = restored(SMALL, &renamed).unwrap_err().to_string();
    assert_eq!(other, "the saved state is of other detectors: it has blast");
    let mut later = state.clone();
    later[0] = 99;
    let other = restored(SMALL, &later).unwrap_err();
    assert!(matches!(other, StateError::OtherVersion { found: 99, .. }), "{other:?}");
    for length in (0..state.len()).step_by(1 + state.len() / 500) {
        assert!(restored(SMALL, &state[..length]).is_err(), "cut at {length}");
    }
    assert!(restored(SMALL, &[&state[..], b"x"].concat()).is_err());
}

#[test]
fn who_is_muted_goes_on_learning_and_has_no_say() {
    let hospital = hospital(SMALL);
    let digest = digest(&hospital);
    let muted = Engine::detector_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut silent = Engine::without(hospital.context, SETTINGS, &muted);
    let mut found = Vec::new();
    for access in &hospital.accesses {
        silent.observe(access, &mut found);
    }
    assert_eq!(found, []);
    // Whoever has a say again knows what all days were like.
    let again = restored(SMALL, &silent.save(digest).unwrap()).unwrap();
    let (whole, _) = small();
    assert_eq!(again.report().explained.visits, whole.report().explained.visits);
}

/// States as earlier releases wrote them. Each is gone on from, or refused by its version; whoever
/// changes what is saved raises the version and adds a file.
#[test]
fn states_of_earlier_releases_are_gone_on_from_or_refused_by_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state");
    let (engine, digest) = small();
    let now = engine.save(digest).unwrap();
    let version = now[0];
    let mut files: Vec<PathBuf> = Vec::new();
    if let Ok(entries) = std::fs::read_dir(&folder) {
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let of_this = folder.join(format!("v{version}.state"));
    if !files.contains(&of_this) {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("v{version}.state"));
        std::fs::write(&made, &now).unwrap();
        panic!("{} is missing; {} is one", of_this.display(), made.display());
    }
    for file in files {
        let state = std::fs::read(&file).unwrap();
        match restored(SMALL, &state) {
            Ok(engine) => {
                assert!(engine.save(digest).unwrap() == state, "{}", file.display());
                assert!(engine.report().explained.visits > 50);
            }
            Err(StateError::OtherVersion { found, .. }) => assert_ne!(found, u32::from(version)),
            Err(StateError::OtherDetectors { .. }) => {}
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }
}
