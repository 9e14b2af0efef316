//! One function per command and per query. Each says what happens and nothing else: how it is stored is the store's
//! business, whether it may be is the domain's, who may ask is the access layer's.
//!
//! A command's act runs in the writer's transaction and may run twice, so ids and randomness are made before and come
//! in as part of its input.

mod drafting;
mod reading;
mod screening;
mod submitting;
mod texts;
mod upkeep;

use std::sync::Arc;

use kernel::{Clock, Date, Ids, TenantId};
use messaging::{Database, Writer};

pub use drafting::CreateDraft;
pub use texts::{ReviewForm, Whose, WriteForm};
pub use upkeep::{RETIRED_REFERENCES, first_reading_of_retirements};

/// The commands and queries of proposals.
#[derive(Clone, Debug)]
pub struct App {
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tenants: Arc<[TenantId]>,
}

impl App {
    /// Works on this database with this writer; serves these counties. `clock` is the business clock.
    pub fn new(
        database: Database,
        writer: Writer,
        clock: Arc<dyn Clock>,
        ids: Ids,
        tenants: Vec<TenantId>,
    ) -> Self {
        Self { database, writer, clock, ids, tenants: tenants.into() }
    }

    /// Today in Finland, by the business clock.
    fn today(&self) -> Date {
        self.clock.now().helsinki_date()
    }
}
