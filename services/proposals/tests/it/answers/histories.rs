//! Random histories of commands, decisions and clock jumps: at every moment somebody owes a next step by a day, and
//! nothing closes without feedback.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::support::{Store, run};

/// Histories of a run, and acts of each.
const HISTORIES: u64 = 3;
const ACTS: usize = 18;

#[derive(Clone, Copy, Debug)]
enum Act {
    Give(pb::Outcome),
    Amend(pb::Outcome),
    Extend,
    Plan,
    Baseline,
    Start,
    Complete,
    Measure,
    PublishImpact,
    Draft,
    Approve,
    PublishCard,
    Close,
    Jump(u32),
}

const ACTS_TO_CHOOSE: [Act; 18] = [
    Act::Give(pb::Outcome::Accepted),
    Act::Give(pb::Outcome::Rejected),
    Act::Give(pb::Outcome::NeedsHigherDecision),
    Act::Amend(pb::Outcome::Trial),
    Act::Amend(pb::Outcome::Rejected),
    Act::Extend,
    Act::Plan,
    Act::Baseline,
    Act::Start,
    Act::Complete,
    Act::Measure,
    Act::PublishImpact,
    Act::Draft,
    Act::Approve,
    Act::PublishCard,
    Act::Close,
    Act::Jump(9),
    Act::Jump(200),
];

#[tokio::test]
async fn p7_no_history_leaves_a_proposal_without_promise_or_closes_it_in_silence() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let mut today = day("2026-10-12");
        for seed in 0..HISTORIES {
            let mut random = StdRng::seed_from_u64(seed);
            world.on(&today.to_string()).await?;
            let proposal = world.proposal_before_forum(&format!("Ehdotus {seed}")).await?;
            if random.random_bool(0.85) {
                world.endorse(proposal, &today.to_string()).await?;
            } else {
                world.do_not_endorse(proposal, &today.to_string()).await?;
            }
            for _ in 0..ACTS {
                let act = *ACTS_TO_CHOOSE.choose(&mut random).context("an act")?;
                take(world, proposal, act, &mut today).await?;
                check(world, proposal, today).await.with_context(|| format!("history {seed}, {act:?}"))?;
            }
        }
        world.jobs_done().await?;
        whole(world).await
    })
    .await
}

/// Whether it was taken or refused is not the matter here.
async fn take(world: &World, proposal: ProposalId, act: Act, today: &mut kernel::Date) -> anyhow::Result<()> {
    let soon = kernel::deadline::add_days(*today, 40).to_string();
    let next = |outcome| {
        let mut answer = answer_by(outcome, &soon);
        if outcome == pb::Outcome::NeedsHigherDecision {
            answer.forwarded_due_on.clone_from(&soon);
        }
        if outcome == pb::Outcome::Trial {
            answer.trial_ends_on.clone_from(&soon);
        }
        answer
    };
    let internal = |status: Status| -> anyhow::Result<()> {
        anyhow::ensure!(status.code() != tonic::Code::Internal, "{status}");
        Ok(())
    };
    match act {
        Act::Give(outcome) => world.give(proposal, next(outcome)).await?.map(|_| ()).or_else(internal),
        Act::Amend(outcome) => world.amend(proposal, next(outcome)).await?.map(|_| ()).or_else(internal),
        Act::Extend => world.extend(proposal, 10).await?.map(|_| ()).or_else(internal),
        Act::Plan => world.plan(proposal, &soon).await?.or_else(internal),
        Act::Baseline => world.set_baseline(proposal, baseline()).await?.map(|_| ()).or_else(internal),
        Act::Start => world.begin(proposal).await?.map(|_| ()).or_else(internal),
        Act::Complete => world.complete(proposal).await?.map(|_| ()).or_else(internal),
        Act::Measure => world.record(proposal, measured()).await?.map(|_| ()).or_else(internal),
        Act::PublishImpact => world.publish_impact(proposal).await?.map(|_| ()).or_else(internal),
        Act::Draft => world.draft_card(proposal).await?.map(|_| ()).or_else(internal),
        Act::Approve => world.approve_card(proposal).await?.map(|_| ()).or_else(internal),
        Act::PublishCard => world.publish_card(proposal).await?.map(|_| ()).or_else(internal),
        Act::Close => world.close(proposal).await?.map(|_| ()).or_else(internal),
        Act::Jump(days) => {
            *today = kernel::deadline::add_days(*today, i32::try_from(days)?);
            world.on(&today.to_string()).await?;
            world.jobs_done().await
        }
    }
}

async fn check(world: &World, proposal: ProposalId, today: kernel::Date) -> anyhow::Result<()> {
    let standing = world.standing(proposal).await?;
    let stage = standing.stage.unwrap_or_default().stage();
    let get = pb::GetFeedbackRequest { proposal_id: proposal.to_string(), ..Default::default() };
    let card = world.loop_cards().get_feedback(get).await?.into_inner().card;
    match standing.promise {
        Some(promise) => {
            anyhow::ensure!(stage != pb::ProposalStage::Closed, "what is over owes nothing");
            anyhow::ensure!(promise.owner() != pb::OwnerRole::Unspecified, "somebody's turn");
            anyhow::ensure!(promise.next_step() != pb::NextStep::Unspecified, "with something");
            let late = today > day(&promise.due_on);
            anyhow::ensure!(promise.late == late, "late is told: {} on {today}", promise.due_on);
        }
        None => {
            anyhow::ensure!(stage == pb::ProposalStage::Closed, "only what is closed owes nothing");
            anyhow::ensure!(card.is_some(), "nothing closes without feedback");
        }
    }
    Ok(())
}

/// Of every proposal each step was published at most once, and in the order of the way.
async fn whole(world: &World) -> anyhow::Result<()> {
    let asked: Vec<pb::ResponseRequested> = world.published().await;
    let distinct: BTreeSet<_> = asked.iter().map(|one| &one.proposal_id).collect();
    anyhow::ensure!(distinct.len() == asked.len(), "asked once each (X1)");
    let closed: Vec<pb::ProposalClosed> = world.published().await;
    let told: Vec<pb::FeedbackPublished> = world.published().await;
    let told: BTreeSet<_> = told.iter().map(|one| &one.proposal_id).collect();
    anyhow::ensure!(closed.iter().all(|one| told.contains(&one.proposal_id)), "closed without feedback (P7)");
    let levels: Vec<pb::ResponseEscalated> = world.published().await;
    let overdue: Vec<pb::ResponseOverdue> = world.published().await;
    for one in &levels {
        anyhow::ensure!(
            overdue.iter().any(|late| late.proposal_id == one.proposal_id),
            "late before escalated"
        );
    }
    Ok(())
}
