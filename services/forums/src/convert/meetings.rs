//! Meetings: requests in, public state out.

use kernel::{Date, Fault, Invalid, TextVariant};
use proto::common::MunicipalityCount;
use proto::forums as pb;

use super::day;
use super::requests;
use crate::domain::meeting::agenda::{AgendaItem, DecisionKind, ItemState, Source};
use crate::domain::meeting::attendance::{Present, SaidPresent, SeatKey, Turnout};
use crate::domain::meeting::forms::{Form, Forms};
use crate::domain::meeting::minutes::{Dissent, Withholding};
use crate::domain::meeting::vote::{Choice, Method, Tally, Vote, no_choice};
use crate::domain::meeting::{Meeting, MeetingState, Mode, Plan};

/// When and where a meeting is held.
pub fn plan(
    held_on: &str,
    starts_at: String,
    mode: pb::MeetingMode,
    place: String,
    remote_link: String,
) -> Result<Plan, Fault> {
    let mode = match mode {
        pb::MeetingMode::Unspecified => return Err(choice("mode")),
        pb::MeetingMode::InPerson => Mode::InPerson,
        pb::MeetingMode::Remote => Mode::Remote,
        pb::MeetingMode::Hybrid => Mode::Hybrid,
    };
    Ok(Plan { held_on: requests::day("held_on", held_on)?, starts_at, mode, place, remote_link })
}

/// The forms of a text.
pub fn forms(field: &str, texts: Vec<pb::MeetingText>, most: usize) -> Result<Forms, Fault> {
    let form = |(index, text): (usize, pb::MeetingText)| -> Result<(TextVariant, Form), Fault> {
        let language = requests::read(&format!("{field}[{index}].language"), &text.language)?;
        Ok((language, Form { title: text.title, body: text.body }))
    };
    let forms = texts.into_iter().enumerate().map(form).collect::<Result<Vec<_>, _>>()?;
    Forms::new(field, forms, most)
}

/// Seats that are said to be present.
pub fn said_present(present: &[pb::PresentSeat]) -> Result<Vec<SaidPresent>, Fault> {
    let said = |(index, one): (usize, &pb::PresentSeat)| -> Result<SaidPresent, Fault> {
        let municipality = requests::read(&format!("present[{index}].municipality"), &one.municipality)?;
        let seat = SeatKey { municipality, seat_no: one.seat_no };
        Ok(SaidPresent { seat, deputy_order: one.deputy_order, remote: one.remote })
    };
    present.iter().enumerate().map(said).collect()
}

/// The seat that chairs; none where no municipality is named.
pub fn chair(municipality: &str, seat_no: u32) -> Result<Option<SeatKey>, Fault> {
    if municipality.is_empty() {
        return Ok(None);
    }
    let municipality = requests::read("chair_municipality", municipality)?;
    Ok(Some(SeatKey { municipality, seat_no }))
}

/// Where a topic of others than members comes from.
pub fn source(source: pb::TopicSource) -> Result<Source, Fault> {
    match source {
        pb::TopicSource::LocalGroup => Ok(Source::LocalGroup),
        pb::TopicSource::Unit => Ok(Source::Unit),
        pb::TopicSource::Body => Ok(Source::Body),
        pb::TopicSource::Unspecified | pb::TopicSource::Member | pb::TopicSource::Proposal => {
            let rule = "a topic is raised for a local group, a unit or another body; members raise their own, and proposals come by themselves";
            Err(Invalid::new(rule, "send LOCAL_GROUP, UNIT or BODY").in_field("source"))
        }
    }
}

/// What a vote says.
pub fn vote_choice(choice: pb::VoteChoice) -> Result<Choice, Fault> {
    match choice {
        pb::VoteChoice::Unspecified => Err(no_choice()),
        pb::VoteChoice::For => Ok(Choice::For),
        pb::VoteChoice::Against => Ok(Choice::Against),
        pb::VoteChoice::Blank => Ok(Choice::Blank),
    }
}

/// What was decided.
pub fn decision_kind(kind: pb::DecisionKind) -> Result<DecisionKind, Fault> {
    match kind {
        pb::DecisionKind::Unspecified => Err(choice("kind")),
        pb::DecisionKind::Endorsed => Ok(DecisionKind::Endorsed),
        pb::DecisionKind::NotEndorsed => Ok(DecisionKind::NotEndorsed),
        pb::DecisionKind::ReturnedForWork => Ok(DecisionKind::ReturnedForWork),
        pb::DecisionKind::StatementGiven => Ok(DecisionKind::StatementGiven),
        pb::DecisionKind::Noted => Ok(DecisionKind::Noted),
    }
}

/// A meeting with its notice. `notice_due_on` is the last day on which that can be sent.
pub fn meeting(meeting: &Meeting, notice_due_on: Date, notice: &Forms) -> pb::Meeting {
    let state = match meeting.state {
        MeetingState::Planned => pb::MeetingState::Planned,
        MeetingState::NoticeSent => pb::MeetingState::NoticeSent,
        MeetingState::Open => pb::MeetingState::Open,
        MeetingState::Closed => pb::MeetingState::Closed,
        MeetingState::MinutesDraft => pb::MeetingState::MinutesDraft,
        MeetingState::MinutesChecked => pb::MeetingState::MinutesChecked,
        MeetingState::Published => pb::MeetingState::Published,
        MeetingState::Cancelled => pb::MeetingState::Cancelled,
    };
    let mode = match meeting.plan.mode {
        Mode::InPerson => pb::MeetingMode::InPerson,
        Mode::Remote => pb::MeetingMode::Remote,
        Mode::Hybrid => pb::MeetingMode::Hybrid,
    };
    pb::Meeting {
        meeting_id: meeting.id.to_string(),
        forum_id: meeting.forum.to_string(),
        state: state.into(),
        held_on: meeting.plan.held_on.to_string(),
        starts_at: meeting.plan.starts_at.clone(),
        mode: mode.into(),
        place: meeting.plan.place.clone(),
        notice_due_on: notice_due_on.to_string(),
        notice_sent_on: day(meeting.notice_sent_on),
        notice: texts(notice),
        figures: meeting.turnout.as_ref().map(|turnout| figures(meeting, turnout)),
    }
}

/// Figures of a meeting.
pub fn figures(meeting: &Meeting, turnout: &Turnout) -> pb::MeetingFigures {
    let present = turnout.present.iter().map(|(municipality, count)| MunicipalityCount {
        municipality: municipality.to_string(),
        count: *count,
    });
    pb::MeetingFigures {
        present: present.collect(),
        present_total: turnout.present_total(),
        seats_filled: turnout.seats_filled,
        seats_total: turnout.seats_total,
        quorate: turnout.quorate,
        attendance_basis_points: turnout.basis_points(),
        manager_present: meeting.manager_present,
        support_persons: meeting.support_persons,
    }
}

/// A topic as an answer to a command keeps it: without texts.
pub fn item_without_texts(one: &AgendaItem, vote: Option<&Vote>) -> pb::AgendaItem {
    item(one, vote, &Forms::default(), &Forms::default())
}

/// A topic with its texts, and those of its decision.
pub fn item(item: &AgendaItem, vote: Option<&Vote>, forms: &Forms, decision: &Forms) -> pb::AgendaItem {
    let source = match item.source {
        Source::LocalGroup => pb::TopicSource::LocalGroup,
        Source::Member => pb::TopicSource::Member,
        Source::Unit => pb::TopicSource::Unit,
        Source::Body => pb::TopicSource::Body,
        Source::Proposal => pb::TopicSource::Proposal,
    };
    let state = match item.state {
        ItemState::Raised => pb::TopicState::Raised,
        ItemState::Scheduled => pb::TopicState::Scheduled,
        ItemState::Discussed => pb::TopicState::Discussed,
        ItemState::Decided => pb::TopicState::Decided,
        ItemState::Deferred => pb::TopicState::Deferred,
        ItemState::Dropped => pb::TopicState::Dropped,
    };
    let decided = item.decision.map(|decided| pb::Decision {
        kind: match decided.kind {
            DecisionKind::Endorsed => pb::DecisionKind::Endorsed,
            DecisionKind::NotEndorsed => pb::DecisionKind::NotEndorsed,
            DecisionKind::ReturnedForWork => pb::DecisionKind::ReturnedForWork,
            DecisionKind::StatementGiven => pb::DecisionKind::StatementGiven,
            DecisionKind::Noted => pb::DecisionKind::Noted,
        }
        .into(),
        decided_on: decided.decided_on.to_string(),
        vote: vote.filter(|vote| !vote.is_open).map(vote_result),
        texts: texts(decision),
    });
    pb::AgendaItem {
        item_id: item.id.to_string(),
        forum_id: item.forum.to_string(),
        source: source.into(),
        source_name: item.source_name.clone(),
        proposal_id: item.proposal.map(|proposal| proposal.to_string()).unwrap_or_default(),
        raised_on: item.raised_on.to_string(),
        state: state.into(),
        meeting_id: item.meeting.map(|meeting| meeting.to_string()).unwrap_or_default(),
        position: item.position,
        texts: texts(forms),
        vote_open: vote.is_some_and(|vote| vote.is_open),
        decision: decided,
    }
}

fn vote_result(vote: &Vote) -> pb::VoteResult {
    let Tally { votes_for, votes_against, votes_blank } = vote.tally;
    let method = match vote.method {
        Method::Ballot => pb::VoteMethod::Ballot,
        Method::ShowOfHands => pb::VoteMethod::ShowOfHands,
    };
    pb::VoteResult {
        method: method.into(),
        present: vote.present,
        votes_for,
        votes_against,
        votes_blank,
        for_basis_points: vote.tally.for_basis_points(),
    }
}

/// A seat that was present, without its person.
pub fn seat_attendance(present: &Present, chair: Option<SeatKey>) -> pb::SeatAttendance {
    pb::SeatAttendance {
        municipality: present.seat.municipality.to_string(),
        seat_no: present.seat.seat_no,
        deputy: present.deputy,
        remote: present.remote,
        chair: chair == Some(present.seat),
    }
}

/// A dissent, of a seat where its author agreed, without its author.
pub fn dissent(dissent: &Dissent) -> pb::Dissent {
    let seat = dissent.show_seat.then_some(dissent.seat);
    pb::Dissent {
        dissent_id: dissent.id.to_string(),
        item_id: dissent.item.to_string(),
        municipality: seat.map(|seat| seat.municipality.to_string()).unwrap_or_default(),
        seat_no: seat.map_or(0, |seat| seat.seat_no),
        text: dissent.text.clone(),
        withheld: dissent.withheld.is_some(),
        withheld_reason: dissent.withheld.map(withholding_out).unwrap_or_default().into(),
    }
}

fn withholding_out(reason: Withholding) -> pb::WithholdingReason {
    match reason {
        Withholding::PersonalData => pb::WithholdingReason::PersonalData,
        Withholding::HealthOrService => pb::WithholdingReason::HealthOrService,
        Withholding::Safety => pb::WithholdingReason::Safety,
    }
}

/// Why each of these dissents is not published.
#[expect(deprecated, reason = "read so that a client from before the reasons is refused, not ignored")]
pub fn withheld(request: &pb::ScreenMinutesRequest) -> Result<Vec<(String, Withholding)>, Fault> {
    if !request.withheld_dissent_ids.is_empty() {
        let rule = Invalid::new("a dissent is withheld for a reason", "send withheld, each with its reason");
        return Err(rule.in_field("withheld_dissent_ids"));
    }
    let one = |(index, one): (usize, &pb::WithheldDissent)| -> Result<(String, Withholding), Fault> {
        let reason = match one.reason() {
            pb::WithholdingReason::Unspecified => return Err(choice(&format!("withheld[{index}].reason"))),
            pb::WithholdingReason::PersonalData => Withholding::PersonalData,
            pb::WithholdingReason::HealthOrService => Withholding::HealthOrService,
            pb::WithholdingReason::Safety => Withholding::Safety,
        };
        Ok((one.dissent_id.clone(), reason))
    };
    request.withheld.iter().enumerate().map(one).collect()
}

/// The forms of a text, by language.
pub fn texts(forms: &Forms) -> Vec<pb::MeetingText> {
    let text = |(language, form): (TextVariant, &Form)| pb::MeetingText {
        language: language.as_str().to_owned(),
        title: form.title.clone(),
        body: form.body.clone(),
    };
    forms.iter().map(text).collect()
}

fn choice(field: &str) -> Fault {
    Invalid::new("one of the values of the contract must be chosen", "send one of them").in_field(field)
}
