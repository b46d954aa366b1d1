//! Refusals in bokmål; English is what they display as.

use super::rules::Refusal;
use crate::words::Language;

impl Refusal {
    pub fn in_words(&self, language: Language) -> String {
        match language {
            Language::English => self.to_string(),
            Language::Bokmaal => self.in_bokmaal(),
        }
    }

    fn in_bokmaal(&self) -> String {
        match self {
            Self::UnknownCase { case } => format!("det finnes ingen sak {case}"),
            Self::Merged { case, into } => format!("sak {case} går videre i sak {into}"),
            Self::Changed { case, by, at } => {
                format!("sak {case} er endret siden du så på den: {by} gjorde noe {at}")
            }
            Self::NoText => "en begrunnelse eller tekst trengs".to_owned(),
            Self::TooLong { bytes, bytes_max } => {
                format!("en tekst på {bytes} byte er over grensen på {bytes_max}")
            }
            Self::Closed { case } => format!("sak {case} er avsluttet; åpne den igjen først"),
            Self::NotClosed { case } => format!("sak {case} er åpen"),
            Self::OwnCase => "ingen arbeider med en sak om seg selv; et svar kan skrives som notat".to_owned(),
            Self::Itself => "en sak kan ikke slås sammen med seg selv".to_owned(),
            Self::NoSuchAlarm => "saken har ingen slik alarm, eller ingen andre enn disse".to_owned(),
            Self::NoSuchTask { task } => format!("saken har ingen åpen oppgave {task}"),
            Self::NotADigest => "bevis navngis med en SHA-256 på 64 heksadesimale siffer".to_owned(),
            Self::NothingToUndo { case } => format!("du har ingenting å angre i sak {case}"),
            Self::TooLate { minutes } => {
                format!("en handling kan angres i {minutes} minutter; skriv heller en ny")
            }
            Self::BuiltUpon => "andre har gjort noe med den siden".to_owned(),
            Self::NotTheUnit => {
                "en forklaring gjelder en enhet eller et prosjekt som alle leserne i saken hører til"
                    .to_owned()
            }
            Self::ForAPerson => {
                "alle disse sakene er om én person, og ingen forklaring gjelder en person".to_owned()
            }
            Self::TooLongTime { days } => {
                format!("en forklaring gjelder fra nå av og i høyst {days} dager")
            }
            Self::StolenAccount => {
                "ingen forklaring dekker en alarm som tyder på en stjålet konto".to_owned()
            }
            Self::ClockRuns { event, by, since } => format!(
                "`{event}` ble erklært av {by} å gjelde fra {since}; en klokke stilles ikke senere"
            ),
            Self::Future => "et tidspunkt som ikke har vært ennå, kan ikke erklæres".to_owned(),
            Self::EndedBefore { first } => {
                format!("det kan ikke ha tatt slutt før det først ble sett, {first}")
            }
            Self::AskedBefore => "denne leseren er spurt fra før".to_owned(),
            Self::NothingToSign => {
                "ingenting venter på denne signaturen; det kan være gjort klar på nytt".to_owned()
            }
            Self::SecondPerson => {
                "den som gjorde det klar, signerer det ikke: det må en annen gjøre".to_owned()
            }
            Self::ThiefNotRuledOut => {
                "ingen leser spørres før en stjålet konto er utelukket: en tyv ville blitt advart"
                    .to_owned()
            }
            Self::NotAsked => "denne leseren ble ikke spurt".to_owned(),
            Self::NotADay => "skriv dagen som 2026-11-27, ikke i framtiden".to_owned(),
            Self::OwnCaseOpen => "en annen må si seg enig for de ansatte".to_owned(),
        }
    }
}
