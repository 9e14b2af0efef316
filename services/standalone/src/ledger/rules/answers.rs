//! Rules 1, 2 and 7: what clients were told against what is stored.
//!
//! All attempts with one key are one call. If any of them was acknowledged, its answer and its events must be there,
//! once; if all were refused, nothing may be; if some are unknown, all of it or nothing.

use super::Book;
use crate::ledger::CheckError;
use crate::ledger::index::{number, text};
use crate::ledger::verdict::{Rule, Verdict};

/// RPCs that leave no row in the command log: ballots on purpose (their marks are looked at with the boxes), and what an
/// operator does to a process.
const UNLOGGED: &str =
    "(rpc LIKE '/osallisuus.messaging.%' OR rpc LIKE '%/CastBallot' OR rpc LIKE '%/HandPaperBallot')";
/// RPCs whose answer holds a secret or a signature that is put in on the way out and never stored.
const FINISHED_ON_THE_WAY: &str = "(rpc LIKE '%/RedeemSetupCode' OR rpc LIKE '%/SignInWithCodeCard' \
     OR rpc LIKE '%/IssueCodeCard' OR rpc LIKE '%/CreateServiceAccount' OR rpc LIKE '%/CreateNominationCode' \
     OR rpc LIKE '%/ExchangeNominationCode' OR rpc LIKE '%/IssuePaperBallotVoucher')";
/// RPCs that publish exactly one event.
const PUBLISH_ONE: &str = "(rpc LIKE '%/FoundForum' OR rpc LIKE '%/ApproveSeatPlan' \
     OR rpc LIKE '%/RegisterServiceUnit' OR rpc LIKE '%/DefineRegion')";

/// Calls found wrong: service, principal, key, cause.
struct Wrong {
    rule: Rule,
    what: &'static str,
    question: String,
}

/// Checks.
pub(in crate::ledger) async fn check(book: &Book<'_>, verdict: &mut Verdict) -> Result<(), CheckError> {
    let answer =
        "LEFT JOIN answer a ON a.service = c.service AND a.principal = c.principal AND a.key = c.key";
    let events = "(SELECT COUNT(*) FROM event e WHERE e.service = c.service AND e.cause = c.cause)";
    let select = format!("SELECT c.service, c.principal, c.key, c.cause FROM call c {answer} WHERE");
    // Qualified: both sides have the column.
    let (unlogged, finished, one) = (
        UNLOGGED.replace("rpc", "c.rpc"),
        FINISHED_ON_THE_WAY.replace("rpc", "c.rpc"),
        PUBLISH_ONE.replace("rpc", "c.rpc"),
    );
    let wrong = [
        Wrong {
            rule: Rule::Replies,
            what: "one key got two different answers",
            question: format!("{select} c.replies > 1"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "it was acknowledged and is lost: no answer is stored",
            question: format!("{select} c.oks > 0 AND a.key IS NULL AND NOT {unlogged}"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "the stored answer is another one than the client got",
            question: format!("{select} c.replies = 1 AND a.reply <> c.reply AND NOT {finished}"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "it is stored without its event",
            question: format!("{select} a.key IS NOT NULL AND {one} AND {events} = 0"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "it has more than its one event: it happened twice",
            question: format!("{select} {one} AND {events} > 1"),
        },
        Wrong {
            rule: Rule::Refused,
            what: "it was refused and is stored all the same",
            question: format!(
                "{select} c.oks = 0 AND c.unknowns = 0 AND (a.key IS NOT NULL OR {events} > 0)"
            ),
        },
        Wrong {
            rule: Rule::Refused,
            what: "nobody knows its outcome and it is stored in part: events without an answer",
            question: format!("{select} c.oks = 0 AND c.unknowns > 0 AND a.key IS NULL AND {events} > 0"),
        },
    ];
    for Wrong { rule, what, question } in wrong {
        for row in book.index.ask(&question, &[]).await? {
            let (service, principal, key) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?);
            let mut history = book.calls(&service, &principal, &key).await?;
            history.extend(book.answer(&service, &principal, &key).await?);
            history.extend(book.events_of(&service, &text(&row, 3)?).await?);
            verdict.broken(rule, format!("{service}: {what}"), history);
        }
    }
    doubled(book, verdict).await
}

/// The same event twice from one act, whatever the act.
async fn doubled(book: &Book<'_>, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = format!(
        "SELECT e.service, e.cause, c.principal, c.key, COUNT(*) FROM event e
         JOIN call c ON c.service = e.service AND c.cause = e.cause WHERE NOT {}
         GROUP BY e.service, e.cause, e.lane, e.type, e.aggregate, e.content HAVING COUNT(*) > 1",
        PUBLISH_ONE.replace("rpc", "c.rpc")
    );
    for row in book.index.ask(&question, &[]).await? {
        let (service, cause) = (text(&row, 0)?, text(&row, 1)?);
        let mut history = book.calls(&service, &text(&row, 2)?, &text(&row, 3)?).await?;
        history.extend(book.events_of(&service, &cause).await?);
        let what = format!("{service}: one act published the same event {} times", number(&row, 4)?);
        verdict.broken(Rule::Acknowledged, what, history);
    }
    Ok(())
}
