//! Plain language in answers (P4): who has read it, and what it was made from.

use tonic::Code;

use super::*;
use crate::support::{Store, refusal, run};

const ENDORSED: &str = "2026-10-12";

fn conflict(code: &str) -> (Code, String) {
    (Code::FailedPrecondition, code.to_owned())
}

#[tokio::test]
async fn p4_plain_language_counts_once_a_human_has_read_it() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        let (unit_id, proposal_id) = (lead(world).to_string(), proposal.to_string());
        let draft = pb::DraftResponseRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            answer: Some(answer(pb::Outcome::Accepted)),
        };
        let staff = world.staff(lead(world));
        let drafted =
            world.answers().draft_response(world.by(staff.clone(), draft.clone())?).await?.into_inner();
        let again = world.answers().draft_response(world.by(staff.clone(), draft)?).await?.into_inner();
        assert_eq!(drafted.answer_id, again.answer_id, "there is one draft");
        let get = pb::GetDraftResponseRequest { unit_id: unit_id.clone(), proposal_id: proposal_id.clone() };
        let seen = world.answers().get_draft_response(world.by(staff, get)?).await?.into_inner();
        assert_eq!(seen.answer, Some(answer(pb::Outcome::Accepted)));

        let mut give = pb::GiveResponseRequest { unit_id, proposal_id, answer: None, reviewed: false };
        let unread = world.answers().give_response(world.by(world.manager(lead(world)), give.clone())?).await;
        assert_eq!(refusal(unread)?, conflict("proposals.forms_missing"));
        give.reviewed = true;
        world.answers().give_response(world.by(world.manager(lead(world)), give.clone())?).await?;
        let answers = world.response(proposal).await?.answers;
        assert_eq!(answers[0].answer, Some(answer(pb::Outcome::Accepted)));
        let again = world.answers().give_response(world.by(world.manager(lead(world)), give)?).await;
        assert_eq!(refusal(again)?, conflict("proposals.response_given"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p4_plain_language_is_out_of_date_when_the_standard_text_changes() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        let (unit_id, proposal_id) = (lead(world).to_string(), proposal.to_string());
        let full = answer(pb::Outcome::Accepted);
        let standard = |reasons: &str| pb::AnswerText {
            language: "fi".to_owned(),
            reasons: reasons.to_owned(),
            ..full.texts[0].clone()
        };
        let plain = full.texts[0].clone();
        // However they are sent, the plain form is made from the standard one.
        for texts in [vec![plain, standard("Ohjaajia on kaksi.")], vec![standard("Ohjaajia on yksi.")]] {
            let draft = pb::DraftResponseRequest {
                unit_id: unit_id.clone(),
                proposal_id: proposal_id.clone(),
                answer: Some(pb::Answer { texts, ..full.clone() }),
            };
            world.answers().draft_response(world.by(world.staff(lead(world)), draft)?).await?;
        }
        let give = pb::GiveResponseRequest { unit_id, proposal_id, answer: None, reviewed: true };
        let given = world.answers().give_response(world.by(world.manager(lead(world)), give)?).await;
        assert_eq!(refusal(given)?, conflict("proposals.forms_missing"));
        Ok(())
    })
    .await
}
