//! Ideas compared in pairs: scenario 3 by its numbers, and what surrounds it. Whoever compares does so without any token.

mod forgetting;
mod import;
mod independent;
mod load;
mod own_ideas;
mod prepared;
mod promises;
mod rates;
mod refusals;
mod removing;
mod scenario;
mod sensitivity;
mod visits;

use anyhow::Context as _;
use kernel::{MunicipalityCode, ProposalId};
use proto::proposals as pb;
use proto::proposals::comparisons_service_client::ComparisonsServiceClient;
use tonic::transport::Channel;

use crate::support::{POHDE, World};

/// The ideas of scenario 3.
const IDEAS: [&str; 6] = [
    "Päivätoimintaan lisää ulkoilua",
    "Ruokalistaan saa vaikuttaa",
    "Kahvilavuoroja työtoimintaan",
    "Iltatoimintaa viikonloppuun",
    "Yhteinen retki joka kuukausi",
    "Kuvat viikko-ohjelmaan",
];

fn comparisons(world: &World) -> ComparisonsServiceClient<Channel> {
    ComparisonsServiceClient::new(world.system.channel())
}

/// A round and the ids of its ideas.
#[derive(Debug, Clone)]
struct Round {
    id: String,
    ideas: Vec<String>,
}

impl Round {
    /// A round of 21.–30.9.2026 with ideas of its own, not opened.
    async fn prepared(world: &World, ideas: usize, own_ideas: bool) -> anyhow::Result<Self> {
        let ideas = (1..=ideas).map(|number| new_idea(&format!("Idea {number}"), None));
        Self::prepare(world, prepare(ideas.collect(), own_ideas)).await
    }

    async fn prepare(world: &World, request: pb::PrepareRoundRequest) -> anyhow::Result<Self> {
        let request = world.by(world.coordinator(), request)?;
        let prepared = comparisons(world).prepare_round(request).await?.into_inner();
        let ideas = prepared.ideas.into_iter().map(|idea| idea.idea_id).collect();
        Ok(Self { id: prepared.round.context("a round")?.round_id, ideas })
    }

    /// The same, opened on its first day.
    async fn open(world: &World, ideas: usize, own_ideas: bool) -> anyhow::Result<Self> {
        let round = Self::prepared(world, ideas, own_ideas).await?;
        world.on("2026-09-21").await?;
        round.open_now(world).await?;
        Ok(round)
    }

    async fn open_now(&self, world: &World) -> anyhow::Result<pb::Round> {
        let (tenant, round_id) = (POHDE.to_owned(), self.id.clone());
        let request = pb::OpenRoundRequest { tenant, forum_id: String::new(), round_id };
        let opened = comparisons(world).open_round(world.by(world.coordinator(), request)?).await?;
        opened.into_inner().round.context("a round")
    }

    async fn close(&self, world: &World) -> anyhow::Result<pb::Round> {
        let (tenant, round_id) = (POHDE.to_owned(), self.id.clone());
        let request = pb::CloseRoundRequest { tenant, forum_id: String::new(), round_id };
        let closed = comparisons(world).close_round(world.by(world.coordinator(), request)?).await?;
        closed.into_inner().round.context("a round")
    }

    async fn publish(&self, world: &World) -> Result<pb::Round, tonic::Status> {
        let (tenant, round_id) = (POHDE.to_owned(), self.id.clone());
        let request = pb::PublishRankingRequest { tenant, forum_id: String::new(), round_id };
        let request =
            world.by(world.coordinator(), request).map_err(|_| tonic::Status::aborted("no token"))?;
        Ok(comparisons(world).publish_ranking(request).await?.into_inner().round.unwrap_or_default())
    }

    /// As the public sees it.
    async fn public(&self, world: &World) -> anyhow::Result<(pb::Round, Vec<pb::Idea>)> {
        let request = pb::GetRoundRequest { round_id: self.id.clone() };
        let found = comparisons(world).get_round(request).await?.into_inner();
        Ok((found.round.context("a round")?, found.ideas))
    }

    async fn ranking(&self, world: &World) -> Result<pb::GetRankingResponse, tonic::Status> {
        let request = pb::GetRankingRequest { round_id: self.id.clone() };
        Ok(comparisons(world).get_ranking(request).await?.into_inner())
    }

    /// Index of an idea of this round.
    fn index(&self, idea: &pb::Idea) -> usize {
        self.ideas.iter().position(|id| *id == idea.idea_id).unwrap_or(self.ideas.len())
    }

    async fn visit(&self, world: &World, municipality: Option<MunicipalityCode>) -> anyhow::Result<Visitor> {
        let municipality = municipality.map(|code| code.to_string()).unwrap_or_default();
        let start = pb::StartSessionRequest { round_id: self.id.clone(), municipality };
        let started = comparisons(world).start_session(world.anonymous(start)?).await?.into_inner();
        let mut visitor = Visitor {
            client: comparisons(world),
            ids: world.ids.clone(),
            token: started.session_token,
            visit: pb::Visit::default(),
        };
        visitor.look().await?;
        Ok(visitor)
    }
}

/// Somebody who compares. Nobody knows who.
struct Visitor {
    client: ComparisonsServiceClient<Channel>,
    ids: kernel::Ids,
    token: String,
    visit: pb::Visit,
}

impl Visitor {
    /// A request without any token, with a new idempotency key.
    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let key = self.ids.uuid().to_string();
        request.metadata_mut().insert("idempotency-key", key.parse().expect("visible characters"));
        request
    }

    /// The two ideas that wait for an answer.
    fn pair(&self) -> Option<(u32, pb::Idea, pb::Idea)> {
        let pair = self.visit.pair.clone()?;
        Some((pair.number, pair.left?, pair.right?))
    }

    async fn compare(&mut self, better: pb::Side) -> Result<(), tonic::Status> {
        let number = self.pair().map_or(0, |(number, ..)| number);
        self.compare_pair(number, better, false).await
    }

    async fn compare_pair(
        &mut self,
        number: u32,
        better: pb::Side,
        assisted: bool,
    ) -> Result<(), tonic::Status> {
        let (session_token, better) = (self.token.clone(), better.into());
        let message = pb::CompareRequest { session_token, pair_number: number, better, assisted };
        let request = self.request(message);
        self.visit = self.client.compare(request).await?.into_inner().visit.unwrap_or_default();
        Ok(())
    }

    async fn skip(&mut self, reason: pb::SkipReason) -> Result<(), tonic::Status> {
        let number = self.pair().map_or(0, |(number, ..)| number);
        let (session_token, reason) = (self.token.clone(), reason.into());
        let request = self.request(pb::SkipPairRequest { session_token, pair_number: number, reason });
        self.visit = self.client.skip_pair(request).await?.into_inner().visit.unwrap_or_default();
        Ok(())
    }

    async fn undo(&mut self, number: u32) -> Result<(), tonic::Status> {
        let session_token = self.token.clone();
        let request = self.request(pb::UndoLastRequest { session_token, pair_number: number });
        self.visit = self.client.undo_last(request).await?.into_inner().visit.unwrap_or_default();
        Ok(())
    }

    async fn look(&mut self) -> Result<(), tonic::Status> {
        let request = self.request(pb::NextPairRequest { session_token: self.token.clone() });
        self.visit = self.client.next_pair(request).await?.into_inner().visit.unwrap_or_default();
        Ok(())
    }

    async fn add_idea(&mut self, text: &str) -> Result<pb::OwnIdea, tonic::Status> {
        let (session_token, text) = (self.token.clone(), text.to_owned());
        let request = self.request(pb::AddOwnIdeaRequest { session_token, text, picture: String::new() });
        Ok(self.client.add_own_idea(request).await?.into_inner().idea.unwrap_or_default())
    }
}

fn new_idea(text: &str, proposal: Option<ProposalId>) -> pb::NewIdea {
    pb::NewIdea {
        text: text.to_owned(),
        picture: "outdoors".to_owned(),
        proposal_id: proposal.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn prepare(ideas: Vec<pb::NewIdea>, own_ideas: bool) -> pb::PrepareRoundRequest {
    pb::PrepareRoundRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        title: "Mielekäs päivä".to_owned(),
        opens_on: "2026-09-21".to_owned(),
        closes_on: "2026-09-30".to_owned(),
        own_ideas,
        ideas,
    }
}

/// Every kept count is that of the rows it counts, by round, place and pair; and nobody was shown a pair twice.
async fn counters_are_rows(world: &World) {
    let database = world.database().expect("it runs");
    let wrong = proposals::reconciliation::wrong_counts(database.read()).await.expect("an answer");
    assert!(wrong.is_empty(), "{wrong:?}");
    let twice = "SELECT COUNT(*) || '' FROM (SELECT session_id, \
                 CASE WHEN left_idea < right_idea THEN left_idea ELSE right_idea END AS lower, \
                 CASE WHEN left_idea < right_idea THEN right_idea ELSE left_idea END AS higher \
                 FROM pair_offer GROUP BY 1, 2, 3 HAVING COUNT(*) > 1) twice";
    assert_eq!(world.texts(twice).await, ["0"], "nobody was shown a pair twice");
}
