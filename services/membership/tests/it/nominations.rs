//! Nomination codes: told to another, exchanged once, and the voucher tells what one election needs.

use kernel::{Caller, Subject};
use membership::app::Eligibility;
use proto::forums::ElectionConfirmed;
use serde_json::json;
use time::macros::date;

use crate::rolls::{announce, planned_forum};
use crate::support::{ENGINES, GROUP, World, claims, municipality, refused};

#[tokio::test]
async fn a_nomination_code_lets_another_nominate_once() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let election = announce(&world, forum, &["139"]).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let caller = world.caller(&session).await;
        let create = async || world.app.create_nomination_code(&world.command(), &caller).await;
        let other = world.administrator("19").await;
        let exchange = async |code: &str| {
            world.app.exchange_nomination_code(&world.command(), &other, code, election).await
        };
        assert_eq!(refused(create().await), "membership.nothing_to_stand_for");
        world.attest(ii, staff, person, "139").await.unwrap();

        let command = world.command();
        let made = world.app.create_nomination_code(&command, &caller).await.unwrap();
        assert_eq!(world.app.create_nomination_code(&command, &caller).await.unwrap(), made);
        assert_eq!(made.code.len(), 9);
        let newer = create().await.unwrap();
        assert_eq!(refused(exchange(&made.code).await), "membership.nomination_code_refused");
        let command = world.command();
        let typed = newer.code.to_lowercase().replace('-', "");
        let voucher = world.app.exchange_nomination_code(&command, &other, &typed, election).await.unwrap();
        let told = claims(&voucher.voucher);
        let again = world.app.exchange_nomination_code(&command, &other, &typed, election).await.unwrap();
        assert_eq!(claims(&again.voucher), told, "the same command gives the same voucher");
        assert_eq!((&told["purpose"], &told["att"][0]["m"]), (&"nominate".into(), &"139".into()));
        assert_eq!(told["sub"], world.token(&session, "forums").await.unwrap().subject);
        assert_eq!(refused(exchange(&newer.code).await), "membership.nomination_code_refused");

        let third = create().await.unwrap();
        world.on(date!(2026 - 01 - 23));
        assert_eq!(refused(exchange(&third.code).await), "membership.nomination_code_refused");
        let fourth = create().await.unwrap();
        let over = ElectionConfirmed { election_id: election.to_string(), ..Default::default() };
        world.hear("19", &["21"], &over).await;
        assert_eq!(refused(exchange(&fourth.code).await), "membership.roll_over");
        world.close().await;
    }
}

#[tokio::test]
async fn a_voucher_tells_what_its_election_needs_and_nothing_else_of_the_person() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let (staff_of_ii, staff_of_simo) = (world.staff("19", ii).await, world.staff("21", simo).await);
        let in_19 = world.person("19", "A-1", Some("same human")).await;
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        let attest = async |unit, by: Subject, participant, group: &str, place| {
            let group = group.to_owned();
            let asked = Eligibility { unit, by, participant, group, municipality: municipality(place) };
            world.app.attest(&world.command(), asked).await.unwrap();
        };
        attest(ii, staff_of_ii, in_19, GROUP, "139").await;
        attest(ii, staff_of_ii, in_19, GROUP, "564").await;
        attest(ii, staff_of_ii, in_19, "mental_health_services", "139").await;
        attest(simo, staff_of_simo, in_21, GROUP, "751").await;
        let election = announce(&world, forum, &["139", "751"]).await;
        let elsewhere = announce(&world, forum, &["751"]).await;

        let caller: Caller = world.caller(&world.sign_in("19", in_19).await).await;
        let code = world.app.create_nomination_code(&world.command(), &caller).await.unwrap().code;
        let other = world.administrator("21").await;
        let exchange = async |election| {
            world.app.exchange_nomination_code(&world.command(), &other, &code, election).await
        };
        // F8: staff nominate nobody, whatever card they signed in with (forums sees their roles in the card's county).
        let by_staff = Caller::person(staff_of_simo);
        let nominated =
            world.app.exchange_nomination_code(&world.command(), &by_staff, &code, election).await;
        assert_eq!(refused(nominated), "membership.staff_take_no_part");
        // The code is of a session in 19, which says nothing of the other county.
        assert_eq!(refused(exchange(elsewhere).await), "membership.not_attested_there");
        assert_eq!(refused(exchange(world.id()).await), "membership.roll_unknown");
        let told = claims(&exchange(election).await.unwrap().voucher);
        assert_eq!(told["att"], json!([{"g": GROUP, "m": "139", "since": "2026-01-15"}]));
        assert_eq!((told.get("rolls"), told.get("roles")), (None, None));
        world.close().await;
    }
}
