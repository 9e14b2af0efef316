//! Rounds, visits and rankings of pairwise comparison.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Date;
use proto::proposals as pb;

use crate::domain::comparison::IdeaNo;
use crate::domain::comparison::idea::{Idea, IdeaState};
use crate::domain::comparison::pairing;
use crate::domain::comparison::ranking::{Basis, Ranking, Standing};
use crate::domain::comparison::round::{PlaceRanking, Published, Round, RoundState};
use crate::domain::comparison::scores::{wilson, win_share};
use crate::domain::comparison::session::{self, Answer, MOST_OWN_IDEAS, Offer, Session, SkipReason};
use crate::domain::screening::{FindingKind, screen};

/// A round.
pub fn round(round: &Round) -> pb::Round {
    let (charter, counts) = (&round.charter, round.counts);
    let state = match round.state {
        RoundState::Prepared => pb::RoundState::Prepared,
        RoundState::Open => pb::RoundState::Open,
        RoundState::Closed => pb::RoundState::Closed,
        RoundState::Published => pb::RoundState::Published,
    };
    pb::Round {
        round_id: round.id.to_string(),
        tenant: charter.tenant.to_string(),
        forum_id: charter.forum.map(|forum| forum.to_string()).unwrap_or_default(),
        title: charter.title.clone(),
        state: state.into(),
        opens_on: charter.opens_on.to_string(),
        closes_on: charter.closes_on.to_string(),
        own_ideas: charter.own_ideas,
        imported: round.imported,
        idea_count: round.ideas_in_it(),
        comparisons: counts.comparisons,
        skips: counts.skips,
        sessions: counts.sessions,
        assisted: counts.assisted,
    }
}

/// An idea of a round.
pub fn idea(idea: &Idea) -> pb::Idea {
    pb::Idea {
        idea_id: idea.id.to_string(),
        text: idea.text.clone(),
        picture: idea.picture.map(|picture| picture.code().to_owned()).unwrap_or_default(),
        proposal_id: idea.proposal.map(|proposal| proposal.to_string()).unwrap_or_default(),
        own: idea.own,
        shown: idea.shown,
    }
}

/// An own idea as its author is told: not its text, which the answer to a command must not keep.
pub fn own_idea(idea: &Idea, today: Date) -> pb::OwnIdea {
    let (state, reason) = match &idea.state {
        IdeaState::Waiting => (pb::OwnIdeaState::Waiting, ""),
        IdeaState::Approved => (pb::OwnIdeaState::Approved, ""),
        IdeaState::Rejected(reason) | IdeaState::Removed(reason) => {
            (pb::OwnIdeaState::Rejected, reason.as_str())
        }
    };
    pb::OwnIdea {
        idea_id: idea.id.to_string(),
        state: state.into(),
        reason: reason.to_owned(),
        review_due_on: idea.review_due_on.map(|day| day.to_string()).unwrap_or_default(),
        late: idea.is_late(today),
    }
}

/// An own idea that no human has read, for the one who does.
pub fn waiting_idea(idea: &Idea, today: Date) -> pb::WaitingIdea {
    pb::WaitingIdea {
        idea_id: idea.id.to_string(),
        text: idea.text.clone(),
        picture: idea.picture.map(|picture| picture.code().to_owned()).unwrap_or_default(),
        findings: findings(&idea.text),
        review_due_on: idea.review_due_on.map(|day| day.to_string()).unwrap_or_default(),
        late: idea.is_late(today),
    }
}

/// Kinds of what in a text looks like personal data, each once. They warn the human who reads it and decide nothing.
fn findings(text: &str) -> Vec<String> {
    let kinds: BTreeSet<FindingKind> = screen(&[text]).into_iter().map(|finding| finding.kind).collect();
    kinds.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Where a visit stands. `waiting` are the ideas of the pair that waits; `in_round` is how many there are in the round.
pub fn visit(
    of: &Round,
    session: &Session,
    offers: &[Offer],
    waiting: &[Idea],
    in_round: usize,
) -> pb::Visit {
    let side = |number: IdeaNo| {
        // Exposure is for the ranking; it would tell those who compare which idea is new.
        let found = waiting.iter().find(|idea| idea.number == Some(number));
        found.map(|found| pb::Idea { shown: 0, ..idea(found) })
    };
    let pair = session::waiting(offers).map(|offer| pb::Pair {
        number: offer.number,
        left: side(offer.pair.left),
        right: side(offer.pair.right),
    });
    let count =
        |wanted: fn(Answer) -> bool| offers.iter().filter(|offer| offer.answer.is_some_and(wanted)).count();
    let (compared, skipped) = (count(Answer::is_comparison), count(|answer| !answer.is_comparison()));
    let most_pairs = pairing::most_pairs(in_round);
    pb::Visit {
        pair,
        compared: number(compared),
        skipped: number(skipped),
        most_pairs: number(most_pairs),
        undoable: session.undoable(offers).map_or(0, |offer| offer.number),
        own_idea_invited: of.charter.own_ideas
            && session.own_ideas < MOST_OWN_IDEAS
            && 2 * (compared + skipped) >= most_pairs,
    }
}

/// What is published of a round.
pub fn published(
    of: &Round,
    published: &Published,
    ideas: &[Idea],
    skips: &[(IdeaNo, SkipReason, u64)],
) -> pb::GetRankingResponse {
    let by_number: BTreeMap<IdeaNo, &Idea> =
        ideas.iter().filter_map(|idea| Some((idea.number?, idea))).collect();
    let Published { ranking: all, sensitivity, places } = published;
    let mut overall = ranking(all, &by_number);
    for line in &mut overall.lines {
        let not_understood = skips.iter().filter(|(idea, reason, _)| {
            *reason == SkipReason::NotUnderstood
                && by_number.get(idea).is_some_and(|idea| idea.id.to_string() == line.idea_id)
        });
        line.not_understood = not_understood.map(|(.., times)| times).sum();
    }
    let place = |one: &PlaceRanking| pb::MunicipalityRanking {
        municipality: one.municipality.to_string(),
        provisional: one.ranking.provisional,
        groups: one.ranking.groups,
        ranks: one.ranking.standings.iter().filter_map(|standing| rank(standing, &by_number)).collect(),
    };
    pb::GetRankingResponse {
        round: Some(round(of)),
        ranking: Some(overall),
        sensitivity: sensitivity.map(|sensitivity| pb::Sensitivity {
            sessions_left_out: sensitivity.sessions_left_out,
            same_order: sensitivity.ideas_moved == 0,
            ideas_moved: sensitivity.ideas_moved,
        }),
        municipalities: places.iter().map(place).collect(),
        skips: skip_counts(skips),
    }
}

/// Why an answer was a skip. None for no reason.
pub fn skip_reason(reason: pb::SkipReason) -> Option<SkipReason> {
    match reason {
        pb::SkipReason::Unspecified => None,
        pb::SkipReason::CannotSay => Some(SkipReason::CannotSay),
        pb::SkipReason::BothGood => Some(SkipReason::BothGood),
        pb::SkipReason::BothBad => Some(SkipReason::BothBad),
        pb::SkipReason::NotUnderstood => Some(SkipReason::NotUnderstood),
    }
}

fn ranking(of: &Ranking, ideas: &BTreeMap<IdeaNo, &Idea>) -> pb::Ranking {
    let basis = match of.basis {
        Basis::WinShare => pb::RankingBasis::WinShare,
        Basis::BradleyTerry => pb::RankingBasis::BradleyTerry,
    };
    pb::Ranking {
        basis: basis.into(),
        provisional: of.provisional,
        groups: of.groups,
        lines: of.standings.iter().filter_map(|standing| line(standing, ideas)).collect(),
    }
}

/// None for an idea that has been taken out since.
fn line(of: &Standing, ideas: &BTreeMap<IdeaNo, &Idea>) -> Option<pb::RankingLine> {
    let idea = ideas.get(&of.idea)?;
    let interval = wilson(of.wins, of.comparisons);
    Some(pb::RankingLine {
        idea_id: idea.id.to_string(),
        text: idea.text.clone(),
        rank: of.rank.unwrap_or(0),
        group: of.group,
        wins: of.wins,
        comparisons: of.comparisons,
        win_share: win_share(of.wins, of.comparisons),
        interval_low: interval.map(|(low, _)| low),
        interval_high: interval.map(|(_, high)| high),
        strength: of.strength,
        not_understood: 0,
    })
}

/// None for an idea that has been taken out since.
fn rank(of: &Standing, ideas: &BTreeMap<IdeaNo, &Idea>) -> Option<pb::IdeaRank> {
    let idea = ideas.get(&of.idea)?;
    Some(pb::IdeaRank {
        idea_id: idea.id.to_string(),
        text: idea.text.clone(),
        rank: of.rank.unwrap_or(0),
        group: of.group,
    })
}

/// Each pair that was skipped is counted with both of its ideas.
fn skip_counts(skips: &[(IdeaNo, SkipReason, u64)]) -> Vec<pb::SkipCount> {
    let counted = |(reason, name): (SkipReason, pb::SkipReason)| {
        let times = skips.iter().filter(|(_, one, _)| *one == reason).map(|(.., times)| times);
        pb::SkipCount { reason: name.into(), count: times.sum::<u64>() / 2 }
    };
    let reasons = [
        (SkipReason::CannotSay, pb::SkipReason::CannotSay),
        (SkipReason::BothGood, pb::SkipReason::BothGood),
        (SkipReason::BothBad, pb::SkipReason::BothBad),
        (SkipReason::NotUnderstood, pb::SkipReason::NotUnderstood),
    ];
    reasons.into_iter().map(counted).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
