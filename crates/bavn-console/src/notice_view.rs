//! What the pages on notices need from whoever keeps the look-ups.

use crate::session::Visitor;
use crate::text::Language;
use crate::view::Trouble;
use bavn_detect::cases::CaseNumber;
use bavn_share::Breach;

/// Whoever can make the breach record of a case.
pub trait Notices: Send + Sync {
    /// The record as it stands, in one language. Names no patient.
    fn breach(
        &self,
        case: CaseNumber,
        who: &Visitor,
        language: Language,
    ) -> Result<BreachView, Trouble>;
    /// Lets the list that waits go, as its second person: the name of the sealed file, and its key.
    fn release_list(
        &self,
        case: CaseNumber,
        who: &Visitor,
        seen: usize,
    ) -> Result<(String, String), Trouble>;
}

/// A breach, and the notices that this controller may owe.
#[derive(Clone, Debug)]
pub struct BreachView {
    pub record: Breach,
    /// The same in the other language: in which one a notice was signed is not known.
    pub other: Breach,
    /// Ids of regimes, in the order in which they are shown.
    pub regimes: Vec<String>,
}
