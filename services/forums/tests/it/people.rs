//! Candidates' data: shown to whom it must be, erased when its time is over, and gone with the person.

use forums::app::{Accept, Nominate};
use forums::domain::candidate::{Acceptance, MAX_PICTURE, Nominee};
use forums::domain::lots::WitnessNumber;
use kernel::{ElectionId, PageSize};
use prost::Message as _;
use proto::forums as pb;
use proto::membership::PolicySet;
use sha2::{Digest as _, Sha256};

use crate::support::{blobs, dump, texts};
use crate::world::{DATES, Store, World, municipality, places, small};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";

#[tokio::test]
async fn one_person_nominates_another_who_is_told_and_accepts_with_a_picture() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    let [friend, person] = &world.people[0][..2] else { panic!("two people") };
    let attestations = world.caller(person).attestations;
    let other = Some(Nominee { person: person.subject, attestations });
    let nominate = Nominate { forum: world.forum, election, municipality: municipality("889"), other };
    let nominated = world.app.nominate(&world.client(friend), nominate).await.unwrap().candidate.unwrap();
    assert_eq!(nominated.state(), pb::CandidateState::Nominated);
    let jobs = texts(&world.database, "SELECT kind FROM job").await;
    assert_eq!(jobs, ["forums.candidacy_offered"]);
    let candidate = nominated.candidate_id.parse().unwrap();
    assert_eq!(world.app.nominated_person(candidate).await.unwrap(), Some(person.subject));

    let acceptance = Acceptance::new("Aino K.", PNG.to_vec(), "Aino nauraa", false).unwrap();
    let accept = Accept { forum: world.forum, election, candidate, acceptance };
    let accepted =
        world.app.accept_candidacy(&world.client(person), accept).await.unwrap().candidate.unwrap();
    assert!(accepted.picture_sha256.is_empty() && accepted.ballot_name.is_empty(), "answers keep no name");
    for stored in blobs(&world.database, "SELECT response FROM command_log").await {
        assert!(!stored.windows(7).any(|part| part == b"Aino K."), "nor does the command log");
    }
    assert_eq!(world.state(election).await.constituencies[0].candidates, 1);
    let mine = world.app.list_my_candidacies(&world.client(person), world.forum).await.unwrap().candidacies;
    assert_eq!((mine.len(), mine[0].ballot_name.as_str()), (1, "Aino K."));
    let early = world.app.get_ballot_paper(&world.voter(friend, election), world.forum).await.unwrap_err();
    assert_eq!(early.code(), "forums.no_ballot_paper");
    world.on("2026-03-21");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    let paper = world.app.get_ballot_paper(&world.voter(friend, election), world.forum).await.unwrap();
    let on_paper = &paper.candidates[0];
    assert_eq!((on_paper.picture_media_type.as_str(), on_paper.number), ("image/png", 1));
    assert_eq!(on_paper.picture_size as usize, PNG.len());
    assert_eq!(on_paper.picture_sha256, Sha256::digest(PNG).as_slice());
    let picture = world
        .app
        .get_candidate_picture(&world.voter(friend, election), world.forum, election, candidate)
        .await;
    assert_eq!(picture.unwrap().picture, PNG);
    assert!(paper.candidates[0].candidate_ref.is_empty());
}

/// A message over 4 MiB is one that gRPC clients refuse.
#[tokio::test]
async fn the_ballot_paper_stays_small_however_many_pictures_there_are() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    let mut largest = PNG.to_vec();
    largest.resize(MAX_PICTURE, 7);
    for (index, person) in world.people[0].iter().take(50).enumerate() {
        world.stand_with(person, election, &format!("Ehdokas {index}"), largest.clone()).await;
    }
    world.on("2026-03-21");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    let voter = world.voter(&world.people[0][60], election);
    let paper = world.app.get_ballot_paper(&voter, world.forum).await.unwrap();
    assert_eq!(paper.candidates.len(), 50);
    assert!(paper.candidates.iter().all(|one| one.picture_size as usize == MAX_PICTURE));
    assert!(paper.encoded_len() < 20_000, "{} bytes", paper.encoded_len());
}

#[tokio::test]
async fn a_picture_is_shown_to_the_voters_of_its_municipality_while_it_is_on_the_paper() {
    let world = World::new(Store::Sqlite, places()).await;
    let election = world.announce(DATES, false).await;
    let [standing, plain, neighbour] = [&world.people[3][0], &world.people[3][1], &world.people[4][0]];
    world.stand_with(standing, election, "Aino", PNG.to_vec()).await;
    world.stand(plain, election, "Eino", false).await;
    let candidacy = async |person| {
        let mine = world.app.list_my_candidacies(&world.client(person), world.forum).await.unwrap();
        mine.candidacies[0].candidate_id.parse().unwrap()
    };
    let (with_picture, without) = (candidacy(standing).await, candidacy(plain).await);
    let look = async |voter, candidate| {
        let voter = world.voter(voter, election);
        let shown = world.app.get_candidate_picture(&voter, world.forum, election, candidate).await;
        shown.map(|shown| shown.picture).map_err(|fault| fault.code().to_owned())
    };
    assert_eq!(look(plain, with_picture).await, Err("forums.no_ballot_paper".to_owned()));
    // Before there is a paper, the officers check it and the candidate looks at what they gave.
    let officer = world.officer(0);
    let checked = world.app.get_candidate_picture_for_officers(&officer, election, with_picture).await;
    assert_eq!(checked.unwrap().picture, PNG);
    let own = async |person| {
        let call = world.client(person);
        let shown = world.app.get_candidate_picture(&call, world.forum, election, with_picture).await;
        shown.map(|shown| shown.picture).map_err(|fault| fault.code().to_owned())
    };
    assert_eq!(own(standing).await, Ok(PNG.to_vec()));
    assert_eq!(own(neighbour).await, Err("forums.no_such_picture".to_owned()), "not one's own");
    world.on("2026-03-21");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    assert_eq!(look(plain, with_picture).await, Ok(PNG.to_vec()));
    let none = Err("forums.no_such_picture".to_owned());
    assert_eq!(look(plain, without).await, none, "they gave none");
    assert_eq!(look(plain, world.ids.new_id()).await, none, "no such candidate");
    assert_eq!(look(neighbour, with_picture).await, none, "a voter of another municipality");
    world.app.forget(vec![standing.subject], 1).await.unwrap();
    assert_eq!(look(plain, with_picture).await, none, "gone with the person");
}

#[tokio::test]
async fn stepping_back_erases_and_standing_again_is_the_same_candidacy() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    let person = &world.people[0][0];
    world.stand(person, election, "Aino K.", true).await;
    let mine = world.app.list_my_candidacies(&world.client(person), world.forum).await.unwrap().candidacies;
    let id = mine[0].candidate_id.parse().unwrap();
    world.app.withdraw_candidacy(&world.client(person), world.forum, election, id).await.unwrap();
    assert_eq!(world.state(election).await.constituencies[0].candidates, 0);
    assert!(
        !dump(&world.database).await.iter().any(|line| line.contains("Aino")),
        "nothing of the name is left"
    );
    world.stand(person, election, "Aino", true).await;
    let again = world.app.list_my_candidacies(&world.client(person), world.forum).await.unwrap().candidacies;
    assert_eq!((again.len(), again[0].candidate_id.as_str()), (1, mine[0].candidate_id.as_str()));
}

#[tokio::test]
async fn officers_page_through_candidates() {
    let world = World::new(Store::Postgres, places()).await;
    let election = world.announce(DATES, false).await;
    for (place, people) in world.places.iter().zip(&world.people).skip(3) {
        for (index, person) in people.iter().take(place.candidates).enumerate() {
            world.stand(person, election, &format!("{} {index}", place.code), false).await;
        }
    }
    world.on("2026-03-21");
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = world
            .app
            .list_candidates(&world.officer(0), election, PageSize::new(2).unwrap(), &token)
            .await
            .unwrap();
        assert!(page.candidates.len() <= 2);
        found.extend(page.candidates.iter().map(|one| (one.municipality.clone(), one.number)));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found.len(), 7);
    assert!(found.is_sorted());
}

#[tokio::test]
async fn tiha_12_names_pictures_references_and_boxes_are_erased_after_the_appeal_period() {
    for store in [Store::Sqlite, Store::Postgres] {
        erased_after_the_appeal_period(store).await;
    }
}

async fn erased_after_the_appeal_period(store: Store) {
    let world = World::new(store, small()).await;
    let policy = PolicySet {
        key: "election_appeal_days".to_owned(),
        value: "30".to_owned(),
        valid_from: "2026-01-01".to_owned(),
    };
    world.hear(&policy).await.unwrap();
    let election = world.open_small().await;
    for person in &world.people[0][5..8] {
        world.cast(person, election, &[1]).await.unwrap();
    }
    world.close_and_count(election).await.unwrap();
    world.on("2026-04-20");
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let due =
        texts(&world.database, "SELECT CAST(run_at AS text) FROM job WHERE kind = 'forums.erase_election'")
            .await;
    let last_day = kernel::deadline::end_of_day(crate::world::day("2026-05-20")).as_micros();
    assert_eq!(due, [(last_day + 1).to_string()], "30 whole days, by the county's policy");
    let candidates = || texts(&world.database, "SELECT ballot_name FROM candidate ORDER BY ballot_name");
    assert_eq!(candidates().await, ["A", "B", "C"]);
    let public = world.app.get_election_result(election).await.unwrap().constituencies.remove(0);
    world.app.erase_election(election).await.unwrap();
    world.app.erase_election(election).await.unwrap();
    assert_eq!(candidates().await, ["", "", ""]);
    assert!(texts(&world.database, "SELECT municipality FROM ballot_box").await.is_empty());
    for table in ["counted_choices", "voter_mark", "paper_entry"] {
        let rows = texts(&world.database, &format!("SELECT municipality FROM {table}")).await;
        assert!(rows.is_empty(), "{table} tells who voted or how");
    }
    let approvals = "SELECT CAST(approvals AS text) FROM tally_line ORDER BY number";
    assert_eq!(
        texts(&world.database, approvals).await,
        ["1", "0", "0"],
        "order and ties stay, figures go (F7)"
    );
    let result = world.app.get_election_result(election).await.unwrap();
    assert_eq!(result.constituencies[0].elected_candidates[0].name, "");
    assert_eq!(result.constituencies[0].lots, public.lots, "lots can be recomputed still");
    assert_eq!((result.seats_filled, result.constituencies[0].ballots), (1, 3), "figures stay");
}

/// An election of [`small`] whose lots officer 2 has witnessed.
async fn witnessed(world: &World) -> ElectionId {
    let election = world.open_small().await;
    for (person, number) in world.people[0][5..7].iter().zip([1, 2]) {
        world.cast(person, election, &[number]).await.unwrap();
    }
    world.close_and_count(election).await.unwrap();
    let number = WitnessNumber::new("4163").unwrap();
    world.app.witness_lots(&world.officer(2), election, municipality("889"), number).await.unwrap();
    let reference = world.officers[2].to_string();
    assert_eq!(witness(world, election).await, ("4163".to_owned(), reference.clone()));
    let public = world.app.get_election_result(election).await.unwrap();
    assert!(public.election.as_ref().unwrap().constituencies[0].witnessed);
    assert!(!format!("{public:?}").contains(&reference), "who it was is for the officers");
    election
}

/// Number and reference of the one witness, as the officers see them.
async fn witness(world: &World, election: ElectionId) -> (String, String) {
    let mut listed = world.app.list_lots_witnesses(&world.officer(0), election).await.unwrap().witnesses;
    let one = listed.remove(0);
    assert_eq!((listed.len(), one.municipality.as_str()), (0, "889"));
    (one.number, one.witness_ref)
}

#[tokio::test]
async fn f5_who_witnessed_is_kept_for_the_officers_until_the_appeal_period_is_over() {
    for store in [Store::Sqlite, Store::Postgres] {
        let world = World::new(store, small()).await;
        let election = witnessed(&world).await;
        world.app.draw_lots(&world.officer(0), election, municipality("889")).await.unwrap();
        world.app.confirm_result(&world.officer(0), election).await.unwrap();
        let public = world.app.get_election_result(election).await.unwrap().constituencies.remove(0);
        assert_eq!(public.lots.as_ref().unwrap().witness_number, "4163");
        world.app.erase_election(election).await.unwrap();
        assert_eq!(witness(&world, election).await, ("4163".to_owned(), String::new()));
        let after = world.app.get_election_result(election).await.unwrap().constituencies.remove(0);
        assert_eq!(after.lots, public.lots, "lots can be recomputed still");
    }
}

#[tokio::test]
async fn a_witness_who_leaves_is_forgotten_and_their_number_stays() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = witnessed(&world).await;
    world.app.forget(vec![world.officers[2]], 1).await.unwrap();
    assert_eq!(witness(&world, election).await, ("4163".to_owned(), String::new()));
    world.app.draw_lots(&world.officer(0), election, municipality("889")).await.unwrap();
}

#[tokio::test]
async fn who_leaves_is_forgotten_and_a_deputy_moves_up() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    for person in &world.people[0][5..8] {
        world.cast(person, election, &[1]).await.unwrap();
    }
    world.close_and_count(election).await.unwrap();
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let holders = world.app.list_seat_holders(&world.officer(0)).await.unwrap().holders;
    let member = holders.iter().find(|holder| !holder.deputy).unwrap();
    let first_deputy = holders.iter().find(|holder| holder.deputy && holder.seat_no == 1).unwrap();
    world.app.forget(vec![member.holder_ref.parse().unwrap()], 17).await.unwrap();
    assert_eq!(world.app.retirement_cursor().await.unwrap(), 17);
    let after = world.app.list_seat_holders(&world.officer(0)).await.unwrap().holders;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0].holder_ref, first_deputy.holder_ref);
    let reference = member.holder_ref.replace('-', "").to_uppercase();
    let left: Vec<String> = dump(&world.database)
        .await
        .into_iter()
        .filter(|line| line.contains(&reference) && !line.starts_with("voter_mark"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let events = texts(&world.database, "SELECT event_type FROM event_log").await;
    assert!(events.iter().any(|name| name.ends_with("SeatVacated")));
}

#[tokio::test]
async fn the_ballot_paper_shows_nobody_who_has_left() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    world.freeze_roll(election).await;
    for (person, name) in world.people[0].iter().zip(["A", "B", "C", "D"]) {
        world.stand(person, election, name, true).await;
    }
    let leaves =
        async |which: usize| world.app.forget(vec![world.people[0][which].subject], 1).await.unwrap();
    leaves(0).await;
    // The last day is over, and nobody has closed nominations yet.
    world.on("2026-03-21");
    leaves(1).await;
    assert_eq!(world.state(election).await.constituencies[0].candidates, 2);
    let states = "SELECT state FROM candidate ORDER BY state";
    assert_eq!(texts(&world.database, states).await, ["accepted", "accepted", "withdrawn", "withdrawn"]);
    world.app.close_nominations(&world.officer(0), election).await.unwrap();
    let voter = world.voter(&world.people[0][9], election);
    let on_paper = async || -> Vec<(String, u32)> {
        let paper = world.app.get_ballot_paper(&voter, world.forum).await.unwrap();
        let mut seen: Vec<_> =
            paper.candidates.into_iter().map(|one| (one.ballot_name, one.number)).collect();
        seen.sort();
        seen
    };
    let before = on_paper().await;
    assert_eq!(before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["C", "D"]);
    // Now the numbers are final: the other one keeps theirs, and the election goes on.
    leaves(2).await;
    assert_eq!(on_paper().await, before[1..]);
    assert_eq!(world.state(election).await.constituencies[0].candidates, 2);
    world.on("2026-04-13");
    world.app.open_voting(&world.officer(0), election).await.unwrap();
    world.cast(&world.people[0][9], election, &[before[1].1]).await.unwrap();
    world.close_and_count(election).await.unwrap();
    world.app.erase_election(election).await.unwrap();
    assert_eq!(on_paper().await, [], "nor after the erasure");
}

#[tokio::test]
async fn nobody_is_on_the_paper_of_an_election_annulled_before_nominations_closed() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    world.stand(&world.people[0][0], election, "Aino", true).await;
    world.app.annul_election(&world.officer(0), election, "A wrong date.".to_owned()).await.unwrap();
    let voter = world.voter(&world.people[0][9], election);
    let paper = world.app.get_ballot_paper(&voter, world.forum).await.unwrap();
    assert_eq!(paper.candidates, [], "no number, no paper");
}

#[tokio::test]
async fn a_candidate_who_leaves_before_confirmation_does_not_take_the_seat() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let paper =
        world.app.get_ballot_paper(&world.voter(&world.people[0][0], election), world.forum).await.unwrap();
    let number = paper.candidates.iter().find(|one| one.ballot_name == "A").unwrap().number;
    for person in &world.people[0][5..8] {
        world.cast(person, election, &[number]).await.unwrap();
    }
    world.cast(&world.people[0][8], election, &[number % 3 + 1]).await.unwrap();
    world.close_and_count(election).await.unwrap();
    world.app.forget(vec![world.people[0][0].subject], 1).await.unwrap();
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let result = world.app.get_election_result(election).await.unwrap();
    let elected = &result.constituencies[0].elected_candidates[0];
    assert_eq!(elected.number, number % 3 + 1, "the first deputy follows");
}
