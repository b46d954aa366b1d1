//! What do the codes say was done, and how did it end?

use crate::tree::Value;
use bavn_model::{Action, Kind, Outcome};

/// What the event's type and subtype (R4) or category and code (R5) say together.
///
/// Writers swap the two and their systems, so all codes are looked at alike; what is most specific
/// wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the record")]
pub(crate) struct Codes {
    pub(crate) decision: bool,
    pub(crate) disclosure: bool,
    /// From an interaction or a transaction.
    pub(crate) specific: Option<Kind>,
    /// From a DICOM event type.
    pub(crate) general: Option<Kind>,
    /// A FHIR operation: which one stands elsewhere.
    pub(crate) operation: bool,
    pub(crate) break_glass: bool,
}

impl Codes {
    pub(crate) fn add(&mut self, code: &str) {
        match code {
            "AuthZ-Consent" | "CH:ADR" | "ADR" => self.decision = true,
            "disclose" | "Disclosure" | "disclosure" => self.disclosure = true,
            "operation" => self.operation = true,
            "110127" => self.break_glass = true,
            _ => {
                if let Some(kind) = interaction(code).or_else(|| transaction(code)) {
                    self.specific = self.specific.or(Some(kind));
                } else if code.starts_with('$') {
                    self.operation = true;
                    self.specific = self.specific.or(operation(code));
                } else if code.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("authz")) {
                    self.decision = true;
                } else if code.eq_ignore_ascii_case("print") {
                    self.specific = Some(Kind::Print);
                } else {
                    self.general = self.general.or(dicom_event(code));
                }
            }
        }
    }

    /// The kind, if the codes alone decide it.
    pub(crate) fn kind(self) -> Option<Kind> {
        if self.decision {
            return Some(Kind::Decision);
        }
        if self.disclosure {
            return Some(Kind::Export);
        }
        self.specific.or(self.general)
    }
}

/// FHIR `restful-interaction` (and spellings before R4), ISO 21089 life cycle.
fn interaction(code: &str) -> Option<Kind> {
    Some(match code {
        "read" | "vread" | "history" | "history-instance" | "history-type" | "history-system"
        | "access" | "view" => Kind::Read,
        "search" | "search-type" | "search-system" | "search-compartment" | "query" => Kind::Search,
        "create" | "originate" | "receive" => Kind::Create,
        "update" | "patch" | "amend" => Kind::Update,
        "delete" | "destroy" => Kind::Delete,
        "export" | "extract" | "transmit" => Kind::Export,
        "login" | "logout" => Kind::Login,
        "batch" | "transaction" | "capabilities" => Kind::Other,
        _ => return None,
    })
}

/// IHE transactions, where DICOM type and action show only which side wrote the record.
fn transaction(code: &str) -> Option<Kind> {
    let number = code.strip_prefix("ITI-").or_else(|| code.strip_prefix("iti-"))?;
    Some(match number {
        "39" | "43" | "68" | "81" | "107" => Kind::Read,
        "9" | "16" | "18" | "21" | "22" | "38" | "45" | "47" | "51" | "55" | "56" | "63" | "66"
        | "67" | "73" | "78" | "83" | "90" | "119" => Kind::Search,
        "15" | "41" | "42" | "65" | "80" | "105" | "106" => Kind::Create,
        "57" | "92" => Kind::Update,
        "62" | "86" => Kind::Delete,
        // Feeds and notices: what DICOM type and action say.
        _ => return None,
    })
}

/// DICOM PS3.16 CID 400 and 401. Of those not here (patient, order, study) the action decides.
fn dicom_event(code: &str) -> Option<Kind> {
    Some(match code {
        "110101" => Kind::Read,
        "110105" => Kind::Delete,
        "110106" => Kind::Export,
        "110107" => Kind::Create,
        "110108" | "110113" | "110120" | "110121" => Kind::Other,
        "110112" => Kind::Search,
        "110114" | "110122" | "110123" => Kind::Login,
        _ => return None,
    })
}

/// A FHIR operation by its name; one that is not known here is decided by the action.
pub(crate) fn operation(name: &str) -> Option<Kind> {
    match name {
        "$export" | "$bulk-export" | "$davinci-data-export" => Some(Kind::Export),
        "$everything"
        | "$summary"
        | "$docref"
        | "$document"
        | "$lastn"
        | "$graph"
        | "$patient-everything" => Some(Kind::Read),
        "$match" | "$ihe-pix" | "$find" => Some(Kind::Search),
        _ => None,
    }
}

pub(crate) fn action(code: &str) -> Option<Action> {
    Some(match code {
        "C" | "c" => Action::Create,
        "R" | "r" => Action::Read,
        "U" | "u" => Action::Update,
        "D" | "d" => Action::Delete,
        "E" | "e" => Action::Execute,
        _ => return None,
    })
}

/// The action that a kind implies, for records that state none.
pub(crate) fn action_of(kind: Kind) -> Option<Action> {
    Some(match kind {
        Kind::Read => Action::Read,
        Kind::Create => Action::Create,
        Kind::Update => Action::Update,
        Kind::Delete => Action::Delete,
        Kind::Search | Kind::Login | Kind::Decision => Action::Execute,
        Kind::Export | Kind::Print | Kind::Other => return None,
    })
}

/// `outcome` of every version: a code, a Coding, a `CodeableConcept`, or an object with `code`.
pub(crate) fn outcome(value: &Value<'_>) -> Outcome {
    let code = value.get("code");
    [value, code, value.get("coding").first(), code.get("coding").first()]
        .into_iter()
        .filter_map(|candidate| candidate.str().or_else(|| candidate.get("code").str()))
        .map(outcome_word)
        .find(|&outcome| outcome != Outcome::Unknown)
        .unwrap_or_default()
}

/// FHIR `audit-event-outcome` (DICOM `EventOutcomeIndicator`) and `issue-severity`.
fn outcome_word(code: &str) -> Outcome {
    match code {
        "0" | "success" | "information" | "informational" => Outcome::Success,
        "4" | "warning" => Outcome::MinorFailure,
        "8" | "error" => Outcome::SeriousFailure,
        "12" | "fatal" => Outcome::MajorFailure,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(codes: &[&str]) -> Option<Kind> {
        let mut all = Codes::default();
        for code in codes {
            all.add(code);
        }
        all.kind()
    }

    #[test]
    fn the_most_specific_code_decides() {
        assert_eq!(kind(&["rest", "search-type"]), Some(Kind::Search));
        // Retrieve at the importer, provide at the exporter.
        assert_eq!(kind(&["110107", "ITI-43"]), Some(Kind::Read));
        assert_eq!(kind(&["110106", "ITI-41"]), Some(Kind::Create));
        assert_eq!(kind(&["110106", "disclose", "read"]), Some(Kind::Export));
        assert_eq!(kind(&["110113", "AuthZ-Consent"]), Some(Kind::Decision));
        assert_eq!(kind(&["110114", "110123"]), Some(Kind::Login));
        assert_eq!(kind(&["110110"]), None);
        assert_eq!(kind(&["rest"]), None);
    }

    #[test]
    fn outcomes_of_all_versions() {
        let read = |text: &str| outcome(&crate::tree::parse(text.as_bytes()).unwrap());
        assert_eq!(read(r#""0""#), Outcome::Success);
        assert_eq!(read("4"), Outcome::MinorFailure);
        assert_eq!(read(r#"{"code":{"code":"8"}}"#), Outcome::SeriousFailure);
        assert_eq!(read(r#"{"code":{"system":"x","code":"error"}}"#), Outcome::SeriousFailure);
        assert_eq!(read(r#"{"coding":[{"code":"12"}]}"#), Outcome::MajorFailure);
        assert_eq!(read("null"), Outcome::Unknown);
        assert_eq!(read(r#""weird""#), Outcome::Unknown);
    }
}
