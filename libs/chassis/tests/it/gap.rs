//! What the stream has lost comes to a listener all the same, from the log of its source.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use chassis::{Config, Context, Parts, Running, Service, StartError};
use futures::FutureExt as _;
use kernel::Caller;
use proto::forums::ForumFounded;
use proto::messaging::GetHeadRequest;
use proto::messaging::event_feed_service_client::EventFeedServiceClient;
use testkit::eventually;
use testkit::system::{Store, System};

use crate::pipeline::found;
use crate::toy::FORUMS;

/// The forums that [`LISTENER`] has heard of, in order. Only one test uses it.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Listens to forums and remembers them.
const LISTENER: Service =
    Service { name: "minutes", defaults: "", migrations: Vec::new, build: build_listener };

fn build_listener(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", |_, received| {
        async {
            let founded: ForumFounded = received.decode()?;
            HEARD.lock().expect("nobody panics with the lock").push(founded.forum_id);
            Ok(())
        }
        .boxed()
    }))
}

fn heard() -> Vec<String> {
    let mut heard = HEARD.lock().expect("nobody panics with the lock").clone();
    // A handler may run again for the same event; its database would not show it.
    heard.dedup();
    heard
}

/// Starts the listener in a process of its own, as far as it can tell: what it needs of forums it gets by gRPC.
async fn start_listener(system: &mut System, folder: &Path) -> anyhow::Result<Running> {
    let secrets = folder.join("secrets");
    std::fs::create_dir_all(&secrets)?;
    std::fs::write(secrets.join("minutes.secret"), "secret of a test")?;
    let (nats, membership, forums) = (system.nats().url(), system.directory().url(), system.url()?);
    let settings = format!(
        "cell = \"test\"\ndata_dir = {folder:?}\nlisten.grpc = \"127.0.0.1:0\"\nnats.url = {nats:?}\n\
         services.membership.address = {membership:?}\nservices.forums.address = {forums:?}\n"
    );
    Ok(chassis::start(&[LISTENER], Config::from_toml(&[LISTENER], &settings)?).await?)
}

#[tokio::test]
async fn rel_40_what_the_stream_lost_comes_from_the_log_over_grpc() -> anyhow::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let folder = tempfile::tempdir()?;
    System::run(&[FORUMS], Store::Sqlite, async |system| {
        let bus = async_nats::jetstream::new(async_nats::connect(system.nats().url()).await?);
        let mut founded = Vec::new();
        for kept in [1, 0] {
            founded.extend([found(system).await?, found(system).await?, found(system).await?]);
            system.settle().await?;
            // One is left: it shows the gap before it. None is left: the next one does.
            let stream = bus.get_stream("EVT_FORUMS").await?;
            stream.purge().keep(kept).await?;
            let listener = start_listener(system, folder.path()).await?;
            if kept == 0 {
                founded.push(found(system).await?);
            }
            eventually(PATIENCE, async || heard().len() >= founded.len()).await;
            assert_eq!(heard(), founded);
            listener.stop().await;
            assert_eq!(stream.get_info().await?.state.messages, 1, "the stream did not bring them");
        }
        let heads = GetHeadRequest { service: "forums".into(), lane: "19".into() };
        let heads = system.request("forums", Caller::service("minutes"), heads)?;
        let heads = EventFeedServiceClient::new(system.channel()).get_head(heads).await?.into_inner().heads;
        assert_eq!(heads.iter().map(|head| head.seq).collect::<Vec<_>>(), [7]);
        Ok(())
    })
    .await
}
