//! membership alone in its own process.

fn main() -> std::process::ExitCode {
    chassis::main(membership::SERVICE)
}
