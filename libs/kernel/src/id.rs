//! Typed ids: each kind of thing has its own type around a UUID, so that the compiler refuses a mix-up.
//!
//! Ids are opaque and never made from a person's data. New ones come from [`crate::Ids`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Invalid;

/// Makes a UUID newtype with `from_uuid`, `as_uuid`, `Display`, `FromStr` and serde as a hyphenated string.
macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID. It says nothing about whether such a thing exists.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside, for storing.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse_uuid(text).map(Self)
            }
        }
    )+};
}

typed_id! {
    /// A forum of clients (S1.29), for example the regional client forum of Oulunkaari.
    ForumId;
    /// An election of a forum's members (S1.38).
    ElectionId;
    /// A candidate in one constituency of one election.
    CandidateId;
    /// A person in the participant register of membership. Never leaves membership: the others know a
    /// person by their own [`Subject`].
    ParticipantId;
    /// A service unit, for example a day activity centre (S1.42).
    UnitId;
    /// A region: a named set of municipalities that may cross counties (S1.4).
    RegionId;
    /// An attestation that a person is a client of one group in one municipality (M1).
    AttestationId;
    /// The assignment of a role to someone in a scope.
    AssignmentId;
    /// A mandate: the right of one person to act for another.
    MandateId;
    /// A notice sent to a person.
    NoticeId;
    /// A signed-in session of membership.
    SessionId;
    /// A proposal to change a service.
    ProposalId;
    /// A round in which ideas are compared in pairs.
    RoundId;
    /// An idea of a comparison round.
    IdeaId;
    /// A comment on a proposal.
    CommentId;
    /// A file attached to a proposal.
    AttachmentId;
    /// A loop card: what a proposal's people were told.
    FeedbackId;
    /// A meeting of a forum.
    MeetingId;
    /// An item of a forum's agenda.
    AgendaItemId;
    /// A support relationship: somebody helps a member take part.
    SupportId;
    /// A person as one service knows them: a random reference that differs from service to service, so that
    /// two services' data cannot be joined. Only membership can tell who it is.
    Subject;
}

/// Only the usual form with hyphens is taken, so that one id has one spelling in keys, hashes and logs.
fn parse_uuid(text: &str) -> Result<Uuid, Invalid> {
    let refused = || {
        Invalid::new(
            "an id is a UUID in lower case with hyphens",
            "send the id as the platform gave it, for example \"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\"",
        )
    };
    let uuid = Uuid::try_parse(text).map_err(|_| refused())?;
    let mut buffer = Uuid::encode_buffer();
    let canonical: &str = uuid.hyphenated().encode_lower(&mut buffer);
    if canonical == text { Ok(uuid) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_reads_back_from_its_text(bits: u128) {
            let id = ForumId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<ForumId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(&json, &format!("\"{id}\""));
            prop_assert_eq!(serde_json::from_str::<ForumId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        for other in [
            "",
            "forum",
            "0199A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B",
            "0199a1b2c3d47e5f8a9b0c1d2e3f4a5b",
            "{0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}",
            "urn:uuid:0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
            " 0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        ] {
            assert!(other.parse::<ElectionId>().is_err(), "{other:?} was taken");
        }
        assert!("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".parse::<ElectionId>().is_ok());
    }
}
