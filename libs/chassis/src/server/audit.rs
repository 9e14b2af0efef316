//! Reading the audit log: auditors, and people their own extract (SEC-42).

use kernel::{ActingMode, Fault, PageSize, Scope, Timestamp};
use messaging::audit::{Row, Whose, page};
use proto::messaging::audit_service_server::AuditService;
use proto::messaging::{
    AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse, ListOwnAuditEntriesRequest,
    ListOwnAuditEntriesResponse,
};
use tonic::{Request, Response, Status};

use super::operator::to_proto;
use super::{Units, unit};
use crate::access::Call;
use crate::running::Unit;
use crate::status::status;

/// The audit logs of all services of the process.
pub(super) struct Audit {
    units: Units,
}

impl Audit {
    pub(super) fn new(units: Units) -> Self {
        Self { units }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> Result<Response<ListAuditEntriesResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let list = async {
            let whose = whose(&call, &request.tenant)?;
            let unit = unit(&self.units, &request.service)?;
            let (rows, next) = rows(unit, &whose, request.after_seq, request.page_size).await?;
            let entries = rows.into_iter().map(to_entry).collect();
            Ok(ListAuditEntriesResponse { entries, next_after_seq: next })
        };
        list.await.map(Response::new).map_err(status)
    }

    async fn list_own_audit_entries(
        &self,
        request: Request<ListOwnAuditEntriesRequest>,
    ) -> Result<Response<ListOwnAuditEntriesResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let list = async {
            if call.caller.mode == ActingMode::OnBehalf {
                return Err(not_by_mandate());
            }
            let subject = call.scope.subject()?;
            let unit = unit(&self.units, &request.service)?;
            let own = subject.to_string();
            let mut ids = vec![own.clone()];
            if let Some(names) = &unit.names {
                ids.extend(names(subject).await?);
            }
            let whose = Whose::Person(ids);
            let (rows, next) = rows(unit, &whose, request.after_seq, request.page_size).await?;
            let entries = rows.into_iter().map(|row| own_entry(row, &own)).collect();
            Ok(ListOwnAuditEntriesResponse { entries, next_after_seq: next })
        };
        list.await.map(Response::new).map_err(status)
    }
}

/// An auditor of a county sees that county's rows; one of the deployment those asked for.
fn whose(call: &Call, tenant: &str) -> Result<Whose, Fault> {
    match call.scope {
        Scope::Tenant(tenant) => Ok(Whose::Tenant(tenant)),
        _ if tenant.is_empty() => Ok(Whose::All),
        _ => {
            Ok(Whose::Tenant(tenant.parse().map_err(|invalid: kernel::Invalid| invalid.in_field("tenant"))?))
        }
    }
}

async fn rows(unit: &Unit, whose: &Whose, after: u64, size: u32) -> Result<(Vec<Row>, u64), Fault> {
    let size = PageSize::new(size).map_err(|invalid| invalid.in_field("page_size"))?;
    let after = after.min(i64::MAX.cast_unsigned());
    let found = page(&unit.database, whose, after, u64::from(size.get())).await;
    let (rows, next) = found.map_err(messaging::database_fault)?;
    Ok((rows, next.unwrap_or_default()))
}

fn to_entry(row: Row) -> AuditEntry {
    AuditEntry {
        seq: row.seq,
        at: Some(to_proto(Timestamp::from_micros(row.at_us))),
        tenant: row.tenant,
        actor: row.actor,
        actor_kind: row.actor_kind,
        mode: row.mode,
        rpc: row.rpc,
        resource: row.resource,
        purpose: row.purpose,
        decision: row.decision,
        outcome: row.outcome,
        code: row.code,
        correlation_id: row.correlation_id,
        causation_id: row.causation_id,
        prev_hash: row.prev_hash,
        hash: row.hash,
    }
}

/// What a person is shown: not who else it was, nor whom else it was about, nor what others' acts belong together.
fn own_entry(row: Row, own: &str) -> AuditEntry {
    let entry = AuditEntry { prev_hash: Vec::new(), hash: Vec::new(), ..to_entry(row) };
    if entry.actor == own {
        return entry;
    }
    AuditEntry {
        actor: String::new(),
        resource: String::new(),
        correlation_id: String::new(),
        causation_id: String::new(),
        ..entry
    }
}

fn not_by_mandate() -> Fault {
    Fault::forbidden(
        "audit.own_only",
        "The extract of the log is for the person alone. Ask the data protection officer of your county.",
    )
}
