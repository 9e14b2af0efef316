//! What a person said themselves is theirs: no other author reads it, and it goes when they go.

use chassis::Purpose;
use kernel::ProposalId;
use proto::proposals as pb;
use tonic::Code;

use crate::dictation::voucher;
use crate::support::{LAPHA, POHDE, Store, World, refusal, run};

/// What client 7 says to staff, who word it.
fn dictated(world: &World, own_words: &str, body: &str) -> anyhow::Result<pb::RecordDictatedProposalRequest> {
    let content =
        pb::Content { own_words: own_words.to_owned(), body: body.to_owned(), ..world.content("Ulkoilua") };
    let mut record = pb::RecordDictatedProposalRequest {
        unit_id: world.units.ii_work.to_string(),
        tenant: POHDE.to_owned(),
        voucher: voucher(world, Purpose::Dictation, world.units.ii_work, &[])?,
        content: Some(content),
        ..pb::RecordDictatedProposalRequest::default()
    };
    record.set_channel(pb::Channel::Meeting);
    Ok(record)
}

async fn record(world: &World, own_words: &str, body: &str) -> anyhow::Result<ProposalId> {
    let request = world.by(world.staff(world.units.ii_work), dictated(world, own_words, body)?)?;
    let recorded = world.proposals().record_dictated_proposal(request).await?.into_inner();
    Ok(recorded.proposal.unwrap_or_default().proposal_id.parse()?)
}

async fn seen_by(world: &World, client: u16, proposal: ProposalId) -> anyhow::Result<pb::MyProposal> {
    let get = pb::GetMyProposalRequest { proposal_id: proposal.to_string() };
    let mine = world.proposals().get_my_proposal(world.by(world.client(client), get)?).await?;
    Ok(mine.into_inner().proposal.unwrap_or_default())
}

fn confirm(proposal: ProposalId, answer: pb::Confirmation, correction: &str) -> pb::ConfirmMyWordsRequest {
    pb::ConfirmMyWordsRequest {
        proposal_id: proposal.to_string(),
        answer: answer.into(),
        correction: correction.to_owned(),
        helper_accepted: None,
    }
}

async fn merged(world: &mut World) -> anyhow::Result<()> {
    let own = record(world, "Ulos! Metsään.", "Haluaa ulos.").await?;
    world.screen(own).await?;
    let other = world.open_proposal("Metsään").await?;
    let merge = pb::MergeProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: other.to_string(),
        into_proposal_id: own.to_string(),
        explanation: "Ehdotukset koskevat samaa asiaa.".to_owned(),
        ..pb::MergeProposalRequest::default()
    };
    world.handling().merge_proposal(world.by(world.coordinator(), merge)?).await?;
    let mine = seen_by(world, 7, own).await?;
    let content = mine.content.unwrap_or_default();
    assert_eq!((content.own_words.as_str(), mine.to_confirm), ("Ulos! Metsään.", true));
    assert_eq!(content.strength, "Haluan liikkua ulkona.");

    let theirs = seen_by(world, 1, own).await?;
    let listed = world.by(world.client(1), pb::ListMyProposalsRequest::default())?;
    let listed = world.proposals().list_my_proposals(listed).await?.into_inner().proposals;
    let in_list = listed
        .into_iter()
        .find(|one| one.proposal.as_ref().is_some_and(|proposal| proposal.proposal_id == own.to_string()));
    for seen in [theirs, in_list.unwrap_or_default()] {
        let content = seen.content.clone().unwrap_or_default();
        assert_eq!(content.title, "Ulkoilua");
        assert_eq!((content.own_words.as_str(), content.strength.as_str()), ("", ""));
        assert_eq!(seen.acting_mode(), proto::common::ActingMode::Unspecified);
        assert!(!seen.to_confirm && seen.findings.is_empty());
    }
    let answer = confirm(own, pb::Confirmation::Yes, "");
    let refused = world.proposals().confirm_my_words(world.by(world.client(1), answer)?).await;
    assert_eq!(refusal(refused)?.0, Code::NotFound, "nor do they answer for another");
    let invite = pb::InviteCoAuthorRequest { proposal_id: own.to_string() };
    let refused = world.proposals().invite_co_author(world.by(world.client(1), invite)?).await;
    assert_eq!(refusal(refused)?.0, Code::NotFound, "they have no hand in it");
    Ok(())
}

#[tokio::test]
async fn the_author_of_a_merged_proposal_reads_no_own_words_of_the_other_one() -> anyhow::Result<()> {
    run(Store::Sqlite, merged).await
}

#[tokio::test]
async fn the_author_of_a_merged_proposal_reads_no_own_words_of_the_other_one_on_postgresql()
-> anyhow::Result<()> {
    run(Store::Postgres, merged).await
}

#[tokio::test]
async fn a_co_author_neither_reads_nor_overwrites_own_words_nor_takes_the_proposal_back() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Yhdessä").await?;
        let invite = pb::InviteCoAuthorRequest { proposal_id: draft.to_string() };
        let invited = world.proposals().invite_co_author(world.by(world.client(1), invite)?).await?;
        let join = pb::JoinAsCoAuthorRequest { code: invited.into_inner().code };
        world.proposals().join_as_co_author(world.by(world.client(2), join)?).await?;
        assert_eq!(seen_by(world, 2, draft).await?.content.unwrap_or_default().strength, "");
        let content = pb::Content { strength: String::new(), ..world.content("Yhdessä ulos") };
        let edit = pb::EditDraftRequest {
            proposal_id: draft.to_string(),
            content: Some(content),
            ..pb::EditDraftRequest::default()
        };
        world.proposals().edit_draft(world.by(world.client(2), edit)?).await?;
        let mine = world.mine(draft).await?.content.unwrap_or_default();
        assert_eq!((mine.title.as_str(), mine.strength.as_str()), ("Yhdessä ulos", "Haluan liikkua ulkona."));

        let first = (Code::PermissionDenied, "proposals.first_author".to_owned());
        let delete = pb::DeleteDraftRequest { proposal_id: draft.to_string() };
        let refused = world.proposals().delete_draft(world.by(world.client(2), delete)?).await;
        assert_eq!(refusal(refused)?, first);
        let submit = pb::SubmitProposalRequest {
            proposal_id: draft.to_string(),
            ..pb::SubmitProposalRequest::default()
        };
        world.proposals().submit_proposal(world.by(world.client(1), submit)?).await?;
        let withdraw = pb::WithdrawProposalRequest { proposal_id: draft.to_string() };
        let refused = world.proposals().withdraw_proposal(world.by(world.client(2), withdraw)?).await;
        assert_eq!(refusal(refused)?, first);
        Ok(())
    })
    .await
}

/// How many rows hold something of a proposal that was never public: texts, findings, own words.
async fn left_of(world: &World, proposal: ProposalId) -> (i64, i64, i64) {
    let id = proposal.as_uuid().simple().to_string();
    let hex = |column: &str| format!("lower(hex({column})) = '{id}'");
    let count = async |question: String| world.value::<i64>(&question).await;
    (
        count(format!("SELECT COUNT(*) FROM text_variant WHERE {}", hex("owner_id"))).await,
        count(format!("SELECT COUNT(*) FROM proposal_finding WHERE {}", hex("proposal_id"))).await,
        count(format!(
            "SELECT COUNT(*) FROM proposal WHERE {} AND (own_words <> '' OR strength <> '')",
            hex("id")
        ))
        .await,
    )
}

#[tokio::test]
async fn who_leaves_takes_their_own_words_along_and_the_texts_of_what_never_was_public() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let telling = "Soita 040 123 4567.";
        let public = record(world, telling, "Haluaa ulos.").await?;
        world.screen(public).await?;
        let refused = record(world, telling, telling).await?;
        let waiting = record(world, telling, telling).await?;
        let reject = |proposal: ProposalId| pb::RejectProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            reason: pb::ScreeningReason::NotAboutServices.into(),
            explanation: "Asia ei koske hyvinvointialueen palveluja.".to_owned(),
            other_languages: Vec::new(),
            reviewed: true,
            ..pb::RejectProposalRequest::default()
        };
        world.handling().reject_proposal(world.by(world.coordinator(), reject(refused))?).await?;
        let (texts, findings, own) = left_of(world, refused).await;
        assert!(texts > 0 && findings > 0 && own == 1, "there is something to delete");

        world.forget(world.person(7)).await?;
        assert_eq!(left_of(world, refused).await, (0, 0, 0));
        let (texts, findings, own) = left_of(world, public).await;
        assert!(texts > 0 && findings == 0 && own == 0, "what is public stays, without their own words");
        assert!(world.public(public).await.is_ok());
        // What still waits is decided first; nobody is left then who wrote it.
        assert_eq!(left_of(world, waiting).await.2, 0);
        world.handling().reject_proposal(world.by(world.coordinator(), reject(waiting))?).await?;
        assert_eq!(left_of(world, waiting).await, (0, 0, 0));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_taken_back_is_gone_and_staff_reads_nothing_of_it() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.submitted_proposal("Soita 040 123 4567").await?;
        assert!(left_of(world, proposal).await.0 > 0);
        let withdraw = pb::WithdrawProposalRequest { proposal_id: proposal.to_string() };
        for _ in 0..2 {
            let request = world.by(world.client(1), withdraw.clone())?;
            world.proposals().withdraw_proposal(request).await?;
        }
        let get = pb::GetHandledProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            purpose: "screening".to_owned(),
            ..pb::GetHandledProposalRequest::default()
        };
        let read = world.handling().get_handled_proposal(world.by(world.coordinator(), get)?).await;
        assert_eq!(refusal(read)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        assert_eq!(left_of(world, proposal).await, (0, 0, 0));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn staff_write_down_proposals_to_their_own_county_alone() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let content = pb::Content { unit_ids: Vec::new(), ..world.content("Muualle") };
        let elsewhere = pb::RecordDictatedProposalRequest {
            tenant: LAPHA.to_owned(),
            content: Some(content),
            ..dictated(world, "Ulos!", "Haluaa ulos.")?
        };
        let request = world.by(world.staff(world.units.ii_work), elsewhere)?;
        let refused = world.proposals().record_dictated_proposal(request).await;
        assert_eq!(refusal(refused)?, (Code::InvalidArgument, "proposals.unknown_unit".to_owned()));
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM proposal").await, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_correction_of_own_words_leaves_what_a_human_said_of_the_rest() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = record(world, "Ulos!", "Soita 040 123 4567.").await?;
        world.screen(proposal).await?;
        let correct = confirm(proposal, pb::Confirmation::No, "Soita 050 765 4321.");
        world.proposals().confirm_my_words(world.by(world.client(7), correct)?).await?;
        let findings = world.handled(proposal).await?.findings;
        let decided: Vec<_> =
            findings.iter().map(|one| (one.place.as_str(), one.kind.as_str(), one.decision())).collect();
        assert!(decided.contains(&("body", "phone", pb::FindingDecision::Fine)), "{decided:?}");
        assert!(decided.contains(&("own_words", "phone", pb::FindingDecision::Unspecified)), "{decided:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_author_of_what_was_split_is_asked_about_the_parts() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let whole = record(world, "Ulos ja ruokaa!", "Haluaa ulos ja ruokaa.").await?;
        world.jobs_done().await?;
        let part = |title: &str| pb::SplitPart {
            language: "fi".to_owned(),
            title: title.to_owned(),
            summary: "Haluaa tätä.".to_owned(),
            category: pb::Category::WayOfWorking.into(),
            unit_ids: vec![world.units.ii_day.to_string()],
            ..pb::SplitPart::default()
        };
        let split = pb::SplitProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: whole.to_string(),
            parts: vec![part("Ulos"), part("Ruokaa")],
            explanation: "Ehdotuksessa oli kaksi asiaa.".to_owned(),
            ..pb::SplitProposalRequest::default()
        };
        let parts =
            world.handling().split_proposal(world.by(world.coordinator(), split)?).await?.into_inner();
        world.jobs_done().await?;
        let asked = "SELECT COUNT(*) FROM job WHERE kind = 'proposals.confirm_words'";
        assert_eq!(world.value::<i64>(asked).await, 3, "the whole one, and each part");
        for part in parts.parts {
            let answer = confirm(part.proposal_id.parse()?, pb::Confirmation::Yes, "");
            world.proposals().confirm_my_words(world.by(world.client(7), answer)?).await?;
        }
        Ok(())
    })
    .await
}
