//! Where in the acts on cases does a patient still stand?
//!
//! Alarms name no patient, but hold marks by which two sets of patients are compared, and a note may say
//! anything.

use bavn_detect::cases::mark;
use serde_json::Value;
use std::collections::BTreeSet;

/// A patient, by everything that an act may hold.
#[derive(Debug)]
pub(crate) struct Forgotten {
    /// The longest first: a bare value is part of a name.
    texts: Vec<String>,
    marks: BTreeSet<u64>,
}

impl Forgotten {
    pub(crate) fn new(spellings: &[String]) -> Self {
        let bare = spellings.iter().filter_map(|name| name.rsplit(['|', '/']).next());
        let texts = spellings.iter().map(String::as_str).chain(bare).map(str::to_owned);
        let texts: BTreeSet<String> = texts.filter(|text| !text.is_empty()).collect();
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { texts, marks: spellings.iter().map(|name| mark(name)).collect() }
    }

    /// True if there was anything.
    pub(crate) fn take_out(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.take_out_of_text(text),
            Value::Array(values) => {
                let before = values.len();
                values
                    .retain(|value| value.as_u64().is_none_or(|mark| !self.marks.contains(&mark)));
                let is_shorter = values.len() < before;
                values.iter_mut().fold(is_shorter, |any, value| self.take_out(value) | any)
            }
            Value::Object(fields) => {
                fields.values_mut().fold(false, |any, value| self.take_out(value) | any)
            }
            _ => false,
        }
    }

    /// Whether a name tells of the patient. A short bare value stands for other things as well, such as
    /// the end of an address.
    pub(crate) fn stands_in(&self, name: &str) -> bool {
        let mut long = self.texts.iter().filter(|hidden| hidden.len() >= IN_NAMES_BYTES_MIN);
        long.any(|hidden| word(name, hidden).is_some())
    }

    fn take_out_of_text(&self, text: &mut String) -> bool {
        let mut any = false;
        for hidden in &self.texts {
            while let Some(at) = word(text, hidden) {
                text.replace_range(at..at + hidden.len(), "[...]");
                any = true;
            }
        }
        any
    }
}

/// Where a word stands that is not part of a longer one.
fn word(text: &str, word: &str) -> Option<usize> {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let bytes = text.as_bytes();
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        ends(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && ends(bytes.get(at + word.len()))
    })
}

const IN_NAMES_BYTES_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_marks_go_and_all_else_stays() {
        let whom = Forgotten::new(&["Patient/p-7".to_owned(), "urn:x|17".to_owned()]);
        let mark = mark("Patient/p-7");
        let mut acts =
            json!([{ "text": "p-7 rang; not p-77; Patient/p-7, 17", "marks": [1, mark] }]);
        assert!(whom.take_out(&mut acts));
        let left = json!([{ "text": "[...] rang; not p-77; [...], [...]", "marks": [1] }]);
        assert_eq!(acts, left);
        assert!(!whom.take_out(&mut acts));
    }
}
