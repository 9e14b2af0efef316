//! Vacancies, deputies, and commands that come twice.

use chassis::Call;
use forums::domain::seat::VacancyReason;
use kernel::{Caller, Scope};
use proto::forums as pb;

use crate::support::texts;
use crate::world::{DATES, Store, World, charter, municipality, small};

pub(crate) async fn elected(world: &World) {
    let election = world.open_small().await;
    for person in &world.people[0][5..8] {
        world.cast(person, election, &[1]).await.unwrap();
    }
    world.close_and_count(election).await.unwrap();
    world.on("2026-04-20");
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
}

#[tokio::test]
async fn deputies_take_a_seat_in_order_and_then_a_supplementary_election_is_called() {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::new(store, small()).await;
        elected(&world).await;
        let place = municipality("889");
        let vacate = async || {
            let vacated = world.app.declare_vacancy(&world.officer(0), place, 1, VacancyReason::Other).await;
            vacated.unwrap().seat.unwrap()
        };
        let holders = world.app.list_seat_holders(&world.officer(0)).await.unwrap().holders;
        assert_eq!(
            holders.iter().map(|one| (one.deputy, one.seat_no)).collect::<Vec<_>>(),
            [(false, 1), (true, 1), (true, 2)]
        );
        for next in &holders[1..] {
            let seat = vacate().await;
            assert_eq!((seat.state(), seat.origin()), (pb::SeatState::Filled, pb::SeatOrigin::Deputy));
            let now = world.app.list_seat_holders(&world.officer(0)).await.unwrap().holders;
            assert_eq!(now[0].holder_ref, next.holder_ref);
        }
        let seat = vacate().await;
        assert_eq!(seat.state(), pb::SeatState::Vacated);
        assert_eq!(seat.supplementary_due_on, "2026-06-22");
        let forum = world.app.get_forum(world.forum).await.unwrap().forum.unwrap();
        assert_eq!((forum.seats_filled, forum.seats_total), (0, 1));
        let events = texts(&world.database, "SELECT event_type FROM event_log ORDER BY seq").await;
        let last: Vec<&str> =
            events[events.len() - 6..].iter().map(|name| name.rsplit('.').next().unwrap()).collect();
        assert_eq!(
            last,
            [
                "SeatVacated",
                "SeatFilled",
                "SeatVacated",
                "SeatFilled",
                "SeatVacated",
                "SupplementaryElectionCalled"
            ]
        );
    }
}

#[tokio::test]
async fn a_member_sees_their_own_seat_and_a_deputy_their_order() {
    let world = World::new(Store::Sqlite, small()).await;
    elected(&world).await;
    let mut seen = Vec::new();
    for person in &world.people[0][..4] {
        let mine = world.app.get_my_seat(&world.client(person), world.forum).await.unwrap();
        seen.push((mine.seat.is_some(), mine.deputy_order));
    }
    seen.sort_unstable();
    assert_eq!(seen, [(false, 0), (false, 1), (false, 2), (true, 0)]);
}

#[tokio::test]
async fn a_command_that_comes_twice_is_answered_the_same_and_done_once() {
    let world = World::new(Store::Sqlite, small()).await;
    let call = world.coordinator();
    let first = world.app.found_forum(&call, charter()).await.unwrap();
    let again = world.app.found_forum(&call, charter()).await.unwrap();
    assert_eq!(first, again);
    let announce = world.officer(0);
    let first = world.app.announce_election(&announce, world.announcement(DATES, false)).await.unwrap();
    let again = world.app.announce_election(&announce, world.announcement(DATES, false)).await.unwrap();
    assert_eq!(first, again, "the seed, too, was drawn once");
}

#[tokio::test]
async fn a_count_that_comes_twice_is_answered_the_same() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    world.cast(&world.people[0][5], election, &[1]).await.unwrap();
    world.on("2026-04-18");
    world.app.close_voting(&world.officer(0), election).await.unwrap();
    let closed_again = world.app.close_voting(&world.officer(0), election).await.unwrap();
    assert_eq!(closed_again.election.unwrap().state(), pb::ElectionState::Counting, "done already");
    let call = world.officer(0);
    let count = async || world.app.count_ballots(&call, election, world.board_private.clone().into()).await;
    assert_eq!(count().await.unwrap(), count().await.unwrap());
}

#[tokio::test]
async fn the_timer_closes_voting_and_leaves_a_closed_or_annulled_election_alone() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let early = world.app.close_voting_when_due(election).await.unwrap_err();
    assert_eq!(early.code(), "forums.voting_days_left");
    let due =
        texts(&world.database, "SELECT CAST(run_at AS text) FROM job WHERE kind = 'forums.close_voting'")
            .await;
    let end = kernel::deadline::end_of_day(crate::world::day("2026-04-17")).as_micros();
    assert_eq!(due, [(end + 1).to_string()]);
    world.on("2026-04-18");
    world.app.close_voting_when_due(election).await.unwrap();
    assert_eq!(world.state(election).await.state(), pb::ElectionState::Counting);
    world.app.close_voting_when_due(election).await.unwrap();
    world.app.annul_election(&world.officer(0), election, "The roll was wrong.".to_owned()).await.unwrap();
    world.app.close_voting_when_due(election).await.unwrap();
    assert_eq!(world.state(election).await.state(), pb::ElectionState::Annulled);
}

#[tokio::test]
async fn lists_go_by_county_and_page() {
    let world = World::new(Store::Sqlite, small()).await;
    let second = world.app.found_forum(&world.coordinator(), charter()).await.unwrap().forum.unwrap();
    let size = kernel::PageSize::new(1).unwrap();
    let lapland = kernel::TenantId::new("21").unwrap();
    let first_page = world.app.list_forums(lapland, size, "").await.unwrap();
    assert_eq!(
        first_page.forums[0].forum_id,
        world.forum.to_string(),
        "a joint forum is in both counties' lists"
    );
    let rest = world.app.list_forums(lapland, size, &first_page.next_page_token).await.unwrap();
    assert_eq!(
        (rest.forums[0].forum_id.as_str(), rest.next_page_token.as_str()),
        (second.forum_id.as_str(), "")
    );
    let broken = world.app.list_forums(lapland, size, "x").await.unwrap_err();
    assert_eq!(broken.fields()[0].field, "page_token");
    let stranger = Call::new(Caller::anonymous(), Scope::Public, world.command(world.officers[0]));
    assert!(world.app.list_seat_holders(&stranger).await.is_err(), "only within the granted forum");
}
