//! membership: who may take part, in which role. The only service that knows who a person is.
//!
//! **Owns** the registers of participants of its counties, attestations (who is a client of which services where), roles
//! in their scopes, mandates, who helps whom, how people want to be told, the counties' policy, regions and service units,
//! electoral rolls; code cards, sessions, service accounts, the keys that sign tokens; and how each service knows a person:
//! a random reference of its own.
//!
//! **Commands and queries**: `osallisuus.membership.v1`, seven services: `SignInService` (the doors), `TenancyService`,
//! `ParticipantsService`, `SupportService`, `ContactService`, `RollsService`, `DirectoryService` (what services ask).
//!
//! **Events out** (`events.rs`): `PolicySet`, `RegionDefined`, `ServiceUnitRegistered`,
//! `ParticipantActivated`, `RoleAssigned`, `RoleEnded`, `EligibleCountChanged`, `RollFrozen`. None names a person.
//!
//! **Events in**, from forums: `ForumFounded` and `SeatPlanApproved` (whose a forum is, until when, with which
//! municipalities), `ElectionAnnounced` (freezes the roll), `ElectionConfirmed` and `ElectionAnnulled` (end its claims).
//!
//! **Jobs**: attestations and roles end after their last day; a second notice of a day is delivered on the next; notices
//! leave by e-mail for those who want that, see [`mail`]; frozen rolls are compared with their published hashes every
//! night; what has run out (sessions, nomination codes, old cards) is deleted once a night.
//!
//! **Secrets** live in `membership.key` beside the database, see [`vault`]; [`setup`] makes them.

pub mod app;
pub mod consumers;
mod convert;
pub mod domain;
mod events;
mod grpc;
mod jobs;
pub mod mail;
pub mod reconciliation;
pub mod setup;
mod store;
pub mod vault;

use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use messaging::Projection;
use proto::membership::contact_service_server::ContactServiceServer;
use proto::membership::directory_service_server::DirectoryServiceServer;
use proto::membership::participants_service_server::ParticipantsServiceServer;
use proto::membership::rolls_service_server::RollsServiceServer;
use proto::membership::sign_in_service_server::SignInServiceServer;
use proto::membership::support_service_server::SupportServiceServer;
use proto::membership::tenancy_service_server::TenancyServiceServer;
use sea_orm_migration::MigrationTrait;

use crate::app::{App, Wiring};
use crate::grpc::Api;
use crate::mail::Mailer;
use crate::vault::Vault;

/// The service, for chassis.
pub const SERVICE: Service =
    Service { name: "membership", defaults: include_str!("defaults.toml"), migrations, build };

/// The migrations of membership's own tables, for whoever opens its database without the service.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    store::migrations()
}

fn build(context: &Context) -> Result<Parts, StartError> {
    let vault = Vault::open(context.secrets.folder()).map_err(|fault| {
        let why = fault.internal_text().unwrap_or_default();
        StartError::Other(format!("{why}; make the data folder with `osallisuus init`, or restore the file"))
    })?;
    let settings: mail::Settings = context.settings()?;
    let mailer = Mailer::new(&settings.smtp);
    let mailer = mailer.map_err(|wrong| context.refuse(wrong.key, &wrong.rule, wrong.remedy))?;
    let app = App::new(Wiring {
        tenants: context.tenants.clone(),
        cell: context.cell.clone(),
        database: context.database.clone(),
        writer: context.writer.clone(),
        clock: context.clock.clone(),
        real_clock: context.real_clock.clone(),
        ids: context.ids.clone(),
        vault,
        mailer,
    });
    let api = Api(app.clone());
    let names = app.clone();
    Ok(Parts::default()
        .names_of(move |subject| {
            let app = names.clone();
            async move { app.names_of(subject).await }.boxed()
        })
        .grpc(SignInServiceServer::new(api.clone()))
        .grpc(TenancyServiceServer::new(api.clone()))
        .grpc(ParticipantsServiceServer::new(api.clone()))
        .grpc(ContactServiceServer::new(api.clone()))
        .grpc(RollsServiceServer::new(api.clone()))
        .grpc(SupportServiceServer::new(api.clone()))
        .grpc(DirectoryServiceServer::new(api))
        .project(
            Projection::new("forums", "forums", consumers::forums(app.clone())).sweeping(consumers::sweep),
        )
        .job(app::EXPIRY_JOB, jobs::attestation_expiry(app.clone()))
        .job(app::ROLE_END_JOB, jobs::role_end(app.clone()))
        .job(app::NOTICE_JOB, jobs::notice(app.clone()))
        .job(app::MAIL_JOB, jobs::mail(app.clone()))
        .job(app::ROLL_CHECK_JOB, jobs::roll_check(app.clone()))
        .job(app::PURGE_JOB, jobs::purge(app)))
}
