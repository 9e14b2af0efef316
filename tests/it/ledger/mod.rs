//! The judge is judged: green on a healthy history, red on each of many doctored ones, with the rule that is broken and
//! the records that show it.

mod doctored;
mod patient;

use messaging::broker::NatsSettings;
use standalone::ledger::{self, Options, Verdict};
use testkit::system::Store;

use patient::Patient;

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
    doctored::all(&patient).await;
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
