//! Days and steps of an answer.

use std::collections::BTreeSet;

use kernel::policy::PolicyValue;
use kernel::{FaultKind, Role, Uuid};
use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::domain::proposal::Outcome;
use crate::domain::text::{Field, Form, Hand, ReviewMethod, Reviewer, Texts};

fn asked() -> Asked {
    Asked {
        proposal: Uuid::from_u128(1).into(),
        tenant: TenantId::new("19").unwrap(),
        unit: Uuid::from_u128(2).into(),
    }
}

fn endorsed(on: Date) -> UnitResponse {
    UnitResponse::requested(asked(), on, &Policies::default())
}

fn noon(day: Date) -> Timestamp {
    start_of_day(day) + Duration::hours(12)
}

fn all(mut response: UnitResponse, now: Timestamp) -> (UnitResponse, Vec<ResponseEvent>) {
    let steps = response.due_steps(now);
    for step in &steps {
        response = response.apply(step);
    }
    (response, steps)
}

const LATE: [ResponseEvent; 4] = [
    ResponseEvent::Reminded,
    ResponseEvent::Overdue,
    ResponseEvent::Escalated(Level::Coordinator),
    ResponseEvent::Escalated(Level::Manager),
];

#[test]
fn p3_the_days_of_an_answer_to_an_endorsement_of_12_10_2026() {
    let days = endorsed(date!(2026 - 10 - 12)).days;
    assert_eq!(
        [days.remind_on, days.due_on, days.late_on(), days.manager_on],
        [date!(2026 - 11 - 04), date!(2026 - 11 - 11), date!(2026 - 11 - 12), date!(2026 - 11 - 26)]
    );
}

#[test]
fn p3_a_due_day_on_a_holy_day_moves_to_the_next_working_day() {
    assert_eq!(endorsed(date!(2026 - 11 - 06)).days.due_on, date!(2026 - 12 - 07), "Monday");
}

#[test]
fn p3_each_step_is_taken_on_its_day_and_once() {
    let mut response = endorsed(date!(2026 - 10 - 12));
    let mut day = date!(2026 - 10 - 12);
    let mut taken = Vec::new();
    while day < date!(2026 - 12 - 31) {
        let evening = start_of_day(day) + Duration::hours(20);
        let (after, steps) = all(response, evening);
        taken.extend(steps.into_iter().map(|step| (day, step)));
        response = after;
        day = day.next_day().unwrap();
    }
    let days = [date!(2026 - 11 - 04), date!(2026 - 11 - 12), date!(2026 - 11 - 12), date!(2026 - 11 - 26)];
    assert_eq!(taken, days.into_iter().zip(LATE).collect::<Vec<_>>());
}

#[test]
fn p3_a_timer_that_comes_late_takes_all_steps_in_order_once() {
    let (response, steps) = all(endorsed(date!(2026 - 10 - 12)), noon(date!(2027 - 01 - 15)));
    assert_eq!(steps, LATE);
    assert_eq!(response.state, ResponseState::EscalatedToManager);
    assert_eq!(response.due_steps(noon(date!(2027 - 02 - 15))), []);
}

#[test]
fn p3_who_answers_on_the_day_of_the_reminder_is_not_reminded() {
    let response = endorsed(date!(2026 - 10 - 12));
    let day = date!(2026 - 11 - 04);
    assert_eq!(response.due_steps(noon(day)), []);
    let given = response.give(day).unwrap();
    assert_eq!(given, ResponseEvent::Given { on: day, days: 23, days_late: 0 });
    let after = response.apply(&given);
    assert!(after.is_on_time());
    assert_eq!(after.due_steps(noon(date!(2027 - 01 - 15))), [], "an answer ends the timers");
}

#[test]
fn p3_an_answer_50_days_after_the_endorsement_is_20_days_late() {
    let response = endorsed(date!(2026 - 10 - 12));
    let today = date!(2026 - 12 - 01);
    assert_eq!(response.days_late(today), 20);
    let given = response.give(today).unwrap();
    assert_eq!(given, ResponseEvent::Given { on: today, days: 50, days_late: 20 });
    let after = response.apply(&given);
    assert!(!after.is_on_time());
    assert_eq!(after.days_late(date!(2027 - 05 - 01)), 20, "it does not grow later");
}

#[test]
fn p3_an_extension_of_14_days_moves_11_11_to_25_11_and_a_second_is_refused() {
    let response = endorsed(date!(2026 - 10 - 12));
    let today = date!(2026 - 11 - 09);
    let (reminded, _) = all(response, noon(today));
    assert_eq!(reminded.state, ResponseState::Reminded);
    let moved = reminded.extend(14, today, &Policies::default()).unwrap();
    let after = reminded.apply(&moved);
    assert_eq!(
        [after.days.remind_on, after.days.due_on, after.days.manager_on],
        [date!(2026 - 11 - 18), date!(2026 - 11 - 25), date!(2026 - 12 - 10)]
    );
    assert_eq!((after.version, after.state), (2, ResponseState::Requested), "it is reminded anew");
    let again = after.extend(1, today, &Policies::default()).unwrap_err();
    assert_eq!(again.code(), "proposals.response_extended");
}

#[test]
fn p3_only_days_that_local_policy_allows_and_only_before_the_due_day_has_passed() {
    let response = endorsed(date!(2026 - 10 - 12));
    let policies = Policies::default();
    for days in [0, 15, u32::MAX] {
        let refused = response.extend(days, date!(2026 - 11 - 09), &policies).unwrap_err();
        assert_eq!((refused.kind(), refused.fields()[0].field.as_str()), (FaultKind::Invalid, "days"));
    }
    assert!(response.extend(1, date!(2026 - 11 - 11), &policies).is_ok(), "on the due day still");
    let late = response.extend(1, date!(2026 - 11 - 12), &policies).unwrap_err();
    assert_eq!(late.code(), "proposals.response_overdue");
    let given = response.give(date!(2026 - 11 - 04)).unwrap();
    let given = response.apply(&given).extend(1, date!(2026 - 11 - 04), &policies).unwrap_err();
    assert_eq!(given.code(), "proposals.response_given");
}

#[test]
fn p3_a_short_period_of_local_policy_is_reminded_of_after_the_request_only() {
    let key = PolicyKey::ResponseDays;
    let week = PolicyValue { key, value: 7, valid_from: date!(2026 - 01 - 01) };
    let response = UnitResponse::requested(asked(), date!(2026 - 10 - 12), &Policies::new(vec![week]));
    assert_eq!(
        (response.days.due_on, response.days.remind_on),
        (date!(2026 - 10 - 19), date!(2026 - 10 - 13))
    );
}

#[test]
fn p5_who_wrote_it_or_is_disqualified_does_not_answer() {
    let people: Vec<Subject> = (1..=4).map(|number| Uuid::from_u128(number).into()).collect();
    let acting = Acting { recorder: Some(people[2]), helper: Some(people[3]), ..Acting::alone() };
    assert_eq!(check_responder(people[0], &people[1..2], &acting, false), Ok(()));
    for (responder, declared) in
        [(people[1], false), (people[2], false), (people[3], false), (people[0], true)]
    {
        let refused = check_responder(responder, &people[1..2], &acting, declared).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (FaultKind::Forbidden, "proposals.disqualified"));
    }
}

const TODAY: Date = date!(2026 - 11 - 04);

fn whole(outcome: Outcome) -> Answer {
    Answer {
        outcome: Some(outcome),
        next_role: "vastaava ohjaaja".to_owned(),
        next_on: Some(date!(2026 - 12 - 01)),
        trial_ends_on: Some(date!(2027 - 03 - 01)),
        trial_evaluation: "Kysymme asiakkailta.".to_owned(),
        forwarded_to: "aluehallitus".to_owned(),
        forwarded_due_on: Some(date!(2026 - 12 - 15)),
    }
}

fn written(fields: &[Field]) -> Texts {
    let mut texts = Texts::default();
    for field in fields {
        texts.write(*field, Form::EasyFinnish, "Ulkona tarvitaan kaksi ohjaajaa.", Hand::Human).unwrap();
    }
    texts
}

/// Texts in plain Finnish, found plain by a manager.
fn reviewed(fields: &[Field]) -> Texts {
    let mut texts = written(fields);
    let (person, role) = (Uuid::from_u128(9).into(), Role::UnitManager);
    let by = Reviewer { person, role, method: ReviewMethod::PlainLanguageCheck };
    for field in fields {
        texts.review(*field, Form::EasyFinnish, 1, by, TODAY).unwrap();
    }
    texts
}

fn check(answer: &Answer, texts: &Texts) -> Result<Outcome, Fault> {
    answer.check(texts, &BTreeSet::from([Form::Finnish]), TODAY)
}

const SAID: [Field; 2] = [Field::Reasons, Field::NextSteps];

fn refused(answer: &Answer) -> String {
    check(answer, &reviewed(&SAID)).unwrap_err().fields()[0].field.clone()
}

#[test]
fn p4_an_answer_says_outcome_reasons_next_step_role_and_day() {
    let full = || whole(Outcome::Accepted);
    assert_eq!(check(&full(), &reviewed(&SAID)), Ok(Outcome::Accepted));
    let without = [
        (Answer { outcome: None, ..full() }, "answer.outcome"),
        (Answer { next_role: String::new(), ..full() }, "answer.next_role"),
        (Answer { next_on: None, ..full() }, "answer.next_on"),
        (Answer { next_on: TODAY.previous_day(), ..full() }, "answer.next_on"),
    ];
    for (answer, field) in without {
        assert_eq!(refused(&answer), field);
    }
    for lacking in [reviewed(&SAID[..1]), reviewed(&SAID[1..]), Texts::default(), written(&SAID)] {
        let refused = check(&full(), &lacking).unwrap_err();
        assert_eq!(refused.code(), "proposals.forms_missing", "in plain language, and reviewed");
    }
}

#[test]
fn p4_a_rejection_says_what_would_have_to_change_or_an_alternative() {
    let rejected = whole(Outcome::Rejected);
    assert_eq!(refused(&rejected), "answer.texts.alternative");
    assert!(check(&rejected, &reviewed(&[Field::Reasons, Field::NextSteps, Field::Alternative])).is_ok());
}

#[test]
fn s1_18_a_try_out_ends_and_is_evaluated() {
    let trial = whole(Outcome::Trial);
    assert!(check(&trial, &reviewed(&SAID)).is_ok());
    let endless = Answer { trial_ends_on: Some(TODAY), ..trial.clone() };
    assert_eq!(refused(&endless), "answer.trial_ends_on");
    let unevaluated = Answer { trial_evaluation: String::new(), ..trial };
    assert_eq!(refused(&unevaluated), "answer.trial_evaluation");
}

#[test]
fn p4_what_somebody_higher_decides_names_them_and_the_day() {
    let forwarded = whole(Outcome::NeedsHigherDecision);
    assert!(check(&forwarded, &reviewed(&SAID)).is_ok());
    let nobody = Answer { forwarded_to: String::new(), ..forwarded.clone() };
    assert_eq!(refused(&nobody), "answer.forwarded_to");
    let never = Answer { forwarded_due_on: None, ..forwarded };
    assert_eq!(refused(&never), "answer.forwarded_due_on");
}

proptest! {
    /// Whatever the days of the timers are: the same steps in the same order, none twice, none before its day, and
    /// never an answer by itself.
    #[test]
    fn p3_timers_at_any_days_take_the_same_steps(
        offset in 0i64..3_000,
        mut looks in proptest::collection::vec(0i64..120, 0..12),
    ) {
        let start = date!(2026 - 01 - 01) + Duration::days(offset);
        let mut response = endorsed(start);
        looks.sort_unstable();
        let mut taken = Vec::new();
        for look in looks {
            let now = noon(start + Duration::days(look));
            let (after, steps) = all(response, now);
            taken.extend(steps);
            response = after;
            prop_assert!(response.next_step().is_none_or(|(_, at)| at > now));
            prop_assert!(!response.state.is_answered());
        }
        prop_assert_eq!(&taken[..], &LATE[..taken.len()]);
    }
}
