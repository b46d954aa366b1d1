//! What explained each visit is stored with it, and leaves of a scope what a plain scan would.

use crate::region::{Dice, Plain, chance, kek, look_ups, now, open, record};
use bavn_model::Timestamp;
use bavn_store::{
    Class, Depth, Frame, Judged, Order, Policy, Purpose, Reached, Reason, Subject, Window, Writer,
    class, verify,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Reader, patient, beginning of a visit.
type Visit = (u32, u32, Timestamp);

fn number(name: &str) -> u32 {
    name.rsplit('-').next().unwrap().parse().unwrap()
}

/// The visits of all exposing look-ups, and to which each look-up belongs.
fn visits(all: &[Plain]) -> BTreeMap<(u128, u32), Visit> {
    let mut exposing: Vec<&Plain> = all
        .iter()
        .filter(|plain| class(plain.kind, plain.outcome, plain.flags).exposes())
        .collect();
    exposing.sort_by_key(|plain| plain.at);
    let mut open: BTreeMap<(u32, u32), Timestamp> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for plain in exposing {
        let Some(who) = plain.who.as_deref().map(number) else { continue };
        for patient in plain.patients.iter().map(|name| number(name)) {
            let since = open.entry((who, patient)).or_insert(plain.at);
            if plain.at.secs_since(*since) > 12 * 3_600 {
                *since = plain.at;
            }
            found.insert((plain.id, patient), (who, patient, *since));
        }
    }
    found
}

/// A verdict for most visits, and a later one for some.
fn judge(visits: &BTreeMap<(u128, u32), Visit>, seed: u64) -> Vec<Judged> {
    let mut dice = Dice(seed);
    let mut judged = Vec::new();
    for (identity, patient, since) in visits.values().copied().collect::<BTreeSet<Visit>>() {
        let (reached, by) = match dice.below(10) {
            0..=4 => (Reached::Explained, "stay_in_unit"),
            5 | 6 => (Reached::Unexplained, ""),
            7 => (Reached::MadeByReader, "order"),
            8 => (Reached::CannotJudge, "roster"),
            _ => continue,
        };
        let first = Judged { identity, patient, since, at: since, reached, by, known_at: None };
        judged.push(first);
        if reached != Reached::Explained && dice.below(3) == 0 {
            judged.push(Judged {
                at: since.plus_secs(86_400),
                reached: Reached::Explained,
                by: "booking",
                known_at: Some(since.plus_secs(7_200)),
                ..first
            });
        }
    }
    judged
}

/// Writes look-ups and verdicts in several commits; the verdicts come too early and too late.
fn write(folder: &Path, all: &[Plain], judged: &[Judged], commits: usize) {
    let mut writer = Writer::open(folder, "test-trust", kek(), chance(1)).unwrap();
    let mut judged = judged.to_vec();
    judged.sort_by_key(|held| held.at);
    let parts = judged.chunks(judged.len().div_ceil(commits).max(1)).map(Some);
    let parts = parts.chain(std::iter::repeat(None));
    for (part, judged) in all.chunks(all.len().div_ceil(commits)).zip(parts) {
        let mut frame = Frame::default();
        for plain in part {
            frame.push(&record(plain), plain.original.as_bytes(), "input-file-name.ndjson");
        }
        writer.judge(judged.unwrap_or_default().iter().copied());
        writer.take(&frame, now()).unwrap();
        writer.link(|_, name| Some(number(name)));
        writer.commit(now()).unwrap();
    }
    assert_eq!(writer.judged(), 0);
}

/// What is left of a subject's patients by a plain scan: all, those certainly unexplained, and how
/// many were explained.
fn slow(
    all: &[Plain],
    judged: &[Judged],
    is_it: impl Fn(&Plain) -> bool,
    window: Window,
) -> (BTreeSet<String>, u64, u64) {
    let visits = visits(all);
    let mut last: BTreeMap<Visit, &Judged> = BTreeMap::new();
    for held in judged {
        let slot = last.entry((held.identity, held.patient, held.since)).or_insert(held);
        if slot.at <= held.at {
            *slot = held;
        }
    }
    let mut of_patients: BTreeMap<&String, (BTreeSet<Option<Reached>>, bool)> = BTreeMap::new();
    for plain in all.iter().filter(|plain| is_it(plain)) {
        let how = class(plain.kind, plain.outcome, plain.flags);
        if !how.exposes() || plain.at < window.from || plain.at >= window.to {
            continue;
        }
        for patient in &plain.patients {
            let visit = visits.get(&(plain.id, number(patient)));
            let reached = visit.and_then(|visit| last.get(visit)).map(|held| held.reached);
            let found = of_patients.entry(patient).or_default();
            found.0.insert(reached);
            found.1 |= matches!(how, Class::Certain(_));
        }
    }
    let explained = |reached: &BTreeSet<Option<Reached>>| {
        reached.iter().all(|one| *one == Some(Reached::Explained))
    };
    let unexplained = |reached: &BTreeSet<Option<Reached>>| {
        reached.contains(&Some(Reached::Unexplained))
            || reached.contains(&Some(Reached::MadeByReader))
    };
    let left = of_patients.iter().filter(|(_, (reached, _))| !explained(reached));
    let lower = left.clone().filter(|(_, (reached, certain))| *certain && unexplained(reached));
    let explained = of_patients.values().filter(|(reached, _)| explained(reached)).count();
    (
        left.clone().map(|(name, _)| (*name).clone()).collect(),
        lower.count() as u64,
        explained as u64,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_scope_without_what_was_explained_is_that_of_a_plain_scan(
        seed in any::<u64>(),
        commits in 1_usize..6,
        from in 0_i64..5 * 86_400,
        length in 1_i64..5 * 86_400,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let all = look_ups(seed, 900);
        let judged = judge(&visits(&all), seed);
        write(folder.path(), &all, &judged, commits);
        let store = open(folder.path());
        let start = now().plus_secs(-10 * 86_400);
        let cut = Window { from: start.plus_secs(from), to: start.plus_secs(from + length) };
        let names: Vec<String> = (0..12).map(|who| format!("Practitioner/secret-{who}")).collect();
        let known = |name: &String| all.iter().any(|plain| plain.who.as_ref() == Some(name));
        let host = "workplace-1".to_owned();
        for window in [cut, Window::ALL] {
            let check = |subject: Subject, is_it: &dyn Fn(&Plain) -> bool| {
                let (left, lower, explained) = slow(&all, &judged, is_it, window);
                let scope = store.scope_unexplained(&subject, window).unwrap();
                let spelt = store.patient_names(&scope.exposed, &Purpose::Drill).unwrap();
                let found: BTreeSet<String> =
                    spelt.into_iter().map(|mut all| all.swap_remove(0)).collect();
                assert_eq!(found, left);
                assert_eq!((scope.lower, scope.best), (lower, left.len() as u64));
                let said = scope.explained.unwrap();
                assert_eq!(said.patients, explained);
                assert_eq!(said.judged_until, judged.iter().map(|held| held.at).max());
                let whole = store.scope(&subject, window).unwrap();
                assert_eq!(whole.best, scope.best + explained);
                assert_eq!(whole.look_ups, scope.look_ups + said.look_ups);
                let open = scope.reasons.iter().find_map(|reason| match reason {
                    Reason::NotJudged { patients } => Some(*patients),
                    _ => None,
                });
                assert_eq!(open.unwrap_or(0), said.not_judged);
            };
            for name in names.iter().filter(|name| known(name)).take(4) {
                let is_it = |plain: &Plain| plain.who.as_ref() == Some(name);
                check(Subject::Identities(vec![name.clone()]), &is_it);
            }
            if all.iter().any(|plain| plain.host.as_ref() == Some(&host)) {
                let is_it = |plain: &Plain| plain.host.as_ref() == Some(&host);
                check(Subject::Host(host.clone()), &is_it);
            }
        }
    }
}

#[test]
fn the_same_source_again_stores_no_verdict_twice_and_another_verdict_stands_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(8, 300);
    let judged = judge(&visits(&all), 8);
    write(folder.path(), &all, &judged, 3);
    let files = || std::fs::read_dir(folder.path().join("verdicts")).unwrap().count();
    let (before, as_of) = (files(), open(folder.path()).as_of());
    assert_eq!(before, 3);
    write(folder.path(), &all, &judged, 2);
    assert_eq!((files(), open(folder.path()).as_of()), (before, as_of));
    // With a fuller context the first reading of one visit is another one.
    let mut other = judged.clone();
    let changed = other.iter_mut().find(|held| held.reached == Reached::Unexplained).unwrap();
    (changed.reached, changed.by) = (Reached::Explained, "care_team");
    write(folder.path(), &all, &other, 2);
    assert_eq!(files(), before + 1);
    assert!(verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap().is_whole());
}

#[test]
fn a_verdict_is_a_few_bytes_and_a_changed_one_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(9, 4_000);
    let judged = judge(&visits(&all), 9);
    write(folder.path(), &all, &judged, 1);
    let file = folder.path().join("verdicts/00000001.verdicts");
    let bytes = std::fs::metadata(&file).unwrap().len() as usize;
    assert!(bytes < 10 * judged.len(), "{bytes} bytes for {} verdicts", judged.len());
    let mut changed = std::fs::read(&file).unwrap();
    changed[bytes / 2] ^= 1;
    std::fs::write(&file, changed).unwrap();
    let found = verify(folder.path(), &kek(), Depth::Bytes, &[]).unwrap();
    assert_eq!(found.faults[0].file, Path::new("verdicts/00000001.verdicts"));
}

#[test]
fn verdicts_go_with_the_look_ups_they_speak_of() {
    let folder = tempfile::tempdir().unwrap();
    let all = look_ups(10, 900);
    let judged = judge(&visits(&all), 10);
    write(folder.path(), &all, &judged, 3);
    let bytes = || -> u64 {
        let files = std::fs::read_dir(folder.path().join("verdicts")).unwrap().flatten();
        files.map(|file| file.metadata().unwrap().len()).sum()
    };
    let of_rest = || {
        let from = now().plus_secs(-8 * 86_400);
        let names = (0..12).map(|who| format!("Practitioner/secret-{who}")).collect();
        let window = Window { from, ..Window::ALL };
        let scope =
            open(folder.path()).scope_unexplained(&Subject::Identities(names), window).unwrap();
        let explained = scope.explained.unwrap();
        (scope.lower, scope.best, explained.patients, explained.not_judged)
    };
    let retain = |days| {
        let mut writer = Writer::open(folder.path(), "test-trust", kek(), chance(2)).unwrap();
        let policy = Policy { look_ups_days: Some(days), ..Policy::default() };
        writer.set_policy(&policy, now()).unwrap();
        let said = Order { by: "kari".to_owned(), why: "by policy".to_owned(), at: now() };
        writer.retain(&[], &said).unwrap();
        let found = verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap();
        assert!(found.is_whole() && found.strangers.is_empty(), "{found:?}");
    };
    let (before, rest) = (bytes(), of_rest());
    retain(8);
    assert_eq!(of_rest(), rest);
    assert!(bytes() < before * 3 / 4 && bytes() > before / 4);
    retain(1);
    assert_eq!(bytes(), 0);
}
