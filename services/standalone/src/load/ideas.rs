//! Proposals to read, to support and to compare in pairs: made by a few people before the load begins, open to everybody.

use std::sync::{Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Timestamp, deadline};
use proto::common::{HeldRole, Role, ScopeKind};
use proto::membership::{
    AssignRoleRequest, IssueCodeCardRequest, RegisterParticipantRequest, RegisterServiceUnitRequest,
    ServiceUnitKind,
};
use proto::messaging::GetClockRequest;
use proto::proposals::{
    Category, Channel, Content, CreateDraftRequest, FindingDecision, FindingJudgement,
    GetHandledProposalRequest, NewIdea, OpenRoundRequest, PrepareRoundRequest, ScreenProposalRequest,
    SubmitProposalRequest, Visit,
};

use super::prepare::AT_ONCE;
use super::{Fleet, Plan};
use crate::client::Account;
use crate::demo::{self, during};
use crate::exit::Failure;

/// Proposals to read and to support.
pub(super) const PROPOSALS: usize = 20;
/// People who wrote them and who support.
pub(super) const PEOPLE: usize = 10;
/// Ideas of the comparison: 780 pairs for each visitor.
const IDEAS: usize = 40;
/// Days in which it is open; an election that is prepared too moves the clock by one.
const OPEN_DAYS: i32 = 30;
/// What is searched: a word of the proposals, in another form.
pub(super) const WORD: &str = "kuormat";

/// What is there.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Proposals that are open to everybody.
    pub(super) proposals: Vec<String>,
    /// A comparison that is open.
    pub(super) round_id: String,
    /// Signed in, each over a connection of their own as far as there are any.
    pub(super) people: Vec<Account>,
    /// Visitors of the comparison whose answers are not under way.
    visitors: Mutex<Vec<Visitor>>,
}

/// Somebody who compares, with the pair that waits for them.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) token: String,
    pub(super) visit: Visit,
}

impl Prepared {
    /// A visitor, for one answer.
    pub(super) fn take_visitor(&self) -> Option<Visitor> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// The visitor goes on, unless all pairs are compared.
    pub(super) fn give_visitor(&self, visitor: Visitor) {
        if visitor.visit.pair.is_some() {
            self.visitors.lock().unwrap_or_else(PoisonError::into_inner).push(visitor);
        }
    }
}

/// What the steps share.
struct Scene<'a> {
    fleet: &'a Fleet,
    tenant: String,
    unit_id: String,
    /// Tells the people of this run from those of others.
    run: String,
}

/// Prepares it.
///
/// # Errors
/// What a service answers.
pub(super) async fn prepare(fleet: &Fleet, plan: &Plan, municipality: &str) -> Result<Prepared, Failure> {
    let run = fleet.ids().uuid().simple().to_string().split_off(20);
    let mut scene = Scene { fleet, tenant: plan.tenant.to_string(), unit_id: String::new(), run };
    scene.unit_id = scene.register_unit(municipality).await.map_err(during("register a unit"))?;
    // A proposal names a unit that proposals has heard of.
    demo::settle(fleet.administrator(0)).await?;
    let coordinator =
        scene.join("Kuorma Koordinaattori", 0, true).await.map_err(during("appoint somebody"))?;
    let people = stream::iter(0..PEOPLE)
        .map(|number| scene.join("Kuorma Ehdottaja", number, false))
        .buffered(AT_ONCE)
        .try_collect::<Vec<Account>>()
        .await
        .map_err(during("sign somebody in"))?;
    let (scene, people_of, handler) = (&scene, &people, &coordinator);
    let proposals = stream::iter(0..PROPOSALS)
        .map(|number| scene.propose(&people_of[number % PEOPLE], handler, number))
        .buffered(AT_ONCE)
        .try_collect()
        .await
        .map_err(during("make proposals"))?;
    let round_id = scene.open_round(&coordinator).await.map_err(during("open a comparison"))?;
    Ok(Prepared { proposals, round_id, people, visitors: Mutex::default() })
}

impl Scene<'_> {
    async fn register_unit(&self, municipality: &str) -> Result<String, tonic::Status> {
        let request = RegisterServiceUnitRequest {
            tenant: self.tenant.clone(),
            name: format!("Kuormakokeen ehdotukset {}", self.run),
            kind: ServiceUnitKind::DayActivity.into(),
            municipality: municipality.to_owned(),
        };
        let registered = self.fleet.administrator(0).tenancy().register_service_unit(request).await?;
        Ok(registered.into_inner().unit.unwrap_or_default().unit_id)
    }

    /// Registers somebody and signs them in over the connection for this number.
    async fn join(&self, name: &str, number: usize, coordinates: bool) -> Result<Account, tonic::Status> {
        let giver = self.fleet.administrator(number);
        let request = RegisterParticipantRequest {
            tenant: self.tenant.clone(),
            register_key: self.fleet.ids().uuid().to_string(),
            display_name: format!("{name} {} {number}", self.run),
            ..Default::default()
        };
        let registered = giver.participants().register_participant(request).await?.into_inner();
        let participant_id = registered.participant.unwrap_or_default().participant_id;
        if coordinates {
            let role = HeldRole {
                role: Role::AreaCoordinator.into(),
                scope_kind: ScopeKind::Tenant.into(),
                scope_id: self.tenant.clone(),
            };
            let request = AssignRoleRequest {
                tenant: self.tenant.clone(),
                participant_id: participant_id.clone(),
                role: Some(role),
                ..Default::default()
            };
            giver.participants().assign_role(request).await?;
        }
        let request =
            IssueCodeCardRequest { tenant: self.tenant.clone(), participant_id, unit_id: String::new() };
        let card = giver.participants().issue_code_card(request).await?.into_inner();
        self.fleet.server(number).sign_in_with_card(&card.card, &card.code).await
    }

    /// A proposal that is open to everybody.
    async fn propose(
        &self,
        author: &Account,
        coordinator: &Account,
        number: usize,
    ) -> Result<String, tonic::Status> {
        let content = Content {
            language: "fi".to_owned(),
            title: format!("Kuormakoe numero {}", number + 1),
            summary: "Mitataan, kuinka paljon järjestelmä kestää.".to_owned(),
            category: Category::Content.into(),
            unit_ids: vec![self.unit_id.clone()],
            ..Default::default()
        };
        let request = CreateDraftRequest {
            tenant: self.tenant.clone(),
            content: Some(content),
            channel: Channel::Web.into(),
            conflict_accepted: false,
        };
        let draft = author.proposals().create_draft(request).await?.into_inner();
        let proposal_id = draft.proposal.unwrap_or_default().proposal_id;
        let request = SubmitProposalRequest { proposal_id: proposal_id.clone(), conflict_accepted: false };
        author.proposals().submit_proposal(request).await?;
        let request = GetHandledProposalRequest {
            tenant: self.tenant.clone(),
            proposal_id: proposal_id.clone(),
            purpose: "Screening for a load test".to_owned(),
            ..Default::default()
        };
        let read = coordinator.handling().get_handled_proposal(request).await?.into_inner();
        let findings = read.proposal.unwrap_or_default().findings.into_iter().map(|finding| {
            FindingJudgement { finding_no: finding.finding_no, decision: FindingDecision::Fine.into() }
        });
        let request = ScreenProposalRequest {
            tenant: self.tenant.clone(),
            proposal_id: proposal_id.clone(),
            findings: findings.collect(),
            ..Default::default()
        };
        coordinator.handling().screen_proposal(request).await?;
        Ok(proposal_id)
    }

    /// A comparison of ideas that are no proposals.
    async fn open_round(&self, coordinator: &Account) -> Result<String, tonic::Status> {
        let request = GetClockRequest { service: "proposals".to_owned() };
        let now =
            self.fleet.administrator(0).operator("proposals").get_clock(request).await?.into_inner().now;
        let now = now.unwrap_or_default();
        let today =
            Timestamp::from_micros(now.seconds * 1_000_000 + i64::from(now.nanos) / 1_000).helsinki_date();
        let idea = |number: usize| NewIdea {
            text: format!("Kuorma-ajatus {number}"),
            picture: "idea".to_owned(),
            ..Default::default()
        };
        let request = PrepareRoundRequest {
            tenant: self.tenant.clone(),
            title: "Kuormakokeen vertailu".to_owned(),
            opens_on: today.to_string(),
            closes_on: deadline::add_days(today, OPEN_DAYS).to_string(),
            ideas: (1..=IDEAS).map(idea).collect(),
            ..Default::default()
        };
        let prepared = coordinator.comparisons().prepare_round(request).await?.into_inner();
        let round_id = prepared.round.unwrap_or_default().round_id;
        let request = OpenRoundRequest {
            tenant: self.tenant.clone(),
            round_id: round_id.clone(),
            ..Default::default()
        };
        coordinator.comparisons().open_round(request).await?;
        Ok(round_id)
    }
}
