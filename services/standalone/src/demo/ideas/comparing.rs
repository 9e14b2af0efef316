//! The comparison: 42 visitors, nobody of whom is known (scenario 3).

use proto::proposals::comparisons_service_client::ComparisonsServiceClient;
use proto::proposals::{
    CloseRoundRequest, CompareRequest, NewIdea, NextPairRequest, OpenRoundRequest, Pair, PrepareRoundRequest,
    PublishRankingRequest, ShortlistFromRoundRequest, Side, SkipPairRequest, SkipReason, StartSessionRequest,
    Visit,
};

use super::{Ideas, example};
use crate::client::Door;
use crate::demo::example::LEAD;
use crate::demo::play::during;
use crate::exit::Failure;

/// The wins that are still to come, and the ideas by their ids.
struct Rest {
    ids: Vec<String>,
    wins: [[u32; 6]; 6],
}

impl Rest {
    fn place(&self, id: &str) -> Result<usize, Failure> {
        let place = self.ids.iter().position(|known| known == id);
        place.ok_or_else(|| Failure::general(format!("{id} is no idea of the round")))
    }

    /// The side that is chosen, and counts it; none once all comparisons of the pair are made.
    fn choose(&mut self, pair: &Pair) -> Result<Option<Side>, Failure> {
        let id = |idea: &Option<proto::proposals::Idea>| idea.clone().unwrap_or_default().idea_id;
        let (left, right) = (self.place(&id(&pair.left))?, self.place(&id(&pair.right))?);
        let (lefts, rights) = (self.wins[left][right], self.wins[right][left]);
        if lefts + rights == 0 {
            return Ok(None);
        }
        if lefts >= rights {
            self.wins[left][right] -= 1;
            Ok(Some(Side::Left))
        } else {
            self.wins[right][left] -= 1;
            Ok(Some(Side::Right))
        }
    }
}

/// Somebody who compares.
struct Visitor {
    token: String,
    visit: Visit,
}

impl Ideas<'_> {
    /// Compares the ideas in pairs, publishes the ranking and chooses two for the forum's table.
    ///
    /// # Errors
    /// What proposals answers.
    pub async fn compare(&mut self) -> Result<(), Failure> {
        let mut rest = self.open_round().await?;
        self.play.day(example::COMPARISON_OPENS).await?;
        let mut client = self.play.server.public().comparisons();
        let bar = self.play.progress.bar("comparing", example::SESSIONS);
        // Everybody answers one pair; then most go on through all of them. However chance sets the pairs, each is
        // compared 28 times by then, and each visitor has compared.
        let mut visitors = Vec::new();
        for _ in 0..example::SESSIONS {
            let mut visitor = self.visit(&mut client).await?;
            answer(&mut client, &mut visitor, &mut rest).await?;
            visitors.push(visitor);
            bar.inc(1);
        }
        let mut skips = 0;
        for visitor in visitors.iter_mut().take(example::THOROUGH) {
            while visitor.visit.pair.is_some() {
                if !answer(&mut client, visitor, &mut rest).await? {
                    skip(&mut client, visitor).await?;
                    skips += 1;
                }
            }
        }
        // The others look at a few pairs more and cannot say.
        let undecided = &mut visitors[example::THOROUGH..];
        for turn in 0..example::SKIPS.saturating_sub(skips) {
            let place = turn % undecided.len();
            skip(&mut client, &mut undecided[place]).await?;
        }
        bar.finish_and_clear();
        self.done(example::COMPARISON_OPENS, "42 visitors compare six ideas in pairs, 420 times");
        self.close_round(&rest).await
    }

    async fn open_round(&mut self) -> Result<Rest, Failure> {
        let ideas = example::IDEAS.iter().zip(&self.proposals).map(|(idea, id)| NewIdea {
            text: idea.title.to_owned(),
            picture: idea.picture.to_owned(),
            proposal_id: id.clone(),
        });
        let request = PrepareRoundRequest {
            tenant: LEAD.to_owned(),
            title: example::CAMPAIGN.to_owned(),
            opens_on: example::COMPARISON_OPENS.to_owned(),
            closes_on: example::COMPARISON_CLOSES.to_owned(),
            ideas: ideas.collect(),
            ..Default::default()
        };
        let prepared = self.coordinator.comparisons().prepare_round(request).await;
        let prepared = prepared.map_err(during("prepare the comparison"))?.into_inner();
        self.round_id = prepared.round.unwrap_or_default().round_id;
        self.play.day(example::COMPARISON_OPENS).await?;
        let request = OpenRoundRequest {
            tenant: LEAD.to_owned(),
            round_id: self.round_id.clone(),
            ..Default::default()
        };
        self.coordinator.comparisons().open_round(request).await.map_err(during("open the comparison"))?;
        Ok(Rest {
            ids: prepared.ideas.into_iter().map(|idea| idea.idea_id).collect(),
            wins: example::IDEAS.map(|idea| idea.wins),
        })
    }

    async fn visit(&self, client: &mut ComparisonsServiceClient<Door>) -> Result<Visitor, Failure> {
        let request = StartSessionRequest { round_id: self.round_id.clone(), ..Default::default() };
        let started = client.start_session(request).await.map_err(during("begin to compare"))?.into_inner();
        let token = started.session_token;
        let next = NextPairRequest { session_token: token.clone() };
        let next = client.next_pair(next).await.map_err(during("begin to compare"))?.into_inner();
        Ok(Visitor { token, visit: next.visit.unwrap_or_default() })
    }

    async fn close_round(&self, rest: &Rest) -> Result<(), Failure> {
        self.play.hour(example::COMPARISON_CLOSES, 20).await?;
        let (tenant, round_id) = (LEAD.to_owned(), self.round_id.clone());
        let mut handler = self.coordinator.comparisons();
        let request = CloseRoundRequest { tenant, round_id, ..Default::default() };
        handler.close_round(request).await.map_err(during("close the comparison"))?;
        self.play.day(example::RANKED).await?;
        let (tenant, round_id) = (LEAD.to_owned(), self.round_id.clone());
        let request = PublishRankingRequest { tenant, round_id, ..Default::default() };
        handler.publish_ranking(request).await.map_err(during("publish the ranking"))?;
        self.done(example::RANKED, "ranking published: advice, no idea is closed by it");
        let chosen = [example::FOLLOWED, example::LATE].map(|idea| rest.ids[idea].clone());
        let request = ShortlistFromRoundRequest {
            tenant: LEAD.to_owned(),
            round_id: self.round_id.clone(),
            idea_ids: chosen.to_vec(),
            ..Default::default()
        };
        handler.shortlist_from_round(request).await.map_err(during("choose ideas for the forum"))?;
        Ok(())
    }
}

/// Answers the pair that waits; false if its comparisons are all made.
async fn answer(
    client: &mut ComparisonsServiceClient<Door>,
    visitor: &mut Visitor,
    rest: &mut Rest,
) -> Result<bool, Failure> {
    let Some(pair) = &visitor.visit.pair else { return Ok(false) };
    let Some(better) = rest.choose(pair)? else { return Ok(false) };
    let request = CompareRequest {
        session_token: visitor.token.clone(),
        pair_number: pair.number,
        better: better.into(),
        assisted: false,
    };
    let answered = client.compare(request).await.map_err(during("compare"))?.into_inner();
    visitor.visit = answered.visit.unwrap_or_default();
    Ok(true)
}

/// Cannot say.
async fn skip(client: &mut ComparisonsServiceClient<Door>, visitor: &mut Visitor) -> Result<(), Failure> {
    let request = SkipPairRequest {
        session_token: visitor.token.clone(),
        pair_number: visitor.visit.pair.as_ref().map_or(0, |pair| pair.number),
        reason: SkipReason::CannotSay.into(),
    };
    let skipped = client.skip_pair(request).await.map_err(during("skip a pair"))?.into_inner();
    visitor.visit = skipped.visit.unwrap_or_default();
    Ok(())
}
