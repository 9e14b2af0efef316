//! What services ask with their own identity.

use kernel::{Caller, Fault, Invalid, PageSize};
use proto::membership as pb;
use proto::membership::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open, references};
use crate::app::Ask;
use crate::convert::{field, held_role_in};

#[async_trait::async_trait]
impl DirectoryService for Api {
    async fn list_signing_keys(
        &self,
        _request: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        answer(self.0.signing_keys().await)
    }

    async fn notify(
        &self,
        request: Request<pb::NotifyRequest>,
    ) -> Result<Response<pb::NotifyResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let ask = ask(&call.caller, message.template, message.dedupe_key, message.urgent)?;
            self.0.notify(call.command(), ask, references(&message.references)?).await
        };
        answer(run.await)
    }

    async fn notify_role(
        &self,
        request: Request<pb::NotifyRoleRequest>,
    ) -> Result<Response<pb::NotifyRoleResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let ask = ask(&call.caller, message.template, message.dedupe_key, false)?;
            let held = held_role_in(message.role.as_ref())?;
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.notify_role(call.command(), ask, held, size, &message.page_token).await
        };
        answer(run.await)
    }

    async fn list_retired_references(
        &self,
        request: Request<pb::ListRetiredReferencesRequest>,
    ) -> Result<Response<pb::ListRetiredReferencesResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let size = field("limit", PageSize::new(message.limit))?;
            self.0.retired_references(service(&call.caller)?, message.cursor, size).await
        };
        answer(run.await)
    }
}

/// The notice that a service asks for.
fn ask(caller: &Caller, template: String, dedupe_key: String, urgent: bool) -> Result<Ask, Fault> {
    let template = word("template", template)?;
    let dedupe_key = word("dedupe_key", dedupe_key)?;
    Ok(Ask { service: service(caller)?.to_owned(), template, dedupe_key, urgent })
}

/// The calling service, whose references these are.
fn service(caller: &Caller) -> Result<&str, Fault> {
    caller
        .service_name()
        .ok_or_else(|| Fault::forbidden("access.service_only", "Only a service may do this, not a person."))
}

/// A word of the calling service's own: no content that could tell of a person.
fn word(name: &str, text: String) -> Result<String, Fault> {
    let fits = (1..=200).contains(&text.len()) && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits {
        return Ok(text);
    }
    let invalid =
        Invalid::new("this is 1 to 200 characters without spaces", "send for example \"forums.voting_open\"");
    Err(invalid.in_field(name))
}
