//! Scenario 1: the Oulunkaari forum is elected, by its numbers.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use prost::Message as _;
use proto::forums as pb;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use forums::domain::lots::WitnessNumber;
use kernel::ElectionId;

use crate::support::{ballots, blobs, texts};
use crate::world::{DATES, Person, Place, Store, World, municipality, places};

#[tokio::test]
async fn scenario_1_on_sqlite() {
    scenario_1(Store::Sqlite).await;
}

#[tokio::test]
async fn scenario_1_on_postgres() {
    scenario_1(Store::Postgres).await;
}

async fn scenario_1(store: Store) {
    let world = World::new(store, places()).await;
    let election = world.announce(DATES, false).await;
    world.freeze_roll(election).await;
    stand_everywhere(&world, election).await;
    world.on("2026-03-21");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    world.on("2026-04-13");
    world.app.open_voting(&world.officer(0), election).await.unwrap();
    for (place, people) in world.places.iter().zip(&world.people) {
        vote(&world, election, place, people, &ballots(&place.approvals, place.ballots.max(1))).await;
    }
    world.on("2026-04-20");
    world.app.close_voting(&world.officer(0), election).await.unwrap();
    let counted = world.count(election).await.unwrap().election.unwrap();
    assert_eq!(counted.state(), pb::ElectionState::TieByLot);
    let ties: Vec<&str> = counted
        .constituencies
        .iter()
        .filter(|one| one.tie_open)
        .map(|one| one.municipality.as_str())
        .collect();
    assert_eq!(ties, ["139"]);
    draw_lots(&world, election).await;
    let confirmed = world.app.confirm_result(&world.officer(0), election).await.unwrap().election.unwrap();
    assert_eq!(confirmed.state(), pb::ElectionState::Confirmed);

    let result = world.app.get_election_result(election).await.unwrap();
    check_result(&result);
    check_lots_with_python(&result);
    check_events(&world).await;
    check_announced(&world, &result).await;
    supplementary(&world, election).await;
}

/// Everybody who stands: the first of each municipality, as "<code> <index>"; every second one agrees to be named.
async fn stand_everywhere(world: &World, election: ElectionId) {
    for (place, people) in world.places.iter().zip(&world.people) {
        for (index, person) in people.iter().take(place.candidates).enumerate() {
            world.stand(person, election, &format!("{} {index}", place.code), index % 2 == 0).await;
        }
    }
}

async fn vote(world: &World, election: ElectionId, place: &Place, people: &[Person], ballots: &[Vec<usize>]) {
    if place.ballots == 0 {
        return;
    }
    let paper = world.app.get_ballot_paper(&world.voter(&people[0], election), world.forum).await.unwrap();
    assert_eq!((paper.municipality.as_str(), paper.max_approvals), (place.code, place.seats));
    let numbers: HashMap<String, u32> =
        paper.candidates.into_iter().map(|one| (one.ballot_name, one.number)).collect();
    for (person, ballot) in people.iter().rev().zip(ballots) {
        let approvals: Vec<u32> =
            ballot.iter().map(|candidate| numbers[&format!("{} {candidate}", place.code)]).collect();
        world.cast(person, election, &approvals).await.unwrap();
    }
}

async fn draw_lots(world: &World, election: ElectionId) {
    let (ii, number) = (municipality("139"), WitnessNumber::new("4163").unwrap());
    world.app.witness_lots(&world.officer(2), election, ii, number).await.unwrap();
    let drawn = world.app.draw_lots(&world.officer(0), election, ii).await.unwrap();
    assert_eq!(drawn.lots.unwrap().order.len(), 2);
    assert_eq!(drawn.election.unwrap().state(), pb::ElectionState::Counted);
}

fn check_result(result: &pb::GetElectionResultResponse) {
    assert_eq!((result.seats_filled, result.seats_total), (27, 28));
    assert_eq!(result.seats_filled_bp, 9643, "K1 = 96.43 %");
    assert_eq!(result.turnout_bp, 8300, "K2 = 83.00 %");
    let of: BTreeMap<&str, &pb::ConstituencyResult> =
        result.constituencies.iter().map(|one| (one.municipality.as_str(), one)).collect();
    let row = |code: &str| {
        let one = of[code];
        (one.seats, one.eligible, one.candidates, one.ballots, one.elected, one.deputies, one.vacant)
    };
    assert_eq!(row("139"), (8, 46, 12, 39, 8, 4, 0));
    assert_eq!(row("615"), (8, 41, 9, 33, 8, 1, 0));
    assert_eq!(row("889"), (4, 13, 6, 11, 4, 2, 0));
    assert_eq!(row("785"), (4, 15, 4, 0, 4, 0, 0));
    assert_eq!(row("751"), (4, 12, 3, 0, 3, 0, 1));
    assert_eq!([of["139"].turnout_bp, of["615"].turnout_bp, of["889"].turnout_bp], [8478, 8049, 8462]);
    assert!(of["785"].uncontested && of["751"].uncontested);
    assert_eq!(of["751"].supplementary_due_on, "2026-06-22", "Monday after Midsummer");

    let approvals = |code: &str| of[code].tally.iter().map(|line| line.approvals).collect::<Vec<u32>>();
    assert_eq!(approvals("139"), [31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6]);
    assert_eq!(approvals("615"), [28, 26, 25, 23, 21, 18, 17, 14, 9]);
    assert!(of["889"].tally_suppressed, "F7: 11 ballots");
    assert!(of["889"].tally.is_empty() && of["889"].deputy_numbers.is_empty());
    assert_eq!(of["889"].elected_candidates.len(), 4);
    let lots = of["139"].lots.as_ref().unwrap();
    assert_eq!((lots.order.len(), lots.seats_left), (2, 1));
    assert_eq!(of["139"].deputy_numbers[0], lots.order[1], "the loser of the lots is the first deputy");
    for one in &result.constituencies {
        for elected in &one.elected_candidates {
            let agreed = elected.name.split(' ').nth(1).map(|index| index.parse::<u32>().unwrap() % 2 == 0);
            assert_ne!(agreed, Some(false), "a name is public only with consent");
        }
    }
}

/// The independent script sees nothing but what GetElectionResult tells.
fn check_lots_with_python(result: &pb::GetElectionResultResponse) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/lots.py");
    let text = as_json(result).to_string();
    assert!(run_script(script, &text), "the published result proves itself");
    let lots = result.constituencies.iter().find_map(|one| one.lots.as_ref()).unwrap();
    let swapped = text.replace(
        &format!("[{},{}]", lots.order[0], lots.order[1]),
        &format!("[{},{}]", lots.order[1], lots.order[0]),
    );
    assert!(!run_script(script, &swapped), "a swapped order is found out");
    let other_seed = text.replace(&lots.seed, &"0".repeat(64));
    assert!(!run_script(script, &other_seed), "a seed without its commitment is found out");
}

fn run_script(script: &str, json: &str) -> bool {
    use std::io::Write as _;
    let mut python =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(json.as_bytes()).unwrap();
    python.wait().unwrap().success()
}

/// The result as a client prints it (protobuf's JSON names), as far as the lots need it.
fn as_json(result: &pb::GetElectionResultResponse) -> serde_json::Value {
    let lots = |lots: &pb::Lots| {
        json!({
            "municipality": lots.municipality, "commitment": lots.commitment, "seed": lots.seed,
            "witnessNumber": lots.witness_number, "order": lots.order, "seatsLeft": lots.seats_left,
        })
    };
    let tally = |line: &pb::CandidateTally| json!({"number": line.number, "approvals": line.approvals});
    let constituency = |one: &pb::ConstituencyResult| {
        json!({
            "municipality": one.municipality, "seats": one.seats, "tallySuppressed": one.tally_suppressed,
            "tally": one.tally.iter().map(tally).collect::<Vec<_>>(),
            "lots": one.lots.as_ref().map(lots),
            "electedCandidates": one.elected_candidates.iter()
                .map(|elected| json!({"seatNo": elected.seat_no, "number": elected.number})).collect::<Vec<_>>(),
            "deputyNumbers": one.deputy_numbers,
        })
    };
    let election = result.election.as_ref().unwrap();
    json!({
        "election": {"electionId": election.election_id, "lotsCommitment": election.lots_commitment},
        "constituencies": result.constituencies.iter().map(constituency).collect::<Vec<_>>(),
    })
}

async fn check_events(world: &World) {
    let types = texts(&world.database, "SELECT event_type FROM event_log").await;
    let count = |name: &str| types.iter().filter(|one| one.ends_with(&format!(".{name}"))).count();
    assert_eq!(count("SeatFilled"), 27);
    assert_eq!(count("LotsDrawn"), 1);
    assert_eq!(count("VotingClosed"), 3);
    assert_eq!(count("ElectionConfirmed"), 1);
    assert_eq!(count("SupplementaryElectionCalled"), 1);
    let payloads = blobs(&world.database, "SELECT payload FROM event_log").await;
    for person in world.people.iter().flatten() {
        let reference = person.subject.to_string();
        let raw = person.subject.as_uuid();
        for payload in &payloads {
            assert!(!contains(payload, reference.as_bytes()) && !contains(payload, raw.as_bytes()), "SEC-31");
        }
    }
}

/// The announcement fixed the seed, by its hash, and the key to which ballots were sealed.
async fn check_announced(world: &World, result: &pb::GetElectionResultResponse) {
    let announced =
        "SELECT payload FROM event_log WHERE event_type = 'osallisuus.forums.v1.ElectionAnnounced'";
    let announced = blobs(&world.database, announced).await;
    let [announced] = &announced[..] else { panic!("one election is announced") };
    let announced = pb::ElectionAnnounced::decode(announced.as_slice()).unwrap();
    assert_eq!(announced.board_public_key, world.board_public);
    let lots = result.constituencies.iter().find_map(|one| one.lots.as_ref()).unwrap();
    let revealed = Sha256::digest(format!("osallisuus-lots-v1|commit|{}", lots.seed).as_bytes());
    assert_eq!(announced.lots_commitment, HEXLOWER.encode(&revealed));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Two candidates for Simo's empty seat, 4.–15.5.2026.
async fn supplementary(world: &World, first: ElectionId) {
    world.on("2026-04-21");
    let election = world.announce(["2026-04-21", "2026-04-28", "2026-05-04", "2026-05-15"], true).await;
    let state = world.state(election).await;
    assert!(state.supplementary);
    assert_eq!((state.constituencies.len(), state.constituencies[0].seats), (1, 1));
    world.freeze_roll(election).await;
    let simo = &world.people[4];
    let seated = world.nominate(&simo[0], election, municipality("751")).await.unwrap_err();
    assert_eq!(seated.code(), "forums.already_seated", "F2");
    for person in &simo[3..5] {
        world.stand(person, election, "Simo", true).await;
    }
    world.on("2026-04-29");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    world.on("2026-05-04");
    world.app.open_voting(&world.officer(0), election).await.unwrap();
    for (index, person) in simo.iter().take(10).enumerate() {
        world.cast(person, election, &[if index < 7 { 1 } else { 2 }]).await.unwrap();
    }
    world.on("2026-05-16");
    world.app.close_voting(&world.officer(0), election).await.unwrap();
    assert_eq!(world.count(election).await.unwrap().election.unwrap().state(), pb::ElectionState::Counted);
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let result = world.app.get_election_result(election).await.unwrap();
    assert_eq!((result.seats_filled, result.seats_filled_bp, result.turnout_bp), (28, 10_000, 8333));
    assert!(result.constituencies[0].tally_suppressed);
    let before = world.app.get_election_result(first).await.unwrap();
    assert_eq!(before.seats_filled, 27, "the first result stays what it was");
    let seats = world.app.list_seats(world.forum).await.unwrap().seats;
    assert!(
        seats
            .iter()
            .all(|seat| seat.state() == pb::SeatState::Filled && seat.supplementary_due_on.is_empty())
    );
}
