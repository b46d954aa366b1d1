//! Which keys open this store, and is the one given the right one?
//!
//! Envelope encryption: the controller's key (KEK) wraps one data key for the store itself and one a
//! month for what is written in that month, so that a year of segments is readable with twelve keys
//! and a new KEK rewrites one small file. AES-256-GCM (NIST SP 800-38D), HKDF-SHA-256 (RFC 5869).

use crate::error::{Result, StoreError, named};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Fills bytes with randomness fit for keys; the edge knows where it comes from.
pub type Chance = dyn FnMut(&mut [u8]) -> bool + Send;

/// Bytes of every key.
pub const KEY_BYTES: usize = 32;

/// The key-encryption key of one controller, which lies outside the store.
pub struct Kek([u8; KEY_BYTES]);

/// Never prints the key.
impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(redacted)")
    }
}

impl Kek {
    /// From the content of a key file or what a key command printed: 32 bytes, or 64 hexadecimal
    /// digits with white space around them.
    pub fn read(content: &[u8]) -> Result<Self> {
        if let Ok(raw) = content.try_into() {
            return Ok(Self(raw));
        }
        let digits = std::str::from_utf8(content.trim_ascii()).unwrap_or_default();
        let bytes = from_hex(&digits.to_ascii_lowercase());
        match bytes.and_then(|bytes| bytes.try_into().ok()) {
            Some(key) => Ok(Self(key)),
            None => Err(StoreError::NotAKey { bytes: content.len() }),
        }
    }

    /// Tells a wrong key from a changed store, and nothing about the key.
    fn check_value(&self, controller: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut told = hmac::Context::with_key(&key);
        told.update(b"bavn key check 1\0");
        told.update(controller.as_bytes());
        let tag = told.sign();
        to_hex(tag.as_ref().get(..16).unwrap_or_default())
    }
}

/// Which data key: 0 for the store itself, else year times 100 plus month.
pub(crate) type KeyId = u32;

/// The data key under which the manifest and the dictionaries lie.
pub(crate) const STORE_KEY: KeyId = 0;

/// The key that signs the log's checkpoints.
pub(crate) const LOG_KEY: KeyId = 1;

/// The data keys of a store, unwrapped.
pub(crate) struct KeyRing {
    controller: String,
    keys: BTreeMap<KeyId, [u8; KEY_BYTES]>,
    wrapped: Vec<Wrapped>,
    check: String,
}

/// Never prints a key.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    format: u32,
    controller: String,
    check: String,
    keys: Vec<Wrapped>,
    /// SHA-256 of the file with this left empty: tells a changed file from a wrong key.
    sum: String,
}

impl RingFile {
    fn summed(mut self) -> Result<Self> {
        self.sum = String::new();
        let failed = |_| StoreError::Library { doing: "writing the key ring" };
        let bytes = serde_json::to_vec(&self).map_err(failed)?;
        self.sum = to_hex(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
        Ok(self)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    id: KeyId,
    nonce: String,
    key: String,
}

impl KeyRing {
    /// A ring for a new store.
    pub(crate) fn make(controller: &str, kek: &Kek, chance: &mut Chance) -> Result<Self> {
        let mut ring = Self {
            controller: controller.to_owned(),
            keys: BTreeMap::new(),
            wrapped: Vec::new(),
            check: kek.check_value(controller),
        };
        ring.ensure(STORE_KEY, kek, chance)?;
        ring.ensure(LOG_KEY, kek, chance)?;
        Ok(ring)
    }

    /// Opens the ring that lies at `path`.
    pub(crate) fn open(path: &Path, kek: &Kek) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(named(path))?;
        let damaged = || StoreError::damaged(path, "it is no key ring");
        let file: RingFile = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let sum = file.sum.clone();
        let file = file.summed()?;
        if sum != file.sum || serde_json::to_vec(&file).ok().as_deref() != Some(&bytes) {
            return Err(damaged());
        }
        let RingFile { format, controller, check, keys: wrapped, .. } = file;
        if format > FORMAT {
            let path = path.to_owned();
            return Err(StoreError::NewerFormat { path, found: format, known: FORMAT });
        }
        if format != FORMAT {
            return Err(damaged());
        }
        let is_right = kek.check_value(&controller) == check;
        let mut keys = BTreeMap::new();
        for held in &wrapped {
            if let Some(key) = unwrap(kek, &controller, held) {
                keys.insert(held.id, key);
            }
        }
        // A key that opens everything is the right one, whatever the check value has become.
        let opens = keys.len() == wrapped.len() && keys.contains_key(&STORE_KEY);
        match (is_right, opens) {
            (true, true) => Ok(Self { controller, keys, wrapped, check }),
            (false, false) => Err(StoreError::WrongKey { controller }),
            _ => Err(StoreError::damaged(path, "the key fits, a wrapped key does not")),
        }
    }

    /// Writes the ring at `path`, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let file = RingFile {
            format: FORMAT,
            controller: self.controller.clone(),
            check: self.check.clone(),
            keys: self.wrapped.clone(),
            sum: String::new(),
        };
        let bytes = serde_json::to_vec(&file.summed()?)
            .map_err(|_| StoreError::Library { doing: "writing the key ring" })?;
        crate::files::replace(path, &bytes)
    }

    /// Makes the data key `id` unless there is one. True if it is new.
    pub(crate) fn ensure(&mut self, id: KeyId, kek: &Kek, chance: &mut Chance) -> Result<bool> {
        if self.keys.contains_key(&id) {
            return Ok(false);
        }
        let key: [u8; KEY_BYTES] = random(chance)?;
        self.wrapped.push(wrap(kek, &self.controller, id, &key, chance)?);
        self.keys.insert(id, key);
        Ok(true)
    }

    /// The same data keys under another KEK.
    pub(crate) fn rewrap(&mut self, kek: &Kek, chance: &mut Chance) -> Result<()> {
        self.check = kek.check_value(&self.controller);
        self.wrapped = self
            .keys
            .iter()
            .map(|(&id, key)| wrap(kek, &self.controller, id, key, chance))
            .collect::<Result<_>>()?;
        Ok(())
    }

    pub(crate) fn controller(&self) -> &str {
        &self.controller
    }

    /// Every data key.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8; KEY_BYTES]> {
        self.keys.values()
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&[u8; KEY_BYTES]> {
        self.keys.get(&id)
    }
}

fn wrap(
    kek: &Kek,
    controller: &str,
    id: KeyId,
    key: &[u8; KEY_BYTES],
    chance: &mut Chance,
) -> Result<Wrapped> {
    let nonce: [u8; NONCE_LEN] = random(chance)?;
    let mut sealed = key.to_vec();
    let aad = format!("bavn data key\0{controller}\0{id}");
    cipher(&kek.0)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| StoreError::Library { doing: "sealing a key" })?;
    Ok(Wrapped { id, nonce: to_hex(&nonce), key: to_hex(&sealed) })
}

fn unwrap(kek: &Kek, controller: &str, held: &Wrapped) -> Option<[u8; KEY_BYTES]> {
    let nonce: [u8; NONCE_LEN] = from_hex(&held.nonce)?.try_into().ok()?;
    let mut sealed = from_hex(&held.key)?;
    let aad = format!("bavn data key\0{controller}\0{}", held.id);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let opened = cipher(&kek.0).ok()?.open_in_place(nonce, Aad::from(aad.as_bytes()), &mut sealed);
    (&*opened.ok()?).try_into().ok()
}

pub(crate) fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Library { doing: "setting a key" })
}

/// The key of one file: no two files share one, so that block numbers can be nonces.
pub(crate) fn file_key(key: &[u8; KEY_BYTES], salt: &[u8], what: &[u8]) -> Result<LessSafeKey> {
    let failed = |_| StoreError::Library { doing: "deriving a key" };
    let mut bytes = [0; KEY_BYTES];
    let info = [what];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key);
    let expanded = extracted.expand(&info, hkdf::HKDF_SHA256).map_err(failed)?;
    expanded.fill(&mut bytes).map_err(failed)?;
    cipher(&bytes)
}

pub(crate) fn random<const N: usize>(chance: &mut Chance) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    if chance(&mut bytes) {
        return Ok(bytes);
    }
    Err(StoreError::Library { doing: "drawing random bytes" })
}

/// Lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _never = write!(text, "{byte:02x}");
    }
    text
}

/// Lower-case digits only: what was written has one spelling.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}

/// Puts the ring of a store under another KEK; segments stay as they are.
pub fn rotate(store: &Path, old: &Kek, new: &Kek, chance: &mut Chance) -> Result<()> {
    let _lock = crate::files::lock(store)?;
    let path = store.join(RING);
    let mut ring = KeyRing::open(&path, old)?;
    ring.rewrap(new, chance)?;
    ring.save(&path)
}

/// A month's data key in hexadecimal digits, for another program that reads segments. The keys of
/// the store itself and of its log are no month's and stay inside.
pub fn export(store: &Path, kek: &Kek, month: u32) -> Result<Option<String>> {
    let ring = KeyRing::open(&store.join(RING), kek)?;
    let is_month = month > LOG_KEY;
    Ok(ring.key(month).filter(|_| is_month).map(|key| to_hex(key)))
}

pub(crate) const RING: &str = "keys/ring.json";
const FORMAT: u32 = 1;

/// Bytes for tests: the same each time, and others for another first one.
#[cfg(test)]
pub(crate) fn counted(first: u8) -> Box<Chance> {
    let mut next = first;
    Box::new(move |bytes| {
        bytes.fill_with(|| {
            next = next.wrapping_mul(5).wrapping_add(1);
            next
        });
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> Box<Chance> {
        let mut next = 0_u8;
        Box::new(move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
            true
        })
    }

    #[test]
    fn a_wrong_key_is_told_from_a_changed_ring() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.json");
        let (kek, other) = (Kek([1; 32]), Kek([2; 32]));
        let mut chance = counting();
        let mut ring = KeyRing::make("north", &kek, &mut *chance).unwrap();
        assert!(ring.ensure(202_611, &kek, &mut *chance).unwrap());
        assert!(!ring.ensure(202_611, &kek, &mut *chance).unwrap());
        ring.save(&path).unwrap();
        let again = KeyRing::open(&path, &kek).unwrap();
        assert_eq!((again.keys, again.controller.as_str()), (ring.keys.clone(), "north"));
        assert!(KeyRing::open(&path, &other).unwrap_err().is_refusal());

        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            for flip in [1, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                std::fs::write(&path, &bad).unwrap();
                let error = KeyRing::open(&path, &kek).unwrap_err();
                assert!(error.is_integrity(), "byte {at}: {error}");
            }
        }
    }

    #[test]
    fn a_new_kek_opens_the_same_keys_and_the_old_one_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.json");
        let (old, new) = (Kek([1; 32]), Kek([2; 32]));
        let mut chance = counting();
        let mut ring = KeyRing::make("north", &old, &mut *chance).unwrap();
        ring.rewrap(&new, &mut *chance).unwrap();
        ring.save(&path).unwrap();
        assert_eq!(KeyRing::open(&path, &new).unwrap().keys, ring.keys);
        assert!(KeyRing::open(&path, &old).unwrap_err().is_refusal());
    }

    #[test]
    fn keys_come_as_bytes_or_digits() {
        assert_eq!(Kek::read(&[7; 32]).unwrap().0, [7; 32]);
        assert_eq!(Kek::read(format!(" {}\n", "0A".repeat(32)).as_bytes()).unwrap().0, [10; 32]);
        for bad in [&b""[..], b"secret", &[7; 33], "é".repeat(32).as_bytes()] {
            assert!(Kek::read(bad).unwrap_err().is_refusal());
        }
    }
}
