//! Who asked, for whom, and through which application?
//!
//! The human requestor is the reader. A system that is also marked as requestor loses to a person;
//! a requestor without a name is opaque and borrows none from its neighbours.

use super::draft::Own;
use super::identity::{Identity, has_process, identity, referred_type, who};
use super::names::{self, Name};
use crate::tree::Value;
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
