//! A register file of more rows than are sent at a time: what is stored when it has a fault, and when it breaks off.

use std::fmt::Write as _;
use std::path::Path;

use kernel::{TenantId, deadline};
use proto::membership::{ListParticipantsRequest, RegisterServiceUnitRequest};
use standalone::demo::Play;
use standalone::register::{Imported, Register};
use testkit::system::Store;

use super::begin;
use crate::support::world::World;

/// Rows of the file: the second part begins after the hundredth.
const ROWS: usize = 150;

/// The file, with one row of another unit.
fn register(other_unit: Option<usize>) -> Register {
    let mut csv = "register_key,display_name,group,municipality,unit\n".to_owned();
    for row in 1..=ROWS {
        let unit = if other_unit == Some(row) { "Tuntematon yksikkö" } else { "Iin päivätoiminta" };
        writeln!(csv, "A-{row},Henkilö {row},disability_services,139,{unit}").expect("text");
    }
    let county = TenantId::new("19").expect("a county");
    let today = deadline::parse_date("2026-02-16").expect("a day");
    Register::parse(csv.as_bytes(), county, today).expect("no fault that the client sees")
}

async fn send(play: &Play, register: &Register) -> Result<Imported, standalone::exit::Failure> {
    register.send(&play.administrator, "19", Path::new("register.csv"), |_| ()).await
}

/// How many people with a register key of the file are in the county's register.
async fn people(play: &Play) -> usize {
    let (mut found, mut page_token) = (0, String::new());
    loop {
        let request = ListParticipantsRequest {
            tenant: "19".to_owned(),
            purpose: "Counting what was imported".to_owned(),
            page_size: 200,
            page_token,
            ..Default::default()
        };
        let answer = play.administrator.participants().list_participants(request).await;
        let page = answer.expect("people").into_inner();
        found += page.participants.iter().filter(|one| one.display_name.starts_with("Henkilö ")).count();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_beyond_the_first_part_stores_nothing_and_a_broken_import_is_gone_on_with() {
    let world = World::start(Store::Sqlite, &["19"]).await;
    let play = begin(&world).await;
    let unit = RegisterServiceUnitRequest {
        tenant: "19".to_owned(),
        name: "Iin päivätoiminta".to_owned(),
        kind: 2,
        municipality: "139".to_owned(),
    };
    play.administrator.tenancy().register_service_unit(unit).await.expect("a unit");
    play.administrator.forget_tokens().await;

    let refused = send(&play, &register(Some(140))).await.expect_err("a unit that is not there");
    let told = format!("{refused:?}");
    // The first line names the columns.
    assert!(told.contains("line 141, column unit"), "{told}");
    assert_eq!(people(&play).await, 0, "nothing of the first part either");

    // Somebody pulls the plug after the first part.
    let whole = register(None);
    let first = Register { rows: whole.rows[..100].to_vec() };
    let imported = send(&play, &first).await.expect("imported");
    assert_eq!((imported.added, people(&play).await), (100, 100));
    let again = send(&play, &whole).await.expect("imported");
    assert_eq!((again.rows, again.added, again.updated, again.unchanged), (ROWS, 50, 0, 100));
    assert_eq!(people(&play).await, ROWS);
    world.finish().await;
}
