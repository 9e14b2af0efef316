//! The audit log through the commands: read, exported, checked, and found to be rewritten (SEC-41, SEC-42).

use std::path::Path;

use data_encoding::HEXLOWER;
use messaging::audit::Row;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use crate::program::{Ended, User};
use crate::up::{expect, up, user_with_folder};

/// What the check found about the log of membership.
fn membership(ended: &Ended, what: &str) -> Value {
    let checked = ended.json();
    let found = checked
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["service"] == "membership" && one["what"] == what);
    found.unwrap_or_else(|| panic!("no {what} of membership: {}", ended.out)).clone()
}

/// Does this to the database of membership in a folder, as somebody who owns it.
pub(crate) async fn tamper(folder: &Path, statements: &[String]) {
    let url = format!("sqlite://{}", folder.join("membership.sqlite").display());
    let connection = sea_orm::Database::connect(url).await.expect("a database");
    for statement in statements {
        connection.execute_unprepared(statement).await.expect("the owner may");
    }
    connection.close().await.expect("closed");
}

fn copy(user: &User, name: &str) -> std::path::PathBuf {
    let (from, to) = (user.home().join("here"), user.home().join(name));
    std::fs::create_dir(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a file");
        if entry.file_type().expect("a kind").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
    to
}

const NO_GUARDS: [&str; 3] = [
    "DROP TRIGGER audit_log_no_update",
    "DROP TRIGGER audit_log_no_delete",
    "DROP TRIGGER audit_log_no_replace",
];

#[tokio::test]
async fn sec_41_a_log_is_exported_and_checked_and_a_rewritten_one_is_found_by_the_export() {
    let (user, code) = user_with_folder();
    let (going, address) = up(&user);
    let user = user.with("OSALLISUUS_SERVER", address);
    let entering = ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19"];
    expect(&user.runs_with(&entering, &format!("{code}\n")), 0);

    // An administrator is no auditor; that they tried is in their own extract.
    for purpose in ["Looking around", "Looking around again"] {
        let denied =
            user.runs(&["audit", "list", "--tenant", "19", "--service", "membership", "--purpose", purpose]);
        expect(&denied, 5);
    }
    let own = user.runs(&["audit", "own", "--output", "json"]);
    expect(&own, 0);
    let own = own.json();
    let rows = own.as_array().expect("a list");
    assert_eq!(rows.len(), 2, "{own}");
    let about = (&rows[0]["decision"], &rows[0]["code"], &rows[0]["resource"]);
    assert_eq!(about, (&"denied".into(), &"access.scope".into(), &"tenant=19".into()));

    // Beside the running system.
    let exported = user.runs(&["audit", "export", "--data", "here"]);
    expect(&exported, 0);
    let file = user.file("audit.jsonl", &exported.out);
    let file = file.to_str().expect("a name");
    let lines: Vec<Row> =
        exported.out.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let lines: Vec<Row> = lines.into_iter().filter(|row| row.service == "membership").collect();
    assert!(lines.len() >= 3, "{}", exported.out);
    let rest = user.runs(&["audit", "export", "--data", "here", "--service", "membership", "--after", "1"]);
    assert_eq!(rest.out.lines().count(), lines.len() - 1);
    for arguments in
        [&["audit", "verify", "--data", "here"][..], &["audit", "verify", "--data", "here", "--file", file]]
    {
        let ended = user.runs(&[arguments, &["--output", "json"]].concat());
        expect(&ended, 0);
        assert_eq!(membership(&ended, "database")["head"], lines.len());
    }
    assert_eq!(going.stop(), Some(0));

    // A row is changed: the chain tells.
    let changed = copy(&user, "changed");
    let no_guards: Vec<String> = NO_GUARDS.map(str::to_owned).to_vec();
    tamper(
        &changed,
        &[&no_guards[..], &["UPDATE audit_log SET code = '' WHERE seq = 2".to_owned()]].concat(),
    )
    .await;
    let ended = user.runs(&["audit", "verify", "--data", "changed", "--output", "json"]);
    expect(&ended, 1);
    let found = membership(&ended, "database");
    assert_eq!((&found["broken_seq"], &found["broken"]), (&2.into(), &"altered".into()));
    let said = user.runs(&["audit", "verify", "--data", "changed"]).out;
    assert!(said.contains("membership, database: BROKEN, row 2 is not what was written"), "{said}");

    // The chain is made anew from there: the copy outside tells.
    let rewritten = copy(&user, "rewritten");
    let mut statements = no_guards.clone();
    let mut last = lines[0].hash.clone();
    for row in &lines[1..] {
        let row = Row { actor: "somebody else".to_owned(), prev_hash: last, ..row.clone() };
        last = row.computed_hash();
        statements.push(format!(
            "UPDATE audit_log SET actor = 'somebody else', prev_hash = x'{}', hash = x'{}' WHERE seq = {}",
            HEXLOWER.encode(&row.prev_hash),
            HEXLOWER.encode(&last),
            row.seq
        ));
    }
    tamper(&rewritten, &statements).await;
    expect(&user.runs(&["audit", "verify", "--data", "rewritten"]), 0);
    let ended = user.runs(&["audit", "verify", "--data", "rewritten", "--file", file, "--output", "json"]);
    expect(&ended, 1);
    let found = membership(&ended, "database");
    assert_eq!((&found["broken_seq"], &found["broken"]), (&2.into(), &"differs".into()));

    // The end is cut off: so does it.
    let cut = copy(&user, "cut");
    let delete = format!("DELETE FROM audit_log WHERE seq = {}", lines.len());
    tamper(&cut, &[&no_guards[..], &[delete]].concat()).await;
    expect(&user.runs(&["audit", "verify", "--data", "cut"]), 0);
    let ended = user.runs(&["audit", "verify", "--data", "cut", "--file", file, "--output", "json"]);
    expect(&ended, 1);
    assert_eq!(membership(&ended, "database")["broken_seq"], lines.len());

    // The export itself, elsewhere.
    let alone = ["audit", "verify", "--alone", "--service", "membership", "--output", "json", "--file"];
    let ended = user.runs(&[&alone[..], &[file]].concat());
    expect(&ended, 0);
    assert_eq!(ended.json().as_array().map(Vec::len), Some(1));
    let left_out: String = lines
        .iter()
        .filter(|row| row.seq != 2)
        .map(|row| serde_json::to_string(row).expect("a line") + "\n")
        .collect();
    let file = user.file("left-out.jsonl", left_out);
    let ended = user.runs(&[&alone[..], &[file.to_str().expect("a name")]].concat());
    expect(&ended, 1);
    assert_eq!(membership(&ended, "file")["broken_seq"], 2);
    let file = user.file("no-export.jsonl", "{}\n");
    let ended = user.runs(&["audit", "verify", "--alone", "--file", file.to_str().expect("a name")]);
    expect(&ended, 1);
    assert!(ended.err.contains("line 1"), "{}", ended.err);
}

#[test]
fn tiha_12_rows_are_deleted_after_five_years_or_in_a_demonstration_and_verify_knows_it() {
    let (user, code) = user_with_folder();
    let (going, address) = up(&user);
    let user = user.with("OSALLISUUS_SERVER", address);
    let entering = ["sign-in", "--setup-code", "--name", "Aino Aalto", "--tenant", "19"];
    expect(&user.runs_with(&entering, &format!("{code}\n")), 0);
    for purpose in ["Looking around", "Looking around again"] {
        let denied =
            user.runs(&["audit", "list", "--tenant", "19", "--service", "membership", "--purpose", purpose]);
        expect(&denied, 5);
    }
    let exported = user.runs(&["audit", "export", "--data", "here"]);
    let file = user.file("audit.jsonl", &exported.out);
    let file = file.to_str().expect("a name");
    let rows = exported.out.lines().filter(|line| line.contains("\"service\":\"membership\"")).count() as u64;

    let prune = |before: &str| {
        ["audit", "prune", "--data", "here", "--output", "json", "--before", before].map(str::to_owned)
    };
    let pruned = |user: &User, before: &str| {
        let arguments = prune(before);
        user.runs(&arguments.each_ref().map(String::as_str))
    };
    let early = pruned(&user, "2026-01-01");
    expect(&early, 5);
    assert!(early.err.contains("five years"), "{}", early.err);
    let nothing = pruned(&user, "2020-01-01");
    expect(&nothing, 0);
    assert_eq!((&nothing.json()[0]["rows"], &nothing.json()[0]["kept_from"]), (&0.into(), &1.into()));
    expect(&user.runs(&["audit", "prune", "--data", "here", "--before", "yesterday"]), 2);

    // Of a demonstration everything but the last row may go, beside the running system.
    let user = user.with("OSALLISUUS_DEMO", "true");
    let done = pruned(&user, "2100-01-01");
    expect(&done, 0);
    let of_membership = &done.json()[0];
    assert_eq!((&of_membership["rows"], &of_membership["kept_from"]), (&(rows - 1).into(), &rows.into()));
    let denied =
        ["audit", "list", "--tenant", "19", "--service", "membership", "--purpose", "Looking once more"];
    expect(&user.runs(&denied), 5);
    for arguments in
        [&["audit", "verify", "--data", "here"][..], &["audit", "verify", "--data", "here", "--file", file]]
    {
        let ended = user.runs(&[arguments, &["--output", "json"]].concat());
        expect(&ended, 0);
        assert_eq!(membership(&ended, "database")["head"], rows + 2);
    }
    // A copy whose last row is another than the first that is kept follows does not agree.
    let forged: String = exported
        .out
        .lines()
        .map(|line| {
            let mut row: Row = serde_json::from_str(line).expect("a row");
            if row.service == "membership" && row.seq == rows - 1 {
                row.hash = vec![7; 32];
            }
            serde_json::to_string(&row).expect("a line") + "\n"
        })
        .collect();
    let forged = user.file("forged.jsonl", forged);
    let ended = user.runs(&[
        "audit",
        "verify",
        "--data",
        "here",
        "--output",
        "json",
        "--file",
        forged.to_str().expect("a name"),
    ]);
    expect(&ended, 1);
    assert_eq!(membership(&ended, "database")["broken"], "differs");
    assert_eq!(going.stop(), Some(0));
}

#[test]
fn a_service_or_database_that_is_not_there_is_named() {
    let user = User::new();
    let ended = user.runs(&["audit", "export", "--service", "nothing"]);
    expect(&ended, 2);
    assert!(ended.err.contains("membership"), "{}", ended.err);
    let ended = user.runs(&["audit", "verify"]);
    expect(&ended, 4);
    assert!(ended.err.contains("osallisuus doctor"), "{}", ended.err);
}
