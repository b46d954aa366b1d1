//! One access in dense numbers: what explaining and detecting work on.

use crate::{
    Action, ClientId, EventId, Flags, FoundBy, HostId, IdentityId, Kind, Outcome, PatientId,
    ResourceId, SessionId, SourceId, Timestamp,
};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The patients of one access, each once, in the order of the record.
pub type PatientSet = SmallVec<[PatientId; 2]>;

/// One access to health records, its names interned. About 130 bytes.
///
/// Sorted by (`at`, `seq`); `seq` is unique in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub id: EventId,
    pub at: Timestamp,
    /// File index and position in the file: breaks ties of time the same way in every run.
    pub seq: u64,
    /// None: the record names no reader.
    pub identity: Option<IdentityId>,
    pub patients: PatientSet,
    /// The number in the first patient's identifier, as the source spells it: dense ids say nothing
    /// of an order in which a machine pages through a register.
    pub patient_number: Option<u64>,
    pub source: Option<SourceId>,
    pub host: Option<HostId>,
    /// The part of the network that the address lies in; none where it is no address.
    pub network: Option<Network>,
    pub client: Option<ClientId>,
    pub session: Option<SessionId>,
    pub resource: Option<ResourceId>,
    pub action: Option<Action>,
    pub kind: Kind,
    pub found_by: Option<FoundBy>,
    pub purpose: PurposeSet,
    pub outcome: Outcome,
    pub flags: Flags,
}

impl Access {
    /// Whether content of a record may have been returned to somebody other than its patient
    /// (`docs/contracts.md`).
    pub fn exposes(&self) -> bool {
        use crate::Flag;
        self.outcome.may_expose()
            && !self.flags.has(Flag::OwnAccess)
            && !self.flags.has(Flag::DecisionOnly)
            && !matches!(self.kind, Kind::Login | Kind::Decision)
    }
}

/// A small part of a network: the first 24 bits of an IPv4 address, or 48 of an IPv6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(pub u64);

impl Network {
    /// None where the text is no address: a workstation's name says nothing of where it stands.
    pub fn of(host: &str) -> Option<Self> {
        match host.parse::<IpAddr>().ok()?.to_canonical() {
            IpAddr::V4(address) => Some(Self(u64::from(address.to_bits() >> 8))),
            IpAddr::V6(address) => Some(Self(IPV6 | (address.to_bits() >> 80) as u64)),
        }
    }
}

/// Sets the parts of IPv6 apart from those of IPv4.
const IPV6: u64 = 1 << 63;

/// The stated purposes of use, folded to the classes that explaining needs; one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PurposeSet(u16);

impl PurposeSet {
    pub const TREATMENT: Self = Self(1);
    pub const EMERGENCY: Self = Self(1 << 1);
    pub const OPERATIONS: Self = Self(1 << 2);
    pub const PAYMENT: Self = Self(1 << 3);
    pub const QUALITY: Self = Self(1 << 4);
    pub const RESEARCH: Self = Self(1 << 5);
    pub const PATIENT_REQUEST: Self = Self(1 << 6);
    pub const SUPPORT: Self = Self(1 << 7);
    pub const TEACHING: Self = Self(1 << 8);
    pub const OTHER: Self = Self(1 << 9);

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0 && other.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The class of one purpose-of-use code: HL7 v3 `ActReason` (and its FHIR value set), the
    /// Swiss EPR codes and the Norwegian ones.
    pub fn from_code(code: &str) -> Self {
        match code {
            "TREAT" | "HTREAT" | "CAREMGT" | "COC" | "NORM" | "POLBESOK" => Self::TREATMENT,
            "ETREAT" | "BTG" | "EMER" | "EMERGENCY" => Self::EMERGENCY.union(Self::TREATMENT),
            "HOPERAT" | "HLEGAL" | "HSYSADMIN" | "LABELING" | "METAMGT" | "MEMADMIN"
            | "PATADMIN" | "AUTO" => Self::OPERATIONS,
            "HPAYMT" | "CLMATTCH" | "COVAUTH" | "COVERAGE" | "REMITADV" => Self::PAYMENT,
            "HQUALIMP" | "HACCRED" | "HCOMPL" | "PATSFTY" | "PERFMSR" => Self::QUALITY,
            "HRESCH" | "RESEARCH" | "BIORCH" | "CLINTRCH" | "TRANSRCH" => Self::RESEARCH,
            "PATRQT" | "FAMRQT" | "PWATRNY" | "SUPNWK" => Self::PATIENT_REQUEST,
            "SYSDEV" | "SYSADMIN" | "SUPPORT" => Self::SUPPORT,
            "TRAIN" => Self::TEACHING,
            _ => Self::OTHER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_part_of_the_network_are_together() {
        assert_eq!(Network::of("10.20.3.7"), Network::of("10.20.3.250"));
        assert_eq!(Network::of("::ffff:10.20.3.7"), Network::of("10.20.3.9"));
        assert_ne!(Network::of("10.20.3.7"), Network::of("10.20.4.7"));
        assert_eq!(Network::of("2001:db8:1:2::5"), Network::of("2001:db8:1:9::1"));
        assert_ne!(Network::of("2001:db8:1::"), Network::of("2001:db8:2::"));
        assert_eq!(Network::of("ward-pc-4"), None);
    }
}
