//! proposals: from an idea to its effect, with a promise at every moment, and ideas compared in pairs.
//!
//! Owns: proposals with their texts, authors (by this service's own references), supporters, followers, comments and
//! files; the answers of units, changes and what they brought about, loop cards; comparison rounds. It knows nobody's
//! name.
//!
//! - Commands of authors: draft, submit (signed in, helped, without a name, dictated), withdraw, confirm their words, invite
//!   and join as co-author. Of coordinators: screen, reject, redirect, merge, split, route, shortlist, send to a forum,
//!   hide and show.
//! - Events out: `ProposalSubmitted`, `ProposalScreened`, `ProposalRejectedAtScreening`, `ProposalRedirected`,
//!   `ProposalMerged`, `ProposalSplit`, `ProposalShortlisted`, `ProposalSentToForum`.
//! - Events in: from membership `PolicySet`, `ServiceUnitRegistered`; from forums `ForumFounded` and what a forum decided
//!   about a proposal.
//! - Jobs: ask people whether the words in a proposal are theirs, delete drafts that nobody touches, forget people who have
//!   left, and single answers of comparison rounds once they are over.

pub mod app;
pub mod consumers;
pub mod convert;
pub mod domain;
pub mod events;
pub mod grpc;
mod jobs;
pub mod reconciliation;
pub mod store;

use chassis::{Context, Parts, Service, StartError};
use messaging::Projection;
use proto::proposals::answers_service_server::AnswersServiceServer;
use proto::proposals::attachments_service_server::AttachmentsServiceServer;
use proto::proposals::changes_service_server::ChangesServiceServer;
use proto::proposals::community_service_server::CommunityServiceServer;
use proto::proposals::comparisons_service_server::ComparisonsServiceServer;
use proto::proposals::feedback_service_server::FeedbackServiceServer;
use proto::proposals::handling_service_server::HandlingServiceServer;
use proto::proposals::proposals_service_server::ProposalsServiceServer;
use proto::proposals::search_service_server::SearchServiceServer;
use proto::proposals::texts_service_server::TextsServiceServer;

use crate::app::App;

/// Proposals, as the chassis starts it.
pub const SERVICE: Service =
    Service { name: "proposals", defaults: "", migrations: store::migrations, build };

fn build(context: &Context) -> Result<Parts, StartError> {
    let app = App::new(
        context.database.clone(),
        context.writer.clone(),
        context.clock.clone(),
        context.ids.clone(),
        context.tenants.clone(),
        context.secrets.clone(),
    );
    let parts = Parts::default()
        .grpc(ProposalsServiceServer::new(grpc::Proposals {
            app: app.clone(),
            verifier: context.verifier.clone(),
        }))
        .grpc(HandlingServiceServer::new(grpc::Handling(app.clone())))
        .grpc(TextsServiceServer::new(grpc::Texts(app.clone())))
        .grpc(CommunityServiceServer::new(grpc::Community(app.clone())))
        .grpc(AttachmentsServiceServer::new(grpc::Attachments(app.clone())))
        .grpc(SearchServiceServer::new(grpc::Search(app.clone())))
        .grpc(AnswersServiceServer::new(grpc::Answers(app.clone())))
        .grpc(ChangesServiceServer::new(grpc::Changes(app.clone())))
        .grpc(FeedbackServiceServer::new(grpc::Feedback(app.clone())))
        .grpc(ComparisonsServiceServer::new(grpc::Comparisons(app.clone())))
        .project(
            Projection::new("membership", "membership", consumers::membership)
                .sweeping(consumers::sweep_membership),
        )
        .project(Projection::new("forums", "forums", consumers::forums).sweeping(consumers::sweep_forums));
    Ok(jobs::register(parts, &app, &context.directory))
}
