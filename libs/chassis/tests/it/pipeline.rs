//! Two services and a real nats-server: events arrive, whatever happened to the way there.

use proto::forums::FoundForumRequest;
use proto::forums::forums_service_client::ForumsServiceClient;
use testkit::system::{Store, System};

use crate::toy::{FORUMS, MINUTES};

pub(crate) async fn found(system: &System) -> anyhow::Result<String> {
    found_with(system, "").await
}

/// Founds a forum of this name, and returns its id.
pub(crate) async fn found_with(system: &System, name: &str) -> anyhow::Result<String> {
    let scope = kernel::ScopeRef::Tenant(kernel::TenantId::new("19")?);
    let roles = vec![kernel::HeldRole { role: kernel::Role::Administrator, scope }];
    let person = kernel::Caller::person(kernel::Ids::system().new_id());
    let caller = kernel::Caller { roles, assurance: kernel::Assurance::High, ..person };
    let message = FoundForumRequest { tenant: "19".into(), name: name.into(), ..Default::default() };
    let request = system.request("forums", caller, message)?;
    let answer = ForumsServiceClient::new(system.channel()).found_forum(request).await?.into_inner();
    Ok(answer.forum.unwrap_or_default().forum_id)
}

#[tokio::test]
async fn an_event_of_one_service_reaches_the_other() -> anyhow::Result<()> {
    System::run(&[FORUMS, MINUTES], Store::Sqlite, async |system| {
        found(system).await?;
        system.settle().await?;
        let status = system.status("minutes").await?;
        assert_eq!((status.projections[0].source.as_str(), status.projections[0].seq), ("forums", 1));
        assert!(status.dependencies.iter().all(|dependency| dependency.ok), "{:?}", status.dependencies);
        Ok(())
    })
    .await
}

/// Reads the same events as [`MINUTES`], in a projection of the same name.
const AGENDA: chassis::Service = chassis::Service { name: "agenda", ..MINUTES };

#[tokio::test]
async fn each_service_that_reads_a_source_gets_every_event() -> anyhow::Result<()> {
    System::run(&[FORUMS, MINUTES, AGENDA], Store::Sqlite, async |system| {
        // One by one, because a later event shows that an earlier one is missing. An event that the stream did not
        // bring comes from the log a minute later, which is longer than settling waits.
        for seq in 1..=5 {
            found(system).await?;
            system.settle().await?;
            for service in ["minutes", "agenda"] {
                assert_eq!(system.status(service).await?.projections[0].seq, seq, "{service}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tst_04_writes_go_on_while_nats_is_away_and_arrive_when_it_is_back() -> anyhow::Result<()> {
    System::run(&[FORUMS, MINUTES], Store::Sqlite, async |system| {
        found(system).await?;
        system.settle().await?;
        system.nats().kill();
        found(system).await?;
        system.nats().restart()?;
        found(system).await?;
        system.settle().await?;
        assert_eq!(system.status("minutes").await?.projections[0].seq, 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() -> anyhow::Result<()> {
    System::run(&[FORUMS, MINUTES], Store::Sqlite, async |system| {
        found(system).await?;
        system.restart().await?;
        found(system).await?;
        system.settle().await?;
        assert_eq!(system.status("minutes").await?.projections[0].seq, 2);
        Ok(())
    })
    .await
}
