//! Leaving: everything that ties a person to the platform ends, and services are told to drop their references.

use kernel::{ElectionId, PageSize, Role, ScopeRef, Subject};
use proto::common::MunicipalitySeats;
use proto::forums::ElectionAnnounced;
use proto::membership as pb;

use crate::roles::joint_forum;
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
        world.app.leave(&command, &caller).await.unwrap();
        world.app.leave(&command, &caller).await.unwrap();
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
