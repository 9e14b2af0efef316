//! Notices: one a person a day, each key once; and the references of those who have left.

use kernel::{ActingMode, Caller, HeldRole, PageSize, Role, ScopeRef, Subject};
use membership::app::{Ask, NewRole};
use time::macros::date;

use crate::support::{ENGINES, World, tenant};

fn ask(service: &str, template: &str, dedupe_key: &str) -> Ask {
    Ask {
        service: service.to_owned(),
        template: template.to_owned(),
        dedupe_key: dedupe_key.to_owned(),
        urgent: false,
    }
}

#[tokio::test]
async fn one_notice_a_person_a_day_and_each_key_once() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let reference: Subject = world.token(&session, "forums").await.unwrap().subject.parse().unwrap();
        let caller = world.caller(&session).await;
        // The card was a notice of the first day.
        world.on(date!(2026 - 01 - 16));
        let unknown: Subject = world.id();
        let notify = async |key: &str| {
            let asked = ask("forums", &format!("forums.{key}"), key);
            let answer = world.app.notify(&world.command(), asked, vec![reference, unknown]).await.unwrap();
            (answer.notified, answer.held)
        };
        assert_eq!(notify("candidacy_offered").await, (1, 0));
        assert_eq!(notify("candidacy_offered").await, (0, 1), "the same key tells once");
        assert_eq!(notify("voting_open").await, (0, 1), "the second of the day is held");
        assert_eq!(notify("result").await, (0, 1), "the third goes to the day after");
        // Another service does not reach anybody by forums' reference.
        let stolen = ask("partners", "x", "x");
        let stolen = world.app.notify(&world.command(), stolen, vec![reference]).await.unwrap();
        assert_eq!((stolen.notified, stolen.held), (0, 0));

        let size = PageSize::new(0).unwrap();
        let seen = async || {
            let page = world.app.my_notices(&caller, size, "").await.unwrap();
            page.notices.into_iter().map(|notice| notice.template).collect::<Vec<_>>()
        };
        assert_eq!(seen().await, ["forums.candidacy_offered", "membership.card_made"]);
        let timers = "SELECT count(*) FROM job WHERE kind = 'membership.notice'";
        assert_eq!(world.value::<i64>(timers).await, 2);
        world.on(date!(2026 - 01 - 17));
        let held: kernel::Uuid =
            world.value("SELECT id FROM notice WHERE template = 'forums.voting_open'").await;
        world.app.deliver_notice(held.into()).await.unwrap();
        world.app.deliver_notice(held.into()).await.unwrap();
        let expected = ["forums.voting_open", "forums.candidacy_offered", "membership.card_made"];
        assert_eq!(seen().await, expected, "the newest first");
        let by_mandate = Caller { mode: ActingMode::OnBehalf, ..caller.clone() };
        let page = world.app.my_notices(&by_mandate, size, "").await.unwrap();
        let seen: Vec<_> = page.notices.into_iter().map(|notice| notice.template).collect();
        assert_eq!(seen, expected[..2], "who acts for a person is told what waits, and not of their cards");
        world.close().await;
    }
}

#[tokio::test]
async fn an_urgent_notice_comes_at_once_and_counts_as_the_one_of_its_day() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let reference: Subject = world.token(&session, "forums").await.unwrap().subject.parse().unwrap();
        let caller = world.caller(&session).await;
        // The card was a notice of the first day.
        let notify = async |key: &str, urgent: bool| {
            let asked = Ask { urgent, ..ask("forums", &format!("forums.{key}"), key) };
            let answer = world.app.notify(&world.command(), asked, vec![reference]).await.unwrap();
            (answer.notified, answer.held)
        };
        assert_eq!(notify("cancelled", true).await, (1, 0), "though the card was told of today");
        assert_eq!(notify("cancelled", true).await, (0, 1), "the same key tells once");
        assert_eq!(notify("moved", true).await, (1, 0), "and another urgent one comes too");
        world.on(date!(2026 - 01 - 16));
        assert_eq!(notify("ill", true).await, (1, 0));
        assert_eq!(notify("result", false).await, (0, 1), "an urgent one counts: the day is taken");
        // Page by page, the day with several notices in two pieces.
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = world.app.my_notices(&caller, PageSize::new(1).unwrap(), &token).await.unwrap();
            seen.extend(page.notices.into_iter().map(|notice| notice.template));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ["forums.ill", "forums.moved", "forums.cancelled", "membership.card_made"]);
        world.close().await;
    }
}

#[tokio::test]
async fn the_holders_of_a_role_are_told_page_by_page_and_nobody_else() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let other = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let held = |role, unit| HeldRole { role, scope: ScopeRef::Unit(unit) };
        let manager = held(Role::UnitManager, unit);
        let mut people = Vec::new();
        for (key, role, days) in [
            ("M-1", manager, (None, None)),
            ("M-2", manager, (None, Some(date!(2026 - 01 - 15)))),
            ("M-3", manager, (Some(date!(2026 - 01 - 16)), None)),
            ("M-4", manager, (None, None)),
            ("S-1", held(Role::UnitStaff, unit), (None, None)),
            ("M-5", held(Role::UnitManager, other), (None, None)),
        ] {
            let person = world.person("19", key, None).await;
            let (starts_on, ends_on) = days;
            let (tenant, participant) = (tenant("19"), person);
            let new = NewRole { tenant, participant, held: role, starts_on, ends_on, by_operator: false };
            world.app.assign_role(&world.command(), new).await.unwrap();
            people.push(person);
        }
        let tell = async |key: &str, size: u32| {
            let (mut told, mut token) = (Vec::new(), String::new());
            loop {
                let asked = ask("proposals", "proposals.response_due", key);
                let size = PageSize::new(size).unwrap();
                let answer =
                    world.app.notify_role(&world.command(), asked, manager, size, &token).await.unwrap();
                told.push((answer.notified, answer.held));
                token = answer.next_page_token;
                if token.is_empty() {
                    return told;
                }
            }
        };
        assert_eq!(
            tell("answer-1", 1).await,
            [(1, 0), (1, 0), (1, 0)],
            "who holds it on the day, each alone"
        );
        assert_eq!(tell("answer-1", 200).await, [(0, 3)], "the same key tells once");
        world.on(date!(2026 - 01 - 16));
        assert_eq!(tell("answer-1", 200).await, [(1, 2)], "M-2 has gone, M-3 has come");
        world.app.suspend(&world.command(), tenant("19"), people[3]).await.unwrap();
        assert_eq!(tell("answer-2", 200).await, [(1, 1)], "M-4 is shut out; M-3 was told of the first today");
        world.close().await;
    }
}
