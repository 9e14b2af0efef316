//! The count, the lots, the result.

use proto::forums::{
    ConfirmResultRequest, CountBallotsRequest, DrawLotsRequest, GetElectionRequest, GetElectionResultRequest,
    WitnessLotsRequest,
};

use super::example;
use super::play::{Contest, Play, during};
use super::report::Outcome;
use crate::exit::Failure;

impl Play {
    /// Counts with the board's private key; where a tie waits, the witness gives a number and lots are drawn.
    ///
    /// # Errors
    /// What forums answers.
    pub async fn count(&self, contest: &Contest) -> Result<(), Failure> {
        let [.., day] = contest.days;
        let request = CountBallotsRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            board_private_key: self.board.private().to_vec(),
        };
        self.officer(0)?.elections().count_ballots(request).await.map_err(during("count"))?;
        self.progress.done(day, "voting closed, ballots opened with the board's key and counted");
        let request = GetElectionRequest { election_id: contest.election_id.clone() };
        let election = self.server.public().elections().get_election(request).await;
        let election =
            election.map_err(during("look at the election"))?.into_inner().election.unwrap_or_default();
        for tied in election.constituencies.into_iter().filter(|constituency| constituency.tie_open) {
            self.draw_lots(contest, tied.municipality).await?;
        }
        Ok(())
    }

    async fn draw_lots(&self, contest: &Contest, municipality: String) -> Result<(), Failure> {
        let witness = self.witness.as_ref().ok_or_else(|| Failure::general("there is no witness yet"))?;
        let request = WitnessLotsRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            municipality: municipality.clone(),
            number: example::WITNESS_NUMBER.to_owned(),
        };
        witness.elections().witness_lots(request).await.map_err(during("witness the lots"))?;
        let request = DrawLotsRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
            municipality: municipality.clone(),
        };
        self.officer(0)?.elections().draw_lots(request).await.map_err(during("draw the lots"))?;
        let [.., day] = contest.days;
        let done = format!("lots drawn in municipality {municipality}, witnessed by {}", example::WITNESS);
        self.progress.done(day, &done);
        Ok(())
    }

    /// Confirms the result and reads it as the public does.
    ///
    /// # Errors
    /// What forums answers.
    pub async fn confirm(&self, contest: &Contest) -> Result<Outcome, Failure> {
        let [.., day] = contest.days;
        let request = ConfirmResultRequest {
            forum_id: self.forum_id.clone(),
            election_id: contest.election_id.clone(),
        };
        self.officer(0)?.elections().confirm_result(request).await.map_err(during("confirm the result"))?;
        let request = GetElectionResultRequest { election_id: contest.election_id.clone() };
        let result = self.server.public().elections().get_election_result(request).await;
        let outcome = Outcome::new(day, result.map_err(during("read the result"))?.into_inner());
        let done =
            format!("result confirmed: {} of {} seats filled", outcome.seats_filled, outcome.seats_total);
        self.progress.done(day, &done);
        Ok(outcome)
    }
}
