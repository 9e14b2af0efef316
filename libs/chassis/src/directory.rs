//! What services ask of membership: the only calls between services, besides reading each other's event feed.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Fault, Subject};
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::{ListRetiredReferencesRequest, NotifyRequest};
use sha2::{Digest as _, Sha256};
use tonic::metadata::AsciiMetadataValue;

use crate::identity::Identity;
use crate::peers::Peers;
use crate::status::fault;

/// Most references in one call.
const CHUNK: usize = 200;
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
        let mut sum = Notified::default();
        for (number, chunk) in references.chunks(CHUNK).enumerate() {
            let message = NotifyRequest {
                references: chunk.iter().map(ToString::to_string).collect(),
                template: template.to_owned(),
                dedupe_key: dedupe_key.to_owned(),
            };
            let mut request = self.identity.request("membership", message, CALL).await?;
            let key = idempotency_key(dedupe_key, number)?;
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

/// 64 characters that are the same for the same chunk of the same notice.
fn idempotency_key(dedupe_key: &str, chunk: usize) -> Result<AsciiMetadataValue, Fault> {
    let digest = Sha256::digest(format!("notify|{chunk}|{dedupe_key}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    AsciiMetadataValue::try_from(hex).map_err(Fault::internal)
}
