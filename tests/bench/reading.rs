//! How long everybody waits for what is read most: a search among many proposals, similar ones before submitting, and a
//! page of a long thread of comments; through gRPC, on SQLite and PostgreSQL.
//!
//! Texts are of made-up words, of which few are common and most are rare, as in any language. Every proposal has its
//! texts in standard and in plain Finnish and a supporter, every third one its answer: what is found is loaded with it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use hdrhistogram::Histogram;
use kernel::deadline::parse_date;
use kernel::{ActingMode, Fault, ProposalId, Role, TenantId, TextVariant, Uuid};
use messaging::{Tx, Writer, database_fault};
use proposals::domain::comment::{Comment, CommentState, Place};
use proposals::domain::proposal::{Acting, Addressed, Category, Channel, Content, Outcome, Proposal, Stage};
use proposals::domain::response::Answer;
use proposals::domain::stems::{self, Text};
use proposals::domain::text::{Field, Form, Hand, Owner, ReviewMethod, Reviewer, Texts};
use proposals::store;
use proto::proposals as pb;
use proto::proposals::community_service_client::CommunityServiceClient;
use proto::proposals::search_service_client::SearchServiceClient;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sea_orm::ConnectionTrait as _;
use testkit::system::{Store, System};

use crate::figures::{heading, line, milliseconds};

const COUNTY: &str = "19";
/// Rows that are stored in one transaction before anything is measured.
const BATCH: u64 = 50;
/// Different words there are, and words of a text.
const WORDS: f64 = 20_000.0;
const LENGTH: usize = 60;
/// One of so many proposals has its answer.
const ANSWERED: u64 = 3;
/// Reads of each kind.
const READS: u64 = 400;

/// The writer of the running service, to store with.
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

fn build(context: &Context) -> Result<Parts, StartError> {
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.writer.clone());
    (proposals::SERVICE.build)(context)
}

/// Measures and prints.
pub(crate) async fn report(proposals: u64, comments: u64) -> anyhow::Result<()> {
    for (store, name) in [(Store::Sqlite, "SQLite"), (Store::Postgres, "PostgreSQL")] {
        heading(&format!("Reading among {proposals} proposals and {comments} comments on {name}"));
        measure(store, proposals, comments).await?;
    }
    Ok(())
}

async fn measure(store: Store, proposals: u64, comments: u64) -> anyhow::Result<()> {
    let service = Service { build, ..proposals::SERVICE };
    let system = System::start(&[service], store, &[("telemetry.log", "error")]).await?;
    let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take().context("the service runs")?;
    for first in (0..proposals).step_by(usize::try_from(BATCH)?) {
        let put = writer.internal("bench", first, |tx, first| put_proposals(tx, *first).boxed());
        put.await?;
    }
    for first in (0..comments).step_by(usize::try_from(BATCH)?) {
        let put = writer.internal("bench", first, |tx, first| put_comments(tx, *first).boxed());
        put.await?;
    }
    if store == Store::Postgres {
        // Autovacuum would, a minute later.
        writer.internal("bench", (), |tx, ()| analyze(tx).boxed()).await?;
    }
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut search = SearchServiceClient::new(system.channel());
    let latency = timed(async |_| {
        let words = rng.random_range(1..=4);
        let query = text(&mut rng, words);
        let message = pb::SearchProposalsRequest {
            tenant: COUNTY.to_owned(),
            query,
            page_size: 20,
            ..pb::SearchProposalsRequest::default()
        };
        search.search_proposals(message).await?;
        Ok(())
    });
    print("search, 1 to 4 words, a page of 20", latency.await?);
    let latency = timed(async |_| {
        let (tenant, title, body) = (COUNTY.to_owned(), text(&mut rng, 4), text(&mut rng, LENGTH));
        let message = pb::FindSimilarProposalsRequest { tenant, title, summary: String::new(), body };
        let caller = kernel::Caller::person(Uuid::from_u128(1).into());
        search.find_similar_proposals(system.request("proposals", caller, message)?).await?;
        Ok(())
    });
    print("similar proposals to a text", latency.await?);
    let mut community = CommunityServiceClient::new(system.channel());
    let first = pb::ListCommentsRequest { proposal_id: proposal_of(0).to_string(), ..Default::default() };
    let latency = timed(async |_| {
        community.list_comments(first.clone()).await?;
        Ok(())
    });
    print("first page of the thread", latency.await?);
    let mut page = first;
    let latency = timed(async |_| {
        page.page_token = community.list_comments(page.clone()).await?.into_inner().next_page_token;
        Ok(())
    });
    print("page after page of it", latency.await?);
    drop(writer);
    system.finish().await
}

async fn analyze(tx: &Tx) -> Result<(), Fault> {
    tx.conn().execute_unprepared("ANALYZE").await.map_err(database_fault)?;
    Ok(())
}

async fn timed(mut read: impl AsyncFnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<Histogram<u64>> {
    let mut latency = Histogram::new(3)?;
    for number in 0..READS {
        let begun = Instant::now();
        read(number).await?;
        latency.record(u64::try_from(begun.elapsed().as_micros())?)?;
    }
    Ok(latency)
}

#[expect(clippy::cast_precision_loss, reason = "a mean of a second is far below 2^52 microseconds")]
fn print(what: &str, latency: Histogram<u64>) {
    let per_second = 1_000_000.0 / latency.mean().max(f64::MIN_POSITIVE);
    let (p50, p99) = (milliseconds(&latency, 0.5), milliseconds(&latency, 0.99));
    line(what, per_second, Some((p50, p99)), &format!("{} reads, one after the other", latency.len() as f64));
}

fn proposal_of(number: u64) -> ProposalId {
    Uuid::from_u128(u128::from(number) + 1).into()
}

/// Words, the common ones often: the chance of a word falls with its place on the list.
fn text(rng: &mut ChaCha20Rng, words: usize) -> String {
    let word = |rng: &mut ChaCha20Rng| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to the number of words"
        )]
        let place = WORDS.powf(rng.random::<f64>()) as u64;
        let syllables = ["ka", "to", "mi", "su", "le", "ra", "no", "pi", "vu", "he"];
        let digits = place.to_string();
        digits.bytes().map(|digit| syllables[usize::from(digit - b'0')]).collect::<String>()
    };
    (0..words).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}

async fn put_proposals(tx: &Tx, first: u64) -> Result<(), Fault> {
    let (tenant, day) = (TenantId::new(COUNTY)?, parse_date("2026-09-07")?);
    for number in first..first + BATCH {
        let mut rng = ChaCha20Rng::seed_from_u64(number);
        let content = Content {
            category: Category::Content,
            perspective: None,
            goals: Vec::new(),
            addressed: Addressed::new(&[], None)?,
            own_words: String::new(),
            strength: String::new(),
        };
        let id = proposal_of(number);
        let mut proposal = Proposal::draft(id, tenant, content, Channel::Web, Acting::alone(), day);
        let is_answered = number % ANSWERED == 0;
        let outcome = Outcome::Accepted;
        proposal.stage = if is_answered { Stage::Answered { outcome } } else { Stage::Open };
        proposal.is_public = true;
        store::proposals::insert(tx.conn(), &proposal).await?;
        let (title, body) = (text(&mut rng, 4), text(&mut rng, LENGTH));
        let (summary, plain) = (text(&mut rng, 12), text(&mut rng, 8));
        let words = [
            (Field::Title, Form::Finnish, &title),
            (Field::Title, Form::EasyFinnish, &title),
            (Field::Summary, Form::Finnish, &summary),
            (Field::Summary, Form::EasyFinnish, &plain),
            (Field::Body, Form::Finnish, &body),
        ];
        let texts = reviewed(&words, day)?;
        store::texts::save(tx.conn(), Owner::proposal(tenant, id), &texts).await?;
        let standard = Text { variant: TextVariant::Finnish, title: &title, summary: &summary, body: &body };
        let easy = Text { variant: TextVariant::EasyFinnish, title: &title, summary: &plain, body: "" };
        store::search::index(tx.conn(), tenant, id, &stems::weigh(tenant, &[standard, easy])).await?;
        // The row of its counters comes with the first supporter.
        let supporter = Uuid::from_u128(u128::from(number) + 1).into();
        store::supports::give(tx.conn(), id, supporter, day, ActingMode::Alone).await?;
        if is_answered {
            put_answer(tx, tenant, id, &mut rng).await?;
        }
    }
    Ok(())
}

/// What was said to a proposal, in standard and in plain Finnish.
async fn put_answer(
    tx: &Tx,
    tenant: TenantId,
    proposal: ProposalId,
    rng: &mut ChaCha20Rng,
) -> Result<(), Fault> {
    let day = parse_date("2026-10-12")?;
    let answer = Answer {
        outcome: Some(Outcome::Accepted),
        next_role: "vastaava ohjaaja".to_owned(),
        next_on: Some(day),
        ..Answer::default()
    };
    let id = Uuid::from_u128(proposal.as_uuid().as_u128() | (1 << 100));
    let kept = store::answers::Kept { id, proposal, number: 1, answer, given_on: Some(day) };
    store::answers::insert(tx.conn(), &kept).await?;
    let (reasons, plain) = (text(rng, LENGTH), text(rng, 20));
    let words = [(Field::Reasons, Form::Finnish, &reasons), (Field::Reasons, Form::EasyFinnish, &plain)];
    store::texts::save(tx.conn(), Owner::response(tenant, id), &reviewed(&words, day)?).await
}

/// Texts that a human has found fit to read.
fn reviewed(words: &[(Field, Form, &String)], day: kernel::Date) -> Result<Texts, Fault> {
    let mut texts = Texts::default();
    for (field, form, content) in words {
        texts.write(*field, *form, content, Hand::Human)?;
        let method = match form {
            Form::EasyFinnish => ReviewMethod::PlainLanguageCheck,
            _ => ReviewMethod::Screening,
        };
        let by = Reviewer { person: Uuid::from_u128(1).into(), role: Role::AreaCoordinator, method };
        texts.review(*field, *form, 1, by, day)?;
    }
    Ok(texts)
}

/// Threads of ten: a comment and nine answers to it.
async fn put_comments(tx: &Tx, first: u64) -> Result<(), Fault> {
    let tenant = TenantId::new(COUNTY)?;
    for number in first..first + BATCH {
        let id = |number: u64| Uuid::from_u128(u128::from(number) + 1).into();
        let top = number - number % 10;
        let parent = (number != top).then_some(top);
        let above = Place::new(None, top + 1)?;
        let comment = Comment {
            id: id(number),
            tenant,
            proposal: proposal_of(0),
            parent: parent.map(id),
            place: Place::new(parent.map(|_| &above), number + 1)?,
            writer: Some(Uuid::from_u128(u128::from(number) + 1).into()),
            by_staff: false,
            mode: ActingMode::Alone,
            written_at: tx.now(),
            body: "Kannatan tätä ehdotusta, koska ulkoilu tekee hyvää kaikille meille.".to_owned(),
            findings: Vec::new(),
            state: CommentState::Visible,
            review_due_on: None,
            reason: String::new(),
            replies: 0,
        };
        store::comments::insert(tx.conn(), &comment).await?;
    }
    Ok(())
}
