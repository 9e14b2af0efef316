//! The program: its command line as a user meets it, and the example it plays.

mod audit;
mod ballots;
mod doctor;
mod help;
mod ideas;
mod import;
mod keys;
mod load;
mod program;
mod provision;
mod secure;
mod up;
