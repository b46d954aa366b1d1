//! A folder that others take from: letters and lists leave the house by it, or not at all.

use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes a new file whole, readable by its owner only; one that is there is never overwritten.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> CommandResult<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = folder.join(name);
    let half = folder.join(format!(".{name}.part"));
    let done = (|| -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        std::fs::hard_link(&half, &path)?;
        std::fs::remove_file(&half)
    })();
    done.with_context(|| format!("`{}` cannot be written", path.display()))
        .map_err(|error| CommandError::new(Kind::Usage, error))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_is_whole_its_owners_and_written_once() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = super::write(folder.path(), "a.txt", b"first").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(super::write(folder.path(), "a.txt", b"second").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert!(super::write(&folder.path().join("none"), "a.txt", b"x").is_err());
    }
}
