//! The judge is judged: green on a healthy history, red on each of many doctored ones, with the rule that is broken and
//! the records that show it.

mod doctored;
mod patient;

use std::collections::BTreeMap;

use messaging::broker::NatsSettings;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use standalone::ledger::{self, Options, Verdict};
use testkit::system::Store;

use crate::support::world::SERVICES;
use patient::Patient;

/// RPCs whose acts may all publish in this history, and need not: an import may bring nobody new, and voting may have
/// been closed by its job a moment before.
const BY_CHANCE: [&str; 2] = ["/ImportParticipants", "/CloseVoting"];

#[tokio::test(flavor = "multi_thread")]
async fn tst_14_a_healthy_history_is_green_and_every_doctored_one_is_red_for_its_own_reason() {
    let patient = Patient::new(Store::Sqlite).await;
    let verdict = check(&patient).await;
    assert!(verdict.green, "{}", verdict.text());
    let looked = &verdict.looked;
    assert!(looked.acknowledged > 100 && looked.rejected > 0, "{looked:?}");
    assert!(looked.events > 40 && looked.messages >= looked.events, "{looked:?}");
    assert!(looked.boxes >= 3 && looked.cursors >= 3, "{looked:?}");
    assert_eq!(verdict.not_looked, Vec::<String>::new());
    let mut wrong = Vec::new();
    for (rpc, least) in least_events(&patient).await {
        let is_by_chance = BY_CHANCE.iter().any(|name| rpc.ends_with(name));
        match (least > 0, ledger::always_publishes(&rpc)) {
            (false, true) => wrong.push(format!("{rpc}: an act published nothing")),
            (true, false) if !is_by_chance => {
                wrong.push(format!("{rpc}: every act published, and nobody would miss it"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    doctored::all(&patient).await;
}

/// Of each RPC in the history, the least number of events that an act of it has published.
async fn least_events(patient: &Patient) -> BTreeMap<String, u64> {
    let mut least = BTreeMap::new();
    for service in SERVICES {
        let url = &patient.world.config().services[service.name].database;
        let connection = sea_orm::Database::connect(url).await.expect("a database");
        let ask = async |question: &str| {
            let question = Statement::from_string(connection.get_database_backend(), question);
            connection.query_all_raw(question).await.expect("rows")
        };
        let text = |row: &QueryResult, column| row.try_get_by_index::<String>(column).expect("a text");
        let mut events: BTreeMap<String, u64> = BTreeMap::new();
        for row in ask("SELECT causation_id FROM event_log").await {
            *events.entry(text(&row, 0)).or_default() += 1;
        }
        for row in ask("SELECT principal, idem_key, rpc FROM command_log").await {
            let cause = messaging::causation(&text(&row, 0), &text(&row, 1));
            let published = events.get(&cause).copied().unwrap_or(0);
            let known = least.entry(text(&row, 2)).or_insert(published);
            *known = published.min(*known);
        }
        connection.close().await.expect("closed");
    }
    assert!(least.len() > 15, "{least:?}");
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_judged_alike() {
    let patient = Patient::new(Store::Postgres).await;
    let verdict = check(&patient).await;
    assert!(verdict.green, "{}", verdict.text());
    doctored::in_place(&patient).await;
}

/// Judges the system as it was left.
async fn check(patient: &Patient) -> Verdict {
    let options = Options {
        journals: vec![patient.journal.clone()],
        nats: Some(NatsSettings::embedded(patient.world.nats_url())),
        ..Options::default()
    };
    ledger::check(&patient.world.config(), &options).await.expect("it can be judged")
}
