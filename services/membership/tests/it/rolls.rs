//! Rolls: frozen once, one entry a human, read by officers, claimed in tokens until the election is over.

use std::collections::BTreeMap;

use kernel::{Caller, Clock as _, ElectionId, ForumId, PageSize, Role, ScopeRef, Subject};
use proto::common::MunicipalitySeats;
use proto::forums::{ElectionAnnounced, ElectionAnnulled, ElectionConfirmed, SeatPlanApproved};
use proto::membership as pb;
use time::macros::date;

use crate::roles::joint_forum;
use crate::support::{ENGINES, GROUP, World, claims, municipality, refused, tenant};

pub(crate) fn seats(places: &[&str]) -> Vec<MunicipalitySeats> {
    places.iter().map(|code| MunicipalitySeats { municipality: (*code).to_owned(), seats: 4 }).collect()
}

pub(crate) async fn announce(world: &World, forum: ForumId, places: &[&str]) -> ElectionId {
    let election: ElectionId = world.id();
    let announced = ElectionAnnounced {
        election_id: election.to_string(),
        forum_id: forum.to_string(),
        service_group: GROUP.to_owned(),
        seats: seats(places),
        ..Default::default()
    };
    world.hear("19", &["21"], &announced).await;
    // A repeated event changes nothing.
    world.hear("19", &["21"], &announced).await;
    election
}

pub(crate) async fn planned_forum(world: &World) -> ForumId {
    let forum = joint_forum(world).await;
    let plan =
        SeatPlanApproved { forum_id: forum.to_string(), seats: seats(&["139", "751", "785"]), total: 12 };
    world.hear("19", &["21"], &plan).await;
    forum
}

async fn counts(world: &World, election: ElectionId) -> BTreeMap<String, u32> {
    let summary = world.app.roll_summary(election).await.unwrap();
    assert_eq!(summary.roll_hash.len(), 32);
    summary.counts.into_iter().map(|count| (count.municipality, count.count)).collect()
}

#[tokio::test]
async fn f3_one_human_has_one_entry_over_both_counties() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let (staff_of_ii, staff_of_simo) = (world.staff("19", ii).await, world.staff("21", simo).await);
        // One human in both registers, attested in Simo first.
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        world.attest(simo, staff_of_simo, in_21, "751").await.unwrap();
        world.on(date!(2026 - 01 - 20));
        let in_19 = world.person("19", "A-1", Some("same human")).await;
        world.attest(ii, staff_of_ii, in_19, "139").await.unwrap();
        let other = world.person("19", "A-2", None).await;
        world.attest(ii, staff_of_ii, other, "139").await.unwrap();

        world.on(date!(2026 - 03 - 02));
        let election = announce(&world, forum, &["139", "751", "785"]).await;
        let expected = [("139", 1), ("751", 1), ("785", 0)].map(|(code, count)| (code.to_owned(), count));
        assert_eq!(counts(&world, election).await, BTreeMap::from(expected));
        let told = world.published::<pb::RollFrozen>().await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].counts.len(), 3, "zero is told too");

        // The claim is given with a card of the county whose entry is on the roll, and with no other.
        let session = world.sign_in("21", in_21).await;
        let rolls = world.forums_claims(&session).await["rolls"].clone();
        assert_eq!(rolls, serde_json::json!([{"e": election.to_string(), "m": "751"}]));
        let session = world.sign_in("19", in_19).await;
        assert_eq!(world.forums_claims(&session).await.get("rolls"), None);

        // Attested after the freeze: not on this roll.
        let late = world.person("19", "A-3", None).await;
        world.attest(ii, staff_of_ii, late, "139").await.unwrap();
        let session = world.sign_in("19", late).await;
        assert_eq!(world.forums_claims(&session).await.get("rolls"), None);
        assert_eq!(counts(&world, election).await["139"], 1);

        // A supplementary election in Ii: the human of Simo has no second constituency, the late one has their first.
        let supplementary = announce(&world, forum, &["139"]).await;
        assert_eq!(counts(&world, supplementary).await, BTreeMap::from([("139".to_owned(), 2)]));
        let hashes = [election, supplementary].map(|election| world.app.roll_summary(election));
        let hashes = futures::future::try_join_all(hashes).await.unwrap();
        assert_ne!(hashes[0].roll_hash, hashes[1].roll_hash);
        world.close().await;
    }
}

#[tokio::test]
async fn claims_end_when_the_election_is_over() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let person = world.person("19", "A-1", None).await;
        world.attest(ii, staff, person, "139").await.unwrap();
        let session = world.sign_in("19", person).await;
        let rolls = || async {
            let told = world.forums_claims(&session).await;
            told.get("rolls").map_or(0, |rolls| rolls.as_array().unwrap().len())
        };
        let (first, second) =
            (announce(&world, forum, &["139"]).await, announce(&world, forum, &["139"]).await);
        assert_eq!(rolls().await, 2);
        let confirmed = ElectionConfirmed { election_id: first.to_string(), ..Default::default() };
        world.hear("19", &["21"], &confirmed).await;
        assert_eq!(rolls().await, 1);
        let annulled = ElectionAnnulled { election_id: second.to_string(), ..Default::default() };
        world.hear("19", &["21"], &annulled).await;
        assert_eq!(rolls().await, 0);
        let late = world.app.paper_voucher(&world.command(), forum, first, person).await;
        assert_eq!(refused(late), "membership.roll_over");
        let unknown = world.app.roll_summary(world.id()).await;
        assert_eq!(refused(unknown), "membership.roll_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn officers_read_the_roll_and_hand_out_paper_and_help_is_on_the_roll_only() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let mut people = Vec::new();
        for number in 0..3 {
            // Two of one name: pages go by name and then by id.
            let mut new = world.new_participant("19", &format!("A-{number}"), None);
            new.profile.display_name = if number < 2 { "Aino Aalto" } else { "Eero Ek" }.to_owned();
            people.push(new.id);
            world.app.register(&world.command(), new).await.unwrap();
            world.attest(ii, staff, people[number], "139").await.unwrap();
        }
        let election = announce(&world, forum, &["139"]).await;
        let session = world.sign_in("19", people[2]).await;
        let at_forums = world.token(&session, "forums").await.unwrap().subject;
        let caller = world.caller(&session).await;
        world.app.record_assistance(&world.command(), &caller, election, "support_person").await.unwrap();
        let not_voter =
            world.app.record_assistance(&world.command(), &Caller::person(staff), election, "staff").await;
        assert_eq!(refused(not_voter), "membership.not_on_roll");

        let size = PageSize::new(1).unwrap();
        let mut entries = Vec::new();
        let mut token = String::new();
        loop {
            let page = world.app.list_roll(forum, election, municipality("139"), size, &token).await.unwrap();
            entries.extend(page.entries);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let names: Vec<_> =
            entries.iter().map(|entry| (entry.display_name.as_str(), entry.assisted)).collect();
        assert_eq!(names, [("Aino Aalto", false), ("Aino Aalto", false), ("Eero Ek", true)]);
        assert_ne!(entries[0].participant_id, entries[1].participant_id);
        assert_eq!(entries[2].voter_ref, at_forums, "the officer sees the reference that forums uses");

        let other = joint_forum(&world).await;
        let foreign = world.app.list_roll(other, election, municipality("139"), size, "").await;
        assert_eq!(refused(foreign), "membership.roll_of_other_forum");
        let command = world.command();
        let voucher = world.app.paper_voucher(&command, forum, election, people[0]).await.unwrap();
        assert_eq!(world.app.paper_voucher(&command, forum, election, people[0]).await.unwrap(), voucher);
        let told = claims(&voucher.voucher);
        assert_eq!(
            (&told["purpose"], &told["sub"]),
            (
                &"paper_ballot".into(),
                &entries
                    .iter()
                    .find(|entry| entry.participant_id == people[0].to_string())
                    .unwrap()
                    .voter_ref
                    .clone()
                    .into()
            )
        );
        assert_eq!(told["rolls"], serde_json::json!([{"e": election.to_string(), "m": "139"}]));
        assert!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap() <= 15 * 60);
        let stranger = world.person("19", "A-9", None).await;
        let answer = world.app.paper_voucher(&world.command(), forum, election, stranger).await;
        assert_eq!(refused(answer), "membership.not_on_roll");

        let references: Vec<Subject> = entries.iter().map(|entry| entry.voter_ref.parse().unwrap()).collect();
        let names = world.app.resolve_references(forum, &references).await.unwrap().names;
        assert_eq!(names.len(), 3);
        assert_eq!(names[2].display_name, "Eero Ek");
        let unheard = world.app.resolve_references(world.id(), &references).await;
        assert_eq!(refused(unheard), "membership.scope_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn f8_staff_of_one_county_take_no_part_in_the_election_with_their_card_of_the_other() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let staff_of_simo = world.staff("21", simo).await;
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        let in_19 = world.person("19", "A-1", Some("same human")).await;
        world.attest(simo, staff_of_simo, in_21, "751").await.unwrap();
        let election = announce(&world, forum, &["751"]).await;
        let session = world.sign_in("21", in_21).await;
        let may = async || {
            let told = world.forums_claims(&session).await;
            (told.get("rolls").is_some(), told.get("att").is_some())
        };
        assert_eq!(may().await, (true, true));

        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let role = world.role("19", in_19, Role::SupportPerson, ScopeRef::Unit(ii)).await.unwrap();
        assert_eq!(may().await, (false, false), "not online, and not as a candidate");
        assert_eq!(
            world.forums_claims(&session).await.get("roles"),
            None,
            "nor with rights of the other card"
        );
        let code = world.app.create_nomination_code(&world.command(), &world.caller(&session).await).await;
        assert_eq!(refused(code), "membership.nothing_to_stand_for");
        let paper = async || world.app.paper_voucher(&world.command(), forum, election, in_21).await;
        assert_eq!(refused(paper().await), "membership.staff_take_no_part");

        let id = role.assignment_id.parse().unwrap();
        world.app.end_role(&world.command(), tenant("19"), id).await.unwrap();
        assert_eq!(may().await, (true, true), "until the role ends");
        assert!(paper().await.is_ok());
        world.close().await;
    }
}

#[tokio::test]
async fn a_roll_changed_behind_the_services_back_is_seen() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let mut people = Vec::new();
        for number in 0..3 {
            let person = world.person("19", &format!("A-{number}"), None).await;
            world.attest(ii, staff, person, "139").await.unwrap();
            people.push(person);
        }
        let election = announce(&world, forum, &["139", "751"]).await;
        let published = world.published::<pb::RollFrozen>().await[0].roll_hash.clone();
        let checks = "SELECT count(*) FROM job WHERE kind = 'membership.roll_check'";
        assert_eq!(world.value::<i64>(checks).await, 1, "the next night");
        let look = async || {
            world.real.set(world.real.now() + time::Duration::minutes(1)).unwrap();
            let summary = world.app.roll_summary(election).await.unwrap();
            assert_eq!(summary.roll_hash, published);
            (summary.matches, summary.hash_now == published)
        };
        assert_eq!(look().await, (true, true));
        // Leaving and being helped are no changes of the roll.
        let caller = world.caller(&world.sign_in("19", people[0]).await).await;
        world.app.record_assistance(&world.command(), &caller, election, "staff").await.unwrap();
        world.app.leave(&world.command(), &caller, None).await.unwrap();
        assert_eq!(look().await, (true, true));
        world.on(date!(2026 - 01 - 16));
        world.app.check_roll(election).await.unwrap();
        assert_eq!(world.value::<i64>(checks).await, 2, "and the night after");

        let one: [sea_orm::Value; 1] = [people[1].as_uuid().into()];
        let elsewhere = "UPDATE roll_entry SET municipality = '751' WHERE participant = $1";
        let back = "UPDATE roll_entry SET municipality = '139' WHERE participant = $1";
        assert_eq!(look().await, (true, true));
        world.write(elsewhere, one.clone()).await;
        let within = world.app.roll_summary(election).await.unwrap();
        assert!(within.matches, "a look answers for a minute");
        assert_eq!(look().await, (false, false));
        world.on(date!(2026 - 01 - 17));
        assert_eq!(refused(world.app.check_roll(election).await), "membership.roll_changed");
        assert_eq!(world.value::<i64>(checks).await, 3, "it is looked at again all the same");
        world.write(back, one.clone()).await;
        world.app.check_roll(election).await.unwrap();
        assert_eq!(look().await, (true, true));
        world.write("UPDATE roll_count SET count = count + 1 WHERE municipality = '751'", []).await;
        assert_eq!(look().await, (false, true), "counts are compared too");
        world.write("UPDATE roll_count SET count = count - 1 WHERE municipality = '751'", []).await;
        // A place cannot be taken away from somebody who is there, nor given back to somebody who left.
        let withdrawn = "UPDATE roll_entry SET withdrawn = NOT withdrawn WHERE participant = $1";
        for participant in [people[0], people[1]] {
            world.write(withdrawn, [participant.as_uuid().into()]).await;
            assert_eq!(look().await, (false, true));
            world.write(withdrawn, [participant.as_uuid().into()]).await;
            assert_eq!(look().await, (true, true));
        }
        let another: [sea_orm::Value; 2] = [people[2].as_uuid().into(), people[1].as_uuid().into()];
        let given_away = "UPDATE roll_entry SET participant = $1 WHERE participant = $2";
        world.write(given_away, another).await;
        assert_eq!(look().await, (false, false), "a place given to another entry");
        world.write("DELETE FROM roll_entry WHERE participant = $1", [people[2].as_uuid().into()]).await;
        assert_eq!(look().await, (false, false));

        // When the election is over the roll is looked at once more, at once.
        let over = ElectionConfirmed { election_id: election.to_string(), ..Default::default() };
        world.hear("19", &["21"], &over).await;
        world.hear("19", &["21"], &over).await;
        assert_eq!(world.value::<i64>(checks).await, 4);
        assert_eq!(refused(world.app.check_roll(election).await), "membership.roll_changed");
        world.close().await;
    }
}
