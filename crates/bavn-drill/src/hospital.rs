//! Hospitals, their units, and what each kind of unit does all day.

use bavn_decode::encode::Dialect;
use fastrand::Rng;

/// A kind of unit, with what its people open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Emergency,
    Medicine,
    Surgery,
    Orthopaedics,
    Oncology,
    Psychiatry,
    Maternity,
    Outpatient,
    Radiology,
    Laboratory,
    Coding,
    Anaesthesia,
    InfectionControl,
    Palliative,
    ReferralOffice,
    Physiotherapy,
}

impl Kind {
    pub(crate) const ALL: [Self; 16] = [
        Self::Emergency,
        Self::Medicine,
        Self::Surgery,
        Self::Orthopaedics,
        Self::Oncology,
        Self::Psychiatry,
        Self::Maternity,
        Self::Outpatient,
        Self::Radiology,
        Self::Laboratory,
        Self::Coding,
        Self::Anaesthesia,
        Self::InfectionControl,
        Self::Palliative,
        Self::ReferralOffice,
        Self::Physiotherapy,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Medicine => "medicine",
            Self::Surgery => "surgery",
            Self::Orthopaedics => "orthopaedics",
            Self::Oncology => "oncology",
            Self::Psychiatry => "psychiatry",
            Self::Maternity => "maternity",
            Self::Outpatient => "outpatient",
            Self::Radiology => "radiology",
            Self::Laboratory => "laboratory",
            Self::Coding => "coding",
            Self::Anaesthesia => "anaesthesia",
            Self::InfectionControl => "infection-control",
            Self::Palliative => "palliative",
            Self::ReferralOffice => "referral-office",
            Self::Physiotherapy => "physiotherapy",
        }
    }

    /// Share of a hospital's staff.
    pub(crate) const fn weight(self) -> f64 {
        match self {
            Self::Medicine | Self::Surgery => 15.0,
            Self::Emergency | Self::Outpatient => 10.0,
            Self::Orthopaedics | Self::Psychiatry => 8.0,
            Self::Oncology | Self::Maternity => 7.0,
            Self::Radiology | Self::Laboratory => 5.0,
            Self::Anaesthesia => 4.0,
            Self::Coding | Self::Physiotherapy => 3.0,
            Self::ReferralOffice => 2.0,
            Self::InfectionControl | Self::Palliative => 1.0,
        }
    }

    pub(crate) const fn has_beds(self) -> bool {
        matches!(
            self,
            Self::Medicine
                | Self::Surgery
                | Self::Orthopaedics
                | Self::Oncology
                | Self::Psychiatry
                | Self::Maternity
        )
    }

    /// Whether patients come by appointment.
    pub(crate) const fn has_clinic(self) -> bool {
        matches!(
            self,
            Self::Outpatient
                | Self::Oncology
                | Self::Orthopaedics
                | Self::Psychiatry
                | Self::Maternity
                | Self::Surgery
        )
    }

    /// Whether it works nights and week-ends.
    pub(crate) const fn round_the_clock(self) -> bool {
        self.has_beds() || matches!(self, Self::Emergency | Self::Radiology | Self::Laboratory)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) id: String,
    pub(crate) hospital: usize,
    pub(crate) kind: Kind,
    pub(crate) staff: Vec<usize>,
}

/// How a hospital's log spells readers and patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    Reference,
    /// `system|value` of a login name, and of the medical record number.
    LocalNumber,
    /// Licence number, and the national number.
    National,
}

#[derive(Clone, Debug)]
pub(crate) struct Hospital {
    pub(crate) name: String,
    pub(crate) units: Vec<usize>,
    pub(crate) dialect: Dialect,
    pub(crate) spelling: Spelling,
    /// Seconds by which its clock is wrong.
    pub(crate) clock_offset: i64,
    /// Hours to add to UTC where the log writes local time with its offset.
    pub(crate) utc_offset_hours: i64,
    /// A day and hour in which its log was silent.
    pub(crate) silent: Option<(i32, i64)>,
    /// How many hours late its context reaches the warehouse.
    pub(crate) context_late_hours: i64,
}

impl Hospital {
    /// Units of a kind.
    pub(crate) fn of_kind<'a>(
        &'a self,
        units: &'a [Unit],
        kind: Kind,
    ) -> impl Iterator<Item = usize> + 'a {
        self.units.iter().copied().filter(move |&unit| units[unit].kind == kind)
    }

    pub(crate) fn wards<'a>(&'a self, units: &'a [Unit]) -> impl Iterator<Item = usize> + 'a {
        self.units.iter().copied().filter(|&unit| units[unit].kind.has_beds())
    }
}

/// Hospitals and units for this many staff.
pub(crate) fn build(
    rng: &mut Rng,
    staff: usize,
    days: i32,
    tidy: f64,
) -> (Vec<Hospital>, Vec<Unit>) {
    let hospitals_wanted = (staff / STAFF_PER_HOSPITAL).clamp(1, NAMES.len());
    let (mut hospitals, mut units) = (Vec::new(), Vec::new());
    let dialects = [Dialect::FhirR4, Dialect::AtnaSyslog, Dialect::FhirR5];
    let spellings = [Spelling::Reference, Spelling::National, Spelling::LocalNumber];
    for (index, name) in NAMES.iter().take(hospitals_wanted).enumerate() {
        let mut hospital = Hospital {
            name: format!("hospital-{name}"),
            units: Vec::new(),
            dialect: dialects[index % 3],
            spelling: spellings[index / 2 % 3],
            clock_offset: if rng.f64() < tidy { 0 } else { rng.i64(-90..90) },
            utc_offset_hours: rng.i64(0..3),
            silent: (rng.f64() > tidy && days > 4).then(|| (rng.i32(2..days), rng.i64(9..15))),
            context_late_hours: if rng.f64() < tidy { 0 } else { rng.i64(1..30) },
        };
        for kind in Kind::ALL {
            let share = staff as f64 / hospitals_wanted as f64 * kind.weight() / 104.0;
            let copies = ((share / STAFF_PER_UNIT).round() as usize).max(1);
            for copy in 1..=copies {
                hospital.units.push(units.len());
                units.push(Unit {
                    id: format!("{name}-{}-{copy}", kind.name()),
                    hospital: index,
                    kind,
                    staff: Vec::new(),
                });
            }
        }
        hospitals.push(hospital);
    }
    (hospitals, units)
}

const NAMES: [&str; 12] = [
    "north", "fjord", "valley", "coast", "lake", "ridge", "harbour", "forest", "plain", "island",
    "river", "south",
];
const STAFF_PER_HOSPITAL: usize = 160;
const STAFF_PER_UNIT: f64 = 45.0;
