//! Checkpoints: how long the log is, and the root over it, signed (C2SP tlog-checkpoint and
//! signed-note).

use super::hash::{Hash, sha256};
use crate::error::{Result, StoreError};
use crate::keys::KEY_BYTES;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;

/// What a log was at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Entries.
    pub size: u64,
    pub root: [u8; 32],
}

/// Why a checkpoint proves nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    #[error("it is no signed checkpoint")]
    NotOne,
    #[error("it is of another log, `{origin}`")]
    OtherLog { origin: String },
    #[error("it is not signed by this log's key")]
    OtherKey,
    #[error("its signature is wrong: it was changed, or signed by another key")]
    WrongSignature,
    #[error(
        "it counts {outside} entries, the log here {here}: the store was put back to an earlier state"
    )]
    RolledBack { outside: u64, here: u64 },
    #[error("the log here has another root at {size} entries: its history was written anew")]
    Forked { size: u64 },
}

/// The key of a log.
pub struct Signer {
    origin: String,
    pair: Ed25519KeyPair,
}

/// Never prints the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Signer {
    /// The log's name comes from the controller and the key, so no two logs share one.
    pub(crate) fn new(controller: &str, seed: &[u8; KEY_BYTES]) -> Result<Self> {
        let failed = |_| StoreError::Library { doing: "setting the key of the log" };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(failed)?;
        let mark = sha256(&[pair.public_key().as_ref()]);
        let mark = crate::keys::to_hex(mark.get(..6).unwrap_or_default());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let name: String = controller.chars().map(|c| if plain(c) { c } else { '-' }).collect();
        Ok(Self { origin: format!("bavn/{name}/{mark}"), pair })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The verifier's key as Go's `note.NewVerifier` reads it: name, hash and key.
    pub fn verifier(&self) -> String {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(self.pair.public_key().as_ref());
        let id = crate::keys::to_hex(&self.key_id());
        format!("{}+{id}+{}", self.origin, STANDARD.encode(key))
    }

    fn key_id(&self) -> [u8; 4] {
        let public = self.pair.public_key();
        let whole = sha256(&[self.origin.as_bytes(), &[b'\n', ED25519_TYPE], public.as_ref()]);
        let mut id = [0; 4];
        id.copy_from_slice(whole.get(..4).unwrap_or_default());
        id
    }

    /// The checkpoint of a log of this size. The same in, the same out: Ed25519 draws nothing, and no
    /// time stands in it, so an earlier checkpoint can be made again, to the byte.
    pub(crate) fn sign(&self, size: u64, root: &Hash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, STANDARD.encode(root));
        let mut signature = self.key_id().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(signature))
    }

    /// Reads a checkpoint that this log's key has signed. Signatures of others are passed over.
    pub fn open(&self, note: &str) -> std::result::Result<Checkpoint, CheckpointError> {
        let is_control = |byte: u8| byte < b' ' && byte != b'\n';
        if note.len() > NOTE_BYTES_MAX || note.bytes().any(is_control) || !note.ends_with('\n') {
            return Err(CheckpointError::NotOne);
        }
        let split = note.rfind("\n\n").ok_or(CheckpointError::NotOne)?;
        let (text, signatures) = note.split_at(split + 1);
        let checkpoint = Checkpoint::read(text).ok_or(CheckpointError::NotOne)?;
        let mut is_signed = false;
        for line in signatures.trim_matches('\n').split('\n') {
            let (name, signature) = signature_of(line).ok_or(CheckpointError::NotOne)?;
            let Some((id, signature)) = signature.split_first_chunk::<4>() else {
                return Err(CheckpointError::NotOne);
            };
            if name != self.origin || *id != self.key_id() {
                continue;
            }
            UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
                .verify(text.as_bytes(), signature)
                .map_err(|_| CheckpointError::WrongSignature)?;
            is_signed = true;
        }
        if checkpoint.origin != self.origin {
            return Err(CheckpointError::OtherLog { origin: checkpoint.origin });
        }
        if is_signed { Ok(checkpoint) } else { Err(CheckpointError::OtherKey) }
    }
}

impl Checkpoint {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let digits = lines.next()?;
        let size: u64 = digits.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let is_plain = size.to_string() == digits && lines.all(|line| !line.is_empty());
        is_plain.then_some(Self { origin, size, root })
    }
}

/// Name and signature of a line `— name base64`.
fn signature_of(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    Some((name, STANDARD.decode(signature).ok()?))
}

/// The signature type of Ed25519 in signed notes.
const ED25519_TYPE: u8 = 1;
/// Room for many signatures of witnesses.
const NOTE_BYTES_MAX: usize = 64 << 10;
/// The published checkpoint, below the folder of the log.
pub(crate) const CHECKPOINT: &str = "proof/checkpoint";
/// The verifier's key, beside it.
pub(crate) const VERIFIER: &str = "proof/verifier.key";

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("Sykehuset Nord + Sør", &[3; KEY_BYTES]).unwrap()
    }

    #[test]
    fn a_checkpoint_is_read_back_and_any_other_byte_refused() {
        let signer = signer();
        assert!(signer.origin().starts_with("bavn/Sykehuset-Nord---S-r/"), "{}", signer.origin());
        let note = signer.sign(70_000, &[9; 32]);
        let read = signer.open(&note).unwrap();
        assert_eq!((read.size, read.root), (70_000, [9; 32]));
        assert_eq!(note, signer.sign(70_000, &[9; 32]));
        for at in 0..note.len() {
            for flip in [1, 4, 0x20] {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= flip;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                assert!(signer.open(&changed).is_err(), "byte {at}: {changed}");
            }
        }
    }

    #[test]
    fn another_key_another_log_and_a_forged_line_are_told_apart() {
        let (ours, other) = (signer(), Signer::new("south", &[4; KEY_BYTES]).unwrap());
        let theirs = other.sign(5, &[1; 32]);
        let origin = other.origin().to_owned();
        assert_eq!(ours.open(&theirs), Err(CheckpointError::OtherLog { origin }));
        let body = ours.sign(5, &[1; 32]);
        let (text, _) = body.split_once("\n\n").unwrap();
        let (_, foreign) = theirs.split_once("\n\n").unwrap();
        let unsigned = format!("{text}\n\n{foreign}");
        assert_eq!(ours.open(&unsigned), Err(CheckpointError::OtherKey));
        // A witness's line beside ours changes nothing.
        let witnessed = format!("{body}{foreign}");
        assert_eq!(ours.open(&witnessed).unwrap().size, 5);
        let longer = body.replacen("\n5\n", "\n6\n", 1);
        assert_eq!(ours.open(&longer), Err(CheckpointError::WrongSignature));
        for bad in [
            "",
            "\n\n",
            "a\n1\nb\n",
            &body.replace('\n', "\r\n"),
            &body.replacen("\n5\n", "\n05\n", 1),
        ] {
            assert_eq!(ours.open(bad), Err(CheckpointError::NotOne), "{bad}");
        }
    }
}
