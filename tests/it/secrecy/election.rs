//! A synthetic election in which everybody's vote is known to the test: one box for each municipality, each voter with a
//! choice of their own.

use std::collections::HashMap;

use futures::{StreamExt as _, stream};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR};
use proto::common::{MunicipalitySeats, Role};
use proto::forums::{
    AcceptCandidacyRequest, AnnounceElectionRequest, ApproveSeatPlanRequest, CastBallotRequest,
    CloseNominationsRequest, CloseVotingRequest, CountBallotsRequest, ForumLevel, ForumType,
    FoundForumRequest, NominateCandidateRequest, OpenVotingRequest,
};
use proto::membership::{
    ImportParticipantsRequest, ImportRow, ListElectoralRollRequest, ListParticipantsRequest,
    RegisterServiceUnitRequest,
};
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use standalone::client::Account;
use standalone::demo::{Person, Play, Progress};

use super::attack::BallotBox;
use crate::support::dump::{Row, Table};
use crate::support::world::World;

/// Municipalities of Pohjois-Pohjanmaa that elect: one box each.
pub(super) const PLACES: [&str; 12] =
    ["069", "071", "072", "139", "208", "244", "305", "317", "425", "436", "483", "494"];
/// Voters of each.
pub(super) const VOTERS: usize = 12;
/// Seats of each.
const SEATS: u32 = 4;
/// Candidates of each; the first of the voters.
const CANDIDATES: u32 = 6;
const COUNTY: &str = "19";
const GROUP: &str = "disability_services";
/// People who act at once.
const AT_ONCE: usize = 16;

/// The election, and who is to vote for what.
pub(super) struct Election {
    pub(super) play: Play,
    pub(super) election_id: String,
    /// By municipality.
    pub(super) boxes: Vec<Precinct>,
}

/// One municipality.
pub(super) struct Precinct {
    pub(super) code: &'static str,
    pub(super) voters: Vec<Voter>,
    /// Places in `voters`, in the order in which they are to vote.
    pub(super) turns: Vec<usize>,
}

/// Somebody on the roll.
pub(super) struct Voter {
    account: Account,
    /// What names them anywhere.
    pub(super) names: Vec<String>,
    /// Their choice, unlike anybody else's in the municipality.
    pub(super) approvals: Vec<u32>,
}

impl Election {
    /// Everything up to the opening of the vote.
    pub(super) async fn open(world: &World, rng: &mut ChaCha8Rng) -> Self {
        let mut play = Play::begin(world.server(), world.setup_code(), Progress::silent())
            .await
            .expect("an administrator");
        play.day("2026-02-16").await.expect("a day");
        register(&mut play).await;
        found(&mut play).await;
        let request = AnnounceElectionRequest {
            forum_id: play.forum_id.clone(),
            nomination_opens_on: "2026-02-16".to_owned(),
            nomination_closes_on: "2026-02-20".to_owned(),
            voting_opens_on: "2026-03-02".to_owned(),
            voting_closes_on: "2026-03-06".to_owned(),
            board_public_key: play.board.public().to_vec(),
            supplementary: false,
        };
        let announced =
            play.officers[0].elections().announce_election(request).await.expect("announced").into_inner();
        let election_id = announced.election.expect("an election").election_id;
        play.settle().await.expect("the roll is frozen");

        let mut boxes = Vec::new();
        for code in PLACES {
            boxes.push(precinct(&play, &election_id, code, rng).await);
        }
        let election = Self { play, election_id, boxes };
        election.nominate().await;
        election.play.day("2026-03-02").await.expect("a day");
        let (forum_id, election_id) = election.ids();
        let request = OpenVotingRequest { forum_id, election_id };
        election.play.officers[0].elections().open_voting(request).await.expect("voting is open");
        election
    }

    fn ids(&self) -> (String, String) {
        (self.play.forum_id.clone(), self.election_id.clone())
    }

    async fn nominate(&self) {
        let candidates = self
            .boxes
            .iter()
            .flat_map(|one| one.voters[..CANDIDATES as usize].iter().map(|voter| (one.code, voter)));
        let nominations = stream::iter(candidates.map(async |(code, voter)| {
            let (forum_id, election_id) = self.ids();
            let request = NominateCandidateRequest {
                forum_id: forum_id.clone(),
                election_id: election_id.clone(),
                municipality: code.to_owned(),
                voucher: String::new(),
            };
            let nominated =
                voter.account.elections().nominate_candidate(request).await.expect("nominated").into_inner();
            let request = AcceptCandidacyRequest {
                forum_id,
                election_id,
                candidate_id: nominated.candidate.expect("a candidacy").candidate_id,
                // Not a name of the register: on the paper it would name a voter beside a number.
                ballot_name: format!("Ehdokas {}", &voter.names[0][..8]),
                ..Default::default()
            };
            voter.account.elections().accept_candidacy(request).await.expect("accepted");
        }));
        nominations.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        self.play.day("2026-02-23").await.expect("a day");
        let (forum_id, election_id) = self.ids();
        let request = CloseNominationsRequest { forum_id, election_id };
        self.play.officers[0].elections().close_nominations(request).await.expect("nominations are closed");
    }

    /// Everybody votes: in the even boxes one after the other, in the odd ones all at once.
    pub(super) async fn vote(&self) {
        let sequential = self.boxes.iter().step_by(2);
        let concurrent = self.boxes.iter().skip(1).step_by(2);
        let one_by_one = async {
            for precinct in sequential {
                for turn in &precinct.turns {
                    self.cast(&precinct.voters[*turn]).await;
                }
            }
        };
        let all_at_once = async {
            for precinct in concurrent {
                let casts = precinct.turns.iter().map(|turn| self.cast(&precinct.voters[*turn]));
                futures::future::join_all(casts).await;
            }
        };
        // The two kinds meet each other in the batches of the writer.
        tokio::join!(one_by_one, all_at_once);
    }

    async fn cast(&self, voter: &Voter) {
        let (forum_id, election_id) = self.ids();
        let request =
            CastBallotRequest { forum_id, election_id, approvals: voter.approvals.clone(), confirmed: false };
        voter.account.elections().cast_ballot(request).await.expect("cast");
    }

    /// Closes voting.
    pub(super) async fn close(&self) {
        self.play.day("2026-03-09").await.expect("a day");
        let (forum_id, election_id) = self.ids();
        let request = CloseVotingRequest { forum_id, election_id };
        self.play.officers[0].elections().close_voting(request).await.expect("voting is closed");
    }

    /// Opens the boxes with the board's key.
    pub(super) async fn count(&self) {
        let (forum_id, election_id) = self.ids();
        let board_private_key = self.play.board.private().to_vec();
        let request = CountBallotsRequest { forum_id, election_id, board_private_key };
        self.play.officers[0].elections().count_ballots(request).await.expect("counted");
    }

    /// The sealed ballots of a municipality as they lie in the box, in the order of the voters who cast them. Only
    /// the test can say that order, because it has the board's key.
    pub(super) fn sealed(&self, precinct: &Precinct, tables: &[Table]) -> Option<BallotBox> {
        let length = 2 * (WRITTEN + 48);
        let rows =
            tables.iter().filter(|table| table.name.starts_with("forums.")).flat_map(|table| &table.rows);
        let values = rows
            .flat_map(Row::values)
            .flatten()
            .filter(|value| value.len() == length * precinct.voters.len());
        let opened = values.filter_map(|value| {
            let chunks: Vec<String> = value
                .as_bytes()
                .chunks(length)
                .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
                .collect();
            let choices: Option<Vec<Vec<u32>>> =
                chunks.iter().map(|chunk| self.unseal(precinct.code, chunk)).collect();
            Some(choices?.into_iter().zip(chunks).collect::<HashMap<_, _>>())
        });
        let found: Vec<_> = opened.collect();
        let [by_choice] = &found[..] else { return None };
        let ballots = precinct.voters.iter().map(|voter| by_choice[&voter.approvals].clone()).collect();
        Some(BallotBox { voters: precinct.names(), ballots })
    }

    /// HPKE by the book, so that the format in the docs is tested too.
    fn unseal(&self, code: &str, sealed: &str) -> Option<Vec<u32>> {
        let sealed = data_encoding::HEXLOWER.decode(sealed.as_bytes()).ok()?;
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.play.board.private()).ok()?;
        let (key, text) = sealed.split_at_checked(32)?;
        let key = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).ok()?;
        let info = format!("osallisuus-ballot-v1|{}|{code}", self.election_id);
        let written = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &key,
            info.as_bytes(),
            text,
            b"",
        );
        let written = written.ok()?;
        let approved =
            |number: &u32| written[1 + (*number as usize - 1) / 8] & (1 << ((number - 1) % 8)) != 0;
        Some((1..=CANDIDATES).filter(approved).collect())
    }
}

/// Bytes of a ballot before it is sealed: format and one bit for each candidate.
const WRITTEN: usize = 1 + CANDIDATES.div_ceil(8) as usize;

impl Precinct {
    /// What names each voter.
    pub(super) fn names(&self) -> Vec<Vec<String>> {
        self.voters.iter().map(|voter| voter.names.clone()).collect()
    }

    /// The choices as they are written down for the count, by voter.
    pub(super) fn written(&self) -> BallotBox {
        let written = |approvals: &Vec<u32>| {
            let mut bytes = [0; WRITTEN];
            bytes[0] = 1;
            for number in approvals {
                bytes[1 + (*number as usize - 1) / 8] |= 1 << ((number - 1) % 8);
            }
            data_encoding::HEXLOWER.encode(&bytes)
        };
        let ballots = self.voters.iter().map(|voter| written(&voter.approvals)).collect();
        BallotBox { voters: self.names(), ballots }
    }
}

/// Units, a register with everybody in it, and who they are.
async fn register(play: &mut Play) {
    let (mut rows, mut line) = (vec![officer()], 2);
    for code in PLACES {
        let unit = format!("Yksikkö {code}");
        let request = RegisterServiceUnitRequest {
            tenant: COUNTY.to_owned(),
            name: unit.clone(),
            kind: 2,
            municipality: code.to_owned(),
        };
        play.administrator.tenancy().register_service_unit(request).await.expect("a unit");
        for number in 0..VOTERS {
            line += 1;
            rows.push(ImportRow {
                line,
                register_key: format!("K{code}N{number:02}"),
                display_name: name(code, number),
                group: GROUP.to_owned(),
                municipality: code.to_owned(),
                unit: unit.clone(),
                ..Default::default()
            });
        }
    }
    play.administrator.forget_tokens().await;
    for rows in rows.chunks(100) {
        let request = ImportParticipantsRequest { tenant: COUNTY.to_owned(), rows: rows.to_vec() };
        play.administrator.participants().import_participants(request).await.expect("imported");
    }
    let mut page_token = String::new();
    loop {
        let request = ListParticipantsRequest {
            tenant: COUNTY.to_owned(),
            municipality: String::new(),
            purpose: "Handing out code cards".to_owned(),
            page_size: 200,
            page_token,
        };
        let page =
            play.administrator.participants().list_participants(request).await.expect("people").into_inner();
        for participant in page.participants {
            let person = Person {
                participant_id: participant.participant_id,
                name: participant.display_name.clone(),
                tenant: COUNTY.to_owned(),
                municipality: String::new(),
                unit: String::new(),
            };
            play.people.insert(participant.display_name, person);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return;
        }
    }
}

const OFFICER: &str = "Oskari Suomela";

fn officer() -> ImportRow {
    ImportRow {
        line: 2,
        register_key: "OFFICER".to_owned(),
        display_name: OFFICER.to_owned(),
        ..Default::default()
    }
}

/// A name that is part of no other name.
fn name(code: &str, number: usize) -> String {
    format!("Koe{code} Henkilö{number:02}n")
}

async fn found(play: &mut Play) {
    let request = FoundForumRequest {
        tenant: COUNTY.to_owned(),
        name: "Koefoorumi".to_owned(),
        purpose: "Vaalisalaisuuden koettelu".to_owned(),
        purpose_plain: "Tällä kokeillaan vaalia.".to_owned(),
        r#type: ForumType::ClientForum.into(),
        level: ForumLevel::County.into(),
        service_group: GROUP.to_owned(),
        term_starts_on: "2026-05-01".to_owned(),
        term_ends_on: "2028-04-30".to_owned(),
        founding_decision: "POHDE/1/2026".to_owned(),
        ..Default::default()
    };
    let forum = play.administrator.forums().found_forum(request).await.expect("a forum").into_inner().forum;
    play.forum_id = forum.expect("a forum").forum_id;
    let seats = PLACES.map(|code| MunicipalitySeats { municipality: code.to_owned(), seats: SEATS });
    let request = ApproveSeatPlanRequest {
        tenant: COUNTY.to_owned(),
        forum_id: play.forum_id.clone(),
        total: seats.iter().map(|one| one.seats).sum(),
        seats: seats.into(),
    };
    play.administrator.forums().approve_seat_plan(request).await.expect("a plan");
    play.settle().await.expect("membership knows the forum");
    let person = play.person(OFFICER).expect("in the register").clone();
    play.assign_in_forum(&person, Role::ElectionOfficer).await.expect("an election officer");
    let account = play.sign_in(&person).await.expect("signed in");
    play.officers.push(account);
}

/// Signs the voters of a municipality in and deals the choices.
async fn precinct(play: &Play, election_id: &str, code: &'static str, rng: &mut ChaCha8Rng) -> Precinct {
    let request = ListElectoralRollRequest {
        forum_id: play.forum_id.clone(),
        election_id: election_id.to_owned(),
        municipality: code.to_owned(),
        purpose: "Signing everybody in".to_owned(),
        page_size: 200,
        page_token: String::new(),
    };
    let roll =
        play.officers[0].rolls().list_electoral_roll(request).await.expect("a roll").into_inner().entries;
    assert_eq!(roll.len(), VOTERS, "the roll of {code}");
    let mut choices: Vec<Vec<u32>> = (0_u32..1 << CANDIDATES)
        .map(|bits| (1..=CANDIDATES).filter(|number| bits & (1 << (number - 1)) != 0).collect::<Vec<u32>>())
        .filter(|approvals| approvals.len() <= SEATS as usize)
        .collect();
    choices.shuffle(rng);
    let mut turns: Vec<usize> = (0..VOTERS).collect();
    turns.shuffle(rng);
    let voters = stream::iter(roll.into_iter().zip(choices).map(async |(entry, approvals)| {
        let account = play
            .sign_in(play.person(&entry.display_name).expect("in the register"))
            .await
            .expect("signed in");
        let names = vec![entry.voter_ref, entry.participant_id, entry.display_name];
        Voter { account, names, approvals }
    }));
    Precinct { code, voters: voters.buffered(AT_ONCE).collect().await, turns }
}
