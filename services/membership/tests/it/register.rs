//! The register: people, attestations, and how many are attested.

use kernel::{Caller, PageSize};
use proto::membership as pb;
use time::macros::date;

use crate::support::{ENGINES, GROUP, World, refused, tenant};

#[tokio::test]
async fn a_register_key_is_one_persons_and_a_repeat_adds_nobody() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let command = world.command();
        let new = world.new_participant("19", "A-1", None);
        let first = world.app.register(&command, new.clone()).await.unwrap();
        assert_eq!(world.app.register(&command, new).await.unwrap(), first);
        let taken = world.app.register(&world.command(), world.new_participant("19", "A-1", None)).await;
        assert_eq!(refused(taken), "membership.register_key_already_used");
        world.person("21", "A-1", None).await;
        assert_eq!(world.value::<i64>("SELECT count(*) FROM participant").await, 2);
        assert_eq!(world.value::<i64>("SELECT count(*) FROM person").await, 2);
        world.close().await;
    }
}

#[tokio::test]
async fn one_human_in_two_counties_is_one_person_by_the_link() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let in_19 = world.person("19", "A-1", Some("link-1")).await;
        let in_21 = world.person("21", "B-1", Some("link-1")).await;
        let twice =
            world.app.register(&world.command(), world.new_participant("19", "A-2", Some("link-1"))).await;
        assert_eq!(refused(twice), "membership.link_already_used");
        assert_eq!(world.value::<i64>("SELECT count(*) FROM person").await, 1);
        let stored: Vec<u8> = world.value("SELECT link_hash FROM person").await;
        assert_eq!(stored.len(), 32, "only a keyed hash of the link is kept");

        let from_19 = world.sign_in("19", in_19).await;
        let from_21 = world.sign_in("21", in_21).await;
        assert_eq!(world.subject(&from_19).await, world.subject(&from_21).await);
        for (session, county) in [(from_19, "19"), (from_21, "21")] {
            assert_eq!(world.forums_claims(&session).await["tenants"], serde_json::json!([county]));
            let myself = world.app.myself(&world.caller(&session).await).await.unwrap().participants;
            let counties: Vec<_> = myself.iter().map(|one| one.tenant.as_str()).collect();
            assert_eq!(counties, [county], "a card proves who one is to its own county");
        }
        world.close().await;
    }
}

#[tokio::test]
async fn people_are_paged_and_read_in_their_own_county_only() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(world.person("19", &format!("A-{number}"), None).await);
        }
        world.attest(unit, staff, ids[3], "139").await.unwrap();
        let size = PageSize::new(4).unwrap();
        let page = world.app.participants(tenant("19"), None, size, "").await.unwrap();
        assert_eq!(page.participants.len(), 4);
        let rest = world.app.participants(tenant("19"), None, size, &page.next_page_token).await.unwrap();
        assert_eq!(
            (rest.participants.len(), rest.next_page_token.as_str()),
            (3, ""),
            "five, the staff member and the administrator who made their card"
        );
        let in_ii = Some(crate::support::municipality("139"));
        let of_ii = world.app.participants(tenant("19"), in_ii, size, "").await.unwrap().participants;
        assert_eq!(of_ii.len(), 1);
        assert_eq!(of_ii[0].attestations[0].group, GROUP);

        let read = world.app.participant(tenant("19"), ids[0]).await.unwrap().participant.unwrap();
        assert_eq!(read.display_name, "Person A-0");
        assert_eq!(read.state(), pb::ParticipantState::Invited);
        let foreign = world.app.participant(tenant("21"), ids[0]).await;
        assert_eq!(refused(foreign), "membership.participant_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn m1_attestations_are_made_by_the_county_for_its_own_people_and_places() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let person = world.person("19", "A-1", None).await;
        let lapp = world.person("21", "B-1", None).await;
        assert_eq!(
            refused(world.attest(unit, staff, person, "751").await),
            "membership.municipality_not_in_county"
        );
        assert_eq!(refused(world.attest(unit, staff, lapp, "139").await), "membership.person_not_in_county");
        let made = world.attest(unit, staff, person, "139").await.unwrap();
        assert_eq!((made.attested_on.as_str(), made.expires_on.as_str()), ("2026-01-15", "2028-01-15"));
        assert_eq!(
            refused(world.attest(unit, staff, person, "139").await),
            "membership.attestation_already_in_force"
        );
        let staff_id = world
            .app
            .myself(&Caller { tenants: vec![tenant("19")], ..Caller::person(staff) })
            .await
            .unwrap()
            .participants[0]
            .participant_id
            .parse()
            .unwrap();
        assert_eq!(refused(world.attest(unit, staff, staff_id, "139").await), "membership.attests_self");
        assert_eq!(refused(world.attest(world.id(), staff, person, "139").await), "membership.unit_unknown");
        assert_eq!(
            refused(world.attest(unit, staff, world.id(), "139").await),
            "membership.participant_unknown"
        );

        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let id = made.attestation_id.parse().unwrap();
        let foreign = world.app.revoke_attestation(&world.command(), simo, id).await;
        assert_eq!(refused(foreign), "membership.attestation_unknown");
        let command = world.command();
        let revoked = world.app.revoke_attestation(&command, unit, id).await.unwrap();
        assert_eq!(world.app.revoke_attestation(&command, unit, id).await.unwrap(), revoked);
        assert!(revoked.attestation.unwrap().revoked);
        let again = world.app.revoke_attestation(&world.command(), unit, id).await;
        assert_eq!(refused(again), "membership.attestation_ended");
        world.close().await;
    }
}

#[tokio::test]
async fn counts_are_told_in_buckets_and_only_when_they_move() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let mut attestations = Vec::new();
        for number in 0..6 {
            let person = world.person("19", &format!("A-{number}"), None).await;
            attestations.push(world.attest(unit, staff, person, "139").await.unwrap().attestation_id);
        }
        let buckets = || async {
            let told = world.published::<pb::EligibleCountChanged>().await;
            told.into_iter().map(|event| event.bucket).collect::<Vec<_>>()
        };
        assert_eq!(buckets().await, ["1–4", "5–9"]);
        for id in &attestations[..2] {
            world.app.revoke_attestation(&world.command(), unit, id.parse().unwrap()).await.unwrap();
        }
        assert_eq!(buckets().await, ["1–4", "5–9", "1–4"]);

        // The day after the last, the timers end the rest; twice does no harm, and on the last day nothing happens.
        world.on(date!(2028 - 01 - 15));
        let expire = || async {
            for id in &attestations {
                world.app.expire_attestation(id.parse().unwrap()).await.unwrap();
            }
        };
        expire().await;
        assert_eq!(buckets().await.len(), 3);
        world.on(date!(2028 - 01 - 16));
        expire().await;
        expire().await;
        assert_eq!(buckets().await, ["1–4", "5–9", "1–4", "0"]);
        assert_eq!(world.value::<i64>("SELECT count FROM eligible_count").await, 0);
        let timers = "SELECT count(*) FROM job WHERE kind = 'membership.attestation_expiry'";
        assert_eq!(world.value::<i64>(timers).await, 6);
        world.close().await;
    }
}
