//! Texts in the database: what is stored comes back, on both engines.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{
    AttachmentId, Ids, ProposalId, Role, SettableClock, Subject, TenantId, Uuid, deadline::start_of_day,
};
use messaging::{Clocks, Database, Writer, WriterSettings};
use proposals::domain::text::{
    Field, Form, Hand, Owner, OwnerKind, ReviewMethod, Reviewer, Symbol, Texts, VariantState,
};
use proposals::store;
use proposals::store::texts::Waiting;
use testkit::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Store, day, tenant};

/// The database of proposals alone, with its writer.
struct Rows {
    database: Database,
    writer: Writer,
    ids: Ids,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Rows {
    async fn new(store: Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match store {
            Store::Sqlite => format!("sqlite://{}/proposals.sqlite", folder.path().display()),
            Store::Postgres => Cluster::shared().create_database().await.unwrap(),
        };
        let database = Database::open(&url, "proposals", store::migrations).await.unwrap();
        let clock = Arc::new(SettableClock::stopped_at(start_of_day(day("2026-09-07"))));
        let clocks = Clocks { business: clock.clone(), real: clock };
        let (ids, stop) = (Ids::system(), CancellationToken::new());
        let settings = WriterSettings::for_kind(database.kind());
        let writer =
            Writer::start(&database, clocks, ids.clone(), settings, &TaskTracker::new(), stop.clone());
        Self { database, writer, ids, stop, _folder: folder }
    }

    async fn save(&self, owner: Owner, texts: &Texts) {
        let write = self.writer.internal("save", (owner, texts.clone()), |tx, (owner, texts)| {
            async move { store::texts::save_and_queue(tx.conn(), *owner, texts, day("2026-09-07")).await }
                .boxed()
        });
        write.await.unwrap();
    }

    async fn load(&self, owner: Owner) -> Texts {
        store::texts::load(self.database.read(), owner).await.unwrap()
    }

    async fn waiting(&self, county: &str, after: Option<Uuid>, limit: u64) -> Vec<Waiting> {
        store::texts::waiting(self.database.read(), tenant(county), after, limit).await.unwrap()
    }
}

fn pohde() -> TenantId {
    tenant("19")
}

fn reviewer(person: Subject) -> Reviewer {
    Reviewer { person, role: Role::ForumSecretary, method: ReviewMethod::SelkoMeter2 }
}

/// Texts of every kind and state: sources, reviewed, out of date, automatic; pictures and recordings.
fn rich(ids: &Ids, machine: Subject) -> Texts {
    let mut texts = Texts::default();
    texts.write(Field::Title, Form::Finnish, "Ulkoilu", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::Finnish, "Haluamme ulos.", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!\nHeti!", Hand::Human).unwrap();
    texts.review(Field::Summary, Form::EasyFinnish, 1, reviewer(ids.new_id()), day("2026-09-08")).unwrap();
    texts.write(Field::Title, Form::Swedish, "Ut", Hand::Automatic { by: Some(machine) }).unwrap();
    texts.write(Field::Body, Form::NorthernSami, "Olggos", Hand::Human).unwrap();
    texts.write(Field::Body, Form::English, "Out 'n' about; \"ääkköset\" 🙂", Hand::Human).unwrap();
    texts.write(Field::Body, Form::NorthernSami, "Olggos!", Hand::Human).unwrap();
    texts.set_symbols(Symbol::all().skip(3).take(4).collect(), Some(Role::UnitStaff)).unwrap();
    for form in [Form::Swedish, Form::EasyFinnish] {
        texts.attach_audio(ids.new_id::<AttachmentId>(), form, Some(Role::UnitStaff)).unwrap();
    }
    texts
}

#[tokio::test]
async fn texts_come_back_as_they_were_stored_and_replace_what_was_there() {
    for store in [Store::Sqlite, Store::Postgres] {
        let rows = Rows::new(store).await;
        let machine: Subject = rows.ids.new_id();
        let owner = Owner::proposal(pohde(), rows.ids.new_id());
        assert_eq!(rows.load(owner).await, Texts::default());
        let mut texts = rich(&rows.ids, machine);
        rows.save(owner, &texts).await;
        assert_eq!(rows.load(owner).await, texts);

        // The same id of another kind, or asked for by another county, is another thing.
        let answer = Owner::response(pohde(), owner.id);
        assert_eq!(rows.load(answer).await, Texts::default());
        assert_eq!(rows.load(Owner { tenant: tenant("21"), ..owner }).await, Texts::default());
        let mut reasons = Texts::default();
        reasons.write(Field::Reasons, Form::EasyFinnish, "Kaksi ohjaajaa puuttuu.", Hand::Human).unwrap();
        rows.save(answer, &reasons).await;

        assert!(texts.clear(Field::Title));
        texts.set_symbols(Vec::new(), None).unwrap();
        let gone = texts.audio()[0].attachment;
        assert!(texts.remove_audio(gone));
        texts.write(Field::Summary, Form::Finnish, "Haluamme sisälle.", Hand::Human).unwrap();
        rows.save(owner, &texts).await;
        let loaded = rows.load(owner).await;
        assert_eq!((loaded.field(Field::Title), loaded.symbols().codes.len()), (None, 0));
        let easy = loaded.variant(Field::Summary, Form::EasyFinnish).unwrap();
        assert_eq!((easy.state, easy.is_public()), (VariantState::OutOfDate, true));
        assert_eq!(loaded.audio(), texts.audio());
        assert_eq!(rows.load(answer).await, reasons);
    }
}

#[tokio::test]
async fn a_page_of_owners_is_loaded_at_once_and_deleting_one_leaves_the_others() {
    for store in [Store::Sqlite, Store::Postgres] {
        let rows = Rows::new(store).await;
        let machine: Subject = rows.ids.new_id();
        let owners: Vec<Owner> =
            (0..3).map(|_| Owner::proposal(pohde(), rows.ids.new_id::<ProposalId>())).collect();
        let texts = rich(&rows.ids, machine);
        rows.save(owners[0], &texts).await;
        rows.save(owners[2], &texts).await;
        let ids: Vec<Uuid> = owners.iter().map(|owner| owner.id).collect();
        let load = async || {
            let found =
                store::texts::load_many(rows.database.read(), pohde(), OwnerKind::Proposal, &ids).await;
            found.unwrap()
        };
        let found = load().await;
        assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([ids[0], ids[2]]));
        assert_eq!(found[&ids[2]], texts);
        let deleted = rows.writer.internal("delete", owners[0], |tx, owner| {
            async move { store::texts::delete(tx.conn(), *owner).await }.boxed()
        });
        deleted.await.unwrap();
        assert_eq!(load().await.into_keys().collect::<Vec<_>>(), [ids[2]]);
        assert_eq!(rows.waiting("19", None, 10).await.len(), 1);
    }
}

#[tokio::test]
async fn what_waits_is_listed_by_county_until_every_form_is_reviewed() {
    for store in [Store::Sqlite, Store::Postgres] {
        let rows = Rows::new(store).await;
        let mut texts = Texts::default();
        texts.write(Field::YouSaid, Form::EasyFinnish, "Haluamme ulos.", Hand::Human).unwrap();
        let mut mine: Vec<Owner> = (0..3).map(|_| Owner::feedback(pohde(), rows.ids.new_id())).collect();
        mine.sort_unstable();
        let others = Owner::feedback(tenant("21"), rows.ids.new_id());
        for owner in mine.iter().chain([&others]) {
            rows.save(*owner, &texts).await;
            rows.save(*owner, &texts).await;
        }
        let ids = |waiting: Vec<Waiting>| waiting.iter().map(|one| one.owner).collect::<Vec<_>>();
        assert_eq!(ids(rows.waiting("19", None, 10).await), mine);
        assert_eq!(ids(rows.waiting("19", None, 2).await), mine[..2]);
        assert_eq!(ids(rows.waiting("19", Some(mine[1].id), 10).await), mine[2..]);
        assert_eq!(ids(rows.waiting("21", None, 10).await), [others]);
        assert_eq!(rows.waiting("19", None, 1).await[0].since, day("2026-09-07"));

        let by = reviewer(rows.ids.new_id());
        texts.review(Field::YouSaid, Form::EasyFinnish, 1, by, day("2026-09-08")).unwrap();
        rows.save(mine[1], &texts).await;
        assert_eq!(ids(rows.waiting("19", None, 10).await), [mine[0], mine[2]]);
    }
}

#[tokio::test]
async fn who_has_left_is_forgotten_and_the_text_stays_automatic() {
    for store in [Store::Sqlite, Store::Postgres] {
        let rows = Rows::new(store).await;
        let machine: Subject = rows.ids.new_id();
        let owner = Owner::proposal(pohde(), rows.ids.new_id());
        rows.save(owner, &rich(&rows.ids, machine)).await;
        let forget = async |person: Subject| {
            let forgotten = rows.writer.internal("forget", person, |tx, person| {
                async move { store::texts::forget_writer(tx.conn(), *person).await }.boxed()
            });
            forgotten.await.unwrap();
            rows.load(owner).await.variant(Field::Title, Form::Swedish).unwrap().hand
        };
        assert_eq!(forget(rows.ids.new_id()).await, Hand::Automatic { by: Some(machine) });
        assert_eq!(forget(machine).await, Hand::Automatic { by: None });
    }
}
