//! Who may vote, and the mark that says who has (F3).
//!
//! A voter is known here by a reference and a place on the frozen roll. The mark holds the channel and a hash of the
//! command's key, so that the same command again is *done already* and another one is refused. It holds no time and
//! no number, and nothing of the ballot.

use kernel::{ActingMode, Caller, ElectionId, Fault, Subject};
use sha2::{Digest, Sha256};

use crate::domain::candidate;

/// How a voter's ballot was, or will be, given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// In the box.
    Online,
    /// A paper ballot was handed over.
    Paper,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 2] = [Channel::Online, Channel::Paper];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Online => "online",
            Channel::Paper => "paper_handed",
        }
    }
}

/// A voter's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Channel.
    pub channel: Channel,
    /// Hash of the key of the command that made it.
    pub key_hash: [u8; 32],
}

/// What a mark means for a command that asks for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// Nobody has voted with this mark: go on.
    Free,
    /// The same command was done before.
    Done,
}

/// The hash kept instead of a command's key. It is bound to election and voter, so equal keys do not look equal.
pub fn key_hash(election: ElectionId, voter: Subject, key: &str) -> [u8; 32] {
    Sha256::digest(format!("osallisuus-mark-v1|{election}|{voter}|{key}").as_bytes()).into()
}

/// Whether a command with this mark may go on: AlreadyExists `forums.already_voted` if the voter has another mark.
pub fn check_mark(existing: Option<&Mark>, wanted: &Mark) -> Result<Marked, Fault> {
    match existing {
        None => Ok(Marked::Free),
        Some(mark) if mark == wanted => Ok(Marked::Done),
        Some(Mark { channel: Channel::Paper, .. }) => Err(Fault::already_exists(
            "forums.already_voted",
            "A paper ballot was handed to this person. There is one ballot each, on one channel (F3).",
        )),
        Some(Mark { channel: Channel::Online, .. }) => Err(Fault::already_exists(
            "forums.already_voted",
            "This person's ballot is in the box already. There is one ballot each, and it cannot be changed (F3).",
        )),
    }
}

/// Whether this caller may cast a ballot: Forbidden `forums.staff_may_not_take_part` (F8),
/// `forums.mandate_cannot_vote` (M5) or `forums.dictated_cannot_vote` (secrecy: nobody writes a ballot for another);
/// Conflict `forums.confirmation_needed` where somebody helps and the voter has not said yes themselves.
pub fn may_cast(caller: &Caller, confirmed: bool) -> Result<(), Fault> {
    candidate::refuse_staff(caller)?;
    candidate::refuse_mandate(caller)?;
    if caller.mode == ActingMode::Assisted && !confirmed {
        return Err(Fault::conflict(
            "forums.confirmation_needed",
            "A helper is present. Ask the voter whether this is their ballot; when they say yes themselves, send it as confirmed.",
        ));
    }
    if caller.mode == ActingMode::Dictated {
        return Err(Fault::forbidden(
            "forums.dictated_cannot_vote",
            "A ballot is not dictated: nobody fills it in for another. Vote in your own session, with a helper beside you if you want, or ask for a paper ballot.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::{HeldRole, Role, ScopeRef, Uuid};

    use super::*;

    fn mark(channel: Channel, key: &str) -> Mark {
        let (election, voter) = (ElectionId::from_uuid(Uuid::nil()), Subject::from_uuid(Uuid::nil()));
        Mark { channel, key_hash: key_hash(election, voter, key) }
    }

    #[test]
    fn f3_one_ballot_each_and_the_same_command_again_is_done_already() {
        let first = mark(Channel::Online, "a");
        assert_eq!(check_mark(None, &first), Ok(Marked::Free));
        assert_eq!(check_mark(Some(&first), &first), Ok(Marked::Done));
        let second = check_mark(Some(&first), &mark(Channel::Online, "b")).unwrap_err();
        assert_eq!(second.code(), "forums.already_voted");
        let after_paper = check_mark(Some(&mark(Channel::Paper, "a")), &first).unwrap_err();
        assert_eq!(after_paper.code(), "forums.already_voted");
    }

    #[test]
    fn equal_keys_of_two_voters_do_not_look_equal() {
        let election = ElectionId::from_uuid(Uuid::nil());
        let [one, other] =
            [1, 2].map(|person| key_hash(election, Subject::from_uuid(Uuid::from_u128(person)), "key"));
        assert_ne!(one, other);
    }

    #[test]
    fn f8_m5_only_the_person_votes() {
        let voter = Caller::person(Subject::from_uuid(Uuid::from_u128(1)));
        let cast = |mode, confirmed| {
            may_cast(&Caller { mode, ..voter.clone() }, confirmed).map_err(|fault| fault.code().to_owned())
        };
        let by = |mode| cast(mode, true);
        assert_eq!(cast(ActingMode::Alone, false), Ok(()));
        assert_eq!(cast(ActingMode::Assisted, false), Err("forums.confirmation_needed".to_owned()));
        assert_eq!(by(ActingMode::Assisted), Ok(()));
        assert_eq!(by(ActingMode::Dictated), Err("forums.dictated_cannot_vote".to_owned()));
        assert_eq!(by(ActingMode::OnBehalf), Err("forums.mandate_cannot_vote".to_owned()));
        let staff =
            Caller { roles: vec![HeldRole { role: Role::SupportPerson, scope: ScopeRef::Cell }], ..voter };
        assert_eq!(may_cast(&staff, true).unwrap_err().code(), "forums.staff_may_not_take_part");
    }
}
