//! The ranking of a closed round, made public; and results of rounds held elsewhere.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Date, Fault, ForumId, IdeaId, MunicipalityCode, Policies, PolicyKey, RoundId, Scope, TenantId};
use messaging::Tx;
use proto::proposals as pb;
use sea_orm::ConnectionTrait;

use super::super::App;
use super::rounds::check_forum;
use super::tidying::schedule_tidying;
use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::idea::{Idea, IdeaState};
use crate::domain::comparison::import::Line;
use crate::domain::comparison::places::{self, Least};
use crate::domain::comparison::ranking;
use crate::domain::comparison::round::{
    Charter, Counts, PlaceRanking, Published, Round, RoundState, Sensitivity, heaviest,
};
use crate::domain::comparison::sums::PairSums;
use crate::{convert, events, store};

/// The result of a round held elsewhere.
#[derive(Debug, Clone)]
pub struct ImportResult {
    /// The forum that held it, where a coordinator takes it in; a secretary's is the granted one.
    pub forum: Option<ForumId>,
    /// Name.
    pub title: String,
    /// First day.
    pub opened_on: Date,
    /// Last day.
    pub closed_on: Date,
    /// How many took part.
    pub participants: u64,
    /// Its ideas.
    pub lines: Vec<Line>,
}

struct Publish {
    scope: Scope,
    round: RoundId,
    /// Ranked before: of a closed round only ideas are taken out. None if it was not closed then.
    published: Option<Published>,
    /// How many ideas had been taken out when it was ranked.
    removed: u32,
}

struct Import {
    id: RoundId,
    tenant: TenantId,
    forum: Option<ForumId>,
    import: ImportResult,
    idea_ids: Vec<IdeaId>,
}

impl App {
    /// Makes the ranking of a closed round public. The ranks are found before the act, so that no other command waits for
    /// them.
    pub async fn publish_ranking(
        &self,
        call: &Call,
        id: RoundId,
    ) -> Result<pb::PublishRankingResponse, Fault> {
        let conn = self.database.read();
        let round = store::comparison::rounds::load_in(conn, &call.scope, id).await?;
        let published = match round.state {
            RoundState::Closed => {
                let policies = store::policies::of(conn, round.charter.tenant).await?;
                Some(ranked(conn, &round, &policies, self.today()).await?)
            }
            RoundState::Prepared | RoundState::Open | RoundState::Published => None,
        };
        let input = Publish { scope: call.scope, round: id, published, removed: round.removed };
        self.writer.run(call.command(), input, |tx, input| publish(tx, input).boxed()).await
    }

    /// Takes in the result of a round that was held elsewhere.
    pub async fn import_result(
        &self,
        call: &Call,
        tenant: TenantId,
        import: ImportResult,
    ) -> Result<pb::ImportInnoduelResultResponse, Fault> {
        self.check_served(tenant)?;
        let idea_ids = import.lines.iter().map(|_| self.ids.new_id()).collect();
        let forum = call.scope.forum().ok().or(import.forum);
        let input = Import { id: self.ids.new_id(), tenant, forum, import, idea_ids };
        self.writer.run(call.command(), input, |tx, input| imported(tx, input).boxed()).await
    }

    /// The published ranking of a round. Conflict `proposals.ranking_not_published` before.
    pub async fn get_ranking(&self, id: RoundId) -> Result<pb::GetRankingResponse, Fault> {
        let conn = self.database.read();
        let round = store::comparison::rounds::load_public(conn, id).await?;
        let published = store::comparison::rankings::load(conn, id).await?.ok_or_else(|| {
            Fault::conflict(
                "proposals.ranking_not_published",
                "The ranking of this round is not published. It is, some time after the round has closed.",
            )
        })?;
        let ideas = store::comparison::ideas::of(conn, id).await?;
        let skips = store::comparison::sums::skips(conn, id).await?;
        Ok(convert::comparisons::published(&round, &published, &ideas, &skips))
    }
}

/// What may be published of a closed round.
async fn ranked(
    conn: &impl ConnectionTrait,
    round: &Round,
    policies: &Policies,
    today: Date,
) -> Result<Published, Fault> {
    if round.imported {
        let results = store::comparison::ideas::results(conn, round.id).await?;
        return Ok(Published {
            ranking: ranking::rank_by_share(&results),
            sensitivity: None,
            places: Vec::new(),
        });
    }
    let ideas = store::comparison::ideas::of(conn, round.id).await?;
    let ideas: Vec<IdeaNo> = ideas.iter().filter_map(|idea| idea.number).collect();
    let sums = store::comparison::sums::of(conn, round.id, None).await?;
    // Comparisons with an idea that was taken out rank nothing, so they do not help a ranking over its least either.
    let comparisons = sums.clone().among(&ideas).comparisons();
    let ranked = Round { counts: Counts { comparisons, ..round.counts }, ..round.clone() };
    ranked.publish(policies, today)?;
    // Single visits are known until they are deleted.
    let small_cell = u64::from(policies.on(today, PolicyKey::SmallCell));
    let left_out = heaviest(round.counts.sessions, small_cell).filter(|_| !round.visits_forgotten);
    let without = match left_out {
        Some(sessions) => {
            let heavy = store::comparison::sums::of_heaviest(conn, round.id, sessions).await?;
            Some((sessions, sums.clone().without(&heavy)))
        }
        None => None,
    };
    let places = sums_of_places(conn, round.id, &ideas, Least::by(policies, today)).await?;
    let late = round.joined_late > 0;
    // Sweeps over many pairs: not on a thread that others wait for.
    let ranked = tokio::task::spawn_blocking(move || rank_all(&ideas, late, sums, without, places));
    ranked.await.map_err(Fault::internal)
}

/// The rankings of all, without the heaviest visits, and by municipality.
fn rank_all(
    ideas: &[IdeaNo],
    late: bool,
    sums: PairSums,
    without: Option<(u64, PairSums)>,
    places: Vec<(MunicipalityCode, PairSums)>,
) -> Published {
    // Who won over an idea that has been taken out does not matter any more.
    let rank = |sums: PairSums| ranking::rank(ideas, &sums.among(ideas), late);
    let ranking = rank(sums);
    let sensitivity = without.map(|(sessions_left_out, rest)| {
        let ideas_moved = ranking::moved(&ranking, &rank(rest));
        Sensitivity { sessions_left_out, ideas_moved }
    });
    let place = |(municipality, sums)| PlaceRanking { municipality, ranking: rank(sums) };
    let places = places.into_iter().map(place).collect();
    Published { ranking, sensitivity, places }
}

async fn sums_of_places(
    conn: &impl ConnectionTrait,
    round: RoundId,
    ideas: &[IdeaNo],
    least: Least,
) -> Result<Vec<(MunicipalityCode, PairSums)>, Fault> {
    let (places, unnamed) = store::comparison::sums::places(conn, round).await?;
    let mut told = Vec::new();
    for municipality in places::published(&places, unnamed, least) {
        let sums = store::comparison::sums::of(conn, round, Some(municipality)).await?;
        if sums.clone().among(ideas).comparisons() >= least.comparisons {
            told.push((municipality, sums));
        }
    }
    Ok(told)
}

async fn publish(tx: &Tx, input: &Publish) -> Result<pb::PublishRankingResponse, Fault> {
    let today = tx.now().helsinki_date();
    let round = store::comparison::rounds::load_in(tx.conn(), &input.scope, input.round).await?;
    let policies = store::policies::of(tx.conn(), round.charter.tenant).await?;
    let Some(event) = round.publish(&policies, today)? else {
        return Ok(pb::PublishRankingResponse { round: Some(convert::comparisons::round(&round)) });
    };
    let published = input.published.as_ref().ok_or_else(|| {
        Fault::unavailable(
            "proposals.round_closing",
            "The round was closed at this very moment. Send the request again.",
        )
    })?;
    if round.removed != input.removed {
        return Err(Fault::unavailable(
            "proposals.round_changed",
            "An idea was taken out at this very moment. Send the request again.",
        ));
    }
    let round = round.apply(event);
    store::comparison::rounds::save(tx.conn(), &round).await?;
    store::comparison::rankings::insert(tx.conn(), round.id, round.counts, published).await?;
    schedule_tidying(tx, &round, tx.now(), "published");
    let ideas = store::comparison::ideas::of(tx.conn(), round.id).await?;
    tx.publish(events::comparison::ranking_published(&round, &ideas, &published.ranking));
    Ok(pb::PublishRankingResponse { round: Some(convert::comparisons::round(&round)) })
}

async fn imported(tx: &Tx, input: &Import) -> Result<pb::ImportInnoduelResultResponse, Fault> {
    let Import { id, tenant, forum, import, idea_ids } = input;
    check_forum(tx, *tenant, *forum).await?;
    let charter = Charter {
        tenant: *tenant,
        forum: *forum,
        title: import.title.trim().to_owned(),
        opens_on: import.opened_on,
        closes_on: import.closed_on,
        own_ideas: false,
    };
    // Each comparison stands in the table twice: with the one that won and with the one that did not.
    let comparisons = import.lines.iter().map(|line| line.comparisons).sum::<u64>() / 2;
    let counts = Counts { comparisons, sessions: import.participants, ..Counts::default() };
    let today = tx.now().helsinki_date();
    let round = Round::import(*id, charter, import.lines.len(), counts, today)?;
    let ideas: Vec<Idea> = import
        .lines
        .iter()
        .zip(idea_ids)
        .zip(1..)
        .map(|((line, id), number)| Idea {
            id: *id,
            number: Some(number),
            text: line.text.as_str().to_owned(),
            picture: None,
            proposal: None,
            own: false,
            state: IdeaState::Approved,
            shown: line.comparisons,
            review_due_on: None,
        })
        .collect();
    let results: Vec<(u64, u64)> = import.lines.iter().map(|line| (line.wins, line.comparisons)).collect();
    store::comparison::rounds::insert(tx.conn(), &round).await?;
    store::comparison::ideas::insert(tx.conn(), round.id, &ideas, &results).await?;
    tx.publish(events::comparison::closed(&round));
    Ok(pb::ImportInnoduelResultResponse {
        round: Some(convert::comparisons::round(&round)),
        ideas: ideas.iter().map(convert::comparisons::idea).collect(),
    })
}
