//! A visit: its pairs, its answers, taking the latest one back; said twice, done once.

use proto::proposals as pb;
use tonic::Code;

use super::{Round, comparisons, counters_are_rows};
use crate::support::{Store, refusal, run};

#[tokio::test]
async fn the_latest_answer_is_taken_back_and_its_pair_waits_again() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = Round::open(world, 6, false).await?;
            let mut visitor = round.visit(world, None).await?;
            assert_eq!((visitor.visit.most_pairs, visitor.visit.undoable), (15, 0));
            assert_eq!(refusal(visitor.undo(9).await)?.1, "proposals.nothing_to_undo");
            let first = visitor.pair().expect("a pair");
            visitor.compare_pair(1, pb::Side::Left, true).await?;
            let second = visitor.pair().expect("another pair");
            assert_eq!((visitor.visit.compared, visitor.visit.undoable), (1, 1));
            assert_eq!(round.public(world).await?.0.assisted, 1, "told in the total");
            visitor.undo(1).await?;
            assert_eq!(visitor.pair().as_ref(), Some(&first), "the same pair, the same way round");
            assert_eq!((visitor.visit.compared, visitor.visit.undoable), (0, 0));
            let now = round.public(world).await?.0;
            assert_eq!((now.comparisons, now.sessions, now.assisted), (0, 0, 0));
            visitor.undo(1).await?;
            assert_eq!(visitor.pair().as_ref(), Some(&first), "it waits already");
            visitor.compare_pair(1, pb::Side::Right, false).await?;
            assert_eq!(visitor.pair().as_ref(), Some(&second), "and then the one that was shown before");
            visitor.skip(pb::SkipReason::NotUnderstood).await?;
            assert_eq!(refusal(visitor.undo(1).await)?.1, "proposals.nothing_to_undo", "the latest only");
            visitor.undo(2).await?;
            assert_eq!(round.public(world).await?.0.skips, 0);
            counters_are_rows(world).await;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_twice_counts_once() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        let mut visitor = round.visit(world, None).await?;
        let compare = pb::CompareRequest {
            session_token: visitor.token.clone(),
            pair_number: 1,
            better: pb::Side::Left.into(),
            assisted: false,
        };
        let key = world.ids.uuid().to_string();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let mut request = tonic::Request::new(compare.clone());
            request.metadata_mut().insert("idempotency-key", key.parse()?);
            answers.push(comparisons(world).compare(request).await?.into_inner());
        }
        assert_eq!(answers[0], answers[1], "the same command has the same answer");
        visitor.compare_pair(1, pb::Side::Left, false).await?;
        assert_eq!(
            visitor.visit,
            answers[0].visit.clone().unwrap_or_default(),
            "under another key it is done already"
        );
        let other = visitor.compare_pair(1, pb::Side::Right, false).await;
        assert_eq!(refusal(other)?, (Code::FailedPrecondition, "proposals.pair_answered".to_owned()));
        for number in [0, 3, 99] {
            let unseen = visitor.compare_pair(number, pb::Side::Left, false).await;
            assert_eq!(refusal(unseen)?.1, "proposals.pair_not_waiting", "only what was shown is answered");
        }
        let unsaid = visitor.compare_pair(2, pb::Side::Unspecified, false).await;
        assert_eq!(refusal(unsaid)?.0, Code::InvalidArgument);
        assert_eq!(round.public(world).await?.0.comparisons, 1);
        counters_are_rows(world).await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pair_waits_for_whoever_comes_back() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        let mut visitor = round.visit(world, None).await?;
        let before = visitor.visit.clone();
        visitor.look().await?;
        assert_eq!(visitor.visit, before);
        assert_eq!(world.texts("SELECT COUNT(*) || '' FROM pair_offer").await, ["1"], "shown once");
        let shown = visitor.pair().expect("a pair").1.shown;
        assert_eq!(shown, 0, "who compares is not told which idea is new");
        Ok(())
    })
    .await
}

/// A token would be worth nothing if whoever guesses another's idempotency key got it, or whoever reads the database.
#[tokio::test]
async fn the_token_of_a_visit_is_told_once_and_kept_nowhere() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        let start = pb::StartSessionRequest { round_id: round.id.clone(), municipality: "139".to_owned() };
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let mut request = tonic::Request::new(start.clone());
            request.metadata_mut().insert("idempotency-key", "00000000-guessed-key".parse()?);
            tokens.push(comparisons(world).start_session(request).await?.into_inner().session_token);
        }
        assert_ne!(tokens[0], tokens[1], "the same key begins another visit");
        assert!(tokens.iter().all(|token| token.len() == 64));
        for table in world.texts("SELECT name FROM sqlite_master WHERE type = 'table'").await {
            let columns = world
                .texts(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')"))
                .await;
            for row in world.texts(&format!("SELECT {} FROM {table}", columns.join(" || '|' || "))).await {
                let held = tokens.iter().find(|token| {
                    row.contains(token.as_str())
                        || row.contains(&token.to_uppercase())
                        || row.contains(&hex(token))
                });
                assert!(held.is_none(), "{table} holds a token");
            }
        }
        let wrong = pb::NextPairRequest { session_token: "0".repeat(64) };
        let wrong = comparisons(world).next_pair(world.anonymous(wrong)?).await;
        assert_eq!(refusal(wrong)?, (Code::NotFound, "proposals.no_such_session".to_owned()));
        let unread = pb::NextPairRequest { session_token: "token".to_owned() };
        let unread = comparisons(world).next_pair(world.anonymous(unread)?).await;
        assert_eq!(refusal(unread)?, (Code::InvalidArgument, "request.invalid".to_owned()));
        Ok(())
    })
    .await
}

/// The bytes of a text as a database quotes a blob.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn how_an_answer_was_given_is_forgotten_when_the_round_closes() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        for _ in 0..3 {
            let mut visitor = round.visit(world, None).await?;
            visitor.compare_pair(1, pb::Side::Left, true).await?;
        }
        let kept = "SELECT COUNT(*) || '' FROM comparison_session WHERE latest = 'assisted'";
        assert_eq!(world.texts(kept).await, ["3"]);
        let closed = round.close(world).await?;
        world.jobs_done().await?;
        assert_eq!((closed.assisted, world.texts(kept).await), (3, vec!["0".to_owned()]));
        Ok(())
    })
    .await
}

/// A row of the command log has a time and an answer: with the pairs of the visits it would tell who answered what when.
#[tokio::test]
async fn nothing_of_a_visit_is_in_the_command_log() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        let before = world.texts("SELECT rpc FROM command_log").await;
        let mut visitor = round.visit(world, None).await?;
        visitor.look().await?;
        visitor.compare(pb::Side::Left).await?;
        visitor.undo(1).await?;
        visitor.compare(pb::Side::Right).await?;
        visitor.skip(pb::SkipReason::CannotSay).await?;
        assert_eq!(round.public(world).await?.0.comparisons, 1);
        assert_eq!(world.texts("SELECT rpc FROM command_log").await, before);
        Ok(())
    })
    .await
}

/// Whoever begins visits until the pair comes that they want would steer what everybody else is shown.
#[tokio::test]
async fn visits_that_answer_nothing_do_not_move_what_others_are_shown() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 6, false).await?;
        let start = pb::StartSessionRequest { round_id: round.id.clone(), municipality: String::new() };
        for _ in 0..200 {
            comparisons(world).start_session(world.anonymous(start.clone())?).await?;
        }
        assert_eq!(
            world.texts("SELECT COUNT(*) || '' FROM pair_offer").await,
            ["0"],
            "no pair is chosen yet"
        );
        for _ in 0..200 {
            round.visit(world, None).await?;
        }
        let shown = async || {
            let (_, ideas) = round.public(world).await?;
            anyhow::Ok(ideas.iter().map(|idea| idea.shown).sum::<u64>())
        };
        assert_eq!(shown().await?, 0);
        let mut visitor = round.visit(world, None).await?;
        visitor.compare(pb::Side::Left).await?;
        assert_eq!(shown().await?, 2, "an answer counts");
        visitor.skip(pb::SkipReason::CannotSay).await?;
        assert_eq!(shown().await?, 4, "a skip counts as shown");
        visitor.undo(2).await?;
        assert_eq!(shown().await?, 2);
        counters_are_rows(world).await;
        Ok(())
    })
    .await
}

/// The order without few sessions, or counts without them, would tell how these answered.
#[tokio::test]
async fn what_is_published_does_not_tell_how_the_heaviest_sessions_answered() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        for (visits, left_out) in [(9, None), (10, Some(5))] {
            let round = Round::open(world, 6, false).await?;
            for _ in 0..visits {
                let mut visitor = round.visit(world, None).await?;
                while visitor.pair().is_some() {
                    visitor.compare(pb::Side::Left).await?;
                }
            }
            round.close(world).await?;
            round.publish(world).await?;
            let told = round.ranking(world).await?;
            assert_eq!(told.sensitivity.map(|told| told.sessions_left_out), left_out, "of {visits}");
        }
        assert_eq!(world.texts("SELECT DISTINCT part FROM ranked_idea").await, ["all"], "no other order");
        Ok(())
    })
    .await
}
