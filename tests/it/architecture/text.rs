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

/// Ids like F3, M1, REL-20, S1.31 in a text, and those that names of tests begin with: f3_, rel_20_, s1_31_.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = text.split("fn ").skip(1).filter_map(id_of_test).collect();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')) {
        let word = word.trim_end_matches('.');
        let numbered = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        // F32 and F64 are numbers in the code of others.
        let invariant = !["F32", "F64"].contains(&word)
            && word.strip_prefix(['F', 'M', 'X', 'P']).is_some_and(|rest| rest.len() <= 2 && numbered(rest));
        let seed = word.strip_prefix("S1.").or_else(|| word.strip_prefix("S2.")).is_some_and(numbered);
        let listed = ["REL-", "TST-", "SEC-", "BAL-", "OBS-", "MAA-", "KIE-"]
            .iter()
            .any(|prefix| word.strip_prefix(prefix).is_some_and(numbered));
        if invariant || seed || listed {
            found.insert(word.to_owned());
        }
    }
    found
}

/// The id in the name of a function, if there is one.
fn id_of_test(name: &str) -> Option<String> {
    let mut words = name.split(['_', '(']);
    let first = words.next()?.to_ascii_uppercase();
    let number =
        || words.next().filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
    let mut number = number;
    match first.as_str() {
        "REL" | "TST" | "SEC" | "BAL" | "OBS" | "MAA" | "KIE" => Some(format!("{first}-{}", number()?)),
        "S1" | "S2" => Some(format!("{first}.{}", number()?)),
        _ => {
            let digits = first.strip_prefix(['F', 'M', 'X', 'P'])?;
            (matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then_some(first)
        }
    }
}

#[test]
fn requirement_ids_in_names_of_tests_are_read() {
    let text =
        "fn rel_20_again() {} async fn f3_once() {} fn s1_38_all() {} fn first_of_two() {} fn rel_() {}";
    let read: Vec<String> = ids(text).into_iter().collect();
    assert_eq!(read, ["F3", "REL-20", "S1.38"]);
}

#[test]
fn the_requirements_that_code_and_tests_cite_are_those_in_the_docs() {
    let text = |path: &std::path::Path| std::fs::read_to_string(path).expect("readable");
    let docs: String = files(&root().join("docs"), &[".md"]).iter().map(|path| text(path)).collect();
    let known = ids(&docs);
    let mut cited = BTreeSet::new();
    for path in files(&root(), &[".rs", ".proto", ".toml", ".sh", ".conf"]) {
        for id in ids(&text(&path)) {
            assert!(known.contains(&id), "{} cites {id}, which docs/ does not list", path.display());
            cited.insert(id);
        }
    }
    let requirements = ids(&text(&root().join("docs/requirements.md")));
    let idle: Vec<&String> = requirements.difference(&cited).collect();
    assert!(idle.is_empty(), "docs/requirements.md lists {idle:?}, which nothing cites");
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
