//! A session: one visit of somebody who compares. Nobody knows who; a random token is all there is, and only its hash is
//! kept. The session sees a pair at a time, answers it, skips it, or takes its latest answer back.
//!
//! A session answers only pairs that it was shown. Whoever begins many until the pair comes that they want can choose, so
//! few can be begun from one address in a minute, and what they leave unanswered is not counted as shown.

use kernel::{Fault, Invalid, MunicipalityCode, RoundId, Uuid};
use sha2::{Digest as _, Sha256};

use super::IdeaNo;
use super::pairing::Pair;

/// Own ideas that one session may add.
pub const MOST_OWN_IDEAS: u32 = 3;

/// What a client shows to go on with its session: 64 hexadecimal digits, told once.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// A token of 32 fresh random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(data_encoding::HEXLOWER.encode(&bytes))
    }

    /// A token as a client sent it. Invalid `request.invalid`, naming `session_token`.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hexadecimal) {
            return Ok(Self(text.to_owned()));
        }
        let rule = Invalid::new(
            "a session has the token that StartSession gave",
            "start a session, and send its token",
        );
        Err(rule.in_field("session_token"))
    }

    /// The token, for the client it was made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> SessionHash {
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(self.0.as_bytes())[..16]);
        SessionHash(Uuid::from_bytes(half))
    }
}

impl std::fmt::Debug for SessionToken {
    /// Never shows the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken")
    }
}

/// The first 128 bits of the SHA-256 of a token: the key under which a session is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionHash(Uuid);

impl SessionHash {
    /// The hash as it was stored.
    pub fn stored(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// For storing.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Seed of the choice of the session's pair with this number: other sessions get other pairs, and a test that knows
    /// the token knows them.
    pub fn seed(self, number: u32) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"pair|")
            .chain_update(self.0.as_bytes())
            .chain_update(number.to_be_bytes())
            .finalize()
            .into()
    }
}

/// Why somebody does not choose between two ideas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// "En osaa sanoa."
    CannotSay,
    /// Both are good.
    BothGood,
    /// Neither is good.
    BothBad,
    /// The text or the picture of one was not understood.
    NotUnderstood,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [SkipReason; 4] =
        [SkipReason::CannotSay, SkipReason::BothGood, SkipReason::BothBad, SkipReason::NotUnderstood];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            SkipReason::CannotSay => "cannot_say",
            SkipReason::BothGood => "both_good",
            SkipReason::BothBad => "both_bad",
            SkipReason::NotUnderstood => "not_understood",
        }
    }
}

/// An answer to a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The one on the left is better.
    Left,
    /// The one on the right is better.
    Right,
    /// Neither was chosen: shown, but not compared.
    Skipped(SkipReason),
}

impl Answer {
    /// Every answer.
    pub const ALL: [Answer; 6] = [
        Answer::Left,
        Answer::Right,
        Answer::Skipped(SkipReason::CannotSay),
        Answer::Skipped(SkipReason::BothGood),
        Answer::Skipped(SkipReason::BothBad),
        Answer::Skipped(SkipReason::NotUnderstood),
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Left => "left",
            Answer::Right => "right",
            Answer::Skipped(reason) => reason.as_str(),
        }
    }

    /// Whether it is a comparison.
    pub fn is_comparison(self) -> bool {
        !matches!(self, Answer::Skipped(_))
    }
}

/// A pair that the session was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Number in the session, from 1.
    pub number: u32,
    /// The pair.
    pub pair: Pair,
    /// What was answered.
    pub answer: Option<Answer>,
}

/// Whether the latest answer can be taken back, and what it added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Latest {
    /// There is none that can be.
    #[default]
    None,
    /// Given alone.
    Alone,
    /// Given with somebody's help. Kept for the latest answer only, so that the total can be put right, and forgotten
    /// when the round closes.
    Assisted,
}

impl Latest {
    /// Every kind.
    pub const ALL: [Latest; 3] = [Latest::None, Latest::Alone, Latest::Assisted];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Latest::None => "none",
            Latest::Alone => "alone",
            Latest::Assisted => "assisted",
        }
    }
}

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What is kept of its token.
    pub hash: SessionHash,
    /// Its round.
    pub round: RoundId,
    /// Where the participant is from, if they wanted to say.
    pub municipality: Option<MunicipalityCode>,
    /// Comparisons.
    pub comparisons: u32,
    /// Whether the latest answer can be taken back.
    pub latest: Latest,
    /// Own ideas added.
    pub own_ideas: u32,
}

/// What an answer, or taking one back, changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The pair as it is now.
    pub offer: Offer,
    /// The answer that counts from now on, or does not any more.
    pub answer: Answer,
    /// True if the answer is added, false if it is taken back.
    pub added: bool,
    /// Whether it was given with somebody's help.
    pub assisted: bool,
    /// +1 if the session compares for the first time by it, −1 if it has not compared any more.
    pub sessions: i64,
}

/// The pair that waits for an answer: the first one without.
pub fn waiting(offers: &[Offer]) -> Option<Offer> {
    offers.iter().find(|offer| offer.answer.is_none()).copied()
}

/// What a visit was shown, without the unanswered pairs of which an idea has been taken out of the round since.
pub fn still_there(mut offers: Vec<Offer>, is_in: impl Fn(IdeaNo) -> bool) -> Vec<Offer> {
    offers.retain(|offer| offer.answer.is_some() || (is_in(offer.pair.left) && is_in(offer.pair.right)));
    offers
}

impl Session {
    /// A new visit.
    pub fn start(hash: SessionHash, round: RoundId, municipality: Option<MunicipalityCode>) -> Self {
        Self { hash, round, municipality, comparisons: 0, latest: Latest::None, own_ideas: 0 }
    }

    /// Answers the pair with this number; None if it was answered so already.
    ///
    /// Conflict `proposals.pair_answered` if it was answered otherwise; `proposals.pair_not_waiting` if it is not the one
    /// that waits for an answer.
    pub fn answer(
        &self,
        offers: &[Offer],
        number: u32,
        answer: Answer,
        assisted: bool,
    ) -> Result<Option<Change>, Fault> {
        let offer = offers.iter().find(|offer| offer.number == number);
        match offer.and_then(|offer| offer.answer) {
            Some(before) if before == answer => return Ok(None),
            Some(_) => {
                return Err(Fault::conflict(
                    "proposals.pair_answered",
                    "This pair was answered otherwise. Take the answer back first (UndoLast), if it was the latest.",
                ));
            }
            None => {}
        }
        let waiting = waiting(offers).filter(|waiting| waiting.number == number).ok_or_else(not_waiting)?;
        let first = answer.is_comparison() && self.comparisons == 0;
        let offer = Offer { answer: Some(answer), ..waiting };
        Ok(Some(Change { offer, answer, added: true, assisted, sessions: i64::from(first) }))
    }

    /// The pair whose answer can be taken back: the latest one answered, if none was taken back since.
    pub fn undoable(&self, offers: &[Offer]) -> Option<Offer> {
        let latest = offers.iter().rev().find(|offer| offer.answer.is_some()).copied();
        latest.filter(|_| self.latest != Latest::None)
    }

    /// Takes the latest answer back: its pair waits again. None if that pair waits already.
    ///
    /// Conflict `proposals.nothing_to_undo` if the pair with this number is not the latest one answered, or if nothing was
    /// answered since an answer was taken back.
    pub fn undo(&self, offers: &[Offer], number: u32) -> Result<Option<Change>, Fault> {
        if waiting(offers).is_some_and(|waiting| waiting.number == number) {
            return Ok(None);
        }
        let latest = self.undoable(offers).filter(|offer| offer.number == number);
        let Some((offer, answer)) = latest.and_then(|offer| Some((offer, offer.answer?))) else {
            return Err(Fault::conflict(
                "proposals.nothing_to_undo",
                "Only the latest answer can be taken back, and only once before the next one.",
            ));
        };
        let last = answer.is_comparison() && self.comparisons == 1;
        let assisted = self.latest == Latest::Assisted;
        let offer = Offer { answer: None, ..offer };
        Ok(Some(Change { offer, answer, added: false, assisted, sessions: -i64::from(last) }))
    }

    /// The session after the change.
    #[must_use]
    pub fn apply(mut self, change: &Change) -> Self {
        let count = u32::from(change.answer.is_comparison());
        if change.added {
            self.comparisons += count;
            self.latest = if change.assisted { Latest::Assisted } else { Latest::Alone };
        } else {
            self.comparisons = self.comparisons.saturating_sub(count);
            self.latest = Latest::None;
        }
        self
    }

    /// The session with one more own idea. ResourceExhausted `proposals.own_ideas_of_session` after three.
    pub fn add_own_idea(mut self) -> Result<Self, Fault> {
        if self.own_ideas >= MOST_OWN_IDEAS {
            return Err(Fault::resource_exhausted(
                "proposals.own_ideas_of_session",
                format!(
                    "You have sent {MOST_OWN_IDEAS} ideas in this round, and that is the most. Thank you!"
                ),
            ));
        }
        self.own_ideas += 1;
        Ok(self)
    }
}

fn not_waiting() -> Fault {
    Fault::conflict(
        "proposals.pair_not_waiting",
        "This is not the pair that waits for an answer. Ask for it with NextPair.",
    )
}

#[cfg(test)]
mod tests;
