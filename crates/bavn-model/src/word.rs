//! Words of the program's own (names of detectors and of templates) that come back from saved state.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A word of the program's own. (An alias: serde takes a plain reference to be borrowed from what it
/// reads.)
pub type Word = &'static str;

/// Reads a word that lives as long as the program, as those do that the program itself writes.
///
/// # Errors
/// If the state holds more words than any program has: it is none of ours.
pub fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    kept(text).ok_or_else(|| D::Error::custom("too many words"))
}

/// As [`word`], for a list of them.
///
/// # Errors
/// As [`word`].
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Word>, D::Error> {
    let texts = Vec::<&str>::deserialize(deserializer)?;
    let kept: Option<Vec<_>> = texts.into_iter().map(kept).collect();
    kept.ok_or_else(|| D::Error::custom("too many words"))
}

/// Each word is kept once, however often it comes.
fn kept(text: &str) -> Option<Word> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(text) {
        return Some(word);
    }
    if known.len() >= WORDS_MAX || text.len() > WORD_BYTES_MAX {
        return None;
    }
    let word: Word = Box::leak(text.into());
    known.insert(word);
    Some(word)
}

static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());

/// Detectors, templates and feeds are some dozens.
const WORDS_MAX: usize = 1_000;
const WORD_BYTES_MAX: usize = 100;
