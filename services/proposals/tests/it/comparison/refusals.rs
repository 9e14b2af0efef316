//! What scenario 3 rejects, and what is refused around it.

use proto::proposals as pb;
use tonic::Code;

use super::{Round, comparisons, new_idea, prepare};
use crate::support::{LAPHA, POHDE, Store, refusal, run};

/// What participants call.
const OF_PARTICIPANTS: [&str; 10] = [
    "GetRound",
    "ListRounds",
    "StartSession",
    "NextPair",
    "Compare",
    "SkipPair",
    "UndoLast",
    "AddOwnIdea",
    "GetOwnIdea",
    "GetRanking",
];

#[test]
fn nobody_who_compares_is_asked_to_sign_in() {
    for name in OF_PARTICIPANTS {
        let path = format!("/osallisuus.proposals.v1.ComparisonsService/{name}");
        let entry = proto::access::find(&path).unwrap();
        assert!(entry.anonymous && entry.any_of.is_empty(), "{name}");
        let secret = entry.mutating == (entry.audit == proto::access::Audit::Secret);
        assert!(secret, "{name}: an answer leaves no row of who gave it when");
    }
}

#[tokio::test]
async fn a_ranking_of_29_comparisons_or_4_sessions_is_not_published() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let few = Round::open(world, 4, false).await?;
            let crowd = Round::open(world, 8, false).await?;
            for (round, sessions, comparisons) in [(&few, 5, 29), (&crowd, 4, 40)] {
                let mut made = 0;
                for _ in 0..sessions {
                    let mut visitor = round.visit(world, None).await?;
                    while made < comparisons && visitor.pair().is_some() && visitor.visit.compared < 10 {
                        visitor.compare(pb::Side::Left).await?;
                        made += 1;
                    }
                }
                assert_eq!(made, comparisons);
                let early = refusal(round.publish(world).await)?;
                assert_eq!(early, (Code::FailedPrecondition, "proposals.round_still_open".to_owned()));
                round.close(world).await?;
            }
            for (round, code) in [(&few, "too_few_comparisons"), (&crowd, "too_few_sessions")] {
                let refused = refusal(round.publish(world).await)?;
                assert_eq!(refused, (Code::FailedPrecondition, format!("proposals.{code}")));
                let hidden = refusal(round.ranking(world).await)?;
                assert_eq!(hidden.1, "proposals.ranking_not_published");
            }
            world.policy("ranking_sessions", "4").await?;
            crowd.publish(world).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn ideas_are_compared_on_the_days_of_the_round_only() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::prepared(world, 4, true).await?;
        let start = pb::StartSessionRequest { round_id: round.id.clone(), municipality: String::new() };
        let start = async || {
            let request = world.anonymous(start.clone())?;
            anyhow::Ok(comparisons(world).start_session(request).await)
        };
        assert_eq!(refusal(start().await?)?, (Code::NotFound, "proposals.no_such_round".to_owned()));
        assert!(round.public(world).await.is_err(), "nobody sees a prepared round");
        assert!(round.open_now(world).await.is_err(), "not before its first day");
        world.on("2026-09-21").await?;
        round.open_now(world).await?;
        assert_eq!(round.open_now(world).await?.state(), pb::RoundState::Open, "open already");
        let mut visitor = round.visit(world, None).await?;
        world.on("2026-09-30").await?;
        visitor.compare(pb::Side::Left).await?;
        // Whether or not the timer has closed it yet.
        world.on("2026-10-01").await?;
        for refused in [
            visitor.compare(pb::Side::Left).await,
            visitor.skip(pb::SkipReason::BothBad).await,
            visitor.undo(1).await,
            visitor.look().await,
            visitor.add_idea("Uimakerho").await.map(drop),
            start().await?.map(drop),
        ] {
            assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.round_not_open".to_owned()));
        }
        world.jobs_done().await?;
        assert_eq!(round.public(world).await?.0.state(), pb::RoundState::Closed);
        assert_eq!(round.close(world).await?.state(), pb::RoundState::Closed, "closed already");
        assert_eq!(world.published::<pb::ComparisonRoundClosed>().await.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_round_is_prepared_of_open_proposals_and_short_ideas_with_pictures() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let open = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let waiting = world.submitted_proposal("Ruokalistaan saa vaikuttaa").await?;
        let ideas = |last: Vec<pb::NewIdea>| {
            let some = ["Yksi", "Kaksi", "Kolme"].map(|text| new_idea(text, None));
            prepare(some.into_iter().chain(last).collect(), true)
        };
        let long = new_idea(&"ä".repeat(61), None);
        let without = pb::NewIdea { picture: String::new(), ..new_idea("Ulos", None) };
        for (request, code) in [
            (ideas(vec![]), "proposals.ideas_of_round"),
            (ideas(vec![long]), "request.invalid"),
            (ideas(vec![without]), "request.invalid"),
            (ideas(vec![new_idea("Ruoka", Some(waiting))]), "proposals.idea_not_open"),
            (
                ideas(vec![new_idea("Ulos", Some(open)), new_idea("Ulos taas", Some(open))]),
                "proposals.proposal_twice",
            ),
            (ideas(vec![new_idea("Ulos", Some(world.ids.new_id()))]), "proposals.no_such_proposal"),
            (
                pb::PrepareRoundRequest {
                    closes_on: "2026-09-20".into(),
                    ..ideas(vec![new_idea("Ulos", None)])
                },
                "proposals.round",
            ),
        ] {
            let refused = comparisons(world).prepare_round(world.by(world.coordinator(), request)?).await;
            assert_eq!(refusal(refused)?.1, code);
        }
        let round = Round::prepare(world, ideas(vec![new_idea("Ulos", Some(open))])).await?;
        let other = Round::prepare(world, ideas(vec![new_idea("Ulos", Some(open))])).await?;
        world.on("2026-09-21").await?;
        round.open_now(world).await?;
        let (tenant, round_id) = (POHDE.to_owned(), other.id.clone());
        let again = pb::OpenRoundRequest { tenant, forum_id: String::new(), round_id };
        let refused = comparisons(world).open_round(world.by(world.coordinator(), again)?).await;
        assert_eq!(refusal(refused)?.1, "proposals.idea_not_open", "it is in comparison elsewhere");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_round_is_handled_by_its_county_and_its_forum_only() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let of_county = Round::prepared(world, 4, false).await?;
        let mut request =
            prepare((1..=4).map(|number| new_idea(&format!("Idea {number}"), None)).collect(), false);
        request.forum_id = world.forum.to_string();
        let prepared = world.by(world.secretary(world.forum), request.clone())?;
        let prepared = comparisons(world).prepare_round(prepared).await?;
        let of_forum = prepared.into_inner().round.unwrap_or_default();
        assert_eq!(of_forum.forum_id, world.forum.to_string());
        world.on("2026-09-21").await?;
        let open = |tenant: &str, forum: &str, round: &str| pb::OpenRoundRequest {
            tenant: tenant.to_owned(),
            forum_id: forum.to_owned(),
            round_id: round.to_owned(),
        };
        let (forum, other_forum) = (world.forum.to_string(), world.other_forum.to_string());
        for (who, message) in [
            (world.coordinator_of(LAPHA), open(LAPHA, "", &of_county.id)),
            (world.secretary(world.forum), open(POHDE, &forum, &of_county.id)),
            (world.secretary(world.other_forum), open(LAPHA, &other_forum, &of_forum.round_id)),
        ] {
            let refused = comparisons(world).open_round(world.by(who, message)?).await;
            assert_eq!(refusal(refused)?, (Code::NotFound, "proposals.no_such_round".to_owned()));
        }
        let refused = comparisons(world)
            .open_round(world.by(world.client(1), open(POHDE, &forum, &of_county.id))?)
            .await;
        assert_eq!(refusal(refused)?.0, Code::PermissionDenied);
        request.tenant = LAPHA.to_owned();
        request.forum_id = world.other_forum.to_string();
        request.tenant = POHDE.to_owned();
        let elsewhere =
            comparisons(world).prepare_round(world.by(world.secretary(world.other_forum), request)?).await;
        assert_eq!(refusal(elsewhere)?.1, "proposals.forum_of_round");
        let mine = open(POHDE, &forum, &of_forum.round_id);
        comparisons(world).open_round(world.by(world.secretary(world.forum), mine)?).await?;
        let list = pb::ListPreparedRoundsRequest { tenant: POHDE.to_owned(), ..Default::default() };
        let listed =
            comparisons(world).list_prepared_rounds(world.by(world.coordinator(), list)?).await?.into_inner();
        let listed: Vec<String> = listed.rounds.into_iter().map(|round| round.round_id).collect();
        assert_eq!(listed, [of_county.id]);
        let public = pb::ListRoundsRequest { tenant: POHDE.to_owned(), ..Default::default() };
        let public = comparisons(world).list_rounds(public).await?.into_inner();
        assert_eq!(
            public.rounds.iter().map(|round| round.round_id.as_str()).collect::<Vec<_>>(),
            [of_forum.round_id]
        );
        Ok(())
    })
    .await
}
