//! Services on real servers with made-up callers.

use std::time::Duration;

use chassis::{Parts, Service};
use kernel::Caller;
use proto::messaging::GetStatusRequest;
use proto::messaging::operator_service_client::OperatorServiceClient;
use testkit::eventually;
use testkit::system::{Store, System};
use tonic::Code;

/// A service that does nothing of its own: what is left is what every service has.
const IDLE: Service =
    Service { name: "idle", defaults: "", migrations: Vec::new, build: |_| Ok(Parts::default()) };

async fn services_start_and_answer(store: Store) -> anyhow::Result<()> {
    System::run(&[IDLE], store, async |system| {
        let status = system.status("idle").await?;
        let dependencies: Vec<&str> = status.dependencies.iter().map(|one| one.name.as_str()).collect();
        assert!(dependencies.contains(&"database") && dependencies.contains(&"nats"), "{dependencies:?}");
        // A service is ready before NATS is there: it need not be.
        eventually(Duration::from_secs(30), async || {
            system.status("idle").await.is_ok_and(|status| status.dependencies.iter().all(|one| one.ok))
        })
        .await;
        system.restart().await?;
        system.status("idle").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn services_start_and_answer_on_sqlite() -> anyhow::Result<()> {
    services_start_and_answer(Store::Sqlite).await
}

#[tokio::test]
async fn services_start_and_answer_on_postgresql() -> anyhow::Result<()> {
    services_start_and_answer(Store::Postgres).await
}

#[tokio::test]
async fn a_made_up_caller_has_the_roles_it_was_given_and_no_other() -> anyhow::Result<()> {
    System::run(&[IDLE], Store::Sqlite, async |system| {
        let question = || GetStatusRequest { service: "idle".to_owned() };
        let mut client = OperatorServiceClient::new(system.channel());
        let nobody = client.get_status(question()).await.expect_err("nobody signed in");
        assert_eq!(nobody.code(), Code::Unauthenticated);
        let service = system.request("idle", Caller::service("another"), question())?;
        let refused = client.get_status(service).await.expect_err("a service is no operator");
        assert_eq!(refused.code(), Code::PermissionDenied);
        Ok(())
    })
    .await
}
