//! Minutes: what the service knows of a meeting, and what the secretary wrote. They become public when the chair has
//! found them right and a human has looked for secrets (F12).

use std::collections::BTreeMap;

use kernel::{ActingMode, AgendaItemId, Caller, Date, Fault, Invalid, MeetingId, Subject, Uuid};

use super::attendance::{SeatKey, check_own_matter};
use super::{Meeting, MeetingState};

/// Most characters of a dissent.
pub const MAX_DISSENT: usize = 2_000;

/// How far the minutes have come. Their texts are kept with other forms of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minutes {
    /// Everybody who wrote them; forgotten when they are public.
    pub writers: Vec<Subject>,
    /// When.
    pub drafted_on: Option<Date>,
    /// When the chair found them right.
    pub checked_on: Option<Date>,
    /// When a human had looked for secrets.
    pub screened_on: Option<Date>,
    /// When they became public.
    pub published_on: Option<Date>,
}

/// A dissent: free text, so nobody but those who work on the minutes sees it before it is screened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissent {
    /// Id.
    pub id: Uuid,
    /// The meeting.
    pub meeting: MeetingId,
    /// The topic.
    pub item: AgendaItemId,
    /// The seat it is of.
    pub seat: SeatKey,
    /// Who wrote it; none when they are forgotten.
    pub author: Option<Subject>,
    /// What it says.
    pub text: String,
    /// Whether its author wants the minutes to say of which seat it is.
    pub show_seat: bool,
    /// Why it is not published; none for one that is.
    pub withheld: Option<Withholding>,
}

/// Why a dissent is not published: its text tells something that is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withholding {
    /// Who somebody is, or how to reach them.
    PersonalData,
    /// Somebody's health, or the services that they get.
    HealthOrService,
    /// It would put somebody in danger.
    Safety,
}

impl Withholding {
    /// Every reason.
    pub const ALL: [Withholding; 3] =
        [Withholding::PersonalData, Withholding::HealthOrService, Withholding::Safety];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Withholding::PersonalData => "personal_data",
            Withholding::HealthOrService => "health_or_service",
            Withholding::Safety => "safety",
        }
    }
}

/// Whether these dissents are withheld by other choices than before.
pub fn is_changed(dissents: &[Dissent], withheld: &BTreeMap<Uuid, Withholding>) -> bool {
    dissents.iter().any(|dissent| dissent.withheld.as_ref() != withheld.get(&dissent.id))
}

impl Dissent {
    /// Whether this caller may attach one: as [`check_own_matter`]; Conflict `forums.confirmation_needed` where somebody
    /// helps and the member has not said yes themselves.
    pub fn check_author(caller: &Caller, confirmed: bool) -> Result<(), Fault> {
        check_own_matter(caller)?;
        if caller.mode == ActingMode::Assisted && !confirmed {
            return Err(Fault::conflict(
                "forums.confirmation_needed",
                "A helper is present. Ask the member whether this is what they think; when they say yes themselves, send it as confirmed.",
            ));
        }
        Ok(())
    }

    /// Its text, trimmed. Invalid `request.invalid`.
    pub fn checked_text(text: &str) -> Result<String, Fault> {
        let text = text.trim();
        if (1..=MAX_DISSENT).contains(&text.chars().count()) {
            return Ok(text.to_owned());
        }
        let rule = format!("a dissent has 1 to {MAX_DISSENT} characters");
        Err(Invalid::new(rule, "shorten it").in_field("text"))
    }
}

impl Meeting {
    /// Whether a dissent may be attached or changed: Conflict `forums.minutes_screened` once somebody has checked or
    /// screened the minutes, or `forums.meeting_not_open` before the meeting.
    pub fn check_dissent(&self) -> Result<(), Fault> {
        let looked_at = self.minutes.checked_on.is_some() || self.minutes.screened_on.is_some();
        match self.state {
            MeetingState::Open | MeetingState::Closed | MeetingState::MinutesDraft if !looked_at => Ok(()),
            MeetingState::Planned | MeetingState::NoticeSent | MeetingState::Cancelled => self.check_open(),
            _ => Err(Fault::conflict(
                "forums.minutes_screened",
                "The minutes are looked at already, so no dissent is added. Ask the secretary to write them anew.",
            )),
        }
    }
}
