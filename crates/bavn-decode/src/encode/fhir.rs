//! FHIR `AuditEvent` in JSON, R4 and R5, in the manner of IHE BALP.

use super::{Outgoing, Spelled, local};
use base64::Engine as _;
use serde_json::{Value, json};

pub(super) fn r4(look_up: &Outgoing<'_>, out: &mut String) {
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("ae-{}", look_up.id),
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": look_up.interaction}],
        "action": look_up.action.to_string(),
        "recorded": local(look_up),
        "outcome": if look_up.denied { "8" } else { "0" },
        "purposeOfEvent": [{"coding": [{"system": ACT_REASON, "code": look_up.purpose}]}],
        "agent": [
            {
                "type": {"coding": [{"system": DCM, "code": "110153", "display": "Source Role ID"}]},
                "who": {"display": look_up.application},
                "requestor": false,
                "network": {"address": look_up.address, "type": "2"},
            },
            {
                "type": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
                "who": who(look_up.who),
                "requestor": true,
            },
        ],
        "source": {"site": look_up.source, "observer": {"display": look_up.source}},
    });
    put(&mut event, "entity", entities(look_up, coding));
    out.push_str(&event.to_string());
}

pub(super) fn r5(look_up: &Outgoing<'_>, out: &mut String) {
    let outcome = if look_up.denied { ("8", "serious") } else { ("0", "success") };
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("ae-{}", look_up.id),
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}]}],
        "code": {"coding": [{"system": "http://hl7.org/fhir/restful-interaction", "code": look_up.interaction}]},
        "action": look_up.action.to_string(),
        "recorded": local(look_up),
        "outcome": {"code": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-outcome", "code": outcome.0, "display": outcome.1}},
        "authorization": [{"coding": [{"system": ACT_REASON, "code": look_up.purpose}]}],
        "agent": [
            {
                "type": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
                "who": who(look_up.who),
                "requestor": true,
                "networkString": look_up.address,
            },
            {
                "type": {"coding": [{"system": DCM, "code": "110150", "display": "Application"}]},
                "who": {"display": look_up.application},
                "requestor": false,
            },
        ],
        "source": {"site": {"display": look_up.source}, "observer": {"display": look_up.source}},
    });
    if let Some(patient) = look_up.patient {
        put(&mut event, "patient", who(patient));
    }
    put(&mut event, "entity", entities(look_up, concept));
    out.push_str(&event.to_string());
}

fn entities(look_up: &Outgoing<'_>, role: fn(&str) -> Value) -> Value {
    let mut entities = Vec::new();
    if let Some(patient) = look_up.patient {
        entities.push(json!({
            "what": who(patient),
            "role": role("1"),
        }));
        entities.push(json!({
            "what": {"reference": format!("{}/{}", look_up.resource, look_up.id)},
            "role": role("4"),
        }));
    }
    if let Some(query) = look_up.query {
        let text = base64::engine::general_purpose::STANDARD.encode(query);
        entities.push(json!({"role": role("24"), "query": text}));
    }
    Value::Array(entities)
}

fn coding(code: &str) -> Value {
    json!({"system": OBJECT_ROLE, "code": code})
}

fn concept(code: &str) -> Value {
    json!({"coding": [coding(code)]})
}

fn who(spelled: Spelled<'_>) -> Value {
    match spelled {
        Spelled::Reference(reference) => json!({"reference": reference}),
        Spelled::Identifier { system, value } => {
            json!({"identifier": {"system": system, "value": value}})
        }
    }
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
