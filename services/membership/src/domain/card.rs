//! Code cards: a number and a code on paper, with which a person signs in once.
//!
//! Only a slow hash of the code is kept. A card works once, for the days of the county's policy, until a newer card of
//! the person is made, and until ten tries were wrong.

use kernel::{Date, ParticipantId, Timestamp, UnitId, deadline};

use time::Duration;

use super::Rejection;

/// Characters of a card's number.
pub const NUMBER_LENGTH: usize = 8;
/// Characters of a card's code: sixty bits.
pub const CODE_LENGTH: usize = 12;
/// Tries after which a card stops working.
pub const MOST_TRIES: u32 = 10;
/// How long after its last day it is still on record who had a card made: an election and its appeals are over by then.
pub const KEPT: Duration = Duration::days(365);

/// Where a card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// May be used.
    Open,
    /// Was used.
    Used,
    /// A newer card took its place, or the person left.
    Replaced,
}

impl State {
    /// Every state.
    pub const ALL: [State; 3] = [State::Open, State::Used, State::Replaced];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Used => "used",
            State::Replaced => "replaced",
        }
    }
}

/// A code card, without its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub participant: ParticipantId,
    /// Who had it made, and so has seen its code. For the holder's eyes only.
    pub issued_by: ParticipantId,
    /// The unit in whose name it was made; None for the county.
    pub issued_for: Option<UnitId>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Last moment at which it works.
    pub expires_at: Timestamp,
    /// Tries begun so far.
    pub tries: u32,
    /// Where it stands.
    pub state: State,
}

/// What happened to a card. Never published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody tries a code.
    Tried,
    /// The code was right.
    Redeemed,
    /// A newer card took its place.
    Replaced,
}

/// The last moment of a card issued today that is good for so many days.
pub fn expiry(today: Date, days: u32) -> Timestamp {
    deadline::end_of_day(deadline::add_days(today, i32::try_from(days).unwrap_or(i32::MAX)))
}

impl Card {
    /// Whether it takes no more tries.
    pub fn is_locked(&self) -> bool {
        self.state == State::Open && self.tries >= MOST_TRIES
    }

    /// A try begins; it is counted before the code is looked at, so that many tries at once are no way round the limit.
    /// A card that is no longer open opens nothing, so its tries are not counted: None.
    ///
    /// # Errors
    /// CardRefused after [`MOST_TRIES`] tries, as for a wrong code: whoever tries codes learns neither that there is such
    /// a card nor, by a right code, that they may stop.
    pub fn begin_try(&self) -> Result<Option<Event>, Rejection> {
        match self.state {
            State::Open if self.is_locked() => Err(Rejection::CardRefused),
            State::Open => Ok(Some(Event::Tried)),
            State::Used | State::Replaced => Ok(None),
        }
    }

    /// The code was right: uses the card up.
    ///
    /// # Errors
    /// CardUsed, CardReplaced, CardExpired.
    pub fn redeem(&self, now: Timestamp) -> Result<Event, Rejection> {
        match self.state {
            State::Used => Err(Rejection::CardUsed),
            State::Replaced => Err(Rejection::CardReplaced),
            State::Open if now > self.expires_at => Err(Rejection::CardExpired),
            State::Open => Ok(Event::Redeemed),
        }
    }

    /// The card after the event.
    #[must_use]
    pub fn apply(self, event: Event) -> Card {
        match event {
            Event::Tried => Card { tries: self.tries + 1, ..self },
            Event::Redeemed => Card { state: State::Used, ..self },
            Event::Replaced => Card { state: State::Replaced, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    fn card() -> Card {
        Card {
            number: "0123ABCD".to_owned(),
            participant: ParticipantId::from_uuid(Uuid::nil()),
            issued_by: ParticipantId::from_uuid(Uuid::from_u128(1)),
            issued_for: None,
            issued_at: Timestamp::EPOCH,
            expires_at: expiry(date!(2026 - 03 - 02), 30),
            tries: 0,
            state: State::Open,
        }
    }

    #[test]
    fn a_card_works_through_its_last_day_in_finland() {
        assert_eq!(card().expires_at.helsinki_date(), date!(2026 - 04 - 01));
        assert_eq!(card().redeem(card().expires_at), Ok(Event::Redeemed));
        let after = card().expires_at + time::Duration::MICROSECOND;
        assert_eq!(card().redeem(after), Err(Rejection::CardExpired));
    }

    #[test]
    fn a_card_works_once() {
        let used = card().apply(Event::Redeemed);
        assert_eq!(used.redeem(Timestamp::EPOCH), Err(Rejection::CardUsed));
        let replaced = card().apply(Event::Replaced);
        assert_eq!(replaced.redeem(Timestamp::EPOCH), Err(Rejection::CardReplaced));
    }

    proptest! {
        #[test]
        fn a_card_never_takes_more_than_ten_tries(tries in 0u32..50) {
            let mut card = card();
            let mut taken = 0;
            for _ in 0..tries {
                if let Ok(Some(event)) = card.begin_try() {
                    card = card.apply(event);
                    taken += 1;
                }
            }
            prop_assert_eq!(taken, tries.min(MOST_TRIES));
        }
    }
}
