//! What an entry of the log says. The first byte is its kind; kinds are never given twice.
//!
//! | Kind | Then |
//! |---|---|
//! | 1, a look-up | SHA-256 of its nonce (16 bytes) and its canonical bytes |
//! | 2, a commit | number, time, look-ups (8 bytes each), digest of the manifest, digest of the files it added |
//! | 3, a silence of a source | SHA-256 of its nonce and its canonical bytes |
//! | 4 | kept free for the root of a map from patients to look-ups |
//! | 5, a statement | SHA-256 of its nonce and its canonical bytes |
//! | 6, what was retired | SHA-256 of its nonce and its canonical bytes |

use super::hash::Hash;
use crate::varint::Input;

/// One entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    LookUp(Hash),
    Commit(CommitEntry),
    Silence(Hash),
    Statement(Hash),
    Retired(Hash),
}

/// What a commit says of itself, in clear: nothing in it is about a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommitEntry {
    pub(crate) commit: u64,
    /// Microseconds since the epoch, by the clock of the machine that wrote.
    pub(crate) at: i64,
    pub(crate) rows: u64,
    /// Of the manifest without its part on the log: it names every file with its digest.
    pub(crate) manifest: Hash,
    /// Of the digests of the files that this commit added and that are never written anew.
    pub(crate) added: Hash,
}

impl Entry {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::LookUp(hidden) => {
                out.push(LOOK_UP);
                out.extend_from_slice(hidden);
            }
            Self::Silence(hidden) => {
                out.push(SILENCE);
                out.extend_from_slice(hidden);
            }
            Self::Statement(hidden) => {
                out.push(STATEMENT);
                out.extend_from_slice(hidden);
            }
            Self::Retired(hidden) => {
                out.push(RETIRED);
                out.extend_from_slice(hidden);
            }
            Self::Commit(commit) => {
                out.push(COMMIT);
                out.extend_from_slice(&commit.commit.to_be_bytes());
                out.extend_from_slice(&commit.at.to_be_bytes());
                out.extend_from_slice(&commit.rows.to_be_bytes());
                out.extend_from_slice(&commit.manifest);
                out.extend_from_slice(&commit.added);
            }
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY_BYTES_MAX);
        self.put(&mut bytes);
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let entry = match input.array()? {
            [LOOK_UP] => Self::LookUp(input.array()?),
            [SILENCE] => Self::Silence(input.array()?),
            [STATEMENT] => Self::Statement(input.array()?),
            [RETIRED] => Self::Retired(input.array()?),
            [COMMIT] => Self::Commit(CommitEntry {
                commit: u64::from_be_bytes(input.array()?),
                at: i64::from_be_bytes(input.array()?),
                rows: u64::from_be_bytes(input.array()?),
                manifest: input.array()?,
                added: input.array()?,
            }),
            _ => return None,
        };
        input.is_empty().then_some(entry)
    }
}

const LOOK_UP: u8 = 1;
const COMMIT: u8 = 2;
const SILENCE: u8 = 3;
const STATEMENT: u8 = 5;
const RETIRED: u8 = 6;
const ENTRY_BYTES_MAX: usize = 89;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_nothing_else_is() {
        let commit = CommitEntry { commit: 3, at: -9, rows: 7, manifest: [1; 32], added: [2; 32] };
        let hidden = [
            Entry::LookUp([5; 32]),
            Entry::Silence([6; 32]),
            Entry::Statement([7; 32]),
            Entry::Retired([8; 32]),
        ];
        for entry in hidden.into_iter().chain([Entry::Commit(commit)]) {
            let bytes = entry.bytes();
            assert!(bytes.len() <= ENTRY_BYTES_MAX);
            assert_eq!(Entry::read(&bytes), Some(entry));
            assert_eq!(Entry::read(&bytes[..bytes.len() - 1]), None);
            assert_eq!(Entry::read(&[&bytes[..], &[0]].concat()), None);
        }
        assert_eq!(Entry::read(&[]), None);
        assert_eq!(Entry::read(&[[4].as_slice(), &[0; 32]].concat()), None);
    }
}
