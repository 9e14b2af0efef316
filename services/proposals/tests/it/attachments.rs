//! Files: sent in pieces, told by their bytes, looked at by a human, read in pieces.

use futures::FutureExt as _;
use kernel::{AttachmentId, Caller, ProposalId};
use proposals::domain::attachment::Attachment;
use proposals::store;
use proto::proposals as pb;
use proto::proposals::attachments_service_client::AttachmentsServiceClient;
use sha2::{Digest as _, Sha256};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support::{POHDE, Store, World, refusal, run};

/// The largest piece.
const PIECE: usize = 192 * 1024;

fn client(world: &World) -> AttachmentsServiceClient<Channel> {
    AttachmentsServiceClient::new(world.system.channel())
}

async fn begin(world: &World, caller: Caller, proposal: ProposalId) -> Result<String, Status> {
    let begin = pb::BeginAttachmentRequest {
        proposal_id: proposal.to_string(),
        description: "Kuva pihasta".to_owned(),
        language: "fi".to_owned(),
    };
    let begun = client(world).begin_attachment(world.by(caller, begin).unwrap()).await?.into_inner();
    Ok(begun.attachment.unwrap_or_default().attachment_id)
}

async fn append(world: &World, id: &str, position: u32, data: &[u8]) -> Result<pb::Attachment, Status> {
    let append = pb::AppendChunkRequest { attachment_id: id.to_owned(), position, data: data.to_vec() };
    let appended = client(world).append_chunk(world.by(world.client(1), append).unwrap()).await?;
    Ok(appended.into_inner().attachment.unwrap_or_default())
}

async fn finish(world: &World, id: &str, file: &[u8]) -> Result<pb::Attachment, Status> {
    let sha256 = Sha256::digest(file).to_vec();
    let finish = pb::FinishAttachmentRequest { attachment_id: id.to_owned(), sha256 };
    let finished = client(world).finish_attachment(world.by(world.client(1), finish).unwrap()).await?;
    Ok(finished.into_inner().attachment.unwrap_or_default())
}

/// Sends a whole file of client 1.
pub(crate) async fn send(world: &World, proposal: ProposalId, file: &[u8]) -> Result<pb::Attachment, Status> {
    let id = begin(world, world.client(1), proposal).await?;
    for (position, piece) in (0..).zip(file.chunks(PIECE)) {
        append(world, &id, position, piece).await?;
    }
    finish(world, &id, file).await
}

pub(crate) async fn moderate(
    world: &World,
    id: &str,
    verdict: pb::Verdict,
    reason: &str,
) -> Result<bool, Status> {
    let moderate = pb::ModerateAttachmentRequest {
        tenant: POHDE.to_owned(),
        attachment_id: id.to_owned(),
        verdict: verdict.into(),
        reason: reason.to_owned(),
    };
    let answer = client(world).moderate_attachment(world.by(world.coordinator(), moderate).unwrap()).await?;
    Ok(answer.into_inner().already)
}

async fn delete(world: &World, id: &str) -> Result<(), Status> {
    let delete = pb::DeleteAttachmentRequest { attachment_id: id.to_owned() };
    client(world).delete_attachment(world.by(world.client(1), delete).unwrap()).await?;
    Ok(())
}

/// A picture that everybody can read.
async fn shown_picture(world: &World, proposal: ProposalId) -> anyhow::Result<String> {
    let id = send(world, proposal, &png(400)).await?.attachment_id;
    moderate(world, &id, pb::Verdict::Show, "").await?;
    Ok(id)
}

/// The bytes that everybody reads: what they are, the pieces' lengths, and all of them.
async fn read(world: &World, id: &str) -> Result<(String, Vec<usize>, Vec<u8>), Status> {
    let read = pb::ReadAttachmentRequest { attachment_id: id.to_owned() };
    let mut pieces = client(world).read_attachment(read).await?.into_inner();
    let (mut media_type, mut lengths, mut bytes) = (String::new(), Vec::new(), Vec::new());
    while let Some(piece) = pieces.message().await? {
        media_type.push_str(&piece.media_type);
        lengths.push(piece.data.len());
        bytes.extend(piece.data);
    }
    Ok((media_type, lengths, bytes))
}

async fn public(world: &World, proposal: ProposalId) -> Vec<pb::Attachment> {
    let list = pb::ListAttachmentsRequest { proposal_id: proposal.to_string() };
    client(world).list_attachments(list).await.unwrap().into_inner().attachments
}

/// A picture with hidden data in it, of about this many bytes.
fn png(size: usize) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], contents: Vec<u8>| {
        img_parts::png::PngChunk::new(*kind, contents.into()).encoder().bytes().to_vec()
    };
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", vec![0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
        chunk(b"tEXt", b"Comment\0GPS 65.3175 25.3715".to_vec()),
        chunk(b"IDAT", (0..size).map(|byte| u8::try_from(byte % 251).unwrap_or_default()).collect()),
        chunk(b"IEND", Vec::new()),
    ]
    .concat()
}

async fn story(world: &mut World) -> anyhow::Result<()> {
    let proposal = world.open_proposal("Lisää ulkoilua").await?;
    let file = png(700_000);
    let sent = send(world, proposal, &file).await?;
    assert_eq!((sent.state(), sent.media_type.as_str()), (pb::AttachmentState::Waiting, "image/png"));
    assert_eq!(sent.review_due_on, "2026-09-14");
    assert!((sent.size as usize) < file.len(), "hidden data was taken out");
    let id = &sent.attachment_id;
    assert_eq!(finish(world, id, &file).await?, sent, "again, the same");
    assert_eq!(refusal(read(world, id).await)?.0, Code::NotFound, "nobody has looked at it");
    assert!(public(world, proposal).await.is_empty());

    let look = |caller| {
        let (tenant, attachment_id, purpose) = (POHDE.to_owned(), id.clone(), "moderation".to_owned());
        world.by(caller, pb::ReadWaitingAttachmentRequest { tenant, attachment_id, purpose })
    };
    let mut pieces = client(world).read_waiting_attachment(look(world.coordinator())?).await?.into_inner();
    assert_eq!(pieces.message().await?.unwrap_or_default().media_type, "image/png");
    let by_client = client(world).read_waiting_attachment(look(world.client(1))?).await;
    assert_eq!(refusal(by_client)?.0, Code::PermissionDenied);
    let list = pb::ListWaitingAttachmentsRequest {
        tenant: POHDE.to_owned(),
        purpose: "moderation".to_owned(),
        ..pb::ListWaitingAttachmentsRequest::default()
    };
    let queue = client(world).list_waiting_attachments(world.by(world.coordinator(), list)?).await?;
    let described = pb::Attachment { description: "Kuva pihasta".to_owned(), ..sent.clone() };
    assert_eq!(queue.into_inner().attachments, [described], "what is kept of an answer does not describe it");

    assert!(!moderate(world, id, pb::Verdict::Show, "").await?);
    assert!(moderate(world, id, pb::Verdict::Show, "").await?, "already");
    let (media_type, lengths, bytes) = read(world, id).await?;
    assert_eq!(media_type, "image/png");
    assert_eq!(lengths.len(), 4, "in pieces: {lengths:?}");
    assert!(lengths.iter().all(|length| *length <= PIECE));
    assert_eq!(bytes.len(), sent.size as usize);
    assert!(!bytes.windows(3).any(|window| window == b"GPS"), "P9");
    assert_eq!(public(world, proposal).await[0].description, "Kuva pihasta");
    assert!(!moderate(world, id, pb::Verdict::Remove, "Kuvassa on toinen ihminen.").await?);
    assert_eq!(refusal(read(world, id).await)?.0, Code::NotFound);
    assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 0, "its bytes are erased");
    let log = world.texts("SELECT what || ' ' || act FROM moderation_log").await;
    assert_eq!(log, ["attachment hidden"]);
    let mine = pb::ListMyAttachmentsRequest { proposal_id: proposal.to_string() };
    let mine = client(world).list_my_attachments(world.by(world.client(1), mine)?).await?.into_inner();
    assert_eq!(mine.attachments[0].reason, "Kuvassa on toinen ihminen.");
    assert_eq!(mine.attachments[0].description, "", "what it showed is erased too");
    let late = delete(world, id).await;
    assert_eq!(refusal(late)?.1, "proposals.attachment_removed", "its reason stays for its sender");
    Ok(())
}

#[tokio::test]
async fn p9_a_picture_is_seen_after_a_human_looked_at_it_and_without_its_hidden_data() -> anyhow::Result<()> {
    run(Store::Sqlite, story).await
}

#[tokio::test]
async fn p9_a_picture_is_seen_after_a_human_looked_at_it_and_without_its_hidden_data_on_postgresql()
-> anyhow::Result<()> {
    run(Store::Postgres, story).await
}

#[tokio::test]
async fn pieces_come_in_their_order_may_come_again_and_must_be_what_the_sender_says() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let others = begin(world, world.client(2), proposal).await;
        assert_eq!(refusal(others)?.1, "proposals.no_such_proposal", "not an author");
        let id = begin(world, world.client(1), proposal).await?;
        assert_eq!(refusal(append(world, &id, 1, b"%PDF").await)?.1, "proposals.chunk_order");
        assert_eq!(append(world, &id, 0, b"%PDF-1.7 ").await?.size, 9);
        assert_eq!(append(world, &id, 0, b"%PDF-1.7 ").await?.size, 9, "again");
        assert_eq!(refusal(append(world, &id, 0, b"other").await)?.1, "proposals.chunk_differs");
        assert_eq!(refusal(append(world, &id, 1, &[]).await)?.1, "request.invalid");
        assert_eq!(refusal(append(world, &id, 1, &[0; PIECE + 1]).await)?.1, "request.invalid");
        assert_eq!(append(world, &id, 1, b"end").await?.chunks, 2);
        assert_eq!(refusal(finish(world, &id, b"something else").await)?.1, "proposals.wrong_hash");
        let pdf = finish(world, &id, b"%PDF-1.7 end").await?;
        assert_eq!((pdf.media_type.as_str(), pdf.size), ("application/pdf", 12));
        assert_eq!(refusal(append(world, &id, 2, b"more").await)?.1, "proposals.attachment_finished");

        assert_eq!(refusal(send(world, proposal, b"MZ a program").await)?.1, "proposals.media_type");
        let cut = &png(300)[..60];
        assert_eq!(refusal(send(world, proposal, cut).await)?.1, "proposals.broken_picture");
        let large = begin(world, world.client(1), proposal).await?;
        let piece = vec![0; PIECE];
        for position in 0..53 {
            append(world, &large, position, &piece).await?;
        }
        assert_eq!(refusal(append(world, &large, 53, &piece).await)?.1, "proposals.too_large");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_files_of_a_draft_go_with_it() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Lisää ulkoilua").await?;
        send(world, draft, b"%PDF-1.7 ...").await?;
        let delete = pb::DeleteDraftRequest { proposal_id: draft.to_string() };
        world.proposals().delete_draft(world.by(world.client(1), delete)?).await?;
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment").await, 0);
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proposal_has_ten_files_and_what_is_not_finished_is_gone_after_a_day() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let whole = send(world, proposal, b"%PDF-1.7 ...").await?;
        for _ in 1..10 {
            let id = begin(world, world.client(1), proposal).await?;
            append(world, &id, 0, b"%PDF-").await?;
        }
        let one_more = begin(world, world.client(1), proposal).await;
        assert_eq!(refusal(one_more)?, (Code::ResourceExhausted, "proposals.too_many_files".to_owned()));
        world.on("2026-09-09").await?;
        world.jobs_done().await?;
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment").await, 1, "the whole one stays");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 1);
        let delete = pb::DeleteAttachmentRequest { attachment_id: whole.attachment_id.clone() };
        client(world).delete_attachment(world.by(world.client(1), delete.clone())?).await?;
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 0);
        let again = client(world).delete_attachment(world.by(world.client(1), delete)?).await;
        assert_eq!(refusal(again)?.1, "proposals.no_such_attachment");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn its_sender_takes_a_file_back_also_when_everybody_can_see_it() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let id = shown_picture(world, proposal).await?;
        assert_eq!(public(world, proposal).await.len(), 1);
        let request = pb::DeleteAttachmentRequest { attachment_id: id.clone() };
        let others = client(world).delete_attachment(world.by(world.client(2), request)?).await;
        assert_eq!(refusal(others)?.1, "proposals.no_such_attachment");
        delete(world, &id).await?;
        assert_eq!(refusal(read(world, &id).await)?.0, Code::NotFound);
        assert!(public(world, proposal).await.is_empty());
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn files_of_somebody_who_has_left_are_out_of_sight_until_a_human_has_looked_again() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let id = shown_picture(world, proposal).await?;
        let unfinished = begin(world, world.client(1), proposal).await?;
        append(world, &unfinished, 0, b"%PDF").await?;
        world.forget(world.person(1)).await?;
        assert_eq!(refusal(read(world, &id).await)?.0, Code::NotFound, "their face, perhaps");
        assert!(public(world, proposal).await.is_empty());
        let rows = world.texts("SELECT state || ' ' || review_due_on FROM attachment").await;
        assert_eq!(rows, ["waiting 2026-09-14"], "what was not sent to its end is gone");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment WHERE person IS NULL").await, 1);
        let own = pb::ListMyAttachmentsRequest { proposal_id: proposal.to_string() };
        let own = client(world).list_my_attachments(world.by(world.client(1), own)?).await?;
        assert_eq!(own.into_inner().attachments, []);
        moderate(world, &id, pb::Verdict::Show, "").await?;
        assert!(read(world, &id).await.is_ok(), "a human found that it may stay");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_person_has_a_hundred_mebibytes_of_files_in_all_proposals_together() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        // As if nine large files were there already.
        let (one, other) = (world.open_proposal("Ulos").await?, world.draft("Metsään").await?);
        let id = begin(world, world.client(1), one).await?;
        append(world, &id, 0, b"%PDF").await?;
        let (person, size) = (world.person(1), 100 * 1024 * 1024 - 1_000);
        let grow = world.writer()?;
        let grow = grow.internal("story", (person, size), |tx, (person, size)| {
            async move {
                for file in store::attachments::sent_by(tx.conn(), *person).await? {
                    store::attachments::save(tx.conn(), &Attachment { size: *size, ..file }).await?;
                }
                Ok::<_, kernel::Fault>(())
            }
            .boxed()
        });
        grow.await?;
        let next = begin(world, world.client(1), other).await?;
        append(world, &next, 0, &[0; 900]).await?;
        let fault = refusal(append(world, &next, 1, &[0; 200]).await)?;
        assert_eq!(fault, (Code::ResourceExhausted, "proposals.files_of_person".to_owned()));
        delete(world, &id).await?;
        append(world, &next, 1, &[0; 200]).await?;
        Ok(())
    })
    .await
}

/// Two clients that finish a file at once, or one that finishes it again after another piece.
#[tokio::test]
async fn what_an_earlier_try_to_finish_left_is_neither_mixed_in_nor_written_back() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let file = png(400);
        let (head, tail) = file.split_at(100);
        let id = begin(world, world.client(1), proposal).await?;
        append(world, &id, 0, head).await?;
        let put = async |of: (u64, u64)| -> anyhow::Result<bool> {
            let pieces = vec![b"stale".to_vec(); 3];
            let input = (id.parse::<AttachmentId>()?, of, pieces);
            let put = world.writer()?;
            let put = put.internal("story", input, |tx, (id, of, pieces)| {
                store::attachments::put_plain(tx.conn(), *id, *of, 0, pieces).boxed()
            });
            Ok(put.await?)
        };
        assert!(put((1, 100)).await?, "the first try, of the first piece");
        append(world, &id, 1, tail).await?;
        assert!(!put((1, 100)).await?, "a piece came in");
        finish(world, &id, &file).await?;
        assert!(!put((2, file.len() as u64)).await?, "it is finished");
        moderate(world, &id, pb::Verdict::Show, "").await?;
        let (_, lengths, bytes) = read(world, &id).await?;
        assert_eq!(lengths.len(), 1, "one piece: {lengths:?}");
        assert!(!bytes.windows(5).any(|part| part == b"stale"));
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 1, "nothing is left");
        moderate(world, &id, pb::Verdict::Remove, "Kuvassa on toinen ihminen.").await?;
        assert!(!put((2, file.len() as u64)).await? && !put((0, 0)).await?, "it is removed");
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM attachment_chunk").await, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p9_who_looks_at_a_file_is_told_that_it_may_say_more_than_is_seen() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        send(world, proposal, b"%PDF-1.7 /Type /Page").await?;
        send(world, proposal, b"%PDF-1.7 /Author (Aino Aalto)").await?;
        send(world, proposal, &png(400)).await?;
        let list = pb::ListWaitingAttachmentsRequest {
            tenant: POHDE.to_owned(),
            purpose: "moderation".to_owned(),
            ..pb::ListWaitingAttachmentsRequest::default()
        };
        let queue = client(world).list_waiting_attachments(world.by(world.coordinator(), list)?).await?;
        let told: Vec<bool> = queue.into_inner().attachments.iter().map(|file| file.hidden_data).collect();
        assert_eq!(told, [false, true, false], "of a picture it is taken out");
        Ok(())
    })
    .await
}
