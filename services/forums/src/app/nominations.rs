//! Candidates: nominated, accepted, withdrawn, and numbered when nominations close.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Attestation, CandidateId, ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::{NewJob, Tx};
use proto::forums as pb;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::App;
use super::upkeep::CANDIDACY_OFFERED;
use crate::domain::candidate::{self, Acceptance, Candidate, CandidateState, MAX_CANDIDATES, Nominee};
use crate::domain::election::Election;
use crate::{convert, events, store};

/// A nomination.
#[derive(Debug, Clone)]
pub struct Nominate {
    /// The forum.
    pub forum: ForumId,
    /// The election.
    pub election: ElectionId,
    /// Where to stand.
    pub municipality: MunicipalityCode,
    /// Another person, by a voucher; none to nominate oneself.
    pub other: Option<Nominee>,
}

/// An acceptance.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The forum.
    pub forum: ForumId,
    /// The election.
    pub election: ElectionId,
    /// The candidacy.
    pub candidate: CandidateId,
    /// What goes on the ballot paper.
    pub acceptance: Acceptance,
}

struct Nomination {
    id: CandidateId,
    forum: ForumId,
    election: ElectionId,
    municipality: MunicipalityCode,
    nominee: Nominee,
    by_another: bool,
}

struct OwnAcceptance {
    person: Subject,
    attestations: Vec<Attestation>,
    accept: Accept,
}

struct Withdraw {
    person: Subject,
    forum: ForumId,
    election: ElectionId,
    candidate: CandidateId,
}

struct CloseNominations {
    forum: ForumId,
    election: ElectionId,
    /// Fixes the order of the numbers.
    seed: [u8; 32],
}

impl App {
    /// Nominates oneself, or another person by a voucher.
    pub async fn nominate(
        &self,
        call: &Call,
        request: Nominate,
    ) -> Result<pb::NominateCandidateResponse, Fault> {
        candidate::refuse_staff(&call.caller)?;
        candidate::refuse_mandate(&call.caller)?;
        let own = Nominee { person: call.scope.subject()?, attestations: call.caller.attestations.clone() };
        let Nominate { forum, election, municipality, other } = request;
        let by_another = other.as_ref().is_some_and(|other| other.person != own.person);
        let (id, nominee) = (self.ids.new_id(), other.unwrap_or(own));
        let input = Nomination { id, forum, election, municipality, nominee, by_another };
        self.writer.run(call.command(), input, |tx, input| nominate(tx, input).boxed()).await
    }

    /// The nominated person accepts, or changes what goes on the ballot paper.
    pub async fn accept_candidacy(
        &self,
        call: &Call,
        accept: Accept,
    ) -> Result<pb::AcceptCandidacyResponse, Fault> {
        candidate::refuse_staff(&call.caller)?;
        candidate::refuse_mandate(&call.caller)?;
        let attestations = call.caller.attestations.clone();
        let input = OwnAcceptance { person: call.scope.subject()?, attestations, accept };
        self.writer.run(call.command(), input, |tx, input| accept_candidacy(tx, input).boxed()).await
    }

    /// A candidate steps back before nominations close.
    pub async fn withdraw_candidacy(
        &self,
        call: &Call,
        forum: ForumId,
        election: ElectionId,
        candidate: CandidateId,
    ) -> Result<pb::WithdrawCandidacyResponse, Fault> {
        candidate::refuse_mandate(&call.caller)?;
        let input = Withdraw { person: call.scope.subject()?, forum, election, candidate };
        self.writer.run(call.command(), input, |tx, input| withdraw(tx, input).boxed()).await
    }

    /// Makes the candidates final and gives them their numbers.
    pub async fn close_nominations(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::CloseNominationsResponse, Fault> {
        let input = CloseNominations { forum: call.scope.forum()?, election, seed: self.ids.bytes() };
        self.writer.run(call.command(), input, |tx, input| close(tx, input).boxed()).await
    }
}

async fn nominate(tx: &Tx, input: &Nomination) -> Result<pb::NominateCandidateResponse, Fault> {
    let Nomination { id, municipality, nominee, .. } = input;
    let election = store::elections::load_in(tx.conn(), input.forum, input.election).await?;
    let forum = store::forums::load(tx.conn(), election.forum).await?;
    election.check_nominating(tx.now().helsinki_date())?;
    election.constituency(*municipality)?;
    candidate::check_eligible(&nominee.attestations, &forum.charter.service_group, *municipality)?;
    if store::seats::held_by(tx.conn(), forum.id, nominee.person).await?.is_some() {
        return Err(Fault::already_exists(
            "forums.already_seated",
            "This person holds a seat of the forum; a person holds one seat at most (F2).",
        ));
    }
    let candidate = match store::candidates::of_person(tx.conn(), election.id, nominee.person).await? {
        Some(before) if before.state != CandidateState::Withdrawn => {
            return Err(Fault::already_exists(
                "forums.already_nominated",
                "This person is nominated in this election; a person stands once (F2).",
            ));
        }
        // Stepped back and nominated again: the same row, so that a person stands once.
        Some(before) => {
            let again = Candidate::nominated(before.id, election.id, *municipality, nominee.person);
            store::candidates::save(tx.conn(), &again).await?;
            again
        }
        None => {
            refuse_crowd(tx, &election, *municipality).await?;
            let new = Candidate::nominated(*id, election.id, *municipality, nominee.person);
            store::candidates::insert(tx.conn(), &new).await?;
            new
        }
    };
    if input.by_another {
        let payload = candidate.id.to_string().into_bytes();
        let dedupe_key = id.to_string();
        tx.schedule(NewJob { kind: CANDIDACY_OFFERED, dedupe_key, run_at: tx.now(), payload });
    }
    Ok(pb::NominateCandidateResponse { candidate: Some(convert::candidacy(&candidate)) })
}

async fn refuse_crowd(tx: &Tx, election: &Election, municipality: MunicipalityCode) -> Result<(), Fault> {
    if store::candidates::count(tx.conn(), election.id, municipality).await? < MAX_CANDIDATES {
        return Ok(());
    }
    let message = format!("There are {MAX_CANDIDATES} candidacies in {municipality}; no more are taken.");
    Err(Fault::resource_exhausted("forums.too_many_candidates", message))
}

async fn accept_candidacy(tx: &Tx, input: &OwnAcceptance) -> Result<pb::AcceptCandidacyResponse, Fault> {
    let OwnAcceptance { person, attestations, accept } = input;
    let election = store::elections::load_in(tx.conn(), accept.forum, accept.election).await?;
    let forum = store::forums::load(tx.conn(), election.forum).await?;
    let before = store::candidates::own(tx.conn(), *person, election.id, accept.candidate).await?;
    election.check_nominating(tx.now().helsinki_date())?;
    candidate::check_eligible(attestations, &forum.charter.service_group, before.municipality)?;
    let newly = before.state == CandidateState::Nominated;
    let candidate = before.accept(&accept.acceptance)?;
    store::candidates::save(tx.conn(), &candidate).await?;
    if let Some((_, picture)) = &accept.acceptance.picture {
        store::candidates::save_picture(tx.conn(), candidate.id, picture).await?;
    }
    if newly {
        let election = election.with_one_candidate_more(candidate.municipality);
        store::elections::save(tx.conn(), &election).await?;
    }
    Ok(pb::AcceptCandidacyResponse { candidate: Some(convert::candidacy(&candidate)) })
}

async fn withdraw(tx: &Tx, input: &Withdraw) -> Result<pb::WithdrawCandidacyResponse, Fault> {
    let election = store::elections::load_in(tx.conn(), input.forum, input.election).await?;
    let before = store::candidates::own(tx.conn(), input.person, election.id, input.candidate).await?;
    election.check_nominating(tx.now().helsinki_date())?;
    let counted = before.state == CandidateState::Accepted;
    let candidate = before.withdraw()?;
    store::candidates::save(tx.conn(), &candidate).await?;
    if counted {
        let election = election.with_one_candidate_less(candidate.municipality);
        store::elections::save(tx.conn(), &election).await?;
    }
    Ok(pb::WithdrawCandidacyResponse { candidate: Some(convert::candidacy(&candidate)) })
}

async fn close(tx: &Tx, input: &CloseNominations) -> Result<pb::CloseNominationsResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    let event = before.close_nominations(today)?;
    let election = before.apply(&event);
    let mut rng = ChaCha20Rng::from_seed(input.seed);
    for constituency in &election.constituencies {
        let accepted = store::candidates::accepted(tx.conn(), election.id, constituency.municipality).await?;
        let numbers = candidate::number(accepted.iter().map(|one| one.id).collect(), &mut rng);
        for mut candidate in accepted {
            candidate.number = numbers.iter().find(|(id, _)| *id == candidate.id).map(|(_, number)| *number);
            store::candidates::save(tx.conn(), &candidate).await?;
        }
    }
    store::elections::save(tx.conn(), &election).await?;
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));
    Ok(pb::CloseNominationsResponse { election: Some(convert::election(&election, today)) })
}
