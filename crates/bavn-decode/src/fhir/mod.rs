//! Here is a FHIR `AuditEvent` of any version; what happened?
//!
//! DSTU2 (`event`, `participant`, `object`), STU3 (`agent.userId`), R4, R4B and R5 (`code`,
//! `outcome.code`) are told apart by their shape, element by element, since drafts and careless
//! writers mix them. Works on a tree, so JSON and XML read alike. In two steps: `pick` finds the
//! pieces by keys and codes, `finish` judges what stands in them.

mod agents;
mod codes;
mod draft;
mod finish;
mod identity;
pub(crate) mod names;
mod patients;
mod query;
mod types;

pub(crate) use agents::Text;
pub(crate) use draft::Draft;
pub(crate) use finish::finish;
pub(crate) use names::{Target, is_placeholder, target};
pub use types::is_resource_type;

use crate::tree::{self, Value};
use agents::for_each_code;
use bavn_model::{Origin, Record, RejectReason};
use codes::Codes;
use draft::Steady;
use names::Name;
use smallvec::SmallVec;

/// Reads one `AuditEvent` in JSON that fills `bytes`.
///
/// A key that is read here and stands twice in one object is refused: two readers would see two
/// records.
pub fn read_json(bytes: &[u8], origin: Origin) -> Result<Record<'_>, RejectReason> {
    let event = tree::parse(bytes)?;
    finish(&pick_strict(&event)?, Clone::clone, crate::event_id(bytes), origin.spanning(bytes))
}

/// The pieces of one `AuditEvent` in JSON, where a key may stand twice.
pub(crate) fn pick_strict<'a>(event: &Value<'a>) -> Result<Draft<Text<'a>>, RejectReason> {
    refuse_duplicate_keys(event)?;
    pick(event)
}

/// Reads one `AuditEvent` from a tree, whatever it was parsed from; `raw` is the record's own
/// bytes, for its id.
pub fn read<'a>(event: &Value<'a>, raw: &[u8], origin: Origin) -> Result<Record<'a>, RejectReason> {
    finish(&pick(event)?, Clone::clone, crate::event_id(raw), origin.spanning(raw))
}

/// Finds the pieces by keys and codes.
pub(crate) fn pick<'a>(event: &Value<'a>) -> Result<Draft<Text<'a>>, RejectReason> {
    if event.get("resourceType").str() != Some("AuditEvent") {
        return Err(match event {
            Value::Object(_) => RejectReason::OtherResource,
            _ => RejectReason::WrongType { field: "resource", expected: "an object" },
        });
    }
    // DSTU2 keeps the event's own fields one level down.
    let head = event.get("event");
    let head = if head.is_null() { event } else { head };

    let action = head.get("action").str().and_then(codes::action);
    let parties = agents::read(event, action);
    let contents = patients::read(event);
    let (purpose, purpose_text) = purposes(event, head);
    let codes = event_codes(head);
    let kind = codes.kind();
    Ok(Draft {
        recorded: head.get("recorded").text().or_else(|| head.get("dateTime").text()),
        occurred: occurred(head),
        who: parties.who,
        on_behalf_of: parties.on_behalf_of,
        application: parties.application,
        patients: contents.patients,
        asserted_patient: contents.asserted_patient,
        resource: contents.resource,
        patient_resource: contents.patient_resource,
        steady: Steady {
            opaque: parties.opaque,
            system: parties.system,
            own: parties.own,
            action: action.or_else(|| kind.and_then(codes::action_of)),
            kind,
            operation: codes.operation,
            has_query: contents.has_query,
            clinical: contents.clinical,
            unresolved: contents.unresolved,
            break_glass: codes.break_glass || purpose.iter().any(|code| is_override(code)),
            outcome: codes::outcome(head.get("outcome")),
        },
        purpose,
        reason: patients::decision_text(event.get("extension"), 0).or(purpose_text),
        source: source(event),
        address: parties.address,
        session: parties.token.or(contents.trace),
        query: contents.query,
        asked: contents.asked,
    })
}

/// Time of the activity, which stands in for a missing time of recording.
fn occurred<'a>(head: &Value<'a>) -> Option<Text<'a>> {
    ["occurredDateTime", "occurredPeriod", "period"].into_iter().find_map(|key| {
        let value = head.get(key);
        value.text().or_else(|| value.get("start").text()).or_else(|| value.get("end").text())
    })
}

fn event_codes(head: &Value<'_>) -> Codes {
    let mut codes = Codes::default();
    for key in ["subtype", "code", "type", "category"] {
        for_each_code(head.get(key), &mut |code| codes.add(code));
    }
    codes
}

/// Union of all stated purposes, and the first of them that is in words.
fn purposes<'a>(
    event: &Value<'a>,
    head: &Value<'a>,
) -> (SmallVec<[Text<'a>; 2]>, Option<Text<'a>>) {
    let mut codes: SmallVec<[Text<'a>; 2]> = SmallVec::new();
    let mut words = None;
    let mut display = None;
    let mut add = |concepts: &Value<'a>| {
        for concept in concepts.items() {
            let codings = concept.get("coding");
            let codings = if codings.is_null() { concept } else { codings };
            let text = concept.get("text").text();
            let mut has_code = false;
            for coding in codings.items() {
                if let Some(code) = coding.get("code").text() {
                    has_code = true;
                    if !codes.contains(&code) {
                        codes.push(code);
                    }
                }
                display = display.take().or_else(|| coding.get("display").text());
            }
            if let (false, Some(text)) = (has_code, &text)
                && !codes.contains(text)
            {
                codes.push(text.clone());
            }
            words = words.take().or(text);
        }
    };
    add(head.get("purposeOfEvent"));
    add(head.get("authorization"));
    for key in ["agent", "participant"] {
        for agent in event.get(key).items() {
            add(agent.get("purposeOfUse"));
            add(agent.get("authorization"));
        }
    }
    (codes, words.or(display))
}

/// Purposes that mean an emergency override of what the reader may usually see.
fn is_override(code: &str) -> bool {
    matches!(code, "BTG" | "ETREAT" | "EMER")
}

/// The system that wrote the record: its site, else its observer by display, reference or
/// identifier.
fn source<'a>(event: &Value<'a>) -> Option<Name<Text<'a>>> {
    let source = event.get("source");
    let site = source.get("site");
    if let Some(text) = site.text() {
        return Some(Name::Plain(text));
    }
    [site, source.get("observer"), source].into_iter().find_map(|place| {
        if let Some(text) = place.get("display").text() {
            return Some(Name::Plain(text));
        }
        if let Some(text) = place.get("reference").text() {
            match target(&text) {
                Target::Instance { folded, .. } => {
                    return Some(Name::Plain(names::part(&text, folded)));
                }
                Target::Contained(id) => {
                    let resource = identity::contained(event, id);
                    let named = identity::human_name(resource)
                        .map(Name::Plain)
                        .or_else(|| identity::identifier_name(resource.get("identifier").first()));
                    if named.is_some() {
                        return named;
                    }
                }
                _ => return Some(Name::Plain(text)),
            }
        }
        identity::identifier_name(place.get("identifier").first())
    })
}

/// Refuses a record in which a key that is read stands twice in one object.
fn refuse_duplicate_keys(value: &Value<'_>) -> Result<(), RejectReason> {
    let fields = value.fields();
    if let Some(name) = twice(fields)
        && let Some(field) = READ_KEYS.iter().find(|key| **key == name)
    {
        return Err(RejectReason::DuplicateKey { field });
    }
    for (name, child) in fields {
        if !matches!(&**name, "text" | "meta") {
            refuse_duplicate_keys(child)?;
        }
    }
    if let Value::Array(items) = value {
        items.iter().try_for_each(refuse_duplicate_keys)?;
    }
    Ok(())
}

/// A key that is read and stands twice, if there is one.
fn twice<'v>(fields: &'v [(Text<'_>, Value<'_>)]) -> Option<&'v str> {
    let is_read = |name: &str| READ_KEYS.contains(&name);
    if fields.len() <= FIELDS_FEW {
        return fields.iter().enumerate().find_map(|(index, (name, _))| {
            let before = fields.get(..index).unwrap_or_default();
            (before.iter().any(|(other, _)| other == name) && is_read(name)).then_some(&**name)
        });
    }
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let pairs = names.iter().zip(names.iter().skip(1));
    pairs.filter(|(one, next)| one == next).map(|(one, _)| *one).find(|name| is_read(name))
}

/// Up to this many, comparing each with each is quicker than sorting.
const FIELDS_FEW: usize = 32;

/// Keys that steer or carry meaning, at any depth outside narrative and `meta`.
const READ_KEYS: [&str; 58] = [
    "action",
    "address",
    "agent",
    "altId",
    "authorization",
    "category",
    "code",
    "coding",
    "contained",
    "dateTime",
    "description",
    "detail",
    "display",
    "entity",
    "event",
    "extension",
    "id",
    "identifier",
    "name",
    "network",
    "networkReference",
    "networkString",
    "networkUri",
    "object",
    "observer",
    "occurredDateTime",
    "occurredPeriod",
    "outcome",
    "participant",
    "patient",
    "period",
    "policy",
    "practitioner",
    "purposeOfEvent",
    "purposeOfUse",
    "query",
    "recorded",
    "reference",
    "requestor",
    "resourceType",
    "role",
    "site",
    "source",
    "start",
    "subject",
    "subtype",
    "system",
    "text",
    "type",
    "url",
    "userId",
    "value",
    "valueIdentifier",
    "valueReference",
    "valueString",
    "what",
    "who",
    "end",
];
