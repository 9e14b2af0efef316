//! The register file: all rows or none, and a second time nothing.

use kernel::{Fault, Role, ScopeRef, Subject};
use membership::domain::import::{COLUMNS, RawRow};
use proto::membership as pb;

use crate::roles::joint_forum;
use crate::support::{ENGINES, World, tenant};

/// A row from its cells, in the order of the columns.
fn row(line: u32, cells: &str) -> RawRow {
    let mut row = RawRow { line, ..RawRow::default() };
    for (cell, text) in row.cells.iter_mut().zip(cells.split(',')) {
        *cell = text.to_owned();
    }
    row
}

fn clients(count: u32) -> Vec<RawRow> {
    let cells = |number| {
        format!(
            "A-{number},Person {number},fi,,,link-{number},disability_services,139,Iin päivätoiminta,client_member"
        )
    };
    (0..count).map(|number| row(number + 2, &cells(number))).collect()
}

async fn import(world: &World, rows: Vec<RawRow>) -> Result<(u32, u32, u32), Fault> {
    import_by(world, importer(world).await, rows).await
}

/// The county's administrator.
async fn importer(world: &World) -> Subject {
    world.administrator("19").await.subject().unwrap()
}

async fn import_by(world: &World, by: Subject, rows: Vec<RawRow>) -> Result<(u32, u32, u32), Fault> {
    let answer = world.app.import(&world.command(), by, tenant("19"), rows).await?;
    Ok((answer.added, answer.updated, answer.unchanged))
}

/// Lines and columns found wrong by the check, which must be the same as those that refuse the import.
async fn wrong(world: &World, rows: Vec<RawRow>) -> Vec<(u32, String)> {
    wrong_by(world, importer(world).await, rows).await
}

async fn wrong_by(world: &World, by: Subject, rows: Vec<RawRow>) -> Vec<(u32, String)> {
    let before: i64 = world.value("SELECT count(*) FROM participant").await;
    let checked = world.app.check_import(by, tenant("19"), rows.clone()).await.unwrap().faults;
    let found: Vec<(u32, String)> = checked.into_iter().map(|fault| (fault.line, fault.column)).collect();
    let fault = import_by(world, by, rows).await.unwrap_err();
    assert_eq!(fault.code(), "membership.import_refused");
    assert_eq!(fault.fields().len(), found.len());
    assert_eq!(world.value::<i64>("SELECT count(*) FROM participant").await, before, "nothing was stored");
    found
}

#[tokio::test]
async fn a_second_import_adds_nothing() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        world.unit("19", "Iin päivätoiminta", "139").await;
        let by = importer(&world).await;
        let checked = world.app.check_import(by, tenant("19"), clients(12)).await.unwrap();
        assert!(checked.faults.is_empty());
        assert_eq!(world.value::<i64>("SELECT count(*) FROM participant").await, 1, "a check stores nothing");
        assert_eq!(world.value::<i64>("SELECT count(*) FROM job").await, 0);

        let command = world.command();
        let first = world.app.import(&command, by, tenant("19"), clients(12)).await.unwrap();
        assert_eq!((first.added, first.updated, first.unchanged), (12, 0, 0));
        let events: i64 = world.value("SELECT count(*) FROM event_log").await;
        assert_eq!(world.app.import(&command, by, tenant("19"), clients(12)).await.unwrap(), first);
        assert_eq!(import(&world, clients(12)).await.unwrap(), (0, 0, 12));
        assert_eq!(world.value::<i64>("SELECT count(*) FROM event_log").await, events);
        assert_eq!(world.value::<i64>("SELECT count(*) FROM attestation").await, 12);
        let buckets: Vec<_> = world
            .published::<pb::EligibleCountChanged>()
            .await
            .into_iter()
            .map(|event| event.bucket)
            .collect();
        assert_eq!(buckets, ["1–4", "5–9", "10–19"]);

        let mut changed = clients(12);
        changed[3].cells[1] = "New Name".to_owned();
        changed.push(row(20, "A-99,Newcomer"));
        assert_eq!(import(&world, changed).await.unwrap(), (1, 1, 11));
        world.close().await;
    }
}

#[tokio::test]
async fn every_fault_is_named_and_nothing_is_stored() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        world.unit("19", "Iin päivätoiminta", "139").await;
        let mut rows = clients(3);
        rows[1].cells[7] = "751".to_owned();
        rows[2].cells[8] = "No such unit".to_owned();
        rows.push(row(9, "A-0,Twice"));
        rows.push(row(10, ",,klingon"));
        let expected = [
            (3, "municipality"),
            (4, "unit"),
            (9, "register_key"),
            (10, "register_key"),
            (10, "display_name"),
            (10, "language"),
        ];
        assert_eq!(wrong(&world, rows).await, expected.map(|(line, column)| (line, column.to_owned())));
        assert_eq!(COLUMNS.len(), 10);
        world.close().await;
    }
}

#[tokio::test]
async fn links_join_two_counties_until_both_have_taken_part() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let fresh = world.person("21", "B-1", Some("link-1")).await;
        assert_eq!(import(&world, vec![row(2, "A-1,Aino,,,,LINK-1")]).await.unwrap(), (1, 0, 0));
        let people = "SELECT count(*) FROM person WHERE link_hash IS NOT NULL";
        assert_eq!(world.value::<i64>(people).await, 1);
        // One human is once in a county.
        assert_eq!(
            wrong(&world, vec![row(2, "A-2,Onni,,,,link-1")]).await,
            [(2, "identity_link".to_owned())]
        );
        // A link once set stays.
        assert_eq!(
            wrong(&world, vec![row(2, "A-1,Aino,,,,link-2")]).await,
            [(2, "identity_link".to_owned())]
        );

        // Without a link at first, known to services since: too late to be made one with another.
        let in_19 = world.person("19", "A-3", None).await;
        world.person("21", "B-3", Some("link-3")).await;
        let session = world.sign_in("19", in_19).await;
        world.token(&session, "forums").await.unwrap();
        let late = vec![row(2, "A-3,Person A-3,,,,link-3")];
        assert_eq!(wrong(&world, late).await, [(2, "identity_link".to_owned())]);
        // Not known to any service yet: they become one.
        world.person("19", "A-4", None).await;
        world.person("21", "B-4", Some("link-4")).await;
        assert_eq!(import(&world, vec![row(2, "A-4,Person A-4,,,,link-4")]).await.unwrap(), (0, 1, 0));
        let people = "SELECT count(DISTINCT person) FROM participant WHERE register_key IN ('A-4', 'B-4')";
        assert_eq!(world.value::<i64>(people).await, 1);
        let _ = fresh;
        world.close().await;
    }
}

#[tokio::test]
async fn f8_an_import_does_not_make_an_election_officer_staff() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        world.unit("19", "Iin päivätoiminta", "139").await;
        let officer = world.person("19", "A-1", None).await;
        let forum = joint_forum(&world).await;
        world.role("19", officer, Role::ElectionOfficer, ScopeRef::Forum(forum)).await.unwrap();
        let staff = vec![row(2, "A-1,Person A-1,,,,,,,Iin päivätoiminta,unit_staff")];
        assert_eq!(wrong(&world, staff).await, [(2, "role".to_owned())]);
        // Nor does it make one human of an officer and a member of staff.
        let second = world.person("19", "A-2", None).await;
        world.role("19", second, Role::ElectionOfficer, ScopeRef::Forum(forum)).await.unwrap();
        let simo = world.unit("21", "Simon päivätoiminta", "751").await;
        let other = world.person("21", "B-2", Some("link-2")).await;
        world.role("21", other, Role::UnitStaff, ScopeRef::Unit(simo)).await.unwrap();
        let linked = vec![row(2, "A-2,Person A-2,,,,link-2")];
        assert_eq!(wrong(&world, linked).await, [(2, "identity_link".to_owned())]);
        // Who has left stays away, whatever the register says.
        let session = world.sign_in("19", officer).await;
        world.app.leave(&world.command(), &world.caller(&session).await, None).await.unwrap();
        assert_eq!(import(&world, vec![row(2, "A-1,Person A-1")]).await.unwrap(), (0, 0, 1));
        world.close().await;
    }
}

#[tokio::test]
async fn m1_whoever_imports_the_register_does_not_attest_themselves() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        world.unit("19", "Iin päivätoiminta", "139").await;
        let own = world.person("19", "ADM-1", Some("own-link")).await;
        world.role("19", own, Role::Administrator, ScopeRef::Tenant(tenant("19"))).await.unwrap();
        let by = world.subject(&world.sign_in("19", own).await).await;
        let attested = |line, key: &str, link: &str| {
            row(line, &format!("{key},Person {key},,,,{link},disability_services,139,Iin päivätoiminta,"))
        };
        // Their own row is named, and the others are not stored either.
        let rows = vec![attested(2, "A-1", ""), attested(3, "ADM-1", ""), attested(4, "A-2", "")];
        assert_eq!(wrong_by(&world, by, rows.clone()).await, [(3, "group".to_owned())]);
        let fault = import_by(&world, by, rows.clone()).await.unwrap_err();
        assert_eq!(fault.fields()[0].field, "line 3, group");
        assert!(fault.fields()[0].rule.contains("nobody attests for themselves"), "{:?}", fault.fields());
        assert_eq!(world.value::<i64>("SELECT count(*) FROM attestation").await, 0);
        // A colleague may import it, and their own row without an attestation is theirs to import.
        assert_eq!(import_by(&world, by, vec![row(2, "ADM-1,Person ADM-1")]).await.unwrap(), (0, 0, 1));
        assert_eq!(import(&world, rows).await.unwrap(), (2, 1, 0));

        // Nor by way of the link, in the other county's register: neither at once nor one after the other.
        world.unit("21", "Simon päivätoiminta", "751").await;
        let in_21 = |key: &str, link: &str| {
            row(2, &format!("{key},Person {key},,,,{link},disability_services,751,Simon päivätoiminta,"))
        };
        let import_in_21 = async |rows| world.app.import(&world.command(), by, tenant("21"), rows).await;
        let at_once = import_in_21(vec![in_21("B-1", "own-link")]).await.unwrap_err();
        assert_eq!(at_once.fields()[0].field, "line 2, group");
        import_in_21(vec![in_21("B-2", "")]).await.unwrap();
        let later = import_in_21(vec![in_21("B-2", "own-link")]).await.unwrap_err();
        assert_eq!(later.fields()[0].field, "line 2, identity_link");
        world.close().await;
    }
}
