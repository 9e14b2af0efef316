//! Meetings over the wire: real gRPC with signed tokens and the access layer, nats-server, jobs and notices, and
//! proposals that are sent. Membership and proposals are played.

mod house;
mod members;
mod refusals;
mod scenario;
mod topics;
mod upkeep;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{ProposalId, TenantId, Uuid};
use messaging::{HandlerError, NewEvent, Received, Tx};
use proto::forums as pb;
use proto::proposals::{ProposalMerged, ProposalSentToForum, PublishedTitle};

use chassis::{Context, Parts, Service, StartError};

/// Sends three proposals to a forum as soon as it has seats, the first one twice; merges the second when a meeting is
/// cancelled, and sends again whatever the forum returns.
const PROPOSALS: Service =
    Service { name: "proposals", defaults: "", migrations: Vec::new, build: build_proposals };

fn build_proposals(_: &Context) -> Result<Parts, StartError> {
    Ok(Parts::default().consume("forums", play_proposals))
}

/// The titles of the three proposals.
const TITLES: [&str; 3] =
    ["Päivätoimintaan lisää ulkoilua", "Ruokalistaan saa vaikuttaa", "Kuvat viikko-ohjelmaan"];

fn proposal(which: u128) -> ProposalId {
    ProposalId::from_uuid(Uuid::from_u128(0xA000 + which))
}

fn play_proposals<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        let tenant = TenantId::new(&received.envelope.lane)
            .map_err(|invalid| HandlerError::Permanent(invalid.to_string()))?;
        let send = |which: usize, forum_id: &str| {
            let title = |language: &str| PublishedTitle {
                language: language.to_owned(),
                title: TITLES[which].to_owned(),
            };
            let id = proposal(which as u128);
            let sent = ProposalSentToForum {
                proposal_id: id.to_string(),
                forum_id: forum_id.to_owned(),
                titles: vec![title("fi"), title("fi-selko")],
            };
            tx.publish(NewEvent::of(tenant, "proposal", id, &sent));
        };
        if received.is::<pb::SeatPlanApproved>() {
            let forum_id = received.decode::<pb::SeatPlanApproved>()?.forum_id;
            [0, 0, 1, 2].into_iter().for_each(|which| send(which, &forum_id));
        }
        if received.is::<pb::MeetingCancelled>() {
            let merged = ProposalMerged {
                proposal_id: proposal(1).to_string(),
                into_proposal_id: proposal(0).to_string(),
            };
            tx.publish(NewEvent::of(tenant, "proposal", proposal(1), &merged));
        }
        if received.is::<pb::ProposalReturnedForWork>() {
            send(2, &received.decode::<pb::ProposalReturnedForWork>()?.forum_id);
        }
        Ok(())
    }
    .boxed()
}
