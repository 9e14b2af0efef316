//! Files: sent piece by piece, looked at by a human, read piece by piece.

use chassis::Call;
use futures::FutureExt as _;
use futures::stream::{self, Stream};
use kernel::{AttachmentId, Fault, PageSize, PageToken, ProposalId, Subject, TenantId, TextVariant, Uuid};
use messaging::{NewJob, Tx};
use proto::proposals as pb;

use super::App;
use super::comments::{page_token, review_due};
use crate::domain::attachment::{
    self, Append, Attachment, AttachmentState, MAX_CHUNK, MediaType, Part, UNFINISHED_HOURS, Whole,
    check_files, check_person,
};
use crate::domain::comment::Verdict;
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::{convert, store};

/// Job: deletes a file that was begun and not finished. Payload: its id.
pub const UNFINISHED_ATTACHMENT: &str = "proposals.unfinished_attachment";

/// Pieces with the hidden data taken out that are stored in one transaction: other commands do not wait long.
const PIECES_AT_ONCE: usize = 4;

struct Begin {
    id: AttachmentId,
    sender: Subject,
    proposal: ProposalId,
    description: String,
    language: TextVariant,
}

struct Piece {
    sender: Subject,
    id: AttachmentId,
    position: u64,
    data: Vec<u8>,
}

struct Finish {
    sender: Subject,
    id: AttachmentId,
    sha256: Vec<u8>,
    /// What was read of it before; None if it was finished then.
    read: Option<Read>,
}

/// What the pieces of a file say.
#[derive(Clone)]
struct Read {
    kind: MediaType,
    /// Whether it may say more than is heard or read in it.
    hidden_data: bool,
    /// What was read: as many pieces and bytes.
    of: (u64, u64),
    part: Part,
    /// What is kept: as many pieces and bytes.
    kept: (u64, u64),
}

struct Moderate {
    entry: Uuid,
    tenant: TenantId,
    id: AttachmentId,
    verdict: Verdict,
}

/// A file whose pieces are read: what it is, and the pieces.
pub struct Reading<S> {
    /// What it is.
    pub kind: MediaType,
    /// Its pieces in their order.
    pub pieces: S,
}

impl App {
    /// Begins a file of an own proposal.
    pub async fn begin_attachment(
        &self,
        call: &Call,
        proposal: ProposalId,
        description: String,
        language: TextVariant,
    ) -> Result<pb::BeginAttachmentResponse, Fault> {
        let sender = call.scope.subject()?;
        let input = Begin { id: self.ids.new_id(), sender, proposal, description, language };
        self.writer.run(call.command(), input, |tx, input| begun(tx, input).boxed()).await
    }

    /// Takes the next piece of a file.
    pub async fn append_chunk(
        &self,
        call: &Call,
        id: AttachmentId,
        position: u32,
        data: Vec<u8>,
    ) -> Result<pb::AppendChunkResponse, Fault> {
        attachment::check_chunk(&data)?;
        let input = Piece { sender: call.scope.subject()?, id, position: position.into(), data };
        self.writer.run(call.command(), input, |tx, input| appended(tx, input).boxed()).await
    }

    /// Ends a file: its bytes are those that were sent, and of a kind that is taken; hidden data of a picture is taken
    /// out before anybody sees it.
    pub async fn finish_attachment(
        &self,
        call: &Call,
        id: AttachmentId,
        sha256: Vec<u8>,
    ) -> Result<pb::FinishAttachmentResponse, Fault> {
        let sender = call.scope.subject()?;
        let file = store::attachments::load_own(self.database.read(), sender, id).await?;
        let read = match file.state {
            AttachmentState::Begun => Some(self.read_whole(&file, &sha256).await?),
            AttachmentState::Waiting | AttachmentState::Visible | AttachmentState::Removed => None,
        };
        let input = Finish { sender, id, sha256, read };
        self.writer.run(call.command(), input, |tx, input| finished(tx, input).boxed()).await
    }

    /// Reads a file once: a piece at a time, but for pictures, of which few are worked on at once.
    async fn read_whole(&self, file: &Attachment, sha256: &[u8]) -> Result<Read, Fault> {
        let (id, of) = (file.id, (file.chunks, file.size));
        let piece =
            async |position| store::attachments::chunk(self.database.read(), id, Part::Sent, position).await;
        if file.chunks == 0 {
            return Err(Fault::conflict(
                "proposals.chunk_order",
                "Nothing was sent of this file. Send piece 0 first.",
            ));
        }
        let first = piece(0).await?;
        let is_picture = MediaType::of(&first)?.is_picture();
        let _turn = match is_picture {
            true => Some(self.pictures.acquire().await.map_err(Fault::internal)?),
            false => None,
        };
        let (mut whole, mut picture) = (Whole::default(), Vec::new());
        for position in 0..file.chunks {
            let piece = piece(position).await?;
            whole.add(&piece);
            if is_picture {
                picture.extend_from_slice(&piece);
            }
        }
        let (kind, hidden_data) = whole.end(sha256)?;
        let sent = Read { kind, hidden_data, of, part: Part::Sent, kept: of };
        if !is_picture {
            return Ok(sent);
        }
        let worked = tokio::task::spawn_blocking(move || {
            let plain = attachment::without_metadata(kind, picture.clone())?;
            Ok::<_, Fault>((plain != picture).then_some(plain))
        });
        let Some(plain) = worked.await.map_err(Fault::internal)?? else { return Ok(sent) };
        let pieces: Vec<Vec<u8>> = plain.chunks(MAX_CHUNK).map(<[u8]>::to_vec).collect();
        let kept = (count(pieces.len()), count(plain.len()));
        drop(plain);
        for (place, some) in pieces.chunks(PIECES_AT_ONCE).enumerate() {
            let first = count(place * PIECES_AT_ONCE);
            let input = (id, of, first, some.to_vec());
            let stored =
                self.writer.internal("proposals.plain_picture", input, |tx, (id, of, first, some)| {
                    store::attachments::put_plain(tx.conn(), *id, *of, *first, some).boxed()
                });
            if !stored.await? {
                // Finishing it says what has become of it.
                break;
            }
        }
        Ok(Read { part: Part::Plain, kept, ..sent })
    }

    /// Takes an own file back.
    pub async fn delete_attachment(
        &self,
        call: &Call,
        id: AttachmentId,
    ) -> Result<pb::DeleteAttachmentResponse, Fault> {
        let input = (call.scope.subject()?, id);
        self.writer.run(call.command(), input, |tx, input| deleted(tx, input.0, input.1).boxed()).await
    }

    /// A human lets a file be seen or removes it.
    pub async fn moderate_attachment(
        &self,
        call: &Call,
        id: AttachmentId,
        verdict: Verdict,
    ) -> Result<pb::ModerateAttachmentResponse, Fault> {
        let input = Moderate { entry: self.ids.uuid(), tenant: call.scope.tenant()?, id, verdict };
        self.writer.run(call.command(), input, |tx, input| moderated(tx, input).boxed()).await
    }

    /// The files of a public proposal that everybody can read.
    pub async fn list_attachments(&self, proposal: ProposalId) -> Result<pb::ListAttachmentsResponse, Fault> {
        let proposal = store::proposals::load_public(self.database.read(), proposal).await?;
        let mut files = store::attachments::of(self.database.read(), proposal.id).await?;
        files.retain(|file| file.state == AttachmentState::Visible);
        Ok(pb::ListAttachmentsResponse {
            attachments: files.iter().map(convert::community::attachment).collect(),
        })
    }

    /// The caller's own files of a proposal.
    pub async fn list_my_attachments(
        &self,
        call: &Call,
        proposal: ProposalId,
    ) -> Result<pb::ListMyAttachmentsResponse, Fault> {
        let sender = call.scope.subject()?;
        let mut files = store::attachments::of(self.database.read(), proposal).await?;
        files.retain(|file| file.sender == Some(sender));
        Ok(pb::ListMyAttachmentsResponse {
            attachments: files.iter().map(convert::community::attachment).collect(),
        })
    }

    /// A county's files that wait for a human, the oldest first.
    pub async fn list_waiting_attachments(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListWaitingAttachmentsResponse, Fault> {
        let tenant = call.scope.tenant()?;
        let list = format!("proposals.waiting_attachments|{tenant}");
        let after = PageToken::read(token, &list).map_err(page_token)?;
        let after = after.map(|id| id.parse()).transpose().map_err(page_token)?;
        let found = store::attachments::waiting(self.database.read(), tenant, after, size.limit()).await?;
        let (page, next) = size.cut(found, &list, |file| file.id.to_string());
        Ok(pb::ListWaitingAttachmentsResponse {
            attachments: page.iter().map(convert::community::attachment).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// The pieces of a file that everybody can read.
    pub async fn read_attachment(
        &self,
        id: AttachmentId,
    ) -> Result<Reading<impl Stream<Item = Result<Vec<u8>, Fault>> + Send + use<>>, Fault> {
        let file = store::attachments::load(self.database.read(), id).await?;
        let proposal = store::proposals::load(self.database.read(), file.proposal).await?;
        if file.state != AttachmentState::Visible || !proposal.is_visible() {
            return Err(store::attachments::no_such_attachment());
        }
        self.pieces(&file)
    }

    /// The pieces of a file that waits for a human.
    pub async fn read_waiting_attachment(
        &self,
        call: &Call,
        id: AttachmentId,
    ) -> Result<Reading<impl Stream<Item = Result<Vec<u8>, Fault>> + Send + use<>>, Fault> {
        let file = store::attachments::load_in(self.database.read(), call.scope.tenant()?, id).await?;
        if file.state != AttachmentState::Waiting {
            return Err(store::attachments::no_such_attachment());
        }
        self.pieces(&file)
    }

    /// Each piece is read when the one before is on its way, so a slow reader holds one piece.
    fn pieces(
        &self,
        file: &Attachment,
    ) -> Result<Reading<impl Stream<Item = Result<Vec<u8>, Fault>> + Send + use<>>, Fault> {
        let kind = file.kind.ok_or_else(store::attachments::no_such_attachment)?;
        let (database, id, part, chunks) = (self.database.clone(), file.id, file.part, file.chunks);
        let pieces = stream::try_unfold(0, move |position| {
            let database = database.clone();
            async move {
                if position >= chunks {
                    return Ok(None);
                }
                let piece = store::attachments::chunk(database.read(), id, part, position).await?;
                Ok(Some((piece, position + 1)))
            }
        });
        Ok(Reading { kind, pieces })
    }

    /// Deletes a file that was begun a day ago and not finished.
    pub async fn delete_unfinished(&self, id: AttachmentId) -> Result<(), Fault> {
        self.writer.internal(UNFINISHED_ATTACHMENT, id, |tx, id| delete_unfinished(tx, *id).boxed()).await
    }
}

async fn begun(tx: &Tx, input: &Begin) -> Result<pb::BeginAttachmentResponse, Fault> {
    let proposal = store::proposals::load(tx.conn(), input.proposal).await?;
    if !store::authors::is_writer(tx.conn(), proposal.id, input.sender).await? {
        return Err(store::proposals::no_such_proposal());
    }
    if proposal.stage.is_ended() {
        return Err(Fault::conflict(
            "proposals.ended",
            "This proposal has ended, so nothing is added to it.",
        ));
    }
    check_files(store::attachments::count(tx.conn(), proposal.id).await?)?;
    let mut sizes = store::attachments::sizes(tx.conn(), input.sender).await?;
    sizes.push(0);
    check_person(&sizes, 0)?;
    let file = Attachment {
        id: input.id,
        tenant: proposal.tenant,
        proposal: proposal.id,
        sender: Some(input.sender),
        state: AttachmentState::Begun,
        kind: None,
        size: 0,
        chunks: 0,
        sha256: Vec::new(),
        description: input.description.clone(),
        language: input.language,
        part: Part::Sent,
        hidden_data: false,
        begun_at: tx.now(),
        review_due_on: None,
        reason: String::new(),
    };
    store::attachments::insert(tx.conn(), &file).await?;
    tx.schedule(NewJob {
        kind: UNFINISHED_ATTACHMENT,
        dedupe_key: file.id.to_string(),
        run_at: tx.now() + time::Duration::hours(UNFINISHED_HOURS),
        payload: file.id.as_uuid().as_bytes().to_vec(),
    });
    Ok(pb::BeginAttachmentResponse { attachment: Some(convert::community::without_description(&file)) })
}

async fn appended(tx: &Tx, input: &Piece) -> Result<pb::AppendChunkResponse, Fault> {
    let Piece { sender, id, position, data } = input;
    let mut file = store::attachments::load_own(tx.conn(), *sender, *id).await?;
    let length = count(data.len());
    match attachment::append(file.state, (file.chunks, file.size), *position, length)? {
        Append::Next => {
            check_person(&store::attachments::sizes(tx.conn(), *sender).await?, length)?;
            store::attachments::put_chunk(tx.conn(), file.id, *position, data.clone()).await?;
            (file.chunks, file.size) = (file.chunks + 1, file.size + length);
            store::attachments::save(tx.conn(), &file).await?;
        }
        Append::Again => {
            if store::attachments::chunk(tx.conn(), file.id, Part::Sent, *position).await? != *data {
                return Err(Fault::conflict(
                    "proposals.chunk_differs",
                    "This piece was sent before with other bytes. Begin the file anew.",
                ));
            }
        }
    }
    Ok(pb::AppendChunkResponse { attachment: Some(convert::community::without_description(&file)) })
}

async fn finished(tx: &Tx, input: &Finish) -> Result<pb::FinishAttachmentResponse, Fault> {
    let mut file = store::attachments::load_own(tx.conn(), input.sender, input.id).await?;
    if file.state != AttachmentState::Begun {
        if file.sha256 != input.sha256 {
            return Err(attachment::finished());
        }
        return Ok(pb::FinishAttachmentResponse {
            attachment: Some(convert::community::without_description(&file)),
        });
    }
    let read = input.read.as_ref().filter(|read| read.of == (file.chunks, file.size));
    let Some(read) = read else {
        return Err(Fault::unavailable(
            "proposals.attachment_changed",
            "A piece of this file arrived at the same time. Finish it again.",
        ));
    };
    match read.part {
        Part::Plain => {
            store::attachments::delete_chunks(tx.conn(), file.id, Part::Sent).await?;
            store::attachments::cut_plain(tx.conn(), file.id, read.kept.0).await?;
        }
        Part::Sent => store::attachments::delete_chunks(tx.conn(), file.id, Part::Plain).await?,
    }
    file.state = AttachmentState::Waiting;
    file.kind = Some(read.kind);
    file.hidden_data = read.hidden_data;
    file.sha256.clone_from(&input.sha256);
    file.part = read.part;
    (file.chunks, file.size) = read.kept;
    file.review_due_on = Some(review_due(tx, file.tenant, tx.now().helsinki_date()).await?);
    store::attachments::save(tx.conn(), &file).await?;
    Ok(pb::FinishAttachmentResponse { attachment: Some(convert::community::without_description(&file)) })
}

async fn deleted(tx: &Tx, sender: Subject, id: AttachmentId) -> Result<pb::DeleteAttachmentResponse, Fault> {
    let file = store::attachments::load_own(tx.conn(), sender, id).await?;
    file.check_deletable()?;
    store::texts::drop_recording(tx.conn(), file.id).await?;
    store::attachments::delete(tx.conn(), file.id).await?;
    Ok(pb::DeleteAttachmentResponse {})
}

async fn moderated(tx: &Tx, input: &Moderate) -> Result<pb::ModerateAttachmentResponse, Fault> {
    let before = store::attachments::load_in(tx.conn(), input.tenant, input.id).await?;
    let was = before.state;
    let Some(after) = before.clone().judged(&input.verdict)? else {
        let attachment = Some(convert::community::without_description(&before));
        return Ok(pb::ModerateAttachmentResponse { already: true, attachment });
    };
    store::attachments::save(tx.conn(), &after).await?;
    if let Verdict::Remove { reason } = &input.verdict {
        store::attachments::delete_chunks(tx.conn(), after.id, after.part).await?;
        store::texts::drop_recording(tx.conn(), after.id).await?;
        let entry = Moderation {
            id: input.entry,
            tenant: after.tenant,
            what: Moderated::Attachment,
            proposal: after.proposal,
            act: if was == AttachmentState::Waiting { ModerationAct::Refused } else { ModerationAct::Hidden },
            why: reason.as_str().into(),
            on: tx.now().helsinki_date(),
        };
        store::moderations::append(tx.conn(), &entry).await?;
    }
    let attachment = Some(convert::community::without_description(&after));
    Ok(pb::ModerateAttachmentResponse { already: false, attachment })
}

/// What is left of the files of a person who has left: without them, and looked at again by a human.
pub(super) async fn forget_sender(tx: &Tx, person: Subject) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    for file in store::attachments::sent_by(tx.conn(), person).await? {
        let due_on = review_due(tx, file.tenant, today).await?;
        let (id, was) = (file.id, file.state);
        match file.left_behind(due_on) {
            Some(left) => store::attachments::save(tx.conn(), &left).await?,
            None => store::attachments::delete(tx.conn(), id).await?,
        }
        if was == AttachmentState::Visible {
            store::texts::drop_recording(tx.conn(), id).await?;
        }
    }
    Ok(())
}

async fn delete_unfinished(tx: &Tx, id: AttachmentId) -> Result<(), Fault> {
    match store::attachments::find(tx.conn(), id).await? {
        Some(file) if file.state == AttachmentState::Begun => {
            store::attachments::delete(tx.conn(), file.id).await
        }
        Some(_) | None => Ok(()),
    }
}

/// A length; files are far smaller than what a number holds.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
