//! Answers, the change and its effect, and what is told back.

use std::time::{Duration, Instant};

use proto::proposals::measured_value::Value;
use proto::proposals::{
    Answer, AnswerText, ApprovePlainFeedbackRequest, BaselineIndicator, CloseProposalRequest,
    CompleteChangeRequest, DraftFeedbackRequest, GetResponseRequest, GiveResponseRequest, LoopLines,
    MeanValue, MeasuredValue, Measurement, Outcome, PlanChangeRequest, PublishFeedbackRequest,
    PublishImpactRequest, RateValue, RecordMeasurementRequest, ResponseState, SetBaselineRequest,
    StartChangeRequest,
};
use tonic::Status;

use super::{Ideas, example};
use crate::demo::example::LEAD;
use crate::demo::play::during;
use crate::exit::{Exit, Failure};

/// How long a timer may take once its hour has come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks whether it has.
const LOOK: Duration = Duration::from_millis(50);
/// Weeks in which outings are counted.
const WEEKS: u32 = 13;

/// What is measured: id and label; before and after, outings as a count and the others as sum and number of answers; the
/// target in hundredths.
type Measure = (&'static str, &'static str, [(u32, u32); 2], u32);
const MEASURED: [Measure; 3] = [
    ("outings_per_week", "Ulkoilukertoja viikossa", [(13, WEEKS), (36, WEEKS)], 300),
    ("satisfaction", "Tyytyväisyys päivään", [(65, 19), (76, 18)], 0),
    ("heard", "Minua kuunnellaan", [(70, 19), (81, 18)], 0),
];

impl Ideas<'_> {
    /// The manager of the followed idea's unit answers in time; the other answer is late, the machinery reminds and
    /// escalates, and then it comes (P3, P4).
    ///
    /// # Errors
    /// What proposals answers.
    pub async fn answer(&self) -> Result<(), Failure> {
        self.play.settle().await?;
        self.play.day(example::ANSWERED_EARLY).await?;
        self.answer_others(example::ANSWERED_EARLY).await?;
        self.play.day(example::ANSWERED).await?;
        let answer = Answer {
            outcome: Outcome::AcceptedInPart.into(),
            texts: texts(
                "Ulkoilua lisätään yhdestä kolmeen kertaan viikossa. Joka päivä ei onnistu, koska ulkona tarvitaan \
                 kaksi ohjaajaa.",
                "Ulkoilemme kolme kertaa viikossa. Joka päivä emme voi. Ulkona tarvitaan kaksi ohjaajaa.",
                "Ulkoilu lisääntyy 1.12.2026. Katsomme asiaa uudelleen maaliskuussa 2027.",
            ),
            next_role: "päivätoiminnan vastaava ohjaaja".to_owned(),
            next_on: example::STARTED.to_owned(),
            ..Default::default()
        };
        self.give_idea(example::FOLLOWED, answer).await?;
        self.done(example::ANSWERED, "the unit answers: accepted in part, 23 days after the endorsement");
        self.answer_others(example::ANSWERED).await?;
        for (day, hour, state, what) in [
            (example::ANSWERED, 17, ResponseState::Reminded, "units whose answers are missing are reminded"),
            (
                example::OVERDUE,
                9,
                ResponseState::EscalatedToCoordinator,
                "four answers are overdue: coordinators are told",
            ),
            (
                example::ESCALATED,
                9,
                ResponseState::EscalatedToManager,
                "they are still missing: managers are told",
            ),
        ] {
            self.play.hour(day, hour).await?;
            self.until(state).await?;
            self.done(day, what);
        }
        Ok(())
    }

    /// Waits until the machinery has come so far by itself with every answer that is still missing then.
    async fn until(&self, state: ResponseState) -> Result<(), Failure> {
        let in_time = [example::ANSWERED_EARLY, example::ANSWERED];
        let others = example::OTHERS.iter().zip(&self.others);
        let missing = others.filter(|(other, _)| !in_time.contains(&other.answered)).map(|(_, id)| id);
        for proposal_id in missing.chain([&self.proposals[example::LATE]]) {
            self.until_answer(proposal_id, state).await?;
        }
        Ok(())
    }

    async fn until_answer(&self, proposal_id: &str, state: ResponseState) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            let request = GetResponseRequest { proposal_id: proposal_id.to_owned() };
            let asked = self.play.server.public().answers().get_response(request).await;
            let response =
                asked.map_err(during("ask for an answer"))?.into_inner().response.unwrap_or_default();
            if response.state() == state {
                return Ok(());
            }
            if Instant::now() > end {
                let message = format!("an answer is {:?} and not {state:?}", response.state());
                return Err(Failure::new(Exit::Failure, message).remedy("See: osallisuus status"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The late answer comes.
    ///
    /// # Errors
    /// What proposals answers.
    async fn answer_late(&self) -> Result<(), Failure> {
        let answer = Answer {
            outcome: Outcome::Trial.into(),
            texts: texts(
                "Retkeä kokeillaan keväällä 2027. Vastaus viipyi, koska kyydeistä piti sopia ensin.",
                "Kokeilemme retkiä keväällä 2027. Vastaus tuli myöhässä. Kyydit piti sopia ensin.",
                "Ensimmäinen retki on tammikuussa 2027.",
            ),
            next_role: "työtoiminnan vastaava ohjaaja".to_owned(),
            next_on: "2027-01-29".to_owned(),
            trial_ends_on: "2027-05-31".to_owned(),
            trial_evaluation: "Kysymme retkeläisiltä toukokuussa, jatketaanko.".to_owned(),
            ..Default::default()
        };
        self.give_idea(example::LATE, answer).await?;
        self.done(example::STARTED, "a late answer comes, 50 days after the endorsement, 20 late");
        Ok(())
    }

    /// The answers to the other proposals that are given on this day.
    async fn answer_others(&self, day: &str) -> Result<(), Failure> {
        let due: Vec<_> =
            example::OTHERS.iter().zip(&self.others).filter(|(other, _)| other.answered == day).collect();
        for (other, proposal_id) in &due {
            let answer = Answer {
                outcome: Outcome::Accepted.into(),
                texts: texts(
                    "Ehdotus toteutetaan keväällä 2027 yhdessä asiakkaiden kanssa.",
                    "Teemme näin keväällä 2027. Teemme sen yhdessä.",
                    "Sovimme alkuvuodesta, miten tämä tehdään.",
                ),
                next_role: "vastaava ohjaaja".to_owned(),
                next_on: "2027-04-30".to_owned(),
                ..Default::default()
            };
            self.give(other.unit, proposal_id, answer)
                .await
                .map_err(during(&format!("answer {}", other.title)))?;
        }
        self.done(day, &format!("answers to {} of the other proposals", due.len()));
        Ok(())
    }

    async fn give_idea(&self, idea: usize, answer: Answer) -> Result<(), Failure> {
        let (unit, title) = (example::IDEAS[idea].unit, example::IDEAS[idea].title);
        self.give(unit, &self.proposals[idea], answer).await.map_err(during(&format!("answer {title}")))
    }

    async fn give(&self, unit: &str, proposal_id: &str, answer: Answer) -> Result<(), Status> {
        let request = GiveResponseRequest {
            unit_id: self.unit(unit),
            proposal_id: proposal_id.to_owned(),
            answer: Some(answer),
            reviewed: true,
        };
        let manager = self.managers.get(unit).ok_or_else(|| Status::internal("nobody manages the unit"))?;
        manager.answers().give_response(request).await?;
        Ok(())
    }

    /// The change of the followed idea: baseline, start, end, measurement, impact, loop card; then it is closed (P6, P7).
    ///
    /// # Errors
    /// What proposals answers.
    pub async fn change(&self) -> Result<(), Failure> {
        let (unit_id, proposal_id) = (self.unit(example::IDEAS[0].unit), self.proposals[0].clone());
        let manager = self.manager(example::IDEAS[example::FOLLOWED].unit)?;
        let mut changes = manager.changes();
        self.play.day(example::BASELINE).await?;
        let indicators = MEASURED.iter().map(|(id, label, [before, _], target)| BaselineIndicator {
            indicator_id: (*id).to_owned(),
            label: (*label).to_owned(),
            before: Some(value(id, *before)),
            target_hundredths: *target,
        });
        let request = SetBaselineRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            indicators: indicators.collect(),
            ..Default::default()
        };
        changes.set_baseline(request).await.map_err(during("set the baseline"))?;
        let request = PlanChangeRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            steps: [
                "Sovimme ulkoilupäivät yhdessä",
                "Kaksi ohjaajaa joka kerralle",
                "Merkitsemme jokaisen kerran",
            ]
            .map(str::to_owned)
            .to_vec(),
            due_on: example::COMPLETED.to_owned(),
            ..Default::default()
        };
        changes.plan_change(request).await.map_err(during("plan the change"))?;
        self.done(example::BASELINE, "before the change outings are counted, and people asked");
        self.play.day(example::STARTED).await?;
        let request = StartChangeRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            ..Default::default()
        };
        changes.start_change(request).await.map_err(during("start the change"))?;
        self.answer_late().await?;
        self.answer_others(example::STARTED).await?;
        self.play.day(example::COMPLETED).await?;
        self.answer_others(example::COMPLETED).await?;
        let request = CompleteChangeRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            ..Default::default()
        };
        changes.complete_change(request).await.map_err(during("complete the change"))?;
        self.done(example::COMPLETED, "the change is made: three outings a week");
        self.play.day(example::PUBLISHED).await?;
        let measurements = MEASURED.iter().map(|(id, _, [_, after], _)| Measurement {
            indicator_id: (*id).to_owned(),
            after: Some(value(id, *after)),
        });
        let request = RecordMeasurementRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            measurements: measurements.collect(),
            ..Default::default()
        };
        changes.record_measurement(request).await.map_err(during("record the measurement"))?;
        let request = PublishImpactRequest { unit_id, proposal_id, ..Default::default() };
        changes.publish_impact(request).await.map_err(during("publish the impact"))?;
        self.done(example::PUBLISHED, "after it the same is measured again, and published");
        self.tell_back().await
    }

    /// The loop card; closing is allowed only after it.
    async fn tell_back(&self) -> Result<(), Failure> {
        let (unit_id, proposal_id) = (self.unit(example::IDEAS[0].unit), self.proposals[0].clone());
        let mut feedback = self.manager(example::IDEAS[example::FOLLOWED].unit)?.feedback();
        let request = DraftFeedbackRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            lines: Some(LoopLines {
                language: "fi-selko".to_owned(),
                you_said: "Haluamme ulos useammin.".to_owned(),
                we_did: "Ulkoilemme kolme kertaa viikossa.".to_owned(),
                we_could_not: "Joka päivä, koska ulkona tarvitaan kaksi ohjaajaa.".to_owned(),
                next_step: "Katsomme asiaa uudelleen 30.9.2027.".to_owned(),
            }),
            next_role: "vastaava ohjaaja".to_owned(),
            next_on: "2027-09-30".to_owned(),
            ..Default::default()
        };
        feedback.draft_feedback(request).await.map_err(during("draft the feedback"))?;
        let request = ApprovePlainFeedbackRequest {
            unit_id: unit_id.clone(),
            proposal_id: proposal_id.clone(),
            ..Default::default()
        };
        feedback.approve_plain_feedback(request).await.map_err(during("approve the feedback"))?;
        let request =
            PublishFeedbackRequest { unit_id, proposal_id: proposal_id.clone(), ..Default::default() };
        feedback.publish_feedback(request).await.map_err(during("publish the feedback"))?;
        let request = CloseProposalRequest { tenant: LEAD.to_owned(), proposal_id };
        let closed = self.coordinator.feedback().close_proposal(request).await;
        closed.map_err(during("close the proposal"))?;
        self.done(example::PUBLISHED, "told back to author, supporters and helper; closed");
        Ok(())
    }
}

/// Reasons in standard and plain Finnish, and what comes next.
fn texts(reasons: &str, plain: &str, next_steps: &str) -> Vec<AnswerText> {
    let text = |language: &str, reasons: &str| AnswerText {
        language: language.to_owned(),
        reasons: reasons.to_owned(),
        next_steps: next_steps.to_owned(),
        ..Default::default()
    };
    vec![text("fi", reasons), text("fi-selko", plain)]
}

/// A count a week, or a mean of answers.
fn value(id: &str, (sum, of): (u32, u32)) -> MeasuredValue {
    let value = match id {
        "outings_per_week" => Value::Rate(RateValue { count: sum, weeks: of }),
        _ => Value::Mean(MeanValue { sum: sum.into(), n: of }),
    };
    MeasuredValue { value: Some(value) }
}
