//! Who may see what, and what for? What is not in the table is refused.

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
    /// Keeps the machine, and sees nobody's name.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::PrivacyOfficer,
        Self::SocAnalyst,
        Self::IncidentLead,
        Self::Manager,
        Self::Auditor,
        Self::Patient,
        Self::Employee,
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
            Self::Administrator => "administrator",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
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
    /// Look-ups from a list of accounts and machines.
    Hunt,
    /// Who has read a patient's record.
    SeePatient,
    /// What is held about oneself.
    SeeOneself,
}

impl Right {
    pub const ALL: [Self; 8] = [
        Self::SeeQueue,
        Self::SeeCase,
        Self::SeeScope,
        Self::WorkOnCase,
        Self::Decide,
        Self::Hunt,
        Self::SeePatient,
        Self::SeeOneself,
    ];
}

/// Default deny.
pub const fn permits(right: Right, role: Role, purpose: Purpose) -> bool {
    use Role::{IncidentLead, PrivacyOfficer, SocAnalyst};
    match (right, purpose) {
        (Right::SeeQueue, Purpose::None)
        | (Right::SeeCase | Right::SeeScope | Right::WorkOnCase, Purpose::Case) => {
            matches!(role, PrivacyOfficer | SocAnalyst | IncidentLead)
        }
        (Right::Decide, Purpose::Case) => matches!(role, PrivacyOfficer | IncidentLead),
        (Right::Hunt, Purpose::Case) => matches!(role, SocAnalyst | IncidentLead),
        (Right::SeePatient, Purpose::Insight) => matches!(role, PrivacyOfficer),
        (Right::SeeOneself, Purpose::None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as a person would write it, against every right, role and purpose.
    #[test]
    fn the_table_is_exact() {
        let officers = "privacy-officer soc-analyst incident-lead";
        let everyone = "privacy-officer soc-analyst incident-lead manager auditor patient employee \
                        administrator";
        let table = [
            (Right::SeeQueue, Purpose::None, officers),
            (Right::SeeCase, Purpose::Case, officers),
            (Right::SeeScope, Purpose::Case, officers),
            (Right::WorkOnCase, Purpose::Case, officers),
            (Right::Decide, Purpose::Case, "privacy-officer incident-lead"),
            (Right::Hunt, Purpose::Case, "soc-analyst incident-lead"),
            (Right::SeePatient, Purpose::Insight, "privacy-officer"),
            (Right::SeeOneself, Purpose::None, everyone),
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
        assert_eq!(checked, 8 * 8 * 6);
    }
}
