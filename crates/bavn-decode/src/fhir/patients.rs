//! Whose record was it, and what was opened?
//!
//! Entities (before STU3 objects), the R5 element `patient`, and extensions.

use super::agents::Text;
use super::identity::{contained, human_name, identifier_name, referred_type};
use super::names::{self, Name, Target};
use super::types::is_in_patient_record;
use crate::tree::Value;
use smallvec::SmallVec;

type PatientNames<'a> = SmallVec<[Name<Text<'a>>; 1]>;

/// What the entities of one record say together.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) patients: SmallVec<[PatientNames<'a>; 2]>,
    pub(crate) asserted_patient: Option<Text<'a>>,
    pub(crate) resource: Option<Text<'a>>,
    /// The first patient that an entity refers to: the content, if nothing else was opened.
    pub(crate) patient_resource: Option<Text<'a>>,
    pub(crate) query: Option<Text<'a>>,
    pub(crate) asked: SmallVec<[Text<'a>; 1]>,
    pub(crate) trace: Option<Text<'a>>,
    pub(crate) has_query: bool,
    pub(crate) clinical: bool,
    pub(crate) unresolved: bool,
}

/// Reads every place where a record may name its patients and contents.
pub(crate) fn read<'a>(event: &Value<'a>) -> Contents<'a> {
    let mut contents = Contents::default();
    for patient in event.get("patient").items() {
        add_patient(event, patient, &mut contents);
    }
    let entities = event.get("entity");
    let entities = if entities.is_null() { event.get("object") } else { entities };
    for entity in entities.items().iter().take(ENTITIES_MAX) {
        add_entity(event, entity, &mut contents);
    }
    add_extensions(event, event.get("extension"), &mut contents, 0);
    contents.patient_resource = entities.items().iter().find_map(|entity| {
        let text = what(entity).get("reference").text()?;
        match names::target(&text) {
            Target::Instance { kind: "Patient", folded } => Some(names::part(&text, folded)),
            _ => None,
        }
    });
    contents
}

fn add_entity<'a>(event: &Value<'a>, entity: &Value<'a>, contents: &mut Contents<'a>) {
    let what = what(entity);
    let role = code_in(entity.get("role"));
    let kind = code_in(entity.get("type"));
    let referred = referred_type(event, what);
    if matches!(role.as_deref(), Some("6" | "11" | "12")) {
        // Users and user groups: neither patient nor content.
        return;
    }
    let is_patient = match (role.as_deref(), referred) {
        (_, Some("Patient")) | (Some("1"), None) => true,
        (_, None) if kind.as_deref() == Some("Patient") => true,
        // Any other person is no patient, unless no role says what the person was.
        (None, None) => kind.as_deref() == Some("1"),
        _ => false,
    };
    if is_patient {
        if !add_patient(event, what, contents) && !add_bare_patient(entity, contents) {
            contents.unresolved = true;
        }
    } else if !add_trace(entity, role.as_deref(), kind.as_deref(), contents) {
        add_content(event, entity, referred, kind, contents);
    }
    add_query(entity, role.as_deref() == Some("24"), contents);
    add_extensions(event, entity.get("extension"), contents, 0);
}

/// The reference of an entity: `what`, before R4 `reference`.
fn what<'v, 'a>(entity: &'v Value<'a>) -> &'v Value<'a> {
    let what = entity.get("what");
    if what.is_null() { entity.get("reference") } else { what }
}

/// Adds the patient of a reference with all its names. False if it names nobody.
fn add_patient<'a>(event: &Value<'a>, reference: &Value<'a>, contents: &mut Contents<'a>) -> bool {
    let mut found = PatientNames::new();
    let mut display = reference.get("display").text();
    if let Some(text) = reference.get("reference").text() {
        match names::target(&text) {
            Target::Contained(id) => {
                let resource = contained(event, id);
                found.extend(resource.get("identifier").items().iter().filter_map(identifier_name));
                display = display.or_else(|| human_name(resource));
            }
            Target::Instance { folded, .. } => {
                found.push(Name::Plain(names::part(&text, folded)));
            }
            Target::Conditional { .. } => {
                contents.asked.push(text);
                return true;
            }
            Target::Other(_) => found.push(Name::Plain(text)),
            Target::Kind(_) => {}
        }
    }
    found.extend(reference.get("identifier").items().iter().filter_map(identifier_name));
    found.retain(|name| !names::tells_nobody(name));
    push(found, display, contents)
}

/// Before R4 the identifier, and in all versions the name, may stand beside the reference.
fn add_bare_patient<'a>(entity: &Value<'a>, contents: &mut Contents<'a>) -> bool {
    let mut found: PatientNames<'a> =
        entity.get("identifier").items().iter().filter_map(identifier_name).collect();
    found.retain(|name| !names::tells_nobody(name));
    push(found, entity.get("name").text(), contents)
}

fn push<'a>(
    mut found: PatientNames<'a>,
    display: Option<Text<'a>>,
    contents: &mut Contents<'a>,
) -> bool {
    if found.is_empty() {
        // A name alone may be borne by several.
        let Some(display) = display.filter(|text| !names::is_opaque(text)) else { return false };
        contents.unresolved = true;
        found.push(Name::Plain(display));
    }
    contents.patients.push(found);
    true
}

/// Request and trace ids, which some profiles carry as entities. False if the entity is none.
fn add_trace<'a>(
    entity: &Value<'a>,
    role: Option<&str>,
    kind: Option<&str>,
    contents: &mut Contents<'a>,
) -> bool {
    let identifiers = [what(entity).get("identifier"), entity.get("identifier")];
    let is_trace = kind == Some("XrequestId")
        || identifiers.iter().any(|identifier| {
            identifier.get("type").get("text").str().is_some_and(|text| {
                text.eq_ignore_ascii_case("TraceID") || text.eq_ignore_ascii_case("traceparent")
            })
        })
        || (kind == Some("4") && role == Some("26"));
    if is_trace && contents.trace.is_none() {
        contents.trace = identifiers.iter().find_map(|identifier| identifier.get("value").text());
    }
    is_trace
}

/// The first thing that is neither patient nor trace is what was opened.
fn add_content<'a>(
    event: &Value<'a>,
    entity: &Value<'a>,
    referred: Option<&str>,
    kind: Option<Text<'a>>,
    contents: &mut Contents<'a>,
) {
    let reference = what(entity).get("reference").text();
    let mut content = None;
    if let Some(text) = &reference {
        match names::target(text) {
            Target::Instance { folded, .. } => content = Some(names::part(text, folded)),
            Target::Kind(kind) => content = Some(names::part(text, kind)),
            Target::Contained(id) => {
                let resource = contained(event, id);
                for owner in [resource.get("subject"), resource.get("patient")] {
                    if referred_type(event, owner) == Some("Patient") {
                        add_patient(event, owner, contents);
                    }
                }
                content = resource.get("resourceType").text();
            }
            Target::Conditional { kind, .. } => {
                content = Some(names::part(text, kind));
                contents.asked.push(text.clone());
            }
            Target::Other(_) => {
                if text.contains('?') {
                    contents.asked.push(text.clone());
                }
            }
        }
    }
    contents.clinical |= referred.or(kind.as_deref()).is_some_and(is_in_patient_record);
    let named = kind.filter(|kind| super::types::is_resource_type(kind));
    contents.resource = contents.resource.take().or(content).or(named);
}

fn add_query<'a>(entity: &Value<'a>, is_query: bool, contents: &mut Contents<'a>) {
    let query = entity.get("query").text();
    if query.is_some() || is_query {
        contents.has_query = true;
        contents.asked.extend(entity.get("description").text());
    }
    contents.query = contents.query.take().or(query);
    for detail in entity.get("detail").items() {
        let kind = detail.get("type");
        let kind = kind.str().or_else(|| kind.get("text").str()).unwrap_or("");
        let is_trace = ["correlationId", "traceparent", "TraceID", "traceId", "sessionId"]
            .iter()
            .any(|name| kind.eq_ignore_ascii_case(name));
        if is_trace && contents.trace.is_none() {
            contents.trace = detail.get("valueString").text();
        }
        if kind.ends_with(":resource:resource-id") && contents.asserted_patient.is_none() {
            contents.asserted_patient = detail.get("valueString").text();
        }
    }
}

/// Patients, traces and encounters in extensions, also nested ones.
fn add_extensions<'a>(
    event: &Value<'a>,
    extensions: &Value<'a>,
    contents: &mut Contents<'a>,
    level: u32,
) {
    for extension in extensions.items().iter().take(EXTENSIONS_MAX) {
        let url = extension.get("url").str().unwrap_or("");
        let name = url.rsplit('/').next().unwrap_or("");
        let about_patient = name.to_ascii_lowercase().contains("patient");
        let reference = extension.get("valueReference");
        let referred = referred_type(event, reference);
        if referred == Some("Patient") || (about_patient && referred.is_none()) {
            add_patient(event, reference, contents);
        }
        if about_patient {
            let identifiers = extension.get("valueIdentifier").items();
            let mut found: PatientNames<'a> =
                identifiers.iter().filter_map(identifier_name).collect();
            found.retain(|name| !names::tells_nobody(name));
            if !found.is_empty() {
                contents.patients.push(found);
            }
        }
        if contents.trace.is_none() && name.ends_with("trace-id") {
            contents.trace = extension.get("valueString").text();
        }
        if level < NESTED_MAX {
            add_extensions(event, extension.get("extension"), contents, level + 1);
        }
    }
}

/// The stated reason in words, as the Norwegian trust framework carries it.
pub(crate) fn decision_text<'a>(extensions: &Value<'a>, level: u32) -> Option<Text<'a>> {
    extensions.items().iter().take(EXTENSIONS_MAX).find_map(|extension| {
        if extension.get("url").str().is_some_and(|url| url.ends_with("decision-ref-description")) {
            return extension.get("valueString").text();
        }
        (level < NESTED_MAX).then(|| decision_text(extension.get("extension"), level + 1)).flatten()
    })
}

/// The code of a Coding or of the first coding of a `CodeableConcept`.
fn code_in<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    let concept = value.first();
    let coding = concept.get("coding").first();
    let coding = if coding.is_null() { concept } else { coding };
    coding.get("code").text()
}

const ENTITIES_MAX: usize = 10_000;
const EXTENSIONS_MAX: usize = 64;
const NESTED_MAX: u32 = 3;
