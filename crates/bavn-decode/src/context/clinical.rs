//! FHIR resources that tie a patient to units and staff: stays, bookings, orders, teams and tasks.

use super::completeness::Measure;
use super::dates::{Written, end_of, instant};
use super::draft::{Draft, Party, Window};
use crate::tree::Value;
use bavn_model::{PatientId, TieKind, Timestamp};

pub(super) fn encounter(draft: &mut Draft, resource: &Value<'_>) {
    let status = resource.get("status").str().unwrap_or("");
    if matches!(status, "entered-in-error" | "cancelled") {
        draft.counts.called_off += 1;
        return;
    }
    let subject = first_of(resource, &["subject", "patient"]);
    let Some(patient) = draft.patient(subject, resource) else {
        draft.counts.without_patient += 1;
        return;
    };
    let period = first_of(resource, &["period", "actualPeriod"]);
    let legs = resource.get("location").items();
    let leg_start = || legs.iter().find_map(|leg| instant(leg.get("period").get("start")));
    let planned = instant(resource.get("plannedStartDate"));
    let Some(from) = instant(period.get("start")).or_else(leg_start).or(planned) else {
        draft.counts.without_date += 1;
        return;
    };
    let end = end_of(period.get("end"));
    let written = Written::of(resource);
    let is_plan = status == "planned";
    let known_at =
        if is_plan { written.of_booking(None, from) } else { written.of_stay(from, end) };
    let kind = if is_plan { TieKind::Booking } else { TieKind::Stay };
    let to = end.unwrap_or_else(|| open_end(resource, status, from));
    let stay = Window::new(from, to, known_at);

    let provider = draft.party(resource.get("serviceProvider"), resource, "Organization");
    if let Some(party) = provider {
        draft.tie(patient, kind, party, None, stay);
    }
    let mut has_place = provider.is_some();
    for leg in legs {
        let place = draft.party(leg.get("location"), resource, "Location");
        if let Some(party) = place.filter(|place| Some(*place) != provider) {
            has_place = true;
            let window = leg_of(leg.get("period"), stay);
            let kind = if is_plan { kind } else { TieKind::Move };
            draft.tie(patient, kind, party, None, window);
        }
    }
    let mut has_staff = false;
    for participant in resource.get("participant").items() {
        let actor = first_of(participant, &["individual", "actor"]);
        if let Some(party) = draft.party(actor, resource, "Practitioner") {
            has_staff = true;
            draft.tie(patient, kind, party, None, leg_of(participant.get("period"), stay));
        }
    }
    draft.measure(Measure::StayUnit, has_place);
    draft.measure(Measure::StayStaff, has_staff);
    draft.measure(Measure::StayEnd, end.is_some() || to == Timestamp::MAX);
}

/// A leg of a stay has its own dates, and was known neither before it began nor before the stay.
fn leg_of(period: &Value<'_>, stay: Window) -> Window {
    let from = instant(period.get("start")).unwrap_or(stay.from);
    let to = end_of(period.get("end")).unwrap_or(stay.to);
    let known_at = if from > stay.from { stay.known_at.max(from) } else { stay.known_at };
    Window::new(from, to, known_at)
}

/// Until when a stay without an end lasts: while it is under way there is none; one that is over
/// lasted a usual while.
fn open_end(resource: &Value<'_>, status: &str, from: Timestamp) -> Timestamp {
    let over = matches!(status, "finished" | "completed" | "discharged" | "discontinued");
    let class = resource.get("class").first();
    let coded = class.get("code").str().or(class.get("coding").first().get("code").str());
    let in_bed = matches!(coded, Some("IMP" | "ACUTE" | "NONAC" | "OBSENC"));
    match (over, in_bed) {
        (false, _) => Timestamp::MAX,
        (true, true) => Window::days_after(from, INPATIENT_DAYS),
        (true, false) => Window::days_after(from, 1),
    }
}

pub(super) fn appointment(draft: &mut Draft, resource: &Value<'_>) {
    let status = resource.get("status").str().unwrap_or("");
    if status == "entered-in-error" {
        draft.counts.called_off += 1;
        return;
    }
    let mut patient = draft.patient(resource.get("subject"), resource);
    let mut parties = Vec::new();
    for participant in resource.get("participant").items() {
        if participant.get("status").str() == Some("declined") {
            continue;
        }
        let actor = participant.get("actor");
        if patient.is_none() {
            patient = draft.patient(actor, resource);
        }
        parties.extend(draft.party(actor, resource, "Patient"));
    }
    let Some(patient) = patient else {
        draft.counts.without_patient += 1;
        return;
    };
    let created = instant(resource.get("created"));
    let requested = resource.get("requestedPeriod").first();
    let start = instant(resource.get("start")).or_else(|| instant(requested.get("start")));
    let Some(start) = start.or(created) else {
        draft.counts.without_date += 1;
        return;
    };
    let end = end_of(resource.get("end")).or_else(|| end_of(requested.get("end")));
    let written = Written::of(resource);
    let known_at = written.of_booking(created, start);
    let mut window = Window::new(start, end.unwrap_or(start), known_at);
    if status == "cancelled" {
        // Nobody needs the record for a booking any more once it is cancelled.
        let stated = instant(resource.get("cancellationDate"));
        if let Some(cancelled) = stated.or(written.last).filter(|&at| at < window.to) {
            window = Window::new(window.from.min(cancelled), cancelled, known_at);
        }
    }
    let staffed = parties.iter().any(|party| matches!(party, Party::Identity(_)));
    let placed = parties.iter().any(|party| matches!(party, Party::Unit(_)));
    for party in parties {
        draft.tie(patient, TieKind::Booking, party, None, window);
    }
    draft.measure(Measure::BookingCreated, created.is_some() || written.last.is_some());
    draft.measure(Measure::BookingStaff, staffed);
    draft.measure(Measure::BookingUnit, placed);
}

pub(super) fn service_request(draft: &mut Draft, resource: &Value<'_>) {
    let status = resource.get("status").str().unwrap_or("");
    if status == "entered-in-error" {
        draft.counts.called_off += 1;
        return;
    }
    let Some(patient) = draft.patient(resource.get("subject"), resource) else {
        draft.counts.without_patient += 1;
        return;
    };
    let written = Written::of(resource);
    let authored = instant(resource.get("authoredOn"));
    let occurrence = resource.get("occurrencePeriod");
    let due =
        instant(resource.get("occurrenceDateTime")).or_else(|| instant(occurrence.get("start")));
    let Some(from) = authored.or(written.last).or(due) else {
        draft.counts.without_date += 1;
        return;
    };
    let referral = is_referral(resource);
    let (kind, open_days) =
        if referral { (TieKind::Referral, REFERRAL_DAYS) } else { (TieKind::Order, ORDER_DAYS) };
    let closed = matches!(status, "revoked" | "completed").then_some(written.last).flatten();
    let planned_end = end_of(occurrence.get("end")).or(due);
    let usual = Window::days_after(planned_end.unwrap_or(from).max(from), open_days);
    // Written once, and later than it says: entered late.
    let late = written.last.filter(|&last| written.first && last > from);
    let window = Window::new(from, closed.unwrap_or(usual), late.unwrap_or(from));

    let requester = draft.party(resource.get("requester"), resource, "Practitioner");
    let author = match requester {
        Some(Party::Identity(identity)) => Some(identity),
        _ => None,
    };
    if let Some(party) = requester {
        draft.tie(patient, TieKind::OrderRequest, party, author, window);
    }
    let mut performed = false;
    let performers = resource.get("performer").items();
    let places = resource.get("locationReference").items();
    let places5 = resource.get("location").items().iter().map(|place| place.get("reference"));
    for reference in performers.iter().chain(places).chain(places5) {
        if let Some(party) = draft.party(reference, resource, "Practitioner") {
            performed = true;
            draft.tie(patient, kind, party, author, window);
        }
    }
    if referral {
        draft.measure(Measure::ReferralReceiver, performed);
    } else {
        draft.measure(Measure::OrderPerformer, performed);
    }
    draft.measure(Measure::OrderAuthored, authored.is_some());
    draft.measure(Measure::OrderRequester, requester.is_some());
}

/// A request that somebody else take the patient over: by category or code (SNOMED CT "patient
/// referral", "referral to service"), or in words.
fn is_referral(resource: &Value<'_>) -> bool {
    let categories = resource.get("category").items().iter();
    let concepts = categories.chain(resource.get("code").items());
    let coded = |concept: &Value<'_>| {
        concept.get("coding").items().iter().any(|coding| {
            matches!(coding.get("code").str(), Some("3457005" | "306206005" | "103696004"))
                || coding.get("code").str().is_some_and(says_referral)
                || coding.get("display").str().is_some_and(says_referral)
        })
    };
    let worded = |concept: &Value<'_>| concept.get("text").str().is_some_and(says_referral);
    let mut concepts = concepts.peekable();
    concepts.any(|concept| coded(concept) || worded(concept))
        || resource.get("intent").str() == Some("referral")
}

fn says_referral(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["referral", "henvisning", "remiss", "überweisung", "verwijzing"]
        .iter()
        .any(|word| lower.contains(word))
}

pub(super) fn care_team(draft: &mut Draft, resource: &Value<'_>) {
    let Some((patient, window)) = standing(draft, resource, &["subject", "patient"]) else {
        return;
    };
    let mut any = false;
    for member in resource.get("participant").items() {
        if let Some(party) = draft.party(member.get("member"), resource, "Practitioner") {
            any = true;
            let period = first_of(member, &["period", "coveragePeriod"]);
            draft.tie(patient, TieKind::CareTeam, party, None, leg_of(period, window));
        }
    }
    for manager in resource.get("managingOrganization").items() {
        if let Some(party) = draft.party(manager, resource, "Organization") {
            any = true;
            draft.tie(patient, TieKind::CareTeam, party, None, window);
        }
    }
    draft.measure(Measure::TeamMembers, any);
}

pub(super) fn episode(draft: &mut Draft, resource: &Value<'_>) {
    let Some((patient, window)) = standing(draft, resource, &["patient", "subject"]) else {
        return;
    };
    let references = [resource.get("managingOrganization"), resource.get("careManager")];
    for (reference, usual) in references.into_iter().zip(["Organization", "Practitioner"]) {
        if let Some(party) = draft.party(reference, resource, usual) {
            draft.tie(patient, TieKind::CareTeam, party, None, window);
        }
    }
}

/// Patient and window of a record of standing care.
fn standing(
    draft: &mut Draft,
    resource: &Value<'_>,
    subjects: &[&str],
) -> Option<(PatientId, Window)> {
    let status = resource.get("status").str().unwrap_or("");
    if status == "entered-in-error" || status == "cancelled" {
        draft.counts.called_off += 1;
        return None;
    }
    let Some(patient) = draft.patient(first_of(resource, subjects), resource) else {
        draft.counts.without_patient += 1;
        return None;
    };
    let period = resource.get("period");
    let written = Written::of(resource);
    let Some(from) = instant(period.get("start")).or(written.last) else {
        draft.counts.without_date += 1;
        return None;
    };
    let end = end_of(period.get("end"));
    let over = matches!(status, "inactive" | "finished").then_some(written.last).flatten();
    let to = end.or(over).unwrap_or(Timestamp::MAX);
    Some((patient, Window::new(from, to, written.of_stay(from, end.or(over)))))
}

pub(super) fn task(draft: &mut Draft, resource: &Value<'_>) {
    let status = resource.get("status").str().unwrap_or("");
    if matches!(status, "entered-in-error" | "cancelled" | "rejected") {
        draft.counts.called_off += 1;
        return;
    }
    let Some(patient) = draft.patient(resource.get("for"), resource) else {
        draft.counts.without_patient += 1;
        return;
    };
    let written = Written::of(resource);
    let authored = instant(resource.get("authoredOn"));
    let done = first_of(resource, &["executionPeriod", "requestedPeriod"]);
    let start = instant(done.get("start"));
    let Some(known_at) = authored.or(start).or(written.last) else {
        draft.counts.without_date += 1;
        return;
    };
    let from = start.unwrap_or(known_at);
    let closed = (status == "completed")
        .then(|| instant(resource.get("lastModified")).or(written.last))
        .flatten();
    let to = end_of(done.get("end")).or(closed);
    let to = to.unwrap_or_else(|| Window::days_after(from, TASK_DAYS));
    let requester = draft.party(resource.get("requester"), resource, "Practitioner");
    let author = match requester {
        Some(Party::Identity(identity)) => Some(identity),
        _ => None,
    };
    let owner = draft.party(resource.get("owner"), resource, "Practitioner");
    if let Some(party) = owner {
        draft.tie(patient, TieKind::Task, party, author, Window::new(from, to, known_at));
    }
    draft.measure(Measure::TaskOwner, owner.is_some());
}

fn first_of<'v, 'a>(resource: &'v Value<'a>, names: &[&str]) -> &'v Value<'a> {
    let found = names.iter().map(|name| resource.get(name)).find(|value| !value.is_null());
    found.unwrap_or(&crate::tree::NULL)
}

/// How long an order, a referral or a task without a recorded end stands open: longer than nearly
/// all take, short enough that an order never closed does not explain reading for ever.
const ORDER_DAYS: i64 = 30;
const REFERRAL_DAYS: i64 = 180;
const TASK_DAYS: i64 = 30;
/// How long a stay in a bed lasted that is over without a recorded end.
const INPATIENT_DAYS: i64 = 14;
