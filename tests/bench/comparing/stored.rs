//! A round in which many have compared already: their visits, answers and sums, stored at once.

use kernel::RoundId;
use sea_orm::{ConnectionTrait as _, Database, DbErr, TransactionTrait as _};
use testkit::system::Store;

use super::{IDEAS, PAIRS};

/// Stores so many comparisons more, of visits that have answered all of their pairs.
#[expect(clippy::disallowed_methods, reason = "no service: it has no writer")]
pub(super) async fn compared(url: &str, store: Store, round: RoundId, comparisons: u64) -> Result<(), DbErr> {
    let database = Database::connect(url).await?;
    let transaction = database.begin().await?;
    for statement in statements(store, round, comparisons.div_ceil(PAIRS)) {
        transaction.execute_unprepared(&statement).await?;
    }
    transaction.commit().await?;
    database.close().await
}

fn statements(store: Store, round: RoundId, visits: u64) -> Vec<String> {
    let below = |most: &str| match store {
        Store::Sqlite => format!("(abs(random()) % ({most}))"),
        Store::Postgres => format!("floor(random() * ({most}))::bigint"),
    };
    let (key, round) = match store {
        Store::Sqlite => ("randomblob(16)", format!("X'{}'", round.as_uuid().simple())),
        Store::Postgres => ("gen_random_uuid()", format!("'{round}'::uuid")),
    };
    let numbers = |most: u64| {
        format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {most}) SELECT"
        )
    };
    let mut statements = vec![
        format!("CREATE TEMPORARY TABLE visit AS {} {key} AS id FROM numbers", numbers(visits)),
        format!(
            "INSERT INTO comparison_session (id, round_id, municipality, comparisons, latest, own_ideas) \
             SELECT id, {round}, '139', {PAIRS}, 'none', 0 FROM visit"
        ),
        format!(
            "CREATE TEMPORARY TABLE pair AS {} id, n, 1 + {} AS lower, 1 AS higher, {} AS lot FROM visit, numbers",
            numbers(PAIRS),
            below(&format!("{IDEAS} - 1")),
            below("3"),
        ),
        format!("UPDATE pair SET higher = lower + 1 + {}", below(&format!("{IDEAS} - lower"))),
        // The idea that came first is the better one for two of three.
        "INSERT INTO pair_offer (session_id, number, left_idea, right_idea, answer) \
         SELECT id, n, lower, higher, CASE WHEN lot < 2 THEN 'left' ELSE 'right' END FROM pair"
            .to_owned(),
    ];
    for place in ["", "139"] {
        statements.push(format!(
            "INSERT INTO pair_sum (round_id, place, lower, higher, wins_lower, wins_higher) \
             SELECT {round}, '{place}', lower, higher, SUM(CASE WHEN lot < 2 THEN 1 ELSE 0 END), \
             SUM(CASE WHEN lot < 2 THEN 0 ELSE 1 END) FROM pair WHERE true GROUP BY lower, higher \
             ON CONFLICT (round_id, place, lower, higher) DO UPDATE SET \
             wins_lower = pair_sum.wins_lower + excluded.wins_lower, \
             wins_higher = pair_sum.wins_higher + excluded.wins_higher"
        ));
    }
    let comparisons = visits * PAIRS;
    statements.extend([
        format!(
            "INSERT INTO comparison_place (round_id, place, sessions, comparisons) \
             VALUES ({round}, '139', {visits}, {comparisons}) ON CONFLICT (round_id, place) DO UPDATE SET \
             sessions = comparison_place.sessions + excluded.sessions, \
             comparisons = comparison_place.comparisons + excluded.comparisons"
        ),
        format!(
            "UPDATE comparison_idea SET shown = shown + \
             (SELECT COUNT(*) FROM pair WHERE number IN (lower, higher)) WHERE round_id = {round}"
        ),
        format!(
            "UPDATE comparison_round SET comparisons = comparisons + {comparisons}, \
             sessions = sessions + {visits} WHERE id = {round}"
        ),
        "DROP TABLE pair".to_owned(),
        "DROP TABLE visit".to_owned(),
    ]);
    if store == Store::Postgres {
        // Autovacuum would, a minute later.
        statements.push("ANALYZE comparison_session, pair_offer, pair_sum".to_owned());
    }
    statements
}
