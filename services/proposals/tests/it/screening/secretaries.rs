//! Who screens besides the coordinator, and how long what never became public is kept.

use kernel::Caller;
use proto::proposals as pb;
use tonic::{Code, Status};

use super::{WHY, reasons, redirect, reject, screen};
use crate::support::{POHDE, Store, refusal, run};

/// The secretary of a forum screens what waits in the forum's counties; what follows is the coordinator's.
#[tokio::test]
async fn p1_secretaries_of_the_countys_forums_screen_too() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let (secretary, forum_id) = (world.secretary(world.forum), world.forum.to_string());
        let elsewhere = (world.secretary(world.other_forum), world.other_forum.to_string());
        let list = |forum_id: &String| pb::ListToScreenRequest {
            tenant: POHDE.to_owned(),
            forum_id: forum_id.clone(),
            ..pb::ListToScreenRequest::default()
        };
        let waiting = world.handling().list_to_screen(world.by(secretary.clone(), list(&forum_id))?).await?;
        assert_eq!(waiting.into_inner().proposals.len(), 1);
        let foreign =
            world.handling().list_to_screen(world.by(elsewhere.0.clone(), list(&elsewhere.1))?).await;
        assert_eq!(refusal(foreign)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        let get = |forum_id: &String| pb::GetHandledProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            purpose: "screening".to_owned(),
            forum_id: forum_id.clone(),
        };
        let read = async |who: &Caller, forum_id: &String| -> anyhow::Result<Result<_, Status>> {
            Ok(world.handling().get_handled_proposal(world.by(who.clone(), get(forum_id))?).await)
        };
        assert!(read(&secretary, &forum_id).await?.is_ok());
        assert_eq!(refusal(read(&elsewhere.0, &elsewhere.1).await?)?.1, "proposals.no_such_proposal");
        let send = async |who: &Caller, forum_id: &String| -> anyhow::Result<Result<_, Status>> {
            let request = pb::ScreenProposalRequest { forum_id: forum_id.clone(), ..screen(proposal) };
            Ok(world.handling().screen_proposal(world.by(who.clone(), request)?).await)
        };
        assert_eq!(refusal(send(&elsewhere.0, &elsewhere.1).await?)?.1, "proposals.no_such_proposal");
        assert_eq!(refusal(send(&elsewhere.0, &forum_id).await?)?.0, Code::PermissionDenied);
        for _ in 0..2 {
            let screened = send(&secretary, &forum_id).await??.into_inner().proposal.unwrap_or_default();
            assert_eq!(screened.stage.unwrap_or_default().stage(), pb::ProposalStage::Open);
        }
        let role = world
            .texts("SELECT DISTINCT reviewed_by_role FROM text_variant WHERE reviewed_by_role IS NOT NULL")
            .await;
        assert_eq!(role, ["forum_secretary"], "the review tells the role");
        assert_eq!(
            refusal(read(&secretary, &forum_id).await?)?.0,
            Code::NotFound,
            "it is not the forum's yet"
        );
        let late = pb::RedirectProposalRequest {
            forum_id: forum_id.clone(),
            ..redirect(proposal, pb::Redirection::OwnWorker)
        };
        let late = world.handling().redirect_proposal(world.by(secretary.clone(), late)?).await;
        assert_eq!(refusal(late)?.1, "proposals.stage", "what is open is the coordinator's");

        let other = world.submitted_proposal("Enemmän lunta").await?;
        let reason = pb::ScreeningReason::NotAboutServices;
        let refuse = pb::RejectProposalRequest { forum_id: forum_id.clone(), ..reject(other, reason, WHY) };
        world.handling().reject_proposal(world.by(secretary.clone(), refuse)?).await?;
        let hide = pb::HideProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: WHY.to_owned(),
            ..Default::default()
        };
        world.handling().hide_proposal(world.by(world.coordinator(), hide)?).await?;
        let hidden = send(&secretary, &forum_id).await??.into_inner().proposal.unwrap_or_default();
        assert_eq!(hidden.titles, [], "what is hidden is not told by saying again that it is fit");
        assert_eq!(reasons(world, other).await?, [(pb::ProposalStage::RejectedAtScreening, WHY.to_owned())]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tiha_12_texts_of_what_was_never_public_go_when_their_days_are_over() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let (proposal, public) =
            (world.submitted_proposal("Enemmän lunta").await?, world.open_proposal("Ulos").await?);
        let reason = pb::ScreeningReason::NotAboutServices;
        let refuse = world.by(world.coordinator(), reject(proposal, reason, WHY))?;
        world.handling().reject_proposal(refuse).await?;
        let kind = pb::Redirection::ServiceFeedback;
        let send = world.by(world.coordinator(), redirect(public, kind))?;
        world.handling().redirect_proposal(send).await?;
        let content = async |proposal| anyhow::Ok(world.mine(proposal).await?.content.unwrap_or_default());
        // 180 days from 7.9.2026 are over on 6.3.2027.
        world.on("2027-03-06").await?;
        world.jobs_done().await?;
        assert_eq!(content(proposal).await?.title, "Enemmän lunta", "its author may read it still");
        world.on("2027-03-07").await?;
        world.jobs_done().await?;
        let left = content(proposal).await?;
        assert_eq!((left.title.as_str(), left.body.as_str(), left.strength.as_str()), ("", "", ""));
        assert_eq!(reasons(world, proposal).await?.len(), 1, "what became of it, and why, stays");
        assert_eq!(content(public).await?.title, "Ulos", "what was public stays");
        Ok(())
    })
    .await
}
