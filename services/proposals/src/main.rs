//! The binary of proposals alone.

fn main() -> std::process::ExitCode {
    chassis::main(proposals::SERVICE)
}
