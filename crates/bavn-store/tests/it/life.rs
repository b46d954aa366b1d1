//! What is past its time is gone from every file, what is held stays, and the log still proves the rest.

use crate::damage::files;
use crate::region::{Plain, chance, kek, look_ups, now, open, patient_name, record, write};
use bavn_model::Timestamp;
use bavn_store::{
    Depth, Expired, Frame, Keep, Opening, Order, Original, Policy, Purpose, Retired, Store,
    StoreError, Subject, Tombstone, Verified, Window, Writer, verify,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn writer(folder: &Path) -> Writer {
    Writer::open(folder, "test-trust", kek(), chance(61)).unwrap()
}

fn said(why: &str) -> Order {
    Order { by: "kari".to_owned(), why: why.to_owned(), at: now() }
}

/// Look-ups lie 6 to 10 days before [`now`].
fn before(days: i64) -> Timestamp {
    now().plus_secs(-days * 86_400)
}

fn whole(folder: &Path, kept: &str) -> Verified {
    let outside = [(PathBuf::from("kept"), kept.to_owned())];
    let found = verify(folder, &kek(), Depth::LookUps, &outside).unwrap();
    assert!(found.is_whole() && found.agreed.len() == 1, "{found:?}");
    assert!(found.strangers.is_empty(), "{found:?}");
    found
}

/// Everything that the files of a store hold, once they are opened with the store's keys.
fn readable(folder: &Path) -> Vec<u8> {
    let mut all = bavn_store::everything(folder, &kek()).unwrap();
    for path in files(folder) {
        all.extend(std::fs::read(path).unwrap());
    }
    all
}

fn holds(all: &[u8], text: &str) -> bool {
    memchr::memmem::find(all, text.as_bytes()).is_some()
}

fn retain(folder: &Path, policy: &Policy, keep: &[Keep]) -> Expired {
    let mut writer = writer(folder);
    writer.set_policy(policy, now()).unwrap();
    let would = writer.would_expire(policy, keep, now()).unwrap();
    let went = writer.retain(keep, &said("by policy")).unwrap();
    assert_eq!(Expired { names: went.names, ..would }, went);
    went
}

fn look_ups_for(days: u32) -> Policy {
    Policy { look_ups_days: Some(days), ..Policy::default() }
}

#[test]
fn what_is_past_its_time_is_in_no_file_and_the_log_proves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(61, 300);
    write(folder, &all, 60);
    let kept = open(folder).last_checkpoint().unwrap();
    let everything = readable(folder);
    assert!(all.iter().all(|plain| holds(&everything, &plain.original)));
    let (past, stays): (Vec<&Plain>, Vec<&Plain>) =
        all.iter().partition(|plain| plain.at < before(8));
    let went = retain(folder, &look_ups_for(8), &[]);
    assert_eq!((went.look_ups, went.held), (past.len() as u64, 0));
    let left = readable(folder);
    assert!(past.len() > 50 && stays.len() > 50);
    for plain in &past {
        assert!(!holds(&left, &plain.original), "{}", plain.original);
        assert!(!holds(&left, &format!("{:032x}", plain.id)));
    }
    assert!(stays.iter().all(|plain| holds(&left, &plain.original)));
    // Names that only the past used.
    let names = |of: &[&Plain]| -> BTreeSet<String> {
        of.iter()
            .flat_map(|plain| plain.patients.clone().into_iter().chain(plain.who.clone()))
            .collect()
    };
    for name in names(&all.iter().collect::<Vec<_>>()) {
        assert_eq!(holds(&left, &name), names(&stays).contains(&name), "{name}");
    }
    let found = whole(folder, &kept);
    assert_eq!(found.look_ups, stays.len() as u64);
    let [gone] = &found.retired[..] else { panic!("{:?}", found.retired) };
    assert_eq!(
        (gone.what, gone.look_ups, &gone.said),
        (Retired::LookUps, went.look_ups, &said("by policy"))
    );
    let told: u64 = gone.entries.iter().map(|(first, last)| last - first + 1).sum();
    assert_eq!(told, went.look_ups);
    // An entry that is left is proven and opened; of one that is gone, only that it was there.
    let store = open(folder);
    let entry = store.entry_of(stays[0].id).unwrap().unwrap();
    assert!(store.prove(entry, Opening::Shown).is_ok());
    let (first, _) = gone.entries[0];
    assert!(store.prove(first, Opening::Hidden).is_ok());
    let error = store.prove(first, Opening::Shown).unwrap_err();
    assert!(matches!(error, StoreError::Retired { entry, .. } if entry == first), "{error}");
    assert!(store.prove(gone.entry, Opening::Shown).is_ok());
    assert!(store.prove_consistency(&kept, &store.last_checkpoint().unwrap()).unwrap().is_ok());
    // An answer about the time before says so.
    let subject =
        Subject::Identities(stays.iter().filter_map(|plain| plain.who.clone()).take(1).collect());
    let reasons = |from| {
        let scope = store.scope(&subject, Window { from, ..Window::ALL }).unwrap();
        scope.reasons.contains(&bavn_store::Reason::NoLongerKept { before: before(8) })
    };
    assert!(reasons(before(9)) && !reasons(before(8)));
    // Reading the input again brings nothing back.
    let taken = write(folder, &all, 100);
    assert_eq!((taken.new, taken.known, taken.expired), (0, stays.len() as u64, went.look_ups));
    assert_eq!(retain(folder, &look_ups_for(8), &[]), Expired::default());
    // All of it.
    let went = retain(folder, &look_ups_for(1), &[]);
    assert_eq!(went.look_ups, stays.len() as u64);
    let left = readable(folder);
    assert!(all.iter().all(|plain| !holds(&left, &plain.original)));
    assert!(!holds(&left, "hidden-") && !holds(&left, "secret-"));
    assert_eq!(whole(folder, &kept).look_ups, 0);
}

#[test]
fn original_bytes_go_by_a_clock_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(62, 200);
    write(folder, &all, 70);
    let kept = open(folder).last_checkpoint().unwrap();
    let before_that = crate::compact::told(folder, &all);
    let policy = Policy { original: Original::Days(8), ..Policy::default() };
    let went = retain(folder, &policy, &[]);
    let left = readable(folder);
    for plain in &all {
        assert_eq!(holds(&left, &plain.original), plain.at >= before(8), "{}", plain.original);
    }
    assert_eq!((went.look_ups, went.names), (0, 0));
    assert_eq!(crate::compact::told(folder, &all), before_that);
    let found = whole(folder, &kept);
    assert_eq!(
        (found.retired[0].what, found.retired[0].look_ups),
        (Retired::Originals, went.originals)
    );
    // Never kept at all: what comes in now has none, and is proven in full.
    let policy = Policy { original: Original::None, ..Policy::default() };
    assert_eq!(retain(folder, &policy, &[]).originals, all.len() as u64 - went.originals);
    let more = look_ups(63, 20);
    write(folder, &more, 20);
    let left = readable(folder);
    assert!(all.iter().chain(&more).all(|plain| !holds(&left, &plain.original)));
    let store = open(folder);
    let entry = store.entry_of(more[3].id).unwrap().unwrap();
    assert!(store.prove(entry, Opening::Shown).is_ok());
    whole(folder, &kept);
}

#[test]
fn what_is_held_stays_until_the_hold_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(64, 240);
    write(folder, &all, 80);
    let kept = open(folder).last_checkpoint().unwrap();
    let (patient, reader) = (patient_name(7), "Practitioner/secret-4".to_owned());
    let day = Window { from: before(10), to: before(9) };
    let keep = |patients: &[&str], identities: &[&str], window| Keep {
        patients: patients.iter().map(|&name| name.to_owned()).collect(),
        identities: identities.iter().map(|&name| name.to_owned()).collect(),
        window,
    };
    let mut held = writer(folder);
    let whose = said("a letter from the court");
    assert_eq!(held.hold(None, &keep(&[&patient], &[], Window::ALL), &whose).unwrap(), 1);
    assert_eq!(held.hold(None, &keep(&[], &[&reader], day), &whose).unwrap(), 2);
    let error = held.hold(None, &keep(&["Patient/nobody"], &[], Window::ALL), &whose).unwrap_err();
    assert!(matches!(error, StoreError::Unknown { .. }));
    drop(held);
    // What an open case needs is known above the store.
    let case = keep(&[], &["Practitioner/secret-9", "Practitioner/nobody"], Window::ALL);
    let is_held = |plain: &Plain| {
        let by = |name: &str| plain.who.as_deref() == Some(name);
        plain.patients.contains(&patient)
            || (by(&reader) && plain.at < before(9))
            || by("Practitioner/secret-9")
    };
    let count =
        |is_it: &dyn Fn(&Plain) -> bool| all.iter().filter(|plain| is_it(plain)).count() as u64;
    let went = retain(folder, &look_ups_for(1), std::slice::from_ref(&case));
    assert_eq!((went.held, went.look_ups), (count(&is_held), count(&|plain| !is_held(plain))));
    let left = readable(folder);
    for plain in &all {
        assert_eq!(holds(&left, &plain.original), is_held(plain), "{}", plain.original);
    }
    whole(folder, &kept);
    let hold = &open(folder).holds()[0];
    assert_eq!((&hold.placed, hold.of_patients, hold.of_identities), (&whose, true, false));
    // A patient who is held is not shredded.
    let mut held = writer(folder);
    let tombstone = held.tombstone(&patient, now()).unwrap();
    let error = held.shred(&tombstone, &said("asked for")).unwrap_err();
    assert!(matches!(error, StoreError::Held { number: 1 }), "{error}");
    assert!(held.release(1, &said("the court is done")).unwrap());
    assert!(!held.release(1, &said("again")).unwrap());
    drop(held);
    retain(folder, &look_ups_for(1), &[]);
    let left = readable(folder);
    for plain in &all {
        let stays = plain.who.as_deref() == Some(&reader) && plain.at < before(9);
        assert_eq!(holds(&left, &plain.original), stays, "{}", plain.original);
    }
    whole(folder, &kept);
    assert_eq!(open(folder).holds()[0].released, Some(said("the court is done")));
}

/// Look-ups of which some name a patient in text only, and one is by the patient.
fn with_a_patient(seed: u64) -> (Vec<Plain>, String) {
    let mut all = look_ups(seed, 240);
    let patient = patient_name(3);
    all[5].original = format!("<5 searched for {patient}, who is not resolved>");
    all[5].patients.clear();
    "<6 searched for hidden-0000003>".clone_into(&mut all[6].original);
    all[6].patients.clear();
    "<7 searched for hidden-00000031>".clone_into(&mut all[7].original);
    all[7].patients.clear();
    all[8].who = Some(patient.clone());
    for plain in &mut all[10..] {
        if plain.patients.contains(&patient) {
            plain.original = format!("{} of {patient}", plain.original);
        }
    }
    (all, patient)
}

fn counts(store: &Store) -> Vec<String> {
    let subjects = (0..12).map(|number| format!("Practitioner/secret-{number}"));
    let scope = |name: String| store.scope(&Subject::Identities(vec![name]), Window::ALL).unwrap();
    subjects
        .map(scope)
        .map(|scope| {
            format!(
                "{:?} {:?} {:?}",
                (scope.lower, scope.best, scope.upper),
                scope.exposed,
                scope.days
            )
        })
        .collect()
}

#[test]
fn nobody_can_tell_who_a_shredded_patient_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (all, patient) = with_a_patient(65);
    write(folder, &all, 80);
    let kept = open(folder).last_checkpoint().unwrap();
    let before = counts(&open(folder));
    let backup = tempfile::tempdir().unwrap();
    crate::verify::copy(folder, backup.path());
    let tells = |plain: &Plain| {
        plain.patients.contains(&patient)
            || plain.who.as_ref() == Some(&patient)
            || [5, 6].iter().any(|number| plain.original.starts_with(&format!("<{number} ")))
    };
    let told = all.iter().filter(|plain| tells(plain)).count() as u64;
    let mut shredder = writer(folder);
    let tombstone = shredder.tombstone(&patient, now()).unwrap();
    assert_eq!(shredder.spellings(&tombstone).unwrap(), std::slice::from_ref(&patient));
    let shredded = shredder.shred(&tombstone, &said("asked for, and right")).unwrap();
    // As a patient, and as a reader of the own record.
    assert_eq!((shredded.look_ups, shredded.spellings), (told, 2));
    assert_eq!(shredder.shred(&tombstone, &said("again")).unwrap().spellings, 0);
    drop(shredder);
    let left = readable(folder);
    assert!(!holds(&left, &patient));
    for plain in &all {
        assert_eq!(holds(&left, &plain.original), !tells(plain), "{}", plain.original);
        assert_eq!(holds(&left, &format!("{:032x}", plain.id)), !tells(plain));
    }
    // Counts and proofs are what they were.
    assert_eq!(counts(&open(folder)), before);
    let found = whole(folder, &kept);
    assert_eq!((found.look_ups, found.retired[0].what), (240, Retired::Identity));
    let error = open(folder).who(&patient, Window::ALL, &Purpose::Drill).unwrap_err();
    assert!(matches!(error, StoreError::Unknown { .. }));
    // It goes on, and can be put together.
    write(folder, &look_ups(66, 50), 10);
    writer(folder).compact(now()).unwrap();
    whole(folder, &kept);
    assert!(!holds(&readable(folder), &format!("{} of {patient}", all[20].original)));
    restored(backup.path(), &tombstone, &patient);
}

/// A copy from before is shredded again with the tombstone, and a stranger's store is not.
fn restored(backup: &Path, tombstone: &Tombstone, patient: &str) {
    assert!(holds(&readable(backup), patient));
    let line = serde_json::to_string(tombstone).unwrap();
    assert!(!line.contains("hidden-"));
    let tombstone: Tombstone = serde_json::from_str(&line).unwrap();
    let kept = open(backup).last_checkpoint().unwrap();
    let shredded = writer(backup).shred(&tombstone, &said("restored")).unwrap();
    assert_eq!(shredded.spellings, 2);
    assert!(!holds(&readable(backup), patient));
    whole(backup, &kept);
    // Another history under the same key, which gave the number to somebody else.
    let other = tempfile::tempdir().unwrap();
    write(other.path(), &look_ups(67, 300), 300);
    let all_before = readable(other.path()).len();
    let error = writer(other.path()).shred(&tombstone, &said("restored")).unwrap_err();
    assert!(matches!(error, StoreError::OtherHistory), "{error}");
    assert_eq!(readable(other.path()).len(), all_before);
    // A copy from before the patient came.
    let early = tempfile::tempdir().unwrap();
    drop(Writer::open(early.path(), "test-trust", kek(), chance(1)).unwrap());
    let shredded = writer(early.path()).shred(&tombstone, &said("restored")).unwrap();
    assert_eq!((shredded.look_ups, shredded.spellings), (0, 0));
}

#[test]
fn every_spelling_of_a_patient_is_shredded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(68, 120);
    let mut linking = writer(folder);
    let mut frame = Frame::default();
    for plain in &all {
        frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
    }
    linking.take(&frame, now()).unwrap();
    linking.link(|_, name| (name == patient_name(0) || name == patient_name(1)).then_some(17));
    linking.commit(now()).unwrap();
    let tombstone = linking.tombstone(&patient_name(1), now()).unwrap();
    linking.shred(&tombstone, &said("asked for")).unwrap();
    drop(linking);
    let left = readable(folder);
    assert!(!holds(&left, &patient_name(0)) && !holds(&left, &patient_name(1)));
    assert!(holds(&left, &patient_name(2)));
}

/// What had to go is not there any more for whoever began to ask before; that is no fault of the store.
#[test]
fn who_asks_while_something_goes_is_told_to_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = look_ups(70, 60);
    write(folder, &all, 30);
    let asking = open(folder);
    let subject = Subject::Identities(vec!["Practitioner/secret-3".to_owned()]);
    assert!(asking.scope(&subject, Window::ALL).is_ok());
    retain(folder, &look_ups_for(8), &[]);
    let error = asking.who(&patient_name(1), Window::ALL, &Purpose::Drill).unwrap_err();
    assert!(matches!(error, StoreError::Superseded), "{error}");
    assert!(open(folder).scope(&subject, Window::ALL).is_ok());
}

/// A digest over what was retired stands in the log: who changes the list later is found.
#[test]
fn a_flipped_byte_in_the_files_of_a_store_that_has_lived_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (all, patient) = with_a_patient(69);
    write(folder, &all, 40);
    writer(folder).compact(now()).unwrap();
    retain(folder, &look_ups_for(9), &[]);
    let mut shredder = writer(folder);
    let tombstone = shredder.tombstone(&patient, now()).unwrap();
    shredder.shred(&tombstone, &said("asked for")).unwrap();
    drop(shredder);
    let files = files(folder);
    for kind in [".places", ".commits", "-1.retired", "-2.retired"] {
        assert!(files.iter().any(|path| path.to_string_lossy().ends_with(kind)), "{kind}");
    }
    for path in files.iter().filter(|path| !path.ends_with("lock")) {
        let good = std::fs::read(path).unwrap();
        let name = path.strip_prefix(folder).unwrap();
        for at in (0..good.len()).step_by((good.len() / 5).max(1)) {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(path, &bad).unwrap();
            let named: Vec<PathBuf> = match verify(folder, &kek(), Depth::Bytes, &[]) {
                Ok(found) => found.faults.into_iter().map(|fault| fault.file).collect(),
                Err(StoreError::Damaged { path, .. } | StoreError::Missing { path }) => {
                    vec![path.strip_prefix(folder).unwrap().to_owned()]
                }
                Err(error) => unreachable!("{error}"),
            };
            assert!(
                named.iter().any(|named| named == name),
                "{} byte {at}: {named:?}",
                name.display()
            );
        }
        std::fs::write(path, &good).unwrap();
    }
}
