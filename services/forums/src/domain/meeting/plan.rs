//! When and where a meeting is held.

use kernel::{Date, Fault, Invalid};

use crate::domain::forum::{Forum, ForumState};

/// How a meeting is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In one place.
    InPerson,
    /// Over the network.
    Remote,
    /// Both.
    Hybrid,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 3] = [Mode::InPerson, Mode::Remote, Mode::Hybrid];

    /// The name in events and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::InPerson => "in_person",
            Mode::Remote => "remote",
            Mode::Hybrid => "hybrid",
        }
    }
}

/// When and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The day.
    pub held_on: Date,
    /// When it starts in Finland, "13:00".
    pub starts_at: String,
    /// How it is held.
    pub mode: Mode,
    /// Where; empty for a remote one. Public.
    pub place: String,
    /// Address for taking part over the network; empty in person. For members only.
    pub remote_link: String,
}

impl Plan {
    /// Whether a notice of the one holds for the other: the same day, time and kind, perhaps at another place or address.
    pub fn is_same_time(&self, other: &Plan) -> bool {
        (self.held_on, &self.starts_at, self.mode) == (other.held_on, &other.starts_at, other.mode)
    }

    /// The plan with its texts trimmed. Invalid `request.invalid` naming the field at fault.
    pub fn checked(mut self) -> Result<Self, Fault> {
        for text in [&mut self.starts_at, &mut self.place, &mut self.remote_link] {
            *text = text.trim().to_owned();
        }
        let time = self.starts_at.split_once(':').and_then(|(hour, minute)| {
            let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let read = |text: &str| text.parse::<u8>().ok().filter(|_| digits(text));
            Some((read(hour)?, read(minute)?))
        });
        if !time.is_some_and(|(hour, minute)| hour < 24 && minute < 60) {
            let rule = Invalid::new("a time of the day is written HH:MM", "send for example \"13:00\"");
            return Err(rule.in_field("starts_at"));
        }
        let length = self.place.chars().count();
        let place_fits = match self.mode {
            Mode::Remote => length == 0,
            Mode::InPerson | Mode::Hybrid => {
                (2..=200).contains(&length) && !self.place.chars().any(char::is_control)
            }
        };
        if !place_fits {
            let rule = "a meeting in a place says where in 2 to 200 characters, a remote one has none";
            return Err(Invalid::new(rule, "send a place, or another mode").in_field("place"));
        }
        let link = self.remote_link.as_str();
        let is_link = link.starts_with("https://")
            && (10..=500).contains(&link.len())
            && link.bytes().all(|byte| byte.is_ascii_graphic());
        if if self.mode == Mode::InPerson { !link.is_empty() } else { !is_link } {
            let rule = "a meeting over the network has an address that begins with https://, at most 500 characters; one in person has none";
            return Err(Invalid::new(rule, "send the address, or another mode").in_field("remote_link"));
        }
        Ok(self)
    }
}

/// The plan of a meeting of this forum. Conflict `forums.no_seat_plan`, `forums.meeting_in_past` or
/// `forums.outside_term`; Invalid as [`Plan::checked`].
pub(super) fn checked_day(forum: &Forum, plan: Plan, today: Date) -> Result<Plan, Fault> {
    if forum.state != ForumState::Active {
        return Err(Fault::conflict(
            "forums.no_seat_plan",
            "The forum has no approved seat plan, or its term is over. Approve a plan first.",
        ));
    }
    let plan = plan.checked()?;
    if plan.held_on < today {
        let message = format!("{} is past. Choose today or a later day.", plan.held_on);
        return Err(Fault::conflict("forums.meeting_in_past", message));
    }
    let (first, last) = (forum.charter.term_starts_on, forum.charter.term_ends_on);
    if plan.held_on < first || plan.held_on > last {
        let message = format!("The forum's term is from {first} to {last}. Choose a day within it.");
        return Err(Fault::conflict("forums.outside_term", message));
    }
    Ok(plan)
}
