//! Support relationships: somebody helps a member to take part, and never decides for them (S1.28, M3, M4).
//!
//! ```text
//! Offered ──the member accepts──▶ AcceptedByMember ──the support person declares──▶ Active
//!    └──the member declines──▶ Ended ◀──either of the two ends it──────────────────────┘
//! ```
//!
//! A member who asks somebody has accepted with that. The units where the support person works are not part of the
//! relationship: they are looked up whenever it is used, so that a new post counts at once.

use kernel::{Date, ParticipantId, SupportId, TenantId, UnitId};

use super::Rejection;
use super::participant::Participant;
use super::rejection::Support as Refusal;

/// Where a relationship stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Offered to the member, who has not answered.
    Offered,
    /// Accepted by the member (M3); the support person has not declared yet.
    AcceptedByMember,
    /// Works.
    Active,
    /// Ended, or declined.
    Ended,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Offered, State::AcceptedByMember, State::Active, State::Ended];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Offered => "offered",
            State::AcceptedByMember => "accepted_by_member",
            State::Active => "active",
            State::Ended => "ended",
        }
    }
}

/// A side of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one who is helped.
    Member,
    /// The one who helps.
    Supporter,
}

/// A support relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// Id.
    pub id: SupportId,
    /// County in whose register both are.
    pub tenant: TenantId,
    /// The one who is helped.
    pub member: ParticipantId,
    /// The one who helps.
    pub supporter: ParticipantId,
    /// Where it stands.
    pub state: State,
    /// Whether the county offered it: then it works as long as the support person holds that role there (M7).
    pub of_county: bool,
    /// Day on which it was offered or asked for.
    pub offered_on: Date,
    /// Day of the support person's training (S1.28); None while they have not declared.
    pub trained_on: Option<Date>,
    /// Day on which it ended.
    pub ended_on: Option<Date>,
}

/// Who brings about a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The county offers.
    Offer,
    /// The member asks.
    MemberAsks,
}

/// What is known of the one who helps, towards the member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Helping {
    /// Units where they work: in those units' matters they may not help (M3).
    pub conflict_units: Vec<UnitId>,
    /// Whether they act for the member by a mandate in force.
    pub by_mandate: bool,
    /// Whether they hold the role of a support person in the county of the relationship today.
    pub is_support_person: bool,
}

impl Helping {
    /// Refuses whoever acts for the member by a mandate and is in conflict (M3).
    ///
    /// # Errors
    /// GuardianInConflict.
    pub fn check(&self) -> Result<(), Rejection> {
        if self.by_mandate && !self.conflict_units.is_empty() {
            Err(Refusal::GuardianInConflict.into())
        } else {
            Ok(())
        }
    }
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The member accepts.
    Accept,
    /// The member declines.
    Decline,
    /// The support person declares independence, and when they were trained.
    Declare {
        /// Day of the training.
        trained_on: Date,
    },
    /// Either ends it.
    End,
}

impl Command {
    /// The side that may ask for it; None for both.
    pub fn side(self) -> Option<Side> {
        match self {
            Command::Accept | Command::Decline => Some(Side::Member),
            Command::Declare { .. } => Some(Side::Supporter),
            Command::End => None,
        }
    }
}

/// What happened. Never published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The member accepted.
    Accepted,
    /// The support person declared, and when they were trained.
    Declared(Date),
    /// It ended, on this day.
    Ended(Date),
}

/// Begins a relationship.
///
/// # Errors
/// HasLeft, PersonNotInCounty, OfSelf, NotASupportPerson, GuardianInConflict.
pub fn begin(
    id: SupportId,
    member: &Participant,
    supporter: &Participant,
    origin: Origin,
    helping: &Helping,
    today: Date,
) -> Result<Support, Rejection> {
    if member.state.is_gone() || supporter.state.is_gone() {
        return Err(Rejection::HasLeft);
    }
    if member.tenant != supporter.tenant {
        return Err(Rejection::PersonNotInCounty);
    }
    if member.person == supporter.person {
        return Err(Refusal::OfSelf.into());
    }
    if origin == Origin::Offer && !helping.is_support_person {
        return Err(Refusal::NotASupportPerson.into());
    }
    helping.check()?;
    let state = match origin {
        Origin::Offer => State::Offered,
        Origin::MemberAsks => State::AcceptedByMember,
    };
    Ok(Support {
        id,
        tenant: member.tenant,
        member: member.id,
        supporter: supporter.id,
        state,
        of_county: origin == Origin::Offer,
        offered_on: today,
        trained_on: None,
        ended_on: None,
    })
}

impl Support {
    /// What the command makes of it; None if it is so already.
    ///
    /// # Errors
    /// Ended, Accepted, NotAccepted, TrainedLater, GuardianInConflict, RoleEnded.
    pub fn decide(
        &self,
        command: Command,
        helping: &Helping,
        today: Date,
    ) -> Result<Option<Event>, Rejection> {
        match (command, self.state) {
            (Command::End | Command::Decline, State::Ended) => Ok(None),
            (Command::End, _) | (Command::Decline, State::Offered) => Ok(Some(Event::Ended(today))),
            (Command::Decline, State::AcceptedByMember | State::Active) => Err(Refusal::Accepted.into()),
            (Command::Accept | Command::Declare { .. }, State::Ended) => Err(Refusal::Ended.into()),
            (Command::Accept, State::Offered) => {
                self.check_helper(helping)?;
                Ok(Some(Event::Accepted))
            }
            (Command::Accept, State::AcceptedByMember | State::Active) => Ok(None),
            (Command::Declare { .. }, State::Offered) => Err(Refusal::NotAccepted.into()),
            (Command::Declare { trained_on }, State::AcceptedByMember | State::Active) => {
                if trained_on > today {
                    return Err(Refusal::TrainedLater.into());
                }
                if self.state == State::Active && self.trained_on == Some(trained_on) {
                    return Ok(None);
                }
                self.check_helper(helping)?;
                Ok(Some(Event::Declared(trained_on)))
            }
        }
    }

    /// The relationship after the event.
    #[must_use]
    pub fn apply(self, event: &Event) -> Support {
        match *event {
            Event::Accepted => Support { state: State::AcceptedByMember, ..self },
            Event::Declared(day) => Support { state: State::Active, trained_on: Some(day), ..self },
            Event::Ended(day) => Support { state: State::Ended, ended_on: Some(day), ..self },
        }
    }

    /// Refuses whoever may not help in this relationship today (M3, M7).
    ///
    /// # Errors
    /// GuardianInConflict, RoleEnded.
    pub fn check_helper(&self, helping: &Helping) -> Result<(), Rejection> {
        helping.check()?;
        if self.of_county && !helping.is_support_person {
            return Err(Refusal::RoleEnded.into());
        }
        Ok(())
    }

    /// Whose participant id is on this side.
    pub fn on(&self, side: Side) -> ParticipantId {
        match side {
            Side::Member => self.member,
            Side::Supporter => self.supporter,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use time::macros::date;

    use super::super::participant::tests::participant;
    use super::super::participant::{PersonId, State as Standing};
    use super::*;

    const TODAY: Date = date!(2026 - 05 - 11);
    const DECLARE: Command = Command::Declare { trained_on: date!(2026 - 03 - 02) };
    const COMMANDS: [Command; 4] = [Command::Accept, Command::Decline, DECLARE, Command::End];

    fn another() -> Participant {
        Participant {
            id: ParticipantId::from_uuid(Uuid::from_u128(77)),
            person: PersonId::from(Uuid::from_u128(78)),
            ..participant(Standing::Active)
        }
    }

    fn support(state: State) -> Support {
        let (id, member) = (SupportId::from_uuid(Uuid::nil()), participant(Standing::Active));
        let offered = begin(id, &member, &another(), Origin::Offer, &of_county(), TODAY).unwrap();
        Support { state, ..offered }
    }

    /// A support person of the county.
    fn of_county() -> Helping {
        Helping { is_support_person: true, ..Helping::default() }
    }

    fn guardian_at_work() -> Helping {
        let conflict_units = vec![UnitId::from_uuid(Uuid::nil())];
        Helping { conflict_units, by_mandate: true, is_support_person: true }
    }

    #[test]
    fn m3_nothing_works_before_the_member_has_accepted() {
        let helping = of_county();
        let after = |state: State, command| {
            let support = support(state);
            let event = support.decide(command, &helping, TODAY);
            event.map(|event| event.map(|event| support.apply(&event).state)).map_err(|why| why.code())
        };
        use State::{AcceptedByMember, Active, Ended, Offered};
        let expected = [
            (Offered, [Ok(Some(AcceptedByMember)), Ok(Some(Ended)), Err("not_accepted"), Ok(Some(Ended))]),
            (AcceptedByMember, [Ok(None), Err("accepted"), Ok(Some(Active)), Ok(Some(Ended))]),
            (Active, [Ok(None), Err("accepted"), Ok(Some(Active)), Ok(Some(Ended))]),
            (Ended, [Err("ended"), Ok(None), Err("ended"), Ok(None)]),
        ];
        for (state, outcomes) in expected {
            for (command, outcome) in COMMANDS.into_iter().zip(outcomes) {
                let outcome = outcome.map_err(|code| format!("membership.support_{code}"));
                assert_eq!(after(state, command).map_err(str::to_owned), outcome, "{state:?} {command:?}");
            }
        }
        let origin = Origin::MemberAsks;
        let (id, member) = (SupportId::from_uuid(Uuid::nil()), participant(Standing::Active));
        let asked = begin(id, &member, &another(), origin, &helping, TODAY).unwrap();
        assert_eq!(asked.state, AcceptedByMember, "whoever asks has accepted");
    }

    #[test]
    fn m3_a_guardian_who_works_in_a_unit_is_nobodys_support_person() {
        let refused = Err("membership.guardian_in_conflict");
        let (id, member) = (SupportId::from_uuid(Uuid::nil()), participant(Standing::Active));
        for (helping, is_fit) in [
            (guardian_at_work(), false),
            (Helping { by_mandate: false, ..guardian_at_work() }, true),
            (Helping { conflict_units: Vec::new(), ..guardian_at_work() }, true),
        ] {
            for origin in [Origin::MemberAsks, Origin::Offer] {
                let begun = begin(id, &member, &another(), origin, &helping, TODAY);
                assert_eq!(begun.is_ok(), is_fit, "{origin:?} {helping:?}");
            }
            for (state, command) in [(State::Offered, Command::Accept), (State::AcceptedByMember, DECLARE)] {
                let decided = support(state).decide(command, &helping, TODAY);
                assert_eq!(decided.is_ok(), is_fit, "{command:?} {helping:?}");
            }
        }
        let begun = begin(id, &member, &another(), Origin::MemberAsks, &guardian_at_work(), TODAY);
        assert_eq!(begun.map(|_| ()).map_err(|why| why.code()), refused);
        // Whoever is in conflict by now can still be got rid of.
        assert!(support(State::Active).decide(Command::End, &guardian_at_work(), TODAY).is_ok());
    }

    #[test]
    fn a_support_person_is_another_person_of_the_county_with_the_role_if_the_county_offers() {
        let member = participant(Standing::Active);
        let begin = |supporter: &Participant, origin| {
            let id = SupportId::from_uuid(Uuid::nil());
            begin(id, &member, supporter, origin, &Helping::default(), TODAY).map_err(|why| why.code())
        };
        let elsewhere = Participant { tenant: TenantId::new("21").unwrap(), ..another() };
        let gone = Participant { state: Standing::Left, ..another() };
        let asks = Origin::MemberAsks;
        assert_eq!(begin(&member, asks), Err("membership.support_of_self"));
        assert_eq!(begin(&elsewhere, asks), Err("membership.person_not_in_county"));
        assert_eq!(begin(&gone, asks), Err("membership.has_left"));
        assert_eq!(begin(&another(), Origin::Offer), Err("membership.not_a_support_person"));
        assert!(begin(&another(), asks).is_ok(), "a member may ask a neighbour");
    }

    #[test]
    fn m7_whom_the_county_offered_helps_no_longer_than_they_hold_the_role() {
        let refused = |done: Result<(), Rejection>| done.map_err(|why| why.code());
        let offered = support(State::Active);
        assert_eq!(refused(offered.check_helper(&of_county())), Ok(()));
        let ended = Err("membership.support_role_ended");
        assert_eq!(refused(offered.check_helper(&Helping::default())), ended);
        for (state, command) in [(State::Offered, Command::Accept), (State::AcceptedByMember, DECLARE)] {
            let decided = support(state).decide(command, &Helping::default(), TODAY);
            assert_eq!(refused(decided.map(|_| ())), ended, "{command:?}");
        }
        let (id, member) = (SupportId::from_uuid(Uuid::nil()), participant(Standing::Active));
        let origin = Origin::MemberAsks;
        let asked = begin(id, &member, &another(), origin, &Helping::default(), TODAY).unwrap();
        assert_eq!(refused(asked.check_helper(&Helping::default())), Ok(()), "a neighbour has no role");
    }

    #[test]
    fn s1_28_a_declaration_tells_of_a_training_that_was() {
        let helping = of_county();
        let tomorrow = Command::Declare { trained_on: TODAY.next_day().unwrap() };
        let refused = support(State::AcceptedByMember).decide(tomorrow, &helping, TODAY).unwrap_err();
        assert_eq!(refused.code(), "membership.trained_later");
        let declared = support(State::AcceptedByMember).decide(DECLARE, &helping, TODAY).unwrap().unwrap();
        let active = support(State::AcceptedByMember).apply(&declared);
        assert_eq!((active.state, active.trained_on), (State::Active, Some(date!(2026 - 03 - 02))));
        assert_eq!(active.decide(DECLARE, &helping, TODAY), Ok(None), "the same again changes nothing");
        let newer = Command::Declare { trained_on: TODAY };
        assert_eq!(active.decide(newer, &helping, TODAY), Ok(Some(Event::Declared(TODAY))), "a new training");
    }
}
