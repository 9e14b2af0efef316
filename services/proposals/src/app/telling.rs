//! Telling people what became of a proposal: the timeline for everybody, notices without content for those who take
//! part. Who they are is read by the job, a page at a time, so that a proposal with thousands of supporters costs a
//! command nothing.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use kernel::{Date, Fault, FeedbackId, ProposalId, Role, ScopeRef, Subject};
use messaging::{JobContext, NewJob, Tx};
use serde::{Deserialize, Serialize};

use super::App;
use crate::domain::proposal::Proposal;
use crate::domain::text::Owner;
use crate::domain::timeline::{self, Mark, Why};
use crate::{events, store};

/// Job: tells the people of a proposal. Payload: a [`Telling`].
pub const TELL_PEOPLE: &str = "proposals.tell_people";
/// Job: tells those who hold a role. Payload: a [`TellingRole`].
pub const TELL_ROLE: &str = "proposals.tell_role";

/// Notice to authors and followers: the proposal took a step.
const TEMPLATE_STEP: &str = "proposals.step_taken";
/// Notice to everybody who took part: the loop card is there.
const TEMPLATE_FEEDBACK: &str = "proposals.feedback_published";
/// Notice to a manager: a unit is asked for an answer.
pub(super) const TEMPLATE_REQUESTED: &str = "proposals.response_requested";
/// Notice to a manager: an answer is due soon.
pub(super) const TEMPLATE_REMINDER: &str = "proposals.response_reminder";
/// Notice to coordinators, then to a manager: an answer is late.
pub(super) const TEMPLATE_LATE: &str = "proposals.response_late";
/// Notice to coordinators: a manager of the unit that leads the answer is disqualified (P5); is there another one?
pub(super) const TEMPLATE_DISQUALIFIED: &str = "proposals.manager_disqualified";
/// Notice to coordinators: what a change brought about was not measured in time (X2).
pub(super) const TEMPLATE_IMPACT_LATE: &str = "proposals.impact_late";
/// Notice to coordinators: an own idea of a round was not read in time (P1).
pub(super) const TEMPLATE_OWN_IDEA_LATE: &str = "proposals.own_idea_late";

/// People told at a time.
const PAGE: usize = 200;

/// A round of telling the people of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The proposal.
    pub proposal: ProposalId,
    /// The card that is told of; none for a step.
    pub card: Option<FeedbackId>,
    /// Key of the round: nobody is told twice by it.
    pub key: String,
}

impl Telling {
    /// What the notice is.
    pub fn template(&self) -> &'static str {
        if self.card.is_some() { TEMPLATE_FEEDBACK } else { TEMPLATE_STEP }
    }
}

/// Whom a notice to a role is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellingRole {
    /// The role.
    pub role: Role,
    /// Where it is held.
    pub scope: ScopeRef,
    /// What the notice is.
    pub template: String,
}

/// Adds to the timeline that a proposal came to where it stands now, and tells author and followers.
pub(super) async fn came_to(
    tx: &Tx,
    proposal: &Proposal,
    today: Date,
    why: impl Into<Why>,
) -> Result<(), Fault> {
    let step_no = store::steps::append(tx.conn(), proposal, today, &why.into()).await?;
    if proposal.stage.is_ended() {
        // Nobody has to translate what goes no further.
        store::texts::end_waiting(tx.conn(), Owner::proposal(proposal.tenant, proposal.id)).await?;
    }
    if timeline::is_told(proposal.stage.kind()) {
        tell_step(tx, proposal, step_no)?;
    }
    Ok(())
}

/// Adds to the timeline that something happened while a proposal stays where it is, and tells author and followers if
/// it concerns them.
pub(super) async fn marked(
    tx: &Tx,
    proposal: &Proposal,
    mark: Mark,
    today: Date,
    reason: &str,
) -> Result<(), Fault> {
    let step_no = store::steps::mark(tx.conn(), proposal, mark, today, &reason.into()).await?;
    if mark.is_told() {
        tell_step(tx, proposal, step_no)?;
    }
    Ok(())
}

fn tell_step(tx: &Tx, proposal: &Proposal, step_no: u32) -> Result<(), Fault> {
    let key = format!("{}/{step_no}", proposal.id);
    tell(tx, &Telling { proposal: proposal.id, card: None, key }, 0)
}

/// Tells everybody who took part that the loop card of a proposal is there.
pub(super) fn tell_card(tx: &Tx, proposal: &Proposal, card: FeedbackId) -> Result<(), Fault> {
    tell(tx, &Telling { proposal: proposal.id, card: Some(card), key: format!("card/{card}") }, 0)
}

fn tell(tx: &Tx, telling: &Telling, told: u64) -> Result<(), Fault> {
    tx.schedule(NewJob {
        kind: TELL_PEOPLE,
        dedupe_key: format!("{}@{told}", telling.key),
        run_at: tx.now(),
        payload: serde_json::to_vec(telling).map_err(Fault::internal)?,
    });
    Ok(())
}

/// Tells those who hold a role. `key` names what they are told of: once by it.
pub(super) fn tell_role(
    tx: &Tx,
    role: Role,
    scope: ScopeRef,
    template: &str,
    key: String,
) -> Result<(), Fault> {
    let telling = TellingRole { role, scope, template: template.to_owned() };
    let payload = serde_json::to_vec(&telling).map_err(Fault::internal)?;
    tx.schedule(NewJob { kind: TELL_ROLE, dedupe_key: key, run_at: tx.now(), payload });
    Ok(())
}

impl App {
    /// The next page of those whom a round tells; empty if nobody is left. Of a step author and followers are told, of
    /// a card everybody who took part, also those who wrote it down or helped with it, or with one that goes on in it.
    pub async fn audience(&self, telling: &Telling) -> Result<Vec<Subject>, Fault> {
        let conn = self.database.read();
        let after = store::tellings::of(conn, &telling.key).await?.after;
        let (proposal, limit) = (telling.proposal, PAGE as u64);
        let mut people: BTreeSet<Subject> = store::authors::of(conn, proposal).await?.into_iter().collect();
        people.extend(store::follows::page(conn, proposal, after, limit).await?);
        if telling.card.is_some() {
            people.extend(store::supports::page(conn, proposal, after, limit).await?);
            people.extend(store::proposals::hands(conn, proposal).await?);
        }
        // Each source gave its first ones after the last page, so the first ones of all are among them.
        let next = people.into_iter().filter(|person| after.is_none_or(|after| *person > after));
        Ok(next.take(PAGE).collect())
    }

    /// Remembers that a page was told. The last page ends the round: a card is delivered then.
    pub async fn told(
        &self,
        context: &JobContext,
        telling: Telling,
        page: Vec<Subject>,
    ) -> Result<(), Fault> {
        let input = (telling, page);
        self.writer
            .run(&context.command("told"), input, |tx, (telling, page)| told(tx, telling, page).boxed())
            .await
    }
}

async fn told(tx: &Tx, telling: &Telling, page: &[Subject]) -> Result<(), Fault> {
    let before = store::tellings::of(tx.conn(), &telling.key).await?;
    let told = before.told + page.len() as u64;
    if let Some(last) = page.last().filter(|_| page.len() == PAGE) {
        let progress = store::tellings::Progress { after: Some(*last), told };
        store::tellings::save(tx.conn(), &telling.key, progress).await?;
        return tell(tx, telling, told);
    }
    store::tellings::end(tx.conn(), &telling.key).await?;
    let Some(card) = telling.card else { return Ok(()) };
    let Some(item) = store::feedback::of(tx.conn(), telling.proposal).await? else { return Ok(()) };
    let today = tx.now().helsinki_date();
    let proposal = store::proposals::load(tx.conn(), telling.proposal).await?;
    store::feedback::save(tx.conn(), &item.delivered(today)).await?;
    marked(tx, &proposal, Mark::FeedbackDelivered, today, "").await?;
    tx.publish(events::answer::feedback_delivered(&proposal, card, told));
    Ok(())
}
