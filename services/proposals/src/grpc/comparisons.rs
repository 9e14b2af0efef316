//! ComparisonsService.

use chassis::Call;
use kernel::Fault;
use proto::proposals as pb;
use proto::proposals::comparisons_service_server::ComparisonsService;
use tonic::Request;

use super::{Answer, answer};
use crate::app::App;
use crate::app::comparison::{ImportResult, NewOwnIdea, PrepareRound, PreparedIdea};
use crate::convert::comparisons::skip_reason;
use crate::convert::requests::{choice, day, read, read_all, read_maybe, size};
use crate::domain::comparison::idea::{Decision, IdeaText, PlainReason, picture};
use crate::domain::comparison::import;
use crate::domain::comparison::session::{Answer as Choice, SessionToken};

/// ComparisonsService over the app.
#[derive(Clone, Debug)]
pub struct Comparisons(pub App);

#[tonic::async_trait]
impl ComparisonsService for Comparisons {
    async fn prepare_round(
        &self,
        request: Request<pb::PrepareRoundRequest>,
    ) -> Answer<pb::PrepareRoundResponse> {
        let call = Call::of(&request)?;
        let prepare = async {
            let request = request.into_inner();
            let days = (request.opens_on.as_str(), request.closes_on.as_str());
            let prepare =
                prepared(&request.forum_id, request.title, days, request.own_ideas, &request.ideas)?;
            self.0.prepare_round(&call, read("tenant", &request.tenant)?, prepare).await
        };
        answer(prepare.await)
    }

    async fn correct_round(
        &self,
        request: Request<pb::CorrectRoundRequest>,
    ) -> Answer<pb::CorrectRoundResponse> {
        let call = Call::of(&request)?;
        let correct = async {
            let request = request.into_inner();
            let days = (request.opens_on.as_str(), request.closes_on.as_str());
            let prepare =
                prepared(&request.forum_id, request.title, days, request.own_ideas, &request.ideas)?;
            let (tenant, round) = (read("tenant", &request.tenant)?, read("round_id", &request.round_id)?);
            self.0.correct_round(&call, tenant, round, prepare).await
        };
        answer(correct.await)
    }

    async fn drop_round(&self, request: Request<pb::DropRoundRequest>) -> Answer<pb::DropRoundResponse> {
        let call = Call::of(&request)?;
        answer(async { self.0.drop_round(&call, read("round_id", &request.get_ref().round_id)?).await }.await)
    }

    async fn open_round(&self, request: Request<pb::OpenRoundRequest>) -> Answer<pb::OpenRoundResponse> {
        let call = Call::of(&request)?;
        answer(async { self.0.open_round(&call, read("round_id", &request.get_ref().round_id)?).await }.await)
    }

    async fn close_round(&self, request: Request<pb::CloseRoundRequest>) -> Answer<pb::CloseRoundResponse> {
        let call = Call::of(&request)?;
        answer(
            async { self.0.close_round(&call, read("round_id", &request.get_ref().round_id)?).await }.await,
        )
    }

    async fn publish_ranking(
        &self,
        request: Request<pb::PublishRankingRequest>,
    ) -> Answer<pb::PublishRankingResponse> {
        let call = Call::of(&request)?;
        let publish =
            async { self.0.publish_ranking(&call, read("round_id", &request.get_ref().round_id)?).await };
        answer(publish.await)
    }

    async fn import_innoduel_result(
        &self,
        request: Request<pb::ImportInnoduelResultRequest>,
    ) -> Answer<pb::ImportInnoduelResultResponse> {
        let call = Call::of(&request)?;
        let imported = async {
            let request = request.into_inner();
            let import = ImportResult {
                forum: read_maybe("forum_id", &request.forum_id)?,
                title: request.title.clone(),
                opened_on: day("opened_on", &request.opened_on)?,
                closed_on: day("closed_on", &request.closed_on)?,
                participants: request.participants,
                lines: import::read(&request.csv)?,
            };
            self.0.import_result(&call, read("tenant", &request.tenant)?, import).await
        };
        answer(imported.await)
    }

    async fn shortlist_from_round(
        &self,
        request: Request<pb::ShortlistFromRoundRequest>,
    ) -> Answer<pb::ShortlistFromRoundResponse> {
        let call = Call::of(&request)?;
        let shortlist = async {
            let request = request.into_inner();
            let ideas = read_all("idea_ids", &request.idea_ids)?;
            self.0.shortlist_from_round(&call, read("round_id", &request.round_id)?, ideas).await
        };
        answer(shortlist.await)
    }

    async fn list_own_ideas(
        &self,
        request: Request<pb::ListOwnIdeasRequest>,
    ) -> Answer<pb::ListOwnIdeasResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let request = request.into_inner();
            let (round, page) = (read("round_id", &request.round_id)?, size(request.page_size)?);
            self.0.list_own_ideas(&call, round, page, &request.page_token).await
        };
        answer(list.await)
    }

    async fn approve_own_idea(
        &self,
        request: Request<pb::ApproveOwnIdeaRequest>,
    ) -> Answer<pb::ApproveOwnIdeaResponse> {
        let call = Call::of(&request)?;
        let approve = async {
            let request = request.into_inner();
            let (round, idea) = (read("round_id", &request.round_id)?, read("idea_id", &request.idea_id)?);
            let text = IdeaText::new("text", &request.text)?;
            self.0.approve_own_idea(&call, round, idea, text, picture("picture", &request.picture)?).await
        };
        answer(approve.await)
    }

    async fn reject_own_idea(
        &self,
        request: Request<pb::RejectOwnIdeaRequest>,
    ) -> Answer<pb::RejectOwnIdeaResponse> {
        let call = Call::of(&request)?;
        let reject = async {
            let request = request.into_inner();
            let (round, idea) = (read("round_id", &request.round_id)?, read("idea_id", &request.idea_id)?);
            let decision = Decision::Reject(PlainReason::new(&request.reason)?);
            self.0.reject_own_idea(&call, round, idea, decision).await
        };
        answer(reject.await)
    }

    async fn remove_idea(&self, request: Request<pb::RemoveIdeaRequest>) -> Answer<pb::RemoveIdeaResponse> {
        let call = Call::of(&request)?;
        let remove = async {
            let request = request.into_inner();
            let (round, idea) = (read("round_id", &request.round_id)?, read("idea_id", &request.idea_id)?);
            self.0.remove_idea(&call, round, idea, PlainReason::new(&request.reason)?).await
        };
        answer(remove.await)
    }

    async fn list_prepared_rounds(
        &self,
        request: Request<pb::ListPreparedRoundsRequest>,
    ) -> Answer<pb::ListPreparedRoundsResponse> {
        let call = Call::of(&request)?;
        let list = async {
            let request = request.into_inner();
            self.0.list_prepared_rounds(&call, size(request.page_size)?, &request.page_token).await
        };
        answer(list.await)
    }

    async fn get_round(&self, request: Request<pb::GetRoundRequest>) -> Answer<pb::GetRoundResponse> {
        answer(async { self.0.get_round(read("round_id", &request.get_ref().round_id)?).await }.await)
    }

    async fn list_rounds(&self, request: Request<pb::ListRoundsRequest>) -> Answer<pb::ListRoundsResponse> {
        let list = async {
            let request = request.into_inner();
            let tenant = read("tenant", &request.tenant)?;
            self.0.list_rounds(tenant, size(request.page_size)?, &request.page_token).await
        };
        answer(list.await)
    }

    async fn start_session(
        &self,
        request: Request<pb::StartSessionRequest>,
    ) -> Answer<pb::StartSessionResponse> {
        let call = Call::of(&request)?;
        let start = async {
            let request = request.into_inner();
            let municipality = read_maybe("municipality", &request.municipality)?;
            self.0.start_session(&call, read("round_id", &request.round_id)?, municipality).await
        };
        answer(start.await)
    }

    async fn next_pair(&self, request: Request<pb::NextPairRequest>) -> Answer<pb::NextPairResponse> {
        let call = Call::of(&request)?;
        let next = async {
            let token = SessionToken::read(&request.get_ref().session_token)?;
            self.0.next_pair(&call, &token).await
        };
        answer(next.await)
    }

    async fn compare(&self, request: Request<pb::CompareRequest>) -> Answer<pb::CompareResponse> {
        let call = Call::of(&request)?;
        let compare = async {
            let request = request.into_inner();
            let choice = match request.better() {
                pb::Side::Unspecified => return Err(choice("better")),
                pb::Side::Left => Choice::Left,
                pb::Side::Right => Choice::Right,
            };
            let token = SessionToken::read(&request.session_token)?;
            self.0.compare(&call, &token, request.pair_number, choice, request.assisted).await
        };
        answer(compare.await)
    }

    async fn skip_pair(&self, request: Request<pb::SkipPairRequest>) -> Answer<pb::SkipPairResponse> {
        let call = Call::of(&request)?;
        let skip = async {
            let request = request.into_inner();
            let reason = skip_reason(request.reason()).ok_or_else(|| choice("reason"))?;
            let token = SessionToken::read(&request.session_token)?;
            self.0.skip_pair(&call, &token, request.pair_number, Choice::Skipped(reason)).await
        };
        answer(skip.await)
    }

    async fn undo_last(&self, request: Request<pb::UndoLastRequest>) -> Answer<pb::UndoLastResponse> {
        let call = Call::of(&request)?;
        let undo = async {
            let request = request.into_inner();
            let token = SessionToken::read(&request.session_token)?;
            self.0.undo_last(&call, &token, request.pair_number).await
        };
        answer(undo.await)
    }

    async fn add_own_idea(&self, request: Request<pb::AddOwnIdeaRequest>) -> Answer<pb::AddOwnIdeaResponse> {
        let call = Call::of(&request)?;
        let add = async {
            let request = request.into_inner();
            let token = SessionToken::read(&request.session_token)?;
            let text = IdeaText::new("text", &request.text)?;
            let idea = NewOwnIdea { text, picture: read_maybe("picture", &request.picture)? };
            self.0.add_own_idea(&call, &token, idea).await
        };
        answer(add.await)
    }

    async fn get_own_idea(&self, request: Request<pb::GetOwnIdeaRequest>) -> Answer<pb::GetOwnIdeaResponse> {
        answer(async { self.0.get_own_idea(read("idea_id", &request.get_ref().idea_id)?).await }.await)
    }

    async fn get_ranking(&self, request: Request<pb::GetRankingRequest>) -> Answer<pb::GetRankingResponse> {
        answer(async { self.0.get_ranking(read("round_id", &request.get_ref().round_id)?).await }.await)
    }
}

/// A round to prepare, from its first to its last day.
fn prepared(
    forum: &str,
    title: String,
    (opens_on, closes_on): (&str, &str),
    own_ideas: bool,
    ideas: &[pb::NewIdea],
) -> Result<PrepareRound, Fault> {
    let idea = |(index, idea): (usize, &pb::NewIdea)| {
        Ok(PreparedIdea {
            text: IdeaText::new(&format!("ideas[{index}].text"), &idea.text)?,
            picture: picture(&format!("ideas[{index}].picture"), &idea.picture)?,
            proposal: read_maybe(&format!("ideas[{index}].proposal_id"), &idea.proposal_id)?,
        })
    };
    Ok(PrepareRound {
        forum: read_maybe("forum_id", forum)?,
        title,
        opens_on: day("opens_on", opens_on)?,
        closes_on: day("closes_on", closes_on)?,
        own_ideas,
        ideas: ideas.iter().enumerate().map(idea).collect::<Result<_, Fault>>()?,
    })
}
