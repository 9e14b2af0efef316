//! What a call leaves in the audit log, seen from the wire (SEC-40, SEC-42).

use std::collections::BTreeSet;

use kernel::{Assurance, Caller, HeldRole, Role, ScopeRef, Subject, TenantId};
use messaging::Database;
use messaging::audit::{Head, PAGE, Row, Whose, page, verify};
use proto::forums::elections_service_client::ElectionsServiceClient;
use proto::forums::{CastBallotRequest, FoundForumRequest, GetForumRequest, ListSeatHoldersRequest};
use proto::messaging::audit_service_client::AuditServiceClient;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::messaging::{AuditEntry, ListAuditEntriesRequest, ListOwnAuditEntriesRequest, SetClockRequest};
use sea_orm::ConnectionTrait as _;
use testkit::postgres::Cluster;
use tonic::{Code, Request};

use crate::fixture::{Fixture, reason, refused};
use crate::toy::CLOSED;

/// A person's name, where no log may have it.
const CANARY: &str = "Kanarialintu";
const FORUM: &str = "0190a1b2-0000-7000-8000-000000000001";

/// A process on each engine, and the address of its database.
async fn fixtures() -> anyhow::Result<Vec<(Fixture, String)>> {
    let sqlite = Fixture::start("").await?;
    let file = format!("sqlite://{}", sqlite.folder.path().join("forums.sqlite").display());
    let url = Cluster::shared().create_database().await?;
    let postgres = Fixture::start(&format!("services.forums.database = {url:?}")).await?;
    Ok(vec![(sqlite, file), (postgres, url)])
}

async fn rows(url: &str) -> anyhow::Result<Vec<Row>> {
    let log = Database::look(url, "forums").await?;
    let (rows, _) = page(&log, &Whose::All, 0, PAGE).await?;
    log.close().await?;
    verify(Head::genesis(), &rows)?;
    Ok(rows)
}

fn found(tenant: &str, name: &str) -> FoundForumRequest {
    let purpose = format!("{CANARY}n tavoite");
    FoundForumRequest { tenant: tenant.to_owned(), name: name.to_owned(), purpose, ..Default::default() }
}

fn holders(purpose: &str) -> ListSeatHoldersRequest {
    ListSeatHoldersRequest { forum_id: FORUM.to_owned(), purpose: purpose.to_owned() }
}

/// Somebody of county 19 with a role.
fn holder(fixture: &Fixture, role: Role, scope: ScopeRef) -> anyhow::Result<Caller> {
    let person = Caller::person(fixture.ids.new_id::<Subject>());
    let (roles, tenants) = (vec![HeldRole { role, scope }], vec![TenantId::new("19")?]);
    Ok(Caller { roles, tenants, assurance: Assurance::Substantial, ..person })
}

fn secretary(fixture: &Fixture) -> anyhow::Result<Caller> {
    holder(fixture, Role::ForumSecretary, ScopeRef::Forum(FORUM.parse()?))
}

#[tokio::test]
async fn the_calls_of_one_act_are_known_by_its_id_and_others_have_ids_of_their_own() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let administrator = fixture.administrator("19")?;
    let act = fixture.ids.uuid().to_string();
    // The second is denied; the last names something that is no id.
    for (county, id) in
        [("19", Some(&*act)), ("21", Some(&*act)), ("19", None), ("19", None), ("19", Some("act-1"))]
    {
        let mut request = fixture.request(administrator.clone(), found(county, "Ii"))?;
        if let Some(id) = id {
            request.metadata_mut().insert("x-correlation-id", id.parse()?);
        }
        assert_eq!(fixture.forums().found_forum(request).await.is_ok(), county == "19");
    }
    let file = format!("sqlite://{}", fixture.folder.path().join("forums.sqlite").display());
    let ids: Vec<String> = rows(&file).await?.into_iter().map(|row| row.correlation_id).collect();
    assert_eq!(ids[..2], [act.clone(), act]);
    let own: BTreeSet<kernel::Uuid> = ids[2..].iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
    assert_eq!(own.len(), 3, "{ids:?}");
    Ok(())
}

#[tokio::test]
async fn sec_40_one_row_for_every_decision_and_none_for_what_is_no_one_elses_business() -> anyhow::Result<()>
{
    for (fixture, url) in fixtures().await? {
        let (mut forums, administrator) = (fixture.forums(), fixture.administrator("19")?);
        // Done, repeated, refused by a rule.
        let request = fixture.request(administrator.clone(), found("19", CANARY))?;
        let (key, again) = (request.metadata().clone(), found("19", CANARY));
        forums.found_forum(request).await?;
        let mut again = Request::new(again);
        *again.metadata_mut() = key;
        forums.found_forum(again).await?;
        let by_rule = forums.found_forum(fixture.request(administrator.clone(), found("19", CLOSED))?).await;
        assert_eq!(reason(&refused(by_rule)?), "forums.closed");
        // Denied: another county; unsure; a name where an id belongs.
        let elsewhere =
            forums.found_forum(fixture.request(administrator.clone(), found("21", CANARY))?).await;
        assert_eq!(reason(&refused(elsewhere)?), "access.scope");
        let unsure = Caller { assurance: Assurance::Low, ..administrator.clone() };
        let unsure = forums.found_forum(fixture.request(unsure, found("19", CANARY))?).await;
        assert_eq!(reason(&refused(unsure)?), "access.assurance");
        // A reading, and readings without a reason.
        let secretary = secretary(&fixture)?;
        forums.list_seat_holders(fixture.request(secretary.clone(), holders(" Meeting notice "))?).await?;
        for no_reason in ["", "x", "Call 040 123 4567"] {
            let status = refused(
                forums.list_seat_holders(fixture.request(secretary.clone(), holders(no_reason))?).await,
            )?;
            assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "request.invalid"));
        }
        // Nobody's business: public, unknown callers, a ballot, own data.
        forums.get_forum(Request::new(GetForumRequest { forum_id: FORUM.to_owned() })).await?;
        refused(forums.found_forum(Request::new(found("19", CANARY))).await)?;
        refused(forums.found_forum(fixture.request_with("no token", found("19", CANARY))?).await)?;
        let ballot = CastBallotRequest { election_id: FORUM.to_owned(), ..Default::default() };
        let mut elections = ElectionsServiceClient::new(fixture.channel.clone());
        let denied = refused(elections.cast_ballot(fixture.request(secretary.clone(), ballot)?).await)?;
        assert_eq!(reason(&denied), "access.scope", "not on the roll");
        forums.get_my_seat(fixture.request(secretary.clone(), Default::default())?).await?;

        let rows = rows(&url).await?;
        let told: Vec<[&str; 6]> = rows
            .iter()
            .map(|row| {
                let rpc = row.rpc.rsplit('/').next().unwrap_or_default();
                [rpc, &row.resource, &row.purpose, &row.decision, &row.outcome, &row.code]
            })
            .collect();
        let about = format!("forum_id={FORUM}");
        assert_eq!(
            told,
            [
                ["FoundForum", "tenant=19", "", "allowed", "done", ""],
                ["FoundForum", "tenant=19", "", "allowed", "refused", "forums.closed"],
                ["FoundForum", "tenant=21", "", "denied", "refused", "access.scope"],
                ["FoundForum", "tenant=19", "", "denied", "refused", "access.assurance"],
                ["ListSeatHolders", &about, "Meeting notice", "allowed", "admitted", ""],
            ]
        );
        let who = administrator.subject()?.to_string();
        assert_eq!((rows[0].actor.as_str(), rows[0].actor_kind.as_str()), (who.as_str(), "person"));
        assert_eq!((rows[0].tenant.as_str(), rows[4].tenant.as_str()), ("19", "19"));
        let everything = serde_json::to_string(&rows)?;
        assert!(!everything.contains(CANARY), "content is in the log: {everything}");
        fixture.running.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn sec_40_without_its_row_nothing_is_read() -> anyhow::Result<()> {
    for (fixture, url) in fixtures().await? {
        let (mut forums, secretary) = (fixture.forums(), secretary(&fixture)?);
        let intruder = sea_orm::Database::connect(&url).await?;
        let lock = if url.starts_with("sqlite") { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE audit_log" };
        let mut options = sea_orm::ConnectOptions::new(&url);
        options.max_connections(1);
        intruder.close().await?;
        let intruder = sea_orm::Database::connect(options).await?;
        intruder.execute_unprepared(lock).await?;
        // The handler panics if it is run, which is another code.
        let mut request = fixture.request(secretary.clone(), holders("panic"))?;
        request.set_timeout(std::time::Duration::from_millis(700));
        let status = refused(forums.list_seat_holders(request).await)?;
        assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
        intruder.execute_unprepared("ROLLBACK").await?;
        intruder.close().await?;
        // With the log everything is as usual; what nobody waited for any more may have its row by now.
        forums.list_seat_holders(fixture.request(secretary, holders("Meeting notice"))?).await?;
        assert_eq!(rows(&url).await?.last().map(|row| row.purpose.as_str()), Some("Meeting notice"));
        fixture.running.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn sec_42_auditors_see_their_county_people_themselves_and_looking_is_kept() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut forums = fixture.forums();
    let here = fixture.administrator("19")?;
    for (caller, tenant) in [(here.clone(), "19"), (fixture.administrator("21")?, "21"), (here.clone(), "19")]
    {
        forums.found_forum(fixture.request(caller, found(tenant, "Foorumi"))?).await?;
    }
    let mut audit = AuditServiceClient::new(fixture.channel.clone());
    let list = |tenant: &str| ListAuditEntriesRequest {
        service: "forums".to_owned(),
        tenant: tenant.to_owned(),
        after_seq: 0,
        page_size: 0,
        purpose: "Yearly check".to_owned(),
    };
    let seqs = |entries: &[AuditEntry]| entries.iter().map(|entry| entry.seq).collect::<Vec<u64>>();

    // Row 4 is this very look.
    let county = ScopeRef::Tenant(TenantId::new("19")?);
    let auditor = holder(&fixture, Role::Auditor, county)?;
    let page = audit.list_audit_entries(fixture.request(auditor.clone(), list("19"))?).await?.into_inner();
    assert_eq!((seqs(&page.entries), page.next_after_seq), (vec![1, 3, 4], 0));
    assert_eq!(page.entries[2].purpose, "Yearly check");
    for tenant in ["21", ""] {
        refused(audit.list_audit_entries(fixture.request(auditor.clone(), list(tenant))?).await)?;
    }
    refused(audit.list_audit_entries(fixture.request(here.clone(), list("19"))?).await)?;

    // Those of the deployment see the denials of before, too: 21, and the administrator. No county is no denial.
    let officer = holder(&fixture, Role::DataProtectionOfficer, ScopeRef::Cell)?;
    let page = audit.list_audit_entries(fixture.request(officer.clone(), list(""))?).await?.into_inner();
    let denied: Vec<&AuditEntry> = page.entries.iter().filter(|entry| entry.decision == "denied").collect();
    assert_eq!(denied.len(), 2, "{page:?}");
    assert_eq!(seqs(&page.entries), (1..=page.entries.len() as u64).collect::<Vec<u64>>());
    let two = ListAuditEntriesRequest { page_size: 2, after_seq: 1, ..list("") };
    let page = audit.list_audit_entries(fixture.request(officer.clone(), two)?).await?.into_inner();
    assert_eq!((seqs(&page.entries), page.next_after_seq), (vec![2, 3], 3));
    let page = audit.list_audit_entries(fixture.request(officer, list("21"))?).await?.into_inner();
    assert_eq!(seqs(&page.entries), [2]);

    // Their own: two forums and the denied look; no hashes.
    let own = ListOwnAuditEntriesRequest { service: "forums".to_owned(), after_seq: 0, page_size: 0 };
    let page = audit.list_own_audit_entries(fixture.request(here.clone(), own.clone())?).await?.into_inner();
    let rpcs: Vec<&str> = page.entries.iter().filter_map(|entry| entry.rpc.rsplit('/').next()).collect();
    assert_eq!(rpcs, ["FoundForum", "FoundForum", "ListAuditEntries"]);
    assert!(
        page.entries
            .iter()
            .all(|entry| entry.hash.is_empty() && entry.actor == here.subject().unwrap().to_string())
    );
    let holder_of_a_mandate = Caller { mode: kernel::ActingMode::OnBehalf, ..here };
    let status = refused(audit.list_own_audit_entries(fixture.request(holder_of_a_mandate, own)?).await)?;
    assert_eq!(reason(&status), "audit.own_only");
    fixture.running.stop().await;
    Ok(())
}

#[tokio::test]
async fn sec_40_what_an_operator_does_to_the_machinery_has_its_row_before_it_is_done() -> anyhow::Result<()> {
    let fixture = Fixture::start("demo = true").await?;
    let url = format!("sqlite://{}", fixture.folder.path().join("forums.sqlite").display());
    let operator = holder(&fixture, Role::Operator, ScopeRef::Cell)?;
    let now = Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 });
    let request = SetClockRequest { service: "forums".to_owned(), now };
    OperatorServiceClient::new(fixture.channel.clone())
        .set_clock(fixture.request(operator, request)?)
        .await?;
    let rows = rows(&url).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].actor_kind.as_str(), rows[0].outcome.as_str()), ("operator", "admitted"));
    assert!(rows[0].at_us < 1_800_000_000_000_000, "the log goes by real time");
    fixture.running.stop().await;
    Ok(())
}
