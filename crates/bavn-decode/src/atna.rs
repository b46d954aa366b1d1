//! Here is a DICOM audit message (PS3.15 A.5) or its RFC 3881 spelling; what happened?
//!
//! FHIR's `AuditEvent` was made from these messages, element by element. So a message is turned
//! into the `AuditEvent` that says the same, and one reader judges both: who the human is among the
//! participants, which spellings are one patient, what was really done. Only what the two formats
//! treat differently is decided here.
//!
//! Both spellings are read: `csd-code` and `originalText` of DICOM, `code` and `displayName` of
//! RFC 3881, and the same in JSON as `OpenHIM` keeps it.

use crate::fhir::names::is_opaque;
use crate::fhir::{self, Draft, Text};
use crate::tree::{NULL, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bavn_model::{Origin, Record, RejectReason};
use core::net::IpAddr;
use std::borrow::Cow;

type Fields<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Whether a JSON object is an audit message.
pub(crate) fn is_message(value: &Value<'_>) -> bool {
    !field(value, "EventIdentification").is_null()
}

/// Reads one audit message from its tree; `raw` is the record's own bytes, for its id.
pub fn read<'a>(
    message: &Value<'a>,
    raw: &[u8],
    origin: Origin,
) -> Result<Record<'a>, RejectReason> {
    let result = fhir::read(&audit_event(message, event(message)?), raw, origin);
    result.map_err(|reason| match reason {
        RejectReason::Missing { .. } => RejectReason::Missing { field: "EventDateTime" },
        RejectReason::WrongType { expected, .. } => {
            RejectReason::WrongType { field: "EventDateTime", expected }
        }
        other => other,
    })
}

/// The pieces of an audit message, before they are judged.
pub(crate) fn draft<'a>(message: &Value<'a>) -> Option<Draft<Text<'a>>> {
    fhir::pick(&audit_event(message, event(message).ok()?)).ok()
}

fn event<'v, 'a>(message: &'v Value<'a>) -> Result<&'v Value<'a>, RejectReason> {
    let event = field(message, "EventIdentification");
    if event.items().len() > 1 {
        return Err(RejectReason::DuplicateKey { field: "EventIdentification" });
    }
    Ok(event.first())
}

/// The `AuditEvent` (R4) that says the same.
fn audit_event<'a>(message: &Value<'a>, event: &Value<'a>) -> Value<'a> {
    let source = field(message, "AuditSourceIdentification").first();
    let mut fields = vec![("resourceType".into(), Value::String("AuditEvent".into()))];
    push(&mut fields, "type", concept(field(event, "EventID")));
    push(&mut fields, "subtype", concepts(field(event, "EventTypeCode")));
    push_text(&mut fields, "action", event, "EventActionCode");
    push_text(&mut fields, "recorded", event, "EventDateTime");
    push_text(&mut fields, "outcome", event, "EventOutcomeIndicator");
    push(&mut fields, "purposeOfEvent", concepts(field(event, "PurposeOfUse")));
    push(&mut fields, "agent", agents(field(message, "ActiveParticipant")));
    push(&mut fields, "source", source_of(source));
    let objects = field(message, "ParticipantObjectIdentification");
    push(&mut fields, "entity", entities(objects, one_patient(event)));
    Value::Object(fields)
}

fn source_of<'a>(source: &Value<'a>) -> Value<'a> {
    let mut fields = Fields::new();
    push_text(&mut fields, "site", source, "AuditEnterpriseSiteID");
    if let Some(id) = field(source, "AuditSourceID").text() {
        push(&mut fields, "observer", object("display", Value::String(id)));
    }
    Value::Object(fields)
}

fn agents<'a>(participants: &Value<'a>) -> Value<'a> {
    let participants = participants.items();
    // Some writers mark the sending system as the requestor and not the person at it.
    let person_asked =
        participants.iter().any(|participant| is_requestor(participant) && !is_system(participant));
    let agents = participants.iter().map(|participant| {
        let requestor = is_requestor(participant) || (!person_asked && is_person(participant));
        agent(participant, requestor)
    });
    Value::Array(agents.collect())
}

fn agent<'a>(participant: &Value<'a>, requestor: bool) -> Value<'a> {
    let mut fields = Fields::new();
    push(&mut fields, "requestor", Value::Bool(requestor));
    let user = field(participant, "UserID").text();
    // A person may be named as source or destination, and is none of the systems.
    if user.as_deref().is_none_or(|user| assertion_subject(user).is_none()) {
        push(&mut fields, "role", concepts(field(participant, "RoleIDCode")));
    }
    let named = user.as_deref().is_some_and(|user| !is_address(user));
    if let Some(user) = user.filter(|_| named) {
        push(&mut fields, "who", whom(user));
    }
    let mut name = field(participant, "UserName").text();
    if let Some(other) = field(participant, "AlternativeUserID").text() {
        if let Some(title) = application_title(&other) {
            name = name.or_else(|| Some(Cow::Owned(title.to_owned())));
        } else if !is_process(&other) && !is_address(&other) {
            push(&mut fields, "altId", Value::String(other));
        }
    }
    if let Some(name) = name {
        push(&mut fields, "name", Value::String(name));
    }
    let mut network = Fields::new();
    push_text(&mut network, "address", participant, "NetworkAccessPointID");
    push_text(&mut network, "type", participant, "NetworkAccessPointTypeCode");
    if !network.is_empty() {
        push(&mut fields, "network", Value::Object(network));
    }
    Value::Object(fields)
}

/// A participant who is not marked is the requestor: the default of RFC 3881.
fn is_requestor(participant: &Value<'_>) -> bool {
    field(participant, "UserIsRequestor").bool() != Some(false)
}

fn is_system(participant: &Value<'_>) -> bool {
    let user = field(participant, "UserID").str().unwrap_or("");
    let is_person = !field(participant, "UserName").is_null() || assertion_subject(user).is_some();
    role_codes(participant).any(|code| {
        matches!(code, "110150" | "110154" | "110155")
            || (matches!(code, "110152" | "110153") && !is_person)
    })
}

/// Named, and by a role or a name of its own known to be no system.
fn is_person(participant: &Value<'_>) -> bool {
    let known =
        role_codes(participant).next().is_some() || !field(participant, "UserName").is_null();
    let user = field(participant, "UserID").str().unwrap_or("");
    known
        && !role_codes(participant).any(|code| code.starts_with("11015"))
        && !is_opaque(user)
        && !is_address(user)
}

fn role_codes<'v>(participant: &'v Value<'_>) -> impl Iterator<Item = &'v str> {
    field(participant, "RoleIDCode").items().iter().filter_map(|role| code(role).str())
}

/// A reference where the id is one, else an identifier.
fn whom(id: Cow<'_, str>) -> Value<'_> {
    const PEOPLE: [&str; 4] = ["Practitioner/", "PractitionerRole/", "Patient/", "Device/"];
    if PEOPLE.iter().any(|kind| id.starts_with(kind)) {
        return object("reference", Value::String(id));
    }
    match assertion_subject(&id) {
        Some((user, issuer)) => {
            let text = |text: &str| Value::String(Cow::Owned(text.to_owned()));
            let fields = vec![("system".into(), text(issuer)), ("value".into(), text(user))];
            object("identifier", Value::Object(fields))
        }
        None => identifiers(vec![id]),
    }
}

/// User and issuer of `alias<user@issuer>`, as IHE XUA writes the subject of a SAML assertion. The
/// issuer may well be an address.
fn assertion_subject(id: &str) -> Option<(&str, &str)> {
    let (_, subject) = id.strip_suffix('>')?.split_once('<')?;
    let (user, issuer) = subject.rsplit_once('@')?;
    (!is_opaque(user) && !issuer.is_empty()).then_some((user, issuer))
}

/// `AETITLE=AEFOO;AETITLE=..`: the application entity's first title.
fn application_title(text: &str) -> Option<&str> {
    let titles = text.strip_prefix("AETITLE=").or_else(|| text.strip_prefix("AETITLES="))?;
    titles.split([';', ',']).next().map(str::trim).filter(|title| !title.is_empty())
}

/// A process, not a person, stands in most alternative ids.
fn is_process(text: &str) -> bool {
    let number = text.split('@').next().unwrap_or(text);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && number.parse::<u32>().is_ok_and(|number| number <= PROCESS_ID_MAX)
}

fn is_address(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or(text);
    address.parse::<IpAddr>().is_ok()
}

/// Which patient objects are one person under several identifiers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnePatient {
    /// The transaction asks or says which identifiers one person has.
    Always,
    /// The transaction is about one person, but merges stand in it as well: only identifiers of
    /// different authorities are one person's.
    AcrossAuthorities,
    Never,
}

fn one_patient(event: &Value<'_>) -> OnePatient {
    let transactions = field(event, "EventTypeCode").items();
    let found = transactions.iter().find_map(|concept| match code(concept).str()? {
        "ITI-9" | "ITI-45" | "ITI-83" => Some(OnePatient::Always),
        "ITI-8" | "ITI-10" | "ITI-30" | "ITI-44" | "ITI-46" => Some(OnePatient::AcrossAuthorities),
        _ => None,
    });
    found.unwrap_or(OnePatient::Never)
}

fn entities<'a>(objects: &Value<'a>, one_patient: OnePatient) -> Value<'a> {
    let (patients, others): (Vec<_>, Vec<_>) =
        objects.items().iter().partition(|object| is_patient(object));
    let mut all = Vec::with_capacity(patients.len() + others.len());
    let mut ids: Vec<Vec<Cow<'a, str>>> =
        patients.iter().map(|object| patient_ids(object)).collect();
    let together = match one_patient {
        OnePatient::Always => ids.iter().all(|ids| !ids.is_empty()),
        OnePatient::AcrossAuthorities => differ(ids.iter().flatten().map(|id| authority(id))),
        OnePatient::Never => false,
    };
    if together && ids.len() > 1 {
        ids = vec![ids.into_iter().flatten().collect()];
    }
    for (object, ids) in patients.into_iter().zip(ids) {
        all.push(patient_entity(object, ids));
    }
    all.extend(others.into_iter().map(entity));
    Value::Array(all)
}

/// A person in the role of the patient. A job or a guarantor is none, whatever its id looks like.
fn is_patient(object: &Value<'_>) -> bool {
    let kind = field(object, "ParticipantObjectTypeCode").str();
    let role = field(object, "ParticipantObjectTypeCodeRole").str();
    match (kind, role) {
        (Some("1") | None, Some("1")) => true,
        (Some("1"), None) => {
            code(field(object, "ParticipantObjectIDTypeCode").first()).str() == Some("2")
        }
        _ => false,
    }
}

/// HL7 v2 repeats identifiers of one person with a tilde.
fn patient_ids<'a>(object: &Value<'a>) -> Vec<Cow<'a, str>> {
    let text = field(object, "ParticipantObjectID").text();
    // Escaped once too often by writers of JSON.
    let text = text.map(|text| {
        if text.contains("&amp;") { Cow::Owned(text.replace("&amp;", "&")) } else { text }
    });
    match text {
        Some(Cow::Borrowed(text)) if text.contains('^') => {
            text.split('~').map(Cow::Borrowed).collect()
        }
        Some(Cow::Owned(text)) if text.contains('^') => {
            text.split('~').map(|id| Cow::Owned(id.to_owned())).collect()
        }
        text => text.into_iter().collect(),
    }
}

/// What stands behind the value in CX.
fn authority(id: &str) -> &str {
    id.split('^').nth(3).unwrap_or("")
}

fn differ<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> bool {
    let mut rest = texts.clone();
    texts.into_iter().all(|text| {
        rest.next();
        rest.clone().all(|other| other != text)
    })
}

fn patient_entity<'a>(patient: &Value<'a>, ids: Vec<Cow<'a, str>>) -> Value<'a> {
    let mut fields = Fields::new();
    push(&mut fields, "role", object("code", Value::String("1".into())));
    let what = match ids.as_slice() {
        [id] if id.contains("Patient/") => object("reference", Value::String(id.clone())),
        _ => identifiers(ids),
    };
    push(&mut fields, "what", what);
    push_text(&mut fields, "name", patient, "ParticipantObjectName");
    push(&mut fields, "detail", details(patient));
    Value::Object(fields)
}

fn entity<'a>(other: &Value<'a>) -> Value<'a> {
    let mut fields = Fields::new();
    let kind = field(other, "ParticipantObjectTypeCode");
    let role = field(other, "ParticipantObjectTypeCodeRole");
    push(&mut fields, "type", object("code", kind.clone()));
    if role.str() != Some("1") {
        push(&mut fields, "role", object("code", role.clone()));
    }
    if let Some(id) = field(other, "ParticipantObjectID").text() {
        push(&mut fields, "what", content(id, other));
    }
    push_text(&mut fields, "query", other, "ParticipantObjectQuery");
    push(&mut fields, "detail", details(other));
    Value::Object(fields)
}

/// A reference to what was opened, as far as the type of the id says what it is.
fn content<'a>(id: Cow<'a, str>, other: &Value<'a>) -> Value<'a> {
    let kind = code(field(other, "ParticipantObjectIDTypeCode").first());
    let resource = match kind.str() {
        _ if id.contains('/') => return object("reference", Value::String(id)),
        Some("110180") => "ImagingStudy",
        Some("9") => "DocumentReference",
        _ => return identifiers(vec![id]),
    };
    object("reference", Value::String(Cow::Owned(format!("{resource}/{id}"))))
}

/// Their values are in base64.
fn details<'a>(object: &Value<'a>) -> Value<'a> {
    let read = |detail: &Value<'a>| {
        let value = field(detail, "value").text()?;
        let decoded = STANDARD.decode(value.as_bytes()).ok();
        let text = match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) => Cow::Owned(text),
            None => value,
        };
        let mut fields = Fields::new();
        push_text(&mut fields, "type", detail, "type");
        push(&mut fields, "valueString", Value::String(text));
        Some(Value::Object(fields))
    };
    let all = field(object, "ParticipantObjectDetail").items();
    Value::Array(all.iter().filter_map(read).collect())
}

fn identifiers(ids: Vec<Cow<'_, str>>) -> Value<'_> {
    let mut all: Vec<_> = ids.into_iter().map(|id| object("value", Value::String(id))).collect();
    let one_or_all = match all.len() {
        1 => all.pop().unwrap_or(Value::Null),
        _ => Value::Array(all),
    };
    object("identifier", one_or_all)
}

fn concepts<'a>(codes: &Value<'a>) -> Value<'a> {
    Value::Array(codes.items().iter().map(concept).collect())
}

fn concept<'a>(coded: &Value<'a>) -> Value<'a> {
    let coded = coded.first();
    let mut coding = vec![("code".into(), code(coded).clone())];
    let words = field(coded, "originalText");
    let words = if words.is_null() { field(coded, "displayName") } else { words };
    if !words.is_null() {
        coding.push(("display".into(), words.clone()));
    }
    object("coding", Value::Object(coding))
}

/// `csd-code` in DICOM since 2009, `code` before and in RFC 3881.
fn code<'v, 'a>(coded: &'v Value<'a>) -> &'v Value<'a> {
    let code = field(coded, "csd-code");
    if code.is_null() { field(coded, "code") } else { code }
}

/// A field by its name in XML; JSON spells it in lower camel case.
fn field<'v, 'a>(value: &'v Value<'a>, name: &str) -> &'v Value<'a> {
    let fields = value.fields();
    let exact = fields.iter().rev().find(|(held, _)| held == name);
    exact
        .or_else(|| fields.iter().rev().find(|(held, _)| held.eq_ignore_ascii_case(name)))
        .map_or(&NULL, |(_, value)| value)
}

fn object<'a>(name: &'static str, value: Value<'a>) -> Value<'a> {
    Value::Object(vec![(Cow::Borrowed(name), value)])
}

fn push<'a>(fields: &mut Fields<'a>, name: &'static str, value: Value<'a>) {
    fields.push((Cow::Borrowed(name), value));
}

fn push_text<'a>(fields: &mut Fields<'a>, name: &'static str, from: &Value<'a>, key: &str) {
    if let Some(text) = field(from, key).text() {
        push(fields, name, Value::String(text));
    }
}

/// The highest process id of Linux; other systems number lower.
const PROCESS_ID_MAX: u32 = 1 << 22;
