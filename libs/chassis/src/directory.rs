//! What services ask of membership: the only calls between services, besides reading each other's event feed.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Fault, Role, ScopeKind, ScopeRef, Subject};
use proto::common;
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::{ListRetiredReferencesRequest, NotifyRequest, NotifyRoleRequest};
use sha2::{Digest as _, Sha256};
use tonic::metadata::AsciiMetadataValue;

use crate::identity::Identity;
use crate::peers::Peers;
use crate::status::fault;

/// Most references in one call.
const CHUNK: usize = 200;
/// Most holders of a role told with one call.
const PAGE: u32 = 200;
/// Most pages of holders: a role that more people hold in one scope is not one that work waits for.
const MOST_PAGES: u32 = 25;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// Membership's directory, called with the service's own identity. For job workers and start-up work: a command never
/// waits for another service.
#[derive(Clone, Debug)]
pub struct DirectoryClient {
    identity: Identity,
    peers: Arc<Peers>,
}

/// What came of a notice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notified {
    /// Notices made now.
    pub notified: u32,
    /// People told already by this key, or held back to the next day by the one-a-day rule.
    pub held: u32,
}

/// References of people who have left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retired {
    /// References at the calling service, to drop.
    pub references: Vec<Subject>,
    /// Where the next call goes on.
    pub cursor: u64,
}

impl DirectoryClient {
    pub(crate) fn new(identity: Identity, peers: Arc<Peers>) -> Self {
        Self { identity, peers }
    }

    /// Tells people, by this service's references, that something waits: `template` is for example
    /// "forums.voting_open" and has no content. The same `dedupe_key` tells once only, so a job may run again.
    ///
    /// # Errors
    /// Unavailable if membership is away; what it refused with otherwise.
    pub async fn notify(
        &self,
        references: &[Subject],
        template: &str,
        dedupe_key: &str,
    ) -> Result<Notified, Fault> {
        self.tell(references, template, dedupe_key, false).await
    }

    /// As [`notify`](Self::notify), for what cannot wait until another day: it reaches people today though another notice
    /// did.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub async fn notify_urgent(
        &self,
        references: &[Subject],
        template: &str,
        dedupe_key: &str,
    ) -> Result<Notified, Fault> {
        self.tell(references, template, dedupe_key, true).await
    }

    /// Tells those who hold `role` in `scope` today that something waits: services do not know who they are. A page of
    /// them at a time, and no more than five thousand.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub async fn notify_role(
        &self,
        role: Role,
        scope: ScopeRef,
        template: &str,
        dedupe_key: &str,
    ) -> Result<Notified, Fault> {
        let mut sum = Notified::default();
        let mut page_token = String::new();
        for page in 0..MOST_PAGES {
            let message = NotifyRoleRequest {
                role: Some(held_role(role, scope)),
                template: template.to_owned(),
                dedupe_key: dedupe_key.to_owned(),
                page_size: PAGE,
                page_token,
            };
            let mut request = self.identity.request("membership", message, CALL).await?;
            let key = idempotency_key(&format!("notify_role|{role}|{scope}|{page}|{dedupe_key}"))?;
            request.metadata_mut().insert("idempotency-key", key);
            let channel = self.peers.channel("membership")?;
            let answer = DirectoryServiceClient::new(channel).notify_role(request).await;
            let answer = answer.map_err(|status| fault(&status))?.into_inner();
            sum.notified += answer.notified;
            sum.held += answer.held;
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(sum)
    }

    async fn tell(
        &self,
        references: &[Subject],
        template: &str,
        dedupe_key: &str,
        urgent: bool,
    ) -> Result<Notified, Fault> {
        let mut sum = Notified::default();
        for (number, chunk) in references.chunks(CHUNK).enumerate() {
            let message = NotifyRequest {
                references: chunk.iter().map(ToString::to_string).collect(),
                template: template.to_owned(),
                dedupe_key: dedupe_key.to_owned(),
                urgent,
            };
            // A job that tells a page again may find other people on it: that is another call, and nobody is told twice by
            // the dedupe key.
            let people = message.references.concat();
            let mut request = self.identity.request("membership", message, CALL).await?;
            let key = idempotency_key(&format!("notify|{number}|{people}|{dedupe_key}"))?;
            request.metadata_mut().insert("idempotency-key", key);
            let channel = self.peers.channel("membership")?;
            let answer = DirectoryServiceClient::new(channel).notify(request).await;
            let answer = answer.map_err(|status| fault(&status))?.into_inner();
            sum.notified += answer.notified;
            sum.held += answer.held;
        }
        Ok(sum)
    }

    /// References of people who have left since `cursor`, which is 0 at first; at most `limit` (1 to 200).
    ///
    /// # Errors
    /// Unavailable if membership is away; what it refused with otherwise.
    pub async fn retired(&self, cursor: u64, limit: u32) -> Result<Retired, Fault> {
        let message = ListRetiredReferencesRequest { cursor, limit };
        let request = self.identity.request("membership", message, CALL).await?;
        let channel = self.peers.channel("membership")?;
        let answer = DirectoryServiceClient::new(channel).list_retired_references(request).await;
        let answer = answer.map_err(|status| fault(&status))?.into_inner();
        let references: Result<Vec<Subject>, _> = answer.references.iter().map(|text| text.parse()).collect();
        Ok(Retired { references: references.map_err(Fault::internal)?, cursor: answer.cursor })
    }
}

/// The contracts' roles and the kernel's have the same names: ROLE_UNIT_STAFF and unit_staff.
fn held_role(role: Role, scope: ScopeRef) -> common::HeldRole {
    let name = format!("ROLE_{}", role.as_str().to_ascii_uppercase());
    let kind = match scope.kind() {
        ScopeKind::Tenant => common::ScopeKind::Tenant,
        ScopeKind::Region => common::ScopeKind::Region,
        ScopeKind::Forum => common::ScopeKind::Forum,
        ScopeKind::Unit => common::ScopeKind::Unit,
        ScopeKind::Cell => common::ScopeKind::Cell,
    };
    common::HeldRole {
        role: common::Role::from_str_name(&name).unwrap_or_default().into(),
        scope_kind: kind.into(),
        scope_id: scope.id(),
    }
}

/// 64 characters that are the same for the same call: the same chunk of the same notice.
fn idempotency_key(call: &str) -> Result<AsciiMetadataValue, Fault> {
    let digest = Sha256::digest(call);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    AsciiMetadataValue::try_from(hex).map_err(Fault::internal)
}
