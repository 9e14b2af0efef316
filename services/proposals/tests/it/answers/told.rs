//! Who is told of a loop card, and how it reaches them (S2.39).

use std::collections::BTreeSet;

use futures::FutureExt as _;
use kernel::{ActingMode, Subject, Uuid};
use proposals::domain::proposal::{Ending, Stage};
use proposals::store;
use tonic::Code;

use super::*;
use crate::support::{Store, refusal, run};

const ENDORSED: &str = "2026-10-12";

#[tokio::test]
async fn s2_39_a_card_reaches_everybody_once_page_by_page() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.proposal_before_forum("Ehdotus").await?;
        let author = world.person(1);
        let supporters: Vec<Subject> = (1..=450).map(|n| Uuid::from_u128(0xABC_0000 + n).into()).collect();
        let followers: Vec<Subject> = supporters.iter().skip(400).copied().chain([author]).collect();
        let writer = world.writer()?;
        // No act may take long, so a few at a time.
        for some in supporters.chunks(30) {
            let support = writer.internal("story", (proposal, some.to_vec()), |tx, (proposal, some)| {
                async move {
                    let today = tx.now().helsinki_date();
                    for person in some {
                        store::supports::give(tx.conn(), *proposal, *person, today, ActingMode::Alone)
                            .await?;
                    }
                    Ok(())
                }
                .boxed()
            });
            support.await?;
        }
        for some in followers.chunks(30) {
            let follow = writer.internal("story", (proposal, some.to_vec()), |tx, (proposal, some)| {
                async move {
                    let today = tx.now().helsinki_date();
                    for person in some {
                        store::follows::follow(tx.conn(), *proposal, *person, today).await?;
                    }
                    Ok(())
                }
                .boxed()
            });
            follow.await?;
        }
        // Who wrote it down, who helped, and who helped with one that goes on in it.
        let merged = world.submitted_proposal("Sama ehdotus").await?;
        let [recorder, helper, of_merged] = [901, 902, 903].map(|number| world.person(number));
        let hands = writer.internal("story", (proposal, merged), move |tx, (id, merged)| {
            async move {
                let mut proposal = store::proposals::load(tx.conn(), *id).await?;
                (proposal.acting.recorder, proposal.acting.helper) = (Some(recorder), Some(helper));
                store::proposals::save(tx.conn(), &proposal).await?;
                let mut merged = store::proposals::load(tx.conn(), *merged).await?;
                merged.acting.helper = Some(of_merged);
                (merged.stage, merged.promise) = (Stage::Ended { how: Ending::Merged { into: *id } }, None);
                store::proposals::save(tx.conn(), &merged).await
            }
            .boxed()
        });
        hands.await?;
        world.do_not_endorse(proposal, ENDORSED).await?;
        world.tell_and_close(proposal).await?;
        let notices = world.system.directory().notices();
        let told = |template: &str| {
            let of =
                notices.iter().filter(|one| one.template == template && one.dedupe_key.starts_with("card/"));
            of.map(|one| one.references.len()).collect::<Vec<_>>()
        };
        assert_eq!(told("proposals.feedback_published"), [200, 200, 54], "the author once too");
        let references: Vec<String> = notices
            .iter()
            .filter(|one| one.template == "proposals.feedback_published")
            .flat_map(|one| one.references.clone())
            .collect();
        for person in [recorder, helper, of_merged] {
            let times = references.iter().filter(|one| **one == person.to_string()).count();
            assert_eq!(times, 1, "once by its key: {person}");
        }
        let mut steps = notices.iter().filter(|one| one.template == "proposals.step_taken");
        let last = steps.next_back().context("a step was told")?;
        assert_eq!(last.references.len(), 51, "author and followers, not supporters");
        let delivered: Vec<pb::FeedbackDelivered> = world.published().await;
        assert_eq!(delivered[0].recipients_bucket, "50+");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM telling").await, 0, "the round is over");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn s2_39_the_reason_of_a_refusal_is_its_card_for_the_author_alone() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let mine = world.submitted_proposal("Uusi bussipysäkki").await?;
        let anonymous = pb::SubmitAnonymouslyRequest {
            tenant: POHDE.to_owned(),
            content: Some(world.content("Toinen bussipysäkki")),
            ..pb::SubmitAnonymouslyRequest::default()
        };
        let anonymous = world.anonymous(anonymous)?;
        let anonymous = world.proposals().submit_anonymously(anonymous).await?.into_inner();
        let theirs: ProposalId = anonymous.proposal.context("a proposal")?.proposal_id.parse()?;
        let why = "Bussipysäkeistä päättää kunta. ".repeat(30);
        for proposal in [mine, theirs] {
            let reject = pb::RejectProposalRequest {
                tenant: POHDE.to_owned(),
                proposal_id: proposal.to_string(),
                reason: pb::ScreeningReason::NotAboutServices.into(),
                explanation: why.clone(),
                other_languages: Vec::new(),
                reviewed: true,
                ..pb::RejectProposalRequest::default()
            };
            world.handling().reject_proposal(world.by(world.coordinator(), reject)?).await?;
        }
        world.jobs_done().await?;
        let get = pb::GetMyFeedbackRequest { proposal_id: mine.to_string() };
        let card = world.loop_cards().get_my_feedback(world.by(world.client(1), get.clone())?).await?;
        let card = card.into_inner().card.context("a card")?;
        assert_eq!((card.state(), card.lines.len()), (pb::FeedbackState::Delivered, 1));
        assert_eq!(card.lines[0].we_could_not, why.trim());
        let other = world.loop_cards().get_my_feedback(world.by(world.client(2), get)?).await;
        assert_eq!(refusal(other)?.0, Code::NotFound);
        let by_id = |proposal: ProposalId| pb::GetFeedbackRequest {
            proposal_id: proposal.to_string(),
            ..pb::GetFeedbackRequest::default()
        };
        for proposal in [mine, theirs] {
            let public = world.loop_cards().get_feedback(by_id(proposal)).await;
            assert_eq!(refusal(public)?.0, Code::NotFound, "it was never public");
        }
        let by_code = |code: &str| pb::GetFeedbackRequest {
            return_code: code.to_owned(),
            ..pb::GetFeedbackRequest::default()
        };
        let card = world.loop_cards().get_feedback(by_code(&anonymous.return_code)).await?.into_inner().card;
        assert_eq!(card.context("a card")?.proposal_id, theirs.to_string());
        let wrong = world.loop_cards().get_feedback(by_code("0000-0000-0000-0000")).await;
        assert_eq!(refusal(wrong)?.0, Code::NotFound);
        let closed: Vec<pb::ProposalClosed> = world.published().await;
        assert!(closed.iter().all(|one| one.outcome == "rejected_at_screening") && closed.len() == 2);
        let delivered: Vec<pb::FeedbackDelivered> = world.published().await;
        let told: BTreeSet<&str> = delivered.iter().map(|one| one.recipients_bucket.as_str()).collect();
        assert_eq!(told, BTreeSet::from(["0", "1–4"]), "who gave no name is told by nobody");
        Ok(())
    })
    .await
}
