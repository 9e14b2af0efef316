//! A system with a real history: an election from the register to the count, every call in a journal, some refused and
//! some sent twice.

use std::path::PathBuf;

use proto::forums::{ForumLevel, ForumType, FoundForumRequest};
use proto::membership::{RegisterServiceUnitRequest, ServiceUnitKind};
use standalone::demo::{Contest, Play, Progress};
use standalone::ledger::journal::Journal;
use testkit::system::Store;

use crate::support::world::World;

/// Keys of the last two acts of the history: units registered one after the other.
pub(super) const LAST: [&str; 2] = ["0000000000000000-unit-1", "0000000000000000-unit-2"];

/// A system at rest, with its journal.
pub(super) struct Patient {
    pub(super) world: World,
    pub(super) journal: PathBuf,
}

impl Patient {
    pub(super) async fn new(store: Store) -> Self {
        let mut world = World::start(store, &["19", "21"]).await;
        let path = world.folder().join("operations.journal");
        let journal = Journal::create(&path).expect("a journal");
        let server = world.server().journalled(journal.clone());
        let mut play = Play::begin(server, world.setup_code(), Progress::silent()).await.expect("begun");
        play.register().await.expect("registered");
        play.found().await.expect("founded");
        let mut contest = play.announce(Contest::first()).await.expect("announced");
        play.nominate(&mut contest).await.expect("nominated");
        play.vote(&contest).await.expect("voted");
        play.count(&contest).await.expect("counted");
        refused(&play).await;
        for key in LAST {
            // Twice, as a client does that has not heard of the answer.
            register_unit(&play, key).await;
            register_unit(&play, key).await;
        }
        world.rest().await;
        journal.flush().await.expect("written");
        Self { world, journal: path }
    }
}

async fn refused(play: &Play) {
    let request = FoundForumRequest {
        tenant: "19".into(),
        r#type: ForumType::ClientForum.into(),
        level: ForumLevel::Regional.into(),
        ..FoundForumRequest::default()
    };
    play.administrator.forums().found_forum(request).await.expect_err("it has no name");
}

async fn register_unit(play: &Play, key: &str) {
    let mut request = tonic::Request::new(RegisterServiceUnitRequest {
        tenant: "19".into(),
        name: format!("Yksikkö {key}"),
        kind: ServiceUnitKind::DayActivity.into(),
        municipality: "139".into(),
    });
    request.metadata_mut().insert("idempotency-key", key.parse().expect("a header"));
    play.administrator.tenancy().register_service_unit(request).await.expect("registered");
}
