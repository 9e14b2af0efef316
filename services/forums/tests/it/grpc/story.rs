//! One election from its founding to the result.

use super::*;

#[tokio::test]
async fn an_election_over_the_wire_on_sqlite() -> anyhow::Result<()> {
    election_over_the_wire(Store::Sqlite).await
}

#[tokio::test]
async fn an_election_over_the_wire_on_postgres() -> anyhow::Result<()> {
    election_over_the_wire(Store::Postgres).await
}

async fn election_over_the_wire(store: Store) -> anyhow::Result<()> {
    let system = start(store).await?;
    let mut play = Play::new(&system)?;
    found(&mut play).await?;
    announce(&mut play).await?;
    stand(&play).await?;
    vote(&play).await?;
    finish(&play).await?;
    let templates: Vec<String> =
        system.directory().notices().into_iter().map(|notice| notice.template).collect();
    assert_eq!(templates, ["forums.candidacy_offered", "forums.seat_filled"]);
    system.finish().await
}

/// Client 0 nominates themselves, client 1 is nominated by client 0 with a voucher; both accept.
async fn stand(play: &Play<'_>) -> anyhow::Result<()> {
    let nominate = |voucher: String| pb::NominateCandidateRequest {
        forum_id: play.forum.clone(),
        election_id: play.election.clone(),
        municipality: "889".to_owned(),
        voucher,
    };
    let wrong = nominate(play.voucher(Purpose::PaperBallot, 1)?);
    let refused = play.elections().nominate_candidate(play.by(play.client(0), wrong)?).await;
    assert_eq!(refusal(refused)?, (Code::InvalidArgument, "access.voucher_purpose".to_owned()));
    play.elections().nominate_candidate(play.by(play.client(0), nominate(String::new()))?).await?;
    let voucher = play.voucher(Purpose::Nominate, 1)?;
    play.elections().nominate_candidate(play.by(play.client(0), nominate(voucher))?).await?;
    // The notice goes while the candidacy waits for its answer.
    testkit::eventually(PATIENCE, async || play.system.directory().notices().len() == 1).await;
    for which in [0, 1] {
        let mine = pb::ListMyCandidaciesRequest { forum_id: play.forum.clone() };
        let mine =
            play.elections().list_my_candidacies(play.by(play.client(which), mine)?).await?.into_inner();
        let accept = pb::AcceptCandidacyRequest {
            forum_id: play.forum.clone(),
            election_id: play.election.clone(),
            candidate_id: mine.candidacies[0].candidate_id.clone(),
            ballot_name: format!("Ehdokas {which}"),
            picture: Vec::new(),
            picture_text: String::new(),
            publish_name: true,
        };
        play.elections().accept_candidacy(play.by(play.client(which), accept)?).await?;
    }
    play.on("2026-03-23").await?;
    let close =
        pb::CloseNominationsRequest { forum_id: play.forum.clone(), election_id: play.election.clone() };
    play.elections().close_nominations(play.officer(0, close)?).await?;
    Ok(())
}

/// Five online, one on paper.
async fn vote(play: &Play<'_>) -> anyhow::Result<()> {
    play.on("2026-04-13").await?;
    let open = pb::OpenVotingRequest { forum_id: play.forum.clone(), election_id: play.election.clone() };
    play.elections().open_voting(play.officer(0, open)?).await?;
    let nine = play.cast(2, &[1, 2]).await?;
    assert_eq!(refusal(nine)?, (Code::InvalidArgument, "forums.too_many_approvals".to_owned()));
    for which in 2..7 {
        play.cast(which, &[if which < 5 { 1 } else { 2 }]).await??;
    }
    assert_eq!(refusal(play.cast(2, &[1]).await?)?, (Code::AlreadyExists, "forums.already_voted".to_owned()));
    let hand = pb::HandPaperBallotRequest {
        forum_id: play.forum.clone(),
        election_id: play.election.clone(),
        voucher: play.voucher(Purpose::PaperBallot, 7)?,
    };
    let handed = play.elections().hand_paper_ballot(play.officer(0, hand)?).await?.into_inner();
    assert_eq!(handed.handed, 1);
    assert_eq!(refusal(play.cast(7, &[1]).await?)?, (Code::AlreadyExists, "forums.already_voted".to_owned()));
    Ok(())
}

/// The timer closes the boxes; paper, count, lots (three approvals each), confirmation.
async fn finish(play: &Play<'_>) -> anyhow::Result<()> {
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    play.on("2026-04-20").await?;
    let state = async || -> anyhow::Result<pb::ElectionState> {
        let get = pb::GetElectionRequest { election_id: play.election.clone() };
        Ok(play.elections().get_election(get).await?.into_inner().election.unwrap_or_default().state())
    };
    // The timer closes voting.
    testkit::eventually(PATIENCE, async || {
        state().await.is_ok_and(|state| state == pb::ElectionState::Counting)
    })
    .await;
    for official in [0, 1] {
        let entry = pb::EnterPaperBatchRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            municipality: "889".to_owned(),
            batch: "1".to_owned(),
            ballots: 1,
            blank: 0,
            invalid: 0,
            tallies: vec![pb::CandidateTally { number: 2, approvals: 1 }],
        };
        play.elections().enter_paper_batch(play.officer(official, entry)?).await?;
    }
    let count = pb::CountBallotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        board_private_key: play.board_private.clone(),
    };
    play.elections().count_ballots(play.officer(0, count)?).await?;
    assert_eq!(state().await?, pb::ElectionState::TieByLot, "three approvals each");
    let witness = pb::WitnessLotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        municipality: "889".to_owned(),
        number: "4163".to_owned(),
    };
    let not_a_witness = play.elections().witness_lots(play.officer(0, witness.clone())?).await;
    assert_eq!(refusal(not_a_witness)?.0, Code::PermissionDenied);
    let mut both = play.holding(play.witness, Role::ElectionWitness)?;
    both.roles.extend(play.holding(play.witness, Role::ElectionOfficer)?.roles);
    let an_officer = play.elections().witness_lots(play.by(both, witness.clone())?).await;
    assert_eq!(refusal(an_officer)?, (Code::PermissionDenied, "forums.witness_is_officer".to_owned()));
    let witnessing = play.by(play.holding(play.witness, Role::ElectionWitness)?, witness)?;
    play.elections().witness_lots(witnessing).await?;
    let mut list = pb::ListLotsWitnessesRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        purpose: String::new(),
    };
    let unsaid = play.elections().list_lots_witnesses(play.officer(0, list.clone())?).await;
    assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    list.purpose = "Minutes of the drawing".to_owned();
    let by_witness = play.by(play.holding(play.witness, Role::ElectionWitness)?, list.clone())?;
    let by_witness = play.elections().list_lots_witnesses(by_witness).await;
    assert_eq!(refusal(by_witness)?.0, Code::PermissionDenied);
    let listed = play.elections().list_lots_witnesses(play.officer(0, list)?).await?.into_inner();
    let expected = pb::LotsWitness {
        municipality: "889".to_owned(),
        number: "4163".to_owned(),
        witness_ref: play.witness.to_string(),
    };
    assert_eq!(listed.witnesses, [expected]);
    let draw = pb::DrawLotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        municipality: "889".to_owned(),
    };
    play.elections().draw_lots(play.officer(0, draw)?).await?;
    let confirm = pb::ConfirmResultRequest { forum_id, election_id: election_id.clone() };
    play.elections().confirm_result(play.officer(0, confirm)?).await?;
    let result = pb::GetElectionResultRequest { election_id };
    let result = play.elections().get_election_result(result).await?.into_inner();
    assert_eq!((result.seats_filled, result.turnout_bp), (1, 3000));
    assert_eq!(result.constituencies[0].lots.as_ref().map(|lots| lots.seats_left), Some(1));
    testkit::eventually(PATIENCE, async || play.system.directory().notices().len() == 2).await;
    Ok(())
}
