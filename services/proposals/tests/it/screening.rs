//! Screening by a human (P1), what belongs elsewhere (P9), what must be there before a forum (P2), moderation.

use kernel::ProposalId;
use proto::proposals as pb;
use tonic::{Code, Status};

use crate::support::{LAPHA, POHDE, Store, World, refusal, run};

mod secretaries;

const WHY: &str = "Asia ei koske hyvinvointialueen palveluja.";

fn reject(proposal: ProposalId, reason: pb::ScreeningReason, explanation: &str) -> pb::RejectProposalRequest {
    pb::RejectProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: proposal.to_string(),
        reason: reason.into(),
        explanation: explanation.to_owned(),
        other_languages: Vec::new(),
        reviewed: true,
        ..pb::RejectProposalRequest::default()
    }
}

fn redirect(proposal: ProposalId, kind: pb::Redirection) -> pb::RedirectProposalRequest {
    pb::RedirectProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: proposal.to_string(),
        kind: kind.into(),
        advice: "Ota yhteyttä omaan työntekijääsi. Hän auttaa sinua päätöksessä.".to_owned(),
        other_languages: Vec::new(),
        reviewed: true,
        ..pb::RedirectProposalRequest::default()
    }
}

fn screen(proposal: ProposalId) -> pb::ScreenProposalRequest {
    pb::ScreenProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: proposal.to_string(),
        ..pb::ScreenProposalRequest::default()
    }
}

/// The reasons among the steps of a proposal of client 1, with the stage that was come to. The step that comes to a stage
/// is the first one there; what happens at it later has no reason.
async fn reasons(world: &World, proposal: ProposalId) -> anyhow::Result<Vec<(pb::ProposalStage, String)>> {
    let steps = world.mine(proposal).await?.steps;
    let stage = |step: &pb::ProposalStep| step.stage.as_ref().map(pb::StageDetail::stage);
    let with_reason = steps.iter().enumerate().filter(|(_, step)| !step.reason.is_empty());
    let came = with_reason.map(|(at, step)| {
        let first = steps.iter().position(|other| stage(other) == stage(step));
        assert_eq!(first, Some(at), "the step that came there has it: {steps:?}");
        (stage(step).unwrap_or_default(), step.reason.clone())
    });
    Ok(came.collect())
}

#[tokio::test]
async fn p1_a_rejection_has_a_reason_from_the_closed_list_a_human_and_plain_words() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Enemmän lunta").await?;
        let send = async |request: pb::RejectProposalRequest| -> anyhow::Result<Result<_, Status>> {
            Ok(world.handling().reject_proposal(world.by(world.coordinator(), request)?).await)
        };
        let listed = pb::ScreeningReason::NotAboutServices;
        let none = send(reject(proposal, pb::ScreeningReason::Unspecified, WHY)).await?;
        assert_eq!(refusal(none)?, (Code::InvalidArgument, "request.invalid".to_owned()));
        let wordless = send(reject(proposal, listed, "ei")).await?;
        assert_eq!(refusal(wordless)?, (Code::InvalidArgument, "request.invalid".to_owned()));
        let unknown = pb::RejectProposalRequest { reason: 99, ..reject(proposal, listed, WHY) };
        assert_eq!(refusal(send(unknown).await?)?.0, Code::InvalidArgument);
        for caller in [world.client(1), world.manager(world.units.ii_day), world.coordinator_of(LAPHA)] {
            let request = world.by(caller, reject(proposal, listed, WHY))?;
            assert_eq!(refusal(world.handling().reject_proposal(request).await)?.0, Code::PermissionDenied);
        }

        for _ in 0..2 {
            let rejected =
                send(reject(proposal, listed, WHY)).await??.into_inner().proposal.unwrap_or_default();
            let stage = rejected.stage.unwrap_or_default();
            assert_eq!(
                (stage.stage(), stage.screening_reason()),
                (pb::ProposalStage::RejectedAtScreening, listed)
            );
        }
        let rejected = (pb::ProposalStage::RejectedAtScreening, WHY.to_owned());
        assert_eq!(reasons(world, proposal).await?, [rejected], "the author is told why, where it ended");
        assert!(world.public(proposal).await.is_err(), "what is refused is not public");
        let [event] = &world.published::<pb::ProposalRejectedAtScreening>().await[..] else { panic!("once") };
        assert_eq!(event.reason, "not_about_services");
        let other = send(reject(proposal, pb::ScreeningReason::Abusive, WHY)).await?;
        assert_eq!(refusal(other)?, (Code::FailedPrecondition, "proposals.stage".to_owned()));
        assert_eq!(
            refusal(
                world.handling().screen_proposal(world.by(world.coordinator(), screen(proposal))?).await
            )?
            .1,
            "proposals.stage"
        );

        let log = pb::GetModerationLogRequest {
            tenant: POHDE.to_owned(),
            ..pb::GetModerationLogRequest::default()
        };
        let log = world.proposals().get_moderation_log(log).await?.into_inner().entries;
        let [entry] = &log[..] else { panic!("one entry: {log:?}") };
        assert_eq!((entry.act.as_str(), entry.reason.as_str()), ("refused", WHY));
        assert_eq!((entry.what.as_str(), entry.happened_on.as_str()), ("proposal", "2026-09-07"));
        Ok(())
    })
    .await
}

/// However long nobody screens it: time alone ends nothing, and everybody whose work it is sees that it is late.
#[tokio::test]
async fn p1_nothing_is_rejected_by_time_and_what_is_late_comes_first() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let old = world.submitted_proposal("Vanha").await?;
        world.on("2026-09-20").await?;
        let new = world.submitted_proposal("Uusi").await?;
        let list = pb::ListToScreenRequest { tenant: POHDE.to_owned(), ..pb::ListToScreenRequest::default() };
        let waiting = async || {
            let request = world.by(world.coordinator(), list.clone())?;
            let answer = world.handling().list_to_screen(request).await?.into_inner();
            let one = |queued: pb::QueuedProposal| {
                let proposal = queued.proposal.unwrap_or_default();
                (proposal.proposal_id, proposal.promise.is_some_and(|promise| promise.late))
            };
            anyhow::Ok(answer.proposals.into_iter().map(one).collect::<Vec<_>>())
        };
        assert_eq!(waiting().await?, [(old.to_string(), true), (new.to_string(), false)]);
        world.on("2027-09-20").await?;
        world.jobs_done().await?;
        assert_eq!(waiting().await?, [(old.to_string(), true), (new.to_string(), true)]);
        assert_eq!(
            world.mine(old).await?.proposal.unwrap_or_default().stage.unwrap_or_default().stage(),
            pb::ProposalStage::Submitted
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p9_what_may_be_personal_data_needs_a_humans_word_before_it_is_public() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let mut content = world.content("Ulkoilua");
        content.body = "Soita minulle 040 123 4567. Haluan ulos.".to_owned();
        let create = pb::CreateDraftRequest {
            tenant: POHDE.to_owned(),
            content: Some(content),
            ..pb::CreateDraftRequest::default()
        };
        let created = world.proposals().create_draft(world.by(world.client(1), create)?).await?.into_inner();
        let warned: Vec<(&str, &str)> =
            created.findings.iter().map(|finding| (finding.kind.as_str(), finding.place.as_str())).collect();
        assert_eq!(warned, [("phone", "body")], "the author is warned while writing");
        assert_eq!((created.findings[0].starts_at, created.findings[0].length), (14, 12));
        let proposal: ProposalId = created.proposal.unwrap_or_default().proposal_id.parse()?;
        let submit = pb::SubmitProposalRequest {
            proposal_id: proposal.to_string(),
            ..pb::SubmitProposalRequest::default()
        };
        world.proposals().submit_proposal(world.by(world.client(1), submit)?).await?;

        let send = async |findings: Vec<pb::FindingJudgement>| -> anyhow::Result<Result<_, Status>> {
            let request = pb::ScreenProposalRequest { findings, ..screen(proposal) };
            Ok(world.handling().screen_proposal(world.by(world.coordinator(), request)?).await)
        };
        let judged = |finding_no, decision: pb::FindingDecision| {
            vec![pb::FindingJudgement { finding_no, decision: decision.into() }]
        };
        let silent = send(Vec::new()).await?;
        assert_eq!(refusal(silent)?, (Code::FailedPrecondition, "proposals.findings_open".to_owned()));
        let undecided = send(judged(1, pb::FindingDecision::Unspecified)).await?;
        assert_eq!(refusal(undecided)?.1, "request.invalid");
        let unknown = send(judged(2, pb::FindingDecision::Fine)).await?;
        assert_eq!(refusal(unknown)?, (Code::InvalidArgument, "proposals.no_such_finding".to_owned()));
        assert!(world.public(proposal).await.is_err(), "a refusal changes nothing");
        send(judged(1, pb::FindingDecision::Removed)).await??;
        let handled = world.handled(proposal).await?;
        assert_eq!(handled.findings[0].decision(), pb::FindingDecision::Removed);
        assert!(world.public(proposal).await.is_ok());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p9_a_proposal_about_an_own_decision_goes_to_the_own_worker_with_advice() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let waiting = world.submitted_proposal("Minun päätökseni").await?;
        let open = world.open_proposal("Ruoka oli kylmää").await?;
        let send = async |request: pb::RedirectProposalRequest| -> anyhow::Result<Result<_, Status>> {
            Ok(world.handling().redirect_proposal(world.by(world.coordinator(), request)?).await)
        };
        let nowhere = send(redirect(waiting, pb::Redirection::Unspecified)).await?;
        assert_eq!(refusal(nowhere)?.1, "request.invalid");
        let silent = pb::RedirectProposalRequest {
            advice: String::new(),
            ..redirect(waiting, pb::Redirection::OwnWorker)
        };
        assert_eq!(refusal(send(silent).await?)?.1, "request.invalid");
        for (proposal, kind) in
            [(waiting, pb::Redirection::OwnWorker), (open, pb::Redirection::ServiceFeedback)]
        {
            for _ in 0..2 {
                let gone = send(redirect(proposal, kind)).await??.into_inner().proposal.unwrap_or_default();
                let stage = gone.stage.unwrap_or_default();
                assert_eq!((stage.stage(), stage.redirection()), (pb::ProposalStage::Redirected, kind));
            }
            let told = (pb::ProposalStage::Redirected, redirect(proposal, kind).advice);
            assert_eq!(
                reasons(world, proposal).await?,
                [told],
                "the author is told what to do, where it ended"
            );
        }
        let kinds: Vec<String> =
            world.published::<pb::ProposalRedirected>().await.into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, ["own_worker", "service_feedback"]);
        assert!(world.public(waiting).await.is_err(), "nobody else ever saw it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p2_a_proposal_comes_before_a_forum_with_reviewed_plain_title_and_summary_and_a_picture()
-> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Ulkoilua").await?;
        let send = async |forum: kernel::ForumId| -> anyhow::Result<Result<_, Status>> {
            let request = pb::SendToForumRequest {
                tenant: POHDE.to_owned(),
                proposal_id: proposal.to_string(),
                forum_id: forum.to_string(),
            };
            Ok(world.handling().send_to_forum(world.by(world.coordinator(), request)?).await)
        };
        let early = send(world.forum).await?;
        assert_eq!(refusal(early)?.1, "proposals.stage", "it is not on the shortlist");
        let (tenant, proposal_id) = (POHDE.to_owned(), proposal.to_string());
        let shortlist = pb::ShortlistProposalRequest { tenant, proposal_id };
        for _ in 0..2 {
            let request = world.by(world.coordinator(), shortlist.clone())?;
            world.handling().shortlist_proposal(request).await?;
        }
        let bare = send(world.forum).await?.unwrap_err();
        let fault = chassis::fault(&bare);
        let lacking: Vec<&str> = fault.fields().iter().map(|field| field.field.as_str()).collect();
        let expected = vec!["title.fi-selko", "summary.fi-selko", "symbols"];
        assert_eq!((fault.code(), lacking), ("proposals.forms_missing", expected));
        world.make_plain(proposal).await?;
        let foreign = send(world.other_forum).await?;
        assert_eq!(refusal(foreign)?, (Code::InvalidArgument, "proposals.unknown_forum".to_owned()));
        let unknown = send(world.ids.new_id()).await?;
        assert_eq!(refusal(unknown)?.1, "proposals.unknown_forum");
        send(world.forum).await??;
        let [sent] = &world.published::<pb::ProposalSentToForum>().await[..] else { panic!("sent once") };
        assert_eq!(sent.forum_id, world.forum.to_string());
        let titles: Vec<&str> = sent.titles.iter().map(|title| title.language.as_str()).collect();
        assert_eq!(titles, ["fi", "fi-selko"], "what a meeting needs of a topic (F11)");
        assert_eq!(world.published::<pb::ProposalShortlisted>().await.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hidden_proposal_is_out_of_sight_with_a_public_reason_and_no_name() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Ulkoilua").await?;
        let why = "Tekstissä oli toisen ihmisen asioita.";
        let hide = pb::HideProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: why.to_owned(),
            ..pb::HideProposalRequest::default()
        };
        let waiting = world.submitted_proposal("Ei vielä julkinen").await?;
        let unseen = pb::HideProposalRequest { proposal_id: waiting.to_string(), ..hide.clone() };
        let unseen = world.handling().hide_proposal(world.by(world.coordinator(), unseen)?).await;
        assert_eq!(refusal(unseen)?.1, "proposals.not_public");
        for _ in 0..2 {
            world.handling().hide_proposal(world.by(world.coordinator(), hide.clone())?).await?;
        }
        assert!(world.public(proposal).await.is_err());
        let list =
            pb::ListProposalsRequest { tenant: POHDE.to_owned(), ..pb::ListProposalsRequest::default() };
        assert_eq!(world.proposals().list_proposals(list).await?.into_inner().proposals, []);
        let mine = world.mine(proposal).await?;
        assert_eq!(mine.hidden_reason, why, "its author learns why");
        assert!(mine.proposal.unwrap_or_default().promise.is_some(), "the promise goes on");

        let show = pb::ShowProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: "Teksti on nyt korjattu.".to_owned(),
            ..pb::ShowProposalRequest::default()
        };
        world.handling().show_proposal(world.by(world.coordinator(), show)?).await?;
        assert!(world.public(proposal).await.is_ok());
        let log = pb::GetModerationLogRequest {
            tenant: POHDE.to_owned(),
            ..pb::GetModerationLogRequest::default()
        };
        let log = world.proposals().get_moderation_log(log).await?.into_inner().entries;
        let acts: Vec<(&str, &str)> =
            log.iter().map(|entry| (entry.act.as_str(), entry.reason.as_str())).collect();
        assert_eq!(
            acts,
            [("shown", "Teksti on nyt korjattu."), ("hidden", why)],
            "each once, the newest first"
        );
        let shown = format!("{log:?}");
        let officer = world.coordinator().subject()?.to_string();
        assert!(!shown.contains(&officer) && !shown.contains("Haluamme"), "neither who nor the text");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn s1_26_the_coordinator_routes_to_the_right_units_and_the_count_is_kept() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let units = [world.units.pudasjarvi_housing, world.units.ii_day].map(|unit| unit.to_string());
        let request = pb::ScreenProposalRequest { unit_ids: units.to_vec(), ..screen(proposal) };
        let screened = world.handling().screen_proposal(world.by(world.coordinator(), request)?).await?;
        let screened = screened.into_inner().proposal.unwrap_or_default();
        assert_eq!(screened.lead_unit_id, units[0], "S1.11: the first one leads");
        assert_eq!(screened.unit_ids.len(), 2);
        let route = |unit_ids: Vec<String>| pb::RouteProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            unit_ids,
            lead_unit_id: String::new(),
        };
        let send = async |request: pb::RouteProposalRequest| -> anyhow::Result<Result<_, Status>> {
            Ok(world.handling().route_proposal(world.by(world.coordinator(), request)?).await)
        };
        assert_eq!(refusal(send(route(Vec::new())).await?)?.1, "request.invalid");
        let foreign = send(route(vec![world.units.simo_day.to_string()])).await?;
        assert_eq!(refusal(foreign)?.1, "proposals.unknown_unit");
        let work = vec![world.units.ii_work.to_string()];
        assert_eq!(send(route(work.clone())).await??.into_inner().reroutings, 2);
        assert_eq!(send(route(work)).await??.into_inner().reroutings, 2, "the same again is no change");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_screens_a_proposal_of_their_own() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let create = pb::CreateDraftRequest {
            tenant: POHDE.to_owned(),
            content: Some(world.content("Henkilöstökin ehdottaa")),
            ..pb::CreateDraftRequest::default()
        };
        let me = world.coordinator();
        let created = world.proposals().create_draft(world.by(me.clone(), create)?).await?.into_inner();
        let id = created.proposal.unwrap_or_default().proposal_id;
        let submit =
            pb::SubmitProposalRequest { proposal_id: id.clone(), ..pb::SubmitProposalRequest::default() };
        world.proposals().submit_proposal(world.by(me.clone(), submit)?).await?;
        let refused = world.handling().screen_proposal(world.by(me, screen(id.parse()?))?).await;
        assert_eq!(refusal(refused)?, (Code::PermissionDenied, "proposals.own_proposal".to_owned()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_the_coordinator_of_the_county_handles_its_proposals() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world: &mut World| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let request = world.by(world.coordinator_of(LAPHA), screen(proposal))?;
        assert_eq!(refusal(world.handling().screen_proposal(request).await)?.0, Code::PermissionDenied);
        let elsewhere = pb::ScreenProposalRequest { tenant: LAPHA.to_owned(), ..screen(proposal) };
        let request = world.by(world.coordinator_of(LAPHA), elsewhere)?;
        assert_eq!(refusal(world.handling().screen_proposal(request).await)?.0, Code::NotFound);
        let request = world.by(world.secretary(world.forum), screen(proposal))?;
        assert_eq!(refusal(world.handling().screen_proposal(request).await)?.0, Code::PermissionDenied);
        Ok(())
    })
    .await
}

/// Negative test 13: nothing is called plain language that no human has found plain.
#[tokio::test]
async fn negative_test_13_a_reason_that_nobody_found_plain_ends_nothing() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Enemmän lunta").await?;
        let reason = pb::ScreeningReason::NotAboutServices;
        let unread = pb::RejectProposalRequest { reviewed: false, ..reject(proposal, reason, WHY) };
        let unread = world.handling().reject_proposal(world.by(world.coordinator(), unread)?).await;
        assert_eq!(refusal(unread)?, (Code::FailedPrecondition, "proposals.forms_missing".to_owned()));
        let kind = pb::Redirection::OwnWorker;
        let unread = pb::RedirectProposalRequest { reviewed: false, ..redirect(proposal, kind) };
        let unread = world.handling().redirect_proposal(world.by(world.coordinator(), unread)?).await;
        assert_eq!(refusal(unread)?.1, "proposals.forms_missing");
        let standard = pb::RejectProposalRequest {
            other_languages: vec![pb::ExplanationForm { form: "sv".to_owned(), content: WHY.to_owned() }],
            ..reject(proposal, reason, WHY)
        };
        let standard = world.handling().reject_proposal(world.by(world.coordinator(), standard)?).await;
        assert_eq!(refusal(standard)?.1, "request.invalid");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM feedback_item").await, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn screening_with_other_units_twice_is_screening_once() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let (unit, other) = (world.units.ii_work.to_string(), world.units.pudasjarvi_housing.to_string());
        let screen = pb::ScreenProposalRequest { unit_ids: vec![unit.clone()], ..screen(proposal) };
        for _ in 0..2 {
            let request = world.by(world.coordinator(), screen.clone())?;
            let screened = world.handling().screen_proposal(request).await?.into_inner();
            assert_eq!(screened.proposal.unwrap_or_default().unit_ids, std::slice::from_ref(&unit));
        }
        assert_eq!(world.published::<pb::ProposalScreened>().await.len(), 1);
        let elsewhere = pb::ScreenProposalRequest { unit_ids: vec![other], ..screen };
        let elsewhere = world.handling().screen_proposal(world.by(world.coordinator(), elsewhere)?).await;
        assert_eq!(refusal(elsewhere)?.1, "proposals.stage");
        Ok(())
    })
    .await
}
