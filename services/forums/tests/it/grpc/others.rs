//! The RPCs that an election can do without: lists, annulling, stepping back, looking, correcting.

use sha2::{Digest as _, Sha256};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";

#[tokio::test]
async fn the_other_rpcs_over_the_wire_on_sqlite() -> anyhow::Result<()> {
    others(Store::Sqlite).await
}

#[tokio::test]
async fn the_other_rpcs_over_the_wire_on_postgres() -> anyhow::Result<()> {
    others(Store::Postgres).await
}

async fn others(store: Store) -> anyhow::Result<()> {
    let system = start(store).await?;
    let mut play = Play::new(&system)?;
    found(&mut play).await?;
    announce_three(&mut play).await?;
    let names = stand(&play).await?;
    let numbers = look_at_the_paper(&play, &names).await?;
    vote(&play, &numbers).await?;
    correct_paper_batch(&play, numbers[0]).await?;
    confirm(&play).await?;
    seats(&play).await?;
    system.finish().await
}

/// Two elections are annulled; the third goes on. Anybody may list them.
async fn announce_three(play: &mut Play<'_>) -> anyhow::Result<()> {
    let mut announced = Vec::new();
    for which in 0..3 {
        announce(play).await?;
        announced.push(play.election.clone());
        if which < 2 {
            let annul = |reason: &str| pb::AnnulElectionRequest {
                forum_id: play.forum.clone(),
                election_id: play.election.clone(),
                reason: reason.to_owned(),
            };
            let unsaid = play.elections().annul_election(play.officer(0, annul("oops"))?).await;
            assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "forums.annul_reason".to_owned()));
            let annulled = play.elections().annul_election(play.officer(0, annul("A wrong date."))?).await?;
            let annulled = annulled.into_inner().election.unwrap_or_default();
            assert_eq!(annulled.state(), pb::ElectionState::Annulled);
        }
    }
    announced.reverse();
    let page = |page_size, page_token: &str| pb::ListElectionsRequest {
        forum_id: play.forum.clone(),
        page_size,
        page_token: page_token.to_owned(),
    };
    let first = play.elections().list_elections(page(2, "")).await?.into_inner();
    let ids = |list: &pb::ListElectionsResponse| -> Vec<String> {
        list.elections.iter().map(|one| one.election_id.clone()).collect()
    };
    assert_eq!(ids(&first), announced[..2], "the newest first");
    let states: Vec<_> = first.elections.iter().map(pb::Election::state).collect();
    assert_eq!(states, [pb::ElectionState::NominationOpen, pb::ElectionState::Annulled]);
    let one = pb::GetElectionRequest { election_id: announced[1].clone() };
    let one = play.elections().get_election(one).await?.into_inner().election;
    assert_eq!(one.as_ref(), first.elections.get(1), "whole, as it is alone");
    let rest = play.elections().list_elections(page(2, &first.next_page_token)).await?.into_inner();
    assert_eq!((ids(&rest), rest.next_page_token.as_str()), (announced[2..].to_vec(), ""));
    let exact = play.elections().list_elections(page(3, "")).await?.into_inner();
    assert_eq!((ids(&exact), exact.next_page_token.as_str()), (announced, ""), "no empty page follows");
    let elsewhere = pb::ListElectionsRequest {
        forum_id: Ids::system().uuid().to_string(),
        page_token: first.next_page_token,
        page_size: 2,
    };
    for wrong in [page(201, ""), page(2, "x"), elsewhere] {
        let refused = play.elections().list_elections(wrong).await;
        assert_eq!(refusal(refused)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    }
    Ok(())
}

/// Clients 0 to 3 stand, 0 with a picture; 3 steps back. Gives the names on the paper.
async fn stand(play: &Play<'_>) -> anyhow::Result<[&'static str; 3]> {
    let names = ["Aino", "Eino", "Veera", "Onni"];
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    for (which, name) in names.iter().enumerate() {
        let nominate = pb::NominateCandidateRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            municipality: "889".to_owned(),
            voucher: String::new(),
        };
        let nominated = play.elections().nominate_candidate(play.by(play.client(which), nominate)?).await?;
        let accept = pb::AcceptCandidacyRequest {
            forum_id: forum_id.clone(),
            election_id: election_id.clone(),
            candidate_id: nominated.into_inner().candidate.unwrap_or_default().candidate_id,
            ballot_name: (*name).to_owned(),
            picture: if which == 0 { PNG.to_vec() } else { Vec::new() },
            picture_text: if which == 0 { "Kuva".to_owned() } else { String::new() },
            publish_name: false,
        };
        play.elections().accept_candidacy(play.by(play.client(which), accept.clone())?).await?;
        if which == 3 {
            let withdraw = pb::WithdrawCandidacyRequest {
                forum_id: forum_id.clone(),
                election_id: election_id.clone(),
                candidate_id: accept.candidate_id,
            };
            let another = play.by(play.client(0), withdraw.clone())?;
            let another = play.elections().withdraw_candidacy(another).await;
            assert_eq!(refusal(another)?, (Code::NotFound, "forums.no_such_candidacy".to_owned()));
            let own = play.elections().withdraw_candidacy(play.by(play.client(which), withdraw)?).await?;
            let own = own.into_inner().candidate.unwrap_or_default();
            assert_eq!(own.state(), pb::CandidateState::Withdrawn);
        }
    }
    play.on("2026-03-23").await?;
    let close = pb::CloseNominationsRequest { forum_id, election_id };
    let closed = play.elections().close_nominations(play.officer(0, close)?).await?.into_inner();
    assert_eq!(closed.election.unwrap_or_default().constituencies[0].candidates, 3);
    Ok([names[0], names[1], names[2]])
}

/// As a voter and as an officer. Gives the candidates' numbers in the order of these names.
async fn look_at_the_paper(play: &Play<'_>, names: &[&str; 3]) -> anyhow::Result<[u32; 3]> {
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    let paper = pb::GetBallotPaperRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
    let stranger = play.by(Caller::person(Ids::system().new_id()), paper.clone())?;
    assert_eq!(refusal(play.elections().get_ballot_paper(stranger).await)?.0, Code::PermissionDenied);
    let paper = play.elections().get_ballot_paper(play.by(play.client(5), paper)?).await?.into_inner();
    assert_eq!((paper.municipality.as_str(), paper.max_approvals), ("889", 1));
    let numbers: Vec<u32> = paper.candidates.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let on_paper = |name: &str| paper.candidates.iter().find(|one| one.ballot_name == name);
    let aino = on_paper(names[0]).context("Aino is on the paper")?;
    assert_eq!(aino.picture_sha256, Sha256::digest(PNG).as_slice());

    let picture = |candidate_id: &str| pb::GetCandidatePictureRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        candidate_id: candidate_id.to_owned(),
    };
    let stranger = play.by(Caller::person(Ids::system().new_id()), picture(&aino.candidate_id))?;
    let none = refusal(play.elections().get_candidate_picture(stranger).await)?;
    assert_eq!(none, (Code::NotFound, "forums.no_such_picture".to_owned()));
    let for_officers = |purpose: &str| pb::GetCandidatePictureForOfficersRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        candidate_id: aino.candidate_id.clone(),
        purpose: purpose.to_owned(),
    };
    let unsaid = play.officer(0, for_officers(""))?;
    let unsaid = play.elections().get_candidate_picture_for_officers(unsaid).await;
    assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    let officer = play.officer(0, for_officers("Printing the paper"))?;
    let shown = play.elections().get_candidate_picture_for_officers(officer).await?.into_inner();
    assert_eq!((shown.picture.as_slice(), shown.media_type.as_str()), (PNG, "image/png"));
    let voter = play.by(play.client(5), picture(&aino.candidate_id))?;
    let shown = play.elections().get_candidate_picture(voter).await?.into_inner();
    assert_eq!((shown.picture.as_slice(), shown.media_type.as_str()), (PNG, "image/png"));
    let eino = on_paper(names[1]).context("Eino is on the paper")?;
    let voter = play.by(play.client(5), picture(&eino.candidate_id))?;
    let none = play.elections().get_candidate_picture(voter).await;
    assert_eq!(refusal(none)?, (Code::NotFound, "forums.no_such_picture".to_owned()));

    let list = pb::ListCandidatesRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        purpose: "Printing the paper".to_owned(),
        ..pb::ListCandidatesRequest::default()
    };
    let listed = play.elections().list_candidates(play.officer(0, list)?).await?.into_inner().candidates;
    let states: Vec<_> = listed.iter().map(pb::Candidate::state).collect();
    let (accepted, withdrawn) = (pb::CandidateState::Accepted, pb::CandidateState::Withdrawn);
    assert_eq!(states, [withdrawn, accepted, accepted, accepted], "by number, those without one first");
    assert!(listed.iter().any(|one| one.candidate_ref == play.clients[0].to_string()));
    let number = |name: &str| on_paper(name).map(|one| one.number).context("on the paper");
    Ok([number(names[0])?, number(names[1])?, number(names[2])?])
}

/// Three for Aino, one for Eino; client 9 gets paper. Voting is closed by hand or by the timer, whoever is first.
async fn vote(play: &Play<'_>, numbers: &[u32; 3]) -> anyhow::Result<()> {
    play.on("2026-04-13").await?;
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    let open = pb::OpenVotingRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
    play.elections().open_voting(play.officer(0, open)?).await?;
    let status = async |which| -> anyhow::Result<(bool, bool)> {
        let get =
            pb::GetVotingStatusRequest { forum_id: play.forum.clone(), election_id: play.election.clone() };
        let status = play.elections().get_voting_status(play.by(play.client(which), get)?).await?;
        let status = status.into_inner();
        Ok((status.voted, status.paper_handed))
    };
    assert_eq!(status(5).await?, (false, false));
    for which in 5..9 {
        play.cast(which, &[numbers[usize::from(which == 8)]]).await??;
    }
    assert_eq!(status(5).await?, (true, false));
    let hand = pb::HandPaperBallotRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        voucher: play.voucher(Purpose::PaperBallot, 9)?,
    };
    play.elections().hand_paper_ballot(play.officer(0, hand)?).await?;
    assert_eq!(status(9).await?, (false, true));
    play.on("2026-04-20").await?;
    let close = pb::CloseVotingRequest { forum_id, election_id };
    let closed = play.elections().close_voting(play.officer(0, close)?).await?.into_inner();
    assert_eq!(closed.election.unwrap_or_default().state(), pb::ElectionState::Counting);
    Ok(())
}

/// The one paper ballot is for Aino; one officer takes a wrong entry back.
async fn correct_paper_batch(play: &Play<'_>, aino: u32) -> anyhow::Result<()> {
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    let enter = async |officer, approvals| -> anyhow::Result<pb::PaperBatchState> {
        let entry = pb::EnterPaperBatchRequest {
            forum_id: play.forum.clone(),
            election_id: play.election.clone(),
            municipality: "889".to_owned(),
            batch: "1".to_owned(),
            ballots: 1,
            blank: 1 - approvals,
            invalid: 0,
            tallies: vec![pb::CandidateTally { number: aino, approvals }],
        };
        Ok(play.elections().enter_paper_batch(play.officer(officer, entry)?).await?.into_inner().state())
    };
    let listed = async || -> anyhow::Result<Vec<(String, pb::PaperBatchState)>> {
        let list = pb::ListPaperBatchesRequest {
            forum_id: play.forum.clone(),
            election_id: play.election.clone(),
            purpose: "Checking what was entered".to_owned(),
        };
        let batches = play.elections().list_paper_batches(play.officer(0, list)?).await?.into_inner().batches;
        Ok(batches.into_iter().map(|one| (one.batch.clone(), one.state())).collect())
    };
    assert_eq!(listed().await?, []);
    assert_eq!(enter(0, 1).await?, pb::PaperBatchState::EnteredOnce);
    assert_eq!(enter(1, 0).await?, pb::PaperBatchState::Disputed);
    assert_eq!(listed().await?, [("1".to_owned(), pb::PaperBatchState::Disputed)]);
    let withdraw = pb::WithdrawPaperEntryRequest {
        forum_id,
        election_id,
        municipality: "889".to_owned(),
        batch: "1".to_owned(),
    };
    let left = play.elections().withdraw_paper_entry(play.officer(1, withdraw.clone())?).await?.into_inner();
    assert_eq!(left.state(), pb::PaperBatchState::EnteredOnce);
    let again = play.elections().withdraw_paper_entry(play.officer(1, withdraw)?).await;
    assert_eq!(refusal(again)?.0, Code::NotFound);
    assert_eq!(enter(1, 1).await?, pb::PaperBatchState::Reconciled);
    assert_eq!(listed().await?, [("1".to_owned(), pb::PaperBatchState::Reconciled)]);
    Ok(())
}

async fn confirm(play: &Play<'_>) -> anyhow::Result<()> {
    let (forum_id, election_id) = (play.forum.clone(), play.election.clone());
    let count = pb::CountBallotsRequest {
        forum_id: forum_id.clone(),
        election_id: election_id.clone(),
        board_private_key: play.board_private.clone(),
    };
    play.elections().count_ballots(play.officer(0, count)?).await?;
    let confirm = pb::ConfirmResultRequest { forum_id, election_id };
    let confirmed = play.elections().confirm_result(play.officer(0, confirm)?).await?.into_inner();
    assert_eq!(confirmed.election.unwrap_or_default().state(), pb::ElectionState::Confirmed);
    Ok(())
}

/// Aino is elected, Eino the first deputy; Aino's seat becomes empty and Eino takes it.
async fn seats(play: &Play<'_>) -> anyhow::Result<()> {
    let forum_id = play.forum.clone();
    let seats = async || -> anyhow::Result<Vec<pb::SeatOrigin>> {
        let list = pb::ListSeatsRequest { forum_id: play.forum.clone() };
        let seats = play.forums().list_seats(list).await?.into_inner().seats;
        Ok(seats.iter().map(pb::Seat::origin).collect())
    };
    let mine = async |which| -> anyhow::Result<(bool, u32)> {
        let get = pb::GetMySeatRequest { forum_id: play.forum.clone() };
        let mine = play.forums().get_my_seat(play.by(play.client(which), get)?).await?.into_inner();
        Ok((mine.seat.is_some(), mine.deputy_order))
    };
    assert_eq!(seats().await?, [pb::SeatOrigin::Vote]);
    assert_eq!((mine(0).await?, mine(1).await?), ((true, 0), (false, 1)));
    let list = |purpose: &str| pb::ListSeatHoldersRequest {
        forum_id: play.forum.clone(),
        purpose: purpose.to_owned(),
    };
    let unsaid = play.forums().list_seat_holders(play.officer(0, list(""))?).await;
    assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    let holders = play.forums().list_seat_holders(play.officer(0, list("Meeting notice"))?).await?;
    let holders = holders.into_inner().holders;
    let found: Vec<_> = holders.iter().map(|one| (one.holder_ref.clone(), one.deputy)).collect();
    let reference = |which: usize| play.clients[which].to_string();
    assert_eq!(found, [(reference(0), false), (reference(1), true), (reference(2), true)]);

    let mut vacancy = pb::DeclareVacancyRequest {
        forum_id: forum_id.clone(),
        municipality: "889".to_owned(),
        seat_no: 1,
        reason: 0,
    };
    let unsaid = play.forums().declare_vacancy(play.officer(0, vacancy.clone())?).await;
    assert_eq!(refusal(unsaid)?, (Code::InvalidArgument, "request.invalid".to_owned()));
    vacancy.set_reason(pb::VacancyReason::Other);
    let vacated = play.forums().declare_vacancy(play.officer(0, vacancy)?).await?.into_inner();
    assert_eq!(vacated.seat.unwrap_or_default().origin(), pb::SeatOrigin::Deputy);
    assert_eq!(seats().await?, [pb::SeatOrigin::Deputy]);
    assert_eq!((mine(0).await?, mine(1).await?), ((false, 0), (true, 0)));

    let forum = play.forums().get_forum(pb::GetForumRequest { forum_id }).await?.into_inner().forum;
    assert_eq!(forum.as_ref().map(|forum| (forum.seats_filled, forum.seats_total)), Some((1, 1)));
    let list = pb::ListForumsRequest { tenant: "19".to_owned(), ..pb::ListForumsRequest::default() };
    let listed = play.forums().list_forums(list).await?.into_inner().forums;
    assert_eq!(listed.first(), forum.as_ref());
    Ok(())
}
