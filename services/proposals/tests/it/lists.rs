//! Lists: filters, pages, order.

use proto::proposals as pb;

use crate::support::{LAPHA, POHDE, Store, World, refusal, run};

fn list() -> pb::ListProposalsRequest {
    pb::ListProposalsRequest { tenant: POHDE.to_owned(), ..pb::ListProposalsRequest::default() }
}

async fn ids(world: &World, request: pb::ListProposalsRequest) -> anyhow::Result<Vec<String>> {
    let answer = world.proposals().list_proposals(request).await?.into_inner();
    Ok(answer.proposals.into_iter().map(|proposal| proposal.proposal_id).collect())
}

async fn story(world: &mut World) -> anyhow::Result<()> {
    let old = world.open_proposal("Vanha").await?.to_string();
    let routed = world.open_proposal("Pudasjärvelle").await?;
    let route = pb::RouteProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: routed.to_string(),
        unit_ids: vec![world.units.pudasjarvi_housing.to_string()],
        lead_unit_id: String::new(),
    };
    world.handling().route_proposal(world.by(world.coordinator(), route)?).await?;
    world.on("2026-11-20").await?;
    let new = world.shortlisted_proposal("Uusi").await?.to_string();
    world.submitted_proposal("Ei vielä").await?;
    world.draft("Luonnos").await?;
    let routed = routed.to_string();

    assert_eq!(ids(world, list()).await?, [new.clone(), routed.clone(), old.clone()], "the newest first");
    let unit = pb::ListProposalsRequest { unit_id: world.units.ii_day.to_string(), ..list() };
    assert_eq!(ids(world, unit).await?, [new.clone(), old.clone()]);
    let place = pb::ListProposalsRequest { municipality: "615".to_owned(), ..list() };
    assert_eq!(ids(world, place).await?, std::slice::from_ref(&routed));
    let stage = pb::ListProposalsRequest { stage: pb::ProposalStage::Shortlisted.into(), ..list() };
    assert_eq!(ids(world, stage).await?, std::slice::from_ref(&new));
    let late = pb::ListProposalsRequest { late_only: true, ..list() };
    assert_eq!(ids(world, late.clone()).await?, [routed.clone(), old.clone()], "due 6.11.2026");
    assert_eq!(ids(world, pb::ListProposalsRequest { tenant: LAPHA.to_owned(), ..list() }).await?, [""; 0]);
    let shown = world.public(old.parse()?).await?;
    assert!(shown.promise.is_some_and(|promise| promise.late), "the public sees that it is late");

    let page = pb::ListProposalsRequest { page_size: 1, ..late.clone() };
    let first = world.proposals().list_proposals(page.clone()).await?.into_inner();
    world.on("2026-11-21").await?;
    let next = pb::ListProposalsRequest { page_token: first.next_page_token, ..page };
    assert_eq!(ids(world, next).await?, std::slice::from_ref(&old), "read on over midnight");

    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let page = pb::ListProposalsRequest { page_size: 2, page_token: token, ..list() };
        let answer = world.proposals().list_proposals(page).await?.into_inner();
        pages.push(answer.proposals.len());
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
        let other = pb::ListProposalsRequest { page_token: token.clone(), ..late.clone() };
        let refused = world.proposals().list_proposals(other).await;
        assert_eq!(refusal(refused)?.1, "request.invalid", "a token belongs to its filter");
    }
    assert_eq!(pages, [2, 1]);

    let handling = pb::ListHandlingRequest {
        tenant: POHDE.to_owned(),
        page_size: 3,
        ..pb::ListHandlingRequest::default()
    };
    let first =
        world.handling().list_handling(world.by(world.coordinator(), handling.clone())?).await?.into_inner();
    let rest = pb::ListHandlingRequest { page_token: first.next_page_token, ..handling };
    let rest = world.handling().list_handling(world.by(world.coordinator(), rest)?).await?.into_inner();
    let all = first.proposals.into_iter().chain(rest.proposals);
    let due: Vec<String> =
        all.map(|queued| queued.proposal.unwrap_or_default().promise.unwrap_or_default().due_on).collect();
    assert_eq!(due, ["2026-11-06", "2026-11-06", "2026-11-27", "2027-01-19"], "what is due first, first");

    let mine = pb::ListMyProposalsRequest { page_size: 3, ..pb::ListMyProposalsRequest::default() };
    let first =
        world.proposals().list_my_proposals(world.by(world.client(1), mine.clone())?).await?.into_inner();
    let rest = pb::ListMyProposalsRequest { page_token: first.next_page_token, ..mine };
    let rest = world.proposals().list_my_proposals(world.by(world.client(1), rest)?).await?.into_inner();
    let all = first.proposals.into_iter().chain(rest.proposals);
    let titles: Vec<String> = all.map(|mine| mine.content.unwrap_or_default().title).collect();
    assert_eq!(titles, ["Luonnos", "Ei vielä", "Uusi", "Pudasjärvelle", "Vanha"]);
    let none = pb::ListMyProposalsRequest::default();
    let none = world.proposals().list_my_proposals(world.by(world.client(2), none)?).await?.into_inner();
    assert_eq!(none.proposals, [], "only one's own");
    Ok(())
}

#[tokio::test]
async fn lists_have_filters_pages_and_an_order() -> anyhow::Result<()> {
    run(Store::Sqlite, story).await
}

#[tokio::test]
async fn lists_have_filters_pages_and_an_order_on_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, story).await
}

#[tokio::test]
async fn s1_10_to_s1_28_the_goals_of_the_plan_have_codes_and_perspectives() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let goals = world.proposals().list_goals(pb::ListGoalsRequest {}).await?.into_inner().goals;
        assert_eq!(goals.len(), 13);
        let open_care = goals.iter().find(|goal| goal.code == "shifts_to_open_care").unwrap();
        assert_eq!(open_care.perspective(), pb::Perspective::Economy);
        Ok(())
    })
    .await
}
