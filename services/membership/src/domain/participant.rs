//! A person in a county's register. The only place of the platform that holds who somebody is.
//!
//! One human may be in the registers of two counties: two participants, one *person*. The identity link says so; where
//! there is none, a participant is a person alone. References for services, rolls and sessions belong to the person.
//!
//! ```text
//! Invited ──sign-in──▶ Active ──▶ Left ──▶ Anonymised
//!    └────────▶ Suspended ◀──┘       ▲
//!                   └────────────────┘
//! ```

use std::fmt;

use kernel::{ParticipantId, TenantId, TextVariant, Uuid};

use super::Rejection;

/// One human, over all counties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Uuid);

impl PersonId {
    /// The person with this UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for PersonId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Where a participant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In the register, has never signed in.
    Invited,
    /// Has signed in.
    Active,
    /// May not sign in for now.
    Suspended,
    /// Has left.
    Left,
    /// Personal data erased.
    Anonymised,
}

impl State {
    /// Every state.
    pub const ALL: [State; 5] =
        [State::Invited, State::Active, State::Suspended, State::Left, State::Anonymised];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Invited => "invited",
            State::Active => "active",
            State::Suspended => "suspended",
            State::Left => "left",
            State::Anonymised => "anonymised",
        }
    }

    /// Whether the person has gone for good.
    pub fn is_gone(self) -> bool {
        matches!(self, State::Left | State::Anonymised)
    }

    /// Whether the person may act: neither gone nor shut out.
    pub fn is_let_in(self) -> bool {
        matches!(self, State::Invited | State::Active)
    }
}

/// What the county knows of a person: name and how to reach them. Never leaves membership in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name to show.
    pub display_name: String,
    /// Language to address the person in.
    pub language: TextVariant,
    /// E-mail address, or empty.
    pub email: String,
    /// Phone number, or empty.
    pub phone: String,
}

/// A person in a county's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Id, known to membership only.
    pub id: ParticipantId,
    /// The county.
    pub tenant: TenantId,
    /// The human, over all counties.
    pub person: PersonId,
    /// The county's own key.
    pub register_key: String,
    /// Name and addresses.
    pub profile: Profile,
    /// Where the participant stands.
    pub state: State,
}

/// What may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The county's register says something else now.
    ChangeProfile(Profile),
    /// The person has proved who they are.
    SignIn,
    /// The county shuts the person out for now.
    Suspend,
    /// The county lets the person in again.
    Reinstate,
    /// The person leaves.
    Leave,
}

/// What happened. All of it is internal but the first sign-in, which is told without the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Added to the register.
    Registered(Participant),
    /// Name or addresses changed.
    ProfileChanged(Profile),
    /// First sign-in.
    Activated,
    /// Shut out for now.
    Suspended,
    /// Let in again.
    Reinstated,
    /// Left for good.
    Left,
}

impl Participant {
    /// What the command makes of this participant; None if it is so already.
    ///
    /// # Errors
    /// HasLeft for everything asked of a person who has left (leaving again is fine); Suspended for a sign-in;
    /// NotSuspended.
    pub fn decide(&self, command: &Command) -> Result<Option<Event>, Rejection> {
        match (command, self.state) {
            (Command::Leave, State::Left | State::Anonymised) => Ok(None),
            (Command::SignIn, State::Left | State::Anonymised) => Err(Rejection::SessionRefused),
            (_, State::Left | State::Anonymised) => Err(Rejection::HasLeft),
            (Command::ChangeProfile(profile), _) if *profile == self.profile => Ok(None),
            (Command::ChangeProfile(profile), _) => Ok(Some(Event::ProfileChanged(profile.clone()))),
            (Command::SignIn, State::Invited) => Ok(Some(Event::Activated)),
            (Command::SignIn, State::Active) => Ok(None),
            (Command::SignIn, State::Suspended) => Err(Rejection::Suspended),
            (Command::Suspend, State::Suspended) => Ok(None),
            (Command::Suspend, State::Invited | State::Active) => Ok(Some(Event::Suspended)),
            (Command::Reinstate, State::Suspended) => Ok(Some(Event::Reinstated)),
            (Command::Reinstate, State::Invited | State::Active) => Err(Rejection::NotSuspended),
            (Command::Leave, _) => Ok(Some(Event::Left)),
        }
    }

    /// The participant after the event.
    #[must_use]
    pub fn apply(self, event: &Event) -> Participant {
        match event {
            Event::Registered(participant) => participant.clone(),
            Event::ProfileChanged(profile) => Participant { profile: profile.clone(), ..self },
            // Who is let in again has been here before, or will be counted at the next sign-in as active anyway.
            Event::Activated | Event::Reinstated => Participant { state: State::Active, ..self },
            Event::Suspended => Participant { state: State::Suspended, ..self },
            // The name stays as long as the minutes of the past need it; nobody writes to who has left.
            Event::Left => {
                let profile = Profile { email: String::new(), phone: String::new(), ..self.profile };
                Participant { state: State::Left, profile, ..self }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn participant(state: State) -> Participant {
        Participant {
            id: ParticipantId::from_uuid(Uuid::from_u128(1)),
            tenant: TenantId::new("19").unwrap(),
            person: PersonId::from(Uuid::from_u128(2)),
            register_key: "A-1".to_owned(),
            profile: profile("Aino Esimerkki"),
            state,
        }
    }

    fn profile(name: &str) -> Profile {
        Profile {
            display_name: name.to_owned(),
            language: TextVariant::Finnish,
            email: String::new(),
            phone: String::new(),
        }
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            "[A-C]".prop_map(|name| Command::ChangeProfile(profile(&name))),
            Just(Command::SignIn),
            Just(Command::Suspend),
            Just(Command::Reinstate),
            Just(Command::Leave),
        ]
    }

    proptest! {
        #[test]
        fn tst_01_folding_the_events_gives_the_state(commands in proptest::collection::vec(command(), 0..30)) {
            let start = participant(State::Invited);
            let mut now = start.clone();
            let mut log = vec![Event::Registered(start.clone())];
            for command in &commands {
                if let Ok(Some(event)) = now.decide(command) {
                    now = now.apply(&event);
                    log.push(event);
                }
            }
            let folded = log.iter().fold(start, |participant, event| participant.apply(event));
            prop_assert_eq!(folded, now);
        }

        #[test]
        fn a_command_done_twice_changes_nothing_the_second_time(commands in proptest::collection::vec(command(), 0..20)) {
            let mut now = participant(State::Invited);
            for command in &commands {
                let Ok(Some(event)) = now.decide(command) else { continue };
                now = now.apply(&event);
                if matches!(command, Command::Reinstate) {
                    prop_assert_eq!(now.decide(command), Err(Rejection::NotSuspended));
                } else {
                    prop_assert_eq!(now.decide(command), Ok(None));
                }
            }
        }

        #[test]
        fn who_has_left_never_comes_back(commands in proptest::collection::vec(command(), 0..20)) {
            let mut now = participant(State::Left);
            for command in &commands {
                if let Ok(Some(event)) = now.decide(command) {
                    now = now.apply(&event);
                }
            }
            prop_assert_eq!(now, participant(State::Left));
        }
    }

    #[test]
    fn a_suspended_person_cannot_sign_in() {
        assert_eq!(participant(State::Suspended).decide(&Command::SignIn), Err(Rejection::Suspended));
        assert_eq!(participant(State::Left).decide(&Command::SignIn), Err(Rejection::SessionRefused));
    }
}
