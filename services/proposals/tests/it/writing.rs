//! What authors do: drafts, co-authors, no name, dictation, own words.

use kernel::{ActingMode, Caller, Helper};
use proto::proposals as pb;
use tonic::Code;

use crate::support::{LAPHA, POHDE, Store, World, refusal, run};

fn create(world: &World, title: &str) -> pb::CreateDraftRequest {
    pb::CreateDraftRequest {
        tenant: POHDE.to_owned(),
        content: Some(world.content(title)),
        ..pb::CreateDraftRequest::default()
    }
}

fn submit(proposal: impl ToString) -> pb::SubmitProposalRequest {
    pb::SubmitProposalRequest { proposal_id: proposal.to_string(), ..pb::SubmitProposalRequest::default() }
}

#[tokio::test]
async fn a_draft_is_its_authors_alone_is_edited_and_deleted() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Ulkoilua").await?;
        let get = pb::GetMyProposalRequest { proposal_id: draft.to_string() };
        let other = world.proposals().get_my_proposal(world.by(world.client(2), get)?).await;
        assert_eq!(refusal(other)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        let read = pb::GetHandledProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: draft.to_string(),
            purpose: "curiosity".to_owned(),
            ..pb::GetHandledProposalRequest::default()
        };
        let staff = world.handling().get_handled_proposal(world.by(world.coordinator(), read)?).await;
        assert_eq!(refusal(staff)?.1, "proposals.no_such_proposal", "staff sees no drafts");

        let mut swedish = world.content("Mer utevistelse");
        swedish.language = "sv".to_owned();
        swedish.goals = vec!["meaningful_life".to_owned(), "client_orientation".to_owned()];
        swedish.set_perspective(pb::Perspective::Human);
        let edit = pb::EditDraftRequest {
            proposal_id: draft.to_string(),
            content: Some(swedish),
            ..pb::EditDraftRequest::default()
        };
        world.proposals().edit_draft(world.by(world.client(1), edit.clone())?).await?;
        let content = world.mine(draft).await?.content.unwrap_or_default();
        assert_eq!((content.language.as_str(), content.title.as_str()), ("sv", "Mer utevistelse"));
        assert_eq!(content.goals, ["client_orientation", "meaningful_life"], "in the order of the plan");
        assert_eq!(content.perspective(), pb::Perspective::Human);
        let stranger = world.proposals().edit_draft(world.by(world.client(2), edit)?).await;
        assert_eq!(refusal(stranger)?.0, Code::NotFound);

        let delete = pb::DeleteDraftRequest { proposal_id: draft.to_string() };
        world.proposals().delete_draft(world.by(world.client(1), delete)?).await?;
        assert!(world.mine(draft).await.is_err());
        for table in ["proposal", "proposal_unit", "proposal_author", "text_variant"] {
            assert_eq!(world.value::<i64>(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        assert_eq!(world.event_names().await, [""; 0], "nobody learns of drafts");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_draft_that_nobody_touches_is_deleted_after_its_days_and_no_sooner() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let touched = world.draft("Kosketaan").await?;
        let forgotten = world.draft("Unohdetaan").await?;
        let kept = world.submitted_proposal("Lähetetään").await?;
        world.on("2026-09-20").await?;
        let edit = pb::EditDraftRequest {
            proposal_id: touched.to_string(),
            content: Some(world.content("Kosketaan taas")),
            ..pb::EditDraftRequest::default()
        };
        world.proposals().edit_draft(world.by(world.client(1), edit)?).await?;
        world.on("2027-09-06").await?;
        world.jobs_done().await?;
        assert!(world.mine(forgotten).await.is_ok(), "364 days");
        world.on("2027-09-07").await?;
        world.jobs_done().await?;
        assert!(world.mine(forgotten).await.is_err(), "365 days");
        assert!(world.mine(touched).await.is_ok() && world.mine(kept).await.is_ok());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_wrong_with_a_proposal_names_its_field_and_changes_nothing() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let base = create(world, "Ulkoilua");
        let changed = |change: &dyn Fn(&mut pb::Content)| {
            let mut request = base.clone();
            change(request.content.as_mut().unwrap());
            request
        };
        let other_county = world.units.simo_day.to_string();
        let wrong = [
            (changed(&|content| content.language = "fr".to_owned()), "request.invalid"),
            (changed(&|content| content.title = "x".repeat(121)), "request.invalid"),
            (changed(&|content| content.body = "x".repeat(5_001)), "request.invalid"),
            (changed(&|content| content.strength = "x".repeat(601)), "proposals.content"),
            (changed(&|content| content.own_words = "x".repeat(5_001)), "proposals.content"),
            (changed(&|content| content.set_category(pb::Category::Unspecified)), "request.invalid"),
            (changed(&|content| content.goals = vec!["world_peace".to_owned()]), "request.invalid"),
            (changed(&|content| content.unit_ids = vec![other_county.clone()]), "proposals.unknown_unit"),
            (changed(&|content| content.lead_unit_id = other_county.clone()), "proposals.units"),
            (pb::CreateDraftRequest { tenant: "9".to_owned(), ..base.clone() }, "request.invalid"),
            (
                pb::CreateDraftRequest { tenant: "02".to_owned(), ..base.clone() },
                "proposals.tenant_not_served",
            ),
        ];
        for (request, code) in wrong {
            let refused = world.proposals().create_draft(world.by(world.client(1), request.clone())?).await;
            assert_eq!(refusal(refused)?, (Code::InvalidArgument, code.to_owned()), "{request:?}");
        }
        let paper = pb::CreateDraftRequest { channel: pb::Channel::Paper.into(), ..base.clone() };
        let refused = world.proposals().create_draft(world.by(world.client(1), paper)?).await;
        assert_eq!(refusal(refused)?.1, "request.invalid", "paper is recorded by staff");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM proposal").await, 0);

        let mut bare = base.clone();
        bare.content = Some(pb::Content {
            language: "fi".to_owned(),
            category: pb::Category::Content.into(),
            ..pb::Content::default()
        });
        let created = world.proposals().create_draft(world.by(world.client(1), bare)?).await?.into_inner();
        let id = created.proposal.unwrap_or_default().proposal_id;
        let refused = world.proposals().submit_proposal(world.by(world.client(1), submit(&id))?).await;
        let status = refused.unwrap_err();
        let fault = chassis::fault(&status);
        let fields: Vec<&str> = fault.fields().iter().map(|field| field.field.as_str()).collect();
        assert_eq!((fault.code(), fields), ("proposals.incomplete", vec!["content.title", "content.body"]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn submitting_twice_is_submitting_once_and_nobody_submits_for_another() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Ulkoilua").await?;
        let stranger = world.proposals().submit_proposal(world.by(world.client(2), submit(draft))?).await;
        assert_eq!(refusal(stranger)?.0, Code::NotFound);
        let nobody = world.proposals().submit_proposal(world.anonymous(submit(draft))?).await;
        assert_eq!(refusal(nobody)?.0, Code::Unauthenticated);
        let first = world.proposals().submit_proposal(world.by(world.client(1), submit(draft))?).await?;
        let again = world.proposals().submit_proposal(world.by(world.client(1), submit(draft))?).await?;
        assert_eq!(first.into_inner(), again.into_inner());
        assert_eq!(world.event_names().await, ["ProposalSubmitted"]);
        let edit = pb::EditDraftRequest {
            proposal_id: draft.to_string(),
            content: Some(world.content("Muuta")),
            ..pb::EditDraftRequest::default()
        };
        let late = world.proposals().edit_draft(world.by(world.client(1), edit)?).await;
        assert_eq!(refusal(late)?, (Code::FailedPrecondition, "proposals.stage".to_owned()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proposal_is_taken_back_before_screening_and_not_after() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let withdraw = pb::WithdrawProposalRequest { proposal_id: proposal.to_string() };
        let stranger =
            world.proposals().withdraw_proposal(world.by(world.client(2), withdraw.clone())?).await;
        assert_eq!(refusal(stranger)?.0, Code::NotFound);
        for _ in 0..2 {
            let gone =
                world.proposals().withdraw_proposal(world.by(world.client(1), withdraw.clone())?).await?;
            let gone = gone.into_inner().proposal.unwrap_or_default();
            assert_eq!(gone.stage.unwrap_or_default().stage(), pb::ProposalStage::Withdrawn);
            assert_eq!(gone.promise, None);
        }
        let open = world.open_proposal("Toinen").await?;
        let withdraw = pb::WithdrawProposalRequest { proposal_id: open.to_string() };
        let late = world.proposals().withdraw_proposal(world.by(world.client(1), withdraw)?).await;
        assert_eq!(refusal(late)?.1, "proposals.too_late_to_withdraw");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_co_author_joins_by_a_code_once_and_edits_the_draft() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Yhdessä").await?;
        let invite = pb::InviteCoAuthorRequest { proposal_id: draft.to_string() };
        let stranger = world.proposals().invite_co_author(world.by(world.client(2), invite.clone())?).await;
        assert_eq!(refusal(stranger)?.0, Code::NotFound);
        let request = world.by(world.client(1), invite.clone())?;
        let key = request.metadata().get("idempotency-key").cloned().unwrap();
        let invited = world.proposals().invite_co_author(request).await?.into_inner();
        assert_eq!(invited.expires_on, "2026-10-07");
        let mut again = world.by(world.client(1), invite)?;
        again.metadata_mut().insert("idempotency-key", key);
        let replayed = world.proposals().invite_co_author(again).await?.into_inner();
        assert_eq!(replayed.code, invited.code, "the same command shows the same code again");
        for row in world.rows("SELECT response FROM command_log").await {
            let stored: Vec<u8> = row.try_get_by_index(0)?;
            let text = String::from_utf8_lossy(&stored).into_owned();
            assert!(!text.contains(&invited.code), "the log of answers does not have it");
        }

        let typed = invited.code.to_lowercase().replace('-', " ");
        let join = pb::JoinAsCoAuthorRequest { code: typed };
        let joined = world.proposals().join_as_co_author(world.by(world.client(2), join.clone())?).await?;
        assert_eq!(joined.into_inner().proposal.unwrap_or_default().proposal_id, draft.to_string());
        let used = world.proposals().join_as_co_author(world.by(world.client(3), join)?).await;
        assert_eq!(refusal(used)?, (Code::NotFound, "proposals.no_such_invitation".to_owned()));
        let edit = pb::EditDraftRequest {
            proposal_id: draft.to_string(),
            content: Some(world.content("Yhdessä ulos")),
            ..pb::EditDraftRequest::default()
        };
        world.proposals().edit_draft(world.by(world.client(2), edit)?).await?;
        assert_eq!(world.mine(draft).await?.content.unwrap_or_default().title, "Yhdessä ulos");

        let late = pb::InviteCoAuthorRequest { proposal_id: draft.to_string() };
        let late = world.proposals().invite_co_author(world.by(world.client(2), late)?).await?.into_inner();
        world.on("2026-10-08").await?;
        let expired = pb::JoinAsCoAuthorRequest { code: late.code };
        let expired = world.proposals().join_as_co_author(world.by(world.client(3), expired)?).await;
        assert_eq!(refusal(expired)?.1, "proposals.no_such_invitation");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p8_an_author_without_a_name_comes_back_by_a_code_of_which_only_a_hash_is_kept() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let request = pb::SubmitAnonymouslyRequest {
            tenant: POHDE.to_owned(),
            content: Some(world.content("Nimetön")),
            ..pb::SubmitAnonymouslyRequest::default()
        };
        let submitted = world.proposals().submit_anonymously(world.anonymous(request)?).await?.into_inner();
        let proposal = submitted.proposal.unwrap_or_default().proposal_id.parse()?;
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM proposal_author").await, 0);
        let code = submitted.return_code.replace('-', "");
        assert_eq!(code.len(), 16);
        for row in world.rows("SELECT response FROM command_log").await {
            let stored: Vec<u8> = row.try_get_by_index(0)?;
            let stored = String::from_utf8_lossy(&stored).into_owned();
            assert!(!stored.contains(&submitted.return_code) && !stored.contains(&code));
        }
        world.screen(proposal).await?;
        let get = pb::GetByReturnCodeRequest { return_code: submitted.return_code.to_lowercase() };
        let found =
            world.proposals().get_by_return_code(get).await?.into_inner().proposal.unwrap_or_default();
        assert_eq!(found.receipt_no, submitted.receipt_no);
        assert_eq!(found.steps.len(), 2);
        for wrong in ["7QK2-M0XA-93TB-5WCE", "", "not a code"] {
            let get = pb::GetByReturnCodeRequest { return_code: wrong.to_owned() };
            let refused = world.proposals().get_by_return_code(get).await;
            assert_eq!(refusal(refused)?, (Code::NotFound, "proposals.no_such_return_code".to_owned()));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn proposals_without_a_name_are_limited_by_the_minute() -> anyhow::Result<()> {
    let world = World::start(Store::Sqlite, &[("limits.rates", "true")]).await?;
    let request = pb::SubmitAnonymouslyRequest {
        tenant: POHDE.to_owned(),
        content: Some(world.content("Nimetön")),
        ..pb::SubmitAnonymouslyRequest::default()
    };
    let mut refused = Vec::new();
    for _ in 0..10 {
        let sent = world.proposals().submit_anonymously(world.anonymous(request.clone())?).await;
        refused.extend(sent.err().map(|status| chassis::fault(&status).code().to_owned()));
    }
    assert!(!refused.is_empty() && refused.iter().all(|code| code == "access.rate"), "{refused:?}");
    assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM proposal").await, 10 - refused.len() as i64);
    world.system.finish().await
}

#[tokio::test]
async fn m3_a_helper_from_the_unit_takes_no_proposal_back_and_confirms_no_words() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Ulkoilua").await?;
        let helper = Helper { reference: world.person(50), conflict_units: vec![world.units.ii_day] };
        let assisted = Caller { helper: Some(helper), mode: ActingMode::Assisted, ..world.client(1) };
        let withdraw = pb::WithdrawProposalRequest { proposal_id: proposal.to_string() };
        let refused = world.proposals().withdraw_proposal(world.by(assisted.clone(), withdraw)?).await;
        assert_eq!(refusal(refused)?.1, "proposals.conflict_of_interest");
        let confirm = pb::ConfirmMyWordsRequest {
            proposal_id: proposal.to_string(),
            answer: pb::Confirmation::Yes.into(),
            ..pb::ConfirmMyWordsRequest::default()
        };
        let refused = world.proposals().confirm_my_words(world.by(assisted, confirm)?).await;
        assert_eq!(refusal(refused)?.1, "proposals.conflict_of_interest");
        Ok(())
    })
    .await
}

/// Whatever staff or the public may ask for, no answer names who wrote it, helped, or wrote it down.
#[tokio::test]
async fn p8_no_answer_to_staff_or_public_shows_a_reference_of_an_author() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Ulkoilua").await?;
        world.submitted_proposal("Toinen").await?;
        let tenant = POHDE.to_owned();
        let list = pb::ListProposalsRequest { tenant: tenant.clone(), ..pb::ListProposalsRequest::default() };
        let screen = pb::ListToScreenRequest { tenant: tenant.clone(), ..pb::ListToScreenRequest::default() };
        let handling = pb::ListHandlingRequest { tenant, ..pb::ListHandlingRequest::default() };
        let answers = [
            format!("{:?}", world.public(proposal).await?),
            format!("{:?}", world.handled(proposal).await?),
            format!("{:?}", world.proposals().list_proposals(list).await?.into_inner()),
            format!(
                "{:?}",
                world.handling().list_to_screen(world.by(world.coordinator(), screen)?).await?.into_inner()
            ),
            format!(
                "{:?}",
                world.handling().list_handling(world.by(world.coordinator(), handling)?).await?.into_inner()
            ),
        ];
        let author = world.person(1).to_string();
        for answer in answers {
            assert!(answer.contains("proposal_id"), "{answer}");
            assert!(!answer.contains(&author), "{answer}");
        }
        let events = world.rows("SELECT payload FROM event_log").await;
        for row in events {
            let payload: Vec<u8> = row.try_get_by_index(0)?;
            assert!(!String::from_utf8_lossy(&payload).contains(&author));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_leaves_takes_their_drafts_along_and_their_name_from_the_rest() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Luonnos").await?;
        let open = world.open_proposal("Julkinen").await?;
        world.forget(world.person(1)).await?;
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM proposal_author").await, 0);
        assert!(world.public(open).await.is_ok(), "what was public stays");
        let drafts = "SELECT COUNT(*) FROM proposal WHERE stage = 'draft'";
        assert_eq!(world.value::<i64>(drafts).await, 0, "{draft}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_person_of_another_county_may_write_too() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let tenants = vec![crate::support::tenant(LAPHA)];
        let visitor = Caller { tenants, ..world.client(30) };
        let created = world.proposals().create_draft(world.by(visitor, create(world, "Vieras"))?).await?;
        assert_eq!(created.into_inner().proposal.unwrap_or_default().tenant, POHDE);
        Ok(())
    })
    .await
}
