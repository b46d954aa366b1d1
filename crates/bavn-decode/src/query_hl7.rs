//! Whom was an HL7 v2, HL7 v3 or ebXML query about?
//!
//! These stand in the audit records of IHE's older transactions: PIX and PDQ in both versions of
//! HL7, cross-community discovery, and the registry queries for documents.

use crate::fhir::names::{Name, from_identifier, qualified};
use crate::tree::Value;
use crate::xml::{self, Style};
use bavn_model::FoundBy;
use smallvec::SmallVec;
use std::borrow::Cow;

type Patients = SmallVec<[Name<Cow<'static, str>>; 1]>;

/// What such a query says.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) patients: Patients,
    pub(crate) found_by: Option<FoundBy>,
}

/// Reads the text of a query that begins with `MSH|` or `<`.
pub(crate) fn read(text: &str) -> Asked {
    let mut asked = Asked::default();
    if text.starts_with("MSH|") {
        for segment in text.split(['\r', '\n']).take(SEGMENTS_MAX) {
            read_segment(segment, &mut asked);
        }
    } else if let Some(root) = root_of(text)
        && let Ok(element) = xml::element(root.as_bytes(), Style::Plain, None)
    {
        read_element(element.name, &element.value, &mut asked);
    }
    asked
}

fn read_segment(segment: &str, asked: &mut Asked) {
    let mut fields = segment.split('|');
    let kind = fields.next();
    let Some(third) = fields.nth(2) else { return };
    match kind {
        Some("PID") => third.split('~').for_each(|id| add_id(id, asked)),
        Some("QPD") if third.starts_with('@') => read_parameters(third, asked),
        Some("QPD") => add_id(third, asked),
        _ => {}
    }
}

/// `@PID.3.1^17~@PID.3.4.2^1.2.3~@PID.5.1^Hansen`.
fn read_parameters(parameters: &str, asked: &mut Asked) {
    let (mut id, mut authority, mut namespace) = (None, None, None);
    for parameter in parameters.split('~') {
        let Some((name, value)) = parameter.split_once('^') else { continue };
        match name {
            "@PID.3" => add_id(value, asked),
            "@PID.3.1" => id = Some(value),
            "@PID.3.4" | "@PID.3.4.2" => authority = Some(value),
            "@PID.3.4.1" => namespace = Some(value),
            _ if name.starts_with("@PID.5") || name.starts_with("@PID.7") => {
                asked.found_by = asked.found_by.or(Some(FoundBy::SearchByName));
            }
            _ => {}
        }
    }
    let Some(id) = id.filter(|id| !id.is_empty()) else { return };
    let authority =
        authority.or(namespace).and_then(|text| text.split('&').find(|p| !p.is_empty()));
    add(authority, id, asked);
}

fn add_id(id: &str, asked: &mut Asked) {
    if id.split('^').next().is_some_and(|value| !value.is_empty()) {
        let id = Cow::Owned(id.to_owned());
        asked.patients.push(from_identifier(None, &id));
        asked.found_by = Some(FoundBy::SearchById);
    }
}

fn add(system: Option<&str>, value: &str, asked: &mut Asked) {
    let value = Cow::Owned(value.to_owned());
    asked.patients.push(match system {
        Some(system) => qualified(Cow::Owned(system.to_owned()), value),
        None => Name::Plain(value),
    });
    asked.found_by = Some(FoundBy::SearchById);
}

/// The text from its first element on.
fn root_of(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        let end = match rest.as_bytes() {
            [b'<', b'?', ..] => rest.find("?>")? + 2,
            [b'<', b'!', b'-', ..] => rest.find("-->")? + 3,
            [b'<', first, ..] if first.is_ascii_alphabetic() => return Some(rest),
            _ => return None,
        };
        rest = rest.get(end..)?.trim_start();
    }
}

fn read_element(name: &str, value: &Value<'_>, asked: &mut Asked) {
    match name {
        // HL7 v3: PRPA_IN201305 and PRPA_IN201309.
        "livingSubjectId" | "patientIdentifier" | "patientId" => {
            for id in value.get("value").items() {
                let (root, extension) = (id.get("root").str(), id.get("extension").str());
                if let Some(value) = extension {
                    add(root, value, asked);
                }
            }
        }
        "livingSubjectName" | "livingSubjectBirthTime" => {
            asked.found_by = asked.found_by.or(Some(FoundBy::SearchByName));
        }
        "Slot" if value.get("name").str().is_some_and(is_patient_slot) => {
            for text in value.get("ValueList").get("Value").items().iter().filter_map(Value::str) {
                let bare = text.trim_matches(['(', ')', '\'', ' ']);
                add_id(bare, asked);
            }
        }
        _ => {}
    }
    for (name, child) in value.fields() {
        child.items().iter().for_each(|item| read_element(name, item, asked));
    }
}

/// `$XDSDocumentEntryPatientId`, `$XDSFolderPatientId`, `$patientId` and their like.
fn is_patient_slot(name: &str) -> bool {
    name.ends_with("PatientId") || name == "$patientId"
}

/// A query has three segments; a feed with all that it carries some dozens.
const SEGMENTS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn patients(text: &str) -> Vec<String> {
        read(text).patients.into_iter().map(|name| name.spell().into_owned()).collect()
    }

    #[test]
    fn hl7_v2_queries_and_feeds_name_their_patients() {
        let query = "MSH|^~\\&|A|B\rQPD|IHE PIX Query|tag|17^^^NS&1.2.3&ISO^PI|^^^ECID\rRCP|I\r";
        assert_eq!(patients(query), ["urn:oid:1.2.3|17"]);
        let feed = "MSH|^~\\&|A|B\nPID|1||17^^^&1.2.3&ISO~18^^^&1.2.4&ISO||X^Y";
        assert_eq!(patients(feed), ["urn:oid:1.2.3|17", "urn:oid:1.2.4|18"]);
        let parameters = "MSH|^~\\&|A\rQPD|IHE PDQ Query|1|@PID.3.1^17~@PID.3.4.2^1.2.3~@PID.5.1^X";
        assert_eq!(patients(parameters), ["urn:oid:1.2.3|17"]);
        let by_name = read("MSH|^~\\&|A\rQPD|IHE PDQ Query|1|@PID.5.1^meier");
        assert_eq!((by_name.patients.len(), by_name.found_by), (0, Some(FoundBy::SearchByName)));
    }

    #[test]
    fn hl7_v3_and_ebxml_queries_name_their_patients() {
        let v3 = r#"<?xml version="1.0"?><!-- q --><q:queryByParameter xmlns:q="urn:hl7-org:v3">
            <parameterList><livingSubjectId><value extension="17" root="1.2.3"/></livingSubjectId>
            </parameterList></q:queryByParameter>"#;
        assert_eq!(patients(v3), ["urn:oid:1.2.3|17"]);
        let ebxml = r#"<query:AdhocQueryRequest><AdhocQuery id="urn:uuid:14d4">
            <Slot name="$XDSDocumentEntryPatientId"><ValueList><Value>'17^^^&amp;1.2.3&amp;ISO'</Value>
            </ValueList></Slot><Slot name="$XDSDocumentEntryStatus"><ValueList><Value>('x')</Value>
            </ValueList></Slot></AdhocQuery></query:AdhocQueryRequest>"#;
        assert_eq!(patients(ebxml), ["urn:oid:1.2.3|17"]);
    }

    #[test]
    fn what_is_no_query_names_nobody() {
        for text in ["MSH|", "MSH|^~\\&|A\rQPD", "<", "<!-- 17 -->", "<a><b>", "<a>&x;</a>", "<?"] {
            assert_eq!(patients(text), [""; 0], "{text}");
        }
    }
}
