//! Context from CSV and other exports, through a mapping of kind `context`.

use super::completeness::Measure;
use super::dates::{Written, end_of_text};
use super::draft::{Draft, Party, RoleDraft, StaffDraft, Window, digest};
use crate::mapping::{Cells, Mapping, Table, Target};
use bavn_model::{
    IdentityId, Kin, Patient, PatientId, RejectReason, Staff, TieKind, Timestamp, UnitId,
};
use std::borrow::Cow;

/// One row of a context table.
pub(super) struct Row<'r, 'a> {
    pub(super) mapping: &'r Mapping,
    pub(super) cells: &'r dyn Cells<'a>,
}

pub(super) fn read(draft: &mut Draft, table: Table, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    match table {
        Table::Staff => staff(draft, row),
        Table::Assignments => {
            let identity = needed(row.identity(draft), "person")?;
            assignment(draft, row, identity)
        }
        Table::Patients => patients(draft, row),
        Table::Units => units(draft, row),
        Table::Households => households(draft, row),
        Table::Kin => kin(draft, row),
        Table::Groups => groups(draft, row),
        Table::Stays => ties(draft, row, TieKind::Stay),
        Table::Moves => ties(draft, row, TieKind::Move),
        Table::Bookings => ties(draft, row, TieKind::Booking),
        Table::Orders => ties(draft, row, TieKind::Order),
        Table::Referrals => ties(draft, row, TieKind::Referral),
        Table::CareTeams => ties(draft, row, TieKind::CareTeam),
        Table::Tasks => ties(draft, row, TieKind::Task),
        Table::Projects => ties(draft, row, TieKind::Project),
    }
}

fn staff(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let identity = needed(row.identity(draft), "person")?;
    let own = row.patient(draft, Target::Patient);
    let (face, household, postal_area, family_name) = row.face(draft)?;
    let facts = Staff {
        patient: own,
        family_name,
        household,
        postal_area,
        active: row.holds(Target::Active),
        system: row.holds(Target::SystemIdentity) == Some(true),
    };
    draft.staff.push(StaffDraft { identity, facts, face });
    draft.measure(Measure::StaffName, family_name.is_some());
    draft.measure(Measure::StaffAddress, household.is_some());
    draft.measure(Measure::StaffBorn, row.text(Target::Born).is_some());
    let works = [Target::Unit, Target::Role, Target::From, Target::To];
    if works.iter().any(|&target| row.mapping.field(target).is_some()) {
        assignment(draft, row, identity)?;
    }
    Ok(())
}

fn assignment(
    draft: &mut Draft,
    row: &Row<'_, '_>,
    identity: IdentityId,
) -> Result<(), RejectReason> {
    let (from, to) = (row.time(Target::From)?, row.end(Target::To)?);
    let unit = row.unit(draft, Target::Unit);
    let role = row.text(Target::Role).map(|role| draft.role(&role, &role));
    draft.measure(Measure::RoleUnit, unit.is_some());
    draft.measure(Measure::RoleFunction, role.is_some());
    draft.measure(Measure::RoleDates, from.is_some());
    draft.roles.push(RoleDraft {
        identity,
        role,
        organization: unit,
        locations: Vec::new(),
        from: from.unwrap_or(Timestamp::MIN),
        to: to.unwrap_or(Timestamp::MAX),
    });
    Ok(())
}

fn patients(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let patient = needed(row.patient(draft, Target::Patient), "patient")?;
    let (face, household, postal_area, family_name) = row.face(draft)?;
    let died = row.time(Target::Died)?.map(Timestamp::day);
    let facts = Patient {
        family_name,
        household,
        postal_area,
        born: row.time(Target::Born)?.map(Timestamp::day),
        died,
        dead: died.is_some(),
        restricted: row.holds(Target::Restricted) == Some(true),
    };
    draft.patient_facts(patient, facts, face);
    draft.measure(Measure::PatientIdentifier, true);
    draft.measure(Measure::PatientName, family_name.is_some());
    draft.measure(Measure::PatientBorn, facts.born.is_some());
    draft.measure(Measure::PatientAddress, household.is_some());
    let doctor = row.identity(draft).map(Party::Identity);
    let unit = row.unit(draft, Target::Unit).map(Party::Unit);
    draft.measure(Measure::PatientDoctor, doctor.is_some());
    for party in doctor.into_iter().chain(unit) {
        draft.responsible(patient, party);
    }
    Ok(())
}

fn units(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let unit = needed(row.unit(draft, Target::Unit), "unit")?;
    let part_of = row.unit(draft, Target::PartOf);
    let name = row.text(Target::Name);
    draft.measure(Measure::UnitName, name.is_some());
    draft.place(unit, name.as_deref().unwrap_or(""), part_of, None, false);
    Ok(())
}

fn households(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let household = needed(row.text(Target::Household), "household")?;
    let household = digest(["household", &household]).map(|digest| draft.households.of(digest));
    let patient = row.patient(draft, Target::Patient);
    let identity = row.identity(draft);
    if let Some(patient) = patient {
        draft.patient_facts(patient, Patient { household, ..Patient::default() }, 0);
    }
    if let Some(identity) = identity {
        let facts = Staff { household, patient, ..Staff::default() };
        draft.staff.push(StaffDraft { identity, facts, face: 0 });
    }
    needed(patient.map(|_| ()).or(identity.map(|_| ())), "patient")
}

fn kin(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let patient = needed(row.patient(draft, Target::Patient), "patient")?;
    let of = needed(row.patient(draft, Target::Kin), "kin")?;
    draft.builder.kin.push(Kin { patient, of });
    Ok(())
}

fn groups(draft: &mut Draft, row: &Row<'_, '_>) -> Result<(), RejectReason> {
    let name = needed(row.text(Target::Group), "group")?.into_owned();
    let patient = row.patient(draft, Target::Patient);
    let token = row.text(Target::Token);
    let held = draft.groups.entry(name.as_str().into()).or_default();
    held.name = name;
    held.members.extend(patient);
    held.tokens.extend(token.as_deref().map(Into::into));
    needed(patient.map(|_| ()).or(token.map(|_| ())), "patient")
}

/// Stays, bookings, orders and the like: a patient, a window, and a unit or a person or both.
fn ties(draft: &mut Draft, row: &Row<'_, '_>, kind: TieKind) -> Result<(), RejectReason> {
    let patient = needed(row.patient(draft, Target::Patient), "patient")?;
    let from = needed(row.time(Target::From)?, "from")?;
    if row.holds(Target::Cancelled) == Some(true) && kind != TieKind::Booking {
        draft.counts.called_off += 1;
        return Ok(());
    }
    let stated_end = row.end(Target::To)?;
    let stated_known = row.time(Target::KnownAt)?;
    let known_at = match (stated_known, kind) {
        (Some(known_at), _) => known_at,
        (None, TieKind::Booking) => Written::default().of_booking(None, from),
        (None, _) => from,
    };
    let to = stated_end.unwrap_or(match kind {
        TieKind::Booking => from,
        TieKind::Order | TieKind::Task => Window::days_after(from, OPEN_DAYS),
        TieKind::Referral => Window::days_after(from, OPEN_REFERRAL_DAYS),
        _ => Timestamp::MAX,
    });
    let window = Window::new(from, to, known_at);
    let author = row.named_identity(draft, Target::Author);
    let unit = row.unit(draft, Target::Unit);
    let identity = row.identity(draft);
    for party in unit.map(Party::Unit).into_iter().chain(identity.map(Party::Identity)) {
        draft.tie(patient, kind, party, author, window);
    }
    if let (Some(author), TieKind::Order | TieKind::Referral) = (author, kind) {
        let party = Party::Identity(author);
        draft.tie(patient, TieKind::OrderRequest, party, Some(author), window);
    }
    measure(draft, kind, unit.is_some(), identity.is_some(), author.is_some());
    match kind {
        TieKind::Stay => draft.measure(Measure::StayEnd, stated_end.is_some()),
        TieKind::Booking => draft.measure(Measure::BookingCreated, stated_known.is_some()),
        _ => {}
    }
    Ok(())
}

fn measure(draft: &mut Draft, kind: TieKind, unit: bool, identity: bool, author: bool) {
    let either = unit || identity;
    match kind {
        TieKind::Stay | TieKind::Move => {
            draft.measure(Measure::StayUnit, unit);
            draft.measure(Measure::StayStaff, identity);
        }
        TieKind::Booking => {
            draft.measure(Measure::BookingUnit, unit);
            draft.measure(Measure::BookingStaff, identity);
        }
        TieKind::Order | TieKind::Referral => {
            let performer = if kind == TieKind::Order {
                Measure::OrderPerformer
            } else {
                Measure::ReferralReceiver
            };
            draft.measure(performer, either);
            draft.measure(Measure::OrderAuthored, true);
            draft.measure(Measure::OrderRequester, author);
        }
        TieKind::CareTeam => draft.measure(Measure::TeamMembers, either),
        TieKind::Task => draft.measure(Measure::TaskOwner, either),
        TieKind::Project => draft.measure(Measure::ProjectStaff, either),
        TieKind::OrderRequest | TieKind::Responsible => {}
    }
}

impl<'a> Row<'_, 'a> {
    fn text(&self, target: Target) -> Option<Cow<'a, str>> {
        let field = self.mapping.field(target)?;
        if !self.mapping.applies(field, self.cells) {
            return None;
        }
        self.mapping.texts_of(field, self.cells).into_iter().next()
    }

    fn names(&self, target: Target) -> Vec<Cow<'a, str>> {
        let Some(field) = self.mapping.field(target) else { return Vec::new() };
        if !self.mapping.applies(field, self.cells) {
            return Vec::new();
        }
        self.mapping.people_of(field, self.cells).into_iter().next().unwrap_or_default()
    }

    fn identity(&self, draft: &mut Draft) -> Option<IdentityId> {
        self.named_identity(draft, Target::Person)
    }

    fn named_identity(&self, draft: &mut Draft, target: Target) -> Option<IdentityId> {
        let names = self.names(target);
        let (first, also) = names.split_first()?;
        let identity = draft.builder.directory.identities.declare(first);
        if first.contains('|') {
            draft.staff_numbers.push((identity, first.as_ref().into()));
        }
        for name in also {
            draft.staff_number(identity, name.clone().into_owned());
        }
        Some(identity)
    }

    fn patient(&self, draft: &mut Draft, target: Target) -> Option<PatientId> {
        let names = self.names(target);
        let (first, also) = names.split_first()?;
        let patients = &mut draft.builder.directory.patients;
        let patient = patients.declare(first);
        for name in also {
            patients.declare_also(name, patient);
        }
        Some(patient)
    }

    fn unit(&self, draft: &mut Draft, target: Target) -> Option<UnitId> {
        let names = self.names(target);
        let (first, also) = names.split_first()?;
        let unit = draft.builder.directory.units.intern(first);
        for name in also {
            draft.unit_also(unit, name);
        }
        Some(unit)
    }

    fn time(&self, target: Target) -> Result<Option<Timestamp>, RejectReason> {
        self.mapping.time(self.cells, target).map(|read| read.map(|(at, _)| at))
    }

    /// As [`Self::time`]; a mere date counts to its end.
    fn end(&self, target: Target) -> Result<Option<Timestamp>, RejectReason> {
        let Some(at) = self.time(target)? else { return Ok(None) };
        let text = self.text(target);
        let is_date = text.as_deref().is_some_and(|text| {
            let count = text.len() > 8 && text.bytes().all(|byte| byte.is_ascii_digit());
            !count && !text.contains(':') && text.len() <= 10
        });
        let iso = text.as_deref().and_then(end_of_text);
        Ok(Some(match (is_date, iso) {
            (false, _) => at,
            (true, Some(end)) if text.is_some_and(|text| text.len() < 10) => end,
            (true, _) => Window::days_after(at, 1),
        }))
    }

    fn holds(&self, target: Target) -> Option<bool> {
        let field = self.mapping.field(target)?;
        self.mapping.holds(field, self.cells)
    }

    /// Face, household, postal area and family name.
    #[expect(clippy::type_complexity, reason = "four columns of one row, taken apart at once")]
    fn face(
        &self,
        draft: &mut Draft,
    ) -> Result<(u64, Option<u32>, Option<u32>, Option<u32>), RejectReason> {
        let (family, given) = (self.text(Target::FamilyName), self.text(Target::GivenName));
        let born = self.time(Target::Born)?;
        let face = match (&family, &given, born) {
            (Some(family), Some(given), Some(born)) => {
                // As FHIR spells it, so that both kinds of file meet.
                let day = born.to_string();
                let first = given.split_whitespace().next().unwrap_or(given);
                digest([family, first, day.get(..10).unwrap_or(&day)]).unwrap_or(0)
            }
            _ => 0,
        };
        let postal = self.text(Target::PostalCode);
        let household = match (self.text(Target::Household), self.text(Target::AddressLine)) {
            (Some(household), _) => {
                digest(["household", &household]).map(|digest| draft.households.of(digest))
            }
            (None, Some(line)) => draft.household(&line, postal.as_deref()),
            (None, None) => None,
        };
        let postal_area = draft.postal_area(postal.as_deref());
        let family = family.and_then(|family| digest([family.as_ref()]));
        Ok((face, household, postal_area, family.map(|digest| draft.families.of(digest))))
    }
}

fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, RejectReason> {
    value.ok_or(RejectReason::Missing { field })
}

/// As for orders and referrals of FHIR.
const OPEN_DAYS: i64 = 30;
const OPEN_REFERRAL_DAYS: i64 = 180;
