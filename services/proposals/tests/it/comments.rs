//! Comments: threads, limits, screening, moderation, taking back.

use kernel::{Caller, ProposalId};
use proto::proposals as pb;
use proto::proposals::community_service_client::CommunityServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support::{POHDE, Store, World, refusal, run};

fn client(world: &World) -> CommunityServiceClient<Channel> {
    CommunityServiceClient::new(world.system.channel())
}

async fn write(
    world: &World,
    caller: Caller,
    proposal: ProposalId,
    parent: &str,
    body: &str,
) -> Result<pb::ScreenedComment, Status> {
    let write = pb::WriteCommentRequest {
        proposal_id: proposal.to_string(),
        parent_comment_id: parent.to_owned(),
        body: body.to_owned(),
        conflict_accepted: false,
    };
    let written = client(world).write_comment(world.by(caller, write).unwrap()).await?.into_inner();
    Ok(written.written.unwrap_or_default())
}

async fn id_of(world: &World, number: u16, proposal: ProposalId, parent: &str, body: &str) -> String {
    let written = write(world, world.client(number), proposal, parent, body).await.unwrap();
    written.comment.unwrap_or_default().comment_id
}

async fn delete(world: &World, number: u16, id: &str) -> Result<bool, Status> {
    let delete = pb::DeleteCommentRequest { comment_id: id.to_owned() };
    let deleted = client(world).delete_comment(world.by(world.client(number), delete).unwrap()).await?;
    Ok(deleted.into_inner().already)
}

async fn moderate(
    world: &World,
    id: &str,
    verdict: pb::Verdict,
    reason: &str,
) -> Result<pb::ModerateCommentResponse, Status> {
    let moderate = pb::ModerateCommentRequest {
        tenant: POHDE.to_owned(),
        comment_id: id.to_owned(),
        verdict: verdict.into(),
        reason: reason.to_owned(),
    };
    let answer = client(world).moderate_comment(world.by(world.coordinator(), moderate).unwrap()).await?;
    Ok(answer.into_inner())
}

/// All comments of a proposal, read in pages of this size.
async fn read(world: &World, proposal: ProposalId, page_size: u32) -> Vec<pb::Comment> {
    let (mut comments, mut page_token) = (Vec::new(), String::new());
    loop {
        let list = pb::ListCommentsRequest { proposal_id: proposal.to_string(), page_size, page_token };
        let page = client(world).list_comments(list).await.unwrap().into_inner();
        comments.extend(page.comments);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return comments;
        }
    }
}

/// What is left of a thread, a line each: level, state and text.
async fn thread(world: &World, proposal: ProposalId) -> Vec<String> {
    let comments = read(world, proposal, 2).await;
    let line = |comment: &pb::Comment| {
        format!(
            "{} {} {}",
            comment.depth,
            comment.state().as_str_name().trim_start_matches("COMMENT_STATE_"),
            comment.body
        )
    };
    comments.iter().map(line).collect()
}

async fn count(world: &World, proposal: ProposalId) -> u64 {
    let get = pb::GetCountsRequest { proposal_id: proposal.to_string() };
    let counts = client(world).get_counts(get).await.unwrap().into_inner().counts;
    counts.unwrap_or_default().comments
}

async fn threads(world: &mut World) -> anyhow::Result<()> {
    let proposal = world.open_proposal("Lisää ulkoilua").await?;
    let first = id_of(world, 2, proposal, "", "Kannatan!").await;
    let second = id_of(world, 3, proposal, "", "Minne lähdetään?").await;
    let answer = id_of(world, 4, proposal, &first, "Minäkin kannatan.").await;
    let deep = id_of(world, 2, proposal, &answer, "Kiitos.").await;
    let other = id_of(world, 5, proposal, &first, "Hyvä.").await;
    assert_eq!(
        thread(world, proposal).await,
        [
            "1 VISIBLE Kannatan!",
            "2 VISIBLE Minäkin kannatan.",
            "3 VISIBLE Kiitos.",
            "2 VISIBLE Hyvä.",
            "1 VISIBLE Minne lähdetään?"
        ]
    );
    let too_deep = write(world, world.client(3), proposal, &deep, "Vielä.").await;
    assert_eq!(refusal(too_deep)?.1, "proposals.too_deep");
    assert_eq!(count(world, proposal).await, 5);

    // What was answered leaves its place; what was not, leaves nothing, and takes places above it along.
    assert_eq!(refusal(delete(world, 3, &answer).await)?.1, "proposals.no_such_comment", "another's");
    assert!(!delete(world, 4, &answer).await?);
    assert!(delete(world, 4, &answer).await?, "already");
    assert!(!delete(world, 2, &first).await?);
    assert_eq!(
        thread(world, proposal).await,
        ["1 DELETED ", "2 DELETED ", "3 VISIBLE Kiitos.", "2 VISIBLE Hyvä.", "1 VISIBLE Minne lähdetään?"]
    );
    let gone = write(world, world.client(3), proposal, &answer, "Mitä?").await;
    assert_eq!(refusal(gone)?.1, "proposals.comment_gone");
    assert!(!delete(world, 2, &deep).await?);
    assert_eq!(
        thread(world, proposal).await,
        ["1 DELETED ", "2 VISIBLE Hyvä.", "1 VISIBLE Minne lähdetään?"]
    );
    assert!(!delete(world, 5, &other).await?);
    assert_eq!(thread(world, proposal).await, ["1 VISIBLE Minne lähdetään?"]);
    assert!(!delete(world, 3, &second).await?);
    assert_eq!((thread(world, proposal).await.len(), count(world, proposal).await), (0, 0));
    let bodies = world.texts("SELECT body FROM comment").await;
    assert!(bodies.iter().all(String::is_empty), "what is taken back is erased");
    Ok(())
}

#[tokio::test]
async fn comments_stand_in_threads_and_leave_their_place_when_they_were_answered() -> anyhow::Result<()> {
    run(Store::Sqlite, threads).await
}

#[tokio::test]
async fn comments_stand_in_threads_and_leave_their_place_when_they_were_answered_on_postgresql()
-> anyhow::Result<()> {
    run(Store::Postgres, threads).await
}

#[tokio::test]
async fn p9_a_comment_with_findings_waits_for_a_human_who_decides_with_a_public_reason() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let body = "Ää, soita 040 123 4567!";
        let written = write(world, world.client(2), proposal, "", body).await?;
        let [finding] = &written.findings[..] else { panic!("one finding: {written:?}") };
        assert_eq!((finding.kind.as_str(), finding.starts_at, finding.length), ("phone", 10, 12));
        let waiting = written.comment.unwrap_or_default();
        assert_eq!(waiting.state(), pb::CommentState::Waiting);
        assert_eq!(waiting.review_due_on, "2026-09-14", "seven days (P1)");
        assert_eq!((thread(world, proposal).await.len(), count(world, proposal).await), (0, 0));

        let list = |caller, purpose: &str| {
            let (tenant, purpose) = (POHDE.to_owned(), purpose.to_owned());
            world.by(caller, pb::ListWaitingCommentsRequest { tenant, purpose, ..Default::default() })
        };
        let queue = client(world).list_waiting_comments(list(world.coordinator(), "moderation")?).await?;
        assert_eq!(queue.into_inner().comments[0].findings.len(), 1);
        let client_asks = client(world).list_waiting_comments(list(world.client(2), "curious")?).await;
        assert_eq!(refusal(client_asks)?.0, Code::PermissionDenied);
        let elsewhere =
            client(world).list_waiting_comments(list(world.coordinator_of("21"), "moderation")?).await;
        assert_eq!(refusal(elsewhere)?.0, Code::PermissionDenied);

        let id = &waiting.comment_id;
        let unreasoned = moderate(world, id, pb::Verdict::Remove, " ").await;
        assert_eq!(refusal(unreasoned)?.1, "request.invalid");
        let telling = moderate(world, id, pb::Verdict::Remove, "Numero 040 123 4567 on väärin.").await;
        assert_eq!(refusal(telling)?.1, "request.invalid", "the reason is public");
        assert!(!moderate(world, id, pb::Verdict::Show, "").await?.already);
        assert!(moderate(world, id, pb::Verdict::Show, "").await?.already);
        assert_eq!(thread(world, proposal).await, [format!("1 VISIBLE {body}")]);

        let answer = id_of(world, 3, proposal, id, "Kiitos.").await;
        let reason = "Viestissä oli puhelinnumero.";
        for already in [false, true] {
            assert_eq!(moderate(world, id, pb::Verdict::Remove, reason).await?.already, already);
        }
        let comments = read(world, proposal, 50).await;
        assert_eq!((comments[0].state(), comments[0].reason.as_str()), (pb::CommentState::Removed, reason));
        assert_eq!((comments[0].body.as_str(), comments[1].comment_id.as_str()), ("", answer.as_str()));
        let log = world.texts("SELECT what || ' ' || act || ' ' || reason FROM moderation_log").await;
        assert_eq!(log, [format!("comment hidden {reason}")], "once, and with the reason");
        assert_eq!(refusal(delete(world, 2, id).await)?.1, "proposals.comment_removed");
        assert_eq!(refusal(moderate(world, id, pb::Verdict::Show, "").await)?.1, "proposals.comment_removed");
        let mine = pb::ListMyCommentsRequest::default();
        let mine = client(world).list_my_comments(world.by(world.client(2), mine)?).await?.into_inner();
        assert_eq!(
            mine.comments[0].comment.clone().unwrap_or_default().reason,
            reason,
            "the writer learns why"
        );
        Ok(())
    })
    .await
}

/// Deleted, it is deleted: the answers that are kept for repeated commands lie beside the person's reference, and hold
/// neither what was said nor what was found in it.
#[tokio::test]
async fn tiha_12_no_answer_that_is_kept_holds_the_text_of_a_comment() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let request = pb::WriteCommentRequest {
            proposal_id: proposal.to_string(),
            body: "Salaista: soita 040 123 4567.".to_owned(),
            ..pb::WriteCommentRequest::default()
        };
        let first = world.by(world.client(2), request.clone())?;
        let mut again = world.by(world.client(2), request.clone())?;
        let key = first.metadata().get("idempotency-key").cloned().unwrap();
        again.metadata_mut().insert("idempotency-key", key);
        let written = client(world).write_comment(first).await?.into_inner().written.unwrap_or_default();
        let comment = written.comment.clone().unwrap_or_default();
        assert_eq!((comment.body.as_str(), written.findings.len()), (request.body.as_str(), 1));
        let repeated = client(world).write_comment(again).await?.into_inner().written.unwrap_or_default();
        assert_eq!(repeated, written, "a repeated command is answered the same");
        let shown = moderate(world, &comment.comment_id, pb::Verdict::Show, "").await?;
        assert_eq!(shown.comment.unwrap_or_default().body, "", "who decides has read it");
        delete(world, 2, &comment.comment_id).await?;
        let kept = world.rows("SELECT response FROM command_log").await;
        let kept: Vec<Vec<u8>> = kept.iter().map(|row| row.try_get_by_index(0).unwrap_or_default()).collect();
        assert!(kept.len() >= 3, "answers are kept: {}", kept.len());
        for words in ["Salaista", "040", "phone"] {
            let holds = |answer: &&Vec<u8>| answer.windows(words.len()).any(|part| part == words.as_bytes());
            assert_eq!(kept.iter().filter(holds).count(), 0, "{words}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn comments_of_somebody_who_has_left_stay_without_them() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        for number in [2, 3] {
            id_of(world, number, proposal, "", "Kannatan!").await;
        }
        world.forget(world.person(2)).await?;
        assert_eq!(thread(world, proposal).await, ["1 VISIBLE Kannatan!", "1 VISIBLE Kannatan!"]);
        let of = async |number: u16| -> anyhow::Result<usize> {
            let mine = world.by(world.client(number), pb::ListMyCommentsRequest::default())?;
            Ok(client(world).list_my_comments(mine).await?.into_inner().comments.len())
        };
        assert_eq!((of(2).await?, of(3).await?), (0, 1));
        assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM comment WHERE person IS NULL").await, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn comments_are_limited_and_staff_is_known_as_staff() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let staff =
            write(world, world.staff(world.units.ii_day), proposal, "", "Kiitos ehdotuksesta.").await?;
        assert!(staff.comment.unwrap_or_default().by_staff);
        let long = write(world, world.client(2), proposal, "", &"a".repeat(2_001)).await;
        assert_eq!(refusal(long)?.1, "request.invalid");
        for number in 0..30 {
            let written = write(world, world.client(2), proposal, "", &format!("Viesti {number}")).await?;
            assert!(!written.comment.unwrap_or_default().by_staff);
        }
        let one_more = write(world, world.client(2), proposal, "", "Vielä yksi").await;
        assert_eq!(refusal(one_more)?, (Code::ResourceExhausted, "proposals.comments_a_day".to_owned()));
        assert!(write(world, world.client(3), proposal, "", "Minä vielä").await.is_ok(), "another person");
        world.on("2026-09-08").await?;
        assert!(write(world, world.client(2), proposal, "", "Huomenta").await.is_ok(), "another day");
        let (mut own, mut page_token) = (0, String::new());
        loop {
            let mine = pb::ListMyCommentsRequest { page_size: 10, page_token };
            let mine = client(world).list_my_comments(world.by(world.client(2), mine)?).await?.into_inner();
            own += mine.comments.len();
            page_token = mine.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(own, 31);
        let other = world.open_proposal("Metsään").await?;
        let elsewhere = id_of(world, 4, other, "", "Tänne.").await;
        let strayed = write(world, world.client(3), proposal, &elsewhere, "Minne?").await;
        assert_eq!(refusal(strayed)?.1, "proposals.no_such_comment", "an answer stays with its proposal");
        let waiting = world.submitted_proposal("Odottaa").await?;
        assert_eq!(refusal(write(world, world.client(3), waiting, "", "Hei").await)?.0, Code::NotFound);
        Ok(())
    })
    .await
}
