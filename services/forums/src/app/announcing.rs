//! Announcing and annulling an election.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ElectionId, Fault, ForumId};
use messaging::Tx;
use proto::forums as pb;

use super::App;
use super::upkeep::schedule_erasure;
use crate::domain::election::{Announcement, Election, ElectionEvent, Schedule, seats_to_fill};
use crate::domain::lots::LotsSeed;
use crate::domain::sealed::BoardPublicKey;
use crate::{convert, events, store};

/// An election to announce.
#[derive(Debug, Clone)]
pub struct AnnounceElection {
    /// Its days.
    pub schedule: Schedule,
    /// Public key of the election board.
    pub board_key: BoardPublicKey,
    /// Whether only the seats that are empty now are filled.
    pub supplementary: bool,
}

struct Announce {
    id: ElectionId,
    forum: ForumId,
    lots_commitment: String,
    sealed_seed: Vec<u8>,
    request: AnnounceElection,
}

struct Annul {
    forum: ForumId,
    election: ElectionId,
    reason: String,
}

impl App {
    /// Announces an election; membership freezes its roll when it learns of it.
    pub async fn announce_election(
        &self,
        call: &Call,
        request: AnnounceElection,
    ) -> Result<pb::AnnounceElectionResponse, Fault> {
        let seed = LotsSeed::new(self.ids.bytes());
        let id = self.ids.new_id();
        let input = Announce {
            id,
            forum: call.scope.forum()?,
            lots_commitment: seed.commitment(),
            sealed_seed: self.vault.seal(id, self.ids.bytes(), &seed)?,
            request,
        };
        self.writer.run(call.command(), input, |tx, input| announce(tx, input).boxed()).await
    }

    /// Annuls an election that is not confirmed.
    pub async fn annul_election(
        &self,
        call: &Call,
        election: ElectionId,
        reason: String,
    ) -> Result<pb::AnnulElectionResponse, Fault> {
        let input = Annul { forum: call.scope.forum()?, election, reason };
        self.writer.run(call.command(), input, |tx, input| annul(tx, input).boxed()).await
    }
}

async fn announce(tx: &Tx, input: &Announce) -> Result<pb::AnnounceElectionResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    if store::elections::open_in(tx.conn(), forum.id).await?.is_some() {
        return Err(Fault::conflict(
            "forums.election_open",
            "An election of this forum is not over. Confirm or annul it before the next one is announced.",
        ));
    }
    let seats = store::seats::of_forum(tx.conn(), forum.id).await?;
    let quotas = seats_to_fill(&forum, &seats, input.request.supplementary)?;
    let announcement = Announcement {
        schedule: input.request.schedule,
        board_key: input.request.board_key,
        lots_commitment: input.lots_commitment.clone(),
        supplementary: input.request.supplementary,
    };
    let election = Election::announce(input.id, forum.id, announcement, &quotas, today)?;
    store::elections::insert(tx.conn(), &election, &input.sealed_seed).await?;
    events::election(&forum, &election, &ElectionEvent::Announced)
        .into_iter()
        .for_each(|event| tx.publish(event));
    Ok(pb::AnnounceElectionResponse { election: Some(convert::election(&election, today)) })
}

async fn annul(tx: &Tx, input: &Annul) -> Result<pb::AnnulElectionResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    let event = before.annul(&input.reason)?;
    let election = before.apply(&event);
    store::elections::save_with_reason(tx.conn(), &election, input.reason.trim()).await?;
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));
    schedule_erasure(tx, &forum, &election).await?;
    Ok(pb::AnnulElectionResponse { election: Some(convert::election(&election, today)) })
}
