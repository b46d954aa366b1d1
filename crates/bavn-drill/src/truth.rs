//! What really happened: the answer key.

use serde::{Deserialize, Serialize};

/// `truth.json`. Times are RFC 3339, identities and patients references of the context.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Truth {
    pub seed: u64,
    pub days: i32,
    pub staff: usize,
    pub patients: usize,
    pub events: u64,
    pub truth: Vec<TruthEntry>,
}

/// One theft, or one innocent oddity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TruthEntry {
    /// `attack` or `benign`.
    pub kind: String,
    pub name: String,
    /// With its options, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub who: Vec<String>,
    /// When the thieves began to prepare the ground; an alarm from then on is no false one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Each stolen record, in the order of time.
    #[serde(default)]
    pub reads: Vec<Read>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Who, whose record, when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read(pub String, pub String, pub String);

/// Some answer keys name one person without a list.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Names::deserialize(from)? {
        Names::One(name) => vec![name],
        Names::Many(names) => names,
    })
}
