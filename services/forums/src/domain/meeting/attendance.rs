//! Who is present, by seat, and whether they can decide (F9).
//!
//! A seat is present by its holder, or by a deputy of its municipality who acts for the absent holder. The person is
//! known while they can vote, and so that they see their own attendance; minutes and figures have seats only. A seat
//! that is vacated in between is not present any more, until somebody new is recorded for it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ActingMode, Caller, Fault, Invalid, MunicipalityCode, Subject};

use crate::domain::forum::Forum;
use crate::domain::seat::{Deputy, Seat};

/// Names a seat of a forum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeatKey {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Number within the municipality, from 1.
    pub seat_no: u32,
}

impl SeatKey {
    /// The key of a seat.
    pub fn of(seat: &Seat) -> Self {
        Self { municipality: seat.municipality, seat_no: seat.seat_no }
    }
}

/// A seat that is said to be present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidPresent {
    /// The seat.
    pub seat: SeatKey,
    /// 0: its holder. Else the deputy of the municipality who acts for them, by their order.
    pub deputy_order: u32,
    /// Over the network.
    pub remote: bool,
}

/// A seat that is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// The seat.
    pub seat: SeatKey,
    /// Who is there for it; none when they are forgotten.
    pub person: Option<Subject>,
    /// Whether a deputy acts for the absent holder.
    pub deputy: bool,
    /// Over the network.
    pub remote: bool,
}

/// The seats of a forum and its deputies as they are now.
#[derive(Debug, Clone, Copy)]
pub struct Roster<'a> {
    /// Seats.
    pub seats: &'a [Seat],
    /// Deputies by municipality, in order.
    pub deputies: &'a [Deputy],
}

impl Roster<'_> {
    /// Who is present by these words. Invalid `forums.seat_not_filled`, `forums.no_such_seat`,
    /// `forums.no_such_deputy` or `forums.present_twice`, naming the entry.
    pub fn record(&self, said: &[SaidPresent]) -> Result<Vec<Present>, Fault> {
        let mut present = Vec::with_capacity(said.len());
        let (mut seats, mut persons) = (BTreeSet::new(), BTreeSet::new());
        for (index, one) in said.iter().enumerate() {
            let person = self.person_of(one).map_err(|(code, part, rule)| {
                Fault::invalid(code, format!("present[{index}].{part}: {rule}.")).field(
                    format!("present[{index}].{part}"),
                    rule,
                    "look at ListSeats and ListSeatHolders",
                )
            })?;
            if !seats.insert(one.seat) || !persons.insert(person) {
                let rule = "a seat, and a person, is present once";
                return Err(Fault::invalid("forums.present_twice", format!("present[{index}]: {rule}."))
                    .field(format!("present[{index}]"), rule, "leave one of them out"));
            }
            let (seat, remote) = (one.seat, one.remote);
            present.push(Present { seat, person: Some(person), deputy: one.deputy_order > 0, remote });
        }
        present.sort_by_key(|one| one.seat);
        Ok(present)
    }

    fn person_of(&self, said: &SaidPresent) -> Result<Subject, (&'static str, &'static str, &'static str)> {
        let found = self.seats.iter().find(|seat| SeatKey::of(seat) == said.seat);
        let seat = found.ok_or(("forums.no_such_seat", "seat_no", "the seat is in the forum's plan"))?;
        let holder = seat.holder.as_ref().filter(|_| !seat.is_empty());
        let holder =
            holder.ok_or(("forums.seat_not_filled", "seat_no", "a seat that nobody holds is not present"))?;
        let Some(place) = said.deputy_order.checked_sub(1) else { return Ok(holder.reference) };
        let mut here = self.deputies.iter().filter(|deputy| deputy.municipality == seat.municipality);
        let deputy = usize::try_from(place).ok().and_then(|place| here.nth(place));
        let deputy = deputy.ok_or((
            "forums.no_such_deputy",
            "deputy_order",
            "a deputy of the seat's municipality acts for an absent member",
        ))?;
        Ok(deputy.holder.reference)
    }

    /// Whether the one who is present for a seat may act for it still: its holder, or a deputy of its municipality while
    /// somebody holds it.
    pub fn stands(&self, present: &Present) -> bool {
        let Some(person) = present.person else { return false };
        let seat = self.seats.iter().find(|seat| SeatKey::of(seat) == present.seat);
        let Some(holder) = seat.filter(|seat| !seat.is_empty()).and_then(|seat| seat.holder.as_ref()) else {
            return false;
        };
        let is_deputy = |deputy: &Deputy| {
            deputy.municipality == present.seat.municipality && deputy.holder.reference == person
        };
        holder.reference == person || (present.deputy && self.deputies.iter().any(is_deputy))
    }

    /// Whether the person holds a seat or is a deputy.
    pub fn belongs(&self, person: Subject) -> bool {
        let holds = |seat: &Seat| seat.holder.as_ref().is_some_and(|holder| holder.reference == person);
        self.seats.iter().any(holds) || self.deputies.iter().any(|one| one.holder.reference == person)
    }

    /// Refuses whoever does not: Forbidden `forums.not_a_member`.
    pub fn check_belongs(&self, person: Subject) -> Result<(), Fault> {
        if self.belongs(person) { Ok(()) } else { Err(not_a_member()) }
    }
}

/// How many seats are there, and whether that is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turnout {
    /// Seats present by municipality, by code; none where none is.
    pub present: Vec<(MunicipalityCode, u32)>,
    /// Seats of the forum that are filled.
    pub seats_filled: u32,
    /// Seats of the forum's plan.
    pub seats_total: u32,
    /// Whether it can decide (F9).
    pub quorate: bool,
}

impl Turnout {
    /// The turnout of those who stand. `municipalities` is the policy: a forum of fewer municipalities needs all of
    /// them.
    pub fn of(forum: &Forum, roster: Roster<'_>, present: &[Present], municipalities: u32) -> Self {
        let mut counts: BTreeMap<MunicipalityCode, u32> = BTreeMap::new();
        for one in present.iter().filter(|one| roster.stands(one)) {
            *counts.entry(one.seat.municipality).or_default() += 1;
        }
        let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX);
        let seats_filled = count(roster.seats.iter().filter(|seat| !seat.is_empty()).count());
        let here: u32 = counts.values().sum();
        let needed = municipalities.min(count(forum.plan.len()));
        Self {
            quorate: is_quorate(here, count(counts.len()), seats_filled, needed),
            present: counts.into_iter().collect(),
            seats_filled,
            seats_total: forum.seats_total(),
        }
    }

    /// Seats present in all.
    pub fn present_total(&self) -> u32 {
        self.present.iter().map(|(_, count)| count).sum()
    }

    /// Seats present of all seats, in basis points (K3).
    pub fn basis_points(&self) -> u32 {
        basis_points(self.present_total(), self.seats_total)
    }

    /// Whether so many seats are more than half of the filled ones (F9).
    pub fn is_enough(&self, seats: u32) -> bool {
        u64::from(seats) * 2 > u64::from(self.seats_filled)
    }

    /// Refuses unless it can decide: Conflict `forums.not_quorate` (F9).
    pub fn check_quorate(&self) -> Result<(), Fault> {
        if self.quorate {
            return Ok(());
        }
        let message = format!(
            "{} of {} filled seats from {} municipalities are present. A forum decides with more than half of its filled seats and enough municipalities (F9). Record who else is present, or leave the topic to another meeting.",
            self.present_total(),
            self.seats_filled,
            self.present.len()
        );
        Err(Fault::conflict("forums.not_quorate", message))
    }
}

/// F9: more than half of the filled seats, and at least as many municipalities as needed.
pub fn is_quorate(present: u32, municipalities: u32, seats_filled: u32, needed: u32) -> bool {
    u64::from(present) * 2 > u64::from(seats_filled) && municipalities >= needed
}

/// `part` of `whole` in basis points, half away from zero; 0 of nothing.
pub fn basis_points(part: u32, whole: u32) -> u32 {
    let (part, whole) = (u64::from(part), u64::from(whole));
    let rounded = (part * 20_000 + whole).checked_div(whole * 2).unwrap_or(0);
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

/// The seat that is said to chair: one of those present. Invalid `request.invalid`.
pub fn check_chair(chair: Option<SeatKey>, present: &[Present]) -> Result<(), Fault> {
    if chair.is_none_or(|chair| present.iter().any(|one| one.seat == chair)) {
        return Ok(());
    }
    let rule = Invalid::new("the seat that chairs is present", "name a present seat, or none");
    Err(rule.in_field("chair_seat_no"))
}

/// Refuses whoever acts for a member: how somebody takes part in a forum and what they think of its decisions is theirs
/// alone. Forbidden `forums.members_own_matter` (M5).
pub fn check_own_matter(caller: &Caller) -> Result<(), Fault> {
    match caller.mode {
        ActingMode::Alone | ActingMode::Assisted => Ok(()),
        ActingMode::OnBehalf | ActingMode::Dictated => Err(Fault::forbidden(
            "forums.members_own_matter",
            "This is the member's own matter: nobody does it for them (M5). They do it in their own session, with help if they want.",
        )),
    }
}

/// Who was not there when something was decided.
pub fn not_there() -> Fault {
    Fault::forbidden(
        "forums.not_a_member",
        "This is for members and deputies who were present when it was decided (F10). Look at ListMyMeetings.",
    )
}

/// Who has no seat and is no deputy.
pub fn not_a_member() -> Fault {
    Fault::forbidden(
        "forums.not_a_member",
        "This is for members of the forum and their deputies. Look at GetMySeat.",
    )
}
