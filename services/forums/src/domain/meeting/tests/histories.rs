//! The same rules over random numbers and histories.

use kernel::deadline::add_days;
use proptest::prelude::*;

use super::*;
use crate::domain::meeting::attendance::{basis_points, is_quorate};
use crate::domain::meeting::vote::Choice;

fn any_choice() -> impl Strategy<Value = Choice> {
    prop_oneof![Just(Choice::For), Just(Choice::Against), Just(Choice::Blank)]
}

/// A step of the life of minutes: written, checked, screened, published, or screened with another result.
fn any_steps() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..5, 0..30)
}

proptest! {
    #[test]
    fn f9_quorum_is_more_than_half_and_enough_municipalities(
        present in 0_u32..=200, municipalities in 0_u32..=10, filled in 0_u32..=200, needed in 1_u32..=10
    ) {
        let quorate = is_quorate(present, municipalities, filled, needed);
        let half = f64::from(filled) / 2.0;
        prop_assert_eq!(quorate, f64::from(present) > half && municipalities >= needed);
        if quorate {
            prop_assert!(is_quorate(present + 1, municipalities, filled, needed), "who comes does no harm");
            prop_assert!(is_quorate(present, municipalities + 1, filled, needed));
        }
    }

    #[test]
    fn f9_a_turnout_counts_each_present_seat_once(counts in prop::array::uniform5(0_usize..=8)) {
        let turnout = turnout(counts);
        let expected: usize = PLAN.iter().zip(counts).map(|((_, most), count)| count.min(*most as usize)).sum();
        prop_assert_eq!(turnout.present_total() as usize, expected);
        prop_assert!(turnout.present.iter().all(|(_, count)| *count > 0));
        prop_assert!(turnout.basis_points() <= 10_000);
    }

    #[test]
    fn f10_sums_do_not_depend_on_the_order_and_blank_votes_decide_nothing(
        choices in prop::collection::vec(any_choice(), 0..60), seed: u64
    ) {
        let tally = choices.iter().fold(Tally::default(), |tally, choice| tally.with(*choice));
        let mut shuffled = choices.clone();
        let turns = usize::try_from(seed % 61).unwrap() % choices.len().max(1);
        shuffled.rotate_left(turns);
        shuffled.reverse();
        prop_assert_eq!(shuffled.iter().fold(Tally::default(), |tally, choice| tally.with(*choice)), tally);
        prop_assert_eq!(usize::try_from(tally.sum()).unwrap(), choices.len());
        let cast: Vec<&Choice> = choices.iter().filter(|choice| **choice != Choice::Blank).collect();
        let votes_for = cast.iter().filter(|choice| ***choice == Choice::For).count();
        prop_assert_eq!(tally.decision() == DecisionKind::Endorsed, votes_for * 2 > cast.len());
        prop_assert_eq!(tally.with(Choice::Blank).decision(), tally.decision());
    }

    #[test]
    fn f11_a_notice_is_sent_exactly_when_there_is_time_and_the_named_day_works(before in 0_i32..200, days in 1_u32..60) {
        let meeting = Meeting { plan: plan("2027-06-01"), ..meeting() };
        let today = add_days(meeting.plan.held_on, -before);
        match meeting.send_notice(days, 1, today) {
            Ok(sent) => {
                prop_assert_eq!(sent, Some(MeetingEvent::NoticeSent { on: today }));
                prop_assert!(u32::try_from(before).unwrap() >= days);
            }
            Err(late) => {
                prop_assert!(u32::try_from(before).unwrap() < days);
                let first = add_days(today, i32::try_from(days).unwrap());
                prop_assert!(late.message().contains(&first.to_string()));
                let moved = Plan { held_on: first, ..meeting.plan.clone() };
                let event = meeting.move_to(&forum(), moved, today).unwrap().unwrap();
                prop_assert!(meeting.apply(&event).send_notice(days, 1, today).is_ok());
            }
        }
    }

    #[test]
    fn f12_minutes_become_public_only_checked_and_screened_as_they_are(steps in any_steps()) {
        let today = day("2026-10-13");
        let mut meeting = Meeting { state: MeetingState::Closed, ..meeting() };
        let (mut drafted, mut checked, mut screened) = (false, false, false);
        for step in steps {
            let event = match step {
                0 => meeting.draft_minutes(person(1), today).ok(),
                1 => meeting.check_minutes(person(2), today).ok().flatten(),
                2 | 4 => meeting.screen_minutes(step == 4, today).ok(),
                _ => meeting.publish_minutes(today).ok().flatten(),
            };
            let Some(event) = event else { continue };
            match &event {
                MeetingEvent::MinutesDrafted { .. } => (drafted, checked, screened) = (true, false, false),
                MeetingEvent::MinutesChecked { .. } => checked = true,
                MeetingEvent::MinutesScreened { check_again, .. } => {
                    (screened, checked) = (true, checked && !check_again);
                }
                MeetingEvent::MinutesPublished { .. } => prop_assert!(drafted && checked && screened),
                other => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(meeting.state != MeetingState::Published, "nothing follows");
            meeting = meeting.apply(&event);
        }
    }

    #[test]
    fn shares_are_rounded_half_away_from_zero(part in 0_u32..=10_000, whole in 1_u32..=10_000) {
        let exact = f64::from(part) * 10_000.0 / f64::from(whole);
        prop_assert!((f64::from(basis_points(part, whole)) - exact).abs() <= 0.5 + 1e-9);
    }
}
