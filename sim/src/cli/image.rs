//! `cutpoint image`: a store in an image file, looked at and changed by hand.

mod check;
mod dump;
mod entry;
mod folder;
mod format;
mod ls;
mod map;
mod mkdir;
#[cfg(feature = "fuse")]
mod mount;
mod mv;
mod open;
mod pack;
mod read;
mod rm;
mod stat;
mod target;
mod tree;
mod unpack;
mod write;

use super::{CliError, Outcome};
use clap::Subcommand;
use std::io::Write;

/// Look into an image of a store, or change it
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Format(format::Arguments),
    Tree(tree::Arguments),
    Ls(ls::Arguments),
    Read(read::Arguments),
    Write(write::Arguments),
    Rm(rm::Arguments),
    Mv(mv::Arguments),
    Mkdir(mkdir::Arguments),
    Stat(stat::Arguments),
    Check(check::Arguments),
    Dump(dump::Arguments),
    Map(map::Arguments),
    Pack(pack::Arguments),
    Unpack(unpack::Arguments),
    #[cfg(feature = "fuse")]
    Mount(mount::Arguments),
}

/// Runs one image command, printing to `out`.
pub(super) fn run(command: Command, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match command {
        Command::Check(arguments) => return check::run(&arguments, out),
        Command::Dump(arguments) => return dump::run(&arguments, out),
        Command::Map(arguments) => return map::run(&arguments, out),
        #[cfg(feature = "fuse")]
        Command::Mount(arguments) => return mount::run(&arguments, out),
        Command::Format(arguments) => format::run(&arguments),
        Command::Tree(arguments) => tree::run(&arguments, out),
        Command::Ls(arguments) => ls::run(&arguments, out),
        Command::Read(arguments) => read::run(&arguments, out),
        Command::Write(arguments) => write::run(&arguments),
        Command::Rm(arguments) => rm::run(&arguments),
        Command::Mv(arguments) => mv::run(&arguments),
        Command::Mkdir(arguments) => mkdir::run(&arguments),
        Command::Stat(arguments) => stat::run(&arguments, out),
        Command::Pack(arguments) => pack::run(&arguments, out),
        Command::Unpack(arguments) => unpack::run(&arguments, out),
    }?;
    Ok(Outcome::Clean)
}
