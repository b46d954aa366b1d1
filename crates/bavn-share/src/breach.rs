//! The one record of a breach, which every notice is a rendering of.
//!
//! Whatever is not known is absent, never a guess: a notice then says that it is missing. Keys and
//! meaning are also in `docs/schema/breach.schema.json`.

use crate::digest::sha256;
use crate::instant::{Instant, zone_named};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A breach as known at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// The case's own number, such as `C-17`.
    pub id: String,
    /// One line for a heading. No person in it.
    pub title: String,
    /// IANA name of the zone that times are shown in and months are counted in.
    pub time_zone: String,
    /// Events that clocks count from (`aware`, `significant`, …), each declared by somebody.
    #[serde(default)]
    pub declared: BTreeMap<String, Declared>,
    /// When the breach was first seen, which is not yet awareness.
    pub discovered_at: Option<Instant>,
    pub from: Option<Instant>,
    pub until: Option<Instant>,
    pub what_happened: Option<String>,
    pub main_cause: Option<String>,
    /// How it arose.
    pub how_it_arose: Option<String>,
    /// Of `confidentiality`, `integrity`, `availability`.
    #[serde(default)]
    pub kinds: Vec<String>,
    pub persons: Option<Count>,
    #[serde(default)]
    pub person_categories: Vec<String>,
    /// What the persons are to the controller: patient, staff, kin.
    pub relation: Option<String>,
    pub records: Option<Count>,
    #[serde(default)]
    pub record_categories: Vec<String>,
    pub recipients: Option<Recipients>,
    /// Where the data are now.
    pub where_data_are: Option<String>,
    pub encryption: Option<String>,
    pub measures_before: Option<String>,
    pub measures_taken: Option<String>,
    pub measures_planned: Option<String>,
    pub likely_consequences: Option<String>,
    /// What a person can do to protect herself.
    pub advice: Option<String>,
    pub persons_told: Option<String>,
    pub delay_reason: Option<String>,
    #[serde(default)]
    pub contacts: Vec<Contact>,
    #[serde(default)]
    pub controllers: Vec<Organisation>,
    #[serde(default)]
    pub processors: Vec<Organisation>,
    /// Countries other than the controller's own where persons are touched.
    #[serde(default)]
    pub other_countries: Vec<String>,
    /// Police and other authorities told.
    #[serde(default)]
    pub other_authorities: Vec<String>,
    pub effect_on_service: Option<String>,
    /// Signs by which others may find the same hand.
    #[serde(default)]
    pub indicators: Vec<String>,
    pub risk: Option<Risk>,
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Fields that a person has written in the other language than that of this record.
    #[serde(default)]
    pub in_other_language: Vec<String>,
    /// Versions of notices already sent by people.
    #[serde(default)]
    pub sent: Vec<Sent>,
}

/// That something was the case from an instant on, who said so, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    pub at: Instant,
    pub by: String,
    pub why: String,
}

/// A number with its bounds: `lower` is certain, `upper` is what cannot be excluded, and absent
/// where no number is certain to be enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub lower: u64,
    pub best: u64,
    pub upper: Option<u64>,
}

/// How the persons can be reached. One person may count in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    pub by_letter: u64,
    pub dead: u64,
    pub moved: u64,
    pub minors: u64,
    /// Age in years below which a person counts as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minors_below: Option<u32>,
    pub protected_address: u64,
}

impl Recipients {
    /// Counts alone, and the age that one of them goes by.
    pub const fn counts(self) -> (Self, Option<u32>) {
        (Self { minors_below: None, ..self }, self.minors_below)
    }
}

/// A person or office to ask, by role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub role: String,
    pub name: String,
    pub reach: String,
}

/// A controller or processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    pub name: String,
    pub number: Option<String>,
    pub persons: Option<Count>,
}

/// A person's judgement of the risk, with the four factors that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Absent: factors were weighed, and nobody has judged yet.
    pub level: Option<RiskLevel>,
    pub why: String,
    pub by: String,
    pub at: Instant,
    /// Kind of data, and how easily persons are known from it.
    pub identifiability: Option<String>,
    /// Who got the data.
    pub recipient: Option<String>,
    /// Whether the data were really acquired or viewed.
    pub acquired: Option<String>,
    /// How far the risk has been reduced.
    pub mitigated: Option<String>,
}

/// The levels of GDPR articles 33(1) and 34(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    Unlikely,
    Risk,
    High,
}

/// Something kept, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub what: String,
    pub digest: String,
}

/// A notice that people have sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub regime: String,
    pub phase: String,
    pub at: Instant,
    pub digest: Option<String>,
}

/// A record that cannot be used. Quotes nothing of it but the names of keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BreachError {
    /// Longer than [`RECORD_BYTES_MAX`].
    #[error("breach record of {bytes} bytes is over the limit of {RECORD_BYTES_MAX}")]
    TooLong { bytes: usize },
    /// No JSON, or not of this shape. `category` is serde's own, and holds no input.
    #[error(
        "breach record is not as docs/schema/breach.schema.json says: {category}, line {line}, column {column}"
    )]
    Shape { category: &'static str, line: usize, column: usize },
    /// `time_zone` is no IANA name.
    #[error("`time_zone` is not a known zone, such as Europe/Oslo")]
    Zone,
    /// `lower` <= `best` <= `upper` does not hold.
    #[error("the bounds of `{field}` are not in order: lower, best, upper")]
    Bounds { field: &'static str },
    /// `until` is before `from`.
    #[error("`until` is before `from`")]
    Period,
    /// A kind outside the closed list.
    #[error("`kinds` may hold confidentiality, integrity and availability")]
    Kind,
}

impl Breach {
    /// Reads and checks one record.
    pub fn parse(bytes: &[u8]) -> Result<Self, BreachError> {
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(BreachError::TooLong { bytes: bytes.len() });
        }
        let breach: Self = serde_json::from_slice(bytes).map_err(|error| {
            let category = match error.classify() {
                serde_json::error::Category::Data => "a key is unknown, missing or of a wrong kind",
                serde_json::error::Category::Eof => "it ends too early",
                _ => "it is not JSON",
            };
            BreachError::Shape { category, line: error.line(), column: error.column() }
        })?;
        breach.check()?;
        Ok(breach)
    }

    fn check(&self) -> Result<(), BreachError> {
        zone_named(&self.time_zone).ok_or(BreachError::Zone)?;
        let of_controllers = self.controllers.iter().map(|one| ("controllers", one.persons));
        let of_processors = self.processors.iter().map(|one| ("processors", one.persons));
        let own = [("persons", self.persons), ("records", self.records)];
        for (field, count) in own.into_iter().chain(of_controllers).chain(of_processors) {
            if count
                .is_some_and(|it| it.lower > it.best || it.upper.is_some_and(|most| it.best > most))
            {
                return Err(BreachError::Bounds { field });
            }
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until < from
        {
            return Err(BreachError::Period);
        }
        if self.kinds.iter().any(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(BreachError::Kind);
        }
        Ok(())
    }

    /// SHA-256 of the record as JSON, its keys in the order of this file.
    pub fn digest(&self) -> String {
        sha256(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// The zone of the record; UTC only for a record that was not made by [`Breach::parse`].
    pub(crate) fn zone(&self) -> TimeZone {
        zone_named(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// Of one record: a thousand times a long one.
pub const RECORD_BYTES_MAX: usize = 4 << 20;
const KINDS: [&str; 3] = ["confidentiality", "integrity", "availability"];
