//! A pool of connections to SQLite that takes one for each request, as a service would without group commit: the
//! statements of one command in a transaction of their own, behind a gRPC call that does nothing. No checks, no messages:
//! the most that such a service could reach on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Ids, ProposalId, RoundId};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, SqlxSqliteConnector,
    Statement, TransactionOptions, TransactionTrait as _,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::IDEAS;
use super::statements::{Statements, Turn, compare, support, visit};
use crate::Options;

/// Connections: as many as the library's own default.
const CONNECTIONS: u32 = 10;
/// How long one waits for SQLite's lock before giving up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the clients ask for.
#[derive(Clone, Copy)]
pub(super) enum Requests {
    Comparisons(RoundId),
    Supports(ProposalId),
}

/// Opens the service's own file, as durable as the service does.
async fn open(url: &str) -> anyhow::Result<DatabaseConnection> {
    let options: SqliteConnectOptions = url.parse()?;
    let options = options
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("journal_mode", "WAL")
        .pragma("synchronous", "FULL")
        .pragma("secure_delete", "ON");
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.connect_with(options).await?))
}

/// Requests a second of all clients, each with one request at a time.
pub(super) async fn load(
    url: &str,
    channel: &Channel,
    requests: Requests,
    options: &Options,
) -> anyhow::Result<f64> {
    let pool = Arc::new(open(url).await?);
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    let ids = Ids::system();
    for client in 0..options.clients {
        let key = ids.uuid();
        if let Requests::Comparisons(round) = requests {
            one(&pool, visit(round, key)).await?;
        }
        let mut server = HealthClient::new(channel.clone());
        let (pool, stop, done) = (Arc::clone(&pool), Arc::clone(&stop), Arc::clone(&done));
        clients.spawn(async move {
            let mut random = ChaCha8Rng::seed_from_u64(client as u64);
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let lower = random.random_range(1..IDEAS);
                let higher = random.random_range(lower + 1..=IDEAS);
                let [lower, higher] = [lower, higher].map(|idea| i16::try_from(idea).unwrap_or(i16::MAX));
                let turn = Turn { key, number, lower, higher };
                let statements = match requests {
                    Requests::Comparisons(round) => compare(round, &turn),
                    Requests::Supports(proposal) => support(proposal, &turn),
                };
                server.check(HealthCheckRequest::default()).await?;
                one(&pool, statements).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    let long = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let per_second = done.load(Ordering::Relaxed) as f64 / long.as_secs_f64();
    Arc::into_inner(pool).unwrap_or_default().close().await?;
    Ok(per_second)
}

/// One request: its statements in one transaction, which nobody else's interrupts.
#[expect(clippy::disallowed_methods, reason = "no service: what it stands for has no writer")]
async fn one(pool: &DatabaseConnection, statements: Statements) -> Result<(), DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = pool.begin_with_options(immediate).await?;
    for (text, values) in statements {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, text, values);
        if text.starts_with("SELECT") {
            transaction.query_all_raw(statement).await?;
        } else {
            transaction.execute_raw(statement).await?;
        }
    }
    transaction.commit().await
}
