//! One function per command and per query. Each says what happens and nothing else: how it is stored is the store's
//! business, whether it may be is the domain's, who may ask is the access layer's.
//!
//! A command's act runs in the writer's transaction and may run twice, so ids and randomness are made before and come
//! in as part of its input.

mod announcing;
mod confirming;
mod counting;
mod forums;
mod meetings;
mod nominations;
mod paper;
mod queries;
mod results;
mod upkeep;
mod voting;

use std::sync::Arc;

use kernel::{Clock, Date, Ids, TenantId};
use messaging::{Database, Writer};

use crate::vault::Vault;

pub use announcing::AnnounceElection;
pub use meetings::{
    Attend, CastForumVote, DISSENT_WITHHELD, Dissenting, ERASE_MEETING, MEETING_NOTICE, MEETING_UNCLOSED,
    MeetingNotice, RaiseTopic, TEMPLATE_DISSENT_WITHHELD, TEMPLATE_MEETING_UNCLOSED, Within,
};
pub use nominations::{Accept, Nominate};
pub use paper::PaperBatchEntry;
pub use upkeep::{
    CANDIDACY_OFFERED, CLOSE_VOTING, ERASE_ELECTION, RETIRED_REFERENCES, SEAT_FILLED,
    TEMPLATE_CANDIDACY_OFFERED, TEMPLATE_SEAT_FILLED, first_reading_of_retirements,
};

/// The commands and queries of forums.
#[derive(Clone, Debug)]
pub struct App {
    vault: Vault,
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tenants: Arc<[TenantId]>,
}

impl App {
    /// Works on this database with this writer; serves these counties. `vault` seals what the database must not tell,
    /// `clock` is the business clock.
    pub fn new(
        vault: Vault,
        database: Database,
        writer: Writer,
        clock: Arc<dyn Clock>,
        ids: Ids,
        tenants: Vec<TenantId>,
    ) -> Self {
        Self { vault, database, writer, clock, ids, tenants: tenants.into() }
    }

    /// Today in Finland, by the business clock.
    fn today(&self) -> Date {
        self.clock.now().helsinki_date()
    }
}
