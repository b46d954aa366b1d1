//! What stands in the log besides look-ups: promises of sources, and where a source has a gap.
//!
//! The log hides each behind a nonce, as it hides a look-up; opened, it is one line of JSON.

use crate::error::Result;
use crate::keys::{Chance, from_hex, random, to_hex};
use crate::manifest::Manifest;
use crate::proof::{Entry, Log, sha256};
use crate::reader::Store;
use crate::row::NONCE_BYTES;
use serde::{Deserialize, Serialize};

/// One statement. Times are in microseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Said {
    /// Somebody declared that a source says something at least so often; 0 takes it back.
    Promised { source: String, every_secs: i64 },
    /// A source said nothing for longer than it promised; without an end, it has not spoken since.
    Missed { source: String, from: i64, to: Option<i64> },
    /// Records with these numbers have not come, though later ones have. The times are those of the
    /// records before and after.
    Gap { source: String, first: u64, last: u64, from: i64, to: i64 },
    /// As many gaps as this that nobody follows one by one: so many numbers among these are missing.
    ManyGaps { source: String, first: u64, last: u64, missing: u64 },
    /// They have come after all.
    Filled { source: String, first: u64, last: u64 },
    /// A source began to count anew.
    CountedAnew { source: String, at: i64 },
    /// Reads that were made for it were looked for.
    Canaries(Canaries),
    /// The machine's clock was behind the last commit.
    ClockBack { clock: i64, last_commit: i64 },
}

/// How many reads on made-up patients were looked for, and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canaries {
    /// Reads that were due.
    pub planned: u64,
    pub found: u64,
    pub from: i64,
    pub to: i64,
    /// With 95 % confidence, less than this part of all reads is lost.
    pub loss_below: f64,
    /// SHA-256 of the plan, in hexadecimal digits.
    pub plan: String,
}

/// A statement as the manifest keeps it: what the log's entry hides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    /// Place in the log.
    pub(crate) entry: u64,
    pub(crate) nonce: String,
    /// JSON.
    pub(crate) text: String,
    /// Of one that was left by another process, so that it is taken in once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_as: Option<String>,
}

impl Statement {
    pub(crate) fn canonical(&self) -> Vec<u8> {
        [HEAD, self.text.as_bytes()].concat()
    }

    /// Nonce and canonical bytes: what a proof shows.
    pub(crate) fn opened(&self) -> Vec<u8> {
        [from_hex(&self.nonce).unwrap_or_default(), self.canonical()].concat()
    }

    pub(crate) fn logged(&self) -> Entry {
        Entry::Statement(sha256(&[&self.opened()]))
    }

    fn said(&self) -> Option<Said> {
        serde_json::from_str(&self.text).ok()
    }
}

/// Puts a statement into the log and the manifest.
pub(crate) fn put(
    said: &Said,
    left_as: Option<&str>,
    manifest: &mut Manifest,
    log: &mut Log,
    chance: &mut Chance,
) -> Result<()> {
    let failed = |_| crate::StoreError::Library { doing: "writing a statement" };
    let text = serde_json::to_string(said).map_err(failed)?;
    let nonce: [u8; NONCE_BYTES] = random(chance)?;
    let left_as = left_as.map(str::to_owned);
    let statement = Statement { entry: log.size(), nonce: to_hex(&nonce), text, left_as };
    log.append(&statement.logged().bytes())?;
    manifest.statements.push(statement);
    Ok(())
}

impl Manifest {
    pub(crate) fn said(&self) -> impl Iterator<Item = Said> {
        self.statements.iter().filter_map(Statement::said)
    }
}

impl Store {
    /// Everything that stands in the log besides look-ups, silences and commits, with its place, in
    /// order.
    pub fn statements(&self) -> Vec<(u64, Said)> {
        let all = self.manifest.statements.iter();
        all.filter_map(|statement| Some((statement.entry, statement.said()?))).collect()
    }
}

const HEAD: &[u8] = b"bavn statement 1\0";
