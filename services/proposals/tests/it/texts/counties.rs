//! The languages of counties.

use kernel::{Caller, ProposalId, UnitId};
use proto::membership::ServiceUnitRegistered;
use proto::proposals as pb;
use tonic::Code;

use super::states;
use crate::support::{Store, World, refusal, tenant};

/// Pohjanmaa: a bilingual county.
const POHJANMAA: &str = "17";

/// A submitted proposal to a unit of Pohjanmaa, in Finnish.
async fn submitted(world: &World, author: &Caller, unit: UnitId) -> anyhow::Result<ProposalId> {
    let mut content = world.content("Päivätoimintaan lisää ulkoilua");
    content.unit_ids = vec![unit.to_string()];
    let create = pb::CreateDraftRequest {
        tenant: POHJANMAA.to_owned(),
        content: Some(content),
        ..pb::CreateDraftRequest::default()
    };
    let created = world.proposals().create_draft(world.by(author.clone(), create)?).await?.into_inner();
    let proposal: ProposalId = created.proposal.unwrap_or_default().proposal_id.parse()?;
    let submit = pb::SubmitProposalRequest {
        proposal_id: proposal.to_string(),
        ..pb::SubmitProposalRequest::default()
    };
    world.proposals().submit_proposal(world.by(author.clone(), submit)?).await?;
    Ok(proposal)
}

#[tokio::test]
async fn negative_test_3_a_bilingual_county_publishes_nothing_without_swedish_and_county_19_does()
-> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::start(store, &[("tenants", "17,19,21")]).await?;
        let unit: UnitId = world.ids.new_id();
        let registered = ServiceUnitRegistered {
            unit_id: unit.to_string(),
            name: "Vaasan päivätoiminta".to_owned(),
            kind: "day_activity".to_owned(),
            municipality: "905".to_owned(),
        };
        world.membership_says(POHJANMAA, &registered).await?;

        // In Finnish alone: county 19 may, county 17 may not.
        world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let author = Caller { tenants: vec![tenant(POHJANMAA)], ..world.client(1) };
        let proposal = submitted(&world, &author, unit).await?;

        let coordinator = world.hand(world.coordinator_of(POHJANMAA));
        // Nor is it ended with a reason in Finnish alone.
        let reject = pb::RejectProposalRequest {
            tenant: POHJANMAA.to_owned(),
            proposal_id: proposal.to_string(),
            reason: pb::ScreeningReason::NotAboutServices.into(),
            explanation: "Asia ei koske hyvinvointialueen palveluja.".to_owned(),
            other_languages: Vec::new(),
            reviewed: true,
            ..pb::RejectProposalRequest::default()
        };
        let refused =
            world.handling().reject_proposal(world.by(coordinator.caller.clone(), reject.clone())?).await;
        assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.forms_missing".to_owned()));
        let screen = async || {
            let screen = pb::ScreenProposalRequest {
                tenant: POHJANMAA.to_owned(),
                proposal_id: proposal.to_string(),
                ..pb::ScreenProposalRequest::default()
            };
            world.handling().screen_proposal(world.by(coordinator.caller.clone(), screen).unwrap()).await
        };
        assert_eq!(
            refusal(screen().await)?,
            (Code::FailedPrecondition, "proposals.forms_missing".to_owned())
        );
        assert!(world.public_forms(proposal).await.is_err(), "nothing of it is public");
        let missing = world.in_work(&coordinator, proposal).await?.missing;
        let missing: Vec<_> = missing.iter().map(|one| (one.field(), one.form.as_str())).collect();
        let (title, summary) = (pb::TextField::Title, pb::TextField::Summary);
        assert_eq!(missing, [(title, "fi"), (summary, "fi"), (title, "sv"), (summary, "sv")]);

        let swedish = [(title, "Mer utevistelse i dagverksamheten"), (summary, "Vi vill ut oftare.")];
        for (field, content) in swedish {
            let request = pb::WriteFormRequest {
                field: field.into(),
                ..world.writing(&coordinator, proposal, "sv", content)
            };
            let written = world.write(&coordinator, request).await?;
            // A translation that nobody has reviewed is not there yet.
            let refused = screen().await;
            assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.forms_missing".to_owned()));
            world.review(&coordinator, proposal, &written, pb::ReviewMethod::LanguageCheck).await?;
        }
        screen().await?;
        let public = world.public_forms(proposal).await?;
        let reviewed = |form: &str| (form.to_owned(), pb::FormState::Reviewed);
        assert_eq!(states(&public, title), [reviewed("fi"), reviewed("sv")]);
        let screened = world.published::<pb::ProposalScreened>().await;
        let told = screened.iter().find(|one| one.proposal_id == proposal.to_string());
        let titles =
            told.map(|one| one.titles.iter().map(|title| title.language.as_str()).collect::<Vec<_>>());
        assert_eq!(titles, Some(vec!["fi", "sv"]));

        // Nor is it taken out of sight, or brought back, for a reason in Finnish alone.
        let hide = pb::HideProposalRequest {
            tenant: POHJANMAA.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: "Tekstissä oli toisen ihmisen asioita.".to_owned(),
            other_languages: Vec::new(),
        };
        let by = || coordinator.caller.clone();
        let missing = (Code::FailedPrecondition, "proposals.forms_missing".to_owned());
        let refused = world.handling().hide_proposal(world.by(by(), hide.clone())?).await;
        assert_eq!(refusal(refused)?, missing);
        let other_languages = vec![pb::ExplanationForm {
            form: "sv-lattlast".to_owned(),
            content: "Texten berättade om en annan människa.".to_owned(),
        }];
        let hide = pb::HideProposalRequest { other_languages: other_languages.clone(), ..hide };
        world.handling().hide_proposal(world.by(by(), hide)?).await?;
        let mine = pb::GetMyProposalRequest { proposal_id: proposal.to_string() };
        let mine = world.proposals().get_my_proposal(world.by(author.clone(), mine)?).await?.into_inner();
        assert_eq!(mine.proposal.unwrap_or_default().hidden_other_languages, other_languages);
        let show = pb::ShowProposalRequest {
            tenant: POHJANMAA.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: "Teksti on nyt korjattu.".to_owned(),
            other_languages: Vec::new(),
        };
        let refused = world.handling().show_proposal(world.by(by(), show.clone())?).await;
        assert_eq!(refusal(refused)?, missing);
        let show = pb::ShowProposalRequest { other_languages: other_languages.clone(), ..show };
        world.handling().show_proposal(world.by(by(), show)?).await?;
        let log = pb::GetModerationLogRequest {
            tenant: POHJANMAA.to_owned(),
            ..pb::GetModerationLogRequest::default()
        };
        let log = world.proposals().get_moderation_log(log).await?.into_inner().entries;
        let forms: Vec<_> = log.iter().map(|entry| (entry.act.as_str(), &entry.other_languages)).collect();
        assert_eq!(forms, [("shown", &other_languages), ("hidden", &other_languages)]);

        // Nor does it go on elsewhere.
        let other = submitted(&world, &author, unit).await?;
        let merge = pb::MergeProposalRequest {
            tenant: POHJANMAA.to_owned(),
            proposal_id: other.to_string(),
            into_proposal_id: proposal.to_string(),
            explanation: "Ehdotukset koskevat samaa asiaa.".to_owned(),
            other_languages: Vec::new(),
        };
        let refused = world.handling().merge_proposal(world.by(by(), merge)?).await;
        assert_eq!(refusal(refused)?, missing);
        let both = pb::RejectProposalRequest {
            proposal_id: other.to_string(),
            other_languages: vec![pb::ExplanationForm {
                form: "sv-lattlast".to_owned(),
                content: "Saken gäller inte områdets tjänster.".to_owned(),
            }],
            ..reject
        };
        world.handling().reject_proposal(world.by(coordinator.caller.clone(), both)?).await?;
        let published = world.published::<pb::FeedbackPublished>().await;
        assert_eq!(published.len(), 1);
        let mine = pb::GetMyProposalRequest { proposal_id: other.to_string() };
        let mine = world.proposals().get_my_proposal(world.by(author.clone(), mine)?).await?.into_inner();
        let steps = mine.proposal.unwrap_or_default().steps;
        let told: Vec<&str> =
            steps.iter().flat_map(|step| &step.other_languages).map(|one| one.form.as_str()).collect();
        assert_eq!(told, ["sv-lattlast"], "the step says why in both languages");
        world.system.finish().await?;
    }
    Ok(())
}
