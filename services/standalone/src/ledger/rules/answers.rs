//! Rules 1, 2 and 7: what clients were told against what is stored.
//!
//! All attempts with one key are one call. If any of them was acknowledged, its answer and its events must be there,
//! once; if all were refused, nothing may be; if some are unknown, all of it or nothing.

use std::time::Duration;

use kernel::{Clock as _, SystemClock};
use sea_orm::QueryResult;

use super::Book;
use crate::ledger::CheckError;
use crate::ledger::index::{number, text};
use crate::ledger::verdict::{Rule, TOLD, Verdict};

/// RPCs that leave no row in the command log: ballots and votes on purpose (marks are looked at with the boxes), visits
/// to a comparison round, of which it would tell who answered what when, and what an operator does to a process.
const UNLOGGED: &str = "(rpc LIKE '/osallisuus.messaging.%' OR rpc LIKE '%/CastBallot' \
     OR rpc LIKE '%/HandPaperBallot' OR rpc LIKE '%/CastForumVote' OR rpc LIKE '%/StartSession' \
     OR rpc LIKE '%/NextPair' OR rpc LIKE '%/Compare' OR rpc LIKE '%/SkipPair' OR rpc LIKE '%/UndoLast')";
/// RPCs whose answer is where a visit stands when it is sent, so that a second one may tell more.
const OF_A_VISIT: &str = "(rpc LIKE '%/StartSession' OR rpc LIKE '%/NextPair' OR rpc LIKE '%/Compare' \
     OR rpc LIKE '%/SkipPair' OR rpc LIKE '%/UndoLast')";
/// RPCs whose answer holds a secret, a signature or a person's words that are put in on the way out and never stored.
const FINISHED_ON_THE_WAY: &str = "(rpc LIKE '%/RedeemSetupCode' OR rpc LIKE '%/SignInWithCodeCard' \
     OR rpc LIKE '%/IssueCodeCard' OR rpc LIKE '%/CreateServiceAccount' OR rpc LIKE '%/CreateNominationCode' \
     OR rpc LIKE '%/ExchangeNominationCode' OR rpc LIKE '%/IssuePaperBallotVoucher' \
     OR rpc LIKE '%/IssueDictationVoucher' OR rpc LIKE '%/SubmitAnonymously' OR rpc LIKE '%/InviteCoAuthor' \
     OR rpc LIKE '%/WriteComment')";
/// How long services keep their answers (REL-20).
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// RPCs that publish exactly one event.
const PUBLISH_ONE: [&str; 13] = [
    "AnnounceElection",
    "AnnulElection",
    "ApproveSeatPlan",
    "AssignRole",
    "CloseNominations",
    "DefineRegion",
    "EndRole",
    "FoundForum",
    "OpenVoting",
    "RegisterServiceUnit",
    "ScreenProposal",
    "SetPolicy",
    "SubmitProposal",
];
/// RPCs that publish one event and often more.
const PUBLISH_SOME: [&str; 4] = ["ConfirmResult", "DeclareVacancy", "DrawLots", "RedeemSetupCode"];

/// Whether each act of an RPC, given by its path, publishes at least one event.
pub(in crate::ledger) fn always_publishes(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| PUBLISH_ONE.contains(&name) || PUBLISH_SOME.contains(&name))
}

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
    let [unlogged, finished, of_a_visit] =
        [UNLOGGED, FINISHED_ON_THE_WAY, OF_A_VISIT].map(|rpcs| rpcs.replace("rpc", "c.rpc"));
    let (one, some) = (any_of(&PUBLISH_ONE), any_of(&PUBLISH_SOME));
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    let oldest = SystemClock.now().as_micros() - kept;
    let wrong = [
        Wrong {
            rule: Rule::Replies,
            what: "one key got two different answers",
            question: format!("{select} c.replies > 1 AND NOT {of_a_visit}"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "it was acknowledged and is lost: no answer is stored",
            question: format!(
                "{select} c.oks > 0 AND a.key IS NULL AND c.wall > {oldest} AND NOT {unlogged}"
            ),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "the stored answer is another one than the client got",
            question: format!("{select} c.replies = 1 AND a.reply <> c.reply AND NOT {finished}"),
        },
        Wrong {
            rule: Rule::Acknowledged,
            what: "it is stored without its event",
            question: format!("{select} a.key IS NOT NULL AND ({one} OR {some}) AND {events} = 0"),
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
            question: format!(
                "{select} c.oks = 0 AND c.unknowns > 0 AND a.key IS NULL AND c.wall > {oldest} AND {events} > 0"
            ),
        },
    ];
    for Wrong { rule, what, question } in wrong {
        for row in told(book, rule, &question, verdict).await? {
            let (service, principal, key) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?);
            let mut history = book.calls(&service, &principal, &key).await?;
            history.extend(book.answer(&service, &principal, &key).await?);
            history.extend(book.events_of(&service, &text(&row, 3)?).await?);
            verdict.broken(rule, format!("{service}: {what}"), history);
        }
    }
    let old = format!("SELECT COUNT(*) FROM call WHERE oks > 0 AND wall <= {oldest}");
    let old = book.index.ask(&old, &[]).await?.first().map(|row| number(row, 0)).transpose()?;
    if let Some(old @ 1..) = old {
        verdict
            .not_looked
            .push(format!("{old} calls older than seven days: whether their answers are stored"));
    }
    doubled(book, verdict).await
}

/// Whether a call is of one of these RPCs.
fn any_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("c.rpc LIKE '%/{name}'")).collect();
    format!("({})", names.join(" OR "))
}

/// The first rows of a question that are told in full; the others are counted.
async fn told(
    book: &Book<'_>,
    rule: Rule,
    question: &str,
    verdict: &mut Verdict,
) -> Result<Vec<QueryResult>, CheckError> {
    let rows = book.index.ask(&format!("{question} LIMIT {TOLD}"), &[]).await?;
    if rows.len() == TOLD {
        let all = book.index.ask(&format!("SELECT COUNT(*) FROM ({question})"), &[]).await?;
        let all = all.first().map(|row| number(row, 0)).transpose()?.unwrap_or_default();
        verdict.further(rule, all.saturating_sub(TOLD as u64));
    }
    Ok(rows)
}

/// The same event twice from one act, whatever the act.
async fn doubled(book: &Book<'_>, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = format!(
        "SELECT e.service, e.cause, c.principal, c.key, COUNT(*) FROM event e
         JOIN call c ON c.service = e.service AND c.cause = e.cause WHERE NOT {}
         GROUP BY e.service, e.cause, e.lane, e.type, e.aggregate, e.content HAVING COUNT(*) > 1",
        any_of(&PUBLISH_ONE)
    );
    for row in told(book, Rule::Acknowledged, &question, verdict).await? {
        let (service, cause) = (text(&row, 0)?, text(&row, 1)?);
        let mut history = book.calls(&service, &text(&row, 2)?, &text(&row, 3)?).await?;
        history.extend(book.events_of(&service, &cause).await?);
        let what = format!("{service}: one act published the same event {} times", number(&row, 4)?);
        verdict.broken(Rule::Acknowledged, what, history);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RPCs that publish nothing, or something only in some states. Ballots and what has its events by timers are here.
    const MAY_PUBLISH: &[&str] = &[
        "AcceptCandidacy",
        "AcceptSupport",
        "AddOwnIdea",
        "AmendResponse",
        "AppendChunk",
        "ApproveOwnIdea",
        "ApprovePlainFeedback",
        "AskForSupport",
        "AttachAudio",
        "AttachDissent",
        "AttestEligibility",
        "BeginAttachment",
        "CancelChange",
        "CancelMeeting",
        "CastBallot",
        "CastForumVote",
        "CheckMinutes",
        "CloseMeeting",
        "CloseProposal",
        "CloseRound",
        "CloseVote",
        "CloseVoting",
        "Compare",
        "CompleteChange",
        "ConfirmJointForum",
        "ConfirmMyWords",
        "ContributeToResponse",
        "CorrectRound",
        "CountBallots",
        "CreateDraft",
        "CreateNominationCode",
        "CreateServiceAccount",
        "DeclareDisqualified",
        "DeclareIndependence",
        "DeclineSupport",
        "DeferTopic",
        "DelayChange",
        "DeleteAttachment",
        "DeleteComment",
        "DeleteDraft",
        "DiscussTopic",
        "DraftFeedback",
        "DraftMinutes",
        "DraftResponse",
        "DropRound",
        "EditDraft",
        "EditTopic",
        "EndSession",
        "EndSupport",
        "EnterPaperBatch",
        "ExchangeNominationCode",
        "ExtendResponse",
        "FinishAttachment",
        "FollowProposal",
        "GiveResponse",
        "GiveSupport",
        "HandPaperBallot",
        "HideProposal",
        "ImportInnoduelResult",
        "ImportParticipants",
        "InviteCoAuthor",
        "IssueCodeCard",
        "IssueDictationVoucher",
        "IssuePaperBallotVoucher",
        "JoinAsCoAuthor",
        "LeaveParticipation",
        "MarkLettersPrinted",
        "MergeProposal",
        "ModerateAttachment",
        "ModerateComment",
        "MoveMeeting",
        "NextPair",
        "NominateCandidate",
        "Notify",
        "NotifyRole",
        "OfferSupport",
        "OpenMeeting",
        "OpenRound",
        "PlanChange",
        "PlanMeeting",
        "PrepareRound",
        "PublishFeedback",
        "PublishImpact",
        "PublishMinutes",
        "PublishRanking",
        "PutToVote",
        "RaiseMyTopic",
        "RaiseTopic",
        "RecordAttendance",
        "RecordDecision",
        "RecordDictatedProposal",
        "RecordMeasurement",
        "RecordVote",
        "RecordVotingAssistance",
        "RedirectProposal",
        "RegisterMandate",
        "RegisterParticipant",
        "ReinstateParticipant",
        "RejectOwnIdea",
        "RejectProposal",
        "RemoveAudio",
        "RemoveIdea",
        "ReopenProposal",
        "ReportProgress",
        "ReviewForm",
        "RevokeAttestation",
        "RotateSigningKey",
        "RouteProposal",
        "ScheduleTopic",
        "ScreenMinutes",
        "SendNotice",
        "SendToForum",
        "SetBaseline",
        "SetContactFor",
        "SetMyContact",
        "SetMySymbols",
        "SetSymbols",
        "SettleCorrection",
        "ShortlistFromRound",
        "ShortlistProposal",
        "ShowProposal",
        "SignInWithCodeCard",
        "SkipPair",
        "SplitProposal",
        "StartChange",
        "StartSession",
        "SubmitAnonymously",
        "SuspendParticipant",
        "UndoLast",
        "UnfollowProposal",
        "UnscheduleTopic",
        "WithdrawCandidacy",
        "WithdrawPaperEntry",
        "WithdrawProposal",
        "WithdrawSupport",
        "WitnessLots",
        "WriteComment",
        "WriteForm",
        "WriteMyForm",
    ];

    #[test]
    fn of_every_rpc_that_changes_something_it_is_known_what_it_publishes() {
        let mut known: Vec<&str> = [&PUBLISH_ONE[..], &PUBLISH_SOME, MAY_PUBLISH].concat();
        known.sort_unstable();
        let all = crate::services::names().flat_map(proto::access::of);
        let mut all: Vec<&str> =
            all.filter(|entry| entry.mutating).filter_map(|entry| entry.path.rsplit('/').next()).collect();
        // Those that leave no trace are not among them.
        all.extend(["CastBallot", "CastForumVote", "HandPaperBallot"]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, known);
    }
}
