//! How is a person, system or resource spelt?
//!
//! One form for all dialects: `Type/id`, else `system|value` (object identifiers as
//! `urn:oid:1.2.3`), else the bare value. Everything stays a slice of the input where it can.

use super::types::is_resource_type;
use std::borrow::Cow;

/// A spelling that may still be in two pieces, so that nothing is copied before it must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Name<T> {
    Plain(T),
    Qualified {
        system: T,
        /// `system` is a bare object identifier, to be written `urn:oid:..`.
        bare_oid: bool,
        value: T,
    },
}

impl<T> Name<T> {
    /// The spelling as one text, of the texts that `text` makes of the pieces.
    pub(crate) fn spell_with<'a>(&self, text: impl Fn(&T) -> Cow<'a, str>) -> Cow<'a, str> {
        match self {
            Self::Plain(piece) => text(piece),
            Self::Qualified { system, bare_oid, value } => {
                let (system, value) = (text(system), text(value));
                let scheme = if *bare_oid { "urn:oid:" } else { "" };
                let length = scheme.len() + system.len() + 1 + value.len();
                let mut spelt = String::with_capacity(length);
                spelt.push_str(scheme);
                spelt.push_str(&system);
                spelt.push('|');
                spelt.push_str(&value);
                Cow::Owned(spelt)
            }
        }
    }
}

impl<'a> Name<Cow<'a, str>> {
    /// The spelling as one text.
    pub(crate) fn spell(self) -> Cow<'a, str> {
        match self {
            Self::Plain(text) => text,
            qualified @ Self::Qualified { .. } => qualified.spell_with(Clone::clone),
        }
    }

    /// The text that tells one bearer from another.
    pub(crate) fn value(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Qualified { value, .. } => value,
        }
    }
}

impl<T> Name<T> {
    pub(crate) fn try_map<U>(&self, f: &mut impl FnMut(&T) -> Option<U>) -> Option<Name<U>> {
        Some(match self {
            Self::Plain(text) => Name::Plain(f(text)?),
            Self::Qualified { system, bare_oid, value } => {
                Name::Qualified { system: f(system)?, bare_oid: *bare_oid, value: f(value)? }
            }
        })
    }
}

/// What a FHIR reference points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'t> {
    /// `#id`: a resource contained in the same record.
    Contained(&'t str),
    /// `Type/id`, without base address and version.
    Instance { kind: &'t str, folded: &'t str },
    /// `Type`, an address that ends so, or `Type/_search`.
    Kind(&'t str),
    /// `Type?identifier=system|value` and other searches; `query` without the question mark.
    Conditional { kind: &'t str, query: &'t str },
    /// `urn:uuid:..` and what is no FHIR reference.
    Other(&'t str),
}

/// Reads a reference: absolute and versioned forms mean the same resource.
pub(crate) fn target(reference: &str) -> Target<'_> {
    if let Some(id) = reference.strip_prefix('#') {
        return Target::Contained(id);
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let path = without_version(path.trim_end_matches('/'));
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    let kind = parent.rsplit_once('/').map_or(parent, |(_, kind)| kind);
    // Types of later versions of FHIR are believed where nothing but `Type/id` stands.
    let believed = parent == kind && kind.starts_with(|first: char| first.is_ascii_uppercase());
    if is_resource_type(kind) || believed {
        let from = path.len() - kind.len() - 1 - last.len();
        return Target::Instance { kind, folded: path.get(from..).unwrap_or(path) };
    }
    match (is_resource_type(last), query) {
        (true, Some(query)) => Target::Conditional { kind: last, query },
        (true, None) => Target::Kind(last),
        (false, _) => Target::Other(reference),
    }
}

/// Cuts off `/_history`, `/_history/version` and `/_search`.
fn without_version(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((instance, "_history" | "_search")) => instance,
        Some((versions, _)) => versions.strip_suffix("/_history").unwrap_or(path),
        None => path,
    }
}

/// The spelling of an identifier. A value may be qualified itself: `system|value`, HL7 v2 CX
/// (`value^^^ns&oid&ISO`) or XCN, where the assigning authority is the ninth component.
pub(crate) fn from_identifier<'a>(
    system: Option<Cow<'a, str>>,
    value: &Cow<'a, str>,
) -> Name<Cow<'a, str>> {
    if let Some((id, authority)) = split_hl7_v2(value) {
        let id = part(value, id);
        return match authority {
            Some(authority) => qualified(part(value, authority), id),
            None => system.map_or(Name::Plain(id.clone()), |system| qualified(system, id)),
        };
    }
    match system {
        Some(system) => qualified(system, value.clone()),
        None => match value.rsplit_once('|') {
            Some((system, bare)) if !system.is_empty() && !bare.is_empty() => {
                qualified(part(value, system), part(value, bare))
            }
            _ => Name::Plain(value.clone()),
        },
    }
}

/// As [`from_identifier`], for a text that names a person only if it is HL7 v2 CX with its
/// authority.
pub(crate) fn from_cx<'a>(text: &Cow<'a, str>) -> Option<Name<Cow<'a, str>>> {
    split_hl7_v2(text).and_then(|(_, authority)| authority)?;
    Some(from_identifier(None, text))
}

/// `system|value` with the system in its one form.
pub(crate) fn qualified<'a>(system: Cow<'a, str>, value: Cow<'a, str>) -> Name<Cow<'a, str>> {
    let bare = match system.get(..8) {
        Some(scheme) if scheme.eq_ignore_ascii_case("urn:oid:") => {
            (scheme != "urn:oid:").then(|| system.get(8..)).flatten()
        }
        _ => is_oid(&system).then_some(&*system),
    };
    match bare {
        Some(oid) => Name::Qualified { system: part(&system, oid), bare_oid: true, value },
        None => Name::Qualified { system, bare_oid: false, value },
    }
}

/// Value and assigning authority (an object identifier, else a namespace) of HL7 v2 CX or XCN.
fn split_hl7_v2(text: &str) -> Option<(&str, Option<&str>)> {
    let mut components = text.split('^');
    let id = components.next()?;
    let fourth = components.nth(2);
    let ninth = components.nth(4);
    if id.is_empty() || !text.contains('^') {
        return None;
    }
    let authority = fourth.filter(|text| !text.is_empty()).or(ninth)?;
    let mut parts = authority.split('&');
    let namespace = parts.next().unwrap_or("");
    let universal = parts.next().unwrap_or("");
    let authority = if universal.is_empty() { namespace } else { universal };
    Some((id, (!authority.is_empty()).then_some(authority)))
}

/// `2.16.578.1`: digits in at least three groups.
pub(crate) fn is_oid(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| matches!(first, b'0'..=b'2'))
        && text.split('.').count() >= 3
        && text.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a text where a name belongs tells nobody: a placeholder, a path or an address.
pub(crate) fn is_opaque(text: &str) -> bool {
    text.starts_with('/') || is_placeholder(text) || text.contains("://")
}

/// Whether a name tells nobody, as [`is_opaque`], or refers to a placeholder (`Patient/unknown`).
pub(crate) fn tells_nobody(name: &Name<Cow<'_, str>>) -> bool {
    let text = name.value();
    is_opaque(text) || text.rsplit_once('/').is_some_and(|(_, id)| is_placeholder(id))
}

pub(crate) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "unknown",
        "anonymous",
        "none",
        "null",
        "undefined",
        "nobody",
        "n/a",
        "na",
        "nil",
        "-",
        "unspecified",
        "not available",
        "ukjent",
        "onbekend",
        "unbekannt",
        "inconnu",
    ];
    // Asked of every name of every record, so the usual answer comes first.
    match text.as_bytes().first() {
        None => true,
        Some(b'u' | b'U' | b'a' | b'A' | b'n' | b'N' | b'-' | b'o' | b'O' | b'i' | b'I') => {
            text.len() <= 13 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        Some(_) => false,
    }
}

/// Systems that number people from birth. For staff another number is shown where there is one:
/// it names a reader at work, not the person at home.
pub(crate) fn is_national_number(name: &Name<Cow<'_, str>>) -> bool {
    const OIDS: [&str; 8] = [
        "2.16.578.1.12.4.1.4.1",     // Norway, national identity number
        "2.16.578.1.12.4.1.4.2",     // Norway, D-number
        "2.16.578.1.12.4.1.4.3",     // Norway, common help number
        "1.2.752.129.2.1.3.1",       // Sweden
        "1.2.208.176.1.2",           // Denmark
        "1.2.246.21",                // Finland
        "2.16.840.1.113883.2.4.6.3", // Netherlands
        "2.16.840.1.113883.4.1",     // United States, social security
    ];
    let Name::Qualified { system, .. } = name else { return false };
    let bare = system.strip_prefix("urn:oid:").unwrap_or(system);
    OIDS.contains(&bare) || system.ends_with("/us-ssn") || system.ends_with("/bsn")
}

/// `piece`, a slice of `whole`, with the lifetime of what `whole` borrows.
pub(crate) fn part<'a>(whole: &Cow<'a, str>, piece: &str) -> Cow<'a, str> {
    match whole {
        Cow::Borrowed(text) => {
            let from = (piece.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
            match text.get(from..from.wrapping_add(piece.len())) {
                Some(same) => Cow::Borrowed(same),
                None => Cow::Owned(piece.to_owned()),
            }
        }
        Cow::Owned(_) => Cow::Owned(piece.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(system: Option<&'static str>, value: &'static str) -> String {
        from_identifier(system.map(Cow::Borrowed), &Cow::Borrowed(value)).spell().into_owned()
    }

    #[test]
    fn references_fold_to_type_and_id() {
        for text in [
            "Patient/17",
            "Patient/17/_history/2",
            "https://ehr.example/fhir/R4/Patient/17",
            "https://ehr.example/fhir/Patient/17/_history/2/",
        ] {
            assert_eq!(target(text), Target::Instance { kind: "Patient", folded: "Patient/17" });
        }
        assert_eq!(target("#p1"), Target::Contained("p1"));
        assert_eq!(target("https://nz.example/fhir/R4/CarePlan"), Target::Kind("CarePlan"));
        assert_eq!(target("https://nz.example/Immunization/_search"), Target::Kind("Immunization"));
        assert_eq!(
            target("Patient?identifier=urn:oid:1.2.3|17"),
            Target::Conditional { kind: "Patient", query: "identifier=urn:oid:1.2.3|17" },
        );
        assert_eq!(target("urn:uuid:1c77"), Target::Other("urn:uuid:1c77"));
        assert_eq!(
            target("FutureThing/1"),
            Target::Instance { kind: "FutureThing", folded: "FutureThing/1" }
        );
        assert_eq!(target("/"), Target::Other("/"));
    }

    #[test]
    fn identifiers_take_one_form() {
        assert_eq!(identifier(Some("urn:oid:1.2.3"), "17"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(Some("1.2.3"), "17"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(Some("URN:OID:1.2.3"), "17"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(None, "17^^^&1.2.3&ISO"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(None, "17^^^NS&1.2.3&ISO^PI"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(None, "17^^^NS"), "NS|17");
        assert_eq!(identifier(None, "7^Smith^Anna^^^^^^&1.2.3&ISO"), "urn:oid:1.2.3|7");
        assert_eq!(identifier(None, "1.2.3|17"), "urn:oid:1.2.3|17");
        assert_eq!(identifier(Some("https://a.example/id"), "17"), "https://a.example/id|17");
        assert_eq!(identifier(None, "95"), "95");
    }

    #[test]
    fn placeholders_and_paths_name_nobody() {
        let opaque = ["Unknown", "anonymous", "", "/app/fhir/Patient/1", "https://idp.example/u/1"];
        assert!(opaque.iter().all(|text| is_opaque(text)));
        assert!(["Anna Nother", "95", "dr.none", "a|b"].iter().all(|text| !is_opaque(text)));
    }
}
