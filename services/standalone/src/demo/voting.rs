//! Voting: online, on paper, one voter with a helper.

use std::collections::HashMap;

use proto::common::ActingMode;
use proto::forums::{
    CandidateTally, CastBallotRequest, CloseVotingRequest, ElectionState, EnterPaperBatchRequest,
    GetBallotPaperRequest, GetCandidatePictureRequest, GetElectionRequest, HandPaperBallotRequest,
    ListCandidatesRequest, OpenVotingRequest,
};
use proto::membership::{
    HelperKind, IssuePaperBallotVoucherRequest, ListElectoralRollRequest, RecordVotingAssistanceRequest,
};

use super::ballots::ballots_for;
use super::example::{PLACES, Place};
use super::play::{Contest, Person, Play, during, each};
use crate::exit::Failure;

/// Shuffles the ballots, the same in every play.
const SEED: u64 = 2026;

/// Which candidates a ballot approves, by their place in the contest's list.
type Ballot = Vec<usize>;

/// Somebody who votes online.
struct Voter {
    place: &'static Place,
    person: Person,
    ballot: Ballot,
    /// Whether somebody helps them.
    helped: bool,
}

impl Play {
    /// Opens voting on its first day, lets everybody vote, and closes it on the morning of the confirmation day.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn vote(&self, contest: &Contest) -> Result<(), Failure> {
        self.open_voting(contest).await?;
        self.cast_ballots(contest).await?;
        self.close_voting(contest).await
    }

    /// Lets everybody vote who does, online or on paper.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn cast_ballots(&self, contest: &Contest) -> Result<(), Failure> {
        let mut online = Vec::new();
        for place in PLACES.iter().filter(|place| contest.vote(place).ballots > 0) {
            let vote = contest.vote(place);
            let clients = self.clients(place)?;
            let (at_home, at_the_office) = contest.voting(place, &clients);
            let seats = if contest.supplementary { 1 } else { place.seats };
            let mut ballots = ballots_for(vote.approvals, vote.ballots, seats as usize, SEED)
                .map_err(|error| Failure::general(format!("{}: {error}", place.name)))?;
            let on_paper = ballots.split_off(at_home.len());
            self.vote_on_paper(contest, place, at_the_office, &on_paper).await?;
            let voters = at_home.iter().cloned().zip(ballots);
            online.extend(voters.map(|(person, ballot)| Voter { place, person, ballot, helped: false }));
        }
        if let Some(first) = online.first_mut() {
            first.helped = true;
        }
        let (bar, count) = (self.progress.bar("voting", online.len()), online.len());
        let bar_of_each = &bar;
        each(online, async |voter| {
            self.vote_online(contest, &voter).await?;
            bar_of_each.inc(1);
            Ok(())
        })
        .await?;
        bar.finish_and_clear();
        let [.., last_day, _] = contest.days;
        self.progress.done(last_day, &format!("{count} people have voted online, one of them with a helper"));
        Ok(())
    }

    /// Closes voting on the morning of the confirmation day, unless the timer that does so after the last day was
    /// quicker.
    ///
    /// # Errors
    /// What forums answers.
    pub async fn close_voting(&self, contest: &Contest) -> Result<(), Failure> {
        let [.., closed] = contest.days;
        self.day(closed).await?;
        let request =
            CloseVotingRequest { forum_id: self.forum_id.clone(), election_id: contest.election_id.clone() };
        let Err(status) = self.officer(0)?.elections().close_voting(request).await else { return Ok(()) };
        if self.state(contest).await? == ElectionState::Counting {
            return Ok(());
        }
        Err(during("close voting")(status))
    }

    /// How far the election is.
    async fn state(&self, contest: &Contest) -> Result<ElectionState, Failure> {
        let request = GetElectionRequest { election_id: contest.election_id.clone() };
        let election = self.server.public().elections().get_election(request).await;
        let election = election.map_err(during("look at the election"))?.into_inner().election;
        Ok(election.unwrap_or_default().state())
    }

    /// Opens voting on its first day.
    ///
    /// # Errors
    /// What forums answers.
    pub async fn open_voting(&self, contest: &Contest) -> Result<(), Failure> {
        let [_, _, _, first_day, ..] = contest.days;
        self.day(first_day).await?;
        let request =
            OpenVotingRequest { forum_id: self.forum_id.clone(), election_id: contest.election_id.clone() };
        self.officer(0)?.elections().open_voting(request).await.map_err(during("open voting"))?;
        self.progress.done(first_day, "voting opened");
        Ok(())
    }

    async fn vote_online(&self, contest: &Contest, voter: &Voter) -> Result<(), Failure> {
        let mut account = self.sign_in(&voter.person).await?;
        let doing = format!("vote in {}", voter.place.name);
        if voter.helped {
            account = account.acting(ActingMode::Assisted);
            let request = RecordVotingAssistanceRequest {
                election_id: contest.election_id.clone(),
                helper_kind: HelperKind::SupportPerson.into(),
            };
            account.rolls().record_voting_assistance(request).await.map_err(during(&doing))?;
        }
        let request = GetBallotPaperRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
        };
        let paper = account.elections().get_ballot_paper(request).await.map_err(during(&doing))?.into_inner();
        // The sheet that the voter looks at has its pictures.
        for candidate in paper.candidates.iter().filter(|candidate| candidate.picture_size > 0) {
            let request = GetCandidatePictureRequest {
                forum_id: self.forum_id.clone(),
                election_id: contest.election_id.clone(),
                candidate_id: candidate.candidate_id.clone(),
            };
            account.elections().get_candidate_picture(request).await.map_err(during(&doing))?;
        }
        let on_paper =
            paper.candidates.into_iter().map(|candidate| (candidate.candidate_id, candidate.number));
        let numbers: HashMap<String, u32> = on_paper.collect();
        let approvals = numbers_of(contest, voter.place, &voter.ballot, &numbers)?;
        let request = CastBallotRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            approvals,
            // Whoever has a helper beside them is asked whether this is their ballot, and says yes.
            confirmed: voter.helped,
        };
        account.elections().cast_ballot(request).await.map_err(during(&doing))?;
        Ok(())
    }

    /// The people come to the office: each gets a paper ballot on an officer's voucher; afterwards both officers enter
    /// the count of the batch.
    async fn vote_on_paper(
        &self,
        contest: &Contest,
        place: &Place,
        people: &[Person],
        ballots: &[Ballot],
    ) -> Result<(), Failure> {
        if people.is_empty() {
            return Ok(());
        }
        let doing = format!("paper ballots in {}", place.name);
        let roll = self.roll(contest, place).await?;
        for person in people {
            let participant_id = roll.get(&person.name).cloned();
            let participant_id = participant_id
                .ok_or_else(|| Failure::general(format!("{} is not on the roll", person.name)))?;
            let request = IssuePaperBallotVoucherRequest {
                forum_id: self.forum_id.clone(),
                election_id: contest.election_id.clone(),
                participant_id,
            };
            let voucher = self.officer(0)?.rolls().issue_paper_ballot_voucher(request).await;
            let request = HandPaperBallotRequest {
                forum_id: self.forum_id.clone(),
                election_id: contest.election_id.clone(),
                voucher: voucher.map_err(during(&doing))?.into_inner().voucher,
            };
            self.officer(0)?.elections().hand_paper_ballot(request).await.map_err(during(&doing))?;
        }
        let numbers = self.numbers(contest).await?;
        let mut tallies: HashMap<u32, u32> = HashMap::new();
        for ballot in ballots {
            for number in numbers_of(contest, place, ballot, &numbers)? {
                *tallies.entry(number).or_default() += 1;
            }
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let request = EnterPaperBatchRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            municipality: place.municipality.to_owned(),
            batch: format!("{} 1", place.name),
            ballots: count(ballots.len()),
            blank: count(ballots.iter().filter(|ballot| ballot.is_empty()).count()),
            invalid: 0,
            tallies: tallies
                .into_iter()
                .map(|(number, approvals)| CandidateTally { number, approvals })
                .collect(),
        };
        for officer in [0, 1] {
            let entered = self.officer(officer)?.elections().enter_paper_batch(request.clone()).await;
            entered.map_err(during(&doing))?;
        }
        let [_, _, _, day, ..] = contest.days;
        let done = format!("{} paper ballots in {}, entered by both officers", ballots.len(), place.name);
        self.progress.done(day, &done);
        Ok(())
    }

    /// Ids of the people on the roll of a municipality, by name.
    async fn roll(&self, contest: &Contest, place: &Place) -> Result<HashMap<String, String>, Failure> {
        let request = ListElectoralRollRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            municipality: place.municipality.to_owned(),
            purpose: "Handing out paper ballots".to_owned(),
            page_size: 200,
            page_token: String::new(),
        };
        let roll = self.officer(0)?.rolls().list_electoral_roll(request).await;
        let entries = roll.map_err(during("read the roll"))?.into_inner().entries;
        Ok(entries.into_iter().map(|entry| (entry.display_name, entry.participant_id)).collect())
    }

    /// Numbers of all candidates, by id.
    async fn numbers(&self, contest: &Contest) -> Result<HashMap<String, u32>, Failure> {
        let request = ListCandidatesRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            purpose: "Counting paper ballots".to_owned(),
            page_size: 200,
            page_token: String::new(),
        };
        let candidates = self.officer(0)?.elections().list_candidates(request).await;
        let candidates = candidates.map_err(during("list the candidates"))?.into_inner().candidates;
        Ok(candidates.into_iter().map(|candidate| (candidate.candidate_id, candidate.number)).collect())
    }
}

/// The numbers on the ballot paper of the candidates that a ballot approves.
fn numbers_of(
    contest: &Contest,
    place: &Place,
    ballot: &Ballot,
    numbers: &HashMap<String, u32>,
) -> Result<Vec<u32>, Failure> {
    let candidates = contest.candidates.get(place.municipality).map_or(&[][..], Vec::as_slice);
    let number = |candidate: &usize| candidates.get(*candidate).and_then(|id| numbers.get(id)).copied();
    let found: Option<Vec<u32>> = ballot.iter().map(number).collect();
    found.ok_or_else(|| Failure::general(format!("a candidate in {} has no number", place.name)))
}
