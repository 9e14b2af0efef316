//! What has run out is deleted, once a night.

use kernel::deadline::start_of_day;
use time::macros::date;

use crate::support::{ENGINES, World};

#[tokio::test]
async fn sessions_codes_and_cards_are_deleted_when_they_have_run_out() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let count = async |table: &str| world.value::<i64>(&format!("SELECT count(*) FROM {table}")).await;
        let nights = "job WHERE kind = 'membership.purge'";
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let person = world.person("19", "A-1", None).await;
        world.attest(unit, staff, person, "139").await.unwrap();
        let caller = world.caller(&world.sign_in("19", person).await).await;
        world.app.create_nomination_code(&world.command(), &caller).await.unwrap();
        assert_eq!(count(nights).await, 1, "one for all that was made today");
        let run_at: i64 = world.value(&format!("SELECT run_at FROM {nights}")).await;
        assert_eq!(run_at, start_of_day(date!(2026 - 01 - 16)).as_micros());
        world.app.purge().await.unwrap();
        assert_eq!((count("session").await, count("nomination_code").await), (2, 1), "nothing has run out");

        // The next day the sessions are over, but for one that was begun meanwhile.
        world.on(date!(2026 - 01 - 16));
        let late = world.sign_in("19", person).await;
        world.app.purge().await.unwrap();
        assert_eq!((count("session").await, count("nomination_code").await), (1, 1));
        assert!(world.token(&late, "forums").await.is_ok());
        assert_eq!(count(nights).await, 2, "what is left has its night");
        world.on(date!(2026 - 01 - 23));
        world.app.purge().await.unwrap();
        assert_eq!((count("session").await, count("nomination_code").await), (0, 0));

        // Who made a card is on record for a year after its last day.
        world.on(date!(2027 - 02 - 14));
        world.app.purge().await.unwrap();
        assert_eq!(count("code_card").await, 3);
        world.on(date!(2027 - 02 - 16));
        world.app.purge().await.unwrap();
        assert_eq!(count("code_card").await, 0);
        let scheduled = count(nights).await;
        world.on(date!(2027 - 02 - 17));
        world.app.purge().await.unwrap();
        assert_eq!(count(nights).await, scheduled, "nothing is left, so no night is needed");
        world.close().await;
    }
}
