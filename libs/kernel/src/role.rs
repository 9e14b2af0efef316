//! Roles, and how surely and in what way a person acts. Equal in name to the contracts' common types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Invalid, ScopeRef};

/// Role of a person or service. A role is always held in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Client of disability services taking part (osallistuva asiakas).
    ClientMember,
    /// Support person (tukihenkilö): helps a member, never decides for them (S1.36, M4).
    SupportPerson,
    /// Resident (asukas).
    Resident,
    /// Staff of a service unit.
    UnitStaff,
    /// Area coordinator (aluekoordinaattori).
    AreaCoordinator,
    /// Forum secretary (sihteeri).
    ForumSecretary,
    /// Forum chair (puheenjohtaja).
    ForumChair,
    /// Representative of a partner organisation.
    PartnerRepresentative,
    /// Elected official (luottamushenkilö).
    ElectedOfficial,
    /// Manager of a service unit.
    UnitManager,
    /// Auditor: reads, changes nothing.
    Auditor,
    /// Operator of the deployment: technical data only.
    Operator,
    /// Election officer of a forum.
    ElectionOfficer,
    /// Registry (kirjaamo).
    Registry,
    /// Data protection officer.
    DataProtectionOfficer,
    /// Administrator of a county: units, roles, policy.
    Administrator,
    /// Named witness of the drawing of lots.
    ElectionWitness,
    /// One of the platform's own services.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 18] = [
        Role::ClientMember,
        Role::SupportPerson,
        Role::Resident,
        Role::UnitStaff,
        Role::AreaCoordinator,
        Role::ForumSecretary,
        Role::ForumChair,
        Role::PartnerRepresentative,
        Role::ElectedOfficial,
        Role::UnitManager,
        Role::Auditor,
        Role::Operator,
        Role::ElectionOfficer,
        Role::Registry,
        Role::DataProtectionOfficer,
        Role::Administrator,
        Role::ElectionWitness,
        Role::Service,
    ];

    /// The name in tokens, files and databases, for example "election_officer".
    pub fn as_str(self) -> &'static str {
        match self {
            Role::ClientMember => "client_member",
            Role::SupportPerson => "support_person",
            Role::Resident => "resident",
            Role::UnitStaff => "unit_staff",
            Role::AreaCoordinator => "area_coordinator",
            Role::ForumSecretary => "forum_secretary",
            Role::ForumChair => "forum_chair",
            Role::PartnerRepresentative => "partner_representative",
            Role::ElectedOfficial => "elected_official",
            Role::UnitManager => "unit_manager",
            Role::Auditor => "auditor",
            Role::Operator => "operator",
            Role::ElectionOfficer => "election_officer",
            Role::Registry => "registry",
            Role::DataProtectionOfficer => "data_protection_officer",
            Role::Administrator => "administrator",
            Role::ElectionWitness => "election_witness",
            Role::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Role::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| {
            Invalid::new("the role must be one the platform knows", "send for example \"election_officer\"")
        })
    }
}

/// A role in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldRole {
    /// The role.
    pub role: Role,
    /// Where it is held.
    pub scope: ScopeRef,
}

/// How an act came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActingMode {
    /// The person alone. The name in tokens is "self".
    #[default]
    #[serde(rename = "self")]
    Alone,
    /// The person, with a helper present.
    Assisted,
    /// Said by the person, written down by another.
    Dictated,
    /// Another person, by a mandate. Never for an election or a vote in a forum (M5).
    OnBehalf,
}

impl ActingMode {
    /// Every mode.
    pub const ALL: [ActingMode; 4] =
        [ActingMode::Alone, ActingMode::Assisted, ActingMode::Dictated, ActingMode::OnBehalf];

    /// The name in tokens and databases, for example "on_behalf".
    pub fn as_str(self) -> &'static str {
        match self {
            ActingMode::Alone => "self",
            ActingMode::Assisted => "assisted",
            ActingMode::Dictated => "dictated",
            ActingMode::OnBehalf => "on_behalf",
        }
    }
}

impl fmt::Display for ActingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ActingMode {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        ActingMode::ALL.into_iter().find(|mode| mode.as_str() == name).ok_or_else(|| {
            Invalid::new(
                "the acting mode must be one the platform knows",
                "send for example \"self\" or \"assisted\"",
            )
        })
    }
}

/// How surely a person was identified at sign-in; later ones are surer, so they compare with `>=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// Not at all, or by a code that anyone may have got.
    #[default]
    Low,
    /// A code card handed over in person by the unit's staff.
    Substantial,
    /// Strong identification (617/2009) through the county's identity provider.
    High,
}

impl Assurance {
    /// Every level, the least sure first.
    pub const ALL: [Assurance; 3] = [Assurance::Low, Assurance::Substantial, Assurance::High];

    /// The name in tokens (claim `acr`) and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Assurance::Low => "low",
            Assurance::Substantial => "substantial",
            Assurance::High => "high",
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Assurance {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Assurance::ALL.into_iter().find(|level| level.as_str() == name).ok_or_else(|| {
            Invalid::new("the assurance must be low, substantial or high", "send one of the three")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One name per value: in text, in JSON and back.
    fn names_agree<T>(all: &[T])
    where
        T: Copy
            + PartialEq
            + fmt::Debug
            + fmt::Display
            + FromStr<Err = Invalid>
            + Serialize
            + serde::de::DeserializeOwned,
    {
        for value in all {
            let name = value.to_string();
            assert_eq!(name.parse::<T>(), Ok(*value));
            assert_eq!(serde_json::to_string(value).unwrap(), format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<T>(&format!("\"{name}\"")).unwrap(), *value);
            assert!(name.to_uppercase().parse::<T>().is_err());
        }
        assert!("".parse::<T>().is_err());
    }

    #[test]
    fn roles_modes_and_assurances_have_one_name_each() {
        names_agree(&Role::ALL);
        names_agree(&ActingMode::ALL);
        names_agree(&Assurance::ALL);
    }

    #[test]
    fn all_lists_every_role_once_in_order() {
        assert!(Role::ALL.is_sorted_by(|a, b| a < b));
        assert_eq!(Role::ALL.last(), Some(&Role::Service), "the last of the enum");
        assert_eq!(Role::Service as usize + 1, Role::ALL.len());
    }

    #[test]
    fn surer_is_greater() {
        assert!(Assurance::High > Assurance::Substantial && Assurance::Substantial > Assurance::Low);
        assert_eq!(Assurance::default(), Assurance::Low, "nothing said is the least");
    }
}
