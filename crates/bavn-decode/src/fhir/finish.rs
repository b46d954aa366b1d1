//! What do the picked pieces mean?
//!
//! Everything that depends on a record's free values: times, one spelling for each name, which of
//! two patients are one, whether the reader is the patient, and what a query asks.

use super::agents::Text;
use super::codes;
use super::draft::{Draft, Own, Steady};
use super::names::{self, Name};
use super::query::{self, Query};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bavn_model::{
    Action, EventId, Flag, Flags, Kind, Origin, ParseTimeError, PatientName, Record, RejectReason,
    Timestamp, Zone,
};
use smallvec::SmallVec;
use std::borrow::Cow;

type Patients<'a> = SmallVec<[PatientName<'a>; 1]>;

/// Makes the record of a draft, whose pieces `text` turns into texts.
pub(crate) fn finish<'a, T>(
    draft: &Draft<T>,
    text: impl Fn(&T) -> Text<'a>,
    id: EventId,
    origin: Origin,
) -> Result<Record<'a>, RejectReason> {
    let text = &text;
    let piece = |piece: &Option<T>| piece.as_ref().map(text);
    let name = |name: &Option<Name<T>>| name.as_ref().map(|name| name.spell_with(text));
    let mut flags = steady_flags(&draft.steady);
    let at = time(piece(&draft.recorded).as_deref(), || piece(&draft.occurred), &mut flags)?;

    let query_text = piece(&draft.query).and_then(|text| decode_query(text, &mut flags));
    let asked = ask(query_text.as_deref(), draft.asked.iter().map(text));
    let query_text = query_text.or_else(|| draft.asked.first().map(text));

    let mut patients = patients(draft, text);
    if add_asked_patients(asked.patients, &mut patients) == Asked::Others {
        flags.insert(Flag::QueryDisagrees);
    }
    let by_query = asked.operation.as_deref().and_then(codes::operation);
    let kind = what_was_done(&draft.steady, by_query.or(asked.searches.then_some(Kind::Search)));
    let resource = piece(&draft.resource)
        .or(asked.kind.map(Cow::Owned))
        .or_else(|| piece(&draft.patient_resource));

    let mut names = draft.who.iter().map(|name| name.spell_with(text));
    let who = names.next();
    let who_also: Vec<_> = names.filter(|name| Some(name) != who.as_ref()).collect();
    let on_behalf_of = name(&draft.on_behalf_of);
    if who.as_deref().is_some_and(is_machine) {
        flags.insert(Flag::SystemIdentity);
    }
    if is_own(&draft.steady, who.as_ref(), &who_also, on_behalf_of.as_ref(), &patients) {
        flags.insert(Flag::OwnAccess);
    }
    if kind == Kind::Decision {
        flags.insert(Flag::DecisionOnly);
    }
    let clinical = draft.steady.clinical
        || (kind == Kind::Search && resource.as_deref().is_some_and(is_clinical));
    if draft.steady.unresolved || (clinical && patients.is_empty()) {
        flags.insert(Flag::PatientUnresolved);
    }
    Ok(Record {
        id,
        at,
        who,
        who_also,
        on_behalf_of,
        application: name(&draft.application),
        patients,
        resource,
        action: draft.steady.action,
        kind,
        found_by: asked.found_by,
        purpose: draft.purpose.iter().map(text).collect(),
        reason: piece(&draft.reason),
        outcome: draft.steady.outcome,
        source: name(&draft.source),
        address: piece(&draft.address),
        session: piece(&draft.session),
        query: query_text,
        sequence: None,
        origin,
        flags,
    })
}

/// Each patient once; whom an assertion names, only where nothing else names anybody.
fn patients<'a, T>(draft: &Draft<T>, text: &impl Fn(&T) -> Text<'a>) -> Patients<'a> {
    let mut patients = Patients::new();
    for names in &draft.patients {
        add_patient(names.iter().map(|name| name.spell_with(text)), &mut patients);
    }
    if let (true, Some(asserted)) = (patients.is_empty(), &draft.asserted_patient) {
        let name = names::from_cx(&text(asserted));
        add_patient(name.into_iter().map(Name::spell), &mut patients);
    }
    patients
}

/// The account of a computer and not of a person: Windows ends the name of each with `$`
/// (MS-ADTS, `sAMAccountName` of a machine).
fn is_machine(who: &str) -> bool {
    who.len() > 1 && who.ends_with('$')
}

fn steady_flags(steady: &Steady) -> Flags {
    let mut flags = Flags::NONE;
    for (holds, flag) in [
        (steady.opaque, Flag::OpaqueIdentity),
        (steady.system, Flag::SystemIdentity),
        (steady.break_glass, Flag::BreakGlass),
    ] {
        if holds {
            flags.insert(flag);
        }
    }
    flags
}

fn time<'a>(
    recorded: Option<&str>,
    occurred: impl FnOnce() -> Option<Text<'a>>,
    flags: &mut Flags,
) -> Result<Timestamp, RejectReason> {
    let recorded = recorded.map(Timestamp::parse);
    let occurred = || occurred().as_deref().map(Timestamp::parse);
    let (at, zone) = match recorded {
        Some(Ok(read)) => read,
        unread => other_time(unread.is_some(), occurred(), flags)?,
    };
    if zone == Zone::Missing {
        flags.insert(Flag::NoZone);
    }
    Ok(at)
}

/// The time of the activity, where that of recording is missing or cannot be read.
fn other_time(
    stated: bool,
    occurred: Option<Result<(Timestamp, Zone), ParseTimeError>>,
    flags: &mut Flags,
) -> Result<(Timestamp, Zone), RejectReason> {
    match occurred {
        Some(Ok(read)) => {
            flags.insert(Flag::TimeOfActivity);
            if stated {
                flags.insert(Flag::PartlyUnreadable);
            }
            Ok(read)
        }
        None if !stated => Err(RejectReason::Missing { field: "recorded" }),
        _ => Err(RejectReason::WrongType { field: "recorded", expected: "a time" }),
    }
}

/// Undoes base64. What is none is kept if it is plainly a query as it stands.
fn decode_query<'a>(text: Text<'a>, flags: &mut Flags) -> Option<Text<'a>> {
    let compact: Cow<'_, str> = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        Cow::Owned(text.split_ascii_whitespace().collect())
    } else {
        Cow::Borrowed(&text)
    };
    let Ok(bytes) = BASE64.decode(compact.as_bytes()) else {
        flags.insert(Flag::PartlyUnreadable);
        return text.contains(['?', '&', ':']).then_some(text);
    };
    let decoded = String::from_utf8(bytes).unwrap_or_else(|error| {
        flags.insert(Flag::PartlyUnreadable);
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    (!decoded.trim().is_empty()).then_some(Cow::Owned(decoded))
}

/// Reads the query, and the plain texts only as far as the query is silent.
fn ask<'a>(query_text: Option<&str>, asked: impl Iterator<Item = Text<'a>>) -> Query {
    let of_query = query_text.into_iter().map(query::read);
    let of_texts = asked.map(|text| query::read(&text));
    of_query.chain(of_texts).find(|query| *query != Query::default()).unwrap_or_default()
}

/// How the patients of the query stand to those of the entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Same,
    Others,
}

/// Takes the query's patients where the entities name none.
fn add_asked_patients(
    asked: SmallVec<[Name<Cow<'static, str>>; 1]>,
    patients: &mut Patients<'_>,
) -> Asked {
    if !patients.is_empty() {
        return if disagrees(&asked, patients) { Asked::Others } else { Asked::Same };
    }
    for name in asked {
        add_patient(std::iter::once(name.spell()), patients);
    }
    Asked::Same
}

/// Adds a patient, or adds its names to one that shares a name with it.
fn add_patient<'a>(mut names: impl Iterator<Item = Text<'a>>, patients: &mut Patients<'a>) {
    let Some(name) = names.next() else { return };
    let mut also: Vec<Text<'a>> = names.collect();
    also.retain(|other| *other != name);
    let same = patients
        .iter_mut()
        .find(|held| spellings(held).any(|known| *known == name || also.contains(known)));
    match same {
        Some(held) => {
            for new in std::iter::once(name).chain(also) {
                if held.name != new && !held.also.contains(&new) {
                    held.also.push(new);
                }
            }
        }
        None => patients.push(PatientName { name, also }),
    }
}

/// Whether the query names a patient whom the entities do not.
fn disagrees(asked: &[Name<Cow<'static, str>>], patients: &[PatientName<'_>]) -> bool {
    asked.iter().any(|name| {
        let value = bare(name.value());
        let named = patients.iter().flat_map(spellings);
        // Numbers of two authorities may well be one person's: cross-reference queries ask that.
        let mut comparable = named.filter(|known| !of_other_authority(name, known)).peekable();
        comparable.peek().is_some() && !comparable.any(|known| bare(known) == value)
    })
}

fn of_other_authority(name: &Name<Cow<'static, str>>, known: &str) -> bool {
    match (name, known.rsplit_once('|')) {
        (Name::Qualified { .. }, Some((authority, _))) => {
            let spelt = name.spell_with(Clone::clone);
            spelt.rsplit_once('|').is_some_and(|(own, _)| own != authority)
        }
        _ => false,
    }
}

fn bare(name: &str) -> &str {
    name.rsplit(['|', '/']).next().unwrap_or(name)
}

/// Codes, then the operation or search that the query shows, then the action.
fn what_was_done(steady: &Steady, asked: Option<Kind>) -> Kind {
    let by_action = || match steady.action {
        Some(Action::Create) => Kind::Create,
        Some(Action::Read | Action::Execute) if steady.has_query => Kind::Search,
        Some(Action::Read) => Kind::Read,
        Some(Action::Update) => Kind::Update,
        Some(Action::Delete) => Kind::Delete,
        _ => Kind::Other,
    };
    if steady.operation && !matches!(steady.kind, Some(Kind::Decision)) {
        return asked.or(steady.kind).unwrap_or_else(by_action);
    }
    steady.kind.or(asked).unwrap_or_else(by_action)
}

/// Whether the reader is the patient, or acts for the patient, as far as the record says.
fn is_own(
    steady: &Steady,
    who: Option<&Text<'_>>,
    who_also: &[Text<'_>],
    on_behalf_of: Option<&Text<'_>>,
    patients: &[PatientName<'_>],
) -> bool {
    if patients.is_empty() {
        return false;
    }
    let own = |reader: &Text<'_>| {
        patients.iter().all(|patient| spellings(patient).any(|known| known == reader))
    };
    if who.into_iter().chain(who_also).any(own) {
        return true;
    }
    // Names of one system can be told apart; a role must not overrule that.
    let differs = |reader: &Text<'_>| {
        patients.iter().any(|patient| {
            spellings(patient).any(|known| known != reader && same_system(known, reader))
        })
    };
    match steady.own {
        Own::No => false,
        Own::Patient => !who.into_iter().chain(who_also).any(differs),
        Own::Representative => !on_behalf_of.is_some_and(differs),
    }
}

fn spellings<'p, 'a>(patient: &'p PatientName<'a>) -> impl Iterator<Item = &'p Text<'a>> {
    std::iter::once(&patient.name).chain(&patient.also)
}

fn same_system(one: &str, other: &str) -> bool {
    match (one.rfind(['|', '/']), other.rfind(['|', '/'])) {
        (Some(end), Some(other_end)) => one.get(..end) == other.get(..other_end),
        _ => false,
    }
}

fn is_clinical(resource: &str) -> bool {
    let kind = resource.split('/').next().unwrap_or(resource);
    super::types::is_in_patient_record(kind)
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
