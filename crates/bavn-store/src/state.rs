//! What was learned from the look-ups, under the same commit as they. To the store it is bytes.

use crate::error::Result;
use crate::keys::KeyRing;
use crate::manifest::Named;
use crate::sealed::{Sealed, SealedWriter};
use std::path::Path;

pub(crate) fn write(mut file: SealedWriter, state: &[u8]) -> Result<()> {
    for block in state.chunks(BLOCK_BYTES) {
        file.block(block)?;
    }
    file.finish(&[])
}

pub(crate) fn read(store: &Path, file: &Named, ring: &KeyRing) -> Result<Vec<u8>> {
    // An older state in its place would open as well.
    file.check(store)?;
    let sealed = Sealed::open(&store.join(&file.name), STATE, ring)?;
    let mut state = Vec::new();
    for number in 0..sealed.blocks() {
        state.extend_from_slice(&sealed.block(number)?);
    }
    Ok(state)
}

/// What the file is sealed as.
pub(crate) const STATE: &[u8] = b"bavn state 1";
const BLOCK_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use crate::keys::{Kek, counted};
    use crate::{Depth, StoreError, Writer, verify};
    use bavn_model::Timestamp;
    use std::path::Path;

    fn open(store: &Path) -> Writer {
        let chance = counted(0);
        Writer::open(store, "north", Kek::read(&[7; 32]).unwrap(), chance).unwrap()
    }

    fn files(store: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(store.join("state")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_last_state_is_read_and_older_ones_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path();
        let now = Timestamp::start_of_day(20_000);
        let mut writer = open(store);
        assert_eq!(writer.state().unwrap(), None);
        let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        writer.commit_with_state(now, b"secret of the first day").unwrap();
        writer.commit_with_state(now, &large).unwrap();
        writer.commit(now).unwrap();
        drop(writer);
        assert_eq!(files(store), ["00000002.state"]);
        // What a crash left behind.
        std::fs::write(store.join("state/00000003.state"), b"half").unwrap();
        assert_eq!(open(store).state().unwrap(), Some(large));
        assert_eq!(files(store).len(), 1);
        let kek = Kek::read(&[7; 32]).unwrap();
        assert!(verify(store, &kek, Depth::LookUps, &[]).unwrap().is_whole());
    }

    #[test]
    fn a_state_that_was_changed_is_never_gone_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path();
        let now = Timestamp::start_of_day(20_000);
        let mut writer = open(store);
        writer.commit_with_state(now, b"the first day").unwrap();
        let first = std::fs::read(store.join("state/00000001.state")).unwrap();
        assert!(!first.windows(5).any(|window| window == b"first"), "it lies in clear");
        writer.commit_with_state(now, b"the other day").unwrap();
        drop(writer);
        std::fs::write(store.join("state/00000002.state"), first).unwrap();
        let read = open(store).state();
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
        let kek = Kek::read(&[7; 32]).unwrap();
        let found = verify(store, &kek, Depth::Bytes, &[]).unwrap();
        assert_eq!(found.faults[0].file, Path::new("state/00000002.state"));
    }
}
