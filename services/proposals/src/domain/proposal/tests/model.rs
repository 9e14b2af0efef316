//! Random histories of commands and clock jumps against what must always hold: somebody's turn, a step and a day; and
//! nothing closes without feedback (P7).

use proptest::prelude::*;

use super::*;

/// Something that happens to a proposal, or time that passes.
#[derive(Debug, Clone)]
enum Happening {
    Days(u16),
    Submit,
    Screen,
    Reject(ScreeningReason),
    Redirect(Redirection),
    Merge,
    Split,
    Withdraw,
    Route(u128),
    Hide,
    Confirm,
    Shortlist,
    Reopen,
    SendToForum,
    Feedback,
    /// Whatever else is done by those who answer, compare and measure.
    Go(Stage),
}

fn happening() -> impl Strategy<Value = Happening> {
    let id = Uuid::from_u128(99);
    let mut stages = vec![
        Stage::Open,
        Stage::InComparison { round: id.into() },
        Stage::NotEndorsed,
        Stage::AwaitingResponse,
        Stage::Forwarded,
        Stage::InImplementation,
        Stage::Implemented,
        Stage::ImpactMeasured,
        Stage::Ended { how: Ending::Closed },
    ];
    stages.extend(Outcome::ALL.map(|outcome| Stage::Answered { outcome }));
    prop_oneof![
        2 => (0_u16..400).prop_map(Happening::Days),
        3 => Just(Happening::Submit),
        3 => Just(Happening::Screen),
        1 => proptest::sample::select(&ScreeningReason::ALL[..]).prop_map(Happening::Reject),
        1 => proptest::sample::select(&Redirection::ALL[..]).prop_map(Happening::Redirect),
        1 => Just(Happening::Merge),
        1 => Just(Happening::Split),
        1 => Just(Happening::Withdraw),
        1 => (1_u128..4).prop_map(Happening::Route),
        1 => Just(Happening::Hide),
        1 => Just(Happening::Confirm),
        4 => Just(Happening::Shortlist),
        1 => Just(Happening::Reopen),
        4 => Just(Happening::SendToForum),
        2 => Just(Happening::Feedback),
        12 => proptest::sample::select(stages).prop_map(Happening::Go),
    ]
}

/// What comes of it; a refusal leaves everything as it was.
fn happen(before: &Proposal, happening: &Happening, today: Date) -> Result<Proposal, Fault> {
    let policies = Policies::default();
    let id = Uuid::from_u128(99);
    match happening {
        Happening::Days(_) => Ok(before.clone()),
        Happening::Submit => before.submit("7K3M9QXA", today, &policies),
        Happening::Screen => before.screened(today, &policies),
        Happening::Reject(reason) => before.reject(*reason, today, &policies),
        Happening::Redirect(kind) => before.redirect(*kind, today, &policies),
        Happening::Merge => before.merge_into(&Proposal { id: id.into(), ..open() }, today, &policies),
        Happening::Split => before.split(today, &policies),
        Happening::Withdraw => before.withdraw(today, &policies),
        Happening::Route(number) => before.addressed_to(Addressed::new(&[unit(*number)], None)?),
        Happening::Hide => before.hide(),
        Happening::Confirm => before.confirm_words(&Answer::Yes, None),
        Happening::Shortlist => before.shortlist(today, &policies),
        Happening::Reopen => before.reopen(today, &policies),
        Happening::SendToForum => before.send_to_forum(id.into(), today, &policies),
        Happening::Feedback => Ok(Proposal { feedback_on: Some(today), ..before.clone() }),
        Happening::Go(stage) => before.go(*stage, today, &policies),
    }
}

/// What must hold of every proposal at every time.
fn check(before: &Proposal, after: &Proposal) -> Result<(), TestCaseError> {
    let promises = after.stage != Stage::Draft && !after.stage.is_ended();
    prop_assert_eq!(after.promise.is_some(), promises, "owner, step and day: {:?}", after.stage);
    if let Some(promise) = after.promise {
        prop_assert!(!kernel::deadline::is_non_working_day(promise.due), "due on a day off: {}", promise.due);
    }
    if after.stage == (Stage::Ended { how: Ending::Closed }) {
        prop_assert!(after.feedback_on.is_some(), "P7: closed without feedback");
    }
    prop_assert!(!before.stage.is_ended() || after.stage == before.stage, "what has ended stays ended");
    prop_assert!(after.stage != Stage::Draft || before.stage == Stage::Draft, "no way back to a draft");
    prop_assert_eq!(after.submitted_on.is_some(), after.stage != Stage::Draft);
    prop_assert!(!after.is_public || after.screened_on.is_some(), "P1: public without a human's screening");
    let kind = after.stage.kind();
    let is_further = kind > StageKind::Submitted && !kind.is_ended();
    prop_assert!(!is_further || after.lead_unit.is_some(), "{:?} without a unit that answers", kind);
    prop_assert!(after.reroutings >= before.reroutings);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn p7_no_history_leaves_a_proposal_without_promise_or_closes_it_without_feedback(
        happenings in proptest::collection::vec(happening(), 1..60),
    ) {
        let (mut proposal, mut today) = (draft(), TODAY);
        for happening in &happenings {
            if let Happening::Days(days) = happening {
                today = kernel::deadline::add_days(today, (*days).into());
            }
            if let Ok(after) = happen(&proposal, happening, today) {
                check(&proposal, &after)?;
                proposal = after;
            }
        }
    }
}

/// The random histories would show little if they never got anywhere.
#[test]
fn every_stage_is_reached_from_a_draft() {
    let mut reached = vec![StageKind::Draft];
    let mut at = 0;
    while let Some(from) = reached.get(at).copied() {
        let next = StageKind::ALL.into_iter().filter(|to| from.may_go_to(*to) && !reached.contains(to));
        let next: Vec<StageKind> = next.collect();
        reached.extend(next);
        at += 1;
    }
    reached.sort_unstable();
    assert_eq!(reached, StageKind::ALL);
}

#[test]
fn p7_nothing_that_came_to_a_forum_ends_but_by_closing() {
    let late = [
        StageKind::BeforeForum,
        StageKind::NotEndorsed,
        StageKind::AwaitingResponse,
        StageKind::Forwarded,
        StageKind::Answered,
        StageKind::InImplementation,
        StageKind::Implemented,
        StageKind::ImpactMeasured,
    ];
    for from in late {
        let ends = StageKind::ALL.into_iter().filter(|to| to.is_ended() && from.may_go_to(*to));
        assert!(ends.into_iter().all(|end| end == StageKind::Closed), "{from:?}");
    }
}

#[test]
fn the_outcome_of_an_answer_decides_where_it_goes() {
    let to = |outcome, to| Stage::Answered { outcome }.may_go_to(to);
    let closed = Stage::Ended { how: Ending::Closed };
    for outcome in Outcome::ALL {
        assert_eq!(to(outcome, Stage::InImplementation), outcome.leads_to_change(), "{outcome:?}");
        assert_eq!(to(outcome, Stage::Forwarded), outcome == Outcome::NeedsHigherDecision, "{outcome:?}");
        assert_eq!(to(outcome, closed), outcome == Outcome::Rejected, "{outcome:?}");
    }
}
