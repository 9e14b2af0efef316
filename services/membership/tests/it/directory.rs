//! Notices: one a person a day, each key once; and the references of those who have left.

use kernel::{ActingMode, Caller, PageSize, Subject};
use time::macros::date;

use crate::support::{ENGINES, World};

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
            let references = vec![reference, unknown];
            let command = world.command();
            let answer =
                world.app.notify(&command, "forums", references, format!("forums.{key}"), key.to_owned());
            let answer = answer.await.unwrap();
            (answer.notified, answer.held)
        };
        assert_eq!(notify("candidacy_offered").await, (1, 0));
        assert_eq!(notify("candidacy_offered").await, (0, 1), "the same key tells once");
        assert_eq!(notify("voting_open").await, (0, 1), "the second of the day is held");
        assert_eq!(notify("result").await, (0, 1), "the third goes to the day after");
        // Another service does not reach anybody by forums' reference.
        let stolen = world
            .app
            .notify(&world.command(), "partners", vec![reference], "x".to_owned(), "x".to_owned())
            .await
            .unwrap();
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
