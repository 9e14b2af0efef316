//! A fresh fold: the handlers of a service, with an empty database of their own, are given the whole log of the source;
//! what they then hold is what the projection must hold. Only tables that nothing but events writes can be compared.

use std::path::Path;

use chassis::Config;
use messaging::store::{SqlStore, Store as _};
use messaging::{Database, log};
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement, Value};

use super::CheckError;
use super::gather::Source;
use super::index::{Index, Rows, get};
use crate::services::SERVICES;

/// Tables written by events only: service, source of the events, table. They hold published facts, no persons.
pub(super) const FOLDED: [(&str, &str, &str); 2] =
    [("forums", "membership", "policy_value"), ("membership", "forums", "known_forum")];
/// Column that tells which rebuild wrote a row last; it differs and means nothing.
const GENERATION: &str = "generation";
/// Rows read at once.
const PAGE: u64 = 1000;

/// Whose content it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The running service's.
    Live = 0,
    /// That of the fresh fold.
    Fresh = 1,
}

/// A projection, as the service declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) service: &'static str,
    pub(super) projection: &'static str,
    pub(super) source: &'static str,
}

/// Folds the logs of `sources` up to their heads with the handlers of all services, in databases in `folder`, and takes
/// the content of the tables into the index. Gives the projections that there are.
pub(super) async fn fold(
    index: &Index,
    config: &Config,
    sources: &[Source],
    folder: &Path,
) -> Result<Vec<Declared>, CheckError> {
    let mut config = config.clone();
    config.data_dir = folder.to_owned();
    config.demo_start = None;
    for (name, service) in &mut config.services {
        service.database = format!("sqlite://{}?mode=rwc", folder.join(format!("{name}.sqlite")).display());
    }
    let fresh = chassis::assemble(SERVICES, config).await;
    let fresh =
        fresh.map_err(|error| CheckError::Other(format!("the services for a fresh fold: {error}")))?;
    let mut declared = Vec::new();
    for one in &fresh.services {
        let service = one.database.service();
        let store = SqlStore::new(one.database.clone(), one.writer.clone(), &one.projections);
        for projection in &one.projections {
            let (name, from) = (projection.name, projection.source);
            declared.push(Declared { service, projection: name, source: from });
            let is_folded = FOLDED.iter().any(|(into, of, _)| (*into, *of) == (service, from));
            let Some(source) = sources.iter().find(|source| source.service() == from).filter(|_| is_folded)
            else {
                continue;
            };
            let key = projection.key(service);
            for head in source.lanes() {
                take_lane(&store, &key, &source.database, &head.lane, head.seq).await?;
            }
        }
        contents(index, Side::Fresh, &one.database).await?;
    }
    Ok(declared)
}

async fn take_lane(
    store: &SqlStore,
    key: &messaging::store::ProjectionKey,
    source: &Database,
    lane: &str,
    head: u64,
) -> Result<(), CheckError> {
    let mut next = 1;
    while next <= head {
        let mut page = log::events(source, lane, next, log::PAGE).await?;
        page.retain(|event| event.seq <= head);
        let Some(last) = page.last().map(|event| event.seq) else { break };
        let taken = store.take(key, lane, page).await;
        taken.map_err(|error| CheckError::Other(format!("a fresh fold: {error}")))?;
        next = last + 1;
    }
    Ok(())
}

/// Takes the content of a service's folded tables into the index, a line for each row.
pub(super) async fn contents(index: &Index, side: Side, database: &Database) -> Result<(), CheckError> {
    let tables = FOLDED.iter().filter(|(service, ..)| *service == database.service());
    for (service, _, table) in tables {
        let line = line_of(database, table).await?;
        let question = format!(
            "SELECT line FROM (SELECT {line} AS line FROM {table}) AS lines WHERE line > $1 ORDER BY line LIMIT {PAGE}"
        );
        let mut rows: Rows<'_, 4> = index.rows("content");
        let mut after = String::new();
        loop {
            let page = ask(database, &question, [after.clone().into()]).await?;
            for row in &page {
                after = get(row, 0)?;
                rows.add([(side as i64).into(), (*service).into(), (*table).into(), after.clone().into()])
                    .await?;
            }
            if page.is_empty() {
                break;
            }
        }
        rows.finish().await?;
    }
    Ok(())
}

/// An expression for a whole row as text that is the same on both engines.
async fn line_of(database: &Database, table: &str) -> Result<String, CheckError> {
    let is_sqlite = database.read().get_database_backend() == DatabaseBackend::Sqlite;
    let question = match is_sqlite {
        true => "SELECT name, '' FROM pragma_table_info($1) ORDER BY name",
        false => {
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name"
        }
    };
    let mut columns = Vec::new();
    for row in ask(database, question, [table.into()]).await? {
        let (name, kind): (String, String) = (get(&row, 0)?, get(&row, 1)?);
        if name == GENERATION {
            continue;
        }
        let text = match (is_sqlite, kind.as_str()) {
            (true, _) => format!(
                "CASE typeof(\"{name}\") WHEN 'blob' THEN lower(hex(\"{name}\")) ELSE CAST(\"{name}\" AS TEXT) END"
            ),
            (false, "uuid") => format!("replace(\"{name}\"::text, '-', '')"),
            (false, "bytea") => format!("encode(\"{name}\", 'hex')"),
            (false, "boolean") => format!("(\"{name}\"::int)::text"),
            (false, _) => format!("\"{name}\"::text"),
        };
        columns.push(format!("'{name}=' || COALESCE({text}, 'null')"));
    }
    Ok(columns.join(" || ' ' || "))
}

async fn ask<const N: usize>(
    database: &Database,
    question: &str,
    values: [Value; N],
) -> Result<Vec<sea_orm::QueryResult>, CheckError> {
    let backend = database.read().get_database_backend();
    let statement = Statement::from_sql_and_values(backend, question, values);
    Ok(database.read().query_all_raw(statement).await?)
}
