//! Support relationships below the wire: what tokens say of helpers, who is covered, what is forgotten.

use kernel::{ActingMode, Caller, Fault, PageSize, ParticipantId, Role, Scope, ScopeRef, SupportId, UnitId};
use membership::app::Asked;
use membership::domain::support::Command as Change;
use proto::forums::SeatPlanApproved;
use proto::membership as pb;
use serde_json::{Value, json};
use time::macros::date;

use crate::roles::joint_forum;
use crate::rolls::{announce, planned_forum, seats};
use crate::support::{ENGINES, World, claims, refused, tenant};

/// The token of a member who acts with this helper.
async fn assisted(world: &World, session: &str, support: SupportId) -> Result<Value, Fault> {
    let asked = Asked {
        session: session.to_owned(),
        audience: "proposals".to_owned(),
        mode: ActingMode::Assisted,
        on_behalf_of: None,
        support: Some(support),
    };
    Ok(claims(&world.app.actor_token(asked).await?.token.unwrap().token))
}

/// Makes the change as the caller, and gives the state after it.
async fn change(
    world: &World,
    caller: &Caller,
    id: SupportId,
    change: Change,
) -> Result<pb::SupportState, Fault> {
    let out = |state: pb::SupportState| pb::EndSupportResponse { state: state.into() };
    Ok(world.app.change_support(&world.command(), caller, id, change, out).await?.state())
}

/// A person with a session, as membership sees them.
async fn comes(world: &World, county: &str, key: &str) -> (ParticipantId, String, Caller) {
    let person = world.person(county, key, None).await;
    let session = world.sign_in(county, person).await;
    let caller = world.caller(&session).await;
    (person, session, caller)
}

/// A relationship that works, asked for by the member.
async fn helped_by(world: &World, member: &Caller, supporter: (&Caller, ParticipantId)) -> SupportId {
    let asked = world.app.ask_for_support(&world.command(), member, supporter.1).await.unwrap();
    assert_eq!(asked.state(), pb::SupportState::AcceptedByMember);
    let id: SupportId = asked.support_id.parse().unwrap();
    let declare = Change::Declare { trained_on: date!(2025 - 11 - 03) };
    assert_eq!(change(world, supporter.0, id, declare).await.unwrap(), pb::SupportState::Active);
    id
}

async fn reference(world: &World, session: &str, audience: &str) -> String {
    world.token(session, audience).await.unwrap().subject
}

/// The reference of somebody at a service, however they come by it.
async fn reference_of(world: &World, person: ParticipantId, audience: &str) -> String {
    let session = world.sign_in("19", person).await;
    reference(world, &session, audience).await
}

fn unit_role(unit: UnitId) -> ScopeRef {
    ScopeRef::Unit(unit)
}

#[tokio::test]
async fn m3_the_token_names_the_helper_and_the_units_where_they_work_today() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let vaala = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let (_, session, member) = comes(&world, "19", "A-1").await;
        let (supporter, at_work, helper) = comes(&world, "19", "S-1").await;
        let id = helped_by(&world, &member, (&helper, supporter)).await;
        let told = assisted(&world, &session, id).await.unwrap();
        assert_eq!(told["hlp"], json!({"r": reference(&world, &at_work, "proposals").await}));
        assert_eq!(
            (&told["mode"], &told["sub"]),
            (&"assisted".into(), &json!(reference(&world, &session, "proposals").await))
        );
        // A post counts at once; ended, it counts no more.
        let post = world.role("19", supporter, Role::UnitStaff, unit_role(vaala)).await.unwrap();
        let told = assisted(&world, &session, id).await.unwrap();
        assert_eq!(told["hlp"]["u"], json!([vaala.to_string()]));
        let post = post.assignment_id.parse().unwrap();
        world.app.end_role(&world.command(), tenant("19"), post).await.unwrap();
        assert_eq!(assisted(&world, &session, id).await.unwrap()["hlp"].get("u"), None);
        // Without the relationship, or by another member's, there is no helper in the token.
        assert_eq!(world.forums_claims(&session).await.get("hlp"), None);
        let (_, other, _) = comes(&world, "19", "A-2").await;
        assert_eq!(refused(assisted(&world, &other, id).await), "membership.support_not_active");
        let own = world.sign_in("19", supporter).await;
        assert_eq!(refused(assisted(&world, &own, id).await), "membership.support_not_active", "M4");
        // Whoever is shut out helps nobody, and whoever was ended does not either.
        world.app.suspend(&world.command(), tenant("19"), supporter).await.unwrap();
        assert_eq!(refused(assisted(&world, &session, id).await), "membership.support_not_active");
        world.app.reinstate(&world.command(), tenant("19"), supporter).await.unwrap();
        assert!(assisted(&world, &session, id).await.is_ok());
        assert_eq!(change(&world, &member, id, Change::End).await.unwrap(), pb::SupportState::Ended);
        assert_eq!(change(&world, &member, id, Change::End).await.unwrap(), pb::SupportState::Ended);
        assert_eq!(refused(assisted(&world, &session, id).await), "membership.support_not_active");
        world.close().await;
    }
}

#[tokio::test]
async fn m4_m5_a_member_keeps_their_vote_with_a_named_helper_who_gets_none_of_the_members_rights() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let (person, session, member) = comes(&world, "19", "A-1").await;
        world.attest(ii, staff, person, "139").await.unwrap();
        let (supporter, at_work, helper) = comes(&world, "19", "S-1").await;
        let id = helped_by(&world, &member, (&helper, supporter)).await;
        let election = announce(&world, forum, &["139"]).await;
        let place = json!([{"e": election.to_string(), "m": "139"}]);
        // Who says openly who helps them loses nothing by it. Whoever takes the vote asks the member for a yes.
        let told = assisted(&world, &session, id).await.unwrap();
        assert_eq!((&told["rolls"], &told["mode"]), (&place, &"assisted".into()));
        assert!(told.get("hlp").is_some());
        assert_eq!(told["att"][0]["m"], "139", "what else they may do, they may do with help");
        assert_eq!(world.forums_claims(&session).await["rolls"], place);
        let own = world.forums_claims(&at_work).await;
        assert_eq!((own.get("rolls"), own.get("att"), own.get("hlp")), (None, None, None));
        world.close().await;
    }
}

#[tokio::test]
async fn m3_a_guardian_who_works_in_a_unit_helps_nobody_and_who_acts_by_mandate_is_named() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let vaala = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let (person, session, member) = comes(&world, "19", "A-1").await;
        let (guardian, at_home, helper) = comes(&world, "19", "G-1").await;
        let until = date!(2026 - 06 - 01);
        world.app.register_mandate(&world.command(), tenant("19"), person, guardian, until).await.unwrap();
        // A guardian without a conflict may help.
        let id = helped_by(&world, &member, (&helper, guardian)).await;
        assert!(assisted(&world, &session, id).await.is_ok());
        let post = world.role("19", guardian, Role::UnitManager, unit_role(vaala)).await.unwrap();
        let refusal = "membership.guardian_in_conflict";
        assert_eq!(refused(assisted(&world, &session, id).await), refusal, "though the relationship works");
        change(&world, &member, id, Change::End).await.unwrap();
        let ask = async || world.app.ask_for_support(&world.command(), &member, guardian).await;
        assert_eq!(refused(ask().await), refusal);

        let asked = Asked {
            // A manager signs in anew.
            session: world.sign_in("19", guardian).await,
            audience: "proposals".to_owned(),
            mode: ActingMode::OnBehalf,
            on_behalf_of: Some(person),
            support: None,
        };
        let told = claims(&world.app.actor_token(asked).await.unwrap().token.unwrap().token);
        assert_eq!(told["sub"], json!(reference(&world, &session, "proposals").await));
        assert_eq!(told["hlp"]["u"], json!([vaala.to_string()]));
        assert_ne!(told["hlp"]["r"], told["sub"]);
        assert_eq!(refused(world.token(&at_home, "forums").await), "membership.session_refused");
        let post = post.assignment_id.parse().unwrap();
        world.app.end_role(&world.command(), tenant("19"), post).await.unwrap();
        assert!(ask().await.is_ok(), "no conflict any more");
        world.close().await;
    }
}

#[tokio::test]
async fn s1_36_a_member_municipality_without_a_support_person_is_told_to_the_counties_of_the_forum() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = joint_forum(&world).await;
        let places = ["139", "615", "889", "785", "751"];
        let plan = SeatPlanApproved { forum_id: forum.to_string(), seats: seats(&places), total: 20 };
        world.hear("19", &["21"], &plan).await;
        // Ii 2, Pudasjärvi 2, Utajärvi 1, Vaala 1, Simo 1: seven.
        let mut of_simo = None;
        for (county, place, count) in
            [("19", "139", 2), ("19", "615", 2), ("19", "889", 1), ("19", "785", 1), ("21", "751", 1)]
        {
            let unit = world.unit(county, &format!("Päivätoiminta {place}"), place).await;
            for number in 0..count {
                let person = world.person(county, &format!("T-{place}-{number}"), None).await;
                let role = world.role(county, person, Role::SupportPerson, unit_role(unit)).await.unwrap();
                // Staff are not support persons by being staff.
                world.role(county, person, Role::UnitStaff, unit_role(unit)).await.unwrap();
                if place == "751" {
                    of_simo = Some((role.assignment_id.parse().unwrap(), person));
                }
            }
        }
        let coverage = async |county: &str| {
            let told = world.app.support_coverage(tenant(county), forum).await.unwrap();
            let counts: Vec<_> =
                told.support_persons.iter().map(|one| (one.municipality.clone(), one.count)).collect();
            (counts.iter().map(|(_, count)| count).sum::<u32>(), counts, told.without)
        };
        let (sum, counts, without) = coverage("21").await;
        assert_eq!((sum, without), (7, Vec::new()), "at least one in each: {counts:?}");
        let (role, person) = of_simo.unwrap();
        world.app.suspend(&world.command(), tenant("21"), person).await.unwrap();
        assert_eq!(coverage("19").await.2, ["751"], "whoever is shut out supports nobody");
        world.app.reinstate(&world.command(), tenant("21"), person).await.unwrap();
        assert_eq!(coverage("19").await.0, 7);
        world.app.end_role(&world.command(), tenant("21"), role).await.unwrap();
        let (sum, counts, without) = coverage("19").await;
        assert_eq!((sum, without), (6, vec!["751".to_owned()]), "jäsenkunta ilman tukihenkilöä: {counts:?}");
        let unheard = world.app.support_coverage(tenant("19"), world.id()).await;
        assert_eq!(refused(unheard), "membership.scope_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn words_are_written_down_by_staff_where_the_client_is_and_by_their_own_support_person() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let (vaala, housing) = (
            world.unit("19", "Vaalan päivätoiminta", "785").await,
            world.unit("19", "Vaalan asuminen", "785").await,
        );
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let attesting = world.staff("19", housing).await;
        let (client, session, member) = comes(&world, "19", "A-1").await;
        let (stranger, _, _) = comes(&world, "19", "A-2").await;
        world.attest(housing, attesting, client, "785").await.unwrap();
        let as_at = |caller: &Caller, role: Role, unit| Caller {
            roles: vec![kernel::HeldRole { role, scope: unit_role(unit) }],
            ..caller.clone()
        };
        let (worker, _, caller) = comes(&world, "19", "W-1").await;
        let ask = async |caller: &Caller, unit, person| {
            let voucher = world.app.dictation_voucher(&world.command(), caller, unit, person).await?;
            Ok::<_, Fault>(claims(&voucher.voucher))
        };
        let staff = as_at(&caller, Role::UnitStaff, vaala);
        let told = ask(&staff, vaala, client).await.unwrap();
        let recorder = reference_of(&world, worker, "proposals").await;
        assert_eq!(
            (&told["unit"], &told["hlp"]["r"]),
            (&json!(vaala.to_string()), &json!(recorder)),
            "only for them"
        );
        assert_eq!(told["hlp"].get("u"), None, "they work nowhere by the register");
        let expected = json!(reference(&world, &session, "proposals").await);
        assert_eq!((&told["purpose"], &told["aud"]), (&"dictation".into(), &"proposals".into()));
        assert_eq!((&told["sub"], told.get("att"), told.get("rolls")), (&expected, None, None));
        let command = world.command();
        let first = world.app.dictation_voucher(&command, &staff, vaala, client).await.unwrap();
        let again = world.app.dictation_voucher(&command, &staff, vaala, client).await.unwrap();
        assert_eq!(claims(&again.voucher), claims(&first.voucher), "the same command, the same voucher");
        let signed = world.bytes("SELECT response FROM command_log").await;
        let is_there = |text: &str| {
            signed.iter().any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        };
        assert!(!is_there(&first.voucher) && is_there("proposals"), "the log keeps it unsigned");

        let refusal = "membership.dictation_not_allowed";
        assert_eq!(refused(ask(&staff, vaala, stranger).await), refusal, "attested by nobody");
        let of_ii = as_at(&caller, Role::UnitStaff, ii);
        assert_eq!(refused(ask(&of_ii, ii, client).await), refusal, "attested for another municipality");
        let supports = as_at(&caller, Role::SupportPerson, vaala);
        assert_eq!(refused(ask(&supports, vaala, client).await), refusal, "not their support person");
        let asked = world.app.ask_for_support(&world.command(), &member, worker).await.unwrap();
        assert_eq!(refused(ask(&supports, vaala, client).await), refusal, "not declared yet");
        let id: SupportId = asked.support_id.parse().unwrap();
        change(&world, &caller, id, Change::Declare { trained_on: date!(2025 - 11 - 03) }).await.unwrap();
        assert_eq!(ask(&supports, vaala, client).await.unwrap()["sub"], expected);
        // M3: where they work goes with the voucher, and a guardian who works in a unit writes nothing down.
        let post = world.role("19", worker, Role::UnitStaff, unit_role(ii)).await.unwrap();
        assert_eq!(ask(&supports, vaala, client).await.unwrap()["hlp"]["u"], json!([ii.to_string()]));
        let until = date!(2026 - 06 - 01);
        world.app.register_mandate(&world.command(), tenant("19"), client, worker, until).await.unwrap();
        assert_eq!(refused(ask(&supports, vaala, client).await), "membership.guardian_in_conflict");
        let post = post.assignment_id.parse().unwrap();
        world.app.end_role(&world.command(), tenant("19"), post).await.unwrap();
        assert!(ask(&supports, vaala, client).await.is_ok(), "no conflict any more");
        assert_eq!(refused(ask(&staff, vaala, worker).await), "membership.dictates_self");
        world.app.suspend(&world.command(), tenant("19"), client).await.unwrap();
        assert_eq!(refused(ask(&staff, vaala, client).await), "membership.participant_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn m7_whom_the_county_offered_helps_no_longer_than_they_are_its_support_person() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let vaala = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let (member_id, session, member) = comes(&world, "19", "A-1").await;
        let (supporter, _, _) = comes(&world, "19", "S-1").await;
        let role = world.role("19", supporter, Role::SupportPerson, unit_role(vaala)).await.unwrap();
        let helper = world.caller(&world.sign_in("19", supporter).await).await;
        let county = Scope::Tenant(tenant("19"));
        world.app.offer_support(&world.command(), county, member_id, supporter).await.unwrap();
        let listed = world.app.my_support(&member, PageSize::new(0).unwrap(), "").await.unwrap();
        let id: SupportId = listed.relationships[0].support_id.parse().unwrap();
        change(&world, &member, id, Change::Accept).await.unwrap();
        let declare = Change::Declare { trained_on: date!(2025 - 11 - 03) };
        change(&world, &helper, id, declare).await.unwrap();
        assert!(assisted(&world, &session, id).await.is_ok());
        let role = role.assignment_id.parse().unwrap();
        world.app.end_role(&world.command(), tenant("19"), role).await.unwrap();
        let refusal = "membership.support_role_ended";
        assert_eq!(refused(assisted(&world, &session, id).await), refusal);
        // Whom the member asks themselves needs no role.
        change(&world, &member, id, Change::End).await.unwrap();
        let helper = world.caller(&world.sign_in("19", supporter).await).await;
        let asked = helped_by(&world, &member, (&helper, supporter)).await;
        assert!(assisted(&world, &session, asked).await.is_ok());
        world.close().await;
    }
}

#[tokio::test]
async fn relationships_go_with_whoever_leaves_and_ended_ones_after_their_days() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let (_, _, member) = comes(&world, "19", "A-1").await;
        let (_, _, other) = comes(&world, "19", "A-2").await;
        let (supporter, at_work, helper) = comes(&world, "19", "S-1").await;
        let ended = helped_by(&world, &member, (&helper, supporter)).await;
        change(&world, &helper, ended, Change::End).await.unwrap();
        helped_by(&world, &member, (&helper, supporter)).await;
        helped_by(&world, &other, (&helper, supporter)).await;
        let size = PageSize::new(1).unwrap();
        let count = async || world.value::<i64>("SELECT count(*) FROM support").await;
        let page = world.app.my_support(&helper, size, "").await.unwrap();
        let rest = world.app.my_support(&helper, size, &page.next_page_token).await.unwrap();
        assert_eq!(
            (page.relationships.len(), rest.relationships.len(), rest.next_page_token.as_str()),
            (1, 1, "")
        );
        world.on(date!(2026 - 04 - 15));
        world.app.purge().await.unwrap();
        assert_eq!(count().await, 3, "ninety days are not over");
        world.on(date!(2026 - 04 - 16));
        world.app.purge().await.unwrap();
        assert_eq!(count().await, 2, "the ended one is gone");
        let session = world.sign_in("19", supporter).await;
        drop(at_work);
        let leaving = world.caller(&session).await;
        world.app.leave(&world.command(), &leaving, None).await.unwrap();
        assert_eq!(count().await, 0);
        let left = world.app.my_support(&member, size, "").await.unwrap();
        assert_eq!(left.relationships, []);
        world.close().await;
    }
}

#[tokio::test]
async fn a_county_offers_its_support_persons_and_a_unit_only_to_its_clients() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let vaala = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let staff = world.staff("19", vaala).await;
        let (client, _, _) = comes(&world, "19", "A-1").await;
        let (supporter, _, _) = comes(&world, "19", "S-1").await;
        let (abroad, _, _) = comes(&world, "21", "S-2").await;
        let offer = async |scope, supporter| {
            world.app.offer_support(&world.command(), scope, client, supporter).await
        };
        let (county, unit) = (Scope::Tenant(tenant("19")), Scope::Unit(vaala));
        assert_eq!(refused(offer(county, supporter).await), "membership.not_a_support_person");
        world.role("19", supporter, Role::SupportPerson, unit_role(vaala)).await.unwrap();
        assert_eq!(refused(offer(unit, supporter).await), "membership.support_not_for_unit");
        assert_eq!(refused(offer(county, abroad).await), "membership.participant_unknown");
        world.attest(vaala, staff, client, "785").await.unwrap();
        offer(unit, supporter).await.unwrap();
        offer(county, supporter).await.unwrap();
        let count = async || world.value::<i64>("SELECT count(*) FROM support").await;
        assert_eq!(count().await, 1, "offered already");
        // Whoever offers does not learn that the member has asked the same person themselves.
        let (other, _, member) = comes(&world, "19", "A-2").await;
        let (neighbour, _, _) = comes(&world, "19", "N-1").await;
        for person in [supporter, neighbour] {
            world.app.ask_for_support(&world.command(), &member, person).await.unwrap();
        }
        world.app.offer_support(&world.command(), county, other, supporter).await.unwrap();
        let answer = world.app.offer_support(&world.command(), county, other, neighbour).await;
        assert_eq!(refused(answer), "membership.not_a_support_person");
        assert_eq!(count().await, 3);
        world.close().await;
    }
}
