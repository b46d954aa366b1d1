//! Who asked, for whom, and through which application?
//!
//! The human requestor is the reader. A system that is also marked as requestor loses to a person;
//! a requestor without a name is opaque and borrows none from its neighbours.

use super::draft::Own;
use super::names::{self, Name, Target};
use crate::tree::{NULL, Value};
use bavn_model::Action;
use smallvec::SmallVec;
use std::borrow::Cow;

pub(crate) type Text<'a> = Cow<'a, str>;
pub(crate) type Names<'a> = SmallVec<[Name<Text<'a>>; 2]>;

/// What the agents of one record say together.
#[derive(Debug, Default)]
pub(crate) struct Parties<'a> {
    /// All spellings of the reader, the one to show first.
    pub(crate) who: Names<'a>,
    pub(crate) opaque: bool,
    pub(crate) system: bool,
    pub(crate) own: Own,
    pub(crate) on_behalf_of: Option<Name<Text<'a>>>,
    pub(crate) application: Option<Name<Text<'a>>>,
    pub(crate) address: Option<Text<'a>>,
    /// Token of the reader's session.
    pub(crate) token: Option<Text<'a>>,
}

/// Sorts out the agents (R4, R5, STU3) or participants (DSTU2) of `event`.
pub(crate) fn read<'a>(event: &Value<'a>, action: Option<Action>) -> Parties<'a> {
    let listed = event.get("agent");
    let listed = if listed.is_null() { event.get("participant") } else { listed };
    let agents: SmallVec<[Agent<'_, 'a>; 4]> =
        listed.items().iter().take(AGENTS_MAX).map(|value| Agent::new(event, value)).collect();

    let reader = reader(&agents);
    let mut parties = Parties {
        system: match reader {
            Some(index) => agents.get(index).is_some_and(|agent| agent.nature == Nature::System),
            None => !agents.is_empty(),
        },
        ..Parties::default()
    };
    let asked = reader.and_then(|index| agents.get(index));
    if let Some(agent) = asked {
        let Identity { names, token, placeholder } = &agent.identity;
        parties.token.clone_from(token);
        parties.opaque = names.is_empty();
        parties.who.clone_from(names);
        if parties.opaque {
            let opaque = token.as_ref().or(placeholder.as_ref());
            parties.who.extend(opaque.cloned().map(Name::Plain));
        }
        parties.own = agent.own;
        parties.address = address(agent.value);
    }
    let others = || agents.iter().enumerate().filter(|&(index, _)| Some(index) != reader);
    let delegated = asked.is_some_and(|agent| agent.part == Part::Delegate);
    parties.on_behalf_of = [Part::Principal, Part::Organisation].into_iter().find_map(|part| {
        // A patient who is merely present is nobody's principal.
        let stands_for =
            |agent: &Agent<'_, '_>| agent.part == part && (delegated || agent.own != Own::Patient);
        let (_, agent) = others().find(|(_, agent)| stands_for(agent))?;
        agent.identity.names.first().cloned()
    });
    let client = client(&others().map(|(_, agent)| agent), action);
    parties.application = client.and_then(|agent| agent.identity.names.first().cloned());
    parties.address = parties
        .address
        .or_else(|| client.and_then(|agent| host_address(agent.value)))
        .or_else(|| others().find_map(|(_, agent)| host_address(agent.value)))
        .or_else(|| client.and_then(|agent| address(agent.value)));
    if parties.token.is_none() {
        parties.token = others().find_map(|(_, agent)| agent.identity.token.clone());
    }
    parties
}

/// Index of the agent who asked.
fn reader(agents: &[Agent<'_, '_>]) -> Option<usize> {
    let best = |wanted: &dyn Fn(&Agent<'_, '_>) -> bool| {
        let candidates = agents.iter().enumerate().filter(|(_, agent)| wanted(agent));
        // `max_by_key` keeps the last of equals; the first agent shall win.
        candidates.rev().max_by_key(|(_, agent)| {
            let named = !agent.identity.names.is_empty();
            (agent.nature, agent.part == Part::Delegate, agent.part != Part::Principal, named)
        })
    };
    let asked = best(&|agent| agent.requestor == Some(true));
    let user = || best(&|agent| agent.is_user && agent.requestor != Some(true));
    match asked {
        // A system asked, and the record names the user at it.
        Some((index, agent)) if agent.nature == Nature::System => {
            Some(user().map_or(index, |(user, _)| user))
        }
        Some((index, _)) => Some(index),
        // Nobody is marked: a person, or an agent that may be one, if it has a name.
        None => best(&|agent| {
            agent.nature > Nature::System
                && agent.part != Part::Organisation
                && !agent.identity.names.is_empty()
        })
        .map(|(index, _)| index),
    }
}

/// The application through which the reader worked. In a read the content's destination is the
/// client; in all else the source is.
fn client<'v, 'a>(
    others: &(impl Iterator<Item = &'v Agent<'v, 'a>> + Clone),
    action: Option<Action>,
) -> Option<&'v Agent<'v, 'a>> {
    // A system that asked is the client, whichever way the content went.
    let asking = |agent: &&Agent<'_, '_>| {
        agent.requestor == Some(true)
            && agent.nature == Nature::System
            && agent.part != Part::Organisation
    };
    if let Some(agent) = others.clone().find(asking) {
        return Some(agent);
    }
    let order = if action == Some(Action::Read) {
        [Part::Application, Part::Processor, Part::Destination, Part::Source]
    } else {
        [Part::Application, Part::Processor, Part::Source, Part::Destination]
    };
    order.into_iter().find_map(|part| {
        others.clone().find(|agent| agent.part == part && agent.nature < Nature::Person)
    })
}

/// One agent, classed by its codes and the type of what it refers to.
struct Agent<'v, 'a> {
    value: &'v Value<'a>,
    requestor: Option<bool>,
    nature: Nature,
    part: Part,
    own: Own,
    /// A code says that this is the user, whatever the mark of the requestor says.
    is_user: bool,
    identity: Identity<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nature {
    System,
    Unsaid,
    Person,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Unsaid,
    Application,
    Processor,
    Source,
    Destination,
    /// Another system: authorisation server, custodian.
    Other,
    Organisation,
    /// On whose behalf a delegate acts.
    Principal,
    Delegate,
}

impl<'v, 'a> Agent<'v, 'a> {
    fn new(event: &'v Value<'a>, value: &'v Value<'a>) -> Self {
        let mut agent = Self {
            value,
            requestor: value.get("requestor").bool(),
            nature: Nature::Unsaid,
            part: Part::Unsaid,
            own: Own::No,
            is_user: false,
            identity: identity(event, value),
        };
        for_each_code(value.get("role"), &mut |code| agent.class_by_code(code));
        for_each_code(value.get("type"), &mut |code| agent.class_by_code(code));
        if agent.nature == Nature::Unsaid && has_process(value) {
            (agent.nature, agent.part) = (Nature::System, Part::Source);
        }
        // Source and destination may well be a person who is named as such.
        if agent.requestor == Some(true)
            && matches!(agent.part, Part::Source | Part::Destination)
            && !value.get("name").is_null()
        {
            agent.nature = Nature::Unsaid;
        }
        match referred_type(event, who(value)) {
            Some("Device" | "Endpoint" | "HealthcareService" | "Location") => {
                agent.nature = Nature::System;
            }
            Some("Organization") => {
                agent.nature = Nature::System;
                if agent.part == Part::Unsaid {
                    agent.part = Part::Organisation;
                }
            }
            Some("RelatedPerson") => {
                agent.nature = Nature::Person;
                agent.own = Own::Representative;
            }
            Some("Practitioner" | "PractitionerRole" | "Patient" | "Person") => {
                agent.nature = Nature::Person;
            }
            _ => {}
        }
        agent
    }

    fn class_by_code(&mut self, code: &str) {
        let (nature, part) = match code {
            "110150" | "application" => (Nature::System, Part::Application),
            "110153" => (Nature::System, Part::Source),
            "110152" => (Nature::System, Part::Destination),
            "dataprocessor" => (Nature::System, Part::Processor),
            "110154" | "110155" | "authserver" | "datacollector" | "custodian" | "DEV" | "TCU" => {
                (Nature::System, Part::Other)
            }
            "PROV" | "ORG" => (Nature::System, Part::Organisation),
            "DELEGATOR" | "HCP" => (Nature::Person, Part::Principal),
            "DELEGATEE" | "REP" | "PWATRNY" | "POWATT" | "HPOWATT" | "DPOWATT" | "SPOWATT"
            | "GUARD" | "GUADLTM" | "RESPRSN" | "429577009" => {
                self.own = Own::Representative;
                (Nature::Person, Part::Delegate)
            }
            "ASS" => (Nature::Person, Part::Delegate),
            "PAT" => {
                self.own = Own::Patient;
                (Nature::Person, Part::Principal)
            }
            "humanuser" | "UserOauthAgent" | "UserSamlAgent" | "UserOpaqueAgent" => {
                self.is_user = true;
                (Nature::Person, Part::Unsaid)
            }
            "110151" | "IRCP" | "AUT" | "INF" | "ENT" | "PRF" | "PPRF" | "SPRF" | "VRF" | "LA"
            | "CST" | "GRP" | "DADM" | "PADM" => (Nature::Person, Part::Unsaid),
            _ => return,
        };
        if self.nature != Nature::Person {
            self.nature = nature;
        }
        if self.part == Part::Unsaid {
            self.part = part;
        }
    }
}

/// All names of one party, and what stood where a name belongs.
#[derive(Debug, Default)]
struct Identity<'a> {
    names: Names<'a>,
    placeholder: Option<Text<'a>>,
    token: Option<Text<'a>>,
}

fn identity<'a>(event: &Value<'a>, agent: &Value<'a>) -> Identity<'a> {
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
fn who<'v, 'a>(agent: &'v Value<'a>) -> &'v Value<'a> {
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
fn has_process(agent: &Value<'_>) -> bool {
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

fn address<'a>(agent: &Value<'a>) -> Option<Text<'a>> {
    let text = agent
        .get("network")
        .get("address")
        .text()
        .or_else(|| agent.get("networkString").text())
        .or_else(|| agent.get("networkUri").text())
        .or_else(|| agent.get("networkReference").get("reference").text())?;
    let bare = text.strip_prefix("urn:ipv6:").or_else(|| text.strip_prefix("urn:ipv4:"));
    Some(match bare {
        Some(bare) => names::part(&text, bare),
        None => text,
    })
}

/// As [`address`], but not the web address of a server.
fn host_address<'a>(agent: &Value<'a>) -> Option<Text<'a>> {
    let is_uri =
        agent.get("network").get("type").str() == Some("5") || !agent.get("networkUri").is_null();
    if is_uri { None } else { address(agent) }
}

/// Every code of a Coding, a `CodeableConcept` or a list of either.
pub(crate) fn for_each_code(value: &Value<'_>, f: &mut impl FnMut(&str)) {
    for concept in value.items() {
        for coding in concept.get("coding").items() {
            if let Some(code) = coding.get("code").str() {
                f(code);
            }
        }
        if let Some(code) = concept.get("code").str() {
            f(code);
        }
    }
}

const AGENTS_MAX: usize = 64;
const IDENTIFIERS_MAX: usize = 16;
/// `PractitionerRole` to `Practitioner` is one; more would be a circle.
const HOPS_MAX: u32 = 3;
