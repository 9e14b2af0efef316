//! Announcement and candidates.

use std::collections::HashMap;

use proto::forums::{
    AcceptCandidacyRequest, AnnounceElectionRequest, CloseNominationsRequest, ListMyCandidaciesRequest,
    NominateCandidateRequest,
};
use proto::membership::{CreateNominationCodeRequest, ExchangeNominationCodeRequest};

use super::example::{self, PLACES, Place};
use super::play::{Contest, Person, Play, during, each};
use crate::client::Account;
use crate::exit::Failure;

impl Play {
    /// Announces the election and waits until the frozen roll has come back from membership.
    ///
    /// # Errors
    /// What forums answers.
    pub async fn announce(&self, contest: Contest) -> Result<Contest, Failure> {
        let [announced, nominations_end, _, voting_starts, voting_ends, _] = contest.days;
        self.day(announced).await?;
        let request = AnnounceElectionRequest {
            forum_id: self.forum_id.clone(),
            nomination_opens_on: announced.to_owned(),
            nomination_closes_on: nominations_end.to_owned(),
            voting_opens_on: voting_starts.to_owned(),
            voting_closes_on: voting_ends.to_owned(),
            board_public_key: self.board.public().to_vec(),
            supplementary: contest.supplementary,
        };
        let answer = self.officer(0)?.elections().announce_election(request).await;
        let election = answer.map_err(during("announce the election"))?.into_inner().election;
        self.settle().await?;
        let what = if contest.supplementary { "supplementary election" } else { "election" };
        self.progress.done(announced, &format!("{what} announced, roll frozen"));
        Ok(Contest { election_id: election.unwrap_or_default().election_id, ..contest })
    }

    /// Candidates stand and accept; then the officers close nominations. In each municipality the first candidate is
    /// nominated by another client, with a code the candidate gave them.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn nominate(&self, contest: &mut Contest) -> Result<(), Failure> {
        let mut standing = Vec::new();
        for place in PLACES {
            let clients = self.clients(&place)?;
            for (number, person) in contest.standing(&place, &clients).iter().enumerate() {
                let by = if number == 0 { clients.last().cloned() } else { None };
                standing.push((place, number, person.clone(), by));
            }
        }
        let (bar, count) = (self.progress.bar("nominating", standing.len()), standing.len());
        let asked: &Contest = contest;
        let bar_of_each = &bar;
        let candidates = each(standing, async |(place, number, person, by)| {
            let id = self.stand(asked, &place, number, &person, by).await?;
            bar_of_each.inc(1);
            Ok((place.municipality, id))
        })
        .await?;
        bar.finish_and_clear();
        let mut by_place: HashMap<&'static str, Vec<String>> = HashMap::new();
        for (municipality, id) in candidates {
            by_place.entry(municipality).or_default().push(id);
        }
        contest.candidates = by_place;
        let [_, nominations_end, closed, ..] = contest.days;
        self.progress.done(nominations_end, &format!("{count} candidates stand and have accepted"));
        self.day(closed).await?;
        let request = CloseNominationsRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
        };
        let answer = self.officer(0)?.elections().close_nominations(request).await;
        answer.map_err(during("close nominations"))?;
        self.progress.done(closed, "nominations closed, candidates numbered");
        Ok(())
    }

    /// One candidate: nominated by themselves or another, then accepted with a name and perhaps a picture.
    async fn stand(
        &self,
        contest: &Contest,
        place: &Place,
        number: usize,
        person: &Person,
        by: Option<Person>,
    ) -> Result<String, Failure> {
        let account = self.sign_in(person).await?;
        let doing = format!("nominate {}", person.name);
        match by {
            None => self.nominate_by(&account, contest, place, String::new()).await?,
            Some(other) => {
                let code = account.rolls().create_nomination_code(CreateNominationCodeRequest {}).await;
                let code = code.map_err(during(&doing))?.into_inner().code;
                let other = self.sign_in(&other).await?;
                let request =
                    ExchangeNominationCodeRequest { code, election_id: contest.election_id.clone() };
                let voucher = other.rolls().exchange_nomination_code(request).await;
                let voucher = voucher.map_err(during(&doing))?.into_inner().voucher;
                self.nominate_by(&other, contest, place, voucher).await?;
            }
        }
        // Nominated by another or not, the candidate finds the candidacy among their own.
        let request = ListMyCandidaciesRequest { forum_id: self.forum_id.clone() };
        let mine = account.elections().list_my_candidacies(request).await;
        let mine = mine.map_err(during(&doing))?.into_inner().candidacies;
        let candidacy = mine.into_iter().find(|candidacy| candidacy.election_id == contest.election_id);
        let candidacy =
            candidacy.ok_or_else(|| Failure::general(format!("{doing}: no candidacy came of it")))?;
        let has_picture = number.is_multiple_of(3);
        let request = AcceptCandidacyRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            candidate_id: candidacy.candidate_id.clone(),
            ballot_name: person.name.clone(),
            picture: if has_picture { example::PICTURE.to_vec() } else { Vec::new() },
            picture_text: if has_picture { example::PICTURE_TEXT.to_owned() } else { String::new() },
            publish_name: number.is_multiple_of(2),
        };
        let accepted = account.elections().accept_candidacy(request).await;
        accepted.map_err(during(&format!("accept the candidacy of {}", person.name)))?;
        Ok(candidacy.candidate_id)
    }

    async fn nominate_by(
        &self,
        account: &Account,
        contest: &Contest,
        place: &Place,
        voucher: String,
    ) -> Result<(), Failure> {
        let request = NominateCandidateRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            municipality: place.municipality.to_owned(),
            voucher,
        };
        let nominated = account.elections().nominate_candidate(request).await;
        nominated.map_err(during(&format!("nominate in {}", place.name)))?;
        Ok(())
    }
}
