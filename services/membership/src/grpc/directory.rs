//! What services ask with their own identity.

use kernel::{Caller, Fault, Invalid, PageSize};
use proto::membership as pb;
use proto::membership::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open, references};
use crate::convert::field;

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
            let service = service(&call.caller)?;
            let template = word("template", message.template)?;
            let dedupe_key = word("dedupe_key", message.dedupe_key)?;
            let references = references(&message.references)?;
            self.0.notify(call.command(), service, references, template, dedupe_key).await
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
