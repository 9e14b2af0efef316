//! Own ideas: nobody sees one before a human has read it.

use proto::proposals as pb;
use sea_orm::QueryResult;
use tonic::Code;

use super::{Round, comparisons};
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

/// Nothing that a participant wrote stays unread for ever.
#[tokio::test]
async fn an_own_idea_that_nobody_reads_ends_on_its_day_or_with_its_round() -> anyhow::Result<()> {
    for closing in [false, true] {
        run(Store::Sqlite, async |world| {
            let round = Round::open(world, 4, true).await?;
            let mut visitor = round.visit(world, None).await?;
            let added = visitor.add_idea(RAW).await?;
            assert_eq!(added.review_due_on, "2026-09-28", "a week, as for a proposal");
            assert_eq!(waiting(world, &round).await?[0].review_due_on, "2026-09-28");
            world.on("2026-09-28").await?;
            world.jobs_done().await?;
            assert_eq!(own(world, &added.idea_id).await?.state(), pb::OwnIdeaState::Waiting);
            if closing {
                round.close(world).await?;
            } else {
                world.on("2026-09-29").await?;
                world.jobs_done().await?;
            }
            let told = own(world, &added.idea_id).await?;
            assert_eq!((told.state(), told.review_due_on.as_str()), (pb::OwnIdeaState::Rejected, ""));
            assert!(told.reason.contains("ei ehditty lukea"), "{told:?}");
            assert_eq!(world.texts("SELECT text FROM comparison_idea WHERE own").await, [""]);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
