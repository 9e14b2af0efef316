//! Rule 8: the audit log of a service is a whole chain, and of each stored command it has one row that says done.

use super::Book;
use crate::ledger::index::{number, text};
use crate::ledger::verdict::{Piece, Rule, Verdict};
use crate::ledger::{CheckError, audited};

/// Checks the commands of a service that clients' journals tell of and that are stored.
pub(in crate::ledger) async fn check(
    book: &Book<'_>,
    service: &str,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let question = "SELECT c.principal, c.key, c.rpc, (SELECT COUNT(*) FROM audit u
            WHERE u.service = c.service AND u.cause = c.cause) AS said
        FROM call c JOIN answer a ON a.service = c.service AND a.principal = c.principal AND a.key = c.key
        WHERE c.service = ? AND said <> 1 LIMIT 1000";
    for row in book.index.ask(question, &[service]).await? {
        let (principal, key, rpc) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?);
        if !audited(&rpc) {
            continue;
        }
        let what = format!("{service}: the audit log says {} times that it was done", number(&row, 3)?);
        verdict.broken(Rule::Audit, what, book.calls(service, &principal, &key).await?);
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
