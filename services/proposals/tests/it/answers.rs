//! From the forum's endorsement to the closed loop, over gRPC.

mod decisions;
mod found;
mod histories;
mod late;
mod path;
mod plain;
mod rules;
mod told;

use anyhow::Context as _;
use kernel::{Caller, HeldRole, ProposalId, Role, ScopeRef, UnitId};
use proto::forums::{ProposalEndorsed, ProposalNotEndorsed, ProposalReturnedForWork};
use proto::messaging::SetClockRequest;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::proposals as pb;
use proto::proposals::answers_service_client::AnswersServiceClient;
use proto::proposals::changes_service_client::ChangesServiceClient;
use proto::proposals::feedback_service_client::FeedbackServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::{LAPHA, POHDE, World, day};

/// The answer of a call, or how it was refused.
type Called<T> = Result<T, Status>;

impl World {
    pub(crate) fn answers(&self) -> AnswersServiceClient<Channel> {
        AnswersServiceClient::new(self.system.channel())
    }

    fn changes(&self) -> ChangesServiceClient<Channel> {
        ChangesServiceClient::new(self.system.channel())
    }

    fn loop_cards(&self) -> FeedbackServiceClient<Channel> {
        FeedbackServiceClient::new(self.system.channel())
    }

    /// Sets the business clock to six in the evening of this day: reminders of the day have gone.
    async fn evening_of(&self, date: &str) -> anyhow::Result<()> {
        let evening = kernel::deadline::start_of_day(day(date)) + time::Duration::hours(18);
        let now = Some(prost_types::Timestamp { seconds: evening.as_seconds(), nanos: 0 });
        let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
        let operator = Caller { roles, ..Caller::service("test-operator") };
        let message = SetClockRequest { service: "proposals".to_owned(), now };
        let request = self.system.request("proposals", operator, message)?;
        OperatorServiceClient::new(self.system.channel()).set_clock(request).await?;
        Ok(())
    }

    /// The world's forum endorses a proposal in a meeting of its own.
    async fn endorse(&self, proposal: ProposalId, on: &str) -> anyhow::Result<()> {
        self.forums_say(POHDE, &[LAPHA], &self.endorsement(proposal, on)).await
    }

    fn endorsement(&self, proposal: ProposalId, on: &str) -> ProposalEndorsed {
        ProposalEndorsed {
            proposal_id: proposal.to_string(),
            forum_id: self.forum.to_string(),
            meeting_id: self.ids.uuid().to_string(),
            votes_for: 19,
            votes_against: 1,
            votes_blank: 2,
            decided_on: on.to_owned(),
        }
    }

    async fn do_not_endorse(&self, proposal: ProposalId, on: &str) -> anyhow::Result<()> {
        let refused = ProposalNotEndorsed {
            proposal_id: proposal.to_string(),
            forum_id: self.forum.to_string(),
            meeting_id: self.ids.uuid().to_string(),
            votes_for: 9,
            votes_against: 9,
            votes_blank: 0,
            decided_on: on.to_owned(),
        };
        self.forums_say(POHDE, &[LAPHA], &refused).await
    }

    async fn return_for_work(&self, proposal: ProposalId, on: &str) -> anyhow::Result<()> {
        let returned = ProposalReturnedForWork {
            proposal_id: proposal.to_string(),
            forum_id: self.forum.to_string(),
            meeting_id: self.ids.uuid().to_string(),
            decided_on: on.to_owned(),
        };
        self.forums_say(POHDE, &[LAPHA], &returned).await
    }

    /// A proposal that the forum endorsed today.
    pub(crate) async fn endorsed_proposal(&self, title: &str, on: &str) -> anyhow::Result<ProposalId> {
        let proposal = self.proposal_before_forum(title).await?;
        self.endorse(proposal, on).await?;
        Ok(proposal)
    }

    /// The manager of Ii's day activity gives this answer, having read it through.
    async fn give(&self, proposal: ProposalId, answer: pb::Answer) -> anyhow::Result<Called<pb::Standing>> {
        let unit = self.units.ii_day;
        let give = pb::GiveResponseRequest {
            unit_id: unit.to_string(),
            proposal_id: proposal.to_string(),
            answer: Some(answer),
            reviewed: true,
        };
        let given = self.answers().give_response(self.by(self.manager(unit), give)?).await;
        Ok(given.map(|given| given.into_inner().standing.unwrap_or_default()))
    }

    async fn amend(&self, proposal: ProposalId, answer: pb::Answer) -> anyhow::Result<Called<pb::Standing>> {
        let unit = self.units.ii_day;
        let amend = pb::AmendResponseRequest {
            unit_id: unit.to_string(),
            proposal_id: proposal.to_string(),
            answer: Some(answer),
            reviewed: true,
        };
        let amended = self.answers().amend_response(self.by(self.manager(unit), amend)?).await;
        Ok(amended.map(|amended| amended.into_inner().standing.unwrap_or_default()))
    }

    async fn extend(&self, proposal: ProposalId, days: u32) -> anyhow::Result<Called<pb::UnitResponse>> {
        let tenant = POHDE.to_owned();
        let extend = pb::ExtendResponseRequest { tenant, proposal_id: proposal.to_string(), days };
        let extended = self.answers().extend_response(self.by(self.coordinator(), extend)?).await;
        Ok(extended.map(|extended| extended.into_inner().response.unwrap_or_default()))
    }

    async fn response(&self, proposal: ProposalId) -> anyhow::Result<pb::GetResponseResponse> {
        let get = pb::GetResponseRequest { proposal_id: proposal.to_string() };
        Ok(self.answers().get_response(get).await?.into_inner())
    }

    async fn standing(&self, proposal: ProposalId) -> anyhow::Result<pb::Standing> {
        let get = pb::GetPromiseRequest { proposal_id: proposal.to_string() };
        self.answers().get_promise(get).await?.into_inner().standing.context("a standing")
    }

    /// Who does what by when, and whether it is late: "UnitManager Answer 2026-11-11 late".
    async fn promised(&self, proposal: ProposalId) -> anyhow::Result<String> {
        let standing = self.standing(proposal).await?;
        let Some(promise) = standing.promise else { return Ok(String::new()) };
        let late = if promise.late { " late" } else { "" };
        Ok(format!("{:?} {:?} {}{late}", promise.owner(), promise.next_step(), promise.due_on))
    }

    /// Every step so far: "day what by whom".
    async fn timeline(&self, proposal: ProposalId) -> anyhow::Result<Vec<String>> {
        let mut get = pb::GetTimelineRequest {
            proposal_id: proposal.to_string(),
            page_size: 3,
            ..pb::GetTimelineRequest::default()
        };
        let mut lines = Vec::new();
        loop {
            let page = self.answers().get_timeline(get.clone()).await?.into_inner();
            for step in page.steps {
                let stage = format!("{:?}", step.stage.unwrap_or_default().stage());
                let what = if step.mark.is_empty() { stage } else { step.mark };
                lines.push(format!("{} {what} {}", step.taken_on, step.by_role));
            }
            if page.next_page_token.is_empty() {
                return Ok(lines);
            }
            get.page_token = page.next_page_token;
        }
    }

    async fn plan(&self, proposal: ProposalId, due_on: &str) -> anyhow::Result<Called<()>> {
        let plan = pb::PlanChangeRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            steps: vec!["Sovimme ohjaajat.".to_owned(), "Ulkoilemme kolme kertaa viikossa.".to_owned()],
            due_on: due_on.to_owned(),
            ..pb::PlanChangeRequest::default()
        };
        let planned = self.changes().plan_change(self.by(self.staff(self.units.ii_day), plan)?).await;
        Ok(planned.map(|_| ()))
    }

    async fn begin(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::Standing>> {
        let start = pb::StartChangeRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            ..pb::StartChangeRequest::default()
        };
        let started = self.changes().start_change(self.by(self.staff(self.units.ii_day), start)?).await;
        Ok(started.map(|started| started.into_inner().standing.unwrap_or_default()))
    }

    async fn complete(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::Standing>> {
        let complete = pb::CompleteChangeRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            ..pb::CompleteChangeRequest::default()
        };
        let done = self.changes().complete_change(self.by(self.staff(self.units.ii_day), complete)?).await;
        Ok(done.map(|done| done.into_inner().standing.unwrap_or_default()))
    }

    async fn set_baseline(
        &self,
        proposal: ProposalId,
        indicators: Vec<pb::BaselineIndicator>,
    ) -> anyhow::Result<Called<pb::ImpactReport>> {
        let set = pb::SetBaselineRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            indicators,
            ..pb::SetBaselineRequest::default()
        };
        let set = self.changes().set_baseline(self.by(self.staff(self.units.ii_day), set)?).await;
        Ok(set.map(|set| set.into_inner().impact.unwrap_or_default()))
    }

    async fn record(
        &self,
        proposal: ProposalId,
        measurements: Vec<pb::Measurement>,
    ) -> anyhow::Result<Called<pb::ImpactReport>> {
        let record = pb::RecordMeasurementRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            measurements,
            ..pb::RecordMeasurementRequest::default()
        };
        let recorded =
            self.changes().record_measurement(self.by(self.staff(self.units.ii_day), record)?).await;
        Ok(recorded.map(|recorded| recorded.into_inner().impact.unwrap_or_default()))
    }

    async fn publish_impact(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::ImpactReport>> {
        let publish = pb::PublishImpactRequest {
            unit_id: self.units.ii_day.to_string(),
            proposal_id: proposal.to_string(),
            ..pb::PublishImpactRequest::default()
        };
        let published =
            self.changes().publish_impact(self.by(self.manager(self.units.ii_day), publish)?).await;
        Ok(published.map(|published| published.into_inner().impact.unwrap_or_default()))
    }

    /// The coordinator writes the card of scenario 4 in plain Finnish.
    async fn draft_card(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::FeedbackCard>> {
        let draft = pb::DraftFeedbackRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            lines: Some(card_lines()),
            next_role: "vastaava ohjaaja".to_owned(),
            next_on: "2027-09-30".to_owned(),
            ..pb::DraftFeedbackRequest::default()
        };
        let drafted = self.loop_cards().draft_feedback(self.by(self.coordinator(), draft)?).await;
        Ok(drafted.map(|drafted| drafted.into_inner().card.unwrap_or_default()))
    }

    async fn approve_card(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::FeedbackCard>> {
        let approve = pb::ApprovePlainFeedbackRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            ..pb::ApprovePlainFeedbackRequest::default()
        };
        let approved = self.loop_cards().approve_plain_feedback(self.by(self.coordinator(), approve)?).await;
        Ok(approved.map(|approved| approved.into_inner().card.unwrap_or_default()))
    }

    async fn publish_card(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::FeedbackCard>> {
        let publish = pb::PublishFeedbackRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            ..pb::PublishFeedbackRequest::default()
        };
        let published = self.loop_cards().publish_feedback(self.by(self.coordinator(), publish)?).await;
        Ok(published.map(|published| published.into_inner().card.unwrap_or_default()))
    }

    async fn close(&self, proposal: ProposalId) -> anyhow::Result<Called<pb::Standing>> {
        let tenant = POHDE.to_owned();
        let close = pb::CloseProposalRequest { tenant, proposal_id: proposal.to_string() };
        let closed = self.loop_cards().close_proposal(self.by(self.coordinator(), close)?).await;
        Ok(closed.map(|closed| closed.into_inner().standing.unwrap_or_default()))
    }

    /// Writes, approves and publishes the card, and closes the proposal.
    async fn tell_and_close(&self, proposal: ProposalId) -> anyhow::Result<()> {
        self.draft_card(proposal).await??;
        self.approve_card(proposal).await??;
        self.publish_card(proposal).await??;
        self.jobs_done().await?;
        self.close(proposal).await??;
        Ok(())
    }

    /// Names of what was published since the first `seen` events, for later comparison.
    async fn events_after(&self, seen: usize) -> Vec<String> {
        self.event_names().await.split_off(seen)
    }
}

/// The card of scenario 4.
fn card_lines() -> pb::LoopLines {
    pb::LoopLines {
        language: "fi-selko".to_owned(),
        you_said: "Haluamme ulos useammin.".to_owned(),
        we_did: "Ulkoilemme kolme kertaa viikossa.".to_owned(),
        we_could_not: "Joka päivä, koska ulkona tarvitaan kaksi ohjaajaa.".to_owned(),
        next_step: "Katsomme asiaa uudelleen.".to_owned(),
    }
}

/// The answer of scenario 4, with this outcome; next step on 1.12.2026.
fn answer(outcome: pb::Outcome) -> pb::Answer {
    let mut answer = pb::Answer {
        texts: vec![pb::AnswerText {
            language: "fi-selko".to_owned(),
            reasons:
                "Ulkoilemme kolme kertaa viikossa. Joka päivä emme voi, koska tarvitsemme kaksi ohjaajaa."
                    .to_owned(),
            next_steps: "Aloitamme 1. joulukuuta. Katsomme asiaa uudelleen maaliskuussa.".to_owned(),
            alternative: "Jos saamme lisää ohjaajia, voimme ulkoilla joka päivä.".to_owned(),
        }],
        next_role: "päivätoiminnan vastaava ohjaaja".to_owned(),
        next_on: "2026-12-01".to_owned(),
        ..pb::Answer::default()
    };
    answer.set_outcome(outcome);
    match outcome {
        pb::Outcome::Trial => {
            answer.trial_ends_on = "2027-03-01".to_owned();
            answer.trial_evaluation = "Kysymme asiakkailta, mitä he ajattelevat.".to_owned();
        }
        pb::Outcome::NeedsHigherDecision => {
            answer.forwarded_to = "aluehallitus".to_owned();
            answer.forwarded_due_on = "2026-12-15".to_owned();
        }
        _ => {}
    }
    answer
}

/// The same, by another day.
fn answer_by(outcome: pb::Outcome, next_on: &str) -> pb::Answer {
    pb::Answer { next_on: next_on.to_owned(), ..answer(outcome) }
}

fn rate(count: u32, weeks: u32) -> Option<pb::MeasuredValue> {
    let value = pb::measured_value::Value::Rate(pb::RateValue { count, weeks });
    Some(pb::MeasuredValue { value: Some(value) })
}

fn mean(sum: u64, n: u32) -> Option<pb::MeasuredValue> {
    let value = pb::measured_value::Value::Mean(pb::MeanValue { sum, n });
    Some(pb::MeasuredValue { value: Some(value) })
}

/// What scenario 4 measures before: outings with a target of three a week, satisfaction, being heard.
fn baseline() -> Vec<pb::BaselineIndicator> {
    let indicator = |id: &str, before, target_hundredths| pb::BaselineIndicator {
        indicator_id: id.to_owned(),
        label: format!("Mittari {id}"),
        before,
        target_hundredths,
    };
    vec![
        indicator("outings_per_week", rate(13, 13), 300),
        indicator("satisfaction", mean(65, 19), 0),
        indicator("heard", mean(70, 19), 0),
    ]
}

/// And after.
fn measured() -> Vec<pb::Measurement> {
    let measurement = |id: &str, after| pb::Measurement { indicator_id: id.to_owned(), after };
    vec![
        measurement("outings_per_week", rate(36, 13)),
        measurement("satisfaction", mean(76, 18)),
        measurement("heard", mean(81, 18)),
    ]
}

/// The unit that leads the answers of the stories.
fn lead(world: &World) -> UnitId {
    world.units.ii_day
}
