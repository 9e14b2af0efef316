//! The lots recomputed by another program, in another language, from nothing but what is published (F5).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use data_encoding::HEXLOWER;
use proto::forums::{ConstituencyResult, GetElectionResultRequest, GetElectionResultResponse};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use standalone::demo::Contest;

use crate::support::stream::Message;
use crate::support::world::World;

/// Runs `tests/lots.py` on the public result; and on results that were tampered with, which it must notice.
pub(super) async fn check(world: &World, contest: &Contest) {
    let request = GetElectionResultRequest { election_id: contest.election_id.clone() };
    let result =
        world.public().elections().get_election_result(request).await.expect("a result").into_inner();
    let result = as_json(&result);
    let output = recompute(&result);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim(), "lots hold in 139");

    let lots =
        result["constituencies"].as_array().expect("a list").iter().position(|one| !one["lots"].is_null());
    let lots = lots.expect("lots");
    for (what, pointer, value) in [
        ("the seed", "lots/seed", json!("0".repeat(64))),
        ("the commitment", "lots/commitment", json!("0".repeat(64))),
        ("the witness's number", "lots/witnessNumber", json!("1")),
        ("the seats left", "lots/seatsLeft", json!(2)),
        ("who has the seat", "electedCandidates", json!([])),
        ("the deputies", "deputyNumbers", json!([])),
    ] {
        let mut tampered = result.clone();
        let place = format!("/constituencies/{lots}/{pointer}");
        *tampered.pointer_mut(&place).expect("a field") = value;
        let changed = recompute(&tampered);
        // Another witness's number may by chance give the same order of two: then nothing is wrong but the number.
        let same_order = pointer == "lots/witnessNumber";
        assert!(same_order || !changed.status.success(), "{what} was tampered with unnoticed");
    }
    let mut tampered = result.clone();
    let order = tampered.pointer_mut(&format!("/constituencies/{lots}/lots/order")).expect("the order");
    order.as_array_mut().expect("a list").reverse();
    assert!(!recompute(&tampered).status.success(), "another order went unnoticed");
}

/// What the announcement told the world, before anybody could vote, is the hash of the seed that was revealed in the
/// end, and the key that the election board made.
pub(super) async fn check_announced(
    world: &World,
    messages: &[Message],
    contest: &Contest,
    board_public_key: &[u8],
) {
    let announced = messages.iter().find(|message| {
        message.kind() == "ElectionAnnounced" && message.text("election_id") == contest.election_id
    });
    let announced = announced.expect("it was announced");
    assert_eq!(announced.bytes("board_public_key"), board_public_key);
    let request = GetElectionResultRequest { election_id: contest.election_id.clone() };
    let result =
        world.public().elections().get_election_result(request).await.expect("a result").into_inner();
    let lots = result.constituencies.iter().find_map(|one| one.lots.as_ref()).expect("lots");
    let revealed = Sha256::digest(format!("osallisuus-lots-v1|commit|{}", lots.seed).as_bytes());
    assert_eq!(announced.text("lots_commitment"), HEXLOWER.encode(&revealed));
}

fn recompute(result: &Value) -> Output {
    let mut child = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("lots.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    child.stdin.take().expect("its input").write_all(result.to_string().as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

/// The answer in the JSON form of protobuf, as far as lots go.
fn as_json(result: &GetElectionResultResponse) -> Value {
    let election = result.election.as_ref().expect("the election");
    let constituencies: Vec<Value> = result.constituencies.iter().map(constituency).collect();
    json!({
        "election": { "electionId": election.election_id, "lotsCommitment": election.lots_commitment },
        "constituencies": constituencies,
    })
}

fn constituency(one: &ConstituencyResult) -> Value {
    let tally: Vec<Value> =
        one.tally.iter().map(|line| json!({ "number": line.number, "approvals": line.approvals })).collect();
    let elected: Vec<Value> =
        one.elected_candidates.iter().map(|candidate| json!({ "number": candidate.number })).collect();
    let lots = one.lots.as_ref().map(|lots| {
        json!({
            "commitment": lots.commitment,
            "seed": lots.seed,
            "witnessNumber": lots.witness_number,
            "order": lots.order,
            "seatsLeft": lots.seats_left,
        })
    });
    json!({
        "municipality": one.municipality,
        "seats": one.seats,
        "tally": tally,
        "electedCandidates": elected,
        "deputyNumbers": one.deputy_numbers,
        "lots": lots,
    })
}
