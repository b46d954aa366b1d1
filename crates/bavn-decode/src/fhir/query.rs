//! Whom was a query about, and how was it asked?
//!
//! Queries are addresses, request lines with headers, form bodies or JSON; HL7 v2, HL7 v3 and
//! ebXML are read by `query_hl7`.

use super::names::{Name, Target, from_identifier, is_opaque, target};
use crate::tree;
use bavn_model::FoundBy;
use smallvec::SmallVec;
use std::borrow::Cow;

/// What a query's text says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Query {
    pub(crate) patients: SmallVec<[Name<Cow<'static, str>>; 1]>,
    /// The resource type asked for.
    pub(crate) kind: Option<String>,
    /// `$export` and the like, with the dollar sign.
    pub(crate) operation: Option<String>,
    /// There are search parameters.
    pub(crate) searches: bool,
    pub(crate) found_by: Option<FoundBy>,
}

/// Reads the text of a query, or of a reference that holds one.
pub(crate) fn read(text: &str) -> Query {
    let mut query = Query::default();
    let text = text.trim();
    if text.starts_with('{') {
        read_json(text, &mut query);
    } else if text.starts_with('<') || text.starts_with("MSH|") {
        let asked = crate::query_hl7::read(text);
        query.patients.extend(asked.patients);
        query.found_by = asked.found_by;
    } else {
        for line in text.lines().take(LINES_MAX) {
            read_line(line.trim(), &mut query);
        }
    }
    query
}

fn read_line(line: &str, query: &mut Query) {
    let address = match line.split_once(' ') {
        Some((method, rest)) if METHODS.contains(&method) => {
            rest.trim_start().split(' ').next().unwrap_or("")
        }
        // A header, or prose.
        Some(_) => return,
        None => line,
    };
    let (path, params) = match address.split_once('?') {
        Some(halves) => halves,
        None if address.contains('=') && !address.contains('/') => ("", address),
        None => (address, ""),
    };
    read_path(path, query);
    let params = params.split_once('#').map_or(params, |(params, _)| params);
    for param in params.split('&').take(PARAMS_MAX) {
        if let Some((name, value)) = param.split_once('=') {
            read_param(name, value, query);
        }
    }
}

fn read_path(path: &str, query: &mut Query) {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    while let Some(segment) = segments.next() {
        if segment.starts_with('$') {
            query.operation = Some(segment.to_owned());
        } else if super::types::is_resource_type(segment) {
            query.kind = Some(segment.to_owned());
            let id = segments.peek().filter(|id| !id.starts_with(['_', '$']));
            if let (true, Some(id)) = (segment == "Patient", id)
                && !super::types::is_resource_type(id)
            {
                query.patients.push(Name::Plain(Cow::Owned(format!("Patient/{}", decode(id)))));
            }
        }
    }
}

fn read_param(name: &str, value: &str, query: &mut Query) {
    let value = decode(value);
    if value.is_empty() {
        return;
    }
    query.searches = true;
    let about_patients = matches!(query.kind.as_deref(), Some("Patient" | "Person"));
    let found_by = match name.split([':', '.']).next().unwrap_or("") {
        "_getpages" | "_getpagesoffset" | "_page" | "page" | "_offset" | "offset" | "cursor"
        | "_cursor" | "ct" => Some(FoundBy::ApiPage),
        "identifier" | "_id" if about_patients => Some(FoundBy::SearchById),
        "name" | "family" | "given" | "birthdate" | "phonetic" | "address" | "phone"
        | "telecom" | "email"
            if about_patients =>
        {
            Some(FoundBy::SearchByName)
        }
        _ => None,
    };
    query.found_by = match (query.found_by, found_by) {
        (Some(FoundBy::ApiPage), _) | (_, Some(FoundBy::ApiPage)) => Some(FoundBy::ApiPage),
        (Some(FoundBy::SearchById), _) | (_, Some(FoundBy::SearchById)) => {
            Some(FoundBy::SearchById)
        }
        (before, now) => before.or(now),
    };
    let sense = match name {
        "patient" | "patient:Patient" | "patient._id" | "subject:Patient" => Sense::PatientId,
        "subject" | "beneficiary" | "for" => Sense::Reference,
        "patient.identifier"
        | "patient:identifier"
        | "subject.identifier"
        | "subject:Patient.identifier"
        | "patient:Patient.identifier" => Sense::Identifier,
        "_id" if query.kind.as_deref() == Some("Patient") => Sense::PatientId,
        "identifier" if query.kind.as_deref() == Some("Patient") => Sense::Identifier,
        _ => return,
    };
    for one in value.split(',').take(PATIENTS_MAX) {
        query.patients.extend(patient(one.trim(), sense));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Sense {
    /// A reference, or the bare id of a patient.
    PatientId,
    /// A reference, to a patient or to something else.
    Reference,
    /// `system|value` or a bare value.
    Identifier,
}

fn patient(text: &str, sense: Sense) -> Option<Name<Cow<'static, str>>> {
    if text.is_empty() {
        return None;
    }
    if sense == Sense::Identifier {
        let name = from_identifier(None, &Cow::Owned(text.to_owned()));
        return (!is_opaque(name.value())).then_some(name);
    }
    match target(text) {
        Target::Instance { kind: "Patient", folded } => {
            Some(Name::Plain(Cow::Owned(folded.to_owned())))
        }
        Target::Other(id) if sense == Sense::PatientId && !is_opaque(id) => {
            Some(Name::Plain(Cow::Owned(format!("Patient/{id}"))))
        }
        _ => None,
    }
}

/// A JSON body, also one whose quotes were escaped once too often.
fn read_json(text: &str, query: &mut Query) {
    let unescaped = text.replace('\\', "");
    let Ok(body) = tree::parse(text.as_bytes()).or_else(|_| tree::parse(unescaped.as_bytes()))
    else {
        return;
    };
    for (key, value) in body.fields() {
        if let Some(value) = value.str() {
            read_param(key, value, query);
        }
    }
}

/// Undoes percent escapes; what is no valid escape stays as it stands.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
const LINES_MAX: usize = 64;
const PARAMS_MAX: usize = 256;
const PATIENTS_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn patients(text: &str) -> Vec<String> {
        read(text).patients.into_iter().map(|name| name.spell().into_owned()).collect()
    }

    #[test]
    fn the_patient_is_found_in_every_spelling() {
        for text in [
            "?patient=17",
            "https://ehr.example/fhir/Observation?code=x&patient=Patient/17",
            "GET ehr.example/r4/Observation?patient=17&_count=10\nAccept: a/b; c=d\nX-Request-Id: 4a",
            "Condition?subject=https://ehr.example/fhir/Patient/17",
            "Observation?patient:Patient=17",
            "subject=Patient%2F17",
            "Patient/17/_history/2",
            "/fhir/Patient/17/$everything?start=2020",
            "POST /fhir/Observation/_search\nContent-Type: application/x\n\npatient=17&code=y",
            r#"{\"patient\":\"17\"}"#,
            "Patient?_id=17",
        ] {
            assert_eq!(patients(text), ["Patient/17"], "{text}");
        }
        assert_eq!(patients("Observation?patient=17,18"), ["Patient/17", "Patient/18"]);
        assert_eq!(patients("Patient?identifier=urn:oid:1.2.3%7C17"), ["urn:oid:1.2.3|17"]);
        assert_eq!(patients("Observation?patient.identifier=1.2.3|17"), ["urn:oid:1.2.3|17"]);
    }

    #[test]
    fn other_parameters_name_no_patient() {
        for text in [
            "http://fhir.example/open/Encounter?participant=13",
            "Observation?subject=17",
            "Observation?subject=Group/17",
            "Patient?name=Chalmers",
            "Patient/$match",
            "Patient/_search",
            "MSH|^~\\&|patient=17",
            "<!-- patient=17 -->",
            "",
            "= =&?=%",
        ] {
            assert_eq!(patients(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn the_way_of_asking_is_read() {
        let found_by = |text| read(text).found_by;
        assert_eq!(found_by("Patient?family=Hansen&birthdate=1970"), Some(FoundBy::SearchByName));
        assert_eq!(found_by("Patient?identifier=17&name=x"), Some(FoundBy::SearchById));
        assert_eq!(found_by("https://ehr.example/fhir?_getpages=7"), Some(FoundBy::ApiPage));
        assert_eq!(found_by("Observation?patient=17"), None);
        let export = read("GET https://ehr.example/fhir/Group/7/$export?_type=Patient");
        assert_eq!(export.operation.as_deref(), Some("$export"));
        assert_eq!(read("Encounter?date=2020").kind.as_deref(), Some("Encounter"));
    }
}
