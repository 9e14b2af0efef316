//! Files attached to a proposal: what may be sent, how it is told what it is, and what is taken out of it.
//!
//! A file is what its bytes say, whatever it was called; names of files are not taken, for they tell too much. Pictures
//! carry hidden data, among it the place where they were taken: it is taken out before anybody sees the picture, but for
//! the way up. Whether a recording or a document holds something besides, the human who looks at it is told, and decides.

mod metadata;
mod particulars;

use kernel::{AttachmentId, Date, Fault, Invalid, ProposalId, Subject, TenantId, TextVariant, Timestamp};
use sha2::{Digest as _, Sha256};

use super::comment::Verdict;
use particulars::Particulars;

pub use metadata::without_metadata;

/// Most bytes of a file: 10 MiB.
pub const MAX_SIZE: u64 = 10 * 1024 * 1024;
/// Most bytes of a piece: 192 KiB.
pub const MAX_CHUNK: usize = 192 * 1024;
/// Most files of a proposal.
pub const MAX_FILES: u64 = 10;
/// Most files of a person, of all proposals together.
pub const MAX_FILES_OF_PERSON: usize = 100;
/// Most bytes of a person's files together: 100 MiB.
pub const MAX_SIZE_OF_PERSON: u64 = 100 * 1024 * 1024;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 300;
/// Hours after which a file is deleted that was begun and not finished.
pub const UNFINISHED_HOURS: i64 = 24;
/// Bytes from the beginning of a file by which it is told what it is.
const SNIFFED: usize = 8 * 1024;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// A picture.
    Png,
    /// A picture.
    Jpeg,
    /// A picture.
    WebP,
    /// A recording.
    Ogg,
    /// A recording.
    Mp3,
    /// A recording.
    M4a,
    /// A document.
    Pdf,
}

impl MediaType {
    /// Every type that is taken.
    pub const ALL: [Self; 7] =
        [Self::Png, Self::Jpeg, Self::WebP, Self::Ogg, Self::Mp3, Self::M4a, Self::Pdf];

    /// The name in requests and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
            Self::Ogg => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/m4a",
            Self::Pdf => "application/pdf",
        }
    }

    /// Whether it is a picture.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::WebP)
    }

    /// What a file is by its first bytes. Invalid `proposals.media_type` for anything that is not taken.
    pub fn of(beginning: &[u8]) -> Result<Self, Fault> {
        let beginning = &beginning[..beginning.len().min(SNIFFED)];
        let found = infer::get(beginning).map(|found| found.mime_type());
        // Opus is a way to write sound into an Ogg file.
        let found = if found == Some("audio/opus") { Some(Self::Ogg.as_str()) } else { found };
        let known = Self::ALL.into_iter().find(|known| found == Some(known.as_str()));
        known.ok_or_else(|| {
            Fault::invalid(
                "proposals.media_type",
                "The file is none of the kinds that are taken. Send a PNG, JPEG or WebP picture, an Ogg, MP3 or M4A \
                 recording, or a PDF.",
            )
        })
    }
}

/// State of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttachmentState {
    /// Its pieces are being sent.
    Begun,
    /// It waits for a human.
    Waiting,
    /// Everybody can read it.
    Visible,
    /// A human removed it.
    Removed,
}

impl AttachmentState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Waiting, Self::Visible, Self::Removed];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Waiting => "waiting",
            Self::Visible => "visible",
            Self::Removed => "removed",
        }
    }
}

/// Which of its bytes are kept of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// As they were sent.
    Sent,
    /// With the hidden data taken out.
    Plain,
}

impl Part {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sent, Self::Plain];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Plain => "plain",
        }
    }
}

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Id, in order of time.
    pub id: AttachmentId,
    /// The county of the proposal.
    pub tenant: TenantId,
    /// The proposal.
    pub proposal: ProposalId,
    /// Who sent it; None once they have left.
    pub sender: Option<Subject>,
    /// State.
    pub state: AttachmentState,
    /// What it is; None while it is being sent.
    pub kind: Option<MediaType>,
    /// Bytes: as sent so far, or as kept.
    pub size: u64,
    /// Pieces: as sent so far, or as kept.
    pub chunks: u64,
    /// Hash of what was sent; empty while it is being sent.
    pub sha256: Vec<u8>,
    /// What it shows or says.
    pub description: String,
    /// The language of the description.
    pub language: TextVariant,
    /// Which bytes are kept.
    pub part: Part,
    /// Whether it may say more than is heard or read in it; of pictures that is taken out.
    pub hidden_data: bool,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// The day by which a human looks at it, while it waits.
    pub review_due_on: Option<Date>,
    /// Why it was removed.
    pub reason: String,
}

impl Attachment {
    /// Its sender takes it back at any time, also after a human has let it be seen: it is their voice, their face. Conflict
    /// `proposals.attachment_removed` for one that a human removed: only the reason is left of it, for its sender to read.
    pub fn check_deletable(&self) -> Result<(), Fault> {
        match self.state {
            AttachmentState::Begun | AttachmentState::Waiting | AttachmentState::Visible => Ok(()),
            AttachmentState::Removed => Err(removed()),
        }
    }

    /// The file of a person who has left: nobody knows any more whose it is, and a human looks at it again, by this day,
    /// because it may be the person's voice or face. None for one that was not sent to its end: it goes with them.
    pub fn left_behind(mut self, review_due_on: Date) -> Option<Self> {
        self.sender = None;
        match self.state {
            AttachmentState::Begun => return None,
            AttachmentState::Waiting | AttachmentState::Removed => {}
            AttachmentState::Visible => {
                self.state = AttachmentState::Waiting;
                self.review_due_on = Some(review_due_on);
            }
        }
        Some(self)
    }

    /// The file after a verdict; None if it was so before. As [`judge`].
    pub fn judged(mut self, verdict: &Verdict) -> Result<Option<Self>, Fault> {
        let Some(state) = judge(self.state, verdict)? else { return Ok(None) };
        self.state = state;
        self.review_due_on = None;
        if let Verdict::Remove { reason } = verdict {
            self.reason.clone_from(reason);
            // What it showed may be what it was removed for.
            self.description.clear();
            (self.size, self.chunks) = (0, 0);
        }
        Ok(Some(self))
    }
}

/// Refuses one file more than a proposal has. ResourceExhausted `proposals.too_many_files`.
pub fn check_files(files: u64) -> Result<(), Fault> {
    if files < MAX_FILES {
        return Ok(());
    }
    let message = format!("A proposal has at most {MAX_FILES} files. Delete one first.");
    Err(Fault::resource_exhausted("proposals.too_many_files", message))
}

/// Refuses more of a person's files than are kept: `sizes` are those of the files they have, in bytes, `more` what comes.
/// ResourceExhausted `proposals.files_of_person`.
pub fn check_person(sizes: &[u64], more: u64) -> Result<(), Fault> {
    let together = sizes.iter().fold(more, |sum, size| sum.saturating_add(*size));
    if sizes.len() <= MAX_FILES_OF_PERSON && together <= MAX_SIZE_OF_PERSON {
        return Ok(());
    }
    let message = format!(
        "A person has at most {MAX_FILES_OF_PERSON} files of 100 MiB together, of all their proposals. Take one back first."
    );
    Err(Fault::resource_exhausted("proposals.files_of_person", message))
}

/// What a file shows or says. Invalid `request.invalid` unless it has 1 to 300 characters.
pub fn description(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if (1..=MAX_DESCRIPTION).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let rule = "a file is described in 1 to 300 characters, for those who cannot see or hear it";
    Err(Invalid::new(rule, "say what the picture shows, or what is said").in_field("description"))
}

/// Refuses a piece that is empty or too large: Invalid `request.invalid`.
pub fn check_chunk(data: &[u8]) -> Result<(), Fault> {
    if (1..=MAX_CHUNK).contains(&data.len()) {
        return Ok(());
    }
    Err(Invalid::new("a piece has 1 to 196,608 bytes", "send the file in smaller pieces").in_field("data"))
}

/// How a piece fits to those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Append {
    /// It is the next one.
    Next,
    /// It was sent before; it must be the same.
    Again,
}

/// Whether a piece at this position fits to a file of so many pieces and bytes.
///
/// Conflict `proposals.chunk_order` if pieces before it are missing, `proposals.attachment_finished` once the file is
/// whole; Invalid `proposals.too_large` if the file would have more than 10 MiB.
pub fn append(
    state: AttachmentState,
    (chunks, size): (u64, u64),
    position: u64,
    length: u64,
) -> Result<Append, Fault> {
    if state != AttachmentState::Begun {
        return Err(finished());
    }
    if position < chunks {
        return Ok(Append::Again);
    }
    if position > chunks {
        return Err(Fault::conflict(
            "proposals.chunk_order",
            format!("Pieces are sent one after the other. Send piece {chunks} next."),
        ));
    }
    if size.saturating_add(length) > MAX_SIZE {
        return Err(Fault::invalid("proposals.too_large", "A file has at most 10 MiB. Send a smaller one.")
            .field(
                "data",
                "a file has at most 10,485,760 bytes",
                "make the picture smaller or the recording shorter",
            ));
    }
    Ok(Append::Next)
}

/// Refused because the file is whole already.
pub fn finished() -> Fault {
    Fault::conflict("proposals.attachment_finished", "All of this file was sent already. Begin a new one.")
}

/// What comes of a file by a verdict; None if it is so already.
///
/// Conflict `proposals.attachment_unfinished` while it is being sent, `proposals.attachment_removed` for showing one
/// that was removed: its bytes are gone.
pub fn judge(state: AttachmentState, verdict: &Verdict) -> Result<Option<AttachmentState>, Fault> {
    use AttachmentState::{Begun, Removed, Visible, Waiting};
    match (state, verdict) {
        (Begun, _) => Err(Fault::conflict(
            "proposals.attachment_unfinished",
            "This file is still being sent. Look at it when it is whole.",
        )),
        (Removed, Verdict::Show) => Err(removed()),
        (Visible, Verdict::Show) | (Removed, Verdict::Remove { .. }) => Ok(None),
        (Waiting, Verdict::Show) => Ok(Some(Visible)),
        (Waiting | Visible, Verdict::Remove { .. }) => Ok(Some(Removed)),
    }
}

fn removed() -> Fault {
    Fault::conflict(
        "proposals.attachment_removed",
        "This file was removed and its bytes erased; its sender may send a new one.",
    )
}

/// The bytes of a file as its pieces come in: what it is, and whether they are what the sender says.
#[derive(Debug, Default)]
pub struct Whole {
    beginning: Vec<u8>,
    particulars: Particulars,
    hash: Sha256,
}

impl Whole {
    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        let missing = SNIFFED.saturating_sub(self.beginning.len()).min(piece.len());
        self.beginning.extend_from_slice(&piece[..missing]);
        self.particulars.add(piece);
        self.hash.update(piece);
    }

    /// What the file is, and whether it may say more than is heard or read in it.
    ///
    /// Invalid `proposals.wrong_hash` unless the bytes have this hash, `proposals.media_type` unless it is of a kind that
    /// is taken.
    pub fn end(self, sha256: &[u8]) -> Result<(MediaType, bool), Fault> {
        if self.hash.finalize().as_slice() != sha256 {
            return Err(Fault::invalid(
                "proposals.wrong_hash",
                "The bytes that arrived are not those that were sent.",
            )
            .field(
                "sha256",
                "the hash is that of all bytes in their order",
                "send the file again from the beginning",
            ));
        }
        let kind = MediaType::of(&self.beginning)?;
        Ok((kind, self.particulars.are_in(kind, &self.beginning)))
    }
}

#[cfg(test)]
mod tests;
