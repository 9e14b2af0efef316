//! Search: earlier proposals with what was answered (S1.25), in the same order on both databases.

use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{Ids, ProposalId, SettableClock, TenantId, TextVariant, Uuid};
use messaging::{Clocks, Database, Tx, Writer, WriterSettings};
use proposals::domain::stems::{self, Text};
use proposals::store;
use proposals::store::search::Hit;
use proto::proposals as pb;
use proto::proposals::search_service_client::SearchServiceClient;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sea_orm::{ConnectionTrait as _, Statement};
use testkit::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{LAPHA, POHDE, Store, World, day, run};

async fn search(world: &World, tenant: &str, query: &str) -> anyhow::Result<Vec<String>> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let search = pb::SearchProposalsRequest {
            tenant: tenant.to_owned(),
            query: query.to_owned(),
            page_size: 1,
            page_token,
        };
        let page =
            SearchServiceClient::new(world.system.channel()).search_proposals(search).await?.into_inner();
        ids.extend(page.proposals.into_iter().map(|found| found.proposal_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(ids);
        }
    }
}

async fn story(world: &mut World) -> anyhow::Result<()> {
    let walks = world.open_proposal("Päivätoimintaan lisää metsäretkiä").await?.to_string();
    let food = world.open_proposal("Keitto on liian kuumaa").await?.to_string();
    let waiting = world.submitted_proposal("Metsäretkiä myös talvella").await?.to_string();
    assert_eq!(search(world, POHDE, "metsäretkille").await?, [walks.as_str()], "only what is public");
    assert_eq!(search(world, POHDE, "kuuma keitto").await?, [food.as_str()]);
    let both = search(world, POHDE, "metsäretki keitto ulos").await?;
    assert_eq!(both.len(), 2, "any of the words, page by page: {both:?}");
    assert_eq!(search(world, LAPHA, "metsäretki").await?, Vec::<String>::new(), "another county's");
    assert_eq!(search(world, POHDE, "että ja").await?, Vec::<String>::new());

    world.screen(waiting.parse()?).await?;
    assert_eq!(search(world, POHDE, "metsäretki").await?.len(), 2, "found once it is public");
    let hide = pb::HideProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: waiting.clone(),
        explanation: "Ehdotus koski toista ihmistä.".to_owned(),
        ..pb::HideProposalRequest::default()
    };
    world.handling().hide_proposal(world.by(world.coordinator(), hide)?).await?;
    assert_eq!(search(world, POHDE, "metsäretki").await?, [walks.as_str()], "hidden, so not found");
    let show = pb::ShowProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: waiting.clone(),
        explanation: "Tarkistettu uudelleen.".to_owned(),
        ..pb::ShowProposalRequest::default()
    };
    world.handling().show_proposal(world.by(world.coordinator(), show)?).await?;
    assert_eq!(search(world, POHDE, "talvella").await?, [waiting.as_str()]);

    let similar = pb::FindSimilarProposalsRequest {
        tenant: POHDE.to_owned(),
        title: "Retkiä metsään".to_owned(),
        summary: "Metsäretki joka viikko".to_owned(),
        body: String::new(),
    };
    let mut client = SearchServiceClient::new(world.system.channel());
    let found =
        client.find_similar_proposals(world.by(world.client(2), similar.clone())?).await?.into_inner();
    let ids: Vec<&str> = found.proposals.iter().map(|found| found.proposal_id.as_str()).collect();
    assert!(ids.contains(&walks.as_str()) && !ids.contains(&food.as_str()) || ids[0] != food, "{ids:?}");
    let first = &found.proposals[0];
    assert_eq!(first.stage.clone().unwrap_or_default().stage(), pb::ProposalStage::Open);
    assert_eq!((first.titles[0].language.as_str(), first.submitted_on.as_str()), ("fi", "2026-09-07"));
    let nobody = client.find_similar_proposals(world.anonymous(similar)?).await?.into_inner();
    assert_eq!(nobody, found, "whoever submits without a name is offered the same");
    let long = search(world, POHDE, &"a".repeat(201)).await;
    assert!(long.is_err(), "a query has a limit");
    Ok(())
}

#[tokio::test]
async fn s1_25_public_proposals_are_found_by_their_words_and_no_others() -> anyhow::Result<()> {
    run(Store::Sqlite, story).await
}

#[tokio::test]
async fn s1_25_public_proposals_are_found_by_their_words_and_no_others_on_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, story).await
}

const WORDS: [&str; 30] = [
    "ulkoilu",
    "metsä",
    "retki",
    "ruoka",
    "keitto",
    "taksi",
    "bussi",
    "aikataulu",
    "ohjaaja",
    "hoitaja",
    "musiikki",
    "laulu",
    "kerho",
    "kokous",
    "tiedote",
    "selkokieli",
    "kuva",
    "netti",
    "puhelin",
    "sauna",
    "uinti",
    "kalastus",
    "piha",
    "penkki",
    "valo",
    "ovi",
    "hissi",
    "ramppi",
    "talvi",
    "kesä",
];

/// A text of random words; the first ones of the list are the most common.
fn text(rng: &mut ChaCha20Rng, words: usize) -> String {
    let word = |rng: &mut ChaCha20Rng| {
        let within = rng.random_range(1..=WORDS.len());
        *WORDS[..within].choose(rng).unwrap_or(&"ulkoilu")
    };
    (0..words).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}

/// Many in one transaction, for the sake of time.
async fn put_all(tx: &Tx, documents: &[(u128, String, String)]) -> Result<(), kernel::Fault> {
    for (number, title, body) in documents {
        put(tx, *number, title, body).await?;
    }
    Ok(())
}

async fn put(tx: &Tx, number: u128, title: &str, body: &str) -> Result<(), kernel::Fault> {
    let tenant = TenantId::new(POHDE)?;
    let texts = [
        Text { variant: TextVariant::Finnish, title, summary: "", body },
        Text { variant: TextVariant::Swedish, title: body, summary: title, body: "" },
    ];
    store::search::index(tx.conn(), tenant, Uuid::from_u128(number).into(), &stems::weigh(tenant, &texts))
        .await
}

/// What is found in a corpus, and what the counters say, in a new database.
async fn answers(kind: Store) -> anyhow::Result<(Vec<Vec<Hit>>, Vec<i64>)> {
    let folder = tempfile::tempdir()?;
    let url = match kind {
        Store::Sqlite => format!("sqlite://{}/proposals.sqlite", folder.path().display()),
        Store::Postgres => Cluster::shared().create_database().await?,
    };
    let database = Database::open(&url, "proposals", store::migrations).await?;
    let clock = Arc::new(SettableClock::stopped_at(kernel::deadline::start_of_day(day("2026-09-07"))));
    let clocks = Clocks { business: clock.clone(), real: clock };
    let (settings, stop) = (WriterSettings::for_kind(database.kind()), CancellationToken::new());
    let writer = Writer::start(&database, clocks, Ids::system(), settings, &TaskTracker::new(), stop.clone());
    let mut rng = ChaCha20Rng::seed_from_u64(25);
    let mut documents = Vec::new();
    for number in (1..=200_u128).chain((1..=200).step_by(7)) {
        // Some are there twice: the second time they are changed.
        let words = rng.random_range(1..40);
        documents.push((number, text(&mut rng, 3), text(&mut rng, words)));
    }
    for some in documents.chunks(20) {
        let put = writer.internal("story", some.to_vec(), |tx, documents| put_all(tx, documents).boxed());
        put.await?;
    }
    let gone = writer.internal("story", (), |tx, ()| {
        async move {
            for number in (1..=200_u128).step_by(11) {
                store::search::remove(tx.conn(), ProposalId::from_uuid(Uuid::from_u128(number))).await?;
            }
            Ok::<_, kernel::Fault>(())
        }
        .boxed()
    });
    gone.await?;
    let tenant = TenantId::new(POHDE)?;
    let mut found = Vec::new();
    for _ in 0..25 {
        let words = rng.random_range(1..6);
        let query = stems::query(tenant, &text(&mut rng, words));
        let whole = store::search::find(database.read(), tenant, &query, None, 60).await?;
        let (mut pages, mut after) = (Vec::new(), None);
        while pages.len() < 60 {
            let page = store::search::find(database.read(), tenant, &query, after, 23).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            pages.extend(page);
        }
        pages.truncate(60);
        assert_eq!(pages, whole, "pages are the whole");
        assert!(whole.is_sorted_by_key(|hit| (std::cmp::Reverse(hit.score), hit.proposal)), "ties by id");
        found.push(whole);
    }
    let mut counters = Vec::new();
    for question in [
        "SELECT COUNT(*) FROM search_document",
        "SELECT CAST(SUM(proposals) AS BIGINT) FROM search_size",
        "SELECT COUNT(*) FROM search_term",
        "SELECT CAST(SUM(proposals) AS BIGINT) FROM search_stem",
    ] {
        let conn = database.read();
        let row = conn.query_one_raw(Statement::from_string(conn.get_database_backend(), question)).await?;
        counters.push(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default());
    }
    assert_eq!(counters[0], counters[1], "the size is kept");
    assert_eq!(counters[2], counters[3], "how common a stem is, is kept");
    stop.cancel();
    Ok((found, counters))
}

/// In a bilingual county a word has a stem in each language, and all of them are one word.
#[tokio::test]
async fn s1_25_of_a_long_search_the_rarest_words_count_in_whatever_language() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let documents = [
            (1, "metsä keitto taksi bussi".to_owned(), "metsä keitto taksi bussi".to_owned()),
            (2, "sauna".to_owned(), "sauna".to_owned()),
            (3, "sauna uinti".to_owned(), "sauna uinti".to_owned()),
        ];
        let put = world.writer()?;
        let put = put.internal("story", documents, |tx, documents| put_all(tx, documents).boxed());
        put.await?;
        let tenant = TenantId::new(POHDE)?;
        let query = stems::query(tenant, "metsä keitto taksi bussi sauna");
        let found = store::search::find(world.database()?.read(), tenant, &query, None, 10).await?;
        let mut found: Vec<u128> = found.iter().map(|hit| hit.proposal.as_uuid().as_u128()).collect();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3], "four words with eight stems leave room for the fifth");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn s1_25_both_databases_find_the_same_in_the_same_order() -> anyhow::Result<()> {
    let (sqlite, postgresql) = (answers(Store::Sqlite).await?, answers(Store::Postgres).await?);
    assert!(sqlite.0.iter().all(|hits| !hits.is_empty()), "every query finds something");
    assert_eq!(sqlite, postgresql);
    Ok(())
}
