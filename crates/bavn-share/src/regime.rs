//! Law as data: which fields a notice has, which clocks run, who has read it.

use crate::words::Language;
use serde::{Deserialize, Deserializer};

/// One version of one duty to tell, from `rules/regimes/<id>/<version>.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    pub id: String,
    pub version: String,
    pub title: Words,
    /// Who gets it.
    pub receiver: Words,
    /// Law and article, which most languages name alike.
    #[serde(deserialize_with = "alike_or_each")]
    pub source: Words,
    /// How the text of the law was known to the writer of the file: `read`, `memory`, `not found`.
    pub verified: Verified,
    /// `YYYY-MM-DD`, when the file was written.
    pub date: String,
    /// `YYYY-MM-DD`, after which it must be read again.
    pub review_by: String,
    /// Who has reviewed it, or `unreviewed`.
    pub reviewer: String,
    pub trigger: Trigger,
    /// What the writer of the file wants its user to know.
    pub remark: Option<Words>,
    pub phases: Vec<Phase>,
    #[serde(default, rename = "clock")]
    pub clocks: Vec<Clock>,
    #[serde(default, rename = "field")]
    pub fields: Vec<Field>,
    /// For a letter: text with `{path}` where the record speaks.
    #[serde(default, rename = "paragraph")]
    pub paragraphs: Vec<Paragraph>,
}

/// A text in both languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub nb: String,
    pub en: String,
}

impl Words {
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::Nb => &self.nb,
            Language::En => &self.en,
        }
    }
}

/// One text for both languages, or one for each.
fn alike_or_each<'de, D: Deserializer<'de>>(from: D) -> Result<Words, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Alike(String),
        Each(Words),
    }
    Ok(match Given::deserialize(from)? {
        Given::Alike(text) => Words { nb: text.clone(), en: text },
        Given::Each(words) => words,
    })
}

/// How well the law's text is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Verified {
    #[serde(rename = "read")]
    Read,
    #[serde(rename = "memory")]
    Memory,
    #[serde(rename = "not found")]
    NotFound,
}

/// What makes the duty arise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Unless a risk to persons is unlikely.
    Risk,
    /// A high risk to persons.
    HighRisk,
    /// When somebody has declared the event that its first clock counts from.
    Declared,
    /// Never by law: made when wanted.
    Wanted,
}

/// A step of the notice: `initial`, `follow-up`, `final`, …
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub id: String,
    pub name: Words,
}

/// By when a phase must be sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub phase: String,
    /// Name of the event in the record's `declared`.
    pub from: String,
    #[serde(default)]
    pub hours: i64,
    #[serde(default)]
    pub months: i64,
    pub law: String,
    pub verified: Verified,
}

/// One field of the form, in the form's own order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub key: String,
    pub label: Words,
    /// Paths into the record, such as `persons` or `risk.why`; every one that speaks is shown.
    pub from: Vec<String>,
    /// Phases in which it may not be missing.
    #[serde(default)]
    pub required: Vec<String>,
    /// Of the form's own box, in characters.
    pub length_max: Option<usize>,
}

/// A heading and its text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    pub heading: Words,
    pub text: Words,
}

/// A regime that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegimeError {
    #[error("regime file is not as rules/README.md says")]
    Shape(#[from] toml::de::Error),
    #[error("regime `{id}`: `{what}` names phase `{phase}`, which is not in `phases`")]
    Phase { id: String, what: String, phase: String },
    #[error("regime `{id}`: `{what}` is not a date YYYY-MM-DD")]
    Date { id: String, what: &'static str },
    #[error("regime `{id}`: a clock needs `hours` or `months` from 1 to 10,000, or neither")]
    Clock { id: String },
}

impl Regime {
    /// Reads and checks one file.
    pub fn parse(text: &str) -> Result<Self, RegimeError> {
        let regime: Self = toml::from_str(text)?;
        let id = || regime.id.clone();
        for (what, date) in [("date", &regime.date), ("review_by", &regime.review_by)] {
            date.parse::<jiff::civil::Date>().map_err(|_| RegimeError::Date { id: id(), what })?;
        }
        let of_fields = regime
            .fields
            .iter()
            .flat_map(|field| field.required.iter().map(move |phase| (field.key.as_str(), phase)));
        let of_clocks = regime.clocks.iter().map(|clock| ("clock", &clock.phase));
        for (what, phase) in of_fields.chain(of_clocks) {
            if regime.phase(phase).is_none() {
                let (what, phase) = (what.to_owned(), phase.clone());
                return Err(RegimeError::Phase { id: id(), what, phase });
            }
        }
        let sane = 0..=10_000;
        if regime.clocks.iter().any(|it| !sane.contains(&it.hours) || !sane.contains(&it.months)) {
            return Err(RegimeError::Clock { id: id() });
        }
        Ok(regime)
    }

    pub fn phase(&self, id: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == id)
    }

    /// Whether the file is past the date by which it should have been read again.
    /// `today` is `YYYY-MM-DD`, which sorts as it reads.
    pub fn is_overdue(&self, today: &str) -> bool {
        today > self.review_by.as_str()
    }
}

/// The regimes that are built in, in the order of a breach's life.
pub fn shipped() -> Result<Vec<Regime>, RegimeError> {
    SHIPPED.iter().map(|text| Regime::parse(text)).collect()
}

const SHIPPED: &[&str] = &[
    include_str!("../../../rules/regimes/gdpr-33/2016-679.toml"),
    include_str!("../../../rules/regimes/gdpr-34/2016-679.toml"),
    include_str!("../../../rules/regimes/no-datatilsynet/2026-11.toml"),
    include_str!("../../../rules/regimes/no-24h/2025-10.toml"),
    include_str!("../../../rules/regimes/nis2/2022-2555.toml"),
    include_str!("../../../rules/regimes/hipaa/2013.toml"),
    include_str!("../../../rules/regimes/hipaa-letter/2013.toml"),
    include_str!("../../../rules/regimes/brief/1.toml"),
];
