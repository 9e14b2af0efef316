//! The program `osallisuus`: the whole platform in one process, one service of it, and the commands of those who
//! install and operate it.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `cli` | the command line: commands, help with examples |
//! | [`exit`], [`screen`] | exit codes and failures; tables, JSON, colour |
//! | [`client`] | a small typed client of a running system |
//! | [`register`] | a register of participants in CSV: reading with every fault named, sending |
//! | [`board_key`] | the key pair of an election board |
//! | [`dev_ca`] | certificates for development and trials |
//! | [`nats_accounts`] | accounts and permissions in NATS |
//! | [`services`] | the list of all services |
//! | [`ledger`] | the judge: journals of clients, and whether everything stored agrees with them |
//! | [`load`] | the load generator |
//! | [`demo`] | the Oulunkaari example, and the player of its election |

mod backup;
pub mod board_key;
mod cli;
pub mod client;
mod command;
pub mod demo;
pub mod dev_ca;
pub mod exit;
mod installation;
pub mod ledger;
pub mod load;
pub mod nats_accounts;
pub mod register;
pub mod screen;
pub mod services;

use std::process::ExitCode;

use chassis::THREADS_END;
use clap::Parser;

use cli::Cli;
use exit::Failure;
use screen::Screen;

/// The program: reads the command line, does it, and says how it ended.
pub fn main() -> ExitCode {
    // Prints help, version and usage errors itself and ends with 0 or 2.
    let cli = Cli::parse();
    let screen = Screen::new(cli.output);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        let done = runtime.block_on(command::run(cli, screen));
        runtime.shutdown_timeout(THREADS_END);
        done
    });
    done.unwrap_or_else(|failure| {
        screen.failure(&failure);
        failure.exit.into()
    })
}
