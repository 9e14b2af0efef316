//! ElectionsService.

use chassis::{Call, Purpose, Verifier, Voucher};
use kernel::Fault;
use proto::forums as pb;
use proto::forums::elections_service_server::ElectionsService;
use tonic::Request;
use zeroize::Zeroizing;

use super::forums::size;
use super::{Answer, answer};
use crate::app::{Accept, AnnounceElection, App, Nominate, PaperBatchEntry};
use crate::convert::requests::{announcement, batch_label, read};
use crate::domain::candidate::{Acceptance, Nominee};
use crate::domain::lots::WitnessNumber;

/// ElectionsService over the app; vouchers are verified here.
#[derive(Clone, Debug)]
pub struct Elections {
    /// Commands and queries.
    pub app: App,
    /// Verifies vouchers of membership.
    pub verifier: Verifier,
}

#[tonic::async_trait]
impl ElectionsService for Elections {
    async fn announce_election(
        &self,
        request: Request<pb::AnnounceElectionRequest>,
    ) -> Answer<pb::AnnounceElectionResponse> {
        let call = Call::of(&request)?;
        let announce = async {
            let request = request.into_inner();
            let (schedule, board_key) = announcement(&request)?;
            let announced = AnnounceElection { schedule, board_key, supplementary: request.supplementary };
            self.app.announce_election(&call, announced).await
        };
        answer(announce.await)
    }

    async fn nominate_candidate(
        &self,
        request: Request<pb::NominateCandidateRequest>,
    ) -> Answer<pb::NominateCandidateResponse> {
        let call = Call::of(&request)?;
        let nominate = async {
            let pb::NominateCandidateRequest { forum_id, election_id, municipality, voucher } =
                request.into_inner();
            let other = if voucher.is_empty() {
                None
            } else {
                let Voucher { subject, attestations, .. } =
                    self.verifier.voucher_for(&voucher, Purpose::Nominate).await?;
                Some(Nominee { person: subject, attestations })
            };
            let nomination = Nominate {
                forum: read("forum_id", &forum_id)?,
                election: read("election_id", &election_id)?,
                municipality: read("municipality", &municipality)?,
                other,
            };
            self.app.nominate(&call, nomination).await
        };
        answer(nominate.await)
    }

    async fn accept_candidacy(
        &self,
        request: Request<pb::AcceptCandidacyRequest>,
    ) -> Answer<pb::AcceptCandidacyResponse> {
        let call = Call::of(&request)?;
        let accept = async {
            let request = request.into_inner();
            let accept = Accept {
                forum: read("forum_id", &request.forum_id)?,
                election: read("election_id", &request.election_id)?,
                candidate: read("candidate_id", &request.candidate_id)?,
                acceptance: Acceptance::new(
                    &request.ballot_name,
                    request.picture,
                    &request.picture_text,
                    request.publish_name,
                )?,
            };
            self.app.accept_candidacy(&call, accept).await
        };
        answer(accept.await)
    }

    async fn withdraw_candidacy(
        &self,
        request: Request<pb::WithdrawCandidacyRequest>,
    ) -> Answer<pb::WithdrawCandidacyResponse> {
        let call = Call::of(&request)?;
        let withdraw = async {
            let pb::WithdrawCandidacyRequest { forum_id, election_id, candidate_id } = request.into_inner();
            let (forum, election) = (read("forum_id", &forum_id)?, read("election_id", &election_id)?);
            self.app.withdraw_candidacy(&call, forum, election, read("candidate_id", &candidate_id)?).await
        };
        answer(withdraw.await)
    }

    async fn close_nominations(
        &self,
        request: Request<pb::CloseNominationsRequest>,
    ) -> Answer<pb::CloseNominationsResponse> {
        let call = Call::of(&request)?;
        let close = async {
            self.app.close_nominations(&call, read("election_id", &request.get_ref().election_id)?).await
        };
        answer(close.await)
    }

    async fn open_voting(&self, request: Request<pb::OpenVotingRequest>) -> Answer<pb::OpenVotingResponse> {
        let call = Call::of(&request)?;
        let open =
            async { self.app.open_voting(&call, read("election_id", &request.get_ref().election_id)?).await };
        answer(open.await)
    }

    async fn get_ballot_paper(
        &self,
        request: Request<pb::GetBallotPaperRequest>,
    ) -> Answer<pb::GetBallotPaperResponse> {
        let call = Call::of(&request)?;
        let get =
            async { self.app.get_ballot_paper(&call, read("forum_id", &request.get_ref().forum_id)?).await };
        answer(get.await)
    }

    async fn get_candidate_picture(
        &self,
        request: Request<pb::GetCandidatePictureRequest>,
    ) -> Answer<pb::GetCandidatePictureResponse> {
        let call = Call::of(&request)?;
        let get = async {
            let pb::GetCandidatePictureRequest { forum_id, election_id, candidate_id } = request.get_ref();
            let (forum, election) = (read("forum_id", forum_id)?, read("election_id", election_id)?);
            let candidate = read("candidate_id", candidate_id)?;
            self.app.get_candidate_picture(&call, forum, election, candidate).await
        };
        answer(get.await)
    }

    async fn get_candidate_picture_for_officers(
        &self,
        request: Request<pb::GetCandidatePictureForOfficersRequest>,
    ) -> Answer<pb::GetCandidatePictureForOfficersResponse> {
        let call = Call::of(&request)?;
        let get = async {
            let request = request.get_ref();
            let election = read("election_id", &request.election_id)?;
            let candidate = read("candidate_id", &request.candidate_id)?;
            self.app.get_candidate_picture_for_officers(&call, election, candidate).await
        };
        answer(get.await)
    }

    async fn list_candidates(
        &self,
        request: Request<pb::ListCandidatesRequest>,
    ) -> Answer<pb::ListCandidatesResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let request = request.get_ref();
            let election = read("election_id", &request.election_id)?;
            self.app.list_candidates(&call, election, size(request.page_size)?, &request.page_token).await
        };
        answer(list.await)
    }

    async fn list_my_candidacies(
        &self,
        request: Request<pb::ListMyCandidaciesRequest>,
    ) -> Answer<pb::ListMyCandidaciesResponse> {
        let call = Call::of(&request)?;
        let list = async {
            self.app.list_my_candidacies(&call, read("forum_id", &request.get_ref().forum_id)?).await
        };
        answer(list.await)
    }

    async fn cast_ballot(&self, request: Request<pb::CastBallotRequest>) -> Answer<pb::CastBallotResponse> {
        let call = Call::of(&request)?;
        let cast = async {
            let pb::CastBallotRequest { forum_id, election_id: _, approvals, confirmed } =
                request.into_inner();
            let forum = read("forum_id", &forum_id)?;
            self.app.cast_ballot(&call, forum, &Zeroizing::new(approvals), confirmed).await
        };
        answer(cast.await)
    }

    async fn get_voting_status(
        &self,
        request: Request<pb::GetVotingStatusRequest>,
    ) -> Answer<pb::GetVotingStatusResponse> {
        let call = Call::of(&request)?;
        let get =
            async { self.app.get_voting_status(&call, read("forum_id", &request.get_ref().forum_id)?).await };
        answer(get.await)
    }

    async fn hand_paper_ballot(
        &self,
        request: Request<pb::HandPaperBallotRequest>,
    ) -> Answer<pb::HandPaperBallotResponse> {
        let call = Call::of(&request)?;
        let hand = async {
            let pb::HandPaperBallotRequest { forum_id: _, election_id, voucher } = request.into_inner();
            let election = read("election_id", &election_id)?;
            let voucher = self.verifier.voucher_for(&voucher, Purpose::PaperBallot).await?;
            let claim = voucher.rolls.iter().find(|claim| claim.election == election).ok_or_else(|| {
                Fault::forbidden(
                    "forums.not_on_the_roll",
                    "voucher: this person is not on the roll of this election.",
                )
            })?;
            self.app.hand_paper_ballot(&call, election, voucher.subject, claim.municipality).await
        };
        answer(hand.await)
    }

    async fn enter_paper_batch(
        &self,
        request: Request<pb::EnterPaperBatchRequest>,
    ) -> Answer<pb::EnterPaperBatchResponse> {
        let call = Call::of(&request)?;
        let enter = async {
            let request = request.into_inner();
            let entry = PaperBatchEntry {
                election: read("election_id", &request.election_id)?,
                municipality: read("municipality", &request.municipality)?,
                batch: batch_label(&request.batch)?,
                ballots: request.ballots,
                blank: request.blank,
                invalid: request.invalid,
                tallies: request.tallies.iter().map(|tally| (tally.number, tally.approvals)).collect(),
            };
            self.app.enter_paper_batch(&call, entry).await
        };
        answer(enter.await)
    }

    async fn withdraw_paper_entry(
        &self,
        request: Request<pb::WithdrawPaperEntryRequest>,
    ) -> Answer<pb::WithdrawPaperEntryResponse> {
        let call = Call::of(&request)?;
        let withdraw = async {
            let request = request.get_ref();
            let (election, municipality) =
                (read("election_id", &request.election_id)?, read("municipality", &request.municipality)?);
            self.app.withdraw_paper_entry(&call, election, municipality, batch_label(&request.batch)?).await
        };
        answer(withdraw.await)
    }

    async fn list_paper_batches(
        &self,
        request: Request<pb::ListPaperBatchesRequest>,
    ) -> Answer<pb::ListPaperBatchesResponse> {
        let call = Call::of(&request)?;
        let list = async {
            self.app.list_paper_batches(&call, read("election_id", &request.get_ref().election_id)?).await
        };
        answer(list.await)
    }

    async fn close_voting(
        &self,
        request: Request<pb::CloseVotingRequest>,
    ) -> Answer<pb::CloseVotingResponse> {
        let call = Call::of(&request)?;
        let close = async {
            self.app.close_voting(&call, read("election_id", &request.get_ref().election_id)?).await
        };
        answer(close.await)
    }

    async fn count_ballots(
        &self,
        request: Request<pb::CountBallotsRequest>,
    ) -> Answer<pb::CountBallotsResponse> {
        let call = Call::of(&request)?;
        let count = async {
            let pb::CountBallotsRequest { forum_id: _, election_id, board_private_key } =
                request.into_inner();
            let key = Zeroizing::new(board_private_key);
            self.app.count_ballots(&call, read("election_id", &election_id)?, key).await
        };
        answer(count.await)
    }

    async fn witness_lots(
        &self,
        request: Request<pb::WitnessLotsRequest>,
    ) -> Answer<pb::WitnessLotsResponse> {
        let call = Call::of(&request)?;
        let witness = async {
            let request = request.get_ref();
            let number = WitnessNumber::new(&request.number)?;
            let municipality = read("municipality", &request.municipality)?;
            self.app
                .witness_lots(&call, read("election_id", &request.election_id)?, municipality, number)
                .await
        };
        answer(witness.await)
    }

    async fn draw_lots(&self, request: Request<pb::DrawLotsRequest>) -> Answer<pb::DrawLotsResponse> {
        let call = Call::of(&request)?;
        let draw = async {
            let request = request.get_ref();
            let municipality = read("municipality", &request.municipality)?;
            self.app.draw_lots(&call, read("election_id", &request.election_id)?, municipality).await
        };
        answer(draw.await)
    }

    async fn list_lots_witnesses(
        &self,
        request: Request<pb::ListLotsWitnessesRequest>,
    ) -> Answer<pb::ListLotsWitnessesResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let request = request.get_ref();
            self.app.list_lots_witnesses(&call, read("election_id", &request.election_id)?).await
        };
        answer(list.await)
    }

    async fn confirm_result(
        &self,
        request: Request<pb::ConfirmResultRequest>,
    ) -> Answer<pb::ConfirmResultResponse> {
        let call = Call::of(&request)?;
        let confirm = async {
            self.app.confirm_result(&call, read("election_id", &request.get_ref().election_id)?).await
        };
        answer(confirm.await)
    }

    async fn annul_election(
        &self,
        request: Request<pb::AnnulElectionRequest>,
    ) -> Answer<pb::AnnulElectionResponse> {
        let call = Call::of(&request)?;
        let annul = async {
            let pb::AnnulElectionRequest { forum_id: _, election_id, reason } = request.into_inner();
            self.app.annul_election(&call, read("election_id", &election_id)?, reason).await
        };
        answer(annul.await)
    }

    async fn get_election(
        &self,
        request: Request<pb::GetElectionRequest>,
    ) -> Answer<pb::GetElectionResponse> {
        answer(
            async { self.app.get_election(read("election_id", &request.get_ref().election_id)?).await }.await,
        )
    }

    async fn list_elections(
        &self,
        request: Request<pb::ListElectionsRequest>,
    ) -> Answer<pb::ListElectionsResponse> {
        let list = async {
            let pb::ListElectionsRequest { forum_id, page_size, page_token } = request.into_inner();
            self.app.list_elections(read("forum_id", &forum_id)?, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn get_election_result(
        &self,
        request: Request<pb::GetElectionResultRequest>,
    ) -> Answer<pb::GetElectionResultResponse> {
        let get = async {
            self.app.get_election_result(read("election_id", &request.get_ref().election_id)?).await
        };
        answer(get.await)
    }
}
