//! The program `osallisuus`: the whole platform in one process, one service of it, and the commands of those who
//! install and operate it.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`cli`] | the command line: commands, help with examples |
//! | [`exit`], [`screen`] | exit codes and failures; tables, JSON, colour |
//! | [`client`] | a small typed client of a running system |
//! | [`register`] | a register of participants in CSV: reading with every fault named, sending |
//! | [`board_key`] | the key pair of an election board |
//! | [`demo`] | the Oulunkaari example, and the player of its election |

pub mod board_key;
pub mod client;
pub mod demo;
pub mod exit;
pub mod register;
pub mod screen;

use std::process::ExitCode;

/// The program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
