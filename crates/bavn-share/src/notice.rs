//! A breach record seen through a regime, in one phase and language.

use crate::breach::Breach;
use crate::clock::{Due, clocks};
use crate::instant::Instant;
use crate::questions::questions;
use crate::regime::{Regime, Verified};
use crate::words::{Language, Speaker};
use serde::Serialize;
use serde_json::Value;

/// A notice, ready to be rendered. It is a draft until a person signs and sends it.
#[derive(Debug, Serialize)]
pub struct Notice {
    pub regime: String,
    pub version: String,
    pub phase: String,
    pub phase_name: String,
    pub language: Language,
    pub title: String,
    pub receiver: String,
    pub source: String,
    pub breach: String,
    pub breach_title: String,
    /// Local time of the record's zone.
    pub made_at: String,
    /// What the reader must know before trusting it: past review, unreviewed, unverified.
    pub banners: Vec<String>,
    pub fields: Vec<Filled>,
    /// Above a letter: who writes it, and on which day. Empty where there is no letter.
    pub letter_head: Vec<String>,
    pub paragraphs: Vec<(String, String)>,
    pub clocks: Vec<Due>,
    /// What this phase requires and the record lacks, or says in another language only; it cannot be
    /// made ready without. Labels.
    pub missing: Vec<String>,
    /// Of all fields of the form, how many speak.
    pub filled: usize,
    pub fields_total: usize,
    pub evidence: Vec<String>,
    /// SHA-256 of the record that it was made from.
    pub record: String,
    #[serde(skip)]
    pub(crate) zone: jiff::tz::TimeZone,
    #[serde(skip)]
    pub(crate) now: Instant,
}

/// One field of a notice.
#[derive(Debug, Serialize)]
pub struct Filled {
    pub key: String,
    pub label: String,
    pub value: Option<String>,
    pub required: bool,
    /// What the previous record said, where that was another thing (`Some(None)`: nothing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Option<String>>,
    /// The only language in which a person has said it, where that is not the notice's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_in: Option<Language>,
    /// Characters over the form's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_by: Option<usize>,
}

/// A notice that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    #[error("regime `{regime}` has no such phase; it has: {phases}")]
    Phase { regime: String, phases: String },
    #[error("the previous record is of another breach: `{previous}`, not `{breach}`")]
    OtherBreach { previous: String, breach: String },
}

impl Notice {
    /// Fills the regime's form from the record. `previous` is the record as of the last notice.
    pub fn fill(
        breach: &Breach,
        regime: &Regime,
        phase: &str,
        language: Language,
        previous: Option<&Breach>,
        now: Instant,
    ) -> Result<Self, NoticeError> {
        let named = regime.phase(phase).ok_or_else(|| NoticeError::Phase {
            regime: regime.id.clone(),
            phases: regime.phases.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        if let Some(previous) = previous.filter(|previous| previous.id != breach.id) {
            let (previous, breach) = (previous.id.clone(), breach.id.clone());
            return Err(NoticeError::OtherBreach { previous, breach });
        }
        let speaker = Speaker { language, zone: breach.zone(), in_letter: false };
        let record = as_value(breach);
        let before = previous.map(as_value);
        let elsewhere = (!breach.in_other_language.is_empty()).then(|| language.other());
        let in_other = |path: &String| breach.in_other_language.contains(path);
        let fields: Vec<Filled> = regime
            .fields
            .iter()
            .map(|field| {
                let value = spoken(&record, &field.from, &speaker);
                let earlier = before.as_ref().map(|it| spoken(it, &field.from, &speaker));
                let length = value.as_ref().map_or(0, |text| text.chars().count());
                Filled {
                    key: field.key.clone(),
                    label: field.label.of(language).to_owned(),
                    was: earlier.filter(|earlier| *earlier != value),
                    over_by: field
                        .length_max
                        .and_then(|most| length.checked_sub(most))
                        .filter(|&over| over > 0),
                    required: field.required.iter().any(|it| it == phase),
                    written_in: elsewhere.filter(|_| field.from.iter().any(in_other)),
                    value,
                }
            })
            .collect();
        let writer = Speaker { language, zone: breach.zone(), in_letter: true };
        let mut holes = Vec::new();
        let paragraphs: Vec<(String, String)> = regime
            .paragraphs
            .iter()
            .map(|it| {
                let text = fill_in(it.text.of(language), &record, &writer, &mut holes);
                (it.heading.of(language).to_owned(), text)
            })
            .collect();
        let letter_head = if paragraphs.is_empty() || fields.is_empty() {
            Vec::new()
        } else {
            let sender = breach.controllers.iter().map(|one| one.name.clone());
            sender.chain([now.date_in_letter(&speaker.zone, language)]).collect()
        };
        Ok(Self {
            regime: regime.id.clone(),
            version: regime.version.clone(),
            phase: phase.to_owned(),
            phase_name: named.name.of(language).to_owned(),
            language,
            title: regime.title.of(language).to_owned(),
            receiver: regime.receiver.of(language).to_owned(),
            source: regime.source.of(language).to_owned(),
            breach: breach.id.clone(),
            breach_title: breach.title.clone(),
            made_at: now.local(&speaker.zone),
            banners: banners(regime, language, &now.local_date(&speaker.zone)),
            letter_head,
            paragraphs,
            clocks: clocks(breach, std::slice::from_ref(regime), now),
            missing: missing_of(regime, &fields, &holes, language),
            filled: fields.iter().filter(|field| field.value.is_some()).count(),
            fields_total: fields.len(),
            fields,
            evidence: breach
                .evidence
                .iter()
                .map(|it| format!("{}: {}", it.what, it.digest))
                .collect(),
            record: breach.digest(),
            zone: speaker.zone,
            now,
        })
    }

    /// Share of the form's fields that speak, in whole per cent, rounded down.
    pub fn filled_percent(&self) -> usize {
        (self.filled * 100).checked_div(self.fields_total).unwrap_or(100)
    }
}

fn banners(regime: &Regime, language: Language, today: &str) -> Vec<String> {
    let texts = language.texts();
    let mut banners = Vec::new();
    if regime.is_overdue(today) {
        banners.push(format!("{} {}.", texts.past_review, regime.review_by));
    }
    if regime.reviewer == UNREVIEWED {
        banners.push(texts.unreviewed.to_owned());
    }
    if regime.verified != Verified::Read {
        banners.push(texts.unverified.to_owned());
    }
    if let Some(remark) = &regime.remark {
        banners.push(remark.of(language).to_owned());
    }
    banners
}

/// A record always is JSON: it has no map with other keys than text.
fn as_value(breach: &Breach) -> Value {
    serde_json::to_value(breach).unwrap_or_default()
}

/// What the record says at these paths, those that speak, one a line.
fn spoken(record: &Value, paths: &[String], speaker: &Speaker) -> Option<String> {
    let said: Vec<String> =
        paths.iter().filter_map(|path| speaker.say(at_path(record, path)?)).collect();
    (!said.is_empty()).then(|| said.join("\n"))
}

fn at_path<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(record, |value, key| value.get(key))
}

/// Replaces each `{path}`; what the record lacks is marked as missing, so that no letter leaves
/// with a hole in it.
fn fill_in(template: &str, record: &Value, speaker: &Speaker, holes: &mut Vec<String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template.trim();
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((path, behind)) = after.split_once('}') else { break };
        let said = at_path(record, path).and_then(|value| speaker.say(value));
        text.push_str(&said.unwrap_or_else(|| {
            holes.push(path.to_owned());
            missing(path, speaker.language)
        }));
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// Required fields that say nothing, or say it in another language; then holes in the letter that no
/// such field tells of.
fn missing_of(
    regime: &Regime,
    fields: &[Filled],
    holes: &[String],
    language: Language,
) -> Vec<String> {
    let texts = language.texts();
    let mut missing = Vec::new();
    let mut told: Vec<&String> = Vec::new();
    for (field, of) in fields.iter().zip(&regime.fields).filter(|(field, _)| field.required) {
        if field.value.is_none() {
            told.extend(&of.from);
            missing.push(field.label.clone());
        } else if field.written_in.is_some() {
            missing.push(format!("{} ({})", field.label, texts.written_in_other));
        }
    }
    for hole in holes.iter().filter(|hole| !told.contains(hole)) {
        let name = name_of(hole, language).to_owned();
        if !missing.contains(&name) {
            missing.push(name);
        }
    }
    missing
}

/// By what a person is asked for it; else as the record calls it.
fn name_of(path: &str, language: Language) -> &str {
    let question = questions().iter().find(|question| question.path == path);
    question.map_or(path, |question| question.label(language))
}

fn missing(path: &str, language: Language) -> String {
    format!("[{}: {}]", language.texts().missing_here, name_of(path, language))
}

pub(crate) const UNREVIEWED: &str = "unreviewed";
