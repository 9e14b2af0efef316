//! Random histories from the draft on, of commands, decisions and clock jumps: at every moment somebody owes a next step
//! by a day, nothing closes without feedback, and nothing is published that the list of events does not allow.

use std::collections::BTreeSet;

use proto::proposals::community_service_client::CommunityServiceClient;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tonic::Code;

use super::*;
use crate::support::{CANARY, Store, TITLE_CANARY, run};

/// Acts of a history.
const ACTS: usize = 26;
/// How often the next act is the one that leads on, and not any other.
const ONWARD: f64 = 0.55;
/// Stages after which a proposal goes no further.
const ENDED: [&str; 6] = ["closed", "merged", "split", "redirected", "rejected_at_screening", "withdrawn"];
/// Those of them at which its people are told why in a loop card.
const TOLD: [&str; 3] = ["closed", "redirected", "rejected_at_screening"];
const WHY: &str = "Ehdotukset koskevat samaa asiaa.";

#[derive(Clone, Copy, Debug)]
enum Act {
    Submit,
    Withdraw,
    Screen,
    Reject,
    Redirect,
    Merge,
    Split,
    Hide,
    Show,
    Shortlist,
    Reopen,
    Send,
    Endorse,
    DoNotEndorse,
    Return,
    Support,
    Give(pb::Outcome),
    Amend(pb::Outcome),
    Extend,
    Plan,
    Baseline,
    Start,
    Delay,
    Cancel,
    Complete,
    Measure,
    PublishImpact,
    Draft,
    Approve,
    PublishCard,
    Close,
    Jump(i32),
}

/// Any of these may come at any time.
const ANY: [Act; 39] = [
    Act::Submit,
    Act::Withdraw,
    Act::Screen,
    Act::Reject,
    Act::Redirect,
    Act::Merge,
    Act::Split,
    Act::Hide,
    Act::Show,
    Act::Show,
    Act::Shortlist,
    Act::Reopen,
    Act::Send,
    Act::Endorse,
    Act::DoNotEndorse,
    Act::Return,
    Act::Support,
    Act::Give(pb::Outcome::Accepted),
    Act::Give(pb::Outcome::Rejected),
    Act::Give(pb::Outcome::Trial),
    Act::Give(pb::Outcome::NeedsHigherDecision),
    Act::Amend(pb::Outcome::Trial),
    Act::Amend(pb::Outcome::Rejected),
    Act::Extend,
    Act::Plan,
    Act::Baseline,
    Act::Start,
    Act::Delay,
    Act::Cancel,
    Act::Complete,
    Act::Measure,
    Act::PublishImpact,
    Act::Draft,
    Act::Approve,
    Act::PublishCard,
    Act::Close,
    Act::Jump(3),
    Act::Jump(9),
    Act::Jump(60),
];

/// What leads on from a stage.
fn onward(stage: &str) -> &'static [Act] {
    match stage {
        "draft" => &[Act::Submit],
        "submitted" => &[Act::Screen],
        "open" => &[Act::Shortlist],
        "shortlisted" => &[Act::Send],
        "before_forum" => &[Act::Endorse, Act::Endorse, Act::Endorse, Act::DoNotEndorse, Act::Return],
        "awaiting_response" | "forwarded" => &[
            Act::Give(pb::Outcome::Accepted),
            Act::Give(pb::Outcome::AcceptedInPart),
            Act::Give(pb::Outcome::Trial),
            Act::Give(pb::Outcome::NeedsHigherDecision),
        ],
        "answered" => &[Act::Plan, Act::Baseline, Act::Start],
        "in_implementation" => &[Act::Complete, Act::Delay],
        "implemented" => &[Act::Measure, Act::PublishImpact],
        _ => &[Act::Draft, Act::Approve, Act::PublishCard, Act::Close],
    }
}

/// A proposal on its way, beside another one of the same author.
struct History {
    proposal: ProposalId,
    other: ProposalId,
    today: kernel::Date,
    random: StdRng,
}

/// Stages that any proposal of the histories has been at.
type Seen = BTreeSet<String>;

async fn histories(world: &World, seeds: std::ops::Range<u64>, seen: &mut Seen) -> anyhow::Result<()> {
    let mut today = day("2026-09-07");
    for seed in seeds {
        let mut history = History {
            proposal: draft(world, seed).await?,
            other: draft(world, seed + 1_000).await?,
            today,
            random: StdRng::seed_from_u64(seed),
        };
        if history.random.random_bool(0.7) {
            submit(world, history.other).await?.ok();
            world.screen(history.other).await?;
        }
        for number in 0..ACTS {
            let stage = stage_of(world, history.proposal).await;
            let acts = if history.random.random_bool(ONWARD) { onward(&stage) } else { &ANY[..] };
            let act = *acts.choose(&mut history.random).context("an act")?;
            let what = || format!("history {seed}, act {number} at {stage}: {act:?}");
            history.take(world, act).await.with_context(what)?;
            check(world, &history, seen).await.with_context(what)?;
        }
        // At the end the author hands in the other one and takes it back, if it was still a draft.
        std::mem::swap(&mut history.proposal, &mut history.other);
        for act in [Act::Submit, Act::Withdraw] {
            history.take(world, act).await.with_context(|| format!("history {seed}, its end"))?;
            check(world, &history, seen).await.with_context(|| format!("history {seed}, its end"))?;
        }
        today = history.today;
        world.jobs_done().await?;
        let (events, leaks) = world.leaks().await?;
        anyhow::ensure!(leaks.is_empty() && events > 0, "history {seed} published {leaks:?}");
    }
    whole(world).await
}

/// Everybody who looks for it finds the canaries in the tables; in no event.
async fn draft(world: &World, seed: u64) -> anyhow::Result<ProposalId> {
    let content = pb::Content {
        title: format!("{TITLE_CANARY} {seed}"),
        summary: format!("Haluamme ulos useammin, {CANARY}."),
        body: format!("Käymme ulkona harvoin, {CANARY}. Haluamme ulos joka päivä."),
        own_words: format!("Ulos, {CANARY}!"),
        strength: format!("Haluan liikkua ulkona, {CANARY}."),
        ..world.content("")
    };
    let create = pb::CreateDraftRequest {
        tenant: POHDE.to_owned(),
        content: Some(content),
        ..pb::CreateDraftRequest::default()
    };
    let created = world.proposals().create_draft(world.by(world.client(1), create)?).await?.into_inner();
    Ok(created.proposal.context("a draft")?.proposal_id.parse()?)
}

async fn submit(world: &World, proposal: ProposalId) -> anyhow::Result<Called<()>> {
    let proposal_id = proposal.to_string();
    let submit = pb::SubmitProposalRequest { proposal_id, ..pb::SubmitProposalRequest::default() };
    Ok(world.proposals().submit_proposal(world.by(world.client(1), submit)?).await.map(drop))
}

/// "deleted" for a draft that is no more.
async fn stage_of(world: &World, proposal: ProposalId) -> String {
    let id = match world.database().unwrap().kind() {
        messaging::DatabaseKind::Sqlite => format!("x'{}'", proposal.as_uuid().simple()),
        messaging::DatabaseKind::Postgres => format!("'{proposal}'"),
    };
    let found = world.texts(&format!("SELECT stage FROM proposal WHERE id = {id}")).await;
    found.into_iter().next().unwrap_or_else(|| "deleted".to_owned())
}

/// Whether an act was taken or refused is not the matter here, but nothing may break.
fn taken<T>(called: Called<T>) -> anyhow::Result<()> {
    match called {
        Err(status) if matches!(status.code(), Code::Internal | Code::Unknown) => Err(status.into()),
        _ => Ok(()),
    }
}

impl History {
    async fn take(&mut self, world: &World, act: Act) -> anyhow::Result<()> {
        let (proposal, today) = (self.proposal, self.today.to_string());
        let soon = kernel::deadline::add_days(self.today, 40).to_string();
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
        let before_forum = stage_of(world, proposal).await == "before_forum";
        match act {
            Act::Endorse | Act::DoNotEndorse | Act::Return if !before_forum => Ok(()),
            Act::Endorse => world.endorse(proposal, &today).await,
            Act::DoNotEndorse => world.do_not_endorse(proposal, &today).await,
            Act::Return => world.return_for_work(proposal, &today).await,
            Act::Give(outcome) => taken(world.give(proposal, next(outcome)).await?),
            Act::Amend(outcome) => taken(world.amend(proposal, next(outcome)).await?),
            Act::Extend => taken(world.extend(proposal, 10).await?),
            Act::Plan => taken(world.plan(proposal, &soon).await?),
            Act::Baseline => taken(world.set_baseline(proposal, baseline()).await?),
            Act::Start => taken(world.begin(proposal).await?),
            Act::Delay => taken(delay(world, proposal, &soon).await?),
            Act::Cancel => taken(cancel(world, proposal, next(pb::Outcome::Rejected)).await?),
            Act::Complete => taken(world.complete(proposal).await?),
            Act::Measure => taken(world.record(proposal, measured()).await?),
            Act::PublishImpact => taken(world.publish_impact(proposal).await?),
            Act::Draft => taken(world.draft_card(proposal).await?),
            Act::Approve => taken(world.approve_card(proposal).await?),
            Act::PublishCard => taken(world.publish_card(proposal).await?),
            Act::Close => taken(world.close(proposal).await?),
            Act::Jump(days) => {
                self.today = kernel::deadline::add_days(self.today, days);
                world.on(&self.today.to_string()).await?;
                world.jobs_done().await
            }
            earlier => self.take_early(world, earlier).await,
        }
    }

    /// What belongs to the way to the forum.
    async fn take_early(&mut self, world: &World, act: Act) -> anyhow::Result<()> {
        let (tenant, proposal_id) = (POHDE.to_owned(), self.proposal.to_string());
        let (mut handling, mut proposals) = (world.handling(), world.proposals());
        let coordinator = || world.coordinator();
        match act {
            Act::Submit => taken(submit(world, self.proposal).await?),
            Act::Withdraw => {
                let request = pb::WithdrawProposalRequest { proposal_id };
                taken(proposals.withdraw_proposal(world.by(world.client(1), request)?).await)
            }
            Act::Screen if stage_of(world, self.proposal).await == "submitted" => {
                world.screen(self.proposal).await.map(drop)
            }
            Act::Reject => {
                let reason = pb::ScreeningReason::NotAboutServices.into();
                let (explanation, reviewed) = ("Ehdotus ei koske palveluja.".to_owned(), true);
                let request = pb::RejectProposalRequest {
                    tenant,
                    proposal_id,
                    reason,
                    explanation,
                    reviewed,
                    ..pb::RejectProposalRequest::default()
                };
                taken(handling.reject_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Redirect => {
                let (kind, reviewed) = (pb::Redirection::OwnWorker.into(), true);
                let advice = "Ota yhteyttä omaan työntekijääsi.".to_owned();
                let request = pb::RedirectProposalRequest {
                    tenant,
                    proposal_id,
                    kind,
                    advice,
                    reviewed,
                    ..pb::RedirectProposalRequest::default()
                };
                taken(handling.redirect_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Merge => {
                let (into_proposal_id, explanation) = (self.other.to_string(), WHY.to_owned());
                let request = pb::MergeProposalRequest {
                    tenant,
                    proposal_id,
                    into_proposal_id,
                    explanation,
                    ..pb::MergeProposalRequest::default()
                };
                let merged = handling.merge_proposal(world.by(coordinator(), request)?).await;
                if merged.is_ok() {
                    // What both ask for goes on in the other one.
                    std::mem::swap(&mut self.proposal, &mut self.other);
                }
                taken(merged)
            }
            Act::Split => {
                let part = |number: u32| pb::SplitPart {
                    language: "fi".to_owned(),
                    title: format!("{TITLE_CANARY}, osa {number}"),
                    summary: format!("Haluamme tätä, {CANARY}."),
                    category: pb::Category::WayOfWorking.into(),
                    unit_ids: vec![world.units.ii_day.to_string()],
                    ..pb::SplitPart::default()
                };
                let (parts, explanation) = (vec![part(1), part(2)], WHY.to_owned());
                let request = pb::SplitProposalRequest {
                    tenant,
                    proposal_id,
                    parts,
                    explanation,
                    ..pb::SplitProposalRequest::default()
                };
                let split = handling.split_proposal(world.by(coordinator(), request)?).await;
                if let Ok(split) = &split
                    && let Some(first) = split.get_ref().parts.first()
                {
                    self.proposal = first.proposal_id.parse()?;
                }
                taken(split)
            }
            Act::Hide => {
                let explanation = "Ehdotus koski toista ihmistä.".to_owned();
                let request = pb::HideProposalRequest {
                    tenant,
                    proposal_id,
                    explanation,
                    ..pb::HideProposalRequest::default()
                };
                taken(handling.hide_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Show => {
                let explanation = "Ehdotus on nyt kunnossa.".to_owned();
                let request = pb::ShowProposalRequest {
                    tenant,
                    proposal_id,
                    explanation,
                    ..pb::ShowProposalRequest::default()
                };
                taken(handling.show_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Shortlist => {
                if stage_of(world, self.proposal).await == "open" {
                    world.make_plain(self.proposal).await?;
                }
                let request = pb::ShortlistProposalRequest { tenant, proposal_id };
                taken(handling.shortlist_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Reopen => {
                let request = pb::ReopenProposalRequest { tenant, proposal_id };
                taken(handling.reopen_proposal(world.by(coordinator(), request)?).await)
            }
            Act::Send => {
                let forum_id = world.forum.to_string();
                let request = pb::SendToForumRequest { tenant, proposal_id, forum_id };
                taken(handling.send_to_forum(world.by(coordinator(), request)?).await)
            }
            Act::Support => {
                let supporter = world.client(self.random.random_range(2..6));
                let request = pb::GiveSupportRequest { proposal_id, ..pb::GiveSupportRequest::default() };
                let mut community = CommunityServiceClient::new(world.system.channel());
                taken(community.give_support(world.by(supporter, request)?).await)
            }
            // A human screens what waits for it; the rest is refused in other tests.
            _ => Ok(()),
        }
    }
}

async fn delay(world: &World, proposal: ProposalId, due_on: &str) -> anyhow::Result<Called<()>> {
    let delay = pb::DelayChangeRequest {
        unit_id: lead(world).to_string(),
        proposal_id: proposal.to_string(),
        due_on: due_on.to_owned(),
        reason_plain: "Ohjaaja sairastui.".to_owned(),
        ..pb::DelayChangeRequest::default()
    };
    Ok(world.changes().delay_change(world.by(world.staff(lead(world)), delay)?).await.map(drop))
}

async fn cancel(world: &World, proposal: ProposalId, answer: pb::Answer) -> anyhow::Result<Called<()>> {
    let cancel = pb::CancelChangeRequest {
        unit_id: lead(world).to_string(),
        proposal_id: proposal.to_string(),
        answer: Some(answer),
        reviewed: true,
    };
    Ok(world.changes().cancel_change(world.by(world.manager(lead(world)), cancel)?).await.map(drop))
}

/// Every proposal there is: in the tables, and this history's as the public is told.
async fn check(world: &World, history: &History, seen: &mut Seen) -> anyhow::Result<()> {
    let question = "SELECT stage, COALESCE(owner_role, ''), COALESCE(next_step, ''), COALESCE(due_on, ''), \
         (SELECT COUNT(*) FROM feedback_item WHERE proposal_id = proposal.id AND published_on IS NOT NULL) \
         FROM proposal";
    for row in world.rows(question).await {
        let stage: String = row.try_get_by_index(0)?;
        let promise: [String; 3] =
            [row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?];
        let cards: i64 = row.try_get_by_index(4)?;
        let is_still = stage == "draft" || ENDED.contains(&stage.as_str());
        let owed = promise.iter().filter(|part| !part.is_empty()).count();
        anyhow::ensure!(owed == if is_still { 0 } else { 3 }, "{stage} has {promise:?}");
        anyhow::ensure!(!TOLD.contains(&stage.as_str()) || cards > 0, "{stage} and nobody was told why");
        seen.insert(stage);
    }
    let proposal_id = history.proposal.to_string();
    let get = pb::GetPromiseRequest { proposal_id: proposal_id.clone() };
    let standing = match world.answers().get_promise(get).await {
        // What no human found fit to read, or was hidden, is not told of.
        Err(status) if status.code() == Code::NotFound => return Ok(()),
        told => told?.into_inner().standing.context("a standing")?,
    };
    let stage = standing.stage.unwrap_or_default().stage();
    let get = pb::GetFeedbackRequest { proposal_id, ..Default::default() };
    let card = world.loop_cards().get_feedback(get).await?.into_inner().card;
    if let Some(promise) = standing.promise {
        anyhow::ensure!(stage != pb::ProposalStage::Closed, "what is over owes nothing");
        anyhow::ensure!(promise.owner() != pb::OwnerRole::Unspecified, "somebody's turn");
        anyhow::ensure!(promise.next_step() != pb::NextStep::Unspecified, "with something");
        let late = history.today > day(&promise.due_on);
        anyhow::ensure!(promise.late == late, "late is told: {} on {}", promise.due_on, history.today);
    } else {
        anyhow::ensure!(stage != pb::ProposalStage::Closed || card.is_some(), "closed without feedback");
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
    let hidden = format!("SELECT COUNT(*) FROM proposal WHERE own_words LIKE '%{CANARY}%'");
    anyhow::ensure!(world.value::<i64>(&hidden).await > 0, "there is something to look for");
    Ok(())
}

#[tokio::test]
async fn p7_no_history_leaves_a_proposal_without_promise_closes_it_in_silence_or_tells_too_much()
-> anyhow::Result<()> {
    let mut seen = Seen::new();
    // A new world now and then: the forum's term ends some day.
    for first in [0, 6, 12, 18] {
        run(Store::Sqlite, async |world| histories(world, first..first + 6, &mut seen).await).await?;
    }
    let rare = ["withdrawn", "merged", "split", "redirected", "rejected_at_screening", "closed"];
    let way = ["before_forum", "awaiting_response", "answered", "in_implementation", "implemented"];
    for stage in rare.into_iter().chain(way) {
        assert!(seen.contains(stage), "no history came to {stage}: {seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn p7_no_history_leaves_a_proposal_without_promise_closes_it_in_silence_or_tells_too_much_on_postgresql()
-> anyhow::Result<()> {
    run(Store::Postgres, async |world| histories(world, 100..105, &mut Seen::new()).await).await
}
