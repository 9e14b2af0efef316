//! Seats of a forum: vacant, filled, vacated; deputies take them in order.
//!
//! A seat knows its holder by the reference of this service, and that never leaves it but by an authorised query.

use kernel::{Date, ElectionId, Fault, MunicipalityCode, Subject};

/// State of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatState {
    /// Nobody has held it yet.
    Vacant,
    /// Held.
    Filled,
    /// Was held, is empty now.
    Vacated,
}

impl SeatState {
    /// Every state.
    pub const ALL: [SeatState; 3] = [SeatState::Vacant, SeatState::Filled, SeatState::Vacated];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            SeatState::Vacant => "vacant",
            SeatState::Filled => "filled",
            SeatState::Vacated => "vacated",
        }
    }
}

/// How a seat was filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeatOrigin {
    /// By most approvals.
    Vote,
    /// By lots after a tie.
    Lots,
    /// Without voting.
    Uncontested,
    /// A deputy took it.
    Deputy,
}

impl SeatOrigin {
    /// Every origin.
    pub const ALL: [SeatOrigin; 4] =
        [SeatOrigin::Vote, SeatOrigin::Lots, SeatOrigin::Uncontested, SeatOrigin::Deputy];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            SeatOrigin::Vote => "vote",
            SeatOrigin::Lots => "lots",
            SeatOrigin::Uncontested => "uncontested",
            SeatOrigin::Deputy => "deputy",
        }
    }
}

/// Why a seat became empty, as far as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VacancyReason {
    /// The term ended.
    TermEnd,
    /// The member left.
    Left,
    /// Anything else.
    Other,
}

impl VacancyReason {
    /// The name in events.
    pub fn as_str(self) -> &'static str {
        match self {
            VacancyReason::TermEnd => "TermEnd",
            VacancyReason::Left => "Left",
            VacancyReason::Other => "Other",
        }
    }
}

/// Who holds a seat or stands ready for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The person's reference at forums.
    pub reference: Subject,
    /// Whether they agreed to have their name published.
    pub name_public: bool,
    /// The election that brought them here.
    pub election: ElectionId,
}

/// A seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Number within the municipality, from 1.
    pub seat_no: u32,
    /// State.
    pub state: SeatState,
    /// How it was filled; none while empty.
    pub origin: Option<SeatOrigin>,
    /// Who holds it; none while empty.
    pub holder: Option<Holder>,
    /// Day by which a supplementary election is due, if one is.
    pub supplementary_due_on: Option<Date>,
}

/// A deputy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deputy {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Order within the municipality; the least comes first. There may be gaps.
    pub position: u32,
    /// Who it is.
    pub holder: Holder,
}

/// What happened to a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatEvent {
    /// It was filled.
    Filled {
        /// How.
        origin: SeatOrigin,
        /// By whom; never published.
        holder: Holder,
    },
    /// It became empty.
    Vacated(VacancyReason),
    /// A supplementary election must be held.
    SupplementaryCalled {
        /// By this day.
        due_on: Date,
    },
}

impl Seat {
    /// A new seat of an approved plan.
    pub fn new(municipality: MunicipalityCode, seat_no: u32) -> Self {
        let (origin, holder, supplementary_due_on) = (None, None, None);
        Self { municipality, seat_no, state: SeatState::Vacant, origin, holder, supplementary_due_on }
    }

    /// Whether nobody holds it.
    pub fn is_empty(&self) -> bool {
        self.state != SeatState::Filled
    }

    /// Declares the seat vacant. `next` is the municipality's first deputy; without one a supplementary election is
    /// due by `due_on`. At the end of the term nobody follows.
    ///
    /// Conflict `forums.seat_empty` if nobody holds it.
    pub fn vacate(
        &self,
        reason: VacancyReason,
        next: Option<&Deputy>,
        due_on: Date,
    ) -> Result<Vec<SeatEvent>, Fault> {
        if self.is_empty() {
            let message = format!("Seat {} of {} is empty already.", self.seat_no, self.municipality);
            return Err(Fault::conflict("forums.seat_empty", message));
        }
        let mut events = vec![SeatEvent::Vacated(reason)];
        match (reason, next) {
            (VacancyReason::TermEnd, _) => {}
            (_, Some(deputy)) => {
                events.push(SeatEvent::Filled { origin: SeatOrigin::Deputy, holder: deputy.holder.clone() });
            }
            (_, None) => events.push(SeatEvent::SupplementaryCalled { due_on }),
        }
        Ok(events)
    }

    /// The seat after the event.
    #[must_use]
    pub fn apply(mut self, event: &SeatEvent) -> Self {
        match event {
            SeatEvent::Filled { origin, holder } => {
                self.state = SeatState::Filled;
                self.origin = Some(*origin);
                self.holder = Some(holder.clone());
                self.supplementary_due_on = None;
            }
            SeatEvent::Vacated(_) => {
                self.state = SeatState::Vacated;
                self.origin = None;
                self.holder = None;
            }
            SeatEvent::SupplementaryCalled { due_on } => self.supplementary_due_on = Some(*due_on),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    fn day() -> Date {
        kernel::deadline::parse_date("2026-06-22").unwrap()
    }

    fn holder(person: u128) -> Holder {
        let election = ElectionId::from_uuid(Uuid::from_u128(1));
        Holder { reference: Subject::from_uuid(Uuid::from_u128(person)), name_public: false, election }
    }

    fn filled() -> Seat {
        let seat = Seat::new(MunicipalityCode::new("615").unwrap(), 5);
        seat.apply(&SeatEvent::Filled { origin: SeatOrigin::Vote, holder: holder(1) })
    }

    fn after(seat: Seat, events: &[SeatEvent]) -> Seat {
        events.iter().fold(seat, |seat, event| seat.apply(event))
    }

    #[test]
    fn f5_the_next_deputy_takes_a_vacated_seat() {
        let deputy = Deputy { municipality: filled().municipality, position: 1, holder: holder(2) };
        let events = filled().vacate(VacancyReason::Left, Some(&deputy), day()).unwrap();
        let seat = after(filled(), &events);
        assert_eq!((seat.state, seat.origin), (SeatState::Filled, Some(SeatOrigin::Deputy)));
        assert_eq!(seat.holder, Some(holder(2)));
        assert_eq!(seat.supplementary_due_on, None);
    }

    #[test]
    fn f6_without_deputy_a_supplementary_election_is_called() {
        let events = filled().vacate(VacancyReason::Other, None, day()).unwrap();
        let seat = after(filled(), &events);
        assert_eq!(
            (seat.state, seat.holder.clone(), seat.supplementary_due_on),
            (SeatState::Vacated, None, Some(day()))
        );
        assert_eq!(seat.vacate(VacancyReason::Left, None, day()).unwrap_err().code(), "forums.seat_empty");
    }

    #[test]
    fn at_the_end_of_the_term_nobody_follows() {
        let deputy = Deputy { municipality: filled().municipality, position: 1, holder: holder(2) };
        let events = filled().vacate(VacancyReason::TermEnd, Some(&deputy), day()).unwrap();
        assert_eq!(events, [SeatEvent::Vacated(VacancyReason::TermEnd)]);
    }
}
