//! Refusals in bokmål; English is what they display as.

use super::fold::HouseRefusal;
use crate::words::Language;

impl HouseRefusal {
    pub fn in_words(&self, language: Language) -> String {
        match language {
            Language::English => self.to_string(),
            Language::Bokmaal => self.in_bokmaal(),
        }
    }

    fn in_bokmaal(&self) -> String {
        match self {
            Self::NoReason { bytes_max } => {
                format!("en begrunnelse trengs, på høyst {bytes_max} byte")
            }
            Self::SamePerson => {
                "det trengs en annen person: den som foreslo det, kan ikke bekrefte det".to_owned()
            }
            Self::NotOpen { proposal } => format!("det finnes ikke noe åpent forslag {proposal}"),
            Self::TooOld { days } => {
                format!("forslaget er eldre enn {days} dager; foreslå det på nytt")
            }
            Self::Budget { max } => format!(
                "budsjettet er mer enn 0 og høyst {max} falske alarmer per 10 000 ansatte per døgn"
            ),
            Self::Retention { min, max } => {
                format!("oppslag oppbevares i {min} til {max} dager")
            }
            Self::TooLongMuted { days } => format!("en detektor dempes i høyst {days} dager"),
            Self::NoSuchDetector => "det finnes ingen slik detektor".to_owned(),
            Self::NotTheEmployees => {
                "bare den tillitsvalgte sier seg enig for de ansatte, og bekrefter ikke annet"
                    .to_owned()
            }
            Self::NotADay => "skriv dagen som 2026-11-27, ikke i framtiden".to_owned(),
            Self::TooLongRevealed { hours } => format!("navn vises i høyst {hours} timer"),
            Self::NotDrawn => "ikke noe slikt oppslag ble trukket".to_owned(),
        }
    }
}
