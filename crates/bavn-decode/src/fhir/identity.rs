//! By which names is this party known?
//!
//! References are followed through contained resources, a `PractitionerRole` to its practitioner.
//! A token, a path or a placeholder is kept apart: it names nobody.

use super::agents::{Names, Text, for_each_code};
use super::names::{self, Name, Target};
use crate::tree::{NULL, Value};
use std::borrow::Cow;

/// All names of one party, and what stood where a name belongs.
#[derive(Debug, Default)]
pub(crate) struct Identity<'a> {
    pub(crate) names: Names<'a>,
    pub(crate) placeholder: Option<Text<'a>>,
    pub(crate) token: Option<Text<'a>>,
}

/// Everything that names this agent.
pub(crate) fn identity<'a>(event: &Value<'a>, agent: &Value<'a>) -> Identity<'a> {
    let mut found = Identity { token: token(agent), ..Identity::default() };
    let mut display = None;
    add_reference(event, who(agent), &mut found, &mut display, 0);
    add_identifiers(agent.get("userId"), &mut found);
    add_alternatives(agent, &mut found);
    if found.names.is_empty() {
        let last_resort = [display, agent.get("name").text()];
        for text in last_resort.into_iter().flatten() {
            add(Name::Plain(text), &mut found);
            if !found.names.is_empty() {
                break;
            }
        }
    }
    // A work number before one from birth; the order else stays that of the record.
    if found.names.first().is_some_and(names::is_national_number)
        && let Some(index) = found.names.iter().position(|name| !names::is_national_number(name))
    {
        found.names.swap(0, index);
    }
    found
}

/// The reference to an agent: `who`, before R4 `reference`.
pub(crate) fn who<'v, 'a>(agent: &'v Value<'a>) -> &'v Value<'a> {
    let who = agent.get("who");
    if who.is_null() { agent.get("reference") } else { who }
}

fn add_reference<'a>(
    event: &Value<'a>,
    reference: &Value<'a>,
    found: &mut Identity<'a>,
    display: &mut Option<Text<'a>>,
    hops: u32,
) {
    if let Some(text) = reference.get("reference").text() {
        match names::target(&text) {
            Target::Contained(id) if hops < HOPS_MAX => {
                let resource = contained(event, id);
                let person = resource.get("practitioner");
                if person.is_null() {
                    add_identifiers(resource.get("identifier"), found);
                } else {
                    add_reference(event, person, found, display, hops + 1);
                }
                if display.is_none() {
                    *display = human_name(resource);
                }
            }
            Target::Contained(_) => {}
            Target::Instance { folded, .. } => {
                add(Name::Plain(names::part(&text, folded)), found);
            }
            Target::Conditional { query, .. } => {
                let identifier = query.split('&').find_map(|p| p.strip_prefix("identifier="));
                if let Some(value) = identifier {
                    add(names::from_identifier(None, &names::part(&text, value)), found);
                }
            }
            Target::Kind(_) | Target::Other(_) => add(Name::Plain(text.clone()), found),
        }
    }
    add_identifiers(reference.get("identifier"), found);
    if let Some(text) = reference.get("display").text() {
        *display = Some(text);
    }
}

/// Alternative user ids: further spellings of the same account, but never process ids.
fn add_alternatives<'a>(agent: &Value<'a>, found: &mut Identity<'a>) {
    if let Some(text) = agent.get("altId").text() {
        add(Name::Plain(text), found);
    }
    for extension in agent.get("extension").items() {
        let url = extension.get("url").str().unwrap_or("");
        let other_id = url.ends_with("AlternativeUserID") || url.ends_with("therId");
        let identifier = match extension.get("valueIdentifier") {
            Value::Null => extension.get("valueReference").get("identifier"),
            identifier => identifier,
        };
        // The SAML subject is often a person's name, which several may bear.
        let mut is_name = false;
        for_each_code(identifier.get("type"), &mut |code| is_name |= code == "SAML-subject-id");
        if other_id && !is_process(identifier) && (!is_name || found.names.is_empty()) {
            add_identifiers(identifier, found);
        }
    }
}

/// Only software runs as a process.
pub(crate) fn has_process(agent: &Value<'_>) -> bool {
    let extensions = agent.get("extension").items();
    extensions.iter().any(|extension| is_process(extension.get("valueIdentifier")))
}

fn is_process(identifier: &Value<'_>) -> bool {
    identifier
        .get("type")
        .get("text")
        .str()
        .is_some_and(|text| text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("process")))
}

fn add_identifiers<'a>(identifiers: &Value<'a>, found: &mut Identity<'a>) {
    for identifier in identifiers.items().iter().take(IDENTIFIERS_MAX) {
        if let Some(name) = identifier_name(identifier) {
            add(name, found);
        }
    }
}

fn add<'a>(name: Name<Text<'a>>, found: &mut Identity<'a>) {
    if names::tells_nobody(&name) {
        let (Name::Plain(text) | Name::Qualified { value: text, .. }) = name;
        found.placeholder.get_or_insert(text);
    } else {
        found.names.push(name);
    }
}

/// The spelling of a FHIR Identifier. Some writers put the number into `id` instead of `value`.
pub(crate) fn identifier_name<'a>(identifier: &Value<'a>) -> Option<Name<Text<'a>>> {
    let value = identifier.get("value").text().or_else(|| match identifier {
        Value::Object(_) => identifier.get("id").text(),
        bare => bare.text(),
    })?;
    Some(names::from_identifier(identifier.get("system").text(), &value))
}

/// The resource type that a reference is known to point at.
pub(crate) fn referred_type<'v>(event: &'v Value<'_>, reference: &'v Value<'_>) -> Option<&'v str> {
    let text = reference.get("reference").str();
    let kind = text.and_then(|text| match names::target(text) {
        Target::Contained(id) => contained(event, id).get("resourceType").str(),
        Target::Instance { kind, .. } | Target::Kind(kind) | Target::Conditional { kind, .. } => {
            Some(kind)
        }
        Target::Other(_) => None,
    });
    kind.or_else(|| reference.get("type").str())
}

/// The contained resource with this id, or null.
pub(crate) fn contained<'v, 'a>(event: &'v Value<'a>, id: &str) -> &'v Value<'a> {
    let resources = event.get("contained").items();
    resources.iter().find(|resource| resource.get("id").str() == Some(id)).unwrap_or(&NULL)
}

/// `name` of a person, device or organisation, as text.
pub(crate) fn human_name<'a>(resource: &Value<'a>) -> Option<Text<'a>> {
    let name = resource.get("name").first();
    name.text().or_else(|| name.get("text").text()).or_else(|| {
        let given = name.get("given").first().str();
        let family = name.get("family").first().str();
        match (given, family) {
            (Some(given), Some(family)) => Some(Cow::Owned(format!("{given} {family}"))),
            (one, other) => one.or(other).map(|text| Cow::Owned(text.to_owned())),
        }
    })
}

/// The last policy that is no web address: a token or assertion id.
fn token<'a>(agent: &Value<'a>) -> Option<Text<'a>> {
    let texts = agent.get("policy").items().iter().rev().filter_map(Value::text);
    texts.into_iter().find(|text| !text.contains("://"))
}

const IDENTIFIERS_MAX: usize = 16;
/// `PractitionerRole` to `Practitioner` is one; more would be a circle.
const HOPS_MAX: u32 = 3;
