//! What must be told of a case, as the pages on notices ask.

use super::StoreBoard;
use crate::desk::failed;
use crate::error::Kind;
use crate::register::By;
use bavn_console::{Board as _, BreachView, Notices, Trouble, Visitor};
use bavn_detect::cases::CaseNumber;
use bavn_detect::words::Language;

impl Notices for StoreBoard {
    fn breach(
        &self,
        case: CaseNumber,
        who: &Visitor,
        language: Language,
    ) -> Result<BreachView, Trouble> {
        let language = match language {
            Language::English => bavn_share::Language::En,
            Language::Bokmaal => bavn_share::Language::Nb,
        };
        let by = By { who: ("urn:bavn:user", &who.name), at: self.now() };
        let (case, looked) =
            self.register.case(&self.desk, case, by).map_err(|error| failed(&error))?;
        let record = |language| {
            self.register.spoken(&case, &looked, language).map_err(|error| failed(&error))
        };
        let regimes = self.register.about().regimes.clone();
        Ok(BreachView { record: record(language)?, other: record(language.other())?, regimes })
    }

    fn release_list(
        &self,
        case: CaseNumber,
        who: &Visitor,
        seen: usize,
    ) -> Result<(String, String), Trouble> {
        let outbox = self.outbox.as_deref().ok_or_else(|| {
            Trouble::Refused(
                [
                    "the console was started without `--outbox`",
                    "konsollen ble startet uten `--outbox`",
                ]
                .map(str::to_owned),
            )
        })?;
        let by = By { who: ("urn:bavn:user", &who.name), at: self.now() };
        self.register.release(&self.desk, case, by, outbox, Some(seen)).map_err(|error| match error
            .kind
        {
            Kind::Usage => crate::desk::refused_in_words(&error),
            _ => failed(&error),
        })
    }
}
