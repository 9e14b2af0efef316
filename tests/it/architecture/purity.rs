//! Inside a service: the domain knows nothing but the kernel, and each file keeps to its place.

use super::{files, root};
use std::path::Path;

/// What the files of one place in a service must not name, by path from the service's `src`.
const RULES: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "async fn",
            ".await",
            "sea_orm",
            "tonic",
            "proto::",
            "async_nats",
            "tokio",
            "messaging::",
            "chassis::",
            "std::fs",
            "std::net",
            "std::env",
            "SystemTime",
            "Instant::now",
        ],
    ),
    ("store", &["tonic", "proto::", "async_nats", "chassis::"]),
    ("events", &["sea_orm", "tonic", "async_nats"]),
    ("convert", &["sea_orm", "async_nats"]),
    ("grpc", &["sea_orm", "async_nats", "crate::store"]),
];

/// The services of the workspace that own data.
fn services() -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(root().join("services")).expect("services/ is there");
    all.map(|entry| entry.expect("readable").path())
        .filter(|path| !["standalone", "portal"].iter().any(|other| path.ends_with(other)))
        .collect()
}

/// Source without comments and strings' content does not matter here: a comment may name anything.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("readable source");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Which of the words the code names.
fn names<'a>(code: &str, words: &[&'a str]) -> Vec<&'a str> {
    words.iter().filter(|word| code.contains(**word)).copied().collect()
}

#[test]
fn a_domain_that_reads_the_clock_or_the_database_would_be_found() {
    let (_, forbidden) = RULES.iter().find(|(place, _)| *place == "domain").expect("a rule for the domain");
    for impure in
        ["let now = Instant::now();", "use sea_orm::Entity;", "async fn decide() {}", "std::fs::read(x)"]
    {
        assert!(!names(impure, forbidden).is_empty(), "{impure} would go unnoticed");
    }
}

#[test]
fn each_layer_of_a_service_names_only_what_it_may() {
    let mut read = 0;
    for service in services() {
        for (place, forbidden) in RULES {
            let src = service.join("src");
            let mut found = files(&src.join(place), &[".rs"]);
            let single = src.join(format!("{place}.rs"));
            if single.exists() {
                found.push(single);
            }
            for path in found {
                read += 1;
                let code = code(&path);
                let named = names(&code, forbidden);
                assert!(named.is_empty(), "{} names {named:?}", path.display());
            }
        }
    }
    assert!(read >= 6, "only {read} files were read: the services' layout is not the agreed one");
}

#[test]
fn entities_do_not_leave_the_store() {
    for service in services() {
        for path in files(&service.join("src"), &[".rs"]) {
            if path.strip_prefix(service.join("src")).expect("below src").starts_with("store") {
                continue;
            }
            if path.ends_with("store.rs") {
                continue;
            }
            let code = code(&path);
            assert!(!code.contains("store::entity"), "{} reaches into the store's entities", path.display());
        }
    }
}

#[test]
fn main_is_one_statement() {
    for path in files(&root().join("services"), &["main.rs"]) {
        if !path.ends_with("src/main.rs") {
            continue;
        }
        let code = code(&path);
        let body = code.split("fn main()").nth(1).expect("a main function");
        let statements = body.lines().filter(|line| !matches!(line.trim(), "" | "}")).count();
        assert!(statements <= 2, "{}: a library does the work, main calls it", path.display());
    }
}
