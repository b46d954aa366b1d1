//! A list that leaves the house: sealed under a key of its own, which travels another way.
//!
//! ```text
//! "bavnlist" | nonce, 12 bytes | AES-256-GCM of the list | tag, 16 bytes
//! ```

use crate::error::{Result, StoreError};
use crate::keys::{Chance, KEY_BYTES, cipher, random, to_hex};
use ring::aead::{Aad, NONCE_LEN, Nonce};

/// Seals a list: the file, and the key as 64 hexadecimal digits, which is kept nowhere.
pub fn seal_list(plain: &[u8], chance: &mut Chance) -> Result<(Vec<u8>, String)> {
    let key: [u8; KEY_BYTES] = random(chance)?;
    let nonce: [u8; NONCE_LEN] = random(chance)?;
    let mut sealed = plain.to_vec();
    cipher(&key)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(MAGIC),
            &mut sealed,
        )
        .map_err(|_| StoreError::Library { doing: "sealing" })?;
    Ok(([MAGIC, &nonce, &sealed].concat(), to_hex(&key)))
}

/// Opens a sealed list; none if the key is another's or a byte was changed.
pub fn open_list(file: &[u8], key: &str) -> Option<Vec<u8>> {
    let rest = file.strip_prefix(MAGIC)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
    let key = crate::keys::from_hex(key.trim()).filter(|key| key.len() == KEY_BYTES)?;
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(&key).ok()?.open_in_place(nonce, Aad::from(MAGIC), &mut sealed).ok()?;
    Some(plain.to_vec())
}

const MAGIC: &[u8] = b"bavnlist";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_opens_with_its_own_key_and_whole_only() {
        let mut next = 0_u8;
        let mut chance = |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(1);
                next
            });
            true
        };
        let (file, key) = seal_list(b"patient,letter", &mut chance).unwrap();
        let (_, other) = seal_list(b"", &mut chance).unwrap();
        assert!(!file.windows(7).any(|part| part == b"patient"));
        assert_eq!(open_list(&file, &key).unwrap(), b"patient,letter");
        assert_eq!(open_list(&file, &other), None);
        assert_eq!(open_list(&file, "short"), None);
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert_eq!(open_list(&bad, &key), None, "byte {at}");
            assert_eq!(open_list(&file[..at], &key), None, "cut at {at}");
        }
        assert!(seal_list(b"x", &mut |_: &mut [u8]| false).is_err(), "without randomness");
    }
}
