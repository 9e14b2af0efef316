//! What a change brought about: measured before it and after it, or not claimed at all (P6).
//!
//! Planned ─▶ BaselineSet ─▶ Measured ─▶ Published. A mean is kept as a sum and a number of people, a rate as a count
//! and a number of weeks, and everything else is computed from these, unrounded.

use std::collections::BTreeMap;

use kernel::{Date, Fault, Invalid, ProposalId};

use crate::domain::wording::{LINE, required};

/// Most indicators of a report.
const MOST: usize = 12;

/// One measured value of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Answers of people: their sum and how many answered.
    Mean {
        /// Sum of the answers.
        sum: u64,
        /// People who answered.
        n: u32,
    },
    /// Something counted over a time: how often, in how many weeks. No people are in it.
    Rate {
        /// How often.
        count: u32,
        /// Weeks.
        weeks: u32,
    },
}

impl Measure {
    /// The value, unrounded: the mean of the answers, or times a week.
    pub fn value(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "sums of answers are far below 2^53")]
            Measure::Mean { sum, n } => sum as f64 / f64::from(n),
            Measure::Rate { count, weeks } => f64::from(count) / f64::from(weeks),
        }
    }

    /// What it was divided by: people or weeks.
    pub fn n(self) -> u32 {
        match self {
            Measure::Mean { n, .. } => n,
            Measure::Rate { weeks, .. } => weeks,
        }
    }

    /// Whether it tells too much about too few people to be shown.
    pub fn is_small(self, small_cell: u32) -> bool {
        matches!(self, Measure::Mean { n, .. } if n < small_cell)
    }

    fn is_same_kind(self, other: Measure) -> bool {
        matches!(
            (self, other),
            (Measure::Mean { .. }, Measure::Mean { .. }) | (Measure::Rate { .. }, Measure::Rate { .. })
        )
    }
}

/// An indicator before and, once it is measured, after the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Its id, for example "outings_per_week".
    pub id: String,
    /// What it is, in plain Finnish.
    pub label: String,
    /// Before the change.
    pub before: Measure,
    /// After it.
    pub after: Option<Measure>,
    /// The value to be reached, in hundredths; none if there is no target.
    pub target: Option<u32>,
}

impl Indicator {
    /// After minus before, unrounded; None while it is not measured.
    pub fn change(&self) -> Option<f64> {
        self.after.map(|after| after.value() - self.before.value())
    }

    /// How much of the target was reached, in per cent, unrounded; None without target or measurement.
    pub fn attainment(&self) -> Option<f64> {
        let target = self.target.filter(|target| *target > 0)?;
        self.after.map(|after| after.value() * 10_000.0 / f64::from(target))
    }

    /// Whether it is measured, and both values may be shown.
    pub fn is_shown(&self, small_cell: u32) -> bool {
        !self.before.is_small(small_cell) && self.after.is_some_and(|after| !after.is_small(small_cell))
    }
}

/// How far a report has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImpactState {
    /// Nothing was measured before the change.
    Planned,
    /// What was so before is known.
    BaselineSet,
    /// What is so after is known too.
    Measured,
    /// It was made public.
    Published,
}

impl ImpactState {
    /// Every state.
    pub const ALL: [ImpactState; 4] =
        [ImpactState::Planned, ImpactState::BaselineSet, ImpactState::Measured, ImpactState::Published];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ImpactState::Planned => "planned",
            ImpactState::BaselineSet => "baseline_set",
            ImpactState::Measured => "measured",
            ImpactState::Published => "published",
        }
    }
}

/// What a change brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpactReport {
    /// The proposal.
    pub proposal: ProposalId,
    /// How far it has come.
    pub state: ImpactState,
    /// Day of the baseline.
    pub baseline_on: Option<Date>,
    /// Day of the measurement.
    pub measured_on: Option<Date>,
    /// Day it was made public.
    pub published_on: Option<Date>,
    /// Its indicators, by id.
    pub indicators: Vec<Indicator>,
}

/// An indicator as it is measured before the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Its id.
    pub id: String,
    /// What it is.
    pub label: String,
    /// The value.
    pub before: Measure,
    /// The value to be reached, in hundredths.
    pub target: Option<u32>,
}

impl ImpactReport {
    /// Nothing is known yet.
    pub fn planned(proposal: ProposalId) -> Self {
        Self {
            proposal,
            state: ImpactState::Planned,
            baseline_on: None,
            measured_on: None,
            published_on: None,
            indicators: Vec::new(),
        }
    }

    /// Keeps what is so before the change; it may be said again until the change begins.
    ///
    /// # Errors
    /// Conflict `proposals.baseline_late` once the change has `started` (P6); Invalid, naming the field.
    pub fn set_baseline(
        mut self,
        indicators: Vec<Baseline>,
        started: bool,
        today: Date,
    ) -> Result<Self, Fault> {
        if started {
            return Err(Fault::conflict(
                "proposals.baseline_late",
                "What was so before a change is measured before it begins (P6). Without it only \"done\" can be said.",
            ));
        }
        if !(1..=MOST).contains(&indicators.len()) {
            let rule = format!("a baseline has 1 to {MOST} indicators");
            return Err(Invalid::new(rule, "send what was measured").in_field("indicators"));
        }
        let mut by_id = BTreeMap::new();
        for (index, one) in indicators.into_iter().enumerate() {
            let place = format!("indicators[{index}]");
            check_id(&format!("{place}.indicator_id"), &one.id)?;
            check_measure(&place, one.before)?;
            let rule = "an indicator says in plain Finnish what it is";
            let label = required(&format!("{place}.label"), &one.label, LINE, rule)?;
            let Baseline { id, before, target, .. } = one;
            let indicator = Indicator { id: id.clone(), label, before, after: None, target };
            if by_id.insert(id, indicator).is_some() {
                let rule = "an indicator is named once";
                return Err(
                    Invalid::new(rule, "leave the second one out").in_field(format!("{place}.indicator_id"))
                );
            }
        }
        self.indicators = by_id.into_values().collect();
        self.baseline_on = Some(today);
        self.state = ImpactState::BaselineSet;
        Ok(self)
    }

    /// Keeps what is so after the change; it may be said again until it is public.
    ///
    /// # Errors
    /// Conflict `proposals.no_baseline` (P6) or `proposals.impact_published`; Invalid for an indicator that the
    /// baseline does not have, or of another kind.
    pub fn record(mut self, measured: &[(String, Measure)], today: Date) -> Result<Self, Fault> {
        self.check_baseline()?;
        if self.state == ImpactState::Published {
            return Err(Fault::conflict(
                "proposals.impact_published",
                "What the change brought about is public already and is not measured again.",
            ));
        }
        if measured.is_empty() {
            let rule = "a measurement has an indicator at least";
            return Err(Invalid::new(rule, "send what was measured").in_field("measurements"));
        }
        for (index, (id, after)) in measured.iter().enumerate() {
            let place = format!("measurements[{index}]");
            check_measure(&place, *after)?;
            let found = self.indicators.iter_mut().find(|one| one.id == *id);
            let found = found.filter(|one| one.before.is_same_kind(*after)).ok_or_else(|| {
                let rule =
                    "only what was measured before the change is measured after it, in the same way (P6)";
                Invalid::new(rule, "send an indicator of the baseline")
                    .in_field(format!("{place}.indicator_id"))
            })?;
            found.after = Some(*after);
        }
        self.measured_on = Some(today);
        self.state = ImpactState::Measured;
        Ok(self)
    }

    /// Makes it public: every indicator of the baseline, so that nobody chooses the good ones.
    ///
    /// # Errors
    /// Conflict `proposals.no_baseline` (P6), `proposals.not_measured` or `proposals.impact_published`.
    pub fn publish(mut self, today: Date) -> Result<Self, Fault> {
        self.check_baseline()?;
        if self.indicators.iter().any(|one| one.after.is_none()) {
            return Err(Fault::conflict(
                "proposals.not_measured",
                "Every indicator of the baseline is measured before an effect is published (P6). Record the \
                 measurement first.",
            ));
        }
        self.published_on = Some(today);
        self.state = ImpactState::Published;
        Ok(self)
    }

    fn check_baseline(&self) -> Result<(), Fault> {
        if self.state != ImpactState::Planned {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.no_baseline",
            "Nothing was measured before the change, so no effect can be claimed (P6). Say in the feedback that it is \
             done.",
        ))
    }
}

fn check_id(field: &str, id: &str) -> Result<(), Fault> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=40).contains(&id.len()) && id.bytes().all(known) {
        return Ok(());
    }
    let rule = "an indicator's id has 1 to 40 small letters, digits and underscores";
    Err(Invalid::new(rule, "send for example \"outings_per_week\"").in_field(field))
}

fn check_measure(place: &str, measure: Measure) -> Result<(), Fault> {
    if (1..=1_000_000).contains(&measure.n()) && measure.value() <= 1_000_000.0 {
        return Ok(());
    }
    let rule = "a value was counted over at least one person or week";
    Err(Invalid::new(rule, "send how many there were").in_field(place))
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use time::macros::date;

    use super::*;

    const BEFORE: Date = date!(2026 - 11 - 30);
    const AFTER: Date = date!(2027 - 03 - 15);

    fn baseline(id: &str, before: Measure, target: Option<u32>) -> Baseline {
        Baseline { id: id.to_owned(), label: "Ulkoilu".to_owned(), before, target }
    }

    fn planned() -> ImpactReport {
        ImpactReport::planned(Uuid::from_u128(1).into())
    }

    /// Scenario 4: outings, satisfaction, being heard.
    fn report() -> ImpactReport {
        let before = vec![
            baseline("outings_per_week", Measure::Rate { count: 13, weeks: 13 }, Some(300)),
            baseline("satisfaction", Measure::Mean { sum: 65, n: 19 }, None),
            baseline("heard", Measure::Mean { sum: 70, n: 19 }, None),
        ];
        planned().set_baseline(before, false, BEFORE).unwrap()
    }

    fn measured() -> Vec<(String, Measure)> {
        vec![
            ("outings_per_week".to_owned(), Measure::Rate { count: 36, weeks: 13 }),
            ("satisfaction".to_owned(), Measure::Mean { sum: 76, n: 18 }),
            ("heard".to_owned(), Measure::Mean { sum: 81, n: 18 }),
        ]
    }

    fn round(value: f64, digits: i32) -> f64 {
        (value * 10f64.powi(digits)).round() / 10f64.powi(digits)
    }

    #[test]
    fn p6_differences_are_computed_from_unrounded_means() {
        let report = report().record(&measured(), AFTER).unwrap();
        let of = |id: &str| report.indicators.iter().find(|one| one.id == id).unwrap();
        let figures = |id: &str| {
            let one = of(id);
            let after = one.after.unwrap();
            [round(one.before.value(), 2), round(after.value(), 2), round(one.change().unwrap(), 4)]
        };
        assert_eq!(figures("satisfaction"), [3.42, 4.22, 0.8012]);
        assert_eq!(figures("heard"), [3.68, 4.5, 0.8158]);
        assert_eq!(figures("outings_per_week"), [1.0, 2.77, 1.7692]);
        assert_eq!(round(of("outings_per_week").attainment().unwrap(), 2), 92.31);
        assert_eq!(of("heard").attainment(), None, "it has no target");
    }

    #[test]
    fn p6_without_a_baseline_no_effect_is_claimed() {
        let codes = [planned().record(&measured(), AFTER), planned().publish(AFTER)]
            .map(|refused| refused.unwrap_err().code().to_owned());
        assert_eq!(codes, ["proposals.no_baseline", "proposals.no_baseline"]);
    }

    #[test]
    fn p6_a_baseline_is_set_before_the_change_begins() {
        let one = vec![baseline("heard", Measure::Mean { sum: 70, n: 19 }, None)];
        let late = planned().set_baseline(one.clone(), true, BEFORE).unwrap_err();
        assert_eq!(late.code(), "proposals.baseline_late");
        let again = report().set_baseline(one, false, BEFORE).unwrap();
        assert_eq!(again.indicators.len(), 1, "it may be said again before");
    }

    #[test]
    fn p6_every_indicator_of_the_baseline_is_measured_before_an_effect_is_published() {
        let some = report().record(&measured()[..2], AFTER).unwrap();
        assert_eq!(some.clone().publish(AFTER).unwrap_err().code(), "proposals.not_measured");
        let all = some.record(&measured()[2..], AFTER).unwrap().publish(AFTER).unwrap();
        assert_eq!((all.state, all.published_on), (ImpactState::Published, Some(AFTER)));
        let again = all.record(&measured(), AFTER).unwrap_err();
        assert_eq!(again.code(), "proposals.impact_published");
    }

    #[test]
    fn p6_only_what_was_measured_before_is_measured_after_in_the_same_way() {
        for wrong in
            [("unknown", Measure::Mean { sum: 1, n: 1 }), ("heard", Measure::Rate { count: 1, weeks: 1 })]
        {
            let refused = report().record(&[(wrong.0.to_owned(), wrong.1)], AFTER).unwrap_err();
            assert_eq!(refused.fields()[0].field, "measurements[0].indicator_id");
        }
    }

    #[test]
    fn a_mean_of_few_people_is_not_shown_and_a_count_of_events_is() {
        let indicator = |before, after| Indicator {
            id: "heard".to_owned(),
            label: "Kuultu".to_owned(),
            before,
            after: Some(after),
            target: None,
        };
        let mean = |n| Measure::Mean { sum: 8, n };
        assert!(indicator(mean(5), mean(5)).is_shown(5));
        assert!(!indicator(mean(4), mean(5)).is_shown(5));
        assert!(!indicator(mean(5), mean(4)).is_shown(5));
        let rate = Measure::Rate { count: 2, weeks: 2 };
        assert!(indicator(rate, rate).is_shown(5));
    }

    #[test]
    fn what_cannot_be_a_measurement_is_refused() {
        let one = |id: &str, before| planned().set_baseline(vec![baseline(id, before, None)], false, BEFORE);
        let good = Measure::Mean { sum: 1, n: 1 };
        assert!(one("heard", good).is_ok());
        for (id, before) in [
            ("", good),
            ("Ääni", good),
            ("heard", Measure::Mean { sum: 1, n: 0 }),
            ("heard", Measure::Rate { count: 1, weeks: 0 }),
        ] {
            assert!(one(id, before).is_err(), "{id} {before:?}");
        }
        let twice = vec![baseline("heard", good, None), baseline("heard", good, None)];
        let refused = planned().set_baseline(twice, false, BEFORE).unwrap_err();
        assert_eq!(refused.fields()[0].field, "indicators[1].indicator_id");
    }
}
