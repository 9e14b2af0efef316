//! Own ideas: nobody sees one before a human has read it.

use proto::proposals as pb;
use sea_orm::QueryResult;
use tonic::Code;

use super::{Round, comparisons, counters_are_rows};
use crate::support::{POHDE, Store, World, refusal, run};

/// What nobody but the human who reads it may see.
const RAW: &str = "Liisan 040 1234567 kuoro";

fn approve(round: &Round, idea_id: &str) -> pb::ApproveOwnIdeaRequest {
    pb::ApproveOwnIdeaRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_id: idea_id.to_owned(),
        text: "Yhteinen kuoro".to_owned(),
        picture: "outdoors".to_owned(),
    }
}

fn reject(round: &Round, idea_id: &str) -> pb::RejectOwnIdeaRequest {
    pb::RejectOwnIdeaRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_id: idea_id.to_owned(),
        reason: "Ideassa on toisen ihmisen nimi. Sitä ei voi näyttää muille.".to_owned(),
    }
}

async fn own(world: &World, idea_id: &str) -> anyhow::Result<pb::OwnIdea> {
    let request = pb::GetOwnIdeaRequest { idea_id: idea_id.to_owned() };
    Ok(comparisons(world).get_own_idea(request).await?.into_inner().idea.unwrap_or_default())
}

async fn waiting(world: &World, round: &Round) -> anyhow::Result<Vec<pb::WaitingIdea>> {
    let request = pb::ListOwnIdeasRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        purpose: "Osallistujien ideoiden tarkistus".to_owned(),
        ..pb::ListOwnIdeasRequest::default()
    };
    let listed = comparisons(world).list_own_ideas(world.by(world.coordinator(), request)?).await?;
    Ok(listed.into_inner().ideas)
}

/// Texts of all ideas that visits are shown.
async fn shown(world: &World, round: &Round, visits: usize) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for _ in 0..visits {
        let mut visitor = round.visit(world, None).await?;
        while let Some((_, one, other)) = visitor.pair() {
            texts.extend([one.text, other.text]);
            visitor.compare(pb::Side::Left).await?;
        }
    }
    Ok(texts)
}

#[tokio::test]
async fn an_own_idea_is_shown_to_nobody_before_a_human_has_approved_it() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = Round::open(world, 4, true).await?;
            let mut visitor = round.visit(world, None).await?;
            assert!(!visitor.visit.own_idea_invited, "from half-way");
            for _ in 0..3 {
                visitor.compare(pb::Side::Left).await?;
            }
            assert!(visitor.visit.own_idea_invited);
            let added = visitor.add_idea(RAW).await?;
            assert_eq!(added.state(), pb::OwnIdeaState::Waiting);
            assert_eq!(own(world, &added.idea_id).await?, added);
            let (now, ideas) = round.public(world).await?;
            assert_eq!((now.idea_count, ideas.len()), (4, 4));
            assert!(shown(world, &round, 4).await?.iter().all(|text| text.starts_with("Idea ")));
            assert_eq!(world.event_names().await, ["ComparisonRoundOpened"]);
            let queue = waiting(world, &round).await?;
            assert_eq!(queue.iter().map(|idea| idea.text.as_str()).collect::<Vec<_>>(), [RAW]);
            assert!(queue[0].findings.contains(&"phone".to_owned()), "{:?}", queue[0].findings);

            let approved = comparisons(world)
                .approve_own_idea(world.by(world.coordinator(), approve(&round, &added.idea_id))?)
                .await?
                .into_inner();
            let again = comparisons(world)
                .approve_own_idea(world.by(world.coordinator(), approve(&round, &added.idea_id))?)
                .await?
                .into_inner();
            assert_eq!(again, approved, "approved already");
            let (now, ideas) = round.public(world).await?;
            assert_eq!((now.idea_count, ideas.len(), ideas[4].text.as_str()), (5, 5, "Yhteinen kuoro"));
            assert!(ideas[4].own);
            assert!(shown(world, &round, 1).await?.contains(&"Yhteinen kuoro".to_owned()));
            assert_eq!(world.event_names().await, ["ComparisonRoundOpened", "OwnIdeaAdded"]);
            let refused = comparisons(world)
                .reject_own_idea(world.by(world.coordinator(), reject(&round, &added.idea_id))?)
                .await;
            assert_eq!(refusal(refused)?.1, "proposals.idea_decided");
            let refused = comparisons(world)
                .reject_own_idea(world.by(world.coordinator(), reject(&round, &round.ideas[0]))?)
                .await;
            assert_eq!(refusal(refused)?.1, "proposals.not_an_own_idea");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_own_idea_that_is_not_let_in_leaves_a_reason_in_plain_words_and_no_text() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 4, true).await?;
        let mut visitor = round.visit(world, None).await?;
        let added = visitor.add_idea(RAW).await?;
        for _ in 0..2 {
            let request = world.by(world.coordinator(), reject(&round, &added.idea_id))?;
            let rejected =
                comparisons(world).reject_own_idea(request).await?.into_inner().idea.unwrap_or_default();
            assert_eq!(rejected.state(), pb::OwnIdeaState::Rejected);
        }
        let told = own(world, &added.idea_id).await?;
        assert!(told.reason.starts_with("Ideassa on toisen ihmisen nimi"), "{told:?}");
        assert!(waiting(world, &round).await?.is_empty());
        assert_eq!(round.public(world).await?.0.idea_count, 4);
        let refused = comparisons(world)
            .approve_own_idea(world.by(world.coordinator(), approve(&round, &added.idea_id))?)
            .await;
        assert_eq!(refusal(refused)?.1, "proposals.idea_decided");
        let log = "SELECT what || ' ' || act || ' ' || reason FROM moderation_log";
        let log = world.texts(log).await;
        assert_eq!(log, ["idea refused Ideassa on toisen ihmisen nimi. Sitä ei voi näyttää muille."], "once");
        // Neither the rows nor the answers that are kept, nor events nor the audit log.
        let left = world.texts("SELECT text FROM comparison_idea WHERE own").await;
        assert_eq!(left, [""]);
        let bytes = |row: &QueryResult| row.try_get_by_index::<Vec<u8>>(0).unwrap_or_default();
        for question in ["SELECT response FROM command_log", "SELECT payload FROM event_log"] {
            for row in world.rows(question).await {
                assert!(!bytes(&row).windows(5).any(|part| part == b"Liisa"), "{question}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_visit_adds_three_ideas_and_a_round_that_takes_none_adds_none() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 4, true).await?;
        let mut visitor = round.visit(world, None).await?;
        for number in 0..3 {
            visitor.add_idea(&format!("Oma idea {number}")).await?;
        }
        let fourth = refusal(visitor.add_idea("Neljäs").await)?;
        assert_eq!(fourth, (Code::ResourceExhausted, "proposals.own_ideas_of_session".to_owned()));
        let long = refusal(round.visit(world, None).await?.add_idea(&"x".repeat(61)).await)?;
        assert_eq!(long, (Code::InvalidArgument, "request.invalid".to_owned()));
        let closed_circle = Round::open(world, 4, false).await?;
        let refused = refusal(closed_circle.visit(world, None).await?.add_idea("Uimakerho").await)?;
        assert_eq!(refused, (Code::FailedPrecondition, "proposals.no_own_ideas".to_owned()));
        let stored = world.texts("SELECT COUNT(*) || '' FROM comparison_idea WHERE own").await;
        assert_eq!(stored, ["3"], "bad input changes nothing");
        Ok(())
    })
    .await
}

/// Nothing is rejected by time (P1): whoever should have read it is told, and it waits on.
#[tokio::test]
async fn p1_an_own_idea_that_nobody_reads_is_late_and_waits_on_when_its_round_closes() -> anyhow::Result<()> {
    for (store, closing) in [(Store::Sqlite, false), (Store::Sqlite, true), (Store::Postgres, true)] {
        run(store, async |world| {
            let round = Round::open(world, 4, true).await?;
            let mut visitor = round.visit(world, None).await?;
            let added = visitor.add_idea(RAW).await?;
            assert_eq!(
                (added.review_due_on.as_str(), added.late),
                ("2026-09-28", false),
                "a week, as a proposal"
            );
            world.on("2026-09-28").await?;
            world.jobs_done().await?;
            assert!(!waiting(world, &round).await?[0].late);
            assert_eq!(late_notices(world), 0);
            if closing {
                round.close(world).await?;
            }
            for day in ["2026-09-29", "2026-10-15"] {
                world.on(day).await?;
                world.jobs_done().await?;
                let told = own(world, &added.idea_id).await?;
                assert_eq!((told.state(), told.late), (pb::OwnIdeaState::Waiting, true), "{day}");
                let queue = waiting(world, &round).await?;
                assert_eq!((queue[0].text.as_str(), queue[0].late), (RAW, true), "{day}");
                assert_eq!(late_notices(world), 1, "the coordinators, once");
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

fn late_notices(world: &World) -> usize {
    let told = world.system.directory().role_notices();
    told.iter().filter(|notice| notice.template == "proposals.own_idea_late").count()
}

/// A human decides about it also when the round is over.
#[tokio::test]
async fn p1_an_own_idea_is_rejected_by_a_human_after_the_round_too() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 4, true).await?;
        let added = round.visit(world, None).await?.add_idea(RAW).await?;
        round.close(world).await?;
        let request = world.by(world.coordinator(), reject(&round, &added.idea_id))?;
        comparisons(world).reject_own_idea(request).await?;
        let told = own(world, &added.idea_id).await?;
        assert_eq!(told.state(), pb::OwnIdeaState::Rejected);
        assert!(told.reason.starts_with("Ideassa on toisen ihmisen nimi"), "{told:?}");
        assert_eq!(world.texts("SELECT text FROM comparison_idea WHERE own").await, [""]);
        Ok(())
    })
    .await
}

async fn shortlist(
    world: &World,
    round: &Round,
    idea_id: &str,
) -> anyhow::Result<Result<Vec<String>, tonic::Status>> {
    let request = pb::ShortlistFromRoundRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_ids: vec![idea_id.to_owned()],
    };
    let chosen = comparisons(world).shortlist_from_round(world.by(world.coordinator(), request)?).await;
    Ok(chosen.map(|chosen| chosen.into_inner().proposal_ids))
}

#[tokio::test]
async fn an_own_idea_that_is_chosen_becomes_a_proposal_that_waits_for_screening() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = Round::open(world, 4, true).await?;
            let mut visitor = round.visit(world, None).await?;
            let (early, late) = (visitor.add_idea(RAW).await?, visitor.add_idea("Uimakerho").await?);
            let approval = |idea: &pb::OwnIdea| world.by(world.coordinator(), approve(&round, &idea.idea_id));
            comparisons(world).approve_own_idea(approval(&early)?).await?;
            for _ in 0..10 {
                let mut visitor = round.visit(world, None).await?;
                while visitor.pair().is_some() {
                    visitor.compare(pb::Side::Left).await?;
                }
            }
            round.close(world).await?;
            let refused = shortlist(world, &round, &late.idea_id).await?;
            assert_eq!(refusal(refused)?.1, "proposals.idea_not_in_round", "no human has read it");
            // Approved after the close: compared with nothing, and counted nowhere.
            comparisons(world).approve_own_idea(approval(&late)?).await?;
            assert_eq!(own(world, &late.idea_id).await?.state(), pb::OwnIdeaState::Approved);
            let (now, ideas) = round.public(world).await?;
            assert_eq!((now.idea_count, ideas.len()), (5, 5));
            assert_eq!(world.published::<pb::OwnIdeaAdded>().await.len(), 1, "the other one only");
            let [of_late] = &shortlist(world, &round, &late.idea_id).await??[..] else { panic!("one") };
            let refused = shortlist(world, &round, &early.idea_id).await?;
            assert_eq!(refusal(refused)?.1, "proposals.ranking_not_published");

            round.publish(world).await?;
            let of_early = shortlist(world, &round, &early.idea_id).await??;
            assert_eq!(shortlist(world, &round, &early.idea_id).await??, of_early, "made once");
            assert_ne!(&of_early[0], of_late);
            let submitted: Vec<pb::ProposalSubmitted> = world.published().await;
            let ids: Vec<&String> = submitted.iter().map(|event| &event.proposal_id).collect();
            assert_eq!(ids, [of_late, &of_early[0]], "told once each");
            let proposal = of_early[0].parse()?;
            let handled = world.handled(proposal).await?.proposal.unwrap_or_default();
            assert_eq!(handled.stage.unwrap_or_default().stage(), pb::ProposalStage::Submitted);
            assert_eq!(handled.promise.unwrap_or_default().next_step(), pb::NextStep::Screen);
            let (_, ideas) = round.public(world).await?;
            assert_eq!(ideas[4].proposal_id, of_early[0]);
            let public = pb::GetProposalRequest { proposal_id: of_early[0].clone() };
            assert!(
                world.proposals().get_proposal(public).await.is_err(),
                "not before a human has screened it"
            );

            // Addressed to a unit and screened, it is shortlisted like the others.
            let unit = world.units.ii_day.to_string();
            let route = pb::RouteProposalRequest {
                tenant: POHDE.to_owned(),
                proposal_id: of_early[0].clone(),
                unit_ids: vec![unit.clone()],
                lead_unit_id: unit,
            };
            world.handling().route_proposal(world.by(world.coordinator(), route)?).await?;
            world.screen(proposal).await?;
            assert_eq!(shortlist(world, &round, &early.idea_id).await??, of_early);
            let stage = world.public(proposal).await?.stage.unwrap_or_default();
            assert_eq!(stage.stage(), pb::ProposalStage::Shortlisted);
            counters_are_rows(world).await;
            Ok(())
        })
        .await?;
    }
    Ok(())
}
