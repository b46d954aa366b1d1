//! DICOM audit message (PS3.15 A.5) in a syslog frame (RFC 5424), all on one line.

use super::{Outgoing, Spelled, local};
use base64::Engine as _;
use std::fmt::Write as _;

pub(super) fn syslog(look_up: &Outgoing<'_>, out: &mut String) {
    let at = local(look_up);
    // Writing to a string cannot fail.
    let _written = write!(
        out,
        "<85>1 {at} {host} {application} - DICOM+RFC3881 - ",
        host = look_up.source,
        application = look_up.application,
    );
    message(look_up, &at, out);
}

fn message(look_up: &Outgoing<'_>, at: &str, out: &mut String) {
    let outcome = if look_up.denied { 8 } else { 0 };
    let (event, name) =
        if look_up.query.is_some() { ("110112", "Query") } else { ("110110", "Patient Record") };
    let user = spelled(look_up.who);
    let _written = write!(
        out,
        "<AuditMessage><EventIdentification EventActionCode=\"{action}\" EventDateTime=\"{at}\" \
         EventOutcomeIndicator=\"{outcome}\"><EventID csd-code=\"{event}\" codeSystemName=\"DCM\" \
         originalText=\"{name}\"/><PurposeOfUse csd-code=\"{purpose}\" codeSystemName=\"ActReason\"/>\
         </EventIdentification><ActiveParticipant UserID=\"{application}\" UserIsRequestor=\"false\" \
         NetworkAccessPointID=\"{address}\" NetworkAccessPointTypeCode=\"2\"><RoleIDCode \
         csd-code=\"110150\" codeSystemName=\"DCM\" originalText=\"Application\"/></ActiveParticipant>\
         <ActiveParticipant UserID=\"{user}\" UserIsRequestor=\"true\" \
         NetworkAccessPointID=\"{address}\" NetworkAccessPointTypeCode=\"2\"/>\
         <AuditSourceIdentification AuditSourceID=\"{source}\" AuditEnterpriseSiteID=\"{source}\"/>",
        action = look_up.action,
        purpose = look_up.purpose,
        application = look_up.application,
        address = look_up.address,
        source = look_up.source,
    );
    if let Some(patient) = look_up.patient {
        let id = spelled(patient);
        let _written = write!(
            out,
            "<ParticipantObjectIdentification ParticipantObjectID=\"{id}\" \
             ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\">\
             <ParticipantObjectIDTypeCode csd-code=\"2\" codeSystemName=\"RFC-3881\" \
             originalText=\"Patient Number\"/></ParticipantObjectIdentification>\
             <ParticipantObjectIdentification ParticipantObjectID=\"{resource}/{number}\" \
             ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"3\"/>",
            resource = look_up.resource,
            number = look_up.id,
        );
    }
    if let Some(query) = look_up.query {
        let text = base64::engine::general_purpose::STANDARD.encode(query);
        let _written = write!(
            out,
            "<ParticipantObjectIdentification ParticipantObjectID=\"query-{number}\" \
             ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"24\">\
             <ParticipantObjectQuery>{text}</ParticipantObjectQuery>\
             </ParticipantObjectIdentification>",
            number = look_up.id,
        );
    }
    out.push_str("</AuditMessage>");
}

/// HL7 v2 CX (`value^^^&oid&ISO`) for identifiers, the reference itself for the rest.
fn spelled(name: Spelled<'_>) -> String {
    match name {
        Spelled::Reference(reference) => reference.to_owned(),
        Spelled::Identifier { system, value } => {
            let oid = system.strip_prefix("urn:oid:").unwrap_or(system);
            format!("{value}^^^&amp;{oid}&amp;ISO")
        }
    }
}
