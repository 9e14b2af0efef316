//! What came of the ideas, as anybody may read it: the ranking, each proposal's promise as a timeline, the loop card.

use proto::proposals::{
    FeedbackCard, GetChangeRequest, GetFeedbackRequest, GetRankingRequest, GetResponseFiguresRequest,
    GetResponseFiguresResponse, GetResponseRequest, GetTimelineRequest, Promise, PublishedIndicator,
    RankingLine, StageDetail, TimelineStep,
};
use serde::Serialize;

use super::{Ideas, example};
use crate::demo::example::LEAD;
use crate::demo::play::during;
use crate::exit::Failure;
use crate::screen::{Screen, percent, table};

/// The ideas and what came of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// Receipt number of the idea that was followed.
    pub receipt_no: String,
    /// Comparisons made.
    pub comparisons: u64,
    /// Pairs skipped.
    pub skips: u64,
    /// Visitors who compared.
    pub sessions: u64,
    /// The ranking.
    pub ranking: Vec<Place>,
    /// The answers that were due in the quarter, by the day they were given; those that are missing last.
    pub answers: Vec<AnswerLine>,
    /// How many of them were in time.
    pub in_time: InTime,
    /// The promise of each idea as a timeline.
    pub timelines: Vec<Timeline>,
    /// What changed by the idea that was followed.
    pub effects: Vec<Effect>,
    /// The loop card of the idea that was followed.
    pub card: Card,
}

/// A place of the ranking.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Place, from 1.
    pub rank: u32,
    /// The idea.
    pub idea: String,
    /// Comparisons in which it was chosen.
    pub wins: u64,
    /// Comparisons in which it stood.
    pub comparisons: u64,
    /// Share of them in which it was chosen.
    pub win_share: f64,
    /// Lower end of its 95 % interval by Wilson.
    pub interval_low: f64,
    /// Upper end.
    pub interval_high: f64,
    /// Strength by Bradley and Terry; the strengths add up to 1.
    pub strength: f64,
}

/// An answer that was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerLine {
    /// The proposal.
    pub proposal_id: String,
    /// Title of the proposal.
    pub title: String,
    /// Day of the endorsement.
    pub asked_on: String,
    /// Last day on which the answer was in time.
    pub due_on: String,
    /// Day of the answer; empty while there is none.
    pub given_on: String,
    /// Days after the due day, so far or at the answer.
    pub days_late: u32,
}

/// K4 of a quarter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InTime {
    /// Answers due.
    pub due: u32,
    /// Given by their due day.
    pub on_time: u32,
    /// Given after it.
    pub late: u32,
    /// Missing still.
    pub missing: u32,
    /// Share in time, in hundredths of a per cent.
    pub on_time_bp: u32,
}

/// Something that was measured before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// What it is.
    pub label: String,
    /// Before.
    pub before: f64,
    /// After.
    pub after: f64,
    /// After minus before, from unrounded values.
    pub change: f64,
    /// What was to be reached; 0 for nothing.
    pub target: f64,
    /// How much of it was reached, in per cent; 0 without a target.
    pub attainment_percent: f64,
}

/// The promise of a proposal, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The proposal.
    pub proposal_id: String,
    /// Its title.
    pub title: String,
    /// The steps.
    pub moments: Vec<Moment>,
}

/// A step of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Day, for example "2026-10-12".
    pub on: String,
    /// What happened, for example "answered".
    pub step: String,
    /// More of it, for example "accepted_in_part".
    pub detail: String,
    /// Whose turn it was from then on; empty at the end.
    pub turn: String,
    /// With what; empty at the end.
    pub next: String,
    /// Until when; empty at the end.
    pub until: String,
    /// Whether the next step came after that day.
    pub late: bool,
}

/// The loop card in plain Finnish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Day on which it was published.
    pub published_on: String,
    /// *You said*.
    pub you_said: String,
    /// *We did*.
    pub we_did: String,
    /// *We could not*.
    pub we_could_not: String,
    /// *Next*.
    pub next_step: String,
    /// Who does what comes next.
    pub next_role: String,
    /// Until when.
    pub next_on: String,
}

impl Ideas<'_> {
    /// Reads it all as anybody may, without signing in.
    ///
    /// # Errors
    /// What proposals answers.
    pub async fn report(&self) -> Result<Story, Failure> {
        let public = self.play.server.public();
        let request = GetRankingRequest { round_id: self.round_id.clone() };
        let answer = public.comparisons().get_ranking(request).await.map_err(during("read the ranking"))?;
        let answer = answer.into_inner();
        let round = answer.round.unwrap_or_default();
        let mut timelines = Vec::new();
        for (idea, proposal_id) in example::IDEAS.iter().zip(&self.proposals) {
            let request =
                GetTimelineRequest { proposal_id: proposal_id.clone(), page_size: 200, ..Default::default() };
            let read =
                public.answers().get_timeline(request).await.map_err(during("read a timeline"))?.into_inner();
            timelines.push(Timeline {
                proposal_id: proposal_id.clone(),
                title: idea.title.to_owned(),
                moments: moments(&read.steps, &read.standing.unwrap_or_default().promise.unwrap_or_default()),
            });
        }
        let proposal_id = self.proposals[example::FOLLOWED].clone();
        let request = GetChangeRequest { proposal_id: proposal_id.clone() };
        let change = public.changes().get_change(request).await.map_err(during("read the effect"))?;
        let effects = change.into_inner().impact.unwrap_or_default().indicators;
        let request = GetFeedbackRequest { proposal_id, ..Default::default() };
        let card = public.feedback().get_feedback(request).await.map_err(during("read the loop card"))?;
        let (answers, in_time) = self.answers_due().await?;
        Ok(Story {
            answers,
            in_time,
            receipt_no: self.receipt_no.clone(),
            comparisons: round.comparisons,
            skips: round.skips,
            sessions: round.sessions,
            ranking: answer.ranking.unwrap_or_default().lines.into_iter().map(Place::from).collect(),
            timelines,
            effects: effects.into_iter().map(Effect::from).collect(),
            card: card.into_inner().card.map(Card::from).unwrap_or_default(),
        })
    }
}

impl Ideas<'_> {
    /// The answers that were due in the quarter, and K4.
    async fn answers_due(&self) -> Result<(Vec<AnswerLine>, InTime), Failure> {
        let client = self.play.server.public().answers();
        let mut answers = Vec::new();
        for (title, _, proposal_id) in self.endorsed() {
            let request = GetResponseRequest { proposal_id: proposal_id.clone() };
            let read = client.clone().get_response(request).await.map_err(during("read an answer"))?;
            let response = read.into_inner().response.unwrap_or_default();
            answers.push(AnswerLine {
                proposal_id: proposal_id.clone(),
                title: title.to_owned(),
                asked_on: response.asked_on,
                due_on: response.due_on,
                given_on: response.given_on,
                days_late: response.days_late,
            });
        }
        answers.sort_by(|one, other| {
            (one.given_on.is_empty(), &one.given_on).cmp(&(other.given_on.is_empty(), &other.given_on))
        });
        let request = GetResponseFiguresRequest {
            tenant: LEAD.to_owned(),
            from: example::QUARTER_STARTS.to_owned(),
            to: example::QUARTER_ENDS.to_owned(),
        };
        let read = client.clone().get_response_figures(request).await.map_err(during("read the figures"))?;
        let GetResponseFiguresResponse { on_time, late, missing, due, on_time_bp } = read.into_inner();
        Ok((answers, InTime { due, on_time, late, missing, on_time_bp }))
    }
}

/// The steps, each with whose turn it was after it.
fn moments(steps: &[TimelineStep], now: &Promise) -> Vec<Moment> {
    let followers = steps.iter().skip(1).map(Some).chain([None]);
    let moment = |(step, next): (&TimelineStep, Option<&TimelineStep>)| {
        let promise = step.promise.clone().unwrap_or_default();
        let is_kept = promise.due_on.is_empty();
        Moment {
            on: step.taken_on.clone(),
            step: name_of(step),
            detail: if step.mark.is_empty() { detail_of(step) } else { String::new() },
            turn: named(promise.owner().as_str_name(), "OWNER_ROLE_"),
            next: named(promise.next_step().as_str_name(), "NEXT_STEP_"),
            late: match next {
                // Days are written so that they compare as text.
                Some(next) => !is_kept && next.taken_on > promise.due_on,
                None => now.late,
            },
            until: promise.due_on,
        }
    };
    steps.iter().zip(followers).map(moment).collect()
}

/// What happened: the stage it came to, or what happened within one.
fn name_of(step: &TimelineStep) -> String {
    let stage = step.stage.clone().unwrap_or_default();
    if step.mark.is_empty() {
        named(stage.stage().as_str_name(), "PROPOSAL_STAGE_")
    } else {
        step.mark.clone()
    }
}

/// What a unit said, if it came by its answer.
fn detail_of(step: &TimelineStep) -> String {
    let stage: StageDetail = step.stage.clone().unwrap_or_default();
    named(stage.outcome().as_str_name(), "OUTCOME_")
}

/// A value of the contracts as a word: "OWNER_ROLE_UNIT_MANAGER" is "unit_manager"; empty for the unspecified one.
fn named(name: &str, prefix: &str) -> String {
    let name = name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
    if name == "unspecified" { String::new() } else { name }
}

impl From<RankingLine> for Place {
    fn from(line: RankingLine) -> Self {
        Self {
            rank: line.rank,
            idea: line.text,
            wins: line.wins,
            comparisons: line.comparisons,
            win_share: line.win_share.unwrap_or_default(),
            interval_low: line.interval_low.unwrap_or_default(),
            interval_high: line.interval_high.unwrap_or_default(),
            strength: line.strength.unwrap_or_default(),
        }
    }
}

impl From<PublishedIndicator> for Effect {
    fn from(indicator: PublishedIndicator) -> Self {
        Self {
            label: indicator.label,
            before: indicator.before_value,
            after: indicator.after_value,
            change: indicator.change,
            target: f64::from(indicator.target_hundredths) / 100.0,
            attainment_percent: indicator.attainment_percent,
        }
    }
}

impl From<FeedbackCard> for Card {
    fn from(card: FeedbackCard) -> Self {
        let lines = card.lines.into_iter().find(|lines| lines.language == "fi-selko").unwrap_or_default();
        Self {
            published_on: card.published_on,
            you_said: lines.you_said,
            we_did: lines.we_did,
            we_could_not: lines.we_could_not,
            next_step: lines.next_step,
            next_role: card.next_role,
            next_on: card.next_on,
        }
    }
}

impl Story {
    /// The ranking, the timelines and the card for people.
    pub fn text(&self, screen: Screen) -> String {
        let mut parts = vec![format!(
            "{}\n\n{}\n\n{} comparisons by {} visitors, {} pairs skipped",
            screen.heading(&format!("{}: ideas compared in pairs", example::CAMPAIGN)),
            self.ranking(),
            self.comparisons,
            self.sessions,
            self.skips
        )];
        for timeline in &self.timelines {
            let heading = screen.heading(&format!("Promise: {}", timeline.title));
            parts.push(format!("{heading}\n\n{}", timeline.table()));
        }
        let heading = screen.heading("Answers due in the last quarter of 2026");
        parts.push(format!("{heading}\n\n{}\n\n{}", self.answers_table(), self.in_time.sentence()));
        let heading = screen.heading(&format!("What changed: {}", example::IDEAS[example::FOLLOWED].title));
        parts.push(format!("{heading}\n\n{}", self.effects_table()));
        parts.push(format!("{}\n\n{}", screen.heading("Loop card, in plain Finnish"), self.card.text()));
        parts.join("\n\n")
    }

    fn effects_table(&self) -> String {
        let rows = self.effects.iter().map(|effect| {
            let reached = format!("{:.2} % of {:.2}", effect.attainment_percent, effect.target);
            let target = if effect.target > 0.0 { reached } else { String::new() };
            let [before, after] = [effect.before, effect.after].map(|value| format!("{value:.2}"));
            [effect.label.clone(), before, after, format!("{:+.2}", effect.change), target]
        });
        table(["Measured", "Before", "After", "Change", "Reached"], rows, &[1, 2, 3, 4])
    }

    fn answers_table(&self) -> String {
        let rows = self.answers.iter().map(|line| {
            let given = if line.given_on.is_empty() { "missing" } else { &line.given_on };
            let late = if line.days_late == 0 { String::new() } else { line.days_late.to_string() };
            [line.title.clone(), line.asked_on.clone(), line.due_on.clone(), given.to_owned(), late]
        });
        table(["Proposal", "Endorsed", "Due", "Answered", "Days late"], rows, &[4])
    }

    fn ranking(&self) -> String {
        let rows = self.ranking.iter().map(|place| {
            [
                place.rank.to_string(),
                place.idea.clone(),
                format!("{} of {}", place.wins, place.comparisons),
                format!("{:.2} %", place.win_share * 100.0),
                format!("{:.4}–{:.4}", place.interval_low, place.interval_high),
                format!("{:.6}", place.strength),
            ]
        });
        table(["Rank", "Idea", "Chosen", "Share", "95 %", "Bradley–Terry"], rows, &[0, 2, 3, 4, 5])
    }
}

impl InTime {
    fn sentence(self) -> String {
        let Self { due, on_time, late, missing, on_time_bp } = self;
        let share = percent(on_time_bp);
        format!("K4 answers in time: {on_time} of {due}, {share} ({late} late, {missing} missing)")
    }
}

impl Timeline {
    /// The steps as a table.
    pub fn table(&self) -> String {
        let rows = self.moments.iter().map(|moment| {
            let step = match moment.detail.as_str() {
                "" => moment.step.clone(),
                detail => format!("{}: {detail}", moment.step),
            };
            let late = if moment.late { "late" } else { "" };
            let turn = match moment.turn.as_str() {
                "" => String::new(),
                turn => format!("{turn}: {}", moment.next),
            };
            [moment.on.clone(), step, turn, moment.until.clone(), late.to_owned()]
                .map(|text| text.replace('_', " "))
        });
        table(["Date", "Step", "Whose turn it is then", "Until", ""], rows, &[])
    }
}

impl Card {
    fn text(&self) -> String {
        format!(
            "Sinä kerroit: {}\nMe teimme: {}\nEmme voineet: {}\nSeuraavaksi: {} ({}, {})",
            self.you_said, self.we_did, self.we_could_not, self.next_step, self.next_role, self.next_on
        )
    }
}
