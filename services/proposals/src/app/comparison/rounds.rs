//! Preparing, opening, closing a round; choosing from it for the forum.

use std::collections::BTreeSet;

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Date, Fault, ForumId, IdeaId, ProposalId, RoundId, Scope, TenantId};
use messaging::{NewJob, Tx};
use proto::proposals as pb;

use super::super::submitting::submit_idea;
use super::super::{App, moving};
use super::tidying::schedule_tidying;
use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::idea::{Idea, IdeaState, IdeaText};
use crate::domain::comparison::round::{Charter, Round, RoundEvent, RoundState};
use crate::domain::proposal::{Proposal, Stage, StageKind};
use crate::domain::text::Symbol;
use crate::{convert, events, store};

/// Job: closes a round after its last day. Payload: the round's id.
pub const CLOSE_ROUND: &str = "proposals.close_round";
/// Most proposals that are shortlisted at once.
const MOST_SHORTLISTED: usize = 20;

/// An idea to prepare.
#[derive(Debug, Clone)]
pub struct PreparedIdea {
    /// What it says.
    pub text: IdeaText,
    /// Its picture.
    pub picture: Symbol,
    /// The open proposal it stands for.
    pub proposal: Option<ProposalId>,
}

/// A round to prepare.
#[derive(Debug, Clone)]
pub struct PrepareRound {
    /// The forum that holds it, where a coordinator prepares it; a secretary's is the granted one.
    pub forum: Option<ForumId>,
    /// Name.
    pub title: String,
    /// First day.
    pub opens_on: Date,
    /// Last day.
    pub closes_on: Date,
    /// Whether participants may add ideas.
    pub own_ideas: bool,
    /// Its ideas.
    pub ideas: Vec<PreparedIdea>,
}

pub(super) struct Prepare {
    pub(super) id: RoundId,
    pub(super) tenant: TenantId,
    pub(super) forum: Option<ForumId>,
    pub(super) prepare: PrepareRound,
    pub(super) idea_ids: Vec<IdeaId>,
}

struct OfRound {
    scope: Scope,
    round: RoundId,
}

struct Shortlist {
    scope: Scope,
    round: RoundId,
    /// Each with the id and the receipt number of the proposal that is made of it if it is an own idea.
    ideas: Vec<(IdeaId, ProposalId, String)>,
}

impl App {
    /// Prepares a round (S2.80).
    pub async fn prepare_round(
        &self,
        call: &Call,
        tenant: TenantId,
        prepare: PrepareRound,
    ) -> Result<pb::PrepareRoundResponse, Fault> {
        self.check_served(tenant)?;
        let idea_ids = prepare.ideas.iter().map(|_| self.ids.new_id()).collect();
        let forum = call.scope.forum().ok().or(prepare.forum);
        let input = Prepare { id: self.ids.new_id(), tenant, forum, prepare, idea_ids };
        self.writer.run(call.command(), input, |tx, input| prepared(tx, input).boxed()).await
    }

    /// Opens a round; a timer closes it after its last day.
    pub async fn open_round(&self, call: &Call, round: RoundId) -> Result<pb::OpenRoundResponse, Fault> {
        let input = OfRound { scope: call.scope, round };
        self.writer.run(call.command(), input, |tx, input| opened(tx, input).boxed()).await
    }

    /// Closes a round.
    pub async fn close_round(&self, call: &Call, round: RoundId) -> Result<pb::CloseRoundResponse, Fault> {
        let input = OfRound { scope: call.scope, round };
        self.writer.run(call.command(), input, |tx, input| closed_by_hand(tx, input).boxed()).await
    }

    /// Closes a round by its timer, if it is open still and its last day is over.
    pub async fn close_round_when_due(&self, round: RoundId) -> Result<(), Fault> {
        self.writer.internal(CLOSE_ROUND, round, |tx, round| close_if_due(tx, *round).boxed()).await
    }

    /// Shortlists the proposals of these ideas of a published round; own ideas become proposals first, which wait for
    /// screening.
    pub async fn shortlist_from_round(
        &self,
        call: &Call,
        round: RoundId,
        ideas: Vec<IdeaId>,
    ) -> Result<pb::ShortlistFromRoundResponse, Fault> {
        let distinct: BTreeSet<&IdeaId> = ideas.iter().collect();
        if ideas.is_empty() || ideas.len() > MOST_SHORTLISTED || distinct.len() < ideas.len() {
            let message = format!("Choose 1 to {MOST_SHORTLISTED} ideas, each once.");
            return Err(Fault::invalid("proposals.shortlist", message.clone()).field(
                "idea_ids",
                message,
                "send the ideas you choose",
            ));
        }
        let ideas = ideas.into_iter().map(|idea| (idea, self.ids.new_id(), self.receipt())).collect();
        let input = Shortlist { scope: call.scope, round, ideas };
        self.writer.run(call.command(), input, |tx, input| shortlisted(tx, input).boxed()).await
    }
}

/// The county of a round that is made in this scope: a secretary's forum must be one of the county's.
///
/// Invalid `proposals.forum_of_round` if it is not.
pub(super) async fn check_forum(tx: &Tx, tenant: TenantId, forum: Option<ForumId>) -> Result<(), Fault> {
    let Some(forum) = forum else { return Ok(()) };
    if store::forums::tenants(tx.conn(), forum).await?.contains(&tenant) {
        return Ok(());
    }
    let message = "The forum is not one of this county's.";
    Err(Fault::invalid("proposals.forum_of_round", message).field(
        "tenant",
        "a forum holds rounds in its own counties",
        "send the code of the forum's county",
    ))
}

async fn prepared(tx: &Tx, input: &Prepare) -> Result<pb::PrepareRoundResponse, Fault> {
    check_forum(tx, input.tenant, input.forum).await?;
    let round = Round::prepare(input.id, charter_of(input), input.prepare.ideas.len())?;
    let ideas = prepared_ideas(tx, input, &round).await?;
    store::comparison::rounds::insert(tx.conn(), &round).await?;
    store::comparison::ideas::insert(tx.conn(), round.id, &ideas, &[]).await?;
    Ok(pb::PrepareRoundResponse {
        round: Some(convert::comparisons::round(&round)),
        ideas: ideas.iter().map(convert::comparisons::idea).collect(),
    })
}

/// What was told of a round to prepare.
pub(super) fn charter_of(input: &Prepare) -> Charter {
    let Prepare { tenant, forum, prepare, .. } = input;
    Charter {
        tenant: *tenant,
        forum: *forum,
        title: prepare.title.trim().to_owned(),
        opens_on: prepare.opens_on,
        closes_on: prepare.closes_on,
        own_ideas: prepare.own_ideas,
    }
}

/// The ideas of a round to prepare.
pub(super) async fn prepared_ideas(tx: &Tx, input: &Prepare, round: &Round) -> Result<Vec<Idea>, Fault> {
    let Prepare { tenant, prepare, idea_ids, .. } = input;
    if prepare.ideas.iter().any(|idea| idea.proposal.is_some()) {
        round.charter.check_for_proposals()?;
    }
    let mut linked = BTreeSet::new();
    let mut ideas = Vec::with_capacity(prepare.ideas.len());
    for ((idea, idea_id), number) in prepare.ideas.iter().zip(idea_ids).zip(1..) {
        if let Some(proposal) = idea.proposal {
            let proposal = store::proposals::load_in(tx.conn(), *tenant, proposal).await?;
            check_comparable(&proposal, number)?;
            if !linked.insert(proposal.id) {
                return Err(twice(number));
            }
        }
        ideas.push(Idea {
            id: *idea_id,
            number: Some(number),
            text: idea.text.as_str().to_owned(),
            picture: Some(idea.picture),
            proposal: idea.proposal,
            own: false,
            state: IdeaState::Approved,
            shown: 0,
            review_due_on: None,
        });
    }
    Ok(ideas)
}

/// Conflict `proposals.idea_not_open` unless the proposal is open and everybody may read it.
fn check_comparable(proposal: &Proposal, number: IdeaNo) -> Result<(), Fault> {
    if proposal.stage == Stage::Open && proposal.is_visible() {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.idea_not_open",
        format!(
            "The proposal of idea {number} is not open. Only open proposals are compared: prepare a round without it."
        ),
    ))
}

fn twice(number: IdeaNo) -> Fault {
    let message = "A proposal is in a round once.";
    Fault::invalid("proposals.proposal_twice", message).field(
        format!("ideas[{}].proposal_id", number - 1),
        "a proposal is in a round once",
        "leave the second one out",
    )
}

async fn opened(tx: &Tx, input: &OfRound) -> Result<pb::OpenRoundResponse, Fault> {
    let today = tx.now().helsinki_date();
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let Some(event) = round.open(today)? else {
        return Ok(pb::OpenRoundResponse { round: Some(convert::comparisons::round(&round)) });
    };
    let round = round.apply(event);
    let ideas = store::comparison::ideas::of(tx.conn(), round.id).await?;
    let policies = store::policies::of(tx.conn(), round.charter.tenant).await?;
    for (idea, proposal) in ideas.iter().filter_map(|idea| Some((idea, idea.proposal?))) {
        let proposal = store::proposals::load_in(tx.conn(), round.charter.tenant, proposal).await?;
        check_comparable(&proposal, idea.number.unwrap_or_default())?;
        // Comparing takes its time out of what was promised, and adds nothing to it.
        // A round closes by itself on the day after its last one, so that nothing is late then.
        let end = kernel::deadline::due_after_days(round.charter.closes_on, 1);
        let due = proposal.promise.map_or(end, |promise| promise.due.min(end));
        let stage = Stage::InComparison { round: round.id };
        let compared = proposal.go(stage, today, &policies)?.due_on(due);
        moving::moved(tx, &compared, "").await?;
    }
    store::comparison::rounds::save(tx.conn(), &round).await?;
    tx.publish(events::comparison::opened(&round, &ideas));
    let run_at = kernel::deadline::start_of_day(kernel::deadline::add_days(round.charter.closes_on, 1));
    let (dedupe_key, payload) = (round.id.to_string(), round.id.as_uuid().as_bytes().to_vec());
    tx.schedule(NewJob { kind: CLOSE_ROUND, dedupe_key, run_at, payload });
    Ok(pb::OpenRoundResponse { round: Some(convert::comparisons::round(&round)) })
}

async fn closed_by_hand(tx: &Tx, input: &OfRound) -> Result<pb::CloseRoundResponse, Fault> {
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let round = match round.close()? {
        Some(event) => close(tx, round, event).await?,
        None => round,
    };
    Ok(pb::CloseRoundResponse { round: Some(convert::comparisons::round(&round)) })
}

async fn close_if_due(tx: &Tx, round: RoundId) -> Result<(), Fault> {
    let round = store::comparison::rounds::load(tx.conn(), round).await?;
    if round.is_due(tx.now().helsinki_date())
        && let Some(event) = round.close()?
    {
        close(tx, round, event).await?;
    }
    Ok(())
}

/// Closes a round; its proposals are open again, whatever their place.
async fn close(tx: &Tx, round: Round, event: RoundEvent) -> Result<Round, Fault> {
    let today = tx.now().helsinki_date();
    let round = round.apply(event);
    let policies = store::policies::of(tx.conn(), round.charter.tenant).await?;
    for proposal in store::comparison::ideas::proposals(tx.conn(), round.id).await? {
        let proposal = store::proposals::load_in(tx.conn(), round.charter.tenant, proposal).await?;
        if proposal.stage == (Stage::InComparison { round: round.id }) {
            let open = proposal.reopen(today, &policies)?;
            // What was promised before it was compared holds.
            let due = store::steps::last_due(tx.conn(), open.id, StageKind::Open).await?;
            let open = match due {
                Some(due) => open.due_on(due),
                None => open,
            };
            moving::moved(tx, &open, "").await?;
        }
    }
    store::comparison::rounds::save(tx.conn(), &round).await?;
    schedule_tidying(tx, &round, tx.now(), "closed");
    let kept_until = kernel::deadline::add_days(round.visits_kept_until(), 1);
    schedule_tidying(tx, &round, kernel::deadline::start_of_day(kept_until), "over");
    tx.publish(events::comparison::closed(&round));
    Ok(round)
}

async fn shortlisted(tx: &Tx, input: &Shortlist) -> Result<pb::ShortlistFromRoundResponse, Fault> {
    let today = tx.now().helsinki_date();
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let policies = store::policies::of(tx.conn(), round.charter.tenant).await?;
    let mut proposal_ids = Vec::with_capacity(input.ideas.len());
    for (id, new_id, receipt) in &input.ideas {
        let idea = store::comparison::ideas::load(tx.conn(), round.id, *id).await?;
        check_chosen(&round, &idea)?;
        let Some(proposal) = idea.proposal else {
            let new = submit_idea(tx, round.charter.tenant, *new_id, &idea.text, receipt).await?;
            let idea = Idea { proposal: Some(new.id), ..idea };
            store::comparison::ideas::save(tx.conn(), round.id, &idea).await?;
            proposal_ids.push(new.id.to_string());
            continue;
        };
        let proposal = store::proposals::load_in(tx.conn(), round.charter.tenant, proposal).await?;
        proposal_ids.push(proposal.id.to_string());
        let waits = idea.own && proposal.stage == Stage::Submitted;
        if waits || proposal.stage == Stage::Shortlisted {
            continue;
        }
        let chosen = proposal.shortlist(today, &policies)?;
        moving::moved(tx, &chosen, "").await?;
        tx.publish(events::proposal::shortlisted(&chosen));
    }
    Ok(pb::ShortlistFromRoundResponse { proposal_ids })
}

/// Refuses an idea that may not be chosen. Conflict `proposals.ranking_not_published`, but for an own idea that was
/// approved after the round had closed, which is in no ranking; `proposals.idea_not_in_round` for one that was taken out
/// or not let in; `proposals.idea_without_proposal` for one that the round began with and that stands for none.
fn check_chosen(round: &Round, idea: &Idea) -> Result<(), Fault> {
    let is_unranked = round.state == RoundState::Closed && idea.number.is_none();
    if round.state != RoundState::Published && !is_unranked {
        return Err(Fault::conflict(
            "proposals.ranking_not_published",
            "Proposals are chosen from a round when its ranking is published. Publish it first.",
        ));
    }
    if idea.state != IdeaState::Approved {
        return Err(Fault::conflict(
            "proposals.idea_not_in_round",
            "An idea was taken out of the round, or no human has let it in. Choose among the others.",
        ));
    }
    if idea.proposal.is_none() && !idea.own {
        return Err(Fault::conflict(
            "proposals.idea_without_proposal",
            "An idea that the round began with has no proposal that could go to the forum. Submit it as a proposal first.",
        ));
    }
    Ok(())
}
