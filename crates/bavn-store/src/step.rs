//! The steps of a commit, at each of which a test can let the disk fail.
//!
//! In the program a step is nothing; in this crate's own tests, [`pass`] fails where it was told to.

use crate::error::Result;

/// What is about to be done to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    SaveKeys,
    BeginSegment,
    FinishSegment,
    AppendToLog,
    WriteIndex,
    WriteNames,
    CloseLog,
    MakeDurable,
    WriteManifest,
    Rename,
    MakeRenameDurable,
    Publish,
    RemoveAsked,
}

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
#[inline]
pub(crate) const fn pass(_: Step) -> Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use tests::pass;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asked::ASKED;
    use crate::error::io;
    use crate::keys::{Chance, Kek};
    use crate::{Depth, Frame, Person, Store, Subject, Window, Writer, verify};
    use bavn_model::{EventId, Flags, Kind, Origin, Outcome, PatientName, Record, Timestamp};
    use std::cell::Cell;
    use std::path::Path;

    thread_local! {
        /// The step that fails, and how often it is passed before.
        static FAILS: Cell<Option<(Step, u32)>> = const { Cell::new(None) };
    }

    pub(crate) fn pass(step: Step) -> Result<()> {
        match FAILS.get() {
            Some((at, 0)) if at == step => {
                FAILS.set(None);
                let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                Err(io(Path::new("disk"), "written")(full))
            }
            Some((at, before)) if at == step => {
                FAILS.set(Some((at, before - 1)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    const STEPS: [Step; 13] = [
        Step::SaveKeys,
        Step::BeginSegment,
        Step::FinishSegment,
        Step::AppendToLog,
        Step::WriteIndex,
        Step::WriteNames,
        Step::CloseLog,
        Step::MakeDurable,
        Step::WriteManifest,
        Step::Rename,
        Step::MakeRenameDurable,
        Step::Publish,
        Step::RemoveAsked,
    ];

    fn kek() -> Kek {
        Kek::read(&[7; 32]).unwrap()
    }

    fn chance() -> Box<Chance> {
        let mut next = 0_u64;
        Box::new(move |bytes| {
            bytes.fill_with(|| {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (next >> 33) as u8
            });
            true
        })
    }

    /// The first of March and of April 2024: the second needs a new key.
    fn now(part: i64) -> Timestamp {
        Timestamp::start_of_day(19_783).plus_secs(part * 31 * 86_400)
    }

    fn frame(numbers: std::ops::Range<u64>) -> Frame {
        let mut frame = Frame::default();
        for number in numbers {
            let patient = format!("Patient/{}", number % 23);
            let who = format!("Practitioner/{}", number / 40);
            let record = Record {
                id: EventId(u128::from(number)),
                at: Timestamp::start_of_day(19_700).plus_secs(number as i64 * 600),
                who: Some(who.into()),
                who_also: Vec::new(),
                on_behalf_of: None,
                application: None,
                patients: std::iter::once(PatientName { name: patient.into(), also: Vec::new() })
                    .collect(),
                resource: None,
                action: None,
                kind: Kind::Read,
                found_by: None,
                purpose: std::iter::empty().collect(),
                reason: None,
                outcome: Outcome::Success,
                source: Some("source".into()),
                address: None,
                session: None,
                query: None,
                sequence: None,
                origin: Origin::default(),
                flags: Flags::NONE,
            };
            frame.push(&record, b"as the source wrote it", "input");
        }
        frame
    }

    fn look_ups_of(folder: &Path, who: &str) -> u64 {
        let who = Subject::Identities(vec![who.to_owned()]);
        Store::open(folder, &kek()).unwrap().scope(&who, Window::ALL).unwrap().look_ups
    }

    /// A process that goes on after a full disk: what it says is known must be in the store.
    fn goes_on_after(step: Step, before: u32) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(folder.path(), "north", kek(), chance()).unwrap();
        writer.take(&frame(0..300), now(0)).unwrap();
        writer.commit(now(0)).unwrap();
        let (kept, added) = (writer.rows(), writer.added());
        let checkpoint = std::fs::read_to_string(folder.path().join("proof/checkpoint")).unwrap();
        let asked = frame(900..901);
        Store::open(folder.path(), &kek()).unwrap().leave_asked(&asked, &mut *chance()).unwrap();

        FAILS.set(Some((step, before)));
        let taken = writer.take(&frame(200..700), now(1));
        let failed = taken.and_then(|_| writer.commit(now(1)));
        assert!(FAILS.get().is_none(), "{step:?} was never reached");
        assert!(failed.is_err(), "{step:?}");
        let is_in_force =
            matches!(step, Step::MakeRenameDurable | Step::Publish | Step::RemoveAsked);
        let look_ups = Store::open(folder.path(), &kek()).unwrap().as_of().look_ups;
        assert_eq!(look_ups, if is_in_force { 701 } else { kept }, "{step:?}");
        assert_eq!(writer.rows(), look_ups, "{step:?}");
        assert_eq!(writer.added(), if is_in_force { 700 } else { added }, "{step:?}");

        // What was lost comes again, with more.
        let again = writer.take(&frame(200..700), now(1)).unwrap();
        assert_eq!(again.new, if is_in_force { 0 } else { 400 }, "{step:?}");
        assert_eq!(writer.take(&frame(700..800), now(1)).unwrap().new, 100);
        writer.link(|person, _| (person == Person::Identity).then_some(1));
        writer.commit(now(1)).unwrap();
        assert_eq!(writer.added(), 800, "{step:?}");
        drop(writer);
        let outside = [("kept".into(), checkpoint)];
        let found = verify(folder.path(), &kek(), Depth::LookUps, &outside).unwrap();
        assert!(found.is_whole() && !found.published_late, "{step:?}: {:?}", found.faults);
        assert!(found.strangers.is_empty(), "{step:?}: {:?}", found.strangers);
        assert_eq!(found.look_ups, 801, "{step:?}");
        assert_eq!(std::fs::read_dir(folder.path().join(ASKED)).unwrap().count(), 0, "{step:?}");
        let mut again = Writer::open(folder.path(), "north", kek(), chance()).unwrap();
        assert_eq!(again.take(&frame(0..800), now(1)).unwrap().new, 0, "{step:?}");
        // All readers were said to be one: all that were known by then.
        let linked = if is_in_force { 801 } else { 800 };
        assert_eq!(look_ups_of(folder.path(), "Practitioner/9"), linked, "{step:?}");
    }

    #[test]
    fn whatever_step_of_a_commit_fails_a_writer_that_goes_on_loses_nothing() {
        for step in STEPS {
            goes_on_after(step, 0);
        }
        // In the midst of the index.
        goes_on_after(Step::WriteIndex, 2);
    }

    #[test]
    fn an_index_that_could_not_be_made_anew_leaves_the_old_one_in_force() {
        let steps = [
            Step::WriteIndex,
            Step::CloseLog,
            Step::MakeDurable,
            Step::WriteManifest,
            Step::Rename,
            Step::MakeRenameDurable,
            Step::Publish,
        ];
        for step in steps {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = Writer::open(folder.path(), "north", kek(), chance()).unwrap();
            writer.take(&frame(0..100), now(0)).unwrap();
            writer.commit(now(0)).unwrap();
            FAILS.set(Some((step, 0)));
            assert!(writer.rebuild_index(now(0)).is_err(), "{step:?}");
            let found = verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap();
            assert!(found.is_whole() && found.strangers.is_empty(), "{step:?}: {found:?}");
            assert_eq!(writer.rebuild_index(now(0)).unwrap(), 100, "{step:?}");
            let found = verify(folder.path(), &kek(), Depth::LookUps, &[]).unwrap();
            assert!(found.is_whole() && found.strangers.is_empty(), "{step:?}: {found:?}");
        }
    }

    /// The disk fails again while the commit in force is read: the next attempt begins with that.
    #[test]
    fn a_writer_that_could_not_go_back_does_so_before_it_takes_anything() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(folder.path(), "north", kek(), chance()).unwrap();
        writer.take(&frame(0..100), now(0)).unwrap();
        writer.commit(now(0)).unwrap();
        let (manifest, away) = (folder.path().join("manifest"), folder.path().join("away"));
        writer.take(&frame(100..200), now(0)).unwrap();
        std::fs::rename(&manifest, &away).unwrap();
        FAILS.set(Some((Step::FinishSegment, 0)));
        assert!(writer.commit(now(0)).is_err());
        let error = writer.take(&frame(100..200), now(0)).unwrap_err();
        assert!(error.is_integrity(), "{error}");
        std::fs::rename(&away, &manifest).unwrap();
        assert_eq!(writer.take(&frame(100..200), now(0)).unwrap().new, 100);
        writer.commit(now(0)).unwrap();
        assert_eq!((writer.rows(), writer.added()), (200, 200));
    }
}
