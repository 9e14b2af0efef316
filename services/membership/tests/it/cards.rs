//! Code cards and sessions: what lets somebody in, once.

use kernel::{Caller, PageSize, Scope};
use proto::membership as pb;
use time::macros::date;

use crate::support::{ENGINES, World, refused, tenant};

#[tokio::test]
async fn a_card_works_once_however_it_is_typed() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let card = world.card("19", person).await;
        assert_eq!((card.card.len(), card.code.len()), (8, 14));
        let typed = card.code.to_lowercase().replace('-', " ");
        let command = world.command();
        let first = world.app.sign_in_with_card(&command, &card.card.to_lowercase(), &typed).await.unwrap();
        let again = world.app.sign_in_with_card(&command, &card.card.to_lowercase(), &typed).await.unwrap();
        assert_eq!(first, again, "the same command sent twice gives the same session");
        let session = first.session.unwrap();
        assert_eq!(session.tenants, ["19"]);
        assert!(world.token(&session.session, "forums").await.is_ok());

        let reused = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await;
        assert_eq!(refused(reused), "membership.card_used");
        assert_eq!(world.published::<pb::ParticipantActivated>().await.len(), 1, "told once");
        world.close().await;
    }
}

#[tokio::test]
async fn a_repeated_issue_shows_the_same_card_and_stores_no_code() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let command = world.command();
        let (administrator, scope) = (world.administrator("19").await, Scope::Tenant(tenant("19")));
        let issue = || world.app.issue_card(&command, &administrator, scope, person);
        let card = issue().await.unwrap();
        assert_eq!(issue().await.unwrap(), card);
        assert_eq!(world.value::<i64>("SELECT count(*) FROM code_card").await, 1);

        let code = card.code.replace('-', "");
        let logged: Vec<u8> =
            world.value("SELECT response FROM command_log ORDER BY created_at DESC, idem_key DESC").await;
        for secret in [code.as_str(), card.code.as_str()] {
            assert!(!logged.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
        let hash: String = world.value("SELECT code_hash FROM code_card").await;
        assert!(hash.starts_with("$argon2id$") && !hash.contains(&code), "{hash}");

        let signed_in = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await.unwrap();
        let secret = signed_in.session.unwrap().session;
        let kept = "SELECT count(*) FROM session";
        assert_eq!(world.value::<i64>(kept).await, 1);
        let stored: Vec<u8> = world.value("SELECT secret_hash FROM session").await;
        assert_ne!(stored, secret.as_bytes());
        world.close().await;
    }
}

#[tokio::test]
async fn a_new_card_kills_the_old_one_and_time_kills_any() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let old = world.card("19", person).await;
        let new = world.card("19", person).await;
        let with_old = world.app.sign_in_with_card(&world.command(), &old.card, &old.code).await;
        assert_eq!(refused(with_old), "membership.card_replaced");
        // Thirty days by default: the last one counts.
        world.on(date!(2026 - 02 - 15));
        let late = world.app.sign_in_with_card(&world.command(), &new.card, &new.code).await;
        assert_eq!(refused(late), "membership.card_expired");
        world.on(date!(2026 - 02 - 14));
        assert!(world.app.sign_in_with_card(&world.command(), &new.card, &new.code).await.is_ok());
        world.close().await;
    }
}

#[tokio::test]
async fn ten_wrong_tries_lock_a_card_even_all_at_once() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let card = world.card("19", person).await;
        let wrong = if card.code.starts_with('0') { "1111-1111-1111" } else { "0000-0000-0000" };
        let tries = (0..14).map(|_| async {
            refused(world.app.sign_in_with_card(&world.command(), &card.card, wrong).await)
        });
        let codes = futures::future::join_all(tries).await;
        assert!(codes.iter().all(|code| code == "membership.card_refused"), "{codes:?}");
        assert_eq!(world.value::<i64>("SELECT max(tries) FROM code_card").await, 10);
        // The right code opens a locked card as little as a wrong one, an unknown card or an unreadable code.
        let fresh = world.card("19", world.person("19", "A-2", None).await).await;
        let tries = [
            (card.card.as_str(), card.code.as_str()),
            (fresh.card.as_str(), wrong),
            ("00000000", wrong),
            ("nonsense!", wrong),
            (card.card.as_str(), "x"),
        ];
        let mut answers = Vec::new();
        for (number, code) in tries {
            let answer = world.app.sign_in_with_card(&world.command(), number, code).await.unwrap_err();
            answers.push((answer.kind(), answer.code().to_owned(), answer.message().to_owned()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");

        // Holder and issuer are told, once, whoever tries on; the holder sees it with a new card.
        let told = "SELECT count(*) FROM notice WHERE template";
        for template in ["membership.card_locked", "membership.issued_card_locked"] {
            assert_eq!(world.value::<i64>(&format!("{told} = '{template}'")).await, 1, "{template}");
        }
        let notices = "SELECT count(*) FROM notice n JOIN participant p ON p.person = n.person \
                       WHERE p.register_key = 'administrator' AND n.template = 'membership.issued_card_locked'";
        assert_eq!(world.value::<i64>(notices).await, 1);
        assert_eq!(world.value::<i64>(&format!("{told} = 'membership.card_made'")).await, 2);
        world.close().await;
    }
}

#[tokio::test]
async fn who_may_make_whose_card() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let client = world.person("19", "A-1", None).await;
        let caller = Caller::person(staff);
        let by_unit =
            async || world.app.issue_card(&world.command(), &caller, Scope::Unit(unit), client).await;
        assert_eq!(refused(by_unit().await), "membership.card_not_for_unit");
        world.attest(unit, staff, client, "139").await.unwrap();
        assert!(by_unit().await.is_ok());

        // Whoever makes a card could sign in with it: an office needs the administrator.
        let registry = kernel::Role::Registry;
        world.role("19", client, registry, kernel::ScopeRef::Tenant(tenant("19"))).await.unwrap();
        let scope = Scope::Tenant(tenant("19"));
        for scope in [Scope::Unit(unit), scope] {
            let answer = world.app.issue_card(&world.command(), &caller, scope, client).await;
            assert_eq!(refused(answer), "membership.card_needs_administrator");
        }
        assert!(!world.card("19", client).await.code.is_empty());
        let elsewhere = Scope::Tenant(tenant("21"));
        let answer =
            world.app.issue_card(&world.command(), &world.administrator("21").await, elsewhere, client).await;
        assert_eq!(refused(answer), "membership.participant_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn a_suspended_person_stays_out_until_let_in_again() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", Some("same human")).await;
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        let session = world.sign_in("19", person).await;
        let session_in_21 = world.sign_in("21", in_21).await;
        world.app.suspend(&world.command(), tenant("19"), person).await.unwrap();
        assert_eq!(refused(world.token(&session, "forums").await), "membership.session_refused");
        assert!(world.token(&session_in_21, "forums").await.is_ok(), "19 shuts nobody out of 21");
        let card = world.card("19", person).await;
        let answer = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await;
        assert_eq!(refused(answer), "membership.suspended");
        world.app.reinstate(&world.command(), tenant("19"), person).await.unwrap();
        let again = world.app.reinstate(&world.command(), tenant("19"), person).await;
        assert_eq!(refused(again), "membership.not_suspended");
        assert!(world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await.is_ok());
        world.close().await;
    }
}

#[tokio::test]
async fn a_county_administrator_makes_no_card_that_opens_an_operator_or_another_county() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let redeemed = world.first_administrator(&world.setup_code);
        let boss = redeemed.participant.id;
        world.app.redeem_setup_code(&world.command(), redeemed).await.unwrap();
        let scope = Scope::Tenant(tenant("19"));
        let held = |role, scope| kernel::HeldRole { role, scope };
        let of = |code| held(kernel::Role::Administrator, kernel::ScopeRef::Tenant(tenant(code)));
        let operator = held(kernel::Role::Operator, kernel::ScopeRef::Cell);
        let administrator = world.administrator("19").await;
        let issue = async |roles: Vec<kernel::HeldRole>| {
            let caller = Caller { roles, ..administrator.clone() };
            world.app.issue_card(&world.command(), &caller, scope, boss).await
        };
        for roles in [vec![of("19")], vec![of("19"), of("21")], vec![of("19"), operator]] {
            assert_eq!(refused(issue(roles).await), "membership.card_needs_administrator");
        }
        assert!(issue(vec![of("19"), of("21"), operator]).await.is_ok());

        // An office of the same human in another county's register counts, and one that has not begun.
        let here = world.person("19", "A-1", Some("same human")).await;
        let there = world.person("21", "B-1", Some("same human")).await;
        assert!(!world.card("19", here).await.code.is_empty());
        let coming = membership::app::NewRole {
            tenant: tenant("21"),
            participant: there,
            held: held(kernel::Role::Registry, kernel::ScopeRef::Tenant(tenant("21"))),
            starts_on: Some(date!(2026 - 02 - 01)),
            ends_on: None,
            by_operator: false,
        };
        world.app.assign_role(&world.command(), coming).await.unwrap();
        let administrator = world.administrator("19").await;
        let answer = world.app.issue_card(&world.command(), &administrator, scope, here).await;
        assert_eq!(refused(answer), "membership.card_needs_administrator");
        world.close().await;
    }
}

#[tokio::test]
async fn a_card_or_session_from_before_an_office_does_not_open_the_office() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let in_21 = world.person("21", "B-1", Some("same human")).await;
        let in_19 = world.person("19", "A-2", Some("same human")).await;
        for (county, participant, office_in, holder) in
            [("19", person, "19", person), ("21", in_21, "19", in_19)]
        {
            let session = world.sign_in(county, participant).await;
            let card = world.card(county, participant).await;
            let scope = kernel::ScopeRef::Tenant(tenant(office_in));
            // A role that is no office changes nothing.
            world.role(office_in, holder, kernel::Role::ClientMember, scope).await.unwrap();
            assert!(world.token(&session, "forums").await.is_ok());
            world.role(office_in, holder, kernel::Role::Registry, scope).await.unwrap();
            assert_eq!(refused(world.token(&session, "forums").await), "membership.session_refused");
            let answer = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await;
            assert_eq!(refused(answer), "membership.card_replaced");
        }
        let session = world.sign_in("19", person).await;
        assert_eq!(world.forums_claims(&session).await["roles"][1]["r"], "registry");
        world.close().await;
    }
}

#[tokio::test]
async fn whoever_made_a_card_is_on_record_and_its_holder_is_told() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let client = world.person("19", "A-1", None).await;
        world.attest(unit, staff, client, "139").await.unwrap();
        world.card("19", client).await;
        let by_unit = Caller::person(staff);
        world.on(date!(2026 - 01 - 16));
        let issue =
            async || world.app.issue_card(&world.command(), &by_unit, Scope::Unit(unit), client).await;
        let card = issue().await.unwrap();
        let signed_in = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await.unwrap();
        let session = signed_in.session.unwrap().session;
        let caller = world.caller(&session).await;

        let cards = world.app.myself(&caller).await.unwrap().cards;
        let told: Vec<_> =
            cards.iter().map(|card| (card.issued_by.as_str(), card.unit.as_str(), card.state())).collect();
        let staff_name = format!("Person staff-{unit}");
        let expected = [
            (staff_name.as_str(), "Iin päivätoiminta", pb::CodeCardState::Used),
            ("Person administrator", "", pb::CodeCardState::Replaced),
        ];
        assert_eq!(told, expected, "the newest first");
        assert_eq!(cards[0].card, card.card);
        let day = |card: &pb::CodeCard| card.issued_at.unwrap().seconds / 86_400;
        assert_eq!(day(&cards[0]) - day(&cards[1]), 1);
        // Not for the administrator, who sees the person, nor for whoever acts for the person.
        let by_mandate = Caller { mode: kernel::ActingMode::OnBehalf, ..caller.clone() };
        assert_eq!(world.app.myself(&by_mandate).await.unwrap().cards, []);

        let size = PageSize::new(0).unwrap();
        let notices = async |caller: &Caller| {
            let page = world.app.my_notices(caller, size, "").await.unwrap();
            page.notices.into_iter().map(|notice| notice.template).collect::<Vec<_>>()
        };
        assert_eq!(notices(&caller).await, ["membership.card_made"; 2], "one for each card");
        assert!(notices(&by_mandate).await.is_empty(), "as the cards themselves");
        let in_21 = Caller { tenants: vec![tenant("21")], ..caller.clone() };
        assert!(notices(&in_21).await.is_empty(), "nor with another county's card");
        // More cards of a day are told of together, on the next: nobody's other notices are pushed far away by cards.
        for _ in 0..3 {
            issue().await.unwrap();
        }
        assert_eq!(world.value::<i64>("SELECT count(*) FROM notice WHERE delivered_at IS NULL").await, 1);
        world.close().await;
    }
}
