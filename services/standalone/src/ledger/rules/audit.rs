//! Rule 8: the audit log of a service is a whole chain, and of each stored command it has one row that says done.

use proto::access::Audit;

use super::Book;
use crate::ledger::CheckError;
use crate::ledger::index::{number, text};
use crate::ledger::verdict::{Piece, Rule, TOLD, Verdict};

/// Checks the stored commands of a service, whoever sent them.
pub(in crate::ledger) async fn check(
    book: &Book<'_>,
    service: &str,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let audited = proto::access::of(service).filter(|entry| entry.audit == Audit::Change);
    let audited: Vec<String> = audited.map(|entry| format!("'{}'", entry.path)).collect();
    let said = "(SELECT COUNT(*) FROM audit u WHERE u.service = a.service AND u.cause = a.cause)";
    let wrong =
        format!("FROM answer a WHERE a.service = ? AND a.rpc IN ({}) AND {said} <> 1", audited.join(", "));
    let question = format!("SELECT a.principal, a.key, {said} {wrong} LIMIT {TOLD}");
    let rows = book.index.ask(&question, &[service]).await?;
    for row in &rows {
        let (principal, key) = (text(row, 0)?, text(row, 1)?);
        let what = format!("{service}: the audit log says {} times that it was done", number(row, 2)?);
        let mut history = book.calls(service, &principal, &key).await?;
        history.extend(book.answer(service, &principal, &key).await?);
        verdict.broken(Rule::Audit, what, history);
    }
    if rows.len() == TOLD {
        let all = book.index.ask(&format!("SELECT COUNT(*) {wrong}"), &[service]).await?;
        let all = all.first().map(|row| number(row, 0)).transpose()?.unwrap_or_default();
        verdict.further(Rule::Audit, all.saturating_sub(TOLD as u64));
    }
    Ok(())
}

/// The first row at which an audit log is broken.
pub(in crate::ledger) fn broken(service: &str, broken: &messaging::audit::Broken, verdict: &mut Verdict) {
    let row = Piece::Row {
        service: service.to_owned(),
        table: "audit_log".to_owned(),
        row: format!("row {}", broken.seq),
    };
    verdict.broken(Rule::Audit, format!("{service}: audit log, {broken}"), vec![row]);
}
