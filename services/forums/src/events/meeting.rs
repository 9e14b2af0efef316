//! What is told of meetings: their day, seats present, what was decided with which sums. Never who.

use messaging::NewEvent;
use proto::common::MunicipalityCount;
use proto::forums as published;

use super::co_tenants;
use crate::domain::forum::Forum;
use crate::domain::meeting::agenda::{AgendaItem, DecisionKind};
use crate::domain::meeting::vote::Vote;
use crate::domain::meeting::{Meeting, MeetingEvent};

/// What is told of an event of a meeting, which is the one after it.
pub fn meeting(forum: &Forum, meeting: &Meeting, event: &MeetingEvent) -> Option<NewEvent> {
    let (meeting_id, forum_id) = (meeting.id.to_string(), forum.id.to_string());
    let (held_on, mode) = (meeting.plan.held_on.to_string(), meeting.plan.mode.as_str().to_owned());
    match event {
        MeetingEvent::Planned | MeetingEvent::Moved { .. } => {
            let scheduled = published::MeetingScheduled { meeting_id, forum_id, held_on, mode };
            Some(of_meeting(forum, meeting, &scheduled))
        }
        MeetingEvent::Cancelled { .. } => {
            Some(of_meeting(forum, meeting, &published::MeetingCancelled { meeting_id, forum_id }))
        }
        MeetingEvent::Closed(turnout) => {
            let count = |(municipality, count): &(kernel::MunicipalityCode, u32)| MunicipalityCount {
                municipality: municipality.to_string(),
                count: *count,
            };
            let held = published::MeetingHeld {
                meeting_id,
                forum_id,
                held_on,
                present: turnout.present.iter().map(count).collect(),
                seats_filled: turnout.seats_filled,
                quorate: turnout.quorate,
                manager_present: meeting.manager_present,
                mode,
            };
            Some(of_meeting(forum, meeting, &held))
        }
        MeetingEvent::MinutesPublished { .. } => {
            Some(of_meeting(forum, meeting, &published::MinutesPublished { meeting_id, forum_id }))
        }
        MeetingEvent::Rehoused { .. }
        | MeetingEvent::NoticeSent { .. }
        | MeetingEvent::Opened
        | MeetingEvent::Attended { .. }
        | MeetingEvent::MinutesDrafted { .. }
        | MeetingEvent::MinutesChecked { .. }
        | MeetingEvent::MinutesScreened { .. } => None,
    }
}

/// That a topic was raised; where it comes from, not by whom.
pub fn topic_raised(forum: &Forum, item: &AgendaItem) -> NewEvent {
    let (item_id, forum_id) = (item.id.to_string(), forum.id.to_string());
    let raised = published::TopicRaised { item_id, forum_id, source: item.source.as_str().to_owned() };
    NewEvent::of(forum.charter.tenant, "agenda_item", item.id, &raised).joint(co_tenants(forum))
}

/// What a forum decided about a proposal (X1); nothing is told of other topics.
pub fn decided(forum: &Forum, item: &AgendaItem, vote: Option<&Vote>) -> Option<NewEvent> {
    let (proposal, meeting, decision) = (item.proposal?, item.meeting?, item.decision?);
    let (proposal_id, forum_id) = (proposal.to_string(), forum.id.to_string());
    let (meeting_id, decided_on) = (meeting.to_string(), decision.decided_on.to_string());
    let tally = vote.map(|vote| vote.tally).unwrap_or_default();
    let (votes_for, votes_against, votes_blank) = (tally.votes_for, tally.votes_against, tally.votes_blank);
    let of_proposal = |event: NewEvent| Some(event.joint(co_tenants(forum)));
    let tenant = forum.charter.tenant;
    match decision.kind {
        DecisionKind::Endorsed => {
            let endorsed = published::ProposalEndorsed {
                proposal_id,
                forum_id,
                meeting_id,
                votes_for,
                votes_against,
                votes_blank,
                decided_on,
            };
            of_proposal(NewEvent::of(tenant, "proposal", proposal, &endorsed))
        }
        DecisionKind::NotEndorsed => {
            let not_endorsed = published::ProposalNotEndorsed {
                proposal_id,
                forum_id,
                meeting_id,
                votes_for,
                votes_against,
                votes_blank,
                decided_on,
            };
            of_proposal(NewEvent::of(tenant, "proposal", proposal, &not_endorsed))
        }
        DecisionKind::ReturnedForWork => {
            let returned =
                published::ProposalReturnedForWork { proposal_id, forum_id, meeting_id, decided_on };
            of_proposal(NewEvent::of(tenant, "proposal", proposal, &returned))
        }
        DecisionKind::StatementGiven | DecisionKind::Noted => None,
    }
}

fn of_meeting<M: prost::Message + prost::Name>(forum: &Forum, meeting: &Meeting, message: &M) -> NewEvent {
    NewEvent::of(forum.charter.tenant, "meeting", meeting.id, message).joint(co_tenants(forum))
}
