//! The Oulunkaari example, and the player of its election and of what its clients propose after it.
//!
//! The player is a client like any other: it knows the contracts and a setup code, and everything it does goes
//! through gRPC. [`play`] does all of it; [`Play`] lets a test do it act by act and try what must be refused in
//! between. It reports what came out and asserts nothing.
//!
//! | act | what happens |
//! | --- | --- |
//! | [`Play::begin`] | the administrator comes in with the setup code |
//! | [`Play::register`] | units, the register of both counties, attestations, staff |
//! | [`Play::found`] | the joint forum, its seat plan, election officers and witness |
//! | [`Play::announce`] | the election with its dates and the board's public key; membership freezes the roll |
//! | [`Play::nominate`] | candidates stand, some by another person's code, and accept; nominations close |
//! | [`Play::vote`] | online, on paper, one with a helper; voting closes |
//! | [`Play::count`] | the count with the board's key, the witness, the lots |
//! | [`Play::confirm`] | the result |
//! | [`Ideas`] | what clients propose, and what becomes of it |

mod ballots;
mod counting;
pub mod example;
pub mod ideas;
mod opening;
mod play;
mod report;
mod standing;
mod voting;

pub use ballots::{Impossible, ballots_for};
pub use ideas::{AnswerLine, Effect, Ideas, InTime, Moment, Story, Timeline};
pub use play::{Contest, Person, Play, Progress};
pub(crate) use play::{during, set_clock, settle};
pub use report::{Lots, Outcome, Report, Row};

use crate::exit::Failure;

/// Plays the election of the client forum and Simo's supplementary election on a fresh system in demo mode. What clients
/// propose then is played by [`propose`].
///
/// # Errors
/// What a service refused, with what was being done.
pub async fn play(play: &mut Play) -> Result<Report, Failure> {
    play.register().await?;
    play.found().await?;
    let first = election(play, Contest::first()).await?;
    let again = election(play, Contest::again()).await?;
    Ok(Report { forum_id: play.forum_id.clone(), first, again, ideas: None })
}

async fn election(play: &Play, contest: Contest) -> Result<Outcome, Failure> {
    let mut contest = play.announce(contest).await?;
    play.nominate(&mut contest).await?;
    play.vote(&contest).await?;
    play.count(&contest).await?;
    play.confirm(&contest).await
}

/// Plays what clients propose once their forum is elected.
///
/// # Errors
/// What a service refused, with what was being done.
pub async fn propose(play: &Play) -> Result<Story, Failure> {
    let mut ideas = Ideas::begin(play).await?;
    ideas.submit().await?;
    ideas.compare().await?;
    ideas.send_to_forum().await?;
    ideas.call_meeting().await?;
    play.day(ideas::example::MEETING).await?;
    ideas.meet().await?;
    ideas.answer().await?;
    ideas.change().await?;
    ideas.report().await
}
