//! What pgbench does: the rows that comparing and supporting write.

use kernel::{ProposalId, RoundId};

use super::{IDEAS, PAIRS};

/// Key of a client's visit, other ones in each round.
fn visit(number: usize) -> String {
    format!("SELECT md5('{number}-' || :client_id::text)::uuid AS visit, gen_random_uuid() AS key \\gset\n")
}

/// A visit for each client.
pub(super) fn visits_script(round: RoundId, number: usize) -> String {
    format!(
        "{}INSERT INTO comparison_session (id, round_id, municipality, comparisons, latest, own_ideas) VALUES \
         (:visit, '{round}', '139', 0, 'none', 0);\n",
        visit(number)
    )
}

/// The idempotency record of a command.
fn record(rpc: &str) -> String {
    format!(
        "INSERT INTO command_log (principal, idem_key, rpc, request_hash, response, created_at) VALUES \
         ('person 00000000-0000-7000-8000-000000000000', :key, '{rpc}', sha256('x'), \
         decode(repeat('ab', 400), 'hex'), 1);\n"
    )
}

/// The row of the audit log that a command leaves which changes something. Its number is the next one, as the log's
/// dense numbers need it; that nobody else takes the same one is for a row that is locked before.
fn audit(rpc: &str) -> String {
    format!(
        "INSERT INTO audit_log (seq, at, tenant, actor, actor_kind, mode, rpc, resource, purpose, decision, outcome, \
         code, correlation_id, causation_id, prev_hash, hash) SELECT COALESCE(MAX(seq), 0) + 1, 1, '19', \
         '00000000-0000-7000-8000-000000000000', 'person', 'alone', \
         '/osallisuus.proposals.v1.CommunityService/{rpc}', \
         'proposal_id=00000000-0000-7000-8000-000000000000', '', 'admitted', 'done', '', \
         '0123456789abcdef0123456789abcdef', '0123456789abcdef0123456789abcdef', sha256('x'), sha256('y') \
         FROM audit_log;\n"
    )
}

/// One `Compare`: what it reads and writes. The round's counters come first, or two that show the same ideas would wait
/// for each other.
pub(super) fn compare_script(round: RoundId, number: usize) -> String {
    let sum = |place: &str| {
        format!(
            "INSERT INTO pair_sum (round_id, place, lower, higher, wins_lower, wins_higher) VALUES \
             ('{round}', '{place}', :lower, :higher, 1, 0) ON CONFLICT (round_id, place, lower, higher) \
             DO UPDATE SET wins_lower = pair_sum.wins_lower + 1;\n"
        )
    };
    format!(
        "\\set lower random(1, {IDEAS} - 1)\n\
         \\set higher random(:lower + 1, {IDEAS})\n\
         BEGIN;\n\
         UPDATE comparison_round SET comparisons = comparisons + 1 WHERE id = '{round}';\n\
         {}SELECT * FROM comparison_session WHERE id = :visit;\n\
         SELECT * FROM comparison_round WHERE id = '{round}';\n\
         SELECT * FROM pair_offer WHERE session_id = :visit AND number > :n - {PAIRS} ORDER BY number;\n\
         UPDATE comparison_session SET comparisons = comparisons + 1 WHERE id = :visit;\n\
         UPDATE pair_offer SET answer = 'left' WHERE session_id = :visit AND number = :n;\n\
         {}{}INSERT INTO comparison_place (round_id, place, sessions, comparisons) VALUES ('{round}', '139', 1, 1) \
         ON CONFLICT (round_id, place) DO UPDATE SET comparisons = comparison_place.comparisons + 1;\n\
         SELECT * FROM comparison_idea WHERE round_id = '{round}' AND state = 'approved' ORDER BY number;\n\
         \\set n :n + 1\n\
         INSERT INTO pair_offer (session_id, number, left_idea, right_idea) VALUES (:visit, :n, :lower, :higher);\n\
         UPDATE comparison_idea SET shown = shown + 1 WHERE round_id = '{round}' AND number IN (:lower, :higher);\n\
         COMMIT;\n",
        visit(number),
        sum(""),
        sum("139"),
    )
}

/// One `GiveSupport` or `WithdrawSupport`, in turns: what it reads and writes.
pub(super) fn support_script(proposal: ProposalId) -> String {
    let count = |change: &str| {
        format!("UPDATE proposal_counts SET supports = supports {change} WHERE proposal_id = '{proposal}';\n")
    };
    format!(
        "\\set n :n + 1\n\
         BEGIN;\n\
         {}SELECT * FROM proposal WHERE id = '{proposal}';\n\
         SELECT * FROM proposal_unit WHERE proposal_id = '{proposal}';\n\
         \\if :n % 2 = 1\n\
         INSERT INTO support (proposal_id, person, given_on, acting_mode) VALUES \
         ('{proposal}', :visit, '2026-09-21', 'alone') ON CONFLICT DO NOTHING;\n\
         {}\\else\n\
         DELETE FROM support WHERE proposal_id = '{proposal}' AND person = :visit;\n\
         {}\\endif\n\
         SELECT * FROM proposal_counts WHERE proposal_id = '{proposal}';\n\
         {}{}COMMIT;\n",
        visit(0),
        count("+ 1"),
        count("- 1"),
        record("GiveSupport"),
        audit("GiveSupport"),
    )
}
