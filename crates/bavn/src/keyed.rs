//! Keyed digests: what a digest stands for cannot be guessed without the key.

use hmac::{Hmac, KeyInit, Mac};
use std::fmt::Write as _;

/// HMAC-SHA-256 (RFC 2104) in lower-case hexadecimal.
pub(crate) fn digest(key: &[u8], bytes: &[u8]) -> String {
    // HMAC takes keys of any length: longer ones are hashed first.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}

/// SHA-256, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    bavn_store::to_hex(&sha2::Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    #[test]
    fn equals_the_test_case_of_rfc_4231() {
        let digest = super::digest(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
