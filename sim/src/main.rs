//! The `cutpoint` command. All of it lives in the library, in [`cutpoint::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cutpoint::cli::run(std::env::args_os())
}
