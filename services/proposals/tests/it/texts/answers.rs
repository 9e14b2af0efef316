//! Texts of answers, and recordings.

use proto::proposals as pb;
use tonic::Code;

use super::states;
use crate::attachments::{moderate, send};
use crate::support::{Store, refusal, run};

#[tokio::test]
async fn a_recording_is_attached_once_a_human_took_it_and_goes_when_it_is_removed() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let staff = world.hand(world.staff(world.units.ii_day));
        let recording = send(world, proposal, b"ID3\x03\0\0\0\0\0\0 read aloud").await?.attachment_id;
        let picture = send(world, proposal, b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82").await?.attachment_id;
        let attach = |attachment_id: &str, form: &str| pb::AttachAudioRequest {
            unit_id: staff.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            attachment_id: attachment_id.to_owned(),
            form: form.to_owned(),
            ..pb::AttachAudioRequest::default()
        };
        let send_it = async |request| {
            let request = world.by(staff.caller.clone(), request).unwrap();
            world.texts_service().attach_audio(request).await
        };
        let no_recording = (Code::NotFound, "proposals.no_such_recording".to_owned());
        assert_eq!(refusal(send_it(attach(&recording, "fi")).await)?, no_recording, "nobody has heard it");
        moderate(world, &recording, pb::Verdict::Show, "").await?;
        moderate(world, &picture, pb::Verdict::Show, "").await?;
        assert_eq!(refusal(send_it(attach(&picture, "fi")).await)?, no_recording, "a picture says nothing");
        let other = world.ids.uuid().to_string();
        assert_eq!(refusal(send_it(attach(&other, "fi")).await)?, no_recording);
        let unwritten = send_it(attach(&recording, "sv")).await;
        assert_eq!(refusal(unwritten)?, (Code::NotFound, "proposals.no_such_form".to_owned()));

        let attached = send_it(attach(&recording, "fi")).await?.into_inner().texts.unwrap();
        let reading = pb::Reading {
            attachment_id: recording.clone(),
            form: "fi".to_owned(),
            state: pb::FormState::Reviewed.into(),
        };
        assert_eq!(attached.readings, std::slice::from_ref(&reading));
        assert_eq!(world.public_forms(proposal).await?.readings, [reading]);
        let remove = pb::RemoveAudioRequest {
            unit_id: staff.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            attachment_id: recording.clone(),
            ..pb::RemoveAudioRequest::default()
        };
        for _ in 0..2 {
            let request = world.by(staff.caller.clone(), remove.clone())?;
            let texts = world.texts_service().remove_audio(request).await?.into_inner().texts.unwrap();
            assert_eq!(texts.readings, []);
        }
        send_it(attach(&recording, "fi")).await?;
        moderate(world, &recording, pb::Verdict::Remove, "Äänitteellä puhuu joku toinen.").await?;
        assert_eq!(world.public_forms(proposal).await?.readings, [], "gone with the file");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p4_the_reasons_of_an_answer_are_reviewed_before_it_is_given_and_not_changed_after()
-> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let proposal = world.endorsed_proposal("Päivätoimintaan lisää ulkoilua", "2026-09-07").await?;
            let staff = world.hand(world.staff(world.units.ii_day));
            let said = pb::AnswerText {
                language: "fi".to_owned(),
                reasons: "Ulkoilua lisätään.".to_owned(),
                next_steps: "Ulkoilemme kolmesti viikossa.".to_owned(),
                alternative: String::new(),
            };
            let answer = pb::Answer {
                outcome: pb::Outcome::Accepted.into(),
                texts: vec![said],
                next_role: "vastaava ohjaaja".to_owned(),
                next_on: "2026-12-01".to_owned(),
                ..pb::Answer::default()
            };
            let (unit_id, proposal_id) = (world.units.ii_day.to_string(), proposal.to_string());
            let draft = pb::DraftResponseRequest {
                unit_id: unit_id.clone(),
                proposal_id: proposal_id.clone(),
                answer: Some(answer),
            };
            let draft = world.by(staff.caller.clone(), draft)?;
            let answer_id = world.answers().draft_response(draft).await?.into_inner().answer_id;
            let write = |field: pb::TextField, form: &str, content: &str| pb::WriteFormRequest {
                owner: pb::TextOwner::Response.into(),
                owner_id: answer_id.clone(),
                field: field.into(),
                ..world.writing(&staff, proposal, form, content)
            };
            let give = async || {
                let give = pb::GiveResponseRequest {
                    unit_id: unit_id.clone(),
                    proposal_id: proposal_id.clone(),
                    answer: None,
                    reviewed: false,
                };
                let manager = world.manager(world.units.ii_day);
                world.answers().give_response(world.by(manager, give).unwrap()).await
            };
            let public = async || {
                let request = pb::ListFormsRequest {
                    proposal_id: proposal_id.clone(),
                    owner: pb::TextOwner::Response.into(),
                    owner_id: answer_id.clone(),
                };
                world.texts_service().list_forms(request).await
            };
            let (reasons, next) = (pb::TextField::Reasons, pb::TextField::NextSteps);
            world.write(&staff, write(reasons, "fi-selko", "Pääset ulos useammin.")).await?;
            let missing = (Code::FailedPrecondition, "proposals.forms_missing".to_owned());
            assert_eq!(refusal(give().await)?, missing, "nobody has reviewed the reasons");
            assert_eq!(refusal(public().await)?, (Code::NotFound, "proposals.no_such_text".to_owned()));
            let check = |method: pb::ReviewMethod, request: pb::WriteFormRequest| pb::WriteFormRequest {
                reviewed: method.into(),
                ..request
            };
            let selko = write(reasons, "fi-selko", "Pääset ulos useammin.");
            let with_readers = check(pb::ReviewMethod::WithReaders, selko.clone());
            assert!(world.write(&staff, with_readers.clone()).await?.plain_language);
            let steps = write(next, "fi", "Ulkoilemme kolmesti viikossa.");
            world.write(&staff, check(pb::ReviewMethod::LanguageCheck, steps)).await?;
            give().await?;

            for anew in [
                selko,
                with_readers,
                write(reasons, "fi", "Toisin."),
                write(pb::TextField::Alternative, "fi", "x"),
            ] {
                let anew = pb::WriteFormRequest { content: "Toisin sanottu.".to_owned(), ..anew };
                let refused = world.write(&staff, anew).await;
                assert_eq!(
                    refusal(refused)?,
                    (Code::FailedPrecondition, "proposals.told_already".to_owned())
                );
            }
            let swedish = write(reasons, "sv", "Du får gå ut oftare.");
            world.write(&staff, check(pb::ReviewMethod::LanguageCheck, swedish)).await?;
            let texts = public().await?.into_inner().texts.unwrap_or_default();
            let reviewed = |form: &str| (form.to_owned(), pb::FormState::Reviewed);
            assert_eq!(
                states(&texts, reasons),
                [reviewed("fi-selko"), reviewed("sv")],
                "the draft in fi is not shown"
            );
            let stranger = world.hand(world.staff(world.units.ii_work));
            let refused = world.write(
                &stranger,
                pb::WriteFormRequest {
                    unit_id: stranger.unit_id.clone(),
                    ..write(reasons, "en", "You get out more often.")
                },
            );
            assert_eq!(refusal(refused.await)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
            Ok(())
        })
        .await?;
    }
    Ok(())
}
