//! Leaving: everything that ties a person to the platform ends, and services are told to drop their references.

use kernel::{Caller, ElectionId, PageSize, Role, ScopeRef, Subject};
use proto::common::MunicipalitySeats;
use proto::forums::ElectionAnnounced;
use proto::membership as pb;

use crate::roles::joint_forum;
use crate::rolls::{announce, planned_forum};
use crate::support::{ENGINES, GROUP, World, refused, tenant};

#[tokio::test]
async fn who_leaves_is_out_everywhere_and_their_references_are_retired() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = joint_forum(&world).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let person = world.person("19", "A-1", Some("link")).await;
        world.attest(unit, staff, person, "139").await.unwrap();
        world.role("19", person, Role::ClientMember, ScopeRef::Tenant(tenant("19"))).await.unwrap();
        let election: ElectionId = world.id();
        let announced = ElectionAnnounced {
            election_id: election.to_string(),
            forum_id: forum.to_string(),
            service_group: GROUP.to_owned(),
            seats: vec![MunicipalitySeats { municipality: "139".to_owned(), seats: 8 }],
            ..Default::default()
        };
        world.hear("19", &["21"], &announced).await;
        let session = world.sign_in("19", person).await;
        let card = world.card("19", person).await;
        let at_forums: Subject = world.token(&session, "forums").await.unwrap().subject.parse().unwrap();
        let caller = world.caller(&session).await;

        let command = world.command();
        world.app.leave(&command, &caller, None).await.unwrap();
        world.app.leave(&command, &caller, None).await.unwrap();
        assert_eq!(refused(world.token(&session, "forums").await), "membership.session_refused");
        let with_card = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await;
        assert_eq!(refused(with_card), "membership.card_replaced");
        assert_eq!(refused(world.app.myself(&caller).await), "membership.session_refused");
        let shown = world.app.participant(tenant("19"), person).await.unwrap().participant.unwrap();
        assert_eq!(shown.state(), pb::ParticipantState::Left);
        let buckets: Vec<_> = world
            .published::<pb::EligibleCountChanged>()
            .await
            .into_iter()
            .map(|event| event.bucket)
            .collect();
        assert_eq!(buckets, ["1–4", "0"]);
        let ended = world.published::<pb::RoleEnded>().await;
        assert_eq!(ended.len(), 1);

        let size = PageSize::new(1).unwrap();
        let page = world.app.retired_references("forums", 0, size).await.unwrap();
        assert_eq!(page.references, [at_forums.to_string()]);
        let rest = world.app.retired_references("forums", page.cursor, size).await.unwrap();
        assert_eq!((rest.references.len(), rest.cursor), (0, page.cursor));
        assert!(world.app.retired_references("partners", 0, size).await.unwrap().references.is_empty());

        // The frozen roll keeps its count, but its place is given to nobody: not even to the same human, come back.
        let back = world.person("19", "A-2", Some("link")).await;
        let session = world.sign_in("19", back).await;
        assert_eq!(world.forums_claims(&session).await.get("rolls"), None);
        assert_eq!(world.app.roll_summary(election).await.unwrap().counts[0].count, 1);
        let voucher = world.app.paper_voucher(&world.command(), forum, election, back).await;
        assert_eq!(refused(voucher), "membership.not_on_roll");
        world.close().await;
    }
}

#[tokio::test]
async fn an_entry_that_was_only_ever_invited_keeps_no_reference_alive_unless_it_may_vote() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let staff = world.staff("21", simo).await;
        let mut references = Vec::new();
        for (number, may_vote) in [false, true].into_iter().enumerate() {
            let link = format!("link-{number}");
            let in_19 = world.person("19", &format!("A-{number}"), Some(&link)).await;
            let in_21 = world.person("21", &format!("B-{number}"), Some(&link)).await;
            if may_vote {
                world.attest(simo, staff, in_21, "751").await.unwrap();
                announce(&world, forum, &["751"]).await;
            }
            let session = world.sign_in("19", in_19).await;
            let before = world.token(&session, "forums").await.unwrap().subject;
            world.app.leave(&world.command(), &world.caller(&session).await, None).await.unwrap();
            let session = world.sign_in("21", in_21).await;
            let after = world.token(&session, "forums").await.unwrap().subject;
            assert_eq!(before == after, may_vote, "who comes later is new, but has one ballot");
            references.push(before);
        }
        let size = PageSize::new(0).unwrap();
        let retired = world.app.retired_references("forums", 0, size).await.unwrap().references;
        assert_eq!(retired, references[..1]);
        world.close().await;
    }
}

#[tokio::test]
async fn who_leaves_one_county_goes_on_in_the_other() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let (staff_of_ii, staff_of_simo) = (world.staff("19", ii).await, world.staff("21", simo).await);
        let in_19 = world.person("19", "A-1", Some("link")).await;
        let in_21 = world.person("21", "B-1", Some("link")).await;
        world.attest(simo, staff_of_simo, in_21, "751").await.unwrap();
        let first = announce(&world, forum, &["139", "751"]).await;
        world.attest(ii, staff_of_ii, in_19, "139").await.unwrap();
        for (county, entry) in [("19", in_19), ("21", in_21)] {
            let scope = ScopeRef::Tenant(tenant(county));
            world.role(county, entry, Role::ClientMember, scope).await.unwrap();
        }
        let (here, there) = (world.sign_in("19", in_19).await, world.sign_in("21", in_21).await);
        let (card_here, card_there) = (world.card("19", in_19).await, world.card("21", in_21).await);
        let caller = world.caller(&here).await;
        let before = world.token(&there, "forums").await.unwrap().subject;

        // A token that covers both has to say which; one that covers 19 says nothing about 21.
        let both = Caller { tenants: vec![tenant("19"), tenant("21")], ..caller.clone() };
        let leave = async |caller: &Caller, county| world.app.leave(&world.command(), caller, county).await;
        assert_eq!(refused(leave(&both, None).await), "membership.leaves_where");
        assert_eq!(refused(leave(&caller, Some(tenant("21"))).await), "membership.session_refused");
        leave(&caller, None).await.unwrap();
        assert_eq!(refused(leave(&caller, None).await), "membership.session_refused");

        assert_eq!(refused(world.token(&here, "forums").await), "membership.session_refused");
        assert_eq!(refused(world.app.myself(&caller).await), "membership.session_refused");
        let with_card = world.app.sign_in_with_card(&world.command(), &card_here.card, &card_here.code).await;
        assert_eq!(refused(with_card), "membership.card_replaced");
        let told = world.forums_claims(&there).await;
        assert_eq!(told["roles"], serde_json::json!([{"r": "client_member", "s": "tenant:21"}]));
        assert_eq!(told["att"][0]["m"], "751");
        assert_eq!(told["rolls"], serde_json::json!([{"e": first.to_string(), "m": "751"}]));
        let card = world.app.sign_in_with_card(&world.command(), &card_there.card, &card_there.code).await;
        assert!(card.is_ok(), "a card of the other county works on");
        let size = PageSize::new(0).unwrap();
        assert!(world.app.retired_references("forums", 0, size).await.unwrap().references.is_empty());

        // By the link the same human can come back, and is the same to the services.
        let back = world.person("19", "A-2", Some("link")).await;
        let session = world.sign_in("19", back).await;
        assert_eq!(world.token(&session, "forums").await.unwrap().subject, before);
        assert_eq!(world.forums_claims(&session).await.get("att"), None);
        // With the last county everything ends.
        for session in [there, session] {
            let caller = world.caller(&session).await;
            leave(&caller, None).await.unwrap();
        }
        let retired = world.app.retired_references("forums", 0, size).await.unwrap().references;
        assert_eq!(retired, [before]);
        world.close().await;
    }
}
