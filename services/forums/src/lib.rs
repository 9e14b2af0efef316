//! forums: bodies of clients, their seats, the elections that fill them, and their meetings.
//!
//! Owns: forums and their seat plans, seats and who holds them (by this service's own references), elections with
//! candidates, ballot boxes, paper batches and results, meetings with topics, attendance by seat, votes and minutes. It
//! knows nobody's name but those that candidates gave for the ballot paper, until the appeal period is over.
//!
//! - Commands: found a forum, approve its seat plan, declare a seat vacant; announce an election, nominate, accept,
//!   withdraw, close nominations, open voting, cast, hand out and enter paper ballots, close, count, witness and draw
//!   lots, confirm, annul; plan, move, cancel and call a meeting, raise and schedule topics, record who is present, vote
//!   in sessions or by show of hands, decide, dissent, write, check, screen and publish minutes.
//! - Events out: `ForumFounded`, `SeatPlanApproved`, `ElectionAnnounced`, `NominationClosed`, `VotingOpened`,
//!   `VotingClosed`, `LotsDrawn`, `ElectionConfirmed`, `ElectionAnnulled`, `SeatFilled`, `SeatVacated`,
//!   `SupplementaryElectionCalled`, `MeetingScheduled`, `MeetingCancelled`, `MeetingHeld`, `TopicRaised`,
//!   `ProposalEndorsed`, `ProposalNotEndorsed`, `ProposalReturnedForWork`, `MinutesPublished`. Seats and figures, never
//!   persons.
//! - Events in, from membership: `PolicySet`, `RollFrozen`; from proposals: `ProposalSentToForum`, which raises a topic,
//!   and those by which a proposal ends, which drop it.
//! - Jobs: close voting after its last day, send notices, erase personal data after the appeal period of an election or a
//!   meeting, forget people who have left.
//!
//! `forums.key` in the folder of secrets seals the seeds of lots, see [`vault`]. How the secrecy of ballots is kept,
//! and what it does not cover, stands in [`domain::sealed`]; of votes in meetings in [`domain::meeting::vote`].

pub mod app;
pub mod consumers;
pub mod convert;
pub mod domain;
pub mod events;
pub mod grpc;
mod jobs;
pub mod reconciliation;
pub mod store;
pub mod vault;

use chassis::{Context, Parts, Service, StartError};
use messaging::Projection;
use proto::forums::elections_service_server::ElectionsServiceServer;
use proto::forums::forums_service_server::ForumsServiceServer;
use proto::forums::meetings_service_server::MeetingsServiceServer;

use crate::app::App;
use crate::vault::Vault;

/// Forums, as the chassis starts it.
pub const SERVICE: Service = Service { name: "forums", defaults: "", migrations: store::migrations, build };

fn build(context: &Context) -> Result<Parts, StartError> {
    let vault = Vault::open(context.secrets.folder()).map_err(|fault| {
        let why = fault.internal_text().unwrap_or(fault.message()).to_owned();
        StartError::Other(format!("{why}; make the data folder with `osallisuus init`, or restore the file"))
    })?;
    let app = App::new(
        vault,
        context.database.clone(),
        context.writer.clone(),
        context.clock.clone(),
        context.ids.clone(),
        context.tenants.clone(),
    );
    let elections = grpc::Elections { app: app.clone(), verifier: context.verifier.clone() };
    let parts = Parts::default()
        .grpc(ForumsServiceServer::new(grpc::Forums(app.clone())))
        .grpc(ElectionsServiceServer::new(elections))
        .grpc(MeetingsServiceServer::new(grpc::Meetings(app.clone())))
        .project(
            Projection::new("membership", "membership", consumers::membership).sweeping(consumers::sweep),
        )
        .project(
            Projection::new("proposals", "proposals", consumers::proposals)
                .sweeping(consumers::sweep_proposals),
        );
    Ok(jobs::register(parts, &app, &context.directory))
}
