//! Rejects are evidence: counted by reason, and written with a keyed digest and no content.

use crate::error::{CommandError, CommandResult, Kind};
use anyhow::Context as _;
use bavn_model::{Origin, Reject};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// How many rejects of each reason.
pub type RejectCounts = BTreeMap<&'static str, u64>;

/// Writes one line a reject (`docs/contracts.md`): `{file, line, byte_offset, reason, hmac}`.
///
/// The digest is keyed (HMAC-SHA-256, RFC 2104), since a row of digits could be guessed from a
/// plain one.
#[derive(Debug)]
pub struct RejectWriter {
    file: BufWriter<File>,
    key: Vec<u8>,
}

#[derive(Serialize)]
struct Rejected<'a> {
    file: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u32>,
    byte_offset: u64,
    reason: &'static str,
    detail: String,
    hmac: String,
}

impl RejectWriter {
    /// Opens `path`, and its key in `path` + `.key`, made on first use and readable by its owner
    /// only.
    pub fn create(path: &Path) -> CommandResult<Self> {
        let mut key_path = path.as_os_str().to_owned();
        key_path.push(".key");
        let key = load_or_make_key(Path::new(&key_path))
            .with_context(|| format!("`{}` cannot be used as key", key_path.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        let file = File::create(path)
            .with_context(|| format!("`{}` cannot be written", path.display()))
            .map_err(|error| CommandError::new(Kind::Usage, error))?;
        Ok(Self { file: BufWriter::new(file), key })
    }

    pub fn write(&mut self, label: &str, reject: &Reject, bytes: &[u8]) -> CommandResult {
        let line = Rejected {
            file: label,
            line: reject.origin.line,
            entry: reject.origin.entry,
            byte_offset: reject.origin.byte_offset,
            reason: reject.reason.code(),
            detail: reject.reason.to_string(),
            hmac: crate::keyed::digest(&self.key, bytes),
        };
        serde_json::to_writer(&mut self.file, &line)?;
        self.file.write_all(b"\n")?;
        Ok(())
    }

    pub fn finish(mut self) -> CommandResult {
        Ok(self.file.flush()?)
    }
}

/// The bytes of a rejected record, if they still stand in the block.
pub fn bytes_of<'b>(reject: &Reject, block: &'b [u8], block_offset: u64) -> &'b [u8] {
    stretch(reject.origin.byte_offset, reject.bytes, block, block_offset)
}

/// The bytes that a record was read from.
pub fn original(origin: Origin, block: &[u8], block_offset: u64) -> &[u8] {
    stretch(origin.byte_offset, origin.bytes, block, block_offset)
}

fn stretch(at: u64, bytes: u64, block: &[u8], block_offset: u64) -> &[u8] {
    let start = at.saturating_sub(block_offset) as usize;
    let end = start.saturating_add(bytes as usize).min(block.len());
    block.get(start..end).unwrap_or(&[])
}

fn load_or_make_key(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.exists() {
        let key = std::fs::read(path)?;
        anyhow::ensure!(key.len() >= KEY_BYTES, "it holds fewer than {KEY_BYTES} bytes");
        return Ok(key);
    }
    let mut key = vec![0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(&key)?;
    Ok(key)
}

const KEY_BYTES: usize = 32;
