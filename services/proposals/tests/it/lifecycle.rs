//! A proposal on its way, through the contracts: scenario 4's first steps.

use kernel::{ActingMode, Helper};
use proto::proposals as pb;

use crate::support::{POHDE, Store, World, refusal, run};

/// Scenario 4 up to the forum: idea, screening, shortlist, forum; with its days and numbers.
async fn story(world: &mut World) -> anyhow::Result<()> {
    // Monday 7.9.2026: an idea by a client, assisted, on the tablet of the day activity of Ii.
    let mut create = pb::CreateDraftRequest {
        tenant: POHDE.to_owned(),
        content: Some(world.content("Päivätoimintaan lisää ulkoilua")),
        ..pb::CreateDraftRequest::default()
    };
    create.set_channel(pb::Channel::Tablet);
    let helper = Some(Helper { reference: world.person(50), conflict_units: vec![world.units.ii_day] });
    let assisted = kernel::Caller { helper, mode: ActingMode::Assisted, ..world.client(1) };
    let refused = world.proposals().create_draft(world.by(assisted.clone(), create.clone())?).await;
    assert_eq!(refusal(refused)?.1, "proposals.conflict_of_interest", "M3: the helper works there");
    create.conflict_accepted = true;
    let created = world.proposals().create_draft(world.by(assisted.clone(), create)?).await?.into_inner();
    let draft = created.proposal.unwrap_or_default();
    assert_eq!(created.findings, [], "nothing in it looks like personal data");
    assert_eq!(draft.stage.unwrap_or_default().stage(), pb::ProposalStage::Draft);
    assert_eq!(draft.promise, None, "a draft promises nothing");

    let submit = pb::SubmitProposalRequest {
        proposal_id: draft.proposal_id.clone(),
        ..pb::SubmitProposalRequest::default()
    };
    let submitted = world.proposals().submit_proposal(world.by(assisted, submit)?).await?.into_inner();
    assert!(submitted.receipt_no.starts_with("2026-"), "{}", submitted.receipt_no);
    let promise = submitted.proposal.unwrap_or_default().promise.unwrap_or_default();
    assert_eq!(
        (promise.owner(), promise.next_step(), promise.due_on.as_str()),
        (pb::OwnerRole::AreaCoordinator, pb::NextStep::Screen, "2026-09-14"),
        "P1: seven days"
    );
    let proposal = draft.proposal_id.parse()?;
    assert!(world.public(proposal).await.is_err(), "not public before a human has screened it");
    let [submitted] = &world.published::<pb::ProposalSubmitted>().await[..] else { panic!("submitted once") };
    assert_eq!((submitted.category.as_str(), submitted.channel.as_str()), ("content", "tablet"));
    assert_eq!(submitted.unit_ids, [world.units.ii_day.to_string()]);

    // 9.9.2026: screened, 2 days ≤ 7.
    world.on("2026-09-09").await?;
    world.screen(proposal).await?;
    let public = world.public(proposal).await?;
    let promise = public.promise.unwrap_or_default();
    assert_eq!(
        (promise.owner(), promise.next_step(), promise.due_on.as_str(), promise.late),
        (pb::OwnerRole::AreaCoordinator, pb::NextStep::Decide, "2026-11-09", false),
        "60 days are 8.11., a Sunday"
    );
    let [screened] = &world.published::<pb::ProposalScreened>().await[..] else { panic!("screened once") };
    assert_eq!(screened.days, 2);
    let titles: Vec<(&str, &str)> =
        screened.titles.iter().map(|title| (title.language.as_str(), title.title.as_str())).collect();
    assert_eq!(titles, [("fi", "Päivätoimintaan lisää ulkoilua")]);

    // On to the forum.
    world.make_plain(proposal).await?;
    let (tenant, proposal_id) = (POHDE.to_owned(), draft.proposal_id.clone());
    let shortlist = pb::ShortlistProposalRequest { tenant, proposal_id };
    world.handling().shortlist_proposal(world.by(world.coordinator(), shortlist)?).await?;
    world.on("2026-10-01").await?;
    let send = pb::SendToForumRequest {
        tenant: POHDE.to_owned(),
        proposal_id: draft.proposal_id.clone(),
        forum_id: world.forum.to_string(),
    };
    world.handling().send_to_forum(world.by(world.coordinator(), send.clone())?).await?;
    world.handling().send_to_forum(world.by(world.coordinator(), send)?).await?;
    let promise = world.public(proposal).await?.promise.unwrap_or_default();
    assert_eq!(
        (promise.owner(), promise.next_step(), promise.due_on.as_str()),
        (pb::OwnerRole::ForumSecretary, pb::NextStep::ForumDecides, "2026-12-30")
    );
    let told = ["ProposalSubmitted", "ProposalScreened", "ProposalShortlisted", "ProposalSentToForum"];
    assert_eq!(world.event_names().await, told, "each step once, also when sent twice");

    // The author sees every step with the day promised then.
    let mine = world.mine(proposal).await?;
    let steps: Vec<(&str, &str)> = mine
        .steps
        .iter()
        .map(|step| {
            let due = step.promise.as_ref().map_or("", |promise| promise.due_on.as_str());
            (step.happened_on.as_str(), due)
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("2026-09-07", "2026-09-14"),
            ("2026-09-09", "2026-11-09"),
            ("2026-09-09", "2026-11-09"),
            ("2026-10-01", "2026-12-30"),
        ]
    );
    assert!(mine.to_confirm, "somebody helped, so the person is asked whether these are their words");
    world.jobs_done().await?;
    let notices = world.system.directory().notices();
    let asked = notices.iter().filter(|notice| notice.template == "proposals.confirm_words");
    let asked: Vec<_> = asked.flat_map(|notice| notice.references.clone()).collect();
    assert_eq!(asked, [world.person(1).to_string()]);
    Ok(())
}

#[tokio::test]
async fn scenario_4_an_idea_comes_before_the_forum_with_its_days() -> anyhow::Result<()> {
    run(Store::Sqlite, story).await
}

#[tokio::test]
async fn scenario_4_an_idea_comes_before_the_forum_with_its_days_on_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, story).await
}
