//! MeetingsService.

use chassis::Call;
use kernel::Fault;
use proto::forums as pb;
use proto::forums::meetings_service_server::MeetingsService;
use tonic::Request;

use super::forums::size;
use super::{Answer, answer};
use crate::app::{App, Attend, CastForumVote, Dissenting, RaiseTopic, Within};
use crate::convert::meetings::{
    chair, decision_kind, forms, plan, said_present, source, vote_choice, withheld,
};
use crate::convert::requests::read;
use crate::domain::meeting::forms::{MAX_BODY, MAX_MINUTES};
use crate::domain::meeting::vote::Tally;

/// MeetingsService over the app.
#[derive(Clone, Debug)]
pub struct Meetings(pub App);

/// The forum that a call is about.
fn within(call: &Call, forum_id: &str) -> Result<Within, Fault> {
    Ok(Within::new(call, read("forum_id", forum_id)?))
}

#[tonic::async_trait]
impl MeetingsService for Meetings {
    async fn plan_meeting(
        &self,
        request: Request<pb::PlanMeetingRequest>,
    ) -> Answer<pb::PlanMeetingResponse> {
        let call = Call::of(&request)?;
        let planned = async {
            let one = request.into_inner();
            let mode = one.mode();
            let plan = plan(&one.held_on, one.starts_at, mode, one.place, one.remote_link)?;
            self.0.plan_meeting(&call, within(&call, &one.forum_id)?, plan).await
        };
        answer(planned.await)
    }

    async fn move_meeting(
        &self,
        request: Request<pb::MoveMeetingRequest>,
    ) -> Answer<pb::MoveMeetingResponse> {
        let call = Call::of(&request)?;
        let moved = async {
            let one = request.into_inner();
            let (mode, meeting) = (one.mode(), read("meeting_id", &one.meeting_id)?);
            let plan = plan(&one.held_on, one.starts_at, mode, one.place, one.remote_link)?;
            self.0.move_meeting(&call, within(&call, &one.forum_id)?, meeting, plan).await
        };
        answer(moved.await)
    }

    async fn cancel_meeting(
        &self,
        request: Request<pb::CancelMeetingRequest>,
    ) -> Answer<pb::CancelMeetingResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let cancelled = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.cancel_meeting(&call, within(&call, &one.forum_id)?, meeting).await
        };
        answer(cancelled.await)
    }

    async fn send_notice(&self, request: Request<pb::SendNoticeRequest>) -> Answer<pb::SendNoticeResponse> {
        let call = Call::of(&request)?;
        let sent = async {
            let one = request.into_inner();
            let notice = forms("notice", one.notice, MAX_BODY)?;
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.send_notice(&call, within(&call, &one.forum_id)?, meeting, notice).await
        };
        answer(sent.await)
    }

    async fn open_meeting(
        &self,
        request: Request<pb::OpenMeetingRequest>,
    ) -> Answer<pb::OpenMeetingResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let opened = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.open_meeting(&call, within(&call, &one.forum_id)?, meeting).await
        };
        answer(opened.await)
    }

    async fn record_attendance(
        &self,
        request: Request<pb::RecordAttendanceRequest>,
    ) -> Answer<pb::RecordAttendanceResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let recorded = async {
            let attend = Attend {
                present: said_present(&one.present)?,
                chair: chair(&one.chair_municipality, one.chair_seat_no)?,
                support_persons: one.support_persons,
                manager_present: one.manager_present,
            };
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.record_attendance(&call, within(&call, &one.forum_id)?, meeting, attend).await
        };
        answer(recorded.await)
    }

    async fn close_meeting(
        &self,
        request: Request<pb::CloseMeetingRequest>,
    ) -> Answer<pb::CloseMeetingResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let closed = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.close_meeting(&call, within(&call, &one.forum_id)?, meeting).await
        };
        answer(closed.await)
    }

    async fn raise_topic(&self, request: Request<pb::RaiseTopicRequest>) -> Answer<pb::RaiseTopicResponse> {
        let call = Call::of(&request)?;
        let raised = async {
            let one = request.into_inner();
            let topic = RaiseTopic {
                forum: read("forum_id", &one.forum_id)?,
                source: source(one.source())?,
                source_name: one.source_name,
                forms: forms("texts", one.texts, MAX_BODY)?,
            };
            self.0.raise_topic(&call, topic).await
        };
        answer(raised.await)
    }

    async fn raise_my_topic(
        &self,
        request: Request<pb::RaiseMyTopicRequest>,
    ) -> Answer<pb::RaiseMyTopicResponse> {
        let call = Call::of(&request)?;
        let raised = async {
            let pb::RaiseMyTopicRequest { forum_id, texts } = request.into_inner();
            let forms = forms("texts", texts, MAX_BODY)?;
            self.0.raise_my_topic(&call, read("forum_id", &forum_id)?, forms).await
        };
        answer(raised.await)
    }

    async fn edit_topic(&self, request: Request<pb::EditTopicRequest>) -> Answer<pb::EditTopicResponse> {
        let call = Call::of(&request)?;
        let edited = async {
            let one = request.into_inner();
            let forms = forms("texts", one.texts, MAX_BODY)?;
            let item = read("item_id", &one.item_id)?;
            self.0.edit_topic(&call, within(&call, &one.forum_id)?, item, forms).await
        };
        answer(edited.await)
    }

    async fn schedule_topic(
        &self,
        request: Request<pb::ScheduleTopicRequest>,
    ) -> Answer<pb::ScheduleTopicResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let scheduled = async {
            let (meeting, item) = (read("meeting_id", &one.meeting_id)?, read("item_id", &one.item_id)?);
            self.0.schedule_topic(&call, within(&call, &one.forum_id)?, meeting, item).await
        };
        answer(scheduled.await)
    }

    async fn unschedule_topic(
        &self,
        request: Request<pb::UnscheduleTopicRequest>,
    ) -> Answer<pb::UnscheduleTopicResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let off = async {
            let item = read("item_id", &one.item_id)?;
            self.0.unschedule_topic(&call, within(&call, &one.forum_id)?, item).await
        };
        answer(off.await)
    }

    async fn discuss_topic(
        &self,
        request: Request<pb::DiscussTopicRequest>,
    ) -> Answer<pb::DiscussTopicResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let discussed = async {
            let item = read("item_id", &one.item_id)?;
            self.0.discuss_topic(&call, within(&call, &one.forum_id)?, item).await
        };
        answer(discussed.await)
    }

    async fn defer_topic(&self, request: Request<pb::DeferTopicRequest>) -> Answer<pb::DeferTopicResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let deferred = async {
            let item = read("item_id", &one.item_id)?;
            self.0.defer_topic(&call, within(&call, &one.forum_id)?, item).await
        };
        answer(deferred.await)
    }

    async fn put_to_vote(&self, request: Request<pb::PutToVoteRequest>) -> Answer<pb::PutToVoteResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let put = async {
            let item = read("item_id", &one.item_id)?;
            self.0.put_to_vote(&call, within(&call, &one.forum_id)?, item).await
        };
        answer(put.await)
    }

    async fn cast_forum_vote(
        &self,
        request: Request<pb::CastForumVoteRequest>,
    ) -> Answer<pb::CastForumVoteResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let cast = async {
            let vote = CastForumVote {
                forum: read("forum_id", &one.forum_id)?,
                meeting: read("meeting_id", &one.meeting_id)?,
                item: read("item_id", &one.item_id)?,
                choice: vote_choice(one.vote())?,
                confirmed: one.confirmed,
            };
            self.0.cast_forum_vote(&call, vote).await
        };
        answer(cast.await)
    }

    async fn close_vote(&self, request: Request<pb::CloseVoteRequest>) -> Answer<pb::CloseVoteResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let closed = async {
            let item = read("item_id", &one.item_id)?;
            self.0.close_vote(&call, within(&call, &one.forum_id)?, item, one.close_early).await
        };
        answer(closed.await)
    }

    async fn record_vote(&self, request: Request<pb::RecordVoteRequest>) -> Answer<pb::RecordVoteResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let recorded = async {
            let pb::RecordVoteRequest { votes_for, votes_against, votes_blank, .. } = one;
            let tally = Tally { votes_for, votes_against, votes_blank };
            let item = read("item_id", &one.item_id)?;
            self.0.record_vote(&call, within(&call, &one.forum_id)?, item, tally).await
        };
        answer(recorded.await)
    }

    async fn record_decision(
        &self,
        request: Request<pb::RecordDecisionRequest>,
    ) -> Answer<pb::RecordDecisionResponse> {
        let call = Call::of(&request)?;
        let recorded = async {
            let one = request.into_inner();
            let (kind, item) = (decision_kind(one.kind())?, read("item_id", &one.item_id)?);
            let forms = forms("texts", one.texts, MAX_BODY)?;
            self.0.record_decision(&call, within(&call, &one.forum_id)?, item, kind, forms).await
        };
        answer(recorded.await)
    }

    async fn attach_dissent(
        &self,
        request: Request<pb::AttachDissentRequest>,
    ) -> Answer<pb::AttachDissentResponse> {
        let call = Call::of(&request)?;
        let attached = async {
            let one = request.into_inner();
            let (forum, item) = (read("forum_id", &one.forum_id)?, read("item_id", &one.item_id)?);
            let pb::AttachDissentRequest { text, show_seat, confirmed, .. } = one;
            self.0.attach_dissent(&call, Dissenting { forum, item, text, show_seat, confirmed }).await
        };
        answer(attached.await)
    }

    async fn draft_minutes(
        &self,
        request: Request<pb::DraftMinutesRequest>,
    ) -> Answer<pb::DraftMinutesResponse> {
        let call = Call::of(&request)?;
        let drafted = async {
            let one = request.into_inner();
            let forms = forms("texts", one.texts, MAX_MINUTES)?;
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.draft_minutes(&call, within(&call, &one.forum_id)?, meeting, forms).await
        };
        answer(drafted.await)
    }

    async fn check_minutes(
        &self,
        request: Request<pb::CheckMinutesRequest>,
    ) -> Answer<pb::CheckMinutesResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let checked = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.check_minutes(&call, within(&call, &one.forum_id)?, meeting).await
        };
        answer(checked.await)
    }

    async fn screen_minutes(
        &self,
        request: Request<pb::ScreenMinutesRequest>,
    ) -> Answer<pb::ScreenMinutesResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let screened = async {
            let (meeting, withheld) = (read("meeting_id", &one.meeting_id)?, withheld(&one)?);
            self.0.screen_minutes(&call, within(&call, &one.forum_id)?, meeting, withheld).await
        };
        answer(screened.await)
    }

    async fn publish_minutes(
        &self,
        request: Request<pb::PublishMinutesRequest>,
    ) -> Answer<pb::PublishMinutesResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let published = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.publish_minutes(&call, within(&call, &one.forum_id)?, meeting).await
        };
        answer(published.await)
    }

    async fn list_meetings(
        &self,
        request: Request<pb::ListMeetingsRequest>,
    ) -> Answer<pb::ListMeetingsResponse> {
        let list = async {
            let pb::ListMeetingsRequest { forum_id, page_size, page_token } = request.into_inner();
            self.0.list_meetings(read("forum_id", &forum_id)?, size(page_size)?, &page_token).await
        };
        answer(list.await)
    }

    async fn get_meeting(&self, request: Request<pb::GetMeetingRequest>) -> Answer<pb::GetMeetingResponse> {
        answer(async { self.0.get_meeting(read("meeting_id", &request.get_ref().meeting_id)?).await }.await)
    }

    async fn get_minutes(&self, request: Request<pb::GetMinutesRequest>) -> Answer<pb::GetMinutesResponse> {
        answer(async { self.0.get_minutes(read("meeting_id", &request.get_ref().meeting_id)?).await }.await)
    }

    async fn get_minutes_draft(
        &self,
        request: Request<pb::GetMinutesDraftRequest>,
    ) -> Answer<pb::GetMinutesDraftResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let get = async {
            let meeting = read("meeting_id", &one.meeting_id)?;
            self.0.get_minutes_draft(within(&call, &one.forum_id)?, meeting).await
        };
        answer(get.await)
    }

    async fn list_topics(&self, request: Request<pb::ListTopicsRequest>) -> Answer<pb::ListTopicsResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let list = async {
            let page = size(one.page_size)?;
            self.0.list_topics(within(&call, &one.forum_id)?, page, &one.page_token).await
        };
        answer(list.await)
    }

    async fn list_my_meetings(
        &self,
        request: Request<pb::ListMyMeetingsRequest>,
    ) -> Answer<pb::ListMyMeetingsResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let list = async {
            let (forum, page) = (read("forum_id", &one.forum_id)?, size(one.page_size)?);
            self.0.list_my_meetings(&call, forum, page, &one.page_token).await
        };
        answer(list.await)
    }

    async fn list_my_topics(
        &self,
        request: Request<pb::ListMyTopicsRequest>,
    ) -> Answer<pb::ListMyTopicsResponse> {
        let call = Call::of(&request)?;
        let one = request.into_inner();
        let list = async {
            let (forum, page) = (read("forum_id", &one.forum_id)?, size(one.page_size)?);
            self.0.list_my_topics(&call, forum, page, &one.page_token).await
        };
        answer(list.await)
    }
}
