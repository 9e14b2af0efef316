//! Saying which checks could not be made on this machine. A test that cannot run passes all the same, and what a passing
//! test prints nobody sees.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// Names the file that [`not_run`] writes to. Without it that is `not-run.txt` in the target folder.
/// Not named `OSALLISUUS_…`: those are settings of the programs under test, which refuse unknown ones.
const FILE_VARIABLE: &str = "TESTKIT_NOT_RUN";

/// Notes that a check could not be made here, and what is missing; `infra/test` prints all notes at its end.
///
/// # Panics
/// If the note cannot be written: a check that neither ran nor said so would count as one that passed.
pub fn not_run(check: &str, why: &str) {
    let path = file();
    let line = format!("{check}: {}\n", why.split_whitespace().collect::<Vec<_>>().join(" "));
    let written = File::options().append(true).create(true).open(&path);
    let written = written.and_then(|mut file| file.write_all(line.as_bytes()));
    assert!(written.is_ok(), "{}: {written:?}; this was to be noted there: {line}", path.display());
}

/// A test lies in target/debug/deps, a program in target/debug.
fn file() -> PathBuf {
    if let Some(named) = std::env::var_os(FILE_VARIABLE) {
        return named.into();
    }
    let own = std::env::current_exe().unwrap_or_default();
    let built = own.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let target = built.and_then(|folder| folder.parent()).map(PathBuf::from).unwrap_or_default();
    target.join("not-run.txt")
}
