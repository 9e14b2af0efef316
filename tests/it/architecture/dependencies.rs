//! Which crate may depend on which.

use super::root;
use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::BTreeSet;

const LIBS: &[&str] = &["kernel", "messaging", "chassis"];
const SERVICES: &[&str] = &["membership", "forums", "proposals", "partners", "reporting"];

/// Crates of ours that `name` may depend on outside of its tests.
fn allowed(name: &str) -> BTreeSet<&'static str> {
    let list: &[&[&str]] = match name {
        "kernel" | "proto" => &[],
        "messaging" => &[&["kernel", "proto"]],
        "chassis" => &[&["kernel", "messaging", "proto"]],
        "testkit" => &[LIBS, &["proto"]],
        "portal" => &[LIBS, &["proto"]],
        "standalone" => &[LIBS, SERVICES, &["proto", "portal"]],
        "tests" => &[LIBS, SERVICES, &["proto", "testkit", "standalone", "portal"]],
        service if SERVICES.contains(&service) => &[LIBS, &["proto"]],
        unknown => panic!("{unknown} is a new crate: say here what it may depend on"),
    };
    list.iter().flat_map(|names| names.iter().copied()).collect()
}

#[test]
fn crates_depend_only_on_what_their_place_allows() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    assert!(ours.contains("kernel") && ours.contains("forums"), "the workspace was not read");
    for package in &metadata.packages {
        let allowed = allowed(&package.name);
        for dependency in &package.dependencies {
            let test_only = dependency.kind == DependencyKind::Development;
            let testkit = test_only && dependency.name == "testkit";
            if !ours.contains(&dependency.name) || testkit {
                continue;
            }
            assert!(
                allowed.contains(dependency.name.as_str()),
                "{} must not depend on {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn testkit_is_for_tests_only() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata answers");
    for package in metadata.packages.iter().filter(|package| package.name.as_str() != "tests") {
        let ships = package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "testkit" && dependency.kind != DependencyKind::Development);
        assert!(!ships, "{} ships testkit", package.name);
    }
}
