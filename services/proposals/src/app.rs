//! One function per command and per query. Each says what happens and nothing else: how it is stored is the store's
//! business, whether it may be is the domain's, who may ask is the access layer's.
//!
//! A command's act runs in the writer's transaction and may run twice, so ids and randomness are made before and come
//! in as part of its input.

mod answering;
mod attachments;
mod changing;
mod coauthors;
mod codes;
mod comments;
mod community;
pub mod comparison;
mod deciding;
mod drafting;
mod feedback;
mod findings;
mod joining;
mod moving;
mod promising;
mod reading;
mod routing;
mod screening;
mod searching;
mod submitting;
mod telling;
mod texts;
mod timers;
mod upkeep;
mod work;

use std::sync::Arc;

use chassis::Secrets;
use kernel::{Clock, Date, Ids, TenantId};
use messaging::{Database, Writer};
use tokio::sync::Semaphore;

pub use crate::store::lists::Filter;
pub use answering::{GiveAnswer, WrittenAnswer};
pub use attachments::{Reading, UNFINISHED_ATTACHMENT};
pub use deciding::{ForumDecision, Verdict, forum_decided};
pub use drafting::{CreateDraft, Words, Writing};
pub use feedback::WrittenCard;
pub use joining::PartOf;
pub use screening::Decisions;
pub use submitting::{CONFIRM_WORDS, Incoming, TEMPLATE_CONFIRM_WORDS};
pub use telling::{TELL_PEOPLE, TELL_ROLE, Telling, TellingRole};
pub use texts::{ReviewForm, Whose, WriteForm};
pub use timers::{IMPACT_DUE, RESPONSE_STEP, ResponseTimer};
pub use upkeep::{DRAFT_EXPIRES, RETIRED_REFERENCES, UNPUBLISHED_TEXTS, first_reading_of_retirements};

/// Pictures that are worked on at once.
const PICTURES: usize = 2;

/// The commands and queries of proposals.
#[derive(Clone, Debug)]
pub struct App {
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tenants: Arc<[TenantId]>,
    secrets: Secrets,
    /// Turns to work on a picture, which is in memory as a whole.
    pictures: Arc<Semaphore>,
}

impl App {
    /// Works on this database with this writer; serves these counties. `clock` is the business clock, `secrets` has the
    /// secret of the service's account, from which codes are made.
    pub fn new(
        database: Database,
        writer: Writer,
        clock: Arc<dyn Clock>,
        ids: Ids,
        tenants: Vec<TenantId>,
        secrets: Secrets,
    ) -> Self {
        Self {
            database,
            writer,
            clock,
            ids,
            tenants: tenants.into(),
            secrets,
            pictures: Arc::new(Semaphore::new(PICTURES)),
        }
    }

    /// Today in Finland, by the business clock.
    pub fn today(&self) -> Date {
        self.clock.now().helsinki_date()
    }
}
