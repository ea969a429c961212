//! The command line.

fn main() -> std::process::ExitCode {
    ansinh::cli::main()
}
