//! An election brought to where the load begins: who may do what, told by sessions, so that a copy of the place can be
//! used by clients of its own.

use anyhow::Context;
use proto::forums::{AnnounceElectionRequest, GetBallotPaperRequest};
use standalone::client::Account;
use standalone::demo::example::{PLACES, days};
use standalone::demo::{Contest, Play, Progress};
use testkit::system::Store;

use crate::place::{Place, Start, described};

/// The morning on which everything before the announcement happens.
pub const BEFORE: &str = "2026-02-16T07:00:00Z";
/// The morning of the announcement.
pub const ANNOUNCING: &str = "2026-03-02T07:00:00Z";
/// The first morning of voting.
pub const VOTING: &str = "2026-04-13T06:00:00Z";
/// The morning of the count.
pub const COUNTING: &str = "2026-04-20T06:00:00Z";

/// How far the election is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The forum is founded, nothing is announced.
    Founded,
    /// Voting is open and nobody has voted.
    Voting,
}

/// Who may do what.
#[derive(Clone, Debug)]
pub struct Scene {
    /// How far the election is.
    pub stage: Stage,
    /// Session of the administrator, who is also the operator.
    pub administrator: String,
    /// Session of an election officer.
    pub officer: String,
    /// The forum.
    pub forum: String,
    /// The election; empty before it is announced.
    pub election: String,
    /// Those who vote online.
    pub voters: Vec<Voter>,
    /// Those who vote on paper: ids in the register.
    pub paper_voters: Vec<String>,
    /// The board's private key.
    pub board_private: Vec<u8>,
    /// The board's public key.
    pub board_public: Vec<u8>,
}

/// Somebody who votes online.
#[derive(Clone, Debug)]
pub struct Voter {
    /// Their session.
    pub session: String,
    /// Numbers of the candidates they approve.
    pub approvals: Vec<u32>,
}

impl Scene {
    /// A place with everything up to this stage. No process runs there.
    ///
    /// # Errors
    /// What a service refused.
    pub async fn make(store: Store, stage: Stage) -> anyhow::Result<(Place, Self)> {
        let place = Place::new(store).await?;
        let scene = Self::make_in(&place, stage).await?;
        Ok((place, scene))
    }

    /// The same in an empty place.
    ///
    /// # Errors
    /// What a service refused.
    pub async fn make_in(place: &Place, stage: Stage) -> anyhow::Result<Self> {
        let setup_code = place.init()?;
        let program = place.run(&Start::at(BEFORE)).await?;
        let scene = play(place, &setup_code, stage).await;
        program.stop()?;
        scene
    }

    /// How to start the services so that the business clock shows the day of this stage.
    #[must_use]
    pub fn start(&self) -> Start {
        Start::at(match self.stage {
            Stage::Founded => ANNOUNCING,
            Stage::Voting => VOTING,
        })
    }

    /// The announcement of the election, for [`Stage::Founded`].
    #[must_use]
    pub fn announcement(&self) -> AnnounceElectionRequest {
        AnnounceElectionRequest {
            forum_id: self.forum.clone(),
            nomination_opens_on: days::ANNOUNCED.to_owned(),
            nomination_closes_on: days::NOMINATIONS_END.to_owned(),
            voting_opens_on: days::VOTING_STARTS.to_owned(),
            voting_closes_on: days::VOTING_ENDS.to_owned(),
            board_public_key: self.board_public.clone(),
            supplementary: false,
        }
    }
}

async fn play(place: &Place, setup_code: &str, stage: Stage) -> anyhow::Result<Scene> {
    let mut play = Play::begin(place.server()?, setup_code, Progress::silent()).await.map_err(described)?;
    play.register().await.map_err(described)?;
    play.found().await.map_err(described)?;
    let mut scene = Scene {
        stage,
        administrator: session(&play.administrator)?,
        officer: session(play.officers.first().context("an officer")?)?,
        forum: play.forum_id.clone(),
        election: String::new(),
        voters: Vec::new(),
        paper_voters: Vec::new(),
        board_private: play.board.private().to_vec(),
        board_public: play.board.public().to_vec(),
    };
    if stage == Stage::Voting {
        let mut contest = play.announce(Contest::first()).await.map_err(described)?;
        play.nominate(&mut contest).await.map_err(described)?;
        play.open_voting(&contest).await.map_err(described)?;
        enter_voters(&play, &contest, &mut scene).await?;
        scene.election = contest.election_id;
    }
    play.settle().await.map_err(described)?;
    Ok(scene)
}

/// Lets everybody who votes come in.
async fn enter_voters(play: &Play, contest: &Contest, scene: &mut Scene) -> anyhow::Result<()> {
    for place in PLACES.iter().filter(|place| contest.vote(place).ballots > 0) {
        let clients = play.clients(place).map_err(described)?;
        let (online, on_paper) = contest.voting(place, &clients);
        scene.paper_voters.extend(on_paper.iter().map(|person| person.participant_id.clone()));
        let entering = online.iter().map(async |person| play.sign_in(person).await.map_err(described));
        let accounts = futures::future::try_join_all(entering).await?;
        let first = accounts.first().context("a voter")?;
        let request =
            GetBallotPaperRequest { forum_id: scene.forum.clone(), election_id: contest.election_id.clone() };
        let paper = first.elections().get_ballot_paper(request).await?.into_inner();
        let numbers: Vec<u32> = paper.candidates.iter().map(|candidate| candidate.number).collect();
        for (number, account) in accounts.iter().enumerate() {
            let approvals = vec![numbers[number % numbers.len()]];
            scene.voters.push(Voter { session: session(account)?, approvals });
        }
    }
    Ok(())
}

fn session(account: &Account) -> anyhow::Result<String> {
    Ok(account.session().context("a session")?.to_owned())
}
