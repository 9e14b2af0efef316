//! Kept counts for a check from outside: whether each is that of the rows that it counts.

use kernel::Fault;
use messaging::database_fault;
use sea_orm::{ConnectionTrait, Statement};

/// Rounds of which single answers are known: not those held elsewhere, nor those whose visits were deleted.
const KNOWN: &str = "(SELECT id FROM comparison_round WHERE NOT imported AND NOT visits_forgotten)";
/// Answers in them: round, municipality, left and right idea, answer; and whether it is a comparison or a skip.
const ANSWERS: &str = "(SELECT s.round_id, s.municipality, o.session_id, o.left_idea, o.right_idea, \
     CASE WHEN o.left_idea < o.right_idea THEN o.left_idea ELSE o.right_idea END AS lower, \
     CASE WHEN o.left_idea < o.right_idea THEN o.right_idea ELSE o.left_idea END AS higher, \
     CASE WHEN (o.answer = 'left' AND o.left_idea < o.right_idea) \
            OR (o.answer = 'right' AND o.left_idea > o.right_idea) THEN 1 ELSE 0 END AS lower_won, \
     CASE WHEN o.answer IN ('left', 'right') THEN 1 ELSE 0 END AS compared, o.answer \
     FROM pair_offer o JOIN comparison_session s ON s.id = o.session_id \
     WHERE o.answer IS NOT NULL AND s.round_id IN KNOWN)";

/// What is counted, and the question that finds what is counted wrongly: kept counts less what the rows say are zero,
/// whichever of the two is missing.
const COUNTS: [(&str, &str); 9] = [
    (
        "proposal_counts.supports",
        "SELECT proposal_id FROM (SELECT proposal_id, supports AS n FROM proposal_counts \
         UNION ALL SELECT proposal_id, -1 FROM support) b GROUP BY proposal_id HAVING SUM(n) <> 0",
    ),
    (
        "proposal_counts.followers",
        "SELECT proposal_id FROM (SELECT proposal_id, followers AS n FROM proposal_counts \
         UNION ALL SELECT proposal_id, -1 FROM follow) b GROUP BY proposal_id HAVING SUM(n) <> 0",
    ),
    (
        "proposal_counts.comments",
        "SELECT proposal_id FROM (SELECT proposal_id, comments AS n FROM proposal_counts \
         UNION ALL SELECT proposal_id, -1 FROM comment WHERE state = 'visible') b \
         GROUP BY proposal_id HAVING SUM(n) <> 0",
    ),
    (
        "comparison_round",
        "SELECT id FROM (SELECT id, comparisons AS c, skips AS k, sessions AS s FROM comparison_round WHERE id IN KNOWN \
         UNION ALL SELECT round_id, -compared, compared - 1, 0 FROM ANSWERS a \
         UNION ALL SELECT round_id, 0, 0, -1 FROM comparison_session WHERE comparisons > 0 AND round_id IN KNOWN) b \
         GROUP BY id HAVING SUM(c) <> 0 OR SUM(k) <> 0 OR SUM(s) <> 0",
    ),
    (
        "comparison_idea.shown",
        "SELECT round_id FROM (SELECT round_id, number, shown AS n FROM comparison_idea \
         WHERE number IS NOT NULL AND round_id IN KNOWN \
         UNION ALL SELECT round_id, lower, -1 FROM ANSWERS a \
         UNION ALL SELECT round_id, higher, -1 FROM ANSWERS a) b GROUP BY round_id, number HAVING SUM(n) <> 0",
    ),
    (
        "comparison_session.comparisons",
        "SELECT id FROM (SELECT id, comparisons AS n FROM comparison_session WHERE round_id IN KNOWN \
         UNION ALL SELECT session_id, -compared FROM ANSWERS a) b GROUP BY id HAVING SUM(n) <> 0",
    ),
    (
        "comparison_place",
        "SELECT round_id FROM (SELECT round_id, place, sessions AS s, comparisons AS c FROM comparison_place \
         WHERE round_id IN KNOWN UNION ALL SELECT round_id, municipality, -1, -comparisons FROM comparison_session \
         WHERE comparisons > 0 AND round_id IN KNOWN) b GROUP BY round_id, place HAVING SUM(s) <> 0 OR SUM(c) <> 0",
    ),
    (
        "pair_sum",
        "SELECT round_id FROM (SELECT round_id, place, lower, higher, wins_lower AS l, wins_higher AS h FROM pair_sum \
         WHERE round_id IN KNOWN \
         UNION ALL SELECT round_id, '', lower, higher, -lower_won, lower_won - 1 FROM ANSWERS a WHERE compared = 1 \
         UNION ALL SELECT round_id, municipality, lower, higher, -lower_won, lower_won - 1 FROM ANSWERS a \
         WHERE compared = 1 AND municipality <> '') b \
         GROUP BY round_id, place, lower, higher HAVING SUM(l) <> 0 OR SUM(h) <> 0",
    ),
    (
        "skip_sum",
        "SELECT round_id FROM (SELECT round_id, idea, reason, times AS n FROM skip_sum WHERE round_id IN KNOWN \
         UNION ALL SELECT round_id, lower, answer, -1 FROM ANSWERS a WHERE compared = 0 \
         UNION ALL SELECT round_id, higher, answer, -1 FROM ANSWERS a WHERE compared = 0) b \
         GROUP BY round_id, idea, reason HAVING SUM(n) <> 0",
    ),
];

/// Kept counts that are not those of their rows: what is counted, and how many are wrong.
///
/// # Errors
/// Of the database.
pub async fn wrong_counts(view: &impl ConnectionTrait) -> Result<Vec<(&'static str, u64)>, Fault> {
    let mut wrong = Vec::new();
    for (what, question) in COUNTS {
        let question = question.replace("ANSWERS", ANSWERS).replace("KNOWN", KNOWN);
        let question = format!("SELECT COUNT(*) FROM ({question}) wrong");
        let row = view.query_one_raw(Statement::from_string(view.get_database_backend(), question)).await;
        let row = row.map_err(database_fault)?.ok_or_else(|| Fault::internal("a count has a row"))?;
        let count = row.try_get_by_index::<i64>(0).map_err(database_fault)?;
        if count > 0 {
            wrong.push((what, u64::try_from(count).map_err(Fault::internal)?));
        }
    }
    Ok(wrong)
}
