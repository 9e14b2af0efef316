//! What a pool of connections does: the rows that comparing and supporting write, as in the scripts for pgbench.

use kernel::{Ids, ProposalId, RoundId, Uuid};
use sea_orm::Value;

use super::PAIRS;

/// The statements of one request: text and values.
pub(super) type Statements = Vec<(&'static str, Vec<Value>)>;

/// One request of a client.
pub(super) struct Turn {
    /// The client's visit, or the person.
    pub(super) key: Uuid,
    /// How many requests the client has sent, with this one.
    pub(super) number: i32,
    pub(super) lower: i16,
    pub(super) higher: i16,
}

/// The visit of a client.
pub(super) fn visit(round: RoundId, key: Uuid) -> Statements {
    let text = "INSERT INTO comparison_session (id, round_id, municipality, comparisons, latest, own_ideas) VALUES \
                (?, ?, '139', 0, 'none', 0)";
    vec![(text, vec![key.into(), round.as_uuid().into()])]
}

/// One `Compare`.
pub(super) fn compare(round: RoundId, turn: &Turn) -> Statements {
    let Turn { key, number, lower, higher } = *turn;
    let round = || Value::from(round.as_uuid());
    let earlier = number - 1 - i32::try_from(PAIRS).unwrap_or(i32::MAX);
    let sum = "INSERT INTO pair_sum (round_id, place, lower, higher, wins_lower, wins_higher) VALUES \
               (?, ?, ?, ?, 1, 0) ON CONFLICT (round_id, place, lower, higher) \
               DO UPDATE SET wins_lower = pair_sum.wins_lower + 1";
    let pair = || [Value::from(lower), Value::from(higher)];
    let sums = |place: &str| [round(), place.into()].into_iter().chain(pair()).collect();
    vec![
        ("UPDATE comparison_round SET comparisons = comparisons + 1 WHERE id = ?", vec![round()]),
        ("SELECT * FROM comparison_session WHERE id = ?", vec![key.into()]),
        ("SELECT * FROM comparison_round WHERE id = ?", vec![round()]),
        (
            "SELECT * FROM pair_offer WHERE session_id = ? AND number > ? ORDER BY number",
            vec![key.into(), earlier.into()],
        ),
        ("UPDATE comparison_session SET comparisons = comparisons + 1 WHERE id = ?", vec![key.into()]),
        (
            "UPDATE pair_offer SET answer = 'left' WHERE session_id = ? AND number = ?",
            vec![key.into(), (number - 1).into()],
        ),
        (sum, sums("")),
        (sum, sums("139")),
        (
            "INSERT INTO comparison_place (round_id, place, sessions, comparisons) VALUES (?, '139', 1, 1) \
             ON CONFLICT (round_id, place) DO UPDATE SET comparisons = comparison_place.comparisons + 1",
            vec![round()],
        ),
        (
            "SELECT * FROM comparison_idea WHERE round_id = ? AND state = 'approved' ORDER BY number",
            vec![round()],
        ),
        (
            "INSERT INTO pair_offer (session_id, number, left_idea, right_idea) VALUES (?, ?, ?, ?)",
            [key.into(), number.into()].into_iter().chain(pair()).collect(),
        ),
        (
            "UPDATE comparison_idea SET shown = shown + 1 WHERE round_id = ? AND number IN (?, ?)",
            [round()].into_iter().chain(pair()).collect(),
        ),
    ]
}

/// One `GiveSupport` or `WithdrawSupport`, in turns.
pub(super) fn support(proposal: ProposalId, turn: &Turn) -> Statements {
    let key = turn.key;
    let proposal = || Value::from(proposal.as_uuid());
    let mut statements = vec![
        ("SELECT * FROM proposal WHERE id = ?", vec![proposal()]),
        ("SELECT * FROM proposal_unit WHERE proposal_id = ?", vec![proposal()]),
    ];
    if turn.number % 2 == 1 {
        statements.push((
            "INSERT INTO support (proposal_id, person, given_on, acting_mode) VALUES (?, ?, '2026-09-21', 'alone') \
             ON CONFLICT DO NOTHING",
            vec![proposal(), key.into()],
        ));
        let count = "UPDATE proposal_counts SET supports = supports + 1 WHERE proposal_id = ?";
        statements.push((count, vec![proposal()]));
    } else {
        let remove = "DELETE FROM support WHERE proposal_id = ? AND person = ?";
        statements.push((remove, vec![proposal(), key.into()]));
        let count = "UPDATE proposal_counts SET supports = supports - 1 WHERE proposal_id = ?";
        statements.push((count, vec![proposal()]));
    }
    statements.push(("SELECT * FROM proposal_counts WHERE proposal_id = ?", vec![proposal()]));
    statements.push((
        "INSERT INTO command_log (principal, idem_key, rpc, request_hash, response, created_at) VALUES \
         ('person 00000000-0000-7000-8000-000000000000', ?, 'GiveSupport', zeroblob(32), zeroblob(400), 1)",
        vec![Ids::system().uuid().to_string().into()],
    ));
    statements.push((
        "INSERT INTO audit_log (seq, at, tenant, actor, actor_kind, mode, rpc, resource, purpose, decision, outcome, \
         code, correlation_id, causation_id, prev_hash, hash) SELECT COALESCE(MAX(seq), 0) + 1, 1, '19', \
         '00000000-0000-7000-8000-000000000000', 'person', 'alone', \
         '/osallisuus.proposals.v1.CommunityService/GiveSupport', \
         'proposal_id=00000000-0000-7000-8000-000000000000', '', 'admitted', 'done', '', \
         '0123456789abcdef0123456789abcdef', '0123456789abcdef0123456789abcdef', zeroblob(32), zeroblob(32) \
         FROM audit_log",
        Vec::new(),
    ));
    statements
}
