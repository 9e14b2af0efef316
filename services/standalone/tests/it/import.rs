//! A file with faults is refused as a whole, before anything is sent.

use crate::program::User;

/// Nothing listens there: whoever tried to send would fail with 4.
const NOBODY: &str = "http://127.0.0.1:1";

fn signed_in() -> User {
    User::new().with("OSALLISUUS_SESSION", "secret").with("OSALLISUUS_SERVER", NOBODY)
}

#[test]
fn a_malformed_file_is_refused_with_line_column_and_reason_and_nothing_is_sent() {
    let user = signed_in();
    let file = user.file(
        "register.csv",
        "register_key,display_name,group,municipality,unit\n\
         A1,Aino Aalto,disability_services,139,Iin päivätoiminta\n\
         A1,,disability_services,9,\n\
         A3,too,few\n",
    );
    let ended = user.runs(&["import", file.to_str().unwrap(), "--tenant", "19"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    insta::assert_snapshot!("malformed", ended.err.replace(user.home().to_str().unwrap(), "~"));
}

#[test]
fn faults_are_json_as_well() {
    let user = signed_in();
    let file = user.file("register.csv", "register_key,name\nA1,Aino\n");
    let ended = user.runs(&["import", file.to_str().unwrap(), "--tenant", "19", "--output", "json"]);
    assert_eq!(ended.code, 1);
    let error = &ended.error_json()["error"];
    assert_eq!(error["details"].as_array().unwrap().len(), 2);
}

#[test]
fn a_file_that_is_not_there_or_not_csv_is_named() {
    let user = signed_in();
    let missing = user.runs(&["import", "nothing.csv", "--tenant", "19"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("nothing.csv"), "{}", missing.err);
    let file = user.file("picture.csv", [0x89, b'P', b'N', b'G', 0, 0xff]);
    let picture = user.runs(&["import", file.to_str().unwrap(), "--tenant", "19"]);
    assert_eq!(picture.code, 1);
    assert!(picture.err.contains("UTF-8"), "{}", picture.err);
}

#[test]
fn a_good_file_is_sent_which_needs_a_system() {
    let user = signed_in();
    let file = user.file("register.csv", "register_key,display_name\nA1,Aino Aalto\n");
    let ended = user.runs(&["import", file.to_str().unwrap(), "--tenant", "19"]);
    assert_eq!(ended.code, 4, "{}", ended.err);
}
