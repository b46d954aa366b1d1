//! FHIR `AuditEvent` in JSON, R4 and R5, in the manner of IHE BALP.
//!
//! Written without a tree: a drill writes hundreds of thousands of them a second.

use super::{Outgoing, Spelled, local};
use base64::Engine as _;
use std::fmt::{self, Write as _};

pub(super) fn r4(look_up: &Outgoing<'_>, out: &mut String) {
    let Outgoing { id, action, interaction, purpose, application, address, source, .. } = *look_up;
    let outcome = if look_up.denied { '8' } else { '0' };
    let _written = write!(
        out,
        r#"{{"action":"{action}","agent":[{{"network":{{"address":{address},"type":"2"}},"requestor":false,"type":{{"coding":[{{"code":"110153","display":"Source Role ID","system":"{DCM}"}}]}},"who":{{"display":{application}}}}},{{"requestor":true,"type":{{"coding":[{{"code":"IRCP","system":"{PARTICIPATION}"}}]}},"who":{who}}}],"entity":["#,
        address = Text(address),
        application = Text(application),
        who = Who(look_up.who),
    );
    entities(look_up, "", "", out);
    let _written = write!(
        out,
        r#"],"id":"ae-{id}","outcome":"{outcome}","purposeOfEvent":[{{"coding":[{{"code":{purpose},"system":"{ACT_REASON}"}}]}}],"recorded":"{recorded}","resourceType":"AuditEvent","source":{{"observer":{{"display":{source}}},"site":{source}}},"subtype":[{{"code":{interaction},"system":"{INTERACTION}"}}],"type":{{"code":"rest","system":"{EVENT_TYPE}"}}}}"#,
        purpose = Text(purpose),
        recorded = local(look_up),
        source = Text(source),
        interaction = Text(interaction),
    );
}

pub(super) fn r5(look_up: &Outgoing<'_>, out: &mut String) {
    let Outgoing { id, action, interaction, purpose, application, address, source, .. } = *look_up;
    let (code, display) = if look_up.denied { ('8', "serious") } else { ('0', "success") };
    let _written = write!(
        out,
        r#"{{"action":"{action}","agent":[{{"networkString":{address},"requestor":true,"type":{{"coding":[{{"code":"IRCP","system":"{PARTICIPATION}"}}]}},"who":{who}}},{{"requestor":false,"type":{{"coding":[{{"code":"110150","display":"Application","system":"{DCM}"}}]}},"who":{{"display":{application}}}}}],"authorization":[{{"coding":[{{"code":{purpose},"system":"{ACT_REASON}"}}]}}],"category":[{{"coding":[{{"code":"rest","system":"{EVENT_TYPE}"}}]}}],"code":{{"coding":[{{"code":{interaction},"system":"{INTERACTION}"}}]}},"entity":["#,
        address = Text(address),
        who = Who(look_up.who),
        application = Text(application),
        purpose = Text(purpose),
        interaction = Text(interaction),
    );
    entities(look_up, r#"{"coding":["#, "]}", out);
    let _written = write!(
        out,
        r#"],"id":"ae-{id}","outcome":{{"code":{{"code":"{code}","display":"{display}","system":"{OUTCOME}"}}}},"#
    );
    if let Some(patient) = look_up.patient {
        let _written = write!(out, r#""patient":{},"#, Who(patient));
    }
    let _written = write!(
        out,
        r#""recorded":"{recorded}","resourceType":"AuditEvent","source":{{"observer":{{"display":{source}}},"site":{{"display":{source}}}}}}}"#,
        recorded = local(look_up),
        source = Text(source),
    );
}

/// Patient, content and query; a role's coding stands between `open` and `close`.
fn entities(look_up: &Outgoing<'_>, open: &str, close: &str, out: &mut String) {
    if let Some(patient) = look_up.patient {
        let _written = write!(
            out,
            r#"{{"role":{open}{{"code":"1","system":"{OBJECT_ROLE}"}}{close},"what":{}}},{{"role":{open}{{"code":"4","system":"{OBJECT_ROLE}"}}{close},"what":{{"reference":"{}/{}"}}}}"#,
            Who(patient),
            look_up.resource,
            look_up.id,
        );
    }
    if let Some(query) = look_up.query {
        let comma = if look_up.patient.is_some() { "," } else { "" };
        let text = base64::engine::general_purpose::STANDARD.encode(query);
        let _written = write!(
            out,
            r#"{comma}{{"query":"{text}","role":{open}{{"code":"24","system":"{OBJECT_ROLE}"}}{close}}}"#
        );
    }
}

/// A JSON string with its quotes.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if self.0.bytes().all(plain) {
            f.write_char('"')?;
            f.write_str(self.0)?;
            return f.write_char('"');
        }
        write!(f, "{}", serde_json::Value::from(self.0))
    }
}

/// A reference to a person.
struct Who<'a>(Spelled<'a>);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Spelled::Reference(reference) => write!(f, r#"{{"reference":{}}}"#, Text(reference)),
            Spelled::Identifier { system, value } => write!(
                f,
                r#"{{"identifier":{{"system":{},"value":{}}}}}"#,
                Text(system),
                Text(value)
            ),
        }
    }
}

const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const OUTCOME: &str = "http://terminology.hl7.org/CodeSystem/audit-event-outcome";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

#[cfg(test)]
mod tests {
    use super::*;
    use bavn_model::Timestamp;
    use serde_json::Value;

    #[test]
    fn what_is_written_is_json_whatever_stands_in_it() {
        for (query, patient) in
            [(Some("name=x"), None), (None, Some("p\"1\\")), (Some("q"), Some("p1"))]
        {
            let look_up = Outgoing {
                id: 7,
                at: Timestamp::from_secs(1_704_067_200),
                utc_offset_hours: 1,
                who: Spelled::Identifier { system: "https://x.example/\"login\"", value: "u\n1" },
                patient: patient.map(Spelled::Reference),
                query,
                action: 'R',
                interaction: "read",
                resource: "Observation",
                purpose: "TREAT",
                denied: true,
                source: "hospital \\ north",
                application: "ehr\"desktop",
                address: "10.0.0.1",
            };
            for write in [r4, r5] {
                let mut out = String::new();
                write(&look_up, &mut out);
                let value: Value = serde_json::from_str(&out).unwrap();
                assert_eq!(value.to_string(), out, "keys stand in order, nothing is twice");
                let entities = value["entity"].as_array().unwrap().len();
                assert_eq!(entities, patient.map_or(0, |_| 2) + usize::from(query.is_some()));
            }
        }
    }
}
