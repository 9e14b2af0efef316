//! Rules about the text of the project itself.

use super::{files, root};
use std::collections::BTreeSet;

#[test]
fn source_files_stay_under_500_lines() {
    for path in files(&root(), &[".rs", ".proto", ".py", ".md", ".sh"]) {
        let lines = std::fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= 500, "{} has {lines} lines: make it a folder", path.display());
    }
}

/// Ids like F3, M1, REL-20, S1.31 in a text.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')) {
        let word = word.trim_end_matches('.');
        let numbered = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        let invariant =
            word.strip_prefix(['F', 'M', 'X', 'P']).is_some_and(|rest| rest.len() <= 2 && numbered(rest));
        let seed = word.strip_prefix("S1.").or_else(|| word.strip_prefix("S2.")).is_some_and(numbered);
        let listed = ["REL-", "TST-", "SEC-", "BAL-", "OBS-"]
            .iter()
            .any(|prefix| word.strip_prefix(prefix).is_some_and(numbered));
        if invariant || seed || listed {
            found.insert(word.to_owned());
        }
    }
    found
}

#[test]
fn every_requirement_id_that_the_code_cites_is_in_the_docs() {
    let mut known = BTreeSet::new();
    for path in files(&root().join("docs"), &[".md"]) {
        known.extend(ids(&std::fs::read_to_string(path).expect("readable")));
    }
    for path in files(&root(), &[".rs", ".proto", ".toml", ".sh", ".conf"]) {
        for id in ids(&std::fs::read_to_string(&path).expect("readable")) {
            assert!(known.contains(&id), "{} cites {id}, which docs/ does not list", path.display());
        }
    }
}

#[test]
fn no_warning_is_silenced_without_a_reason_that_the_compiler_checks() {
    let forbidden = ["#[allow(", "#![allow("];
    for path in files(&root(), &[".rs"]) {
        if path.ends_with("it/architecture/text.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        for word in forbidden {
            assert!(!text.contains(word), "{} uses {word}: write #[expect(…, reason = …)]", path.display());
        }
    }
}
