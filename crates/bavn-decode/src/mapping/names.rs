//! How is a person, unit or patient spelt, whatever the source's spelling?
//!
//! `Type/id` for references (absolute URLs and `/_history/n` folded), `system|value` for
//! identifiers (OIDs always as `urn:oid:`), else the bare text.

use crate::fhir::names::{Name, Target, from_identifier, qualified, target};
use crate::tree::Value;
use std::borrow::Cow;

/// One spelling of a name, from a text that may be a reference, an identifier with its system, an
/// HL7 CX (`17^^^&1.2.3&ISO`) or bare.
pub(crate) fn spelling(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(['|', '^']) {
        return match from_identifier(None, &text) {
            Name::Plain(value) => value,
            name @ Name::Qualified { .. } => name.spell(),
        };
    }
    if !text.contains('/') {
        return text;
    }
    match target(&text) {
        Target::Instance { folded, .. } if folded.len() != text.len() => {
            Cow::Owned(folded.to_owned())
        }
        _ => text,
    }
}

/// `system|value`, the bare value if there is no system.
pub(crate) fn identifier(system: &str, value: &str) -> String {
    if system.is_empty() {
        return value.to_owned();
    }
    let name = if value.contains('^') {
        from_identifier(Some(Cow::Borrowed(system)), &Cow::Borrowed(value))
    } else {
        qualified(Cow::Borrowed(system), Cow::Borrowed(value))
    };
    name.spell().into_owned()
}

/// Every spelling that a JSON value gives of one person: a text, a Reference (contained resources
/// followed), an Identifier, or a whole resource.
pub(crate) fn spellings_of<'a>(value: &Value<'a>, root: &Value<'a>) -> Vec<Cow<'a, str>> {
    let mut names = Vec::new();
    if let Some(text) = value.text() {
        names.push(spelling(text));
        return names;
    }
    if let Some(reference) = value.get("reference").text() {
        if let Some(fragment) = reference.strip_prefix('#') {
            let held = root.get("contained").items();
            if let Some(resource) = held.iter().find(|held| held.get("id").str() == Some(fragment))
            {
                push_identifiers(resource, &mut names);
            }
        } else {
            names.push(spelling(reference));
        }
    }
    push_identifiers(value, &mut names);
    push_identifier(value, &mut names);
    names
}

fn push_identifiers<'a>(holder: &Value<'a>, names: &mut Vec<Cow<'a, str>>) {
    for held in holder.get("identifier").items() {
        push_identifier(held, names);
    }
}

/// Some producers put the value under `id`.
fn push_identifier<'a>(held: &Value<'a>, names: &mut Vec<Cow<'a, str>>) {
    let system = held.get("system").str();
    let value = held.get("value").str().or(system.and_then(|_| held.get("id").str()));
    if let Some(value) = value {
        names.push(Cow::Owned(identifier(system.unwrap_or(""), value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_folded() {
        for (text, expected) in [
            ("Patient/17", "Patient/17"),
            ("https://ehr.example/fhir/Patient/17/_history/3", "Patient/17"),
            ("Patient/17/_history/3", "Patient/17"),
            ("1.2.3|17", "urn:oid:1.2.3|17"),
            ("urn:oid:1.2.3|17", "urn:oid:1.2.3|17"),
            ("17^^^&1.2.3&ISO", "urn:oid:1.2.3|17"),
            ("17^^^HOSP&1.2.3&ISO^MR", "urn:oid:1.2.3|17"),
            ("|17", "|17"),
            ("and/or", "and/or"),
            ("urn:uuid:0a-b", "urn:uuid:0a-b"),
            ("17", "17"),
        ] {
            assert_eq!(spelling(Cow::Borrowed(text)), expected, "{text}");
        }
    }
}
