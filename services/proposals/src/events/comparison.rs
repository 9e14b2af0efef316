//! What is told of rounds of pairwise comparison: counts and ranks, never an answer or a visit.

use messaging::NewEvent;
use proto::proposals as published;

use crate::domain::comparison::idea::Idea;
use crate::domain::comparison::ranking::Ranking;
use crate::domain::comparison::round::Round;

/// It opened, with these ideas.
pub fn opened(round: &Round, ideas: &[Idea]) -> NewEvent {
    let opened = published::ComparisonRoundOpened {
        round_id: round.id.to_string(),
        idea_ids: ideas.iter().map(|idea| idea.id.to_string()).collect(),
        closes_on: round.charter.closes_on.to_string(),
    };
    of(round, &opened)
}

/// An own idea was approved and joined it.
pub fn own_idea_added(round: &Round, idea: &Idea) -> NewEvent {
    of(round, &published::OwnIdeaAdded { round_id: round.id.to_string(), idea_id: idea.id.to_string() })
}

/// It closed.
pub fn closed(round: &Round) -> NewEvent {
    let counts = round.counts;
    let closed = published::ComparisonRoundClosed {
        round_id: round.id.to_string(),
        comparisons: counts.comparisons,
        skips: counts.skips,
        sessions: counts.sessions,
    };
    of(round, &closed)
}

/// Its ranking is public. Ideas that were never compared have no rank and are left out.
pub fn ranking_published(round: &Round, ideas: &[Idea], ranking: &Ranking) -> NewEvent {
    let mut ranks = Vec::with_capacity(ideas.len());
    for standing in &ranking.standings {
        let idea = ideas.iter().find(|idea| idea.number == Some(standing.idea));
        if let (Some(idea), Some(rank)) = (idea, standing.rank) {
            ranks.push(published::RankedIdea { idea_id: idea.id.to_string(), rank, group: standing.group });
        }
    }
    let (round_id, provisional) = (round.id.to_string(), ranking.provisional);
    of(round, &published::RankingPublished { round_id, ranks, provisional })
}

fn of<M: prost::Message + prost::Name>(round: &Round, message: &M) -> NewEvent {
    NewEvent::of(round.charter.tenant, "round", round.id, message)
}
