//! The command line.

/// The system's allocator asks the kernel for a page at a time on every thread but the first, and each page of a registry
/// that comes into the cache is an allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ansinh::cli::main()
}
