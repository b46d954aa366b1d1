//! How high may the risk to the persons be? A suggestion from counted answers; a person decides.

use crate::breach::RiskLevel;
use crate::regime::{Verified, Words};
use crate::words::Language;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Answers by question, of those that [`RiskRules`] counts.
pub type Factors = BTreeMap<String, String>;

/// Questions and rules, from `rules/risk/<version>.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRules {
    pub version: String,
    pub source: String,
    pub verified: Verified,
    pub review_by: String,
    pub reviewer: String,
    #[serde(rename = "question")]
    pub questions: Vec<RiskQuestion>,
    #[serde(rename = "rule")]
    rules: Vec<Rule>,
}

/// One factor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskQuestion {
    pub id: String,
    pub label: Words,
    pub options: Vec<RiskOption>,
}

/// One answer to a factor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskOption {
    pub id: String,
    nb: String,
    en: String,
}

impl RiskOption {
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::Nb => &self.nb,
            Language::En => &self.en,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Rule {
    level: RiskLevel,
    because: Words,
    /// Answers that it asks for; a question that is absent may have any.
    #[serde(flatten)]
    asks: BTreeMap<String, Vec<String>>,
}

/// A level, and the rule's own words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub level: RiskLevel,
    pub because: String,
    /// Each answer that was given, in words.
    pub factors: Vec<String>,
}

/// Factors or rules that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RiskError {
    #[error("the risk rules are not of the form that the manual describes: {0}")]
    Shape(#[from] toml::de::Error),
    #[error("a risk rule names a question or answer that is not asked")]
    Rule,
    #[error("no such question of risk, or no such answer to it")]
    Factor,
}

impl RiskRules {
    /// Reads and checks one file.
    pub fn parse(text: &str) -> Result<Self, RiskError> {
        let rules: Self = toml::from_str(text)?;
        let is_asked = |(id, answers): (&String, &Vec<String>)| {
            answers.iter().all(|answer| rules.option(id, answer).is_some()) && !answers.is_empty()
        };
        let all_asked = rules.rules.iter().all(|rule| rule.asks.iter().all(is_asked));
        if all_asked { Ok(rules) } else { Err(RiskError::Rule) }
    }

    /// Those that are built in.
    pub fn shipped() -> Result<Self, RiskError> {
        Self::parse(include_str!("../../../rules/risk/1.toml"))
    }

    /// What the first rule says that is met; none while it turns on an answer that is not given.
    pub fn suggest(
        &self,
        factors: &Factors,
        language: Language,
    ) -> Result<Option<Suggestion>, RiskError> {
        let known = |(id, answer): (&String, &String)| self.option(id, answer).is_some();
        if !factors.iter().all(known) {
            return Err(RiskError::Factor);
        }
        for rule in &self.rules {
            let misses = |(id, wanted): (&String, &Vec<String>)| {
                factors.get(id).is_some_and(|given| !wanted.contains(given))
            };
            if rule.asks.iter().any(misses) {
                continue;
            }
            if !rule.asks.keys().all(|id| factors.contains_key(id)) {
                return Ok(None);
            }
            let because = rule.because.of(language).to_owned();
            let factors = self.in_words(factors, language);
            return Ok(Some(Suggestion { level: rule.level, because, factors }));
        }
        Ok(None)
    }

    fn in_words(&self, factors: &Factors, language: Language) -> Vec<String> {
        let said = |question: &RiskQuestion| {
            let option = self.option(&question.id, factors.get(&question.id)?)?;
            Some(format!("{} {}", question.label.of(language), option.of(language)))
        };
        self.questions.iter().filter_map(said).collect()
    }

    fn option(&self, id: &str, answer: &str) -> Option<&RiskOption> {
        let question = self.questions.iter().find(|question| question.id == id)?;
        question.options.iter().find(|option| option.id == answer)
    }
}
