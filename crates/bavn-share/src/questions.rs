//! What only a person can say of a breach, how it is asked, and a draft where one is honest.

use crate::breach::{Breach, Risk, RiskLevel};
use crate::instant::Instant;
use crate::words::Language;

/// One question, which fills one field of the record.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The field, as regimes name it.
    pub path: &'static str,
    english: &'static str,
    bokmaal: &'static str,
    /// A sentence that fits most breaches of this kind, to be read and changed.
    draft: Option<[&'static str; 2]>,
    /// The only answers, if they are counted.
    pub choices: &'static [&'static str],
}

impl Question {
    pub const fn label(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.english,
            Language::Nb => self.bokmaal,
        }
    }

    pub fn draft(&self, language: Language) -> Option<&'static str> {
        let [english, bokmaal] = self.draft?;
        Some(match language {
            Language::En => english,
            Language::Nb => bokmaal,
        })
    }

    /// A draft that was taken as it stood, in another language.
    pub fn draft_of(&self, text: &str, language: Language) -> Option<&'static str> {
        self.draft?.contains(&text).then(|| self.draft(language))?
    }
}

/// All of them, in the order in which they are asked.
pub fn questions() -> &'static [Question] {
    QUESTIONS
}

/// An answer that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    #[error("no such question; `bavn notice questions` lists them")]
    Unknown,
    #[error("the level of risk is `unlikely`, `risk` or `high`")]
    Level,
}

/// Whether this is a question, and this one of its answers.
pub fn check_answer(path: &str, text: &str) -> Result<(), AnswerError> {
    let question = QUESTIONS.iter().find(|one| one.path == path).ok_or(AnswerError::Unknown)?;
    let fits = question.choices.is_empty() || question.choices.contains(&text);
    if fits { Ok(()) } else { Err(AnswerError::Level) }
}

impl Breach {
    /// Puts what a person said into its field; said by whom and when counts for the risk.
    pub fn answer(
        &mut self,
        path: &str,
        text: &str,
        by: &str,
        at: Instant,
    ) -> Result<(), AnswerError> {
        check_answer(path, text)?;
        let said = Some(text.to_owned());
        let one = vec![text.to_owned()];
        if let Some(factor) = path.strip_prefix("risk.") {
            let risk = self.risk.get_or_insert_with(|| Risk::unjudged(at));
            match factor {
                "level" => {
                    risk.level = level(text);
                    (risk.by, risk.at) = (by.to_owned(), at);
                }
                "why" => text.clone_into(&mut risk.why),
                "identifiability" => risk.identifiability = said,
                "recipient" => risk.recipient = said,
                "acquired" => risk.acquired = said,
                _ => risk.mitigated = said,
            }
            return Ok(());
        }
        match path {
            "what_happened" => self.what_happened = said,
            "main_cause" => self.main_cause = said,
            "how_it_arose" => self.how_it_arose = said,
            "likely_consequences" => self.likely_consequences = said,
            "measures_taken" => {
                self.measures_taken = Some(joined(self.measures_taken.take(), text));
            }
            "measures_planned" => self.measures_planned = said,
            "advice" => self.advice = said,
            "persons_told" => self.persons_told = said,
            "delay_reason" => self.delay_reason = said,
            "effect_on_service" => self.effect_on_service = said,
            "other_countries" => self.other_countries = one,
            _ => self.other_authorities = one,
        }
        Ok(())
    }
}

impl Risk {
    /// Factors without a judgement.
    fn unjudged(at: Instant) -> Self {
        Self {
            level: None,
            why: String::new(),
            by: String::new(),
            at,
            identifiability: None,
            recipient: None,
            acquired: None,
            mitigated: None,
        }
    }
}

fn level(text: &str) -> Option<RiskLevel> {
    match text {
        "unlikely" => Some(RiskLevel::Unlikely),
        "risk" => Some(RiskLevel::Risk),
        "high" => Some(RiskLevel::High),
        _ => None,
    }
}

/// What records say, then what a person adds.
fn joined(held: Option<String>, text: &str) -> String {
    match held {
        Some(held) => format!("{held}\n{text}"),
        None => text.to_owned(),
    }
}

const fn asked(
    path: &'static str,
    english: &'static str,
    bokmaal: &'static str,
    draft: Option<[&'static str; 2]>,
) -> Question {
    Question { path, english, bokmaal, draft, choices: &[] }
}

const QUESTIONS: &[Question] = &[
    Question {
        path: "risk.level",
        english: "How high is the risk to the persons?",
        bokmaal: "Hvor høy er risikoen for personene?",
        draft: None,
        choices: &["unlikely", "risk", "high"],
    },
    asked("risk.why", "Why this level?", "Hvorfor dette nivået?", None),
    asked(
        "likely_consequences",
        "Likely consequences for the persons",
        "Sannsynlige konsekvenser for personene",
        Some([
            "Somebody without a reason may know what stands in the record. It can be used for pressure, fraud or talk, and it can hurt trust in the service.",
            "Noen uten grunn kan vite hva som står i journalen. Det kan brukes til press, svindel eller omtale, og det kan svekke tilliten til tjenesten.",
        ]),
    ),
    asked(
        "measures_taken",
        "Measures taken, beside the search of the log",
        "Tiltak som er gjort, utenom søket i loggen",
        None,
    ),
    asked(
        "measures_planned",
        "Measures proposed or planned",
        "Tiltak som er foreslått eller planlagt",
        Some([
            "We will find out how it was possible, close that way in, and look for the same elsewhere.",
            "Vi skal finne ut hvordan det var mulig, stenge den veien inn og lete etter det samme andre steder.",
        ]),
    ),
    asked(
        "other_countries",
        "Other countries where persons are touched",
        "Andre land der personer er berørt",
        Some(["None that we know of.", "Ingen som vi kjenner til."]),
    ),
    asked(
        "other_authorities",
        "Police and other authorities that were told",
        "Politi og andre myndigheter som er varslet",
        Some(["None yet.", "Ingen ennå."]),
    ),
    asked(
        "advice",
        "What a person can do",
        "Hva en person kan gjøre selv",
        Some([
            "You need not do anything now. You can ask us who has opened your record. Tell us if somebody contacts you with knowledge of your health, or asks for money.",
            "Du trenger ikke å gjøre noe nå. Du kan be oss om å få vite hvem som har åpnet journalen din. Si fra til oss om noen tar kontakt og vet noe om helsen din, eller ber om penger.",
        ]),
    ),
    asked("how_it_arose", "How it arose", "Hvordan det oppstod", None),
    asked("effect_on_service", "Effect on the service", "Virkning på tjenesten", None),
    asked("delay_reason", "Reason, if told late", "Grunn, om det meldes for sent", None),
    asked(
        "risk.identifiability",
        "Kind of data, and how easily persons are known from it",
        "Opplysningenes art, og hvor lett personer gjenkjennes",
        None,
    ),
    asked("risk.recipient", "Who got the data", "Hvem som fikk opplysningene", None),
    asked(
        "risk.acquired",
        "Whether the data were really acquired or viewed",
        "Om opplysningene faktisk ble tatt eller sett",
        None,
    ),
    asked(
        "risk.mitigated",
        "How far the risk has been reduced",
        "Hvor langt risikoen er redusert",
        None,
    ),
    asked(
        "what_happened",
        "What happened, in other words",
        "Hva som har skjedd, i andre ord",
        None,
    ),
    asked("main_cause", "Main cause", "Hovedårsak", None),
    asked("persons_told", "How the persons were told", "Hvordan personene er underrettet", None),
];
