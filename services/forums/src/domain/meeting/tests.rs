//! The rules of meetings, by tables.

mod histories;
mod votes;

use super::agenda::{AgendaItem, DecisionKind, ItemState, Source};
use super::attendance::{Present, Roster, SaidPresent};
use super::forms::{Form, Forms, MAX_BODY, required};
use super::vote::{Marks, Method, Tally, Vote, check_mark, key_hash, may_vote};
use super::*;
use crate::domain::forum::tests::charter;
use crate::domain::forum::{ForumState, SeatQuota};
use crate::domain::seat::{Deputy, Holder, Seat, SeatEvent, SeatOrigin, VacancyReason};
use kernel::deadline::parse_date;
use kernel::{
    ActingMode, AgendaItemId, Caller, Date, ElectionId, HeldRole, MunicipalityCode, ProposalId, Role,
    ScopeRef, TextVariant, Uuid,
};

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn place(code: &str) -> MunicipalityCode {
    MunicipalityCode::new(code).unwrap()
}

fn person(number: u128) -> Subject {
    Subject::from_uuid(Uuid::from_u128(number))
}

/// The seats of Oulunkaari.
const PLAN: [(&str, u32); 5] = [("139", 8), ("615", 8), ("751", 4), ("785", 4), ("889", 4)];

fn forum() -> Forum {
    let quota = |(code, seats): (&str, u32)| SeatQuota { municipality: place(code), seats };
    Forum {
        id: ForumId::from_uuid(Uuid::from_u128(1)),
        charter: charter(),
        confirmed: [kernel::TenantId::new("21").unwrap()].into(),
        state: ForumState::Active,
        plan: PLAN.map(quota).to_vec(),
        seats_filled: 28,
    }
}

fn holder(reference: Subject) -> Holder {
    Holder { reference, name_public: false, election: ElectionId::from_uuid(Uuid::nil()) }
}

/// All seats filled, by persons 1, 2, 3, …
fn seats() -> Vec<Seat> {
    let empty = PLAN.iter().flat_map(|(code, seats)| (1..=*seats).map(|no| Seat::new(place(code), no)));
    empty
        .zip(1..)
        .map(|(seat, number)| {
            seat.apply(&SeatEvent::Filled { origin: SeatOrigin::Vote, holder: holder(person(number)) })
        })
        .collect()
}

fn deputies() -> Vec<Deputy> {
    let deputy = |(code, position, number)| Deputy {
        municipality: place(code),
        position,
        holder: holder(person(number)),
    };
    [("139", 2, 101), ("139", 5, 102), ("615", 1, 103)].map(deputy).to_vec()
}

fn said(seats: &[Seat]) -> Vec<SaidPresent> {
    let said = |seat: &Seat| SaidPresent { seat: SeatKey::of(seat), deputy_order: 0, remote: false };
    seats.iter().map(said).collect()
}

/// So many seats of each municipality of the plan.
fn some(counts: [usize; 5]) -> Vec<Seat> {
    let all = seats();
    let of = |code: &str, count: usize| -> Vec<Seat> {
        all.iter().filter(|seat| seat.municipality == place(code)).take(count).cloned().collect()
    };
    PLAN.iter().zip(counts).flat_map(|((code, _), count)| of(code, count)).collect()
}

fn turnout(counts: [usize; 5]) -> Turnout {
    let (seats, deputies) = (seats(), deputies());
    let roster = Roster { seats: &seats, deputies: &deputies };
    let present = roster.record(&said(&some(counts))).unwrap();
    Turnout::of(&forum(), roster, &present, 3)
}

fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    result.unwrap_err().code().to_owned()
}

fn plan(held_on: &str) -> Plan {
    Plan {
        held_on: day(held_on),
        starts_at: "13:00".to_owned(),
        mode: Mode::InPerson,
        place: "Iin kunnantalo".to_owned(),
        remote_link: String::new(),
    }
}

fn meeting() -> Meeting {
    let id = MeetingId::from_uuid(Uuid::from_u128(7));
    Meeting::plan(id, &forum(), plan("2026-10-12"), day("2026-09-20")).unwrap()
}

fn form(title: &str, body: &str) -> Form {
    Form { title: title.to_owned(), body: body.to_owned() }
}

fn item(proposal: bool) -> AgendaItem {
    let id = AgendaItemId::from_uuid(Uuid::from_u128(9));
    let source = if proposal { Source::Proposal } else { Source::Member };
    let proposal = proposal.then(|| ProposalId::from_uuid(Uuid::from_u128(4)));
    AgendaItem { proposal, ..AgendaItem::raised(id, forum().id, source, day("2026-09-30")) }
}

#[test]
fn f9_scenario_4_is_quorate_with_22_of_28_seats_from_five_municipalities() {
    let turnout = turnout([7, 6, 2, 4, 3]);
    assert_eq!((turnout.present_total(), turnout.seats_filled, turnout.seats_total), (22, 28, 28));
    assert!(turnout.quorate);
    assert_eq!(turnout.basis_points(), 7857, "K3 is 78.57 %");
    assert_eq!(turnout.check_quorate(), Ok(()));
}

#[test]
fn f9_half_is_not_more_than_half_and_two_municipalities_are_not_three() {
    for (counts, quorate) in [
        ([7, 7, 0, 0, 0], false),
        ([8, 8, 0, 0, 0], false),
        ([7, 7, 1, 0, 0], true),
        ([6, 6, 1, 1, 0], false),
        ([6, 6, 1, 1, 1], true),
        ([0, 0, 0, 0, 0], false),
    ] {
        let turnout = turnout(counts);
        assert_eq!(turnout.quorate, quorate, "{counts:?}");
        assert_eq!(turnout.check_quorate().is_ok(), quorate);
    }
    assert_eq!(code(turnout([7, 7, 0, 0, 0]).check_quorate()), "forums.not_quorate");
}

#[test]
fn f9_a_forum_of_fewer_municipalities_needs_all_of_them() {
    let small = Forum { plan: vec![SeatQuota { municipality: place("889"), seats: 4 }], ..forum() };
    let seats: Vec<Seat> = seats().into_iter().filter(|seat| seat.municipality == place("889")).collect();
    let roster = Roster { seats: &seats, deputies: &[] };
    let three = roster.record(&said(&seats[..3])).unwrap();
    assert!(Turnout::of(&small, roster, &three, 3).quorate);
    assert!(!Turnout::of(&small, roster, &three[..2], 3).quorate);
}

#[test]
fn a_deputy_acts_for_an_absent_member_and_for_one_seat() {
    let (seats, deputies) = (seats(), deputies());
    let roster = Roster { seats: &seats, deputies: &deputies };
    let by = |code: &str, seat_no, deputy_order| SaidPresent {
        seat: SeatKey { municipality: place(code), seat_no },
        deputy_order,
        remote: true,
    };
    let present = roster.record(&[by("139", 1, 2), by("615", 1, 0)]).unwrap();
    assert_eq!(present[0].person, Some(person(102)), "orders have no gaps although positions may");
    assert!(present[0].deputy && present[0].remote && roster.stands(&present[0]));
    for (wrong, expected) in [
        (vec![by("139", 9, 0)], "forums.no_such_seat"),
        (vec![by("139", 1, 3)], "forums.no_such_deputy"),
        (vec![by("785", 1, 1)], "forums.no_such_deputy"),
        (vec![by("139", 1, 1), by("139", 2, 1)], "forums.present_twice"),
        (vec![by("139", 1, 0), by("139", 1, 1)], "forums.present_twice"),
    ] {
        assert_eq!(code(roster.record(&wrong)), expected);
    }
}

#[test]
fn a_seat_vacated_in_between_is_neither_present_nor_filled() {
    let (mut seats, deputies) = (seats(), deputies());
    let roster = Roster { seats: &seats, deputies: &deputies };
    let present = roster.record(&said(&seats)).unwrap();
    let first = seats[0].clone().apply(&SeatEvent::Vacated(VacancyReason::Left));
    let refilled =
        first.clone().apply(&SeatEvent::Filled { origin: SeatOrigin::Deputy, holder: holder(person(101)) });
    seats[0] = first.clone();
    let roster = Roster { seats: &seats, deputies: &deputies };
    assert!(!roster.stands(&present[0]) && roster.stands(&present[1]));
    let turnout = Turnout::of(&forum(), roster, &present, 3);
    assert_eq!((turnout.present_total(), turnout.seats_filled, turnout.seats_total), (27, 27, 28));
    assert_eq!(code(roster.record(&said(&[first]))), "forums.seat_not_filled");
    // Whoever takes it is not there by the words about the one before.
    seats[0] = refilled;
    let roster = Roster { seats: &seats, deputies: &deputies };
    assert!(!roster.stands(&present[0]));
    // The deputy who acted for the member and then takes the seat goes on.
    let acting = Present { person: Some(person(101)), deputy: true, ..present[0] };
    assert!(roster.stands(&acting));
    assert!(!roster.stands(&Present { person: None, ..acting }), "who is forgotten acts for nobody");
}

#[test]
fn f10_more_than_half_of_the_votes_cast_endorses() {
    for (votes_for, votes_against, votes_blank, endorsed, share) in [
        (19, 1, 2, true, 9500),
        (10, 10, 2, false, 5000),
        (10, 9, 3, true, 5263),
        (1, 0, 21, true, 10_000),
        (0, 0, 22, false, 0),
        (0, 0, 0, false, 0),
        (0, 1, 0, false, 0),
    ] {
        let tally = Tally { votes_for, votes_against, votes_blank };
        assert_eq!(tally.decision() == DecisionKind::Endorsed, endorsed, "{tally:?}");
        assert_eq!(tally.for_basis_points(), share, "{tally:?}");
    }
}

fn marks(all: u32) -> Marks {
    Marks { all, standing: all }
}

#[test]
fn f10_a_vote_has_no_more_votes_than_seats_and_as_many_as_marks() {
    let (item, meeting) = (item(true).id, meeting().id);
    let full = turnout([7, 6, 2, 4, 3]);
    let tally = Tally { votes_for: 19, votes_against: 1, votes_blank: 2 };
    let hands = Vote::by_hands(item, meeting, &full, tally).unwrap();
    assert_eq!((hands.method, hands.is_open, hands.present), (Method::ShowOfHands, false, 22));
    let too_many = Tally { votes_for: 21, ..tally };
    assert_eq!(code(Vote::by_hands(item, meeting, &full, too_many)), "forums.more_votes_than_present");
    let half = Tally { votes_for: 14, ..Tally::default() };
    assert_eq!(code(Vote::by_hands(item, meeting, &full, half)), "forums.too_few_votes");
    let overflow = Tally { votes_for: u32::MAX, votes_against: u32::MAX, votes_blank: u32::MAX };
    assert_eq!(code(Vote::by_hands(item, meeting, &full, overflow)), "forums.more_votes_than_present");
    assert_eq!(code(Vote::by_hands(item, meeting, &full, Tally::default())), "forums.no_votes");
    assert_eq!(
        code(Vote::open(item, meeting, &full).unwrap().close(marks(0), &full, false)),
        "forums.no_votes"
    );
    let few = turnout([7, 7, 0, 0, 0]);
    assert_eq!(code(Vote::by_hands(item, meeting, &few, Tally::default())), "forums.not_quorate");
    assert_eq!(code(Vote::open(item, meeting, &few)), "forums.not_quorate");
    let open = Vote { tally, ..Vote::open(item, meeting, &full).unwrap() };
    assert_eq!(code(open.close(marks(21), &full, false)), "internal");
    assert_eq!(code(open.close(marks(22), &few, false)), "forums.not_quorate");
    let closed = open.close(marks(22), &full, false).unwrap();
    assert!(!closed.is_open);
    assert_eq!(code(closed.close(marks(22), &full, false)), "forums.vote_not_open");
}

#[test]
fn m4_m5_only_the_member_votes_and_says_so_when_somebody_helps() {
    let member = Caller::person(person(1));
    let by = |mode, confirmed| {
        may_vote(&Caller { mode, ..member.clone() }, confirmed).map_err(|fault| fault.code().to_owned())
    };
    assert_eq!(by(ActingMode::Alone, false), Ok(()));
    assert_eq!(by(ActingMode::Assisted, true), Ok(()));
    assert_eq!(by(ActingMode::Assisted, false), Err("forums.confirmation_needed".to_owned()));
    for confirmed in [false, true] {
        assert_eq!(by(ActingMode::OnBehalf, confirmed), Err("forums.mandate_cannot_vote".to_owned()));
        assert_eq!(by(ActingMode::Dictated, confirmed), Err("forums.dictated_cannot_vote".to_owned()));
    }
    for role in [Role::SupportPerson, Role::UnitStaff, Role::UnitManager] {
        let staff = Caller { roles: vec![HeldRole { role, scope: ScopeRef::Cell }], ..member.clone() };
        assert_eq!(code(may_vote(&staff, true)), "forums.staff_may_not_take_part");
    }
    let chair = HeldRole { role: Role::ForumChair, scope: ScopeRef::Forum(forum().id) };
    assert_eq!(may_vote(&Caller { roles: vec![chair], ..member }, false), Ok(()), "the chair is a member");
}

#[test]
fn a_mark_is_of_one_command_one_seat_and_one_topic() {
    let (topic, seat) = (item(true).id, SeatKey { municipality: place("139"), seat_no: 1 });
    let mark = key_hash(topic, seat, "a");
    assert_eq!(check_mark(None, &mark), Ok(false));
    assert_eq!(check_mark(Some(&mark), &mark), Ok(true));
    for other in [
        key_hash(topic, seat, "b"),
        key_hash(topic, SeatKey { seat_no: 2, ..seat }, "a"),
        key_hash(AgendaItemId::from_uuid(Uuid::nil()), seat, "a"),
    ] {
        assert_eq!(code(check_mark(Some(&other), &mark)), "forums.already_voted");
    }
}

#[test]
fn f11_a_late_notice_is_refused_with_the_first_day_that_is_possible() {
    let meeting = meeting();
    assert_eq!(meeting.notice_due_on(14), day("2026-09-28"));
    let in_time = meeting.send_notice(14, 1, day("2026-09-28")).unwrap();
    assert_eq!(in_time, Some(MeetingEvent::NoticeSent { on: day("2026-09-28") }));
    let late = meeting.send_notice(14, 1, day("2026-09-29")).unwrap_err();
    assert_eq!(late.code(), "forums.notice_too_late");
    assert!(late.message().contains("2026-10-13"), "{late}");
    assert_eq!(code(meeting.send_notice(14, 0, day("2026-09-28"))), "forums.empty_agenda");
    let sent = meeting.apply(&in_time.unwrap());
    assert_eq!(sent.send_notice(14, 1, day("2026-10-11")), Ok(None), "done already");
    assert_eq!(code(sent.check_agenda()), "forums.agenda_closed");
}

#[test]
fn f11_plain_language_comes_with_the_standard_text() {
    let both = [(TextVariant::Finnish, form("Ulkoilu", "")), (TextVariant::EasyFinnish, form("Ulos", ""))];
    let required = required(&forum());
    assert_eq!(required, [TextVariant::Finnish, TextVariant::EasyFinnish]);
    let whole = Forms::new("texts", both.clone(), MAX_BODY).unwrap();
    assert_eq!(whole.check_required("texts", &required), Ok(()));
    let standard = Forms::new("texts", both[..1].to_vec(), MAX_BODY).unwrap();
    let missing = standard.check_required("texts", &required).unwrap_err();
    assert_eq!(
        (missing.code(), missing.fields()[0].remedy.as_ref()),
        ("forums.text_forms_missing", "add fi-selko")
    );
    let half = [(TextVariant::Finnish, form("Ulkoilu", "Teksti.")), both[1].clone()];
    assert_eq!(code(Forms::new("texts", half, MAX_BODY)), "request.invalid");
    for wrong in
        [form(" ", ""), form(&"x".repeat(121), ""), form("a\nb", ""), form("a", &"x".repeat(MAX_BODY + 1))]
    {
        assert_eq!(code(Forms::new("texts", [(TextVariant::Finnish, wrong)], MAX_BODY)), "request.invalid");
    }
    assert_eq!(code(Forms::new("texts", [both[0].clone(), both[0].clone()], MAX_BODY)), "request.invalid");
}

#[test]
fn kie_1_a_bilingual_county_adds_both_forms_of_swedish() {
    let mut bilingual = forum();
    bilingual.charter.co_tenants = vec![kernel::TenantId::new("01").unwrap()];
    let codes: Vec<&str> = required(&bilingual).into_iter().map(TextVariant::as_str).collect();
    assert_eq!(codes, ["fi", "fi-selko", "sv", "sv-lattlast"]);
}

#[test]
fn a_plan_has_a_day_of_the_term_a_time_and_a_place_that_fits_its_mode() {
    let (today, forum) = (day("2026-09-20"), forum());
    let planned = |plan: Plan| Meeting::plan(meeting().id, &forum, plan, today);
    assert_eq!(code(planned(plan("2026-09-19"))), "forums.meeting_in_past");
    assert_eq!(code(planned(plan("2028-05-01"))), "forums.outside_term");
    let founded = Forum { state: ForumState::Founded, ..forum.clone() };
    assert_eq!(code(Meeting::plan(meeting().id, &founded, plan("2026-10-12"), today)), "forums.no_seat_plan");
    let good = plan("2026-10-12");
    let link = "https://kokous.example.fi/1".to_owned();
    for wrong in [
        Plan { starts_at: "24:00".to_owned(), ..good.clone() },
        Plan { starts_at: "1:00".to_owned(), ..good.clone() },
        Plan { starts_at: "13.00".to_owned(), ..good.clone() },
        Plan { place: " ".to_owned(), ..good.clone() },
        Plan { mode: Mode::Remote, ..good.clone() },
        Plan { mode: Mode::Hybrid, ..good.clone() },
        Plan { remote_link: link.clone(), ..good.clone() },
        Plan { mode: Mode::Hybrid, remote_link: "http://kokous.example.fi/1".to_owned(), ..good.clone() },
    ] {
        assert_eq!(code(planned(wrong.clone())), "request.invalid", "{wrong:?}");
    }
    let remote = Plan { mode: Mode::Remote, place: String::new(), remote_link: link.clone(), ..good.clone() };
    assert!(planned(remote).is_ok());
    assert!(planned(Plan { mode: Mode::Hybrid, remote_link: link, ..good }).is_ok());
}

#[test]
fn f11_another_link_or_room_leaves_the_notice_as_it_is_also_when_the_meeting_is_open() {
    let (today, forum) = (day("2026-10-12"), forum());
    let sent = meeting().apply(&MeetingEvent::NoticeSent { on: day("2026-09-20") });
    let elsewhere = Plan { place: "Iin kirjasto".to_owned(), ..sent.plan.clone() };
    let open = Meeting { state: MeetingState::Open, ..sent.clone() };
    for called in [sent, open] {
        let event = called.move_to(&forum, elsewhere.clone(), today).unwrap().unwrap();
        assert_eq!(event, MeetingEvent::Rehoused { plan: elsewhere.clone() });
        let rehoused = called.clone().apply(&event);
        assert_eq!((rehoused.state, rehoused.notice_sent_on), (called.state, called.notice_sent_on));
        assert_eq!((&rehoused.plan, rehoused.moves), (&elsewhere, called.moves + 1), "members are told anew");
        assert_eq!(rehoused.move_to(&forum, elsewhere.clone(), today), Ok(None), "done already");
    }
}

#[test]
fn moving_takes_a_notice_back_and_moving_to_the_same_is_done_already() {
    let (today, forum) = (day("2026-09-20"), forum());
    let planned = meeting();
    assert_eq!(planned.move_to(&forum, plan("2026-10-12"), today), Ok(None));
    let sent = planned.apply(&MeetingEvent::NoticeSent { on: today });
    let moved = sent.move_to(&forum, plan("2026-10-19"), today).unwrap().unwrap();
    assert!(matches!(moved, MeetingEvent::Moved { notice_taken_back: true, .. }));
    let moved = sent.clone().apply(&moved);
    assert_eq!((moved.state, moved.moves, moved.notice_sent_on), (MeetingState::Planned, 1, None));
    assert_eq!(code(sent.open(day("2026-10-11"))), "forums.meeting_not_today");
    assert_eq!(code(moved.open(day("2026-10-19"))), "forums.wrong_step");
    let open = sent.clone().apply(&sent.open(day("2026-10-12")).unwrap().unwrap());
    assert_eq!(open.open(day("2026-10-12")), Ok(None), "done already");
    assert_eq!(code(open.move_to(&forum, plan("2026-10-19"), today)), "forums.wrong_step");
    assert_eq!(code(open.cancel()), "forums.wrong_step");
    let cancelled = sent.clone().apply(&sent.cancel().unwrap().unwrap());
    assert_eq!(cancelled.cancel(), Ok(None), "done already");
}

#[test]
fn a_topic_is_decided_once_by_one_meeting() {
    let (planned, today) = (meeting(), day("2026-10-12"));
    let scheduled = item(true).schedule(&planned, 0, 0).unwrap().unwrap();
    assert_eq!((scheduled.state, scheduled.position), (ItemState::Scheduled, 1));
    assert_eq!(scheduled.schedule(&planned, 1, 1), Ok(None), "done already");
    let other = Meeting { id: MeetingId::from_uuid(Uuid::from_u128(8)), ..meeting() };
    assert_eq!(code(scheduled.schedule(&other, 0, 0)), "forums.topic_scheduled");
    assert_eq!(code(item(true).schedule(&planned, agenda::MAX_AGENDA, 1)), "forums.agenda_full");
    assert_eq!(code(item(true).decide(DecisionKind::Endorsed, today)), "forums.topic_not_on_table");
    let decided = scheduled.decide(DecisionKind::Endorsed, today).unwrap().unwrap();
    assert_eq!(decided.decide(DecisionKind::Endorsed, today), Ok(None), "done already (X1)");
    assert_eq!(code(decided.decide(DecisionKind::NotEndorsed, today)), "forums.already_decided");
    assert_eq!(code(decided.defer()), "forums.topic_not_on_table");
    assert_eq!(code(decided.schedule(&other, 0, 0)), "forums.topic_over");
    assert_eq!(decided.drop_topic(), None);
    let deferred = scheduled.defer().unwrap().unwrap();
    assert_eq!((deferred.state, deferred.meeting), (ItemState::Deferred, None));
    assert_eq!(deferred.defer(), Ok(None), "done already");
    assert!(deferred.schedule(&other, 0, 0).unwrap().is_some());
    assert_eq!(deferred.drop_topic().unwrap().state, ItemState::Dropped);
}

#[test]
fn only_a_proposal_is_returned_and_a_return_says_why() {
    assert_eq!(DecisionKind::ReturnedForWork.check_recorded(&item(true), true), Ok(()));
    assert_eq!(
        code(DecisionKind::ReturnedForWork.check_recorded(&item(false), true)),
        "forums.not_a_proposal"
    );
    assert_eq!(code(DecisionKind::ReturnedForWork.check_recorded(&item(true), false)), "request.invalid");
    assert_eq!(code(DecisionKind::Noted.check_recorded(&item(false), true)), "request.invalid");
    assert_eq!(DecisionKind::Noted.check_recorded(&item(false), false), Ok(()));
    assert_eq!(DecisionKind::StatementGiven.check_recorded(&item(false), true), Ok(()));
    assert_eq!(code(DecisionKind::Endorsed.check_recorded(&item(true), false)), "request.invalid");
}

#[test]
fn x1_a_proposal_is_voted_on_or_returned_and_never_only_noted() {
    let needs_vote = "forums.proposal_needs_vote";
    assert_eq!(code(DecisionKind::Noted.check_recorded(&item(true), false)), needs_vote);
    assert_eq!(code(DecisionKind::StatementGiven.check_recorded(&item(true), true)), needs_vote);
}

#[test]
fn f12_whoever_wrote_the_minutes_does_not_check_them_and_dissents_end_with_the_screening() {
    let today = day("2026-10-13");
    let closed = Meeting { state: MeetingState::Closed, ..meeting() };
    assert_eq!(code(closed.publish_minutes(today)), "forums.minutes_not_checked");
    assert_eq!(code(closed.check_minutes(person(1), today)), "forums.wrong_step");
    assert_eq!(closed.check_dissent(), Ok(()));
    assert_eq!(code(meeting().check_dissent()), "forums.meeting_not_open");
    let draft = closed.clone().apply(&closed.draft_minutes(person(1), today).unwrap());
    assert_eq!(code(draft.check_minutes(person(1), today)), "forums.own_minutes");
    let screened = draft.clone().apply(&draft.screen_minutes(false, today).unwrap());
    assert_eq!(code(screened.check_dissent()), "forums.minutes_screened");
    let checked = draft.clone().apply(&draft.check_minutes(person(2), today).unwrap().unwrap());
    assert_eq!(code(checked.publish_minutes(today)), "forums.minutes_not_screened");
    let both = checked.clone().apply(&checked.screen_minutes(false, today).unwrap());
    let changed = both.clone().apply(&both.screen_minutes(true, today).unwrap());
    assert_eq!(
        code(changed.publish_minutes(today)),
        "forums.minutes_not_checked",
        "nobody checked this list"
    );
    let again = changed.clone().apply(&changed.check_minutes(person(2), today).unwrap().unwrap());
    assert!(again.publish_minutes(today).is_ok());
    let published = both.clone().apply(&both.publish_minutes(today).unwrap().unwrap());
    assert_eq!(published.publish_minutes(today), Ok(None), "done already");
    assert_eq!(code(published.draft_minutes(person(1), today)), "forums.wrong_step");
    let anew = both.clone().apply(&both.draft_minutes(person(1), today).unwrap());
    assert_eq!(
        (anew.minutes.checked_on, anew.minutes.screened_on),
        (None, None),
        "written anew, looked at anew"
    );
    let by_another = draft.clone().apply(&draft.draft_minutes(person(3), today).unwrap());
    for writer in [1, 3] {
        let own = code(by_another.check_minutes(person(writer), today));
        assert_eq!(own, "forums.own_minutes", "whoever else saved them since");
    }
}
