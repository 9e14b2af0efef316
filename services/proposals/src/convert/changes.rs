//! Changes and what they brought about.

use kernel::{Date, Fault};
use proto::proposals as pb;
use proto::proposals::measured_value::Value;

use super::answers::needed;
use crate::domain::impact::{Baseline, ImpactReport, ImpactState, Indicator, Measure};
use crate::domain::implementation::{ImplementationPlan, PlanState};

/// The plan of a change.
pub fn plan(of: &ImplementationPlan) -> pb::ImplementationPlan {
    let state = match of.state {
        PlanState::Drafted => pb::PlanState::Drafted,
        PlanState::Started => pb::PlanState::Started,
        PlanState::Delayed => pb::PlanState::Delayed,
        PlanState::Completed => pb::PlanState::Completed,
        PlanState::Cancelled => pb::PlanState::Cancelled,
    };
    let steps = of.steps.iter().map(|step| pb::PlanStep { what: step.what.clone(), done: step.done });
    pb::ImplementationPlan {
        state: state.into(),
        steps: steps.collect(),
        percent: of.percent,
        due_on: of.due_on.to_string(),
        started_on: maybe(of.started_on),
        ended_on: maybe(of.ended_on),
        delay_reason: of.delay_reason.clone(),
    }
}

/// What a change brought about. Its indicators once it is public, but for means of fewer people than `small_cell`.
pub fn impact(of: &ImpactReport, small_cell: u32) -> pb::ImpactReport {
    let state = match of.state {
        ImpactState::Planned => pb::ImpactState::Planned,
        ImpactState::BaselineSet => pb::ImpactState::BaselineSet,
        ImpactState::Measured => pb::ImpactState::Measured,
        ImpactState::Published => pb::ImpactState::Published,
    };
    let published = if of.state == ImpactState::Published { &of.indicators[..] } else { &[] };
    let (shown, hidden): (Vec<&Indicator>, Vec<&Indicator>) =
        published.iter().partition(|one| one.is_shown(small_cell));
    pb::ImpactReport {
        state: state.into(),
        baseline_on: maybe(of.baseline_on),
        measured_on: maybe(of.measured_on),
        published_on: maybe(of.published_on),
        indicators: shown.into_iter().filter_map(indicator).collect(),
        hidden_indicators: u32::try_from(hidden.len()).unwrap_or(u32::MAX),
    }
}

fn indicator(of: &Indicator) -> Option<pb::PublishedIndicator> {
    let after = of.after?;
    Some(pb::PublishedIndicator {
        indicator_id: of.id.clone(),
        label: of.label.clone(),
        before: Some(value(of.before)),
        after: Some(value(after)),
        before_value: of.before.value(),
        after_value: after.value(),
        change: of.change()?,
        target_hundredths: of.target.unwrap_or(0),
        attainment_percent: of.attainment().unwrap_or(0.0),
    })
}

fn value(of: Measure) -> pb::MeasuredValue {
    let value = match of {
        Measure::Mean { sum, n } => Value::Mean(pb::MeanValue { sum, n }),
        Measure::Rate { count, weeks } => Value::Rate(pb::RateValue { count, weeks }),
    };
    pb::MeasuredValue { value: Some(value) }
}

/// What was measured before a change.
pub fn baselines(indicators: Vec<pb::BaselineIndicator>) -> Result<Vec<Baseline>, Fault> {
    let baseline = |(index, one): (usize, pb::BaselineIndicator)| -> Result<Baseline, Fault> {
        let before = measure(&format!("indicators[{index}].before"), one.before)?;
        let target = Some(one.target_hundredths).filter(|target| *target > 0);
        Ok(Baseline { id: one.indicator_id, label: one.label, before, target })
    };
    indicators.into_iter().enumerate().map(baseline).collect()
}

/// What was measured after a change.
pub fn measurements(measured: Vec<pb::Measurement>) -> Result<Vec<(String, Measure)>, Fault> {
    let measurement = |(index, one): (usize, pb::Measurement)| -> Result<(String, Measure), Fault> {
        Ok((one.indicator_id, measure(&format!("measurements[{index}].after"), one.after)?))
    };
    measured.into_iter().enumerate().map(measurement).collect()
}

fn measure(field: &str, value: Option<pb::MeasuredValue>) -> Result<Measure, Fault> {
    Ok(match needed(field, value.and_then(|value| value.value))? {
        Value::Mean(pb::MeanValue { sum, n }) => Measure::Mean { sum, n },
        Value::Rate(pb::RateValue { count, weeks }) => Measure::Rate { count, weeks },
    })
}

fn maybe(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
