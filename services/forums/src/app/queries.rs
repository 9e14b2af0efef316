//! Queries, but for the result.

use std::collections::BTreeMap;

use chassis::Call;
use kernel::{
    CandidateId, ElectionId, Fault, ForumId, MunicipalityCode, PageSize, PageToken, Scope, TenantId,
};
use proto::forums as pb;

use super::App;
use crate::domain::candidate::Candidate;
use crate::domain::voter::Channel;
use crate::store::candidates::After;
use crate::{convert, store};

impl App {
    /// One forum.
    pub async fn get_forum(&self, id: ForumId) -> Result<pb::GetForumResponse, Fault> {
        let forum = store::forums::load(self.database.read(), id).await?;
        Ok(pb::GetForumResponse { forum: Some(convert::forum(&forum)) })
    }

    /// Forums of a county.
    pub async fn list_forums(
        &self,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListForumsResponse, Fault> {
        let list = format!("forums|{tenant}");
        let after = page_id(token, &list)?;
        let forums = store::forums::list(self.database.read(), tenant, after, size.limit()).await?;
        let (forums, next) = size.cut(forums, &list, |forum| forum.id.to_string());
        Ok(pb::ListForumsResponse {
            forums: forums.iter().map(convert::forum).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Seats of a forum, without persons.
    pub async fn list_seats(&self, forum: ForumId) -> Result<pb::ListSeatsResponse, Fault> {
        let forum = store::forums::load(self.database.read(), forum).await?;
        let seats = store::seats::of_forum(self.database.read(), forum.id).await?;
        Ok(pb::ListSeatsResponse { seats: seats.iter().map(convert::seat).collect() })
    }

    /// Who holds which seat of the granted forum, and who the deputies are.
    pub async fn list_seat_holders(&self, call: &Call) -> Result<pb::ListSeatHoldersResponse, Fault> {
        let forum = call.scope.forum()?;
        let seats = store::seats::of_forum(self.database.read(), forum).await?;
        let deputies = store::seats::deputies(self.database.read(), forum).await?;
        let mut holders: Vec<pb::SeatHolder> = seats.iter().filter_map(convert::seat_holder).collect();
        let mut orders: BTreeMap<MunicipalityCode, u32> = BTreeMap::new();
        for deputy in &deputies {
            let order = orders.entry(deputy.municipality).or_default();
            *order += 1;
            holders.push(convert::deputy(deputy, *order));
        }
        holders.sort_by(|a, b| {
            (&a.municipality, a.deputy, a.seat_no).cmp(&(&b.municipality, b.deputy, b.seat_no))
        });
        Ok(pb::ListSeatHoldersResponse { holders })
    }

    /// The caller's own seat, or place among the deputies.
    pub async fn get_my_seat(&self, call: &Call, forum: ForumId) -> Result<pb::GetMySeatResponse, Fault> {
        let person = call.scope.subject()?;
        let seat = store::seats::held_by(self.database.read(), forum, person).await?;
        let deputies = store::seats::deputies(self.database.read(), forum).await?;
        let mine = deputies.iter().find(|deputy| deputy.holder.reference == person);
        let before_me = |mine: &crate::domain::seat::Deputy| {
            let here = deputies.iter().filter(|one| one.municipality == mine.municipality);
            here.filter(|one| one.position <= mine.position).count()
        };
        let deputy_order = u32::try_from(mine.map_or(0, before_me)).map_err(Fault::internal)?;
        Ok(pb::GetMySeatResponse { seat: seat.as_ref().map(convert::seat), deputy_order })
    }

    /// One election.
    pub async fn get_election(&self, id: ElectionId) -> Result<pb::GetElectionResponse, Fault> {
        let election = store::elections::load(self.database.read(), id).await?;
        Ok(pb::GetElectionResponse { election: Some(convert::election(&election, self.today())) })
    }

    /// Elections of a forum, the newest first.
    pub async fn list_elections(
        &self,
        forum: ForumId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListElectionsResponse, Fault> {
        let list = format!("elections|{forum}");
        let before = page_id(token, &list)?;
        let elections = store::elections::list(self.database.read(), forum, before, size.limit()).await?;
        let (elections, next) = size.cut(elections, &list, |election| election.id.to_string());
        let today = self.today();
        Ok(pb::ListElectionsResponse {
            elections: elections.iter().map(|election| convert::election(election, today)).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// The ballot paper of the caller's own municipality, from the close of nominations until it is erased. Who has left
    /// is not on it.
    pub async fn get_ballot_paper(
        &self,
        call: &Call,
        forum: ForumId,
    ) -> Result<pb::GetBallotPaperResponse, Fault> {
        let conn = self.database.read();
        let (election, municipality) = call.scope.roll()?;
        let election = store::elections::load_in(conn, forum, election).await?;
        election.check_paper()?;
        let max_approvals = election.constituency(municipality)?.seats;
        let candidates = store::candidates::accepted(conn, election.id, municipality).await?;
        // Of an election annulled before nominations closed nobody has a number: nobody is on a paper.
        let on_paper = candidates.iter().filter(|one| one.is_on_paper(election.id, municipality));
        let candidates = on_paper.map(convert::candidate).collect();
        Ok(pb::GetBallotPaperResponse { municipality: municipality.to_string(), max_approvals, candidates })
    }

    /// A picture on that paper, or the caller's own before there is one. NotFound `forums.no_such_picture`, for a
    /// candidate of another municipality as well.
    pub async fn get_candidate_picture(
        &self,
        call: &Call,
        forum: ForumId,
        election: ElectionId,
        candidate: CandidateId,
    ) -> Result<pb::GetCandidatePictureResponse, Fault> {
        let conn = self.database.read();
        let election = store::elections::load_in(conn, forum, election).await?;
        let caller = call.caller.subject()?;
        let found = store::candidates::find(conn, candidate).await?;
        let is_own = |one: &Candidate| one.election == election.id && one.person == Some(caller);
        if !found.as_ref().is_some_and(is_own) {
            let Scope::Roll { municipality, .. } = call.scope else { return Err(no_such_picture()) };
            election.check_paper()?;
            if !found.as_ref().is_some_and(|one| one.is_on_paper(election.id, municipality)) {
                return Err(no_such_picture());
            }
        }
        let candidate = found.ok_or_else(no_such_picture)?;
        let (picture, media_type) = self.picture_of(&candidate).await?;
        Ok(pb::GetCandidatePictureResponse { picture, media_type })
    }

    /// Any picture of an election of the granted forum. NotFound `forums.no_such_picture`.
    pub async fn get_candidate_picture_for_officers(
        &self,
        call: &Call,
        election: ElectionId,
        candidate: CandidateId,
    ) -> Result<pb::GetCandidatePictureForOfficersResponse, Fault> {
        let conn = self.database.read();
        let election = store::elections::load_in(conn, call.scope.forum()?, election).await?;
        let candidate = store::candidates::find(conn, candidate).await?;
        let here = candidate.filter(|one| one.election == election.id).ok_or_else(no_such_picture)?;
        let (picture, media_type) = self.picture_of(&here).await?;
        Ok(pb::GetCandidatePictureForOfficersResponse { picture, media_type })
    }

    /// The bytes of a candidate's picture with their media type.
    async fn picture_of(&self, candidate: &Candidate) -> Result<(Vec<u8>, String), Fault> {
        let known = candidate.picture.ok_or_else(no_such_picture)?;
        let picture = store::candidates::picture(self.database.read(), candidate.id).await?;
        Ok((picture.ok_or_else(no_such_picture)?, known.kind.as_str().to_owned()))
    }

    /// Whether the caller has voted.
    pub async fn get_voting_status(
        &self,
        call: &Call,
        forum: ForumId,
    ) -> Result<pb::GetVotingStatusResponse, Fault> {
        let conn = self.database.read();
        let (election, _) = call.scope.roll()?;
        let election = store::elections::load_in(conn, forum, election).await?;
        let mark = store::ballots::mark(conn, election.id, call.caller.subject()?).await?;
        let is = |channel| mark.is_some_and(|mark| mark.channel == channel);
        Ok(pb::GetVotingStatusResponse { voted: is(Channel::Online), paper_handed: is(Channel::Paper) })
    }

    /// Candidates of an election of the granted forum.
    pub async fn list_candidates(
        &self,
        call: &Call,
        election: ElectionId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListCandidatesResponse, Fault> {
        let conn = self.database.read();
        let election = store::elections::load_in(conn, call.scope.forum()?, election).await?;
        let list = format!("candidates|{}", election.id);
        let after = PageToken::read(token, &list)?.map(|key| read_place(&key)).transpose()?;
        let candidates = store::candidates::list(conn, election.id, after, size.limit()).await?;
        let (candidates, next) = size.cut(candidates, &list, place);
        Ok(pb::ListCandidatesResponse {
            candidates: candidates.iter().map(convert::candidate_for_officers).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Who witnessed which lots of an election of the granted forum.
    pub async fn list_lots_witnesses(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::ListLotsWitnessesResponse, Fault> {
        let election = store::elections::load_in(self.database.read(), call.scope.forum()?, election).await?;
        let witnesses = election.constituencies.iter().filter_map(convert::lots_witness).collect();
        Ok(pb::ListLotsWitnessesResponse { witnesses })
    }

    /// Candidacies of the caller in a forum.
    pub async fn list_my_candidacies(
        &self,
        call: &Call,
        forum: ForumId,
    ) -> Result<pb::ListMyCandidaciesResponse, Fault> {
        let person = call.scope.subject()?;
        let mine = store::candidates::all_of_person(self.database.read(), person, Some(forum)).await?;
        let candidacies = mine.iter().map(convert::candidate).collect();
        Ok(pb::ListMyCandidaciesResponse { candidacies })
    }
}

/// The id after which a list goes on.
pub(super) fn page_id<I: std::str::FromStr>(token: &str, list: &str) -> Result<Option<I>, Fault> {
    let key = PageToken::read(token, list).map_err(|invalid| invalid.in_field("page_token"))?;
    key.map(|key| key.parse().map_err(|_| broken_token())).transpose()
}

/// Sort key of a candidate in the officers' list.
fn place(candidate: &Candidate) -> String {
    format!("{}|{}|{}", candidate.municipality, candidate.number.unwrap_or(0), candidate.id)
}

fn read_place(key: &str) -> Result<After, Fault> {
    let mut parts = key.split('|');
    let mut next = || parts.next().ok_or_else(broken_token);
    let municipality = next()?.to_owned();
    let number = next()?.parse().map_err(|_| broken_token())?;
    let id = next()?.parse().map_err(|_| broken_token())?;
    Ok(After { municipality, number, id })
}

fn no_such_picture() -> Fault {
    Fault::not_found(
        "forums.no_such_picture",
        "There is no such picture for you to see. Get the paper: it tells which candidates have one.",
    )
}

fn broken_token() -> Fault {
    kernel::Invalid::new("a page token belongs to the list it came from", "begin again without a token")
        .in_field("page_token")
}
