//! The binary of forums alone.

fn main() -> std::process::ExitCode {
    chassis::main(forums::SERVICE)
}
