//! Roles: in their scopes, with what excludes them, told without their holders.

use kernel::{ForumId, HeldRole, Role, ScopeRef};
use membership::app::NewRole;
use proto::forums::ForumFounded;
use proto::membership as pb;
use time::macros::date;

use crate::support::{ENGINES, World, refused, tenant};

/// A forum of the counties 19 and 21, as heard from forums.
pub(crate) async fn joint_forum(world: &World) -> ForumId {
    let forum: ForumId = world.id();
    let founded = ForumFounded {
        forum_id: forum.to_string(),
        term_ends_on: "2028-04-30".to_owned(),
        ..Default::default()
    };
    world.hear("19", &["21"], &founded).await;
    forum
}

#[tokio::test]
async fn a_forum_role_is_given_by_both_counties_of_a_joint_forum_and_ends_with_its_term() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("21", "B-1", None).await;
        let unheard = ScopeRef::Forum(world.id());
        let answer = world.role("21", person, Role::ElectionOfficer, unheard).await;
        assert_eq!(refused(answer), "membership.scope_unknown");
        let forum = ScopeRef::Forum(joint_forum(&world).await);
        let given = world.role("21", person, Role::ElectionOfficer, forum).await.unwrap();
        assert_eq!(given.ends_on, "2028-04-30", "M7");
        let twice = world.role("21", person, Role::ElectionOfficer, forum).await;
        assert_eq!(refused(twice), "membership.role_already_in_force");

        let session = world.sign_in("21", person).await;
        assert_eq!(world.forums_claims(&session).await["roles"][0]["s"], forum.to_string());
        world.on(date!(2028 - 05 - 01));
        let id = given.assignment_id.parse().unwrap();
        world.app.expire_role(id).await.unwrap();
        world.app.expire_role(id).await.unwrap();
        assert_eq!(world.published::<pb::RoleAssigned>().await.len(), 1);
        assert_eq!(world.published::<pb::RoleEnded>().await.len(), 1);
        world.close().await;
    }
}

#[tokio::test]
async fn f8_staff_of_one_county_is_no_election_officer_in_another() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("21", "Simon päivätoiminta", "751").await;
        let in_19 = world.person("19", "A-1", Some("same human")).await;
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        let given = world.role("21", in_21, Role::UnitStaff, ScopeRef::Unit(unit)).await.unwrap();
        let forum = ScopeRef::Forum(joint_forum(&world).await);
        let answer = world.role("19", in_19, Role::ElectionOfficer, forum).await;
        assert_eq!(refused(answer), "membership.roles_exclude");

        let id = given.assignment_id.parse().unwrap();
        let foreign = world.app.end_role(&world.command(), tenant("19"), id).await;
        assert_eq!(refused(foreign), "membership.assignment_unknown");
        let command = world.command();
        let ended = world.app.end_role(&command, tenant("21"), id).await.unwrap();
        assert_eq!(world.app.end_role(&command, tenant("21"), id).await.unwrap(), ended);
        let again = world.app.end_role(&world.command(), tenant("21"), id).await;
        assert_eq!(refused(again), "membership.role_ended");
        assert!(world.role("19", in_19, Role::ElectionOfficer, forum).await.is_ok());
        world.close().await;
    }
}

#[tokio::test]
async fn a_county_gives_roles_in_its_own_scopes_only() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let simo = ScopeRef::Unit(world.unit("21", "Simon päivätoiminta", "751").await);
        let county = ScopeRef::Tenant(tenant("19"));
        let cases = [
            (Role::UnitStaff, simo, "membership.scope_not_in_county"),
            (Role::Administrator, ScopeRef::Tenant(tenant("21")), "membership.scope_not_in_county"),
            (Role::UnitStaff, county, "membership.role_scope_mismatch"),
            (Role::UnitStaff, ScopeRef::Unit(world.id()), "membership.scope_unknown"),
            (Role::Operator, ScopeRef::Cell, "membership.operator_needed"),
            (Role::Service, ScopeRef::Cell, "membership.role_not_for_people"),
        ];
        for (role, scope, code) in cases {
            assert_eq!(refused(world.role("19", person, role, scope).await), code, "{role} in {scope}");
        }
        let stranger = world.role("21", person, Role::Registry, ScopeRef::Tenant(tenant("21"))).await;
        assert_eq!(refused(stranger), "membership.participant_unknown");
        let held = HeldRole { role: Role::Registry, scope: county };
        let new = NewRole {
            tenant: tenant("19"),
            participant: person,
            held,
            starts_on: Some(date!(2026 - 02 - 01)),
            ends_on: Some(date!(2026 - 01 - 31)),
            by_operator: false,
        };
        let turned = world.app.assign_role(&world.command(), new.clone()).await;
        assert_eq!(refused(turned), "membership.dates_in_order");
        let coming = NewRole { ends_on: None, ..new };
        world.app.assign_role(&world.command(), coming).await.unwrap();
        let session = world.sign_in("19", person).await;
        assert_eq!(world.forums_claims(&session).await.get("roles"), None, "it has not begun");
        world.close().await;
    }
}
