//! The marks of voters, which stand in for the command log that ballots have no row in: who was told that a ballot was
//! taken or handed out is marked (rule 1), who was refused is not (rule 2), and nobody is marked who has no place on
//! membership's roll (rule 9).

use forums::reconciliation::{self, Marked};

use super::Book;
use crate::ledger::CheckError;
use crate::ledger::gather::Source;
use crate::ledger::index::{get, text};
use crate::ledger::verdict::{Piece, Rule, Verdict};

/// Calls read at once.
const PAGE: i64 = 1000;
/// Hashes that are made at most to find out whose a paper ballot is: the key of an officer's command is hashed with the
/// voter, whom the officer's journal does not name.
const MOST_HASHES: usize = 50_000_000;

/// A call of which it is known how it ended.
struct Known {
    principal: String,
    key: String,
    is_acknowledged: bool,
}

/// Checks.
pub(in crate::ledger) async fn check(
    book: &Book<'_>,
    forums: &Source,
    membership: &Source,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let database = forums.database.read();
    let all = reconciliation::marks(database).await.map_err(CheckError::from_fault)?;
    for (election, marks) in &all {
        let voters: Vec<_> = marks.iter().map(|mark| (mark.municipality, mark.voter)).collect();
        let membership = membership.database.read();
        let strangers = membership::reconciliation::strangers(membership, *election, &voters).await;
        let strangers = strangers.map_err(CheckError::from_fault)?;
        if strangers > 0 {
            let row = format!("election {election}: {strangers} of {} marks", marks.len());
            let row = Piece::Row { service: "forums".to_owned(), table: "voter_mark".to_owned(), row };
            let what = "forums: voters are marked who have no place on the roll: ballots were stuffed";
            verdict.broken(Rule::Ballots, what, vec![row]);
        }
    }
    if reconciliation::may_be_erased(database).await.map_err(CheckError::from_fault)? {
        let why = "marks of ballots: an election that is over has no boxes, so marks were erased";
        verdict.not_looked.push(why.to_owned());
        return Ok(());
    }
    online(book, forums, verdict).await?;
    on_paper(book, all.into_iter().flat_map(|(_, marks)| marks), verdict).await
}

/// Ballots cast: the caller is the voter.
async fn online(book: &Book<'_>, forums: &Source, verdict: &mut Verdict) -> Result<(), CheckError> {
    let mut after = 0;
    loop {
        let (page, last) = known(book, "CastBallot", after).await?;
        for call in &page {
            let voter = call.principal.strip_prefix("person:").and_then(|voter| voter.parse().ok());
            let Some(voter) = voter else { continue };
            let marked = reconciliation::is_marked(forums.database.read(), voter, &call.key).await;
            judge(book, call, marked.map_err(CheckError::from_fault)?, verdict).await?;
        }
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}

/// Paper ballots handed out: the caller is an officer.
async fn on_paper(
    book: &Book<'_>,
    marks: impl Iterator<Item = Marked>,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let marks: Vec<Marked> = marks.filter(|mark| mark.on_paper).collect();
    let mut calls = Vec::new();
    let mut after = Some(0);
    while let Some(from) = after {
        let (page, last) = known(book, "HandPaperBallot", from).await?;
        calls.extend(page);
        after = last;
    }
    if marks.len().saturating_mul(calls.len()) > MOST_HASHES {
        let (marks, calls) = (marks.len(), calls.len());
        let why = format!("marks of paper ballots: {marks} marks and {calls} calls are too many to compare");
        verdict.not_looked.push(why);
        return Ok(());
    }
    for call in &calls {
        let is_marked = marks.iter().any(|mark| mark.is_of(&call.key));
        judge(book, call, is_marked, verdict).await?;
    }
    Ok(())
}

/// A page of calls of an RPC that were acknowledged, or refused and nothing else; and where the next page begins.
async fn known(book: &Book<'_>, rpc: &str, after: i64) -> Result<(Vec<Known>, Option<i64>), CheckError> {
    let question = format!(
        "SELECT rowid, principal, key, oks > 0 FROM call
         WHERE rpc LIKE '%/{rpc}' AND (oks > 0 OR unknowns = 0) AND rowid > {after} ORDER BY rowid LIMIT {PAGE}"
    );
    let rows = book.index.ask(&question, &[]).await?;
    let last = rows.last().map(|row| get(row, 0)).transpose()?;
    let read = |row| -> Result<Known, CheckError> {
        Ok(Known { principal: text(row, 1)?, key: text(row, 2)?, is_acknowledged: get(row, 3)? })
    };
    Ok((rows.iter().map(read).collect::<Result<_, _>>()?, last))
}

async fn judge(
    book: &Book<'_>,
    call: &Known,
    is_marked: bool,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let (rule, what) = match (call.is_acknowledged, is_marked) {
        (true, false) => (Rule::Acknowledged, "forums: a ballot was acknowledged and has no mark"),
        (false, true) => (Rule::Refused, "forums: a ballot was refused and is marked all the same"),
        _ => return Ok(()),
    };
    let history = book.calls("forums", &call.principal, &call.key).await?;
    verdict.broken(rule, what, history);
    Ok(())
}
