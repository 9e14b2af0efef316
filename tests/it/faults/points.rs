//! The matrix's list of points is the source's, and builds that are installed have none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tests::matrix::points::{COMMANDS, POINTS};

/// The one function that can kill.
const FUNCTION: &str = "libs/messaging/src/crash.rs";
/// The one clock that can be told to be wrong.
const CLOCK: &str = "libs/kernel/src/clock.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// All Rust files of what is installed.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn tst_03_every_point_of_the_source_is_in_the_matrix_and_the_other_way_round() {
    let mut files = Vec::new();
    for part in ["libs", "services"] {
        for one in std::fs::read_dir(root().join(part)).expect("a folder") {
            sources(&one.expect("an entry").path().join("src"), &mut files);
        }
    }
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|file| !file.ends_with(FUNCTION)) {
        let text = std::fs::read_to_string(file).expect("readable");
        let calls = ["crash::point(", "crash::hold("].map(|call| text.split(call).skip(1));
        for call in calls.into_iter().flatten() {
            let name = call.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            let (name, _) =
                name.unwrap_or_else(|| panic!("{}: a point without a plain name", file.display()));
            // Two ways to the same moment lie side by side.
            let other = found.insert(name.to_owned(), file).filter(|other| *other != file);
            assert!(other.is_none(), "{} and {other:?} both have {name}", file.display());
        }
    }
    assert!(found.contains_key("writer.after_commit"), "the source was not read");
    let names = POINTS.iter().map(|point| point.name).chain(COMMANDS.iter().copied());
    let listed: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), listed);
    assert_eq!(listed.len(), POINTS.len() + COMMANDS.len(), "a point is listed twice");
}

#[test]
fn a_build_without_debug_assertions_has_no_points() {
    let text = std::fs::read_to_string(root().join(FUNCTION)).expect("readable");
    let (function, module) =
        text.split_once("\n#[cfg(debug_assertions)]\nmod armed {").expect("a gated module");
    assert!(
        function.contains("    #[cfg(debug_assertions)]\n    armed::pass(name);"),
        "the call is gated too"
    );
    let body = function.split_once("pub fn point").expect("the function").1;
    assert!(!body.contains("fail::") && !body.contains("kill"), "all that kills is in the gated module");
    assert!(module.contains("fail::eval") && module.trim_end().ends_with('}'), "the module was not read");
    let clock = std::fs::read_to_string(root().join(CLOCK)).expect("readable");
    let (before, wrong) =
        clock.split_once("\n#[cfg(debug_assertions)]\nmod wrong {").expect("a gated module");
    assert!(wrong.contains("\"CLOCK_FAULT\"") && !before.contains("\"CLOCK_FAULT\""));
    assert!(before.contains("        #[cfg(debug_assertions)]\n        let now = wrong::as_told(now);"));
    // Nobody else asks for them, and every build has what its profile says.
    let mut files = Vec::new();
    for part in ["libs", "services"] {
        sources(&root().join(part), &mut files);
    }
    for file in files.iter().filter(|file| !file.ends_with(FUNCTION) && !file.ends_with(CLOCK)) {
        let text = std::fs::read_to_string(file).expect("readable");
        for of_tests in ["fail::", "\"FAILPOINTS", "\"CLOCK_FAULT"] {
            assert!(!text.contains(of_tests), "{} has {of_tests}", file.display());
        }
    }
    for file in ["Cargo.toml", ".cargo/config.toml"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let text = text.replace('_', "-");
        assert!(!text.contains("debug-assertions"), "{file}: profiles leave debug assertions as they are");
    }
}
