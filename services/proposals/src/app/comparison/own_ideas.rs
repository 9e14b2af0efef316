//! Own ideas: added by a visit, read by a human, then in the round or not. One that nobody has read waits on, also after
//! its day and after the round has closed: nothing is rejected by time (P1).

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::{add_days, start_of_day};
use kernel::{Fault, IdeaId, PageSize, PageToken, ProposalId, Role, RoundId, Scope, ScopeRef, Uuid};
use messaging::{NewJob, Tx};
use proto::proposals as pb;

use super::super::App;
use super::super::comments::review_due;
use super::super::telling::{TEMPLATE_OWN_IDEA_LATE, tell_role};
use super::visits::{Visiting, open_visit};
use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::idea::{Decision, Idea, IdeaState, IdeaText};
use crate::domain::comparison::session::{SessionHash, SessionToken};
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::domain::text::Symbol;
use crate::{convert, events, store};

/// Job: tells the coordinators of an own idea that no human has read in time. Payload: the idea's id.
pub const OWN_IDEA_UNREAD: &str = "proposals.own_idea_unread";
/// Own ideas of a round that may wait for a human. More would only mean that nobody reads them.
const MOST_WAITING: u64 = 200;

/// An own idea to add.
#[derive(Debug, Clone)]
pub struct NewOwnIdea {
    /// What it says.
    pub text: IdeaText,
    /// The picture its author chose.
    pub picture: Option<Symbol>,
}

struct Add {
    hash: SessionHash,
    id: IdeaId,
    idea: NewOwnIdea,
}

struct Decide {
    /// Of the entry in the moderation log, if it comes to one.
    entry: Uuid,
    scope: Scope,
    round: RoundId,
    idea: IdeaId,
    decision: Decision,
}

impl App {
    /// Adds an own idea of a visit; nobody sees it before a human has read it.
    pub async fn add_own_idea(
        &self,
        call: &Call,
        token: &SessionToken,
        idea: NewOwnIdea,
    ) -> Result<pb::AddOwnIdeaResponse, Fault> {
        let input = Add { hash: token.hash(), id: self.ids.new_id(), idea };
        self.writer.run(call.command(), input, |tx, input| added(tx, input).boxed()).await
    }

    /// Lets an own idea into its round, as the human who read it has written it down.
    pub async fn approve_own_idea(
        &self,
        call: &Call,
        round: RoundId,
        idea: IdeaId,
        text: IdeaText,
        picture: Symbol,
    ) -> Result<pb::ApproveOwnIdeaResponse, Fault> {
        let decision = Decision::Approve { text, picture };
        let input = Decide { entry: self.ids.uuid(), scope: call.scope, round, idea, decision };
        self.writer.run(call.command(), input, |tx, input| approved(tx, input).boxed()).await
    }

    /// Does not let an own idea in.
    pub async fn reject_own_idea(
        &self,
        call: &Call,
        round: RoundId,
        idea: IdeaId,
        decision: Decision,
    ) -> Result<pb::RejectOwnIdeaResponse, Fault> {
        let input = Decide { entry: self.ids.uuid(), scope: call.scope, round, idea, decision };
        self.writer.run(call.command(), input, |tx, input| rejected(tx, input).boxed()).await
    }

    /// Own ideas that no human has read.
    pub async fn list_own_ideas(
        &self,
        call: &Call,
        round: RoundId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListOwnIdeasResponse, Fault> {
        let conn = self.database.read();
        let round = store::comparison::rounds::load_in(conn, &call.scope, round).await?;
        let list = format!("own_ideas|{}", round.id);
        let after = super::reading::page_id(token, &list)?;
        let ideas = store::comparison::ideas::waiting(conn, round.id, after, size.limit()).await?;
        let (ideas, next) = size.cut(ideas, &list, |idea| idea.id.to_string());
        let today = self.today();
        Ok(pb::ListOwnIdeasResponse {
            ideas: ideas.iter().map(|idea| convert::comparisons::waiting_idea(idea, today)).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Tells the coordinators of an own idea whose day has passed, if no human has read it.
    pub async fn own_idea_unread(&self, idea: IdeaId) -> Result<(), Fault> {
        self.writer.internal(OWN_IDEA_UNREAD, idea, |tx, idea| tell_if_late(tx, *idea).boxed()).await
    }

    /// What became of an own idea.
    pub async fn get_own_idea(&self, id: IdeaId) -> Result<pb::GetOwnIdeaResponse, Fault> {
        let idea = store::comparison::ideas::load_own(self.database.read(), id).await?;
        Ok(pb::GetOwnIdeaResponse { idea: Some(convert::comparisons::own_idea(&idea, self.today())) })
    }
}

async fn added(tx: &Tx, input: &Add) -> Result<pb::AddOwnIdeaResponse, Fault> {
    let Visiting { round, session, .. } = open_visit(tx, input.hash).await?;
    round.check_own_ideas()?;
    let session = session.add_own_idea()?;
    if store::comparison::ideas::count_waiting(tx.conn(), round.id).await? >= MOST_WAITING {
        return Err(Fault::resource_exhausted(
            "proposals.own_ideas_waiting",
            "So many ideas of participants wait to be read that no more are taken now. Please try again on another day.",
        ));
    }
    let review_due_on = review_due(tx, round.charter.tenant, tx.now().helsinki_date()).await?;
    let idea = Idea {
        id: input.id,
        number: None,
        text: input.idea.text.as_str().to_owned(),
        picture: input.idea.picture,
        proposal: None,
        own: true,
        state: IdeaState::Waiting,
        shown: 0,
        review_due_on: Some(review_due_on),
    };
    store::comparison::sessions::save(tx.conn(), &session).await?;
    store::comparison::ideas::insert(tx.conn(), round.id, std::slice::from_ref(&idea), &[]).await?;
    let run_at = start_of_day(add_days(review_due_on, 1));
    let (dedupe_key, payload) = (idea.id.to_string(), idea.id.as_uuid().as_bytes().to_vec());
    tx.schedule(NewJob { kind: OWN_IDEA_UNREAD, dedupe_key, run_at, payload });
    let today = tx.now().helsinki_date();
    Ok(pb::AddOwnIdeaResponse { idea: Some(convert::comparisons::own_idea(&idea, today)) })
}

async fn approved(tx: &Tx, input: &Decide) -> Result<pb::ApproveOwnIdeaResponse, Fault> {
    let idea = decided(tx, input).await?;
    Ok(pb::ApproveOwnIdeaResponse { idea: Some(convert::comparisons::idea(&idea)) })
}

async fn rejected(tx: &Tx, input: &Decide) -> Result<pb::RejectOwnIdeaResponse, Fault> {
    let idea = decided(tx, input).await?;
    let today = tx.now().helsinki_date();
    Ok(pb::RejectOwnIdeaResponse { idea: Some(convert::comparisons::own_idea(&idea, today)) })
}

/// The idea as it is decided.
async fn decided(tx: &Tx, input: &Decide) -> Result<Idea, Fault> {
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let before = store::comparison::ideas::load(tx.conn(), round.id, input.idea).await?;
    let today = tx.now().helsinki_date();
    let number = match round.check_open(today) {
        Ok(()) => Some(IdeaNo::try_from(round.ideas + 1).map_err(Fault::internal)?),
        Err(_) => None,
    };
    let Some(idea) = before.decide(&input.decision, number)? else { return Ok(before) };
    if let IdeaState::Rejected(reason) = &idea.state {
        let entry = Moderation {
            id: input.entry,
            tenant: round.charter.tenant,
            what: Moderated::Idea,
            proposal: ProposalId::from_uuid(idea.id.as_uuid()),
            act: ModerationAct::Refused,
            why: reason.as_str().into(),
            on: today,
        };
        store::moderations::append(tx.conn(), &entry).await?;
    }
    if idea.number.is_some() {
        let event = round.join(today)?;
        let round = round.apply(event);
        store::comparison::rounds::save(tx.conn(), &round).await?;
        tx.publish(events::comparison::own_idea_added(&round, &idea));
    }
    store::comparison::ideas::save(tx.conn(), input.round, &idea).await?;
    Ok(idea)
}

async fn tell_if_late(tx: &Tx, id: IdeaId) -> Result<(), Fault> {
    let (round, idea) = store::comparison::ideas::load_with_round(tx.conn(), id).await?;
    if !idea.is_late(tx.now().helsinki_date()) {
        return Ok(());
    }
    let round = store::comparison::rounds::load(tx.conn(), round).await?;
    let county = ScopeRef::Tenant(round.charter.tenant);
    tell_role(tx, Role::AreaCoordinator, county, TEMPLATE_OWN_IDEA_LATE, format!("{id}/unread"))
}
