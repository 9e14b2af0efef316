//! Ideas compared in pairs: scenario 3 by its numbers, and what surrounds it. Whoever compares does so without any token.

mod hammer;
mod import;
mod independent;
mod load;
mod own_ideas;
mod refusals;
mod scenario;
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
        Ok(Visitor {
            client: comparisons(world),
            ids: world.ids.clone(),
            token: started.session_token,
            visit: started.visit.context("a visit")?,
        })
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

/// Every kept count of the rounds is that of the rows it counts.
async fn counters_are_rows(world: &World) {
    let compared = "answer IN ('left', 'right')";
    let skipped = "answer IN ('cannot_say', 'both_good', 'both_bad', 'not_understood')";
    let offers = format!(
        "SELECT COALESCE(SUM(CASE WHEN {compared} THEN 1 ELSE 0 END), 0) || '|' || \
         COALESCE(SUM(CASE WHEN {skipped} THEN 1 ELSE 0 END), 0) || '|' || \
         COUNT(DISTINCT CASE WHEN {compared} THEN session_id END) || '|' || (2 * COUNT(*)) FROM pair_offer"
    );
    let kept = "SELECT SUM(comparisons) || '|' || SUM(skips) || '|' || SUM(sessions) || '|' || \
                (SELECT SUM(shown) FROM comparison_idea) FROM comparison_round";
    let rows = world.texts(&offers).await;
    assert_eq!(world.texts(kept).await, rows, "rounds");
    let per_pair = format!(
        "SELECT COUNT(*) || '' FROM (SELECT s.round_id, o.session_id, \
         CASE WHEN o.left_idea < o.right_idea THEN o.left_idea ELSE o.right_idea END AS lower, \
         CASE WHEN o.left_idea < o.right_idea THEN o.right_idea ELSE o.left_idea END AS higher, \
         SUM(CASE WHEN (o.answer = 'left') = (o.left_idea < o.right_idea) THEN 1 ELSE 0 END) AS won, COUNT(*) AS times \
         FROM pair_offer o JOIN comparison_session s ON s.id = o.session_id WHERE {compared} \
         GROUP BY s.round_id, o.session_id, 3, 4 HAVING COUNT(*) > 1) twice"
    );
    assert_eq!(world.texts(&per_pair).await, ["0"], "nobody was shown a pair twice");
    let answers = format!(
        "SELECT lower || '-' || higher || ': ' || SUM(lower_won) || ' ' || COUNT(*) FROM (SELECT \
         CASE WHEN left_idea < right_idea THEN left_idea ELSE right_idea END AS lower, \
         CASE WHEN left_idea < right_idea THEN right_idea ELSE left_idea END AS higher, \
         CASE WHEN (answer = 'left') = (left_idea < right_idea) THEN 1 ELSE 0 END AS lower_won \
         FROM pair_offer WHERE {compared}) answers GROUP BY lower, higher ORDER BY lower, higher"
    );
    let sums = |of: &str| {
        format!(
            "SELECT lower || '-' || higher || ': ' || SUM(wins_lower) || ' ' || SUM(wins_lower + wins_higher) \
             FROM pair_sum WHERE {of} GROUP BY lower, higher HAVING SUM(wins_lower + wins_higher) > 0 \
             ORDER BY lower, higher"
        )
    };
    assert_eq!(world.texts(&sums("place = ''")).await, world.texts(&answers).await, "sums of pairs");
    let of_sessions = "SELECT place || ': ' || sessions || ' ' || comparisons FROM comparison_place \
                       WHERE sessions > 0 ORDER BY place";
    let by_place = "SELECT municipality || ': ' || COUNT(*) || ' ' || SUM(comparisons) FROM comparison_session \
                    WHERE comparisons > 0 GROUP BY municipality ORDER BY municipality";
    assert_eq!(world.texts(of_sessions).await, world.texts(by_place).await, "municipalities");
    let of_skips = "SELECT COALESCE(SUM(times), 0) || '' FROM skip_sum";
    let skips = "SELECT (2 * SUM(skips)) || '' FROM comparison_round";
    assert_eq!(world.texts(of_skips).await, world.texts(skips).await, "skips");
}
