//! The judge: whether what clients were told, what the services have stored, what the streams carry and what
//! projections hold is one and the same history.
//!
//! Nothing here is believed by itself. Clients keep journals of their own ([`journal`]); a check reads them, then every
//! service's log and stored answers, then the streams, and asks whether ten rules hold ([`Rule`]). It reads and changes
//! nothing, and runs beside a running system or on a copy of its data. For each broken rule it names the smallest part
//! of the history that shows it.
//!
//! | file | what it does |
//! | --- | --- |
//! | `ledger/journal.rs` | the operation journal: format, writer, reader |
//! | `ledger/gather.rs` | reads journals, logs, answers and streams into the index; checks chains (rule 3) |
//! | `ledger/index.rs` | a temporary SQLite file, so that a million calls need a disk and not memory |
//! | `ledger/fold.rs` | what projections must hold: a fresh fold by the services' own handlers |
//! | `ledger/rules/…` | the other rules, as questions to the index |
//! | `ledger/verdict.rs` | what was found |

mod fold;
mod gather;
mod index;
pub mod journal;
mod rules;
mod settled;
mod verdict;

use std::path::PathBuf;
use std::time::Duration;

use chassis::Config;
use data_encoding::HEXLOWER;
use kernel::Fault;
use messaging::broker::NatsSettings;
use messaging::{Database, OpenError};

pub use verdict::{Looked, Piece, Rule, Verdict, Violation};

use crate::services::SERVICES;
use fold::Side;
use gather::{Remembered, Source};
use index::Index;
use rules::Book;

/// What to check besides the databases.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Journals of clients; none: only what the system says of itself is checked.
    pub journals: Vec<PathBuf>,
    /// The nats-server; none: streams are not looked at, and the verdict says so.
    pub nats: Option<NatsSettings>,
    /// How long to wait for everything to be published and projected before judging.
    pub wait: Duration,
    /// Parked events are as they should be: a test put poison in.
    pub parked: bool,
    /// The broker has lost events that were published anew: first occurrences may be out of order.
    pub rewound: bool,
}

/// Why a system could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A journal cannot be read.
    #[error("journal: {0}")]
    Journal(#[from] std::io::Error),
    /// A database cannot be opened.
    #[error("database: {0}")]
    Open(#[from] OpenError),
    /// A database does not answer.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// NATS does not answer.
    #[error("NATS: {0}")]
    Nats(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl CheckError {
    fn from_fault(fault: Fault) -> Self {
        let text = fault.internal_text().map(str::to_owned);
        Self::Other(text.unwrap_or_else(|| fault.to_string()))
    }
}

/// Judges the deployment of a configuration, which names all services with their databases and secrets. May run beside
/// it.
///
/// # Errors
/// If something cannot be read. What is wrong with what was read is in the verdict.
pub async fn check(config: &Config, options: &Options) -> Result<Verdict, CheckError> {
    let mut databases = Vec::new();
    for service in SERVICES {
        let url = config.services.get(service.name).map(|settings| settings.database.as_str());
        databases.push(Database::look(url.unwrap_or_default(), service.name).await?);
    }
    settled::wait(&databases, options.wait).await?;
    let verdict = judge(config, options, &databases).await;
    for database in &databases {
        // Nothing was written, so nothing can be lost.
        let _ = database.close().await;
    }
    verdict
}

async fn judge(config: &Config, options: &Options, databases: &[Database]) -> Result<Verdict, CheckError> {
    let mut verdict = Verdict::default();
    let index = Index::new().await?;
    gather::journals(&index, &options.journals, &mut verdict).await?;
    let mut sources = Vec::new();
    for database in databases {
        sources.push(Source::new(&index, database.clone(), &mut verdict).await?);
    }
    settled::reach(&sources, options.wait).await?;
    let is_dated = !config.demo && !config.load_test;
    let mut remembered = Remembered::default();
    for source in &sources {
        gather::events(&index, source, &mut remembered, &mut verdict).await?;
        gather::audit_log(&index, source, &mut verdict).await?;
        if let Some(nats) = &options.nats {
            gather::messages(&index, source.service(), nats, is_dated, &mut verdict).await?;
            gather::heads(&index, source).await?;
        }
    }
    index.complete().await?;
    let book = Book { index: &index, journals: &options.journals };
    rules::answers::check(&book, &mut verdict).await?;
    rules::order::check(&book, &mut verdict).await?;
    for source in &sources {
        rules::audit::check(&book, source.service(), &mut verdict).await?;
    }
    match options.nats {
        None => verdict.not_looked.push("streams: no nats-server was named".to_owned()),
        Some(_) => {
            for source in &sources {
                rules::stream::check(&book, source.service(), options.rewound, &mut verdict).await?;
            }
        }
    }
    projections(&book, config, options, &sources, &remembered, &mut verdict).await?;
    if let (Some(forums), Some(membership)) = (of(&sources, "forums"), of(&sources, "membership")) {
        rules::rolls::unchanged(membership, config, &remembered, &mut verdict).await?;
        rules::ballots::boxes(forums, &mut verdict).await?;
        rules::marks::check(&book, forums, membership, &mut verdict).await?;
    }
    if let Some(proposals) = of(&sources, "proposals") {
        rules::counts::check(proposals, &mut verdict).await?;
    }
    Ok(verdict.finish())
}

fn of<'a>(sources: &'a [Source], service: &str) -> Option<&'a Source> {
    sources.iter().find(|source| source.service() == service)
}

async fn projections(
    book: &Book<'_>,
    config: &Config,
    options: &Options,
    sources: &[Source],
    remembered: &Remembered,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let folder = tempfile::Builder::new().prefix("osallisuus-fold-").tempdir()?;
    let declared = fold::fold(book.index, config, sources, folder.path(), verdict).await?;
    for reader in sources {
        // One view: what was taken after the cursors were read is not in the tables that are compared either.
        let view = messaging::view(reader.database.read()).await?;
        let service = reader.service();
        let complete = rules::projections::cursors(service, &view, &declared, sources, verdict).await?;
        if !options.parked {
            rules::projections::parked(service, &view, verdict).await?;
        }
        fold::contents(book.index, Side::Live, service, &view).await?;
        rules::projections::contents(book, service, &complete, verdict).await?;
        rules::projections::taken(book, service, &view, &complete, verdict).await?;
        if service == "forums" && complete.contains(&"membership") {
            rules::rolls::taken(&view, remembered, verdict).await?;
        }
        view.commit().await?;
    }
    Ok(())
}

/// Whether each act of an RPC, given by its path, publishes at least one event: if it has none, it was lost (rule 1).
#[must_use]
pub fn always_publishes(path: &str) -> bool {
    rules::answers::always_publishes(path)
}

/// Hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
