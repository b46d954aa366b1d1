//! A friendly question to a reader about one look-up.
//!
//! It may go out only when an officer has ruled out a stolen account, so that no thief is warned;
//! who that was is therefore a field, and without it there is no message.

use crate::document::{Document, Part};
use crate::html::page;
use crate::instant::{Instant, zone_named};
use crate::words::Language;
use maud::html;
use serde::Deserialize;

/// What the sender states. The patient is named only by what `record_hint` chooses to say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderMessage {
    /// How the reader is addressed.
    pub reader: String,
    pub opened_at: Instant,
    /// IANA name.
    pub time_zone: String,
    /// What the sender wants to say of the record, such as `on ward 3`; may be absent.
    pub record_hint: Option<String>,
    /// Who asks, and where an answer goes.
    pub sender: String,
    pub answer_to: String,
    /// Officer who has ruled out that somebody else used the account.
    pub stolen_account_ruled_out_by: String,
}

/// A message that may not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderMessageError {
    #[error("reader message is not of the form that the manual describes")]
    Shape,
    #[error("`{field}` is empty, or over {TEXT_CHARS_MAX} characters")]
    Text { field: &'static str },
    #[error("`stolen_account_ruled_out_by` is empty: a thief must not be warned")]
    NotRuledOut,
    #[error("`time_zone` is not a known zone, such as Europe/Oslo")]
    Zone,
}

impl ReaderMessage {
    /// Reads and checks JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReaderMessageError> {
        let message: Self = serde_json::from_slice(bytes).map_err(|_| ReaderMessageError::Shape)?;
        message.check()?;
        Ok(message)
    }

    /// Whether it may be written.
    pub fn check(&self) -> Result<(), ReaderMessageError> {
        if self.stolen_account_ruled_out_by.trim().is_empty() {
            return Err(ReaderMessageError::NotRuledOut);
        }
        let texts =
            [("reader", &self.reader), ("sender", &self.sender), ("answer_to", &self.answer_to)];
        for (field, text) in texts {
            if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX {
                return Err(ReaderMessageError::Text { field });
            }
        }
        if self.record_hint.as_ref().is_some_and(|it| it.chars().count() > TEXT_CHARS_MAX) {
            return Err(ReaderMessageError::Text { field: "record_hint" });
        }
        zone_named(&self.time_zone).ok_or(ReaderMessageError::Zone)?;
        Ok(())
    }

    /// Subject, then paragraphs.
    fn paragraphs(&self, language: Language) -> (String, Vec<String>) {
        let zone = zone_named(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let when = self.opened_at.local(&zone);
        let hint = self.record_hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        let (reader, sender, answer_to) = (&self.reader, &self.sender, &self.answer_to);
        match language {
            Language::En => (
                "A question about a record that you opened".to_owned(),
                vec![
                    format!("Hello {reader},"),
                    format!("You opened a record{hint} on {when}. We found no reason for it in the systems that we can see. Please tell us why."),
                    "There is often a good reason that no system knows: a colleague asked, a team met, a patient was on the way. One sentence is enough.".to_owned(),
                    format!("Answering is voluntary. {sender} reads the answer and uses it to decide whether the look-up is explained. It is kept with the question, and you may see both."),
                    "Not answering is no sign of guilt. Nothing follows by itself from an answer or from silence: a person looks at it, and you will be heard first.".to_owned(),
                    "If you do not remember opening it, say that too: it can mean that somebody else used your account, and then we must help you.".to_owned(),
                    format!("Please do not name the patient in your answer. Answer to: {answer_to}"),
                    sender.clone(),
                ],
            ),
            Language::Nb => (
                "Et spørsmål om en journal du åpnet".to_owned(),
                vec![
                    format!("Hei {reader},"),
                    format!("Du åpnet en journal{hint} {when}. Vi fant ingen grunn til det i systemene vi kan se. Fortell oss gjerne hvorfor."),
                    "Det er ofte en god grunn som ingen systemer kjenner: en kollega spurte, et team møttes, en pasient var på vei. Én setning er nok.".to_owned(),
                    format!("Det er frivillig å svare. {sender} leser svaret og bruker det til å avgjøre om oppslaget er forklart. Det lagres sammen med spørsmålet, og du kan se begge deler."),
                    "Å la være å svare er ikke et tegn på skyld. Ingenting følger av seg selv av et svar eller av taushet: et menneske ser på det, og du blir hørt først.".to_owned(),
                    "Husker du ikke at du åpnet den, så si også det: det kan bety at noen andre har brukt kontoen din, og da må vi hjelpe deg.".to_owned(),
                    format!("Ikke skriv navnet på pasienten i svaret. Svar til: {answer_to}"),
                    sender.clone(),
                ],
            ),
        }
    }

    /// Subject and body.
    pub fn parts(&self, language: Language) -> (String, String) {
        let (subject, paragraphs) = self.paragraphs(language);
        (subject, format!("{}\n", paragraphs.join("\n\n")))
    }

    /// As plain text: the subject, a blank line, the message.
    pub fn text(&self, language: Language) -> String {
        let (subject, body) = self.parts(language);
        format!("{subject}\n\n{body}")
    }

    /// To be set on paper.
    pub fn document(&self, language: Language) -> Document {
        let (title, paragraphs) = self.paragraphs(language);
        let parts = paragraphs.into_iter().map(Part::Paragraph).collect();
        Document { title, language, parts, foot: self.sender.clone() }
    }

    /// As one page.
    pub fn html(&self, language: Language) -> String {
        let (subject, paragraphs) = self.paragraphs(language);
        let body = html! {
            h1 { (subject) }
            @for paragraph in &paragraphs { p class="said" { (paragraph) } }
        };
        page(&subject, language, &body)
    }
}

/// Of each text that a sender writes.
const TEXT_CHARS_MAX: usize = 300;
