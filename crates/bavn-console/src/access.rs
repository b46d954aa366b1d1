//! Who may see what, and what for? What is not in the table is refused.

use bavn_detect::cases::CaseNumber;
use serde::{Deserialize, Serialize};

/// What somebody works as; one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads alarms on staff, and answers patients.
    PrivacyOfficer,
    /// Looks after accounts and machines.
    SocAnalyst,
    IncidentLead,
    /// Of a ward: answers what is asked about one look-up.
    Manager,
    Auditor,
    Patient,
    Employee,
    /// Speaks for the employees, and agrees for them or does not.
    Representative,
    /// Keeps the machine, and sees nobody's name.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 9] = [
        Self::PrivacyOfficer,
        Self::SocAnalyst,
        Self::IncidentLead,
        Self::Manager,
        Self::Auditor,
        Self::Patient,
        Self::Employee,
        Self::Representative,
        Self::Administrator,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::PrivacyOfficer => "privacy-officer",
            Self::SocAnalyst => "soc-analyst",
            Self::IncidentLead => "incident-lead",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
            Self::Patient => "patient",
            Self::Employee => "employee",
            Self::Representative => "representative",
            Self::Administrator => "administrator",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// As people say it, in English and bokmål.
    pub(crate) const fn said(self) -> [&'static str; 2] {
        match self {
            Self::PrivacyOfficer => ["Privacy officer", "Loggkontrollør"],
            Self::SocAnalyst => ["SOC analyst", "SOC-analytiker"],
            Self::IncidentLead => ["Incident lead", "Hendelsesleder"],
            Self::Manager => ["Manager", "Leder"],
            Self::Auditor => ["Auditor", "Revisor"],
            Self::Patient => ["Patient", "Pasient"],
            Self::Employee => ["Employee", "Ansatt"],
            Self::Representative => ["Employees' representative", "Tillitsvalgt"],
            Self::Administrator => ["Administrator", "Systemansvarlig"],
        }
    }
}

/// What names are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Nothing that names anybody is asked for.
    None,
    /// Work on the case that the address names.
    Case,
    /// A patient asked.
    Insight,
    Review,
    Drill,
    Audit,
}

impl Purpose {
    pub const ALL: [Self; 6] =
        [Self::None, Self::Case, Self::Insight, Self::Review, Self::Drill, Self::Audit];
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// The queue: cases, counts.
    SeeQueue,
    /// A case with its readers, machines and acts.
    SeeCase,
    /// How many patients, with bounds.
    SeeScope,
    /// Notes, tasks, who works on it.
    WorkOnCase,
    Decide,
    /// What must be told of a case, to how many, by when.
    SeeNotices,
    /// To declare, answer, make ready, sign; to ask for the list by name and let it go.
    WorkOnNotices,
    /// What is known of one account, in a case.
    SeePerson,
    /// Who the patients of a case are.
    Reveal,
    /// Look-ups from a list of accounts and machines.
    Hunt,
    /// The form that asks for a patient; names nobody.
    AskForPatient,
    /// Who has read a patient's record.
    SeePatient,
    /// Which sources speak; shares of units.
    SeeCoverage,
    /// Of the log: nothing of what stands in it.
    SeeProof,
    /// How a drill went.
    SeeScore,
    /// Look-ups drawn by lot, and what was said of them.
    Review,
    /// What is in force, and who wanted it so.
    SeeSettings,
    /// To want a setting changed, or to confirm what somebody else wants.
    ChangeSettings,
    /// The consent of the employees' side.
    SignForEmployees,
    /// What is held about oneself.
    SeeOneself,
    /// Who has read one's own record.
    SeeOwnRecord,
}

impl Right {
    pub const ALL: [Self; 21] = [
        Self::SeeQueue,
        Self::SeeCase,
        Self::SeeScope,
        Self::WorkOnCase,
        Self::Decide,
        Self::SeeNotices,
        Self::WorkOnNotices,
        Self::SeePerson,
        Self::Reveal,
        Self::Hunt,
        Self::AskForPatient,
        Self::SeePatient,
        Self::SeeCoverage,
        Self::SeeProof,
        Self::SeeScore,
        Self::Review,
        Self::SeeSettings,
        Self::ChangeSettings,
        Self::SignForEmployees,
        Self::SeeOneself,
        Self::SeeOwnRecord,
    ];

    /// Whether what is seen names members of staff or patients: nothing of it is shown before the
    /// employees' side has signed.
    pub const fn names_people(self) -> bool {
        !matches!(
            self,
            Self::SeeQueue
                | Self::AskForPatient
                | Self::SeeCoverage
                | Self::SeeProof
                | Self::SeeScore
                | Self::SeeSettings
                | Self::ChangeSettings
                | Self::SignForEmployees
                | Self::SeeOneself
                // A right of the patient's, whatever the employees' side says.
                | Self::SeeOwnRecord
        )
    }
}

/// Default deny.
pub const fn permits(right: Right, role: Role, purpose: Purpose) -> bool {
    use Role::{
        Administrator, Auditor, Employee, IncidentLead, Manager, Patient, PrivacyOfficer,
        Representative, SocAnalyst,
    };
    match (right, purpose) {
        (Right::SeeQueue, Purpose::None)
        | (
            Right::SeeCase | Right::SeeScope | Right::WorkOnCase | Right::SeePerson,
            Purpose::Case,
        ) => matches!(role, PrivacyOfficer | SocAnalyst | IncidentLead),
        (
            Right::Decide
            | Right::SeeNotices
            | Right::WorkOnNotices
            | Right::Reveal
            | Right::SeePatient,
            Purpose::Case,
        )
        | (Right::AskForPatient, Purpose::None) => matches!(role, PrivacyOfficer | IncidentLead),
        (Right::Hunt, Purpose::Case) => matches!(role, SocAnalyst | IncidentLead),
        (Right::SeePatient, Purpose::Insight) | (Right::Review, Purpose::Review) => {
            matches!(role, PrivacyOfficer)
        }
        (Right::SeeCoverage | Right::SeeScore, Purpose::None) => matches!(
            role,
            PrivacyOfficer | SocAnalyst | IncidentLead | Manager | Auditor | Administrator
        ),
        (Right::SeeSettings, Purpose::None) => matches!(
            role,
            PrivacyOfficer
                | SocAnalyst
                | IncidentLead
                | Auditor
                | Employee
                | Representative
                | Administrator
        ),
        (Right::ChangeSettings, Purpose::None) => {
            matches!(role, PrivacyOfficer | IncidentLead | Administrator)
        }
        (Right::SignForEmployees, Purpose::None) => matches!(role, Representative),
        (Right::SeeOwnRecord, Purpose::Insight) => matches!(role, Patient),
        (Right::SeeOneself | Right::SeeProof, Purpose::None) => true,
        _ => false,
    }
}

/// That names may be shown: allowed by the table, and on record. Only a [`crate::router`] makes
/// one, so that no query for names can be asked without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    purpose: Purpose,
    case: Option<CaseNumber>,
    by: String,
}

impl Granted {
    pub(crate) const fn new(purpose: Purpose, case: Option<CaseNumber>, by: String) -> Self {
        Self { purpose, case, by }
    }

    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub const fn case(&self) -> Option<CaseNumber> {
        self.case
    }

    /// To whom.
    pub fn by(&self) -> &str {
        &self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as a person would write it, against every right, role and purpose.
    #[test]
    fn the_table_is_exact() {
        let officers = "privacy-officer soc-analyst incident-lead";
        let two = "privacy-officer incident-lead";
        let staff = "privacy-officer soc-analyst incident-lead manager auditor administrator";
        let everyone = "privacy-officer soc-analyst incident-lead manager auditor patient employee \
                        representative administrator";
        let table = [
            (Right::SeeQueue, Purpose::None, officers),
            (Right::SeeCase, Purpose::Case, officers),
            (Right::SeeScope, Purpose::Case, officers),
            (Right::WorkOnCase, Purpose::Case, officers),
            (Right::Decide, Purpose::Case, two),
            (Right::SeeNotices, Purpose::Case, two),
            (Right::WorkOnNotices, Purpose::Case, two),
            (Right::SeePerson, Purpose::Case, officers),
            (Right::Reveal, Purpose::Case, two),
            (Right::Hunt, Purpose::Case, "soc-analyst incident-lead"),
            (Right::AskForPatient, Purpose::None, two),
            (Right::SeePatient, Purpose::Case, two),
            (Right::SeePatient, Purpose::Insight, "privacy-officer"),
            (Right::SeeCoverage, Purpose::None, staff),
            (Right::SeeProof, Purpose::None, everyone),
            (Right::SeeScore, Purpose::None, staff),
            (Right::Review, Purpose::Review, "privacy-officer"),
            (
                Right::SeeSettings,
                Purpose::None,
                "privacy-officer soc-analyst incident-lead auditor employee representative administrator",
            ),
            (Right::ChangeSettings, Purpose::None, "privacy-officer incident-lead administrator"),
            (Right::SignForEmployees, Purpose::None, "representative"),
            (Right::SeeOneself, Purpose::None, everyone),
            (Right::SeeOwnRecord, Purpose::Insight, "patient"),
        ];
        let mut checked = 0;
        for right in Right::ALL {
            for role in Role::ALL {
                for purpose in Purpose::ALL {
                    let row = table.iter().find(|row| (row.0, row.1) == (right, purpose));
                    let wanted =
                        row.is_some_and(|row| row.2.split(' ').any(|word| word == role.word()));
                    assert_eq!(
                        permits(right, role, purpose),
                        wanted,
                        "{right:?} {role:?} {purpose:?}"
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 21 * 9 * 6);
    }

    /// A manager of a ward never sees who the patients are, nor what an account did.
    #[test]
    fn a_manager_sees_nobody() {
        for right in Right::ALL.into_iter().filter(|right| right.names_people()) {
            for purpose in Purpose::ALL {
                assert!(!permits(right, Role::Manager, purpose), "{right:?} {purpose:?}");
            }
        }
    }
}
