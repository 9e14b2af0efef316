//! Candidates: who may stand where (F2, F8), and what they give for the ballot paper.
//!
//! Name and picture are a declared exception to "personal data in membership only": the candidate gives them for the
//! ballot, they are shown to the municipality's voters and the officers, and they are erased after the appeal period.

use kernel::{
    ActingMode, Attestation, Caller, CandidateId, ElectionId, Fault, MunicipalityCode, Role, Subject,
};
use rand::Rng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

/// Most candidates of one municipality.
pub const MAX_CANDIDATES: u64 = 500;
/// Largest picture, in bytes.
pub const MAX_PICTURE: usize = 100_000;
/// Roles whose holders take no part in a client forum's elections (F8, M4).
const STAFF: [Role; 3] = [Role::SupportPerson, Role::UnitStaff, Role::UnitManager];

/// State of a candidacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateState {
    /// Nominated; the person has not answered.
    Nominated,
    /// The person accepted.
    Accepted,
    /// The person stepped back.
    Withdrawn,
}

impl CandidateState {
    /// Every state.
    pub const ALL: [CandidateState; 3] =
        [CandidateState::Nominated, CandidateState::Accepted, CandidateState::Withdrawn];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            CandidateState::Nominated => "nominated",
            CandidateState::Accepted => "accepted",
            CandidateState::Withdrawn => "withdrawn",
        }
    }
}

/// Kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureType {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl PictureType {
    /// Every kind.
    pub const ALL: [PictureType; 2] = [PictureType::Png, PictureType::Jpeg];

    /// The media type.
    pub fn as_str(self) -> &'static str {
        match self {
            PictureType::Png => "image/png",
            PictureType::Jpeg => "image/jpeg",
        }
    }

    /// The kind by the first bytes; what a sender says about it does not count.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(PictureType::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(PictureType::Jpeg)
        } else {
            None
        }
    }
}

/// What is known of a picture without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Kind.
    pub kind: PictureType,
    /// Size in bytes.
    pub size: u32,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

impl Picture {
    /// What is known of these bytes; none unless they are a picture of at most [`MAX_PICTURE`] bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let size = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_PICTURE)?;
        Some(Self { kind: PictureType::sniff(bytes)?, size, sha256: Sha256::digest(bytes).into() })
    }
}

/// A candidacy, without the picture itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Id.
    pub id: CandidateId,
    /// The election.
    pub election: ElectionId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The person; none once erased.
    pub person: Option<Subject>,
    /// Number on the ballot paper, when nominations have closed and it is on it.
    pub number: Option<u32>,
    /// State.
    pub state: CandidateState,
    /// Name on the ballot paper; empty until accepted and once erased.
    pub ballot_name: String,
    /// The picture, if there is one.
    pub picture: Option<Picture>,
    /// What the picture shows.
    pub picture_text: String,
    /// Whether the name may be published in case of election.
    pub publish_name: bool,
}

/// A nominated person, as a token or a voucher of membership tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nominee {
    /// The person.
    pub person: Subject,
    /// Their attestations.
    pub attestations: Vec<Attestation>,
}

/// What a candidate gives for the ballot paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Name.
    pub ballot_name: String,
    /// The picture with its bytes.
    pub picture: Option<(Picture, Vec<u8>)>,
    /// What the picture shows, for those who do not see it.
    pub picture_text: String,
    /// Whether the name may be published in case of election.
    pub publish_name: bool,
}

/// Refuses staff and support persons, of whatever county (F8): Forbidden `forums.staff_may_not_take_part`.
pub fn refuse_staff(caller: &Caller) -> Result<(), Fault> {
    if caller.staff_somewhere || caller.roles.iter().any(|held| STAFF.contains(&held.role)) {
        return Err(Fault::forbidden(
            "forums.staff_may_not_take_part",
            "Support persons, unit staff and managers do not nominate, stand or vote in an election of clients (F8). They may help a client who asks for it, in the client's own session.",
        ));
    }
    Ok(())
}

/// Refuses what is done for another by a mandate: Forbidden `forums.mandate_cannot_vote` (M5).
pub fn refuse_mandate(caller: &Caller) -> Result<(), Fault> {
    if caller.mode == ActingMode::OnBehalf {
        return Err(Fault::forbidden(
            "forums.mandate_cannot_vote",
            "A mandate does not cover standing or voting in an election (M5). The person decides in their own session, with help if they want.",
        ));
    }
    Ok(())
}

/// Whether the person is attested as a client of the group in the municipality (F2, S1.30): Forbidden
/// `forums.not_attested_there`.
pub fn check_eligible(
    attestations: &[Attestation],
    group: &str,
    municipality: MunicipalityCode,
) -> Result<(), Fault> {
    if attestations.iter().any(|held| held.group == group && held.municipality == municipality) {
        return Ok(());
    }
    let message = format!(
        "A candidate stands in the municipality where they are attested as a client of {group}; this person is not attested in {municipality} (F2)."
    );
    Err(Fault::forbidden("forums.not_attested_there", message).field(
        "municipality",
        "the candidate is attested for the forum's group in this municipality",
        "nominate in the municipality of the attestation, or ask the unit's staff to attest",
    ))
}

impl Acceptance {
    /// What the candidate gives: a name of 1 to 60 characters; a picture or none, PNG or JPEG, at most 100 kB, with a
    /// text of 1 to 300 characters that says what it shows.
    ///
    /// Invalid `forums.acceptance` with every field at fault.
    pub fn new(name: &str, picture: Vec<u8>, picture_text: &str, publish_name: bool) -> Result<Self, Fault> {
        let mut fault =
            Fault::invalid("forums.acceptance", "This cannot go on the ballot paper; see the fields.");
        let (ballot_name, picture_text) = (name.trim().to_owned(), picture_text.trim().to_owned());
        if !(1..=60).contains(&ballot_name.chars().count()) || ballot_name.chars().any(char::is_control) {
            fault = fault.field(
                "ballot_name",
                "1 to 60 characters on one line",
                "send the name for the ballot paper",
            );
        }
        if picture.len() > MAX_PICTURE {
            fault = fault.field("picture", format!("at most {MAX_PICTURE} bytes"), "send a smaller picture");
        } else if !picture.is_empty() && PictureType::sniff(&picture).is_none() {
            fault = fault.field("picture", "PNG or JPEG", "send a picture in one of these forms, or none");
        }
        if picture_text.chars().count() > 300 {
            fault = fault.field("picture_text", "at most 300 characters", "say it in fewer words");
        }
        if picture.is_empty() != picture_text.is_empty() {
            fault = fault.field(
                "picture_text",
                "a picture has a text that says what it shows, and no picture has none",
                "describe the picture, for example \"A smiling person in a garden\"",
            );
        }
        if !fault.fields().is_empty() {
            return Err(fault);
        }
        let picture = Picture::of(&picture).map(|known| (known, picture));
        Ok(Self { ballot_name, picture, picture_text, publish_name })
    }
}

impl Candidate {
    /// A new candidacy of this person.
    pub fn nominated(
        id: CandidateId,
        election: ElectionId,
        municipality: MunicipalityCode,
        person: Subject,
    ) -> Self {
        Self {
            id,
            election,
            municipality,
            person: Some(person),
            number: None,
            state: CandidateState::Nominated,
            ballot_name: String::new(),
            picture: None,
            picture_text: String::new(),
            publish_name: false,
        }
    }

    /// The candidacy after the person accepted it, or changed what they gave.
    ///
    /// Conflict `forums.candidacy_withdrawn` if they stepped back.
    pub fn accept(mut self, acceptance: &Acceptance) -> Result<Self, Fault> {
        self.refuse_withdrawn()?;
        self.state = CandidateState::Accepted;
        self.ballot_name.clone_from(&acceptance.ballot_name);
        self.picture = acceptance.picture.as_ref().map(|(picture, _)| *picture);
        self.picture_text.clone_from(&acceptance.picture_text);
        self.publish_name = acceptance.publish_name;
        Ok(self)
    }

    /// The candidacy after the person stepped back: what they gave is erased at once.
    ///
    /// Conflict `forums.candidacy_withdrawn` if they had stepped back before.
    pub fn withdraw(mut self) -> Result<Self, Fault> {
        self.refuse_withdrawn()?;
        self.state = CandidateState::Withdrawn;
        self.forget_ballot_data();
        Ok(self)
    }

    /// Whether the candidate is on the ballot paper of this municipality, and has not left.
    pub fn is_on_paper(&self, election: ElectionId, municipality: MunicipalityCode) -> bool {
        let here = self.election == election && self.municipality == municipality;
        here && self.state == CandidateState::Accepted && self.number.is_some() && self.person.is_some()
    }

    /// The candidacy of a person who has left, without anything about them. It ends, unless it is on the ballot paper:
    /// there a number stays a number.
    #[must_use]
    pub fn left(self, on_paper: bool) -> Self {
        let state = if on_paper { self.state } else { CandidateState::Withdrawn };
        Self { state, ..self.erased() }
    }

    /// The candidacy without anything about the person: after the appeal period, or when the person left.
    #[must_use]
    pub fn erased(mut self) -> Self {
        self.person = None;
        self.forget_ballot_data();
        self
    }

    fn forget_ballot_data(&mut self) {
        self.ballot_name.clear();
        self.picture_text.clear();
        self.picture = None;
        self.publish_name = false;
    }

    fn refuse_withdrawn(&self) -> Result<(), Fault> {
        match self.state {
            CandidateState::Withdrawn => Err(Fault::conflict(
                "forums.candidacy_withdrawn",
                "This candidacy was withdrawn. A new nomination is needed to stand after all.",
            )),
            CandidateState::Nominated | CandidateState::Accepted => Ok(()),
        }
    }
}

/// Gives the accepted candidates of one municipality their numbers, from 1, in an order drawn by lot: so nobody
/// stands first on the paper by name or by haste, and numbers tell nothing.
pub fn number(mut candidates: Vec<CandidateId>, rng: &mut impl Rng) -> Vec<(CandidateId, u32)> {
    // Not by the order of nomination: the result depends on the candidates and the generator only.
    candidates.sort_unstable();
    candidates.shuffle(rng);
    candidates.into_iter().zip(1_u32..).collect()
}

#[cfg(test)]
mod tests {
    use kernel::{HeldRole, ScopeRef, Uuid};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const GROUP: &str = "disability_services";

    fn code(code: &str) -> MunicipalityCode {
        MunicipalityCode::new(code).unwrap()
    }

    fn attested(municipality: &str) -> Vec<Attestation> {
        let since = kernel::deadline::parse_date("2026-01-15").unwrap();
        vec![Attestation { group: GROUP.to_owned(), municipality: code(municipality), since }]
    }

    fn candidate() -> Candidate {
        let person = Subject::from_uuid(Uuid::from_u128(5));
        let (id, election) =
            (CandidateId::from_uuid(Uuid::from_u128(1)), ElectionId::from_uuid(Uuid::from_u128(2)));
        Candidate::nominated(id, election, code("785"), person)
    }

    #[test]
    fn f2_a_candidate_attested_for_vaala_cannot_stand_in_utajarvi() {
        let fault = check_eligible(&attested("785"), GROUP, code("889")).unwrap_err();
        assert_eq!(fault.code(), "forums.not_attested_there");
        assert!(check_eligible(&attested("785"), GROUP, code("785")).is_ok());
        assert!(
            check_eligible(&attested("785"), "child_welfare", code("785")).is_err(),
            "another group does not count"
        );
    }

    #[test]
    fn f8_staff_and_support_persons_are_refused_whatever_the_scope_of_their_role() {
        let person = Caller::person(Subject::from_uuid(Uuid::from_u128(5)));
        assert!(refuse_staff(&person).is_ok());
        for role in [Role::SupportPerson, Role::UnitStaff, Role::UnitManager] {
            let caller = Caller { roles: vec![HeldRole { role, scope: ScopeRef::Cell }], ..person.clone() };
            assert_eq!(refuse_staff(&caller).unwrap_err().code(), "forums.staff_may_not_take_part");
        }
        let elsewhere = Caller { staff_somewhere: true, ..person };
        assert_eq!(refuse_staff(&elsewhere).unwrap_err().code(), "forums.staff_may_not_take_part");
    }

    #[test]
    fn pictures_are_told_by_their_bytes_and_need_a_text() {
        let png = b"\x89PNG\r\n\x1a\n rest".to_vec();
        let accepted = Acceptance::new(" Aino K. ", png.clone(), "Aino nauraa", true).unwrap();
        assert_eq!(accepted.ballot_name, "Aino K.");
        assert_eq!(accepted.picture.map(|(picture, _)| picture.kind), Some(PictureType::Png));
        let fields = |name: &str, picture: Vec<u8>, text: &str| -> Vec<String> {
            let fault = Acceptance::new(name, picture, text, false).unwrap_err();
            fault.fields().iter().map(|field| field.field.clone()).collect()
        };
        assert_eq!(fields("", Vec::new(), ""), ["ballot_name"]);
        assert_eq!(fields("A\nB", Vec::new(), ""), ["ballot_name"]);
        assert_eq!(fields("A", b"GIF89a".to_vec(), "kuva"), ["picture"]);
        assert_eq!(fields("A", png, ""), ["picture_text"]);
        assert_eq!(fields("A", Vec::new(), "kuva"), ["picture_text"]);
        let mut large = b"\xff\xd8\xff".to_vec();
        large.resize(MAX_PICTURE + 1, 0);
        assert_eq!(fields("A", large, "kuva"), ["picture"]);
    }

    #[test]
    fn withdrawing_erases_what_was_given_and_is_final() {
        let acceptance = Acceptance::new("Aino K.", Vec::new(), "", true).unwrap();
        let withdrawn = candidate().accept(&acceptance).unwrap().withdraw().unwrap();
        assert_eq!((withdrawn.state, withdrawn.ballot_name.as_str()), (CandidateState::Withdrawn, ""));
        assert_eq!(withdrawn.clone().withdraw().unwrap_err().code(), "forums.candidacy_withdrawn");
        assert_eq!(withdrawn.accept(&acceptance).unwrap_err().code(), "forums.candidacy_withdrawn");
    }

    #[test]
    fn numbers_are_dense_and_do_not_follow_the_order_of_nomination() {
        let ids: Vec<CandidateId> = (1..=12).map(|id| CandidateId::from_uuid(Uuid::from_u128(id))).collect();
        let numbered = |ids: Vec<CandidateId>| number(ids, &mut ChaCha20Rng::from_seed([3; 32]));
        let mut reversed = ids.clone();
        reversed.reverse();
        assert_eq!(numbered(ids.clone()), numbered(reversed));
        let by_id: Vec<u32> = {
            let mut numbers = numbered(ids);
            numbers.sort();
            numbers.into_iter().map(|(_, number)| number).collect()
        };
        assert!(!by_id.is_sorted(), "shuffled");
        let mut sorted = by_id.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (1..=12).collect::<Vec<u32>>());
    }
}
