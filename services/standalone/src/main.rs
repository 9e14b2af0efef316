//! The program `osallisuus`: see the crate `standalone`.

use std::process::ExitCode;

fn main() -> ExitCode {
    standalone::main()
}
