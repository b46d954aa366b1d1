//! How complete is the context, and what does it allow to be explained and detected?

use serde::Serialize;
use std::collections::BTreeMap;

/// A field of context that an explanation or a detector lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Measure {
    StaffIdentifier,
    StaffName,
    StaffBorn,
    StaffAddress,
    RoleUnit,
    RoleFunction,
    RoleDates,
    PatientIdentifier,
    PatientName,
    PatientBorn,
    PatientAddress,
    PatientDoctor,
    UnitName,
    StayUnit,
    StayStaff,
    StayEnd,
    BookingCreated,
    BookingStaff,
    BookingUnit,
    OrderAuthored,
    OrderRequester,
    OrderPerformer,
    ReferralReceiver,
    TeamMembers,
    TaskOwner,
    ProjectStaff,
    StaffAsPatient,
    StaffWithWork,
    UnitWithStaff,
}

impl Measure {
    pub const ALL: [Self; 29] = [
        Self::StaffIdentifier,
        Self::StaffName,
        Self::StaffBorn,
        Self::StaffAddress,
        Self::RoleUnit,
        Self::RoleFunction,
        Self::RoleDates,
        Self::PatientIdentifier,
        Self::PatientName,
        Self::PatientBorn,
        Self::PatientAddress,
        Self::PatientDoctor,
        Self::UnitName,
        Self::StayUnit,
        Self::StayStaff,
        Self::StayEnd,
        Self::BookingCreated,
        Self::BookingStaff,
        Self::BookingUnit,
        Self::OrderAuthored,
        Self::OrderRequester,
        Self::OrderPerformer,
        Self::ReferralReceiver,
        Self::TeamMembers,
        Self::TaskOwner,
        Self::ProjectStaff,
        Self::StaffAsPatient,
        Self::StaffWithWork,
        Self::UnitWithStaff,
    ];

    /// `of whom, what` in plain words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::StaffIdentifier => "staff with a licence or national number",
            Self::StaffName => "staff with a name",
            Self::StaffBorn => "staff with a date of birth",
            Self::StaffAddress => "staff with a home address",
            Self::RoleUnit => "functions with a unit",
            Self::RoleFunction => "functions that say what the person does",
            Self::RoleDates => "functions with a first day",
            Self::PatientIdentifier => "patients with a number",
            Self::PatientName => "patients with a name",
            Self::PatientBorn => "patients with a date of birth",
            Self::PatientAddress => "patients with an address",
            Self::PatientDoctor => "patients with a doctor of their own",
            Self::UnitName => "units with a name",
            Self::StayUnit => "stays that say where",
            Self::StayStaff => "stays that name staff",
            Self::StayEnd => "stays that are over and say when",
            Self::BookingCreated => "bookings that say when they were made",
            Self::BookingStaff => "bookings that name staff",
            Self::BookingUnit => "bookings that say where",
            Self::OrderAuthored => "orders and referrals with their date",
            Self::OrderRequester => "orders and referrals that say who asked",
            Self::OrderPerformer => "orders that say who performs them",
            Self::ReferralReceiver => "referrals that say who receives them",
            Self::TeamMembers => "care teams with members",
            Self::TaskOwner => "tasks with an owner",
            Self::ProjectStaff => "patients in a project whose staff is known",
            Self::StaffAsPatient => "staff found among the patients",
            Self::StaffWithWork => "staff with a function in a unit",
            Self::UnitWithStaff => "units of stays where somebody is known to work",
        }
    }
}

/// How many records have a field, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub filled: u64,
    pub of: u64,
}

impl Tally {
    /// 0 to 1; 0 where there is no record at all.
    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.filled as f64 / self.of as f64 }
    }
}

/// What was counted while context was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    tallies: [Tally; Measure::ALL.len()],
    pub(super) resources: BTreeMap<String, u64>,
    pub(super) skipped: BTreeMap<String, u64>,
    pub(super) without_patient: u64,
    pub(super) without_person: u64,
    pub(super) without_date: u64,
    pub(super) called_off: u64,
}

impl Counts {
    pub(super) fn add(&mut self, measure: Measure, holds: bool) {
        self.add_many(measure, u64::from(holds), 1);
    }

    pub(super) fn took(&mut self, kind: &str) {
        count(&mut self.resources, kind);
    }

    pub(super) fn skip(&mut self, kind: &str) {
        // A file may hold anything: so many kinds are told apart, the rest counted together.
        let known = self.skipped.contains_key(kind) || self.skipped.len() < KINDS_MAX;
        count(&mut self.skipped, if known { kind } else { "others" });
    }

    pub(super) fn add_many(&mut self, measure: Measure, filled: u64, of: u64) {
        if let Some(tally) = self.tallies.get_mut(measure as usize) {
            tally.filled += filled;
            tally.of += of;
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, kind: &str) {
    match counts.get_mut(kind) {
        Some(count) => *count += 1,
        None => {
            counts.insert(kind.to_owned(), 1);
        }
    }
}

const KINDS_MAX: usize = 200;

/// Whether an explanation or a detector has what it lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Supply {
    /// It cannot say anything.
    Starved,
    /// It will often have to say "cannot judge".
    Thin,
    Fed,
}

/// An explanation or a detector, and what feeds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Need {
    pub name: &'static str,
    /// Whether it explains look-ups; else it detects.
    pub explains: bool,
    pub supply: Supply,
    /// The field that limits it; none for what lives on a list or a label.
    pub limited_by: Option<Measure>,
    /// Of the limiting field, 0 to 1.
    pub share: f64,
}

/// What context holds, field by field, and what it allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Completeness {
    /// Records read, by type.
    pub read: BTreeMap<String, u64>,
    /// Records of types that tell nothing about access, by type.
    pub skipped: BTreeMap<String, u64>,
    /// Records that name no patient, no member of staff, or no date, and so tie nobody.
    pub without_patient: u64,
    pub without_person: u64,
    pub without_date: u64,
    /// Cancelled, or entered in error.
    pub called_off: u64,
    pub fields: BTreeMap<Measure, Tally>,
    pub needs: Vec<Need>,
}

impl Completeness {
    pub(super) fn new(counts: Counts, groups: usize, restricted: u64) -> Self {
        let fields: BTreeMap<Measure, Tally> =
            Measure::ALL.into_iter().zip(counts.tallies).collect();
        let mut needs: Vec<Need> = NEEDS.iter().map(|need| need_of(need, &fields)).collect();
        let listed = groups > 0 || restricted > 0;
        needs.push(Need {
            name: "protected_group",
            explains: false,
            supply: if listed { Supply::Fed } else { Supply::Starved },
            limited_by: None,
            share: f64::from(u8::from(listed)),
        });
        Self {
            read: counts.resources,
            skipped: counts.skipped,
            without_patient: counts.without_patient,
            without_person: counts.without_person,
            without_date: counts.without_date,
            called_off: counts.called_off,
            fields,
            needs,
        }
    }

    pub fn field(&self, measure: Measure) -> Tally {
        self.fields.get(&measure).copied().unwrap_or_default()
    }

    /// The report in plain words, one line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let count = |held: &BTreeMap<String, u64>| {
            let parts: Vec<String> = held.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            parts.join(", ")
        };
        lines.push(format!("read: {}", count(&self.read)));
        if !self.skipped.is_empty() {
            lines.push(format!("not needed: {}", count(&self.skipped)));
        }
        for (words, count) in [
            ("name no patient", self.without_patient),
            ("name no member of staff", self.without_person),
            ("have no date", self.without_date),
            ("were cancelled or entered in error", self.called_off),
        ] {
            if count > 0 {
                lines.push(format!("{count} records {words} and tie nobody"));
            }
        }
        for (measure, tally) in self.fields.iter().filter(|(_, tally)| tally.of > 0) {
            let words = measure.in_words();
            lines.push(format!("{:>5} of {} {words}", percent(tally.share()), tally.of));
        }
        for need in &self.needs {
            let what = if need.explains { "explanation" } else { "detector" };
            let supply = match need.supply {
                Supply::Fed => "fed",
                Supply::Thin => "thin",
                Supply::Starved => "starved",
            };
            let why = match (need.supply, need.limited_by) {
                (Supply::Fed, _) => String::new(),
                (_, None) => ": no group, no list of tokens and no label".to_owned(),
                (_, Some(measure)) if self.field(measure).of == 0 => {
                    format!(": no record tells of {}", measure.in_words())
                }
                (_, Some(measure)) => format!(": {} {}", percent(need.share), measure.in_words()),
            };
            lines.push(format!("{what} {}: {supply}{why}", need.name));
        }
        lines
    }
}

fn percent(share: f64) -> String {
    let whole = (share * 100.0).floor();
    // Never "0 %" for something, never "100 %" for less than all.
    if share > 0.0 && whole < 1.0 { "<1 %".to_owned() } else { format!("{whole} %") }
}

/// Name, whether it explains, and the fields of which it needs every one.
type NeedOf = (&'static str, bool, &'static [Measure]);

const NEEDS: [NeedOf; 17] = [
    ("stay_in_unit", true, &[Measure::StayUnit, Measure::RoleUnit, Measure::UnitWithStaff]),
    ("named_in_encounter", true, &[Measure::StayStaff]),
    ("care_team", true, &[Measure::TeamMembers]),
    ("appointment", true, &[Measure::BookingStaff]),
    ("appointment_made_before", true, &[Measure::BookingCreated]),
    ("order", true, &[Measure::OrderPerformer, Measure::OrderAuthored]),
    ("order_request", true, &[Measure::OrderRequester]),
    ("referral", true, &[Measure::ReferralReceiver]),
    ("standing_responsibility", true, &[Measure::PatientDoctor]),
    ("coding_task", true, &[Measure::TaskOwner]),
    ("project", true, &[Measure::ProjectStaff]),
    ("self", false, &[Measure::StaffAsPatient]),
    ("household", false, &[Measure::StaffAddress, Measure::PatientAddress]),
    ("same_rare_surname", false, &[Measure::StaffName, Measure::PatientName]),
    ("co_worker", false, &[Measure::StaffAsPatient, Measure::RoleUnit]),
    ("leaver", false, &[Measure::StaffWithWork, Measure::RoleDates]),
    ("peer_comparison", false, &[Measure::RoleFunction, Measure::RoleUnit]),
];

fn need_of(need: &NeedOf, fields: &BTreeMap<Measure, Tally>) -> Need {
    let (name, explains, wanted) = *need;
    let share = |measure: &Measure| fields.get(measure).copied().unwrap_or_default().share();
    let limited_by = wanted
        .iter()
        .copied()
        .min_by(|a, b| share(a).total_cmp(&share(b)))
        .unwrap_or(Measure::StayUnit);
    let share = share(&limited_by);
    // A region's staff are not all its patients; a fifth is enough to look for more.
    let enough = if limited_by == Measure::StaffAsPatient { ENOUGH_SELF } else { ENOUGH };
    let supply = if share <= 0.0 {
        Supply::Starved
    } else if share < enough {
        Supply::Thin
    } else {
        Supply::Fed
    };
    Need { name, explains, supply, limited_by: Some(limited_by), share }
}

const ENOUGH: f64 = 0.8;
const ENOUGH_SELF: f64 = 0.2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_stand_at_their_index() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, index);
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut counts = Counts::default();
        counts.add_many(Measure::BookingStaff, 199, 200);
        counts.add_many(Measure::BookingCreated, 1, 200);
        let report = Completeness::new(counts, 0, 0);
        let supply =
            |name: &str| report.needs.iter().find(|need| need.name == name).map(|need| need.supply);
        assert_eq!(supply("appointment"), Some(Supply::Fed));
        assert_eq!(supply("appointment_made_before"), Some(Supply::Thin));
        assert_eq!(supply("care_team"), Some(Supply::Starved));
        let lines = report.lines().join("\n");
        assert!(lines.contains(" 99 % of 200 bookings that name staff"), "{lines}");
        assert!(lines.contains("<1 % of 200 bookings that say when"), "{lines}");
        assert!(lines.contains("care_team: starved: no record tells of care teams"), "{lines}");
    }
}
