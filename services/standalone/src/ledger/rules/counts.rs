//! Rule 10: what proposals keeps counted is what the rows say: supports, followers, comments, comparisons.

use proposals::reconciliation;

use crate::ledger::CheckError;
use crate::ledger::gather::Source;
use crate::ledger::verdict::{Piece, Rule, Verdict};

/// Checks, in one view of the tables.
pub(in crate::ledger) async fn check(proposals: &Source, verdict: &mut Verdict) -> Result<(), CheckError> {
    let view = messaging::view(proposals.database.read()).await?;
    let wrong = reconciliation::wrong_counts(&view).await.map_err(CheckError::from_fault)?;
    view.commit().await?;
    for (what, count) in wrong {
        let row = Piece::Row {
            service: "proposals".to_owned(),
            table: what.to_owned(),
            row: format!("{count} of them"),
        };
        let what = format!("proposals: kept counts of {what} are not those of their rows");
        verdict.broken(Rule::Counts, what, vec![row]);
    }
    Ok(())
}
