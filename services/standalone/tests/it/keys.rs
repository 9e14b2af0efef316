//! The key pair of an election board.

use crate::program::User;

#[test]
fn a_board_key_is_made_once_and_only_its_public_half_is_printed() {
    let user = User::new();
    let made = user.runs(&["board-key", "board.key", "--output", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let public = made.json()["public_key"].as_str().unwrap().to_owned();
    assert_eq!(public.len(), 64);
    let content = std::fs::read_to_string(user.home().join("board.key")).unwrap();
    assert!(content.contains(&public));
    let private = content.lines().find_map(|line| line.strip_prefix("private_key = ")).unwrap();
    assert!(!made.out.contains(private.trim_matches('"')));

    let again = user.runs(&["board-key", "board.key"]);
    assert_eq!((again.code, again.out.as_str()), (5, ""));
    assert!(again.err.contains("never overwritten"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(user.home().join("board.key")).unwrap(), content);
}

#[test]
fn a_board_key_needs_a_folder_that_is_there() {
    let ended = User::new().runs(&["board-key", "nowhere/board.key"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("nowhere/board.key"), "{}", ended.err);
}
