//! What happens by itself: boxes close, notices are sent, personal data goes when its time is over, and people who have
//! left are forgotten.

use futures::FutureExt as _;
use kernel::{
    CandidateId, ElectionId, Fault, ForumId, MunicipalityCode, PolicyKey, Subject, Timestamp, Uuid,
};
use messaging::{NewJob, Tx, telemetry};

use super::App;
use super::forums::vacate;
use crate::domain::candidate::CandidateState;
use crate::domain::election::Election;
use crate::domain::forum::Forum;
use crate::domain::seat::VacancyReason;
use crate::store;
use crate::store::retirements::Progress;

/// Job: closes the boxes of an election after its last day. Payload: the election's id.
pub const CLOSE_VOTING: &str = "forums.close_voting";
/// Job: erases candidates' data and boxes after the appeal period. Payload: the election's id.
pub const ERASE_ELECTION: &str = "forums.erase_election";
/// Job: tells a person that another one nominated them. Payload: the candidacy's id.
pub const CANDIDACY_OFFERED: &str = "forums.candidacy_offered";
/// Job: tells those who took a seat. Payload: the election's id, or one seat.
pub const SEAT_FILLED: &str = "forums.seat_filled";
/// Job: asks membership who has left. No payload.
pub const RETIRED_REFERENCES: &str = "forums.retired_references";
/// Notice to a nominated person.
pub const TEMPLATE_CANDIDACY_OFFERED: &str = "forums.candidacy_offered";
/// Notice to a new member.
pub const TEMPLATE_SEAT_FILLED: &str = "forums.seat_filled";

/// How often membership is asked who has left, by the business clock.
const READING_PAUSE: time::Duration = time::Duration::HOUR;

/// One seat as the payload of a notice job.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeatNotice {
    pub(super) forum: ForumId,
    pub(super) municipality: MunicipalityCode,
    pub(super) seat_no: u32,
}

impl SeatNotice {
    pub(super) fn into_payload(self) -> Vec<u8> {
        format!("{}|{}|{}", self.forum, self.municipality, self.seat_no).into_bytes()
    }

    fn read(payload: &str) -> Option<Self> {
        let mut parts = payload.split('|');
        let mut next = || parts.next();
        Some(Self {
            forum: next()?.parse().ok()?,
            municipality: next()?.parse().ok()?,
            seat_no: next()?.parse().ok()?,
        })
    }
}

/// The first reading of retired references; each one schedules the next.
pub fn first_reading_of_retirements(run_at: Timestamp) -> NewJob {
    next_reading(Progress::default(), run_at)
}

fn next_reading(progress: Progress, run_at: Timestamp) -> NewJob {
    NewJob { kind: RETIRED_REFERENCES, dedupe_key: progress.runs.to_string(), run_at, payload: Vec::new() }
}

/// Schedules the end of an election's personal data.
pub(super) async fn schedule_erasure(tx: &Tx, forum: &Forum, election: &Election) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), forum.charter.tenant).await?;
    let days = i32::try_from(policies.on(today, PolicyKey::ElectionAppealDays)).map_err(Fault::internal)?;
    let run_at = kernel::deadline::start_of_day(kernel::deadline::add_days(today, days.saturating_add(1)));
    let id = election.id.to_string();
    tx.schedule(NewJob { kind: ERASE_ELECTION, dedupe_key: id.clone(), run_at, payload: id.into_bytes() });
    Ok(())
}

impl App {
    /// Closes the boxes of an election after its last day. Conflict `forums.voting_days_left` before.
    pub async fn close_voting_when_due(&self, election: ElectionId) -> Result<(), Fault> {
        self.close_voting_by_timer(election).await
    }

    /// Erases names, pictures and references of an election's candidates, its boxes, counted choices, marks and paper
    /// entries, who witnessed lots, and the approvals of tallies that are not public (F7). Public figures stay.
    pub async fn erase_election(&self, election: ElectionId) -> Result<(), Fault> {
        let erased = self
            .writer
            .internal(ERASE_ELECTION, election, |tx, election| erase(tx, *election).boxed())
            .await?;
        for (what, rows) in erased {
            telemetry::erased("forums", what, rows);
        }
        Ok(())
    }

    /// The person nominated, if the candidacy waits for an answer still.
    pub async fn nominated_person(&self, candidate: CandidateId) -> Result<Option<Subject>, Fault> {
        let found = store::candidates::find(self.database.read(), candidate).await?;
        let waiting = found.filter(|one| one.state == CandidateState::Nominated);
        Ok(waiting.and_then(|one| one.person))
    }

    /// Whom a notice of filled seats is for: the members an election brought, or the holder of one seat.
    pub async fn seated_persons(&self, payload: &str) -> Result<Vec<Subject>, Fault> {
        let conn = self.database.read();
        if let Some(SeatNotice { forum, municipality, seat_no }) = SeatNotice::read(payload) {
            let seat = store::seats::load(conn, forum, municipality, seat_no).await?;
            return Ok(seat.holder.map(|holder| holder.reference).into_iter().collect());
        }
        let id: ElectionId = payload.parse()?;
        let election = store::elections::load(conn, id).await?;
        let seats = store::seats::of_forum(conn, election.forum).await?;
        let holders = seats.into_iter().filter_map(|seat| seat.holder);
        Ok(holders.filter(|holder| holder.election == id).map(|holder| holder.reference).collect())
    }

    /// Where to go on reading who has left.
    pub async fn retirement_cursor(&self) -> Result<u64, Fault> {
        Ok(store::retirements::progress(self.database.read()).await?.cursor)
    }

    /// Forgets people who have left, and remembers how far the list was read.
    pub async fn forget(&self, persons: Vec<Subject>, cursor: u64) -> Result<(), Fault> {
        let persons: Vec<(Subject, Uuid)> = persons.into_iter().map(|one| (one, self.ids.uuid())).collect();
        let input = (persons, cursor);
        self.writer
            .internal(RETIRED_REFERENCES, input, |tx, input| forget_all(tx, &input.0, input.1).boxed())
            .await
    }

    /// Schedules the next reading of who has left, whatever came of this one.
    pub async fn schedule_next_reading(&self) -> Result<(), Fault> {
        self.writer.internal(RETIRED_REFERENCES, (), |tx, ()| schedule_next(tx).boxed()).await
    }
}

async fn schedule_next(tx: &Tx) -> Result<(), Fault> {
    let before = store::retirements::progress(tx.conn()).await?;
    let progress = Progress { runs: before.runs + 1, ..before };
    store::retirements::save(tx.conn(), progress).await?;
    tx.schedule(next_reading(progress, tx.now() + READING_PAUSE));
    Ok(())
}

/// What was erased, and how much of it. Whoever stood and was erased before is not counted again.
async fn erase(tx: &Tx, election: ElectionId) -> Result<Vec<(&'static str, u64)>, Fault> {
    let mut candidates = 0;
    for candidate in store::candidates::all(tx.conn(), election).await? {
        candidates += u64::from(candidate.person.is_some());
        store::candidates::save(tx.conn(), &candidate.erased()).await?;
    }
    let erased = store::elections::load(tx.conn(), election).await?;
    let mut lines = store::tallies::load(tx.conn(), election).await?;
    for one in &erased.constituencies {
        // Of an annulled election no figures became public.
        let public = one.confirmed.is_some_and(|result| !result.tally_suppressed);
        if let Some(lines) = lines.remove(&one.municipality).filter(|_| !public) {
            let lines = store::tallies::without_figures(&lines);
            store::tallies::save(tx.conn(), election, one.municipality, &lines).await?;
        }
    }
    store::elections::forget_witnesses(tx.conn(), election).await?;
    let papers = store::papers::erase(tx.conn(), election).await?;
    let [boxes, choices, marks] = store::ballots::erase(tx.conn(), election).await?;
    Ok(vec![
        ("candidacies", candidates),
        ("paper entries", papers),
        ("ballot boxes", boxes),
        ("counted choices", choices),
        ("voter marks", marks),
    ])
}

async fn forget_all(tx: &Tx, persons: &[(Subject, Uuid)], cursor: u64) -> Result<(), Fault> {
    for (person, notice) in persons {
        forget_one(tx, *person, *notice).await?;
    }
    let before = store::retirements::progress(tx.conn()).await?;
    store::retirements::save(tx.conn(), Progress { cursor, ..before }).await
}

/// Erases a person's candidacies, that they witnessed lots, were at meetings, dissented, raised topics or wrote minutes,
/// takes them off the deputies and vacates their seats, which deputies then take. Meetings keep seats.
async fn forget_one(tx: &Tx, person: Subject, notice: Uuid) -> Result<(), Fault> {
    for candidate in store::candidates::all_of_person(tx.conn(), person, None).await? {
        let election = store::elections::load(tx.conn(), candidate.election).await?;
        let on_paper = election.candidates_final();
        if !on_paper && candidate.state == CandidateState::Accepted {
            let election = election.with_one_candidate_less(candidate.municipality);
            store::elections::save(tx.conn(), &election).await?;
        }
        store::candidates::save(tx.conn(), &candidate.left(on_paper)).await?;
    }
    store::elections::forget_witness(tx.conn(), person).await?;
    store::attendance::forget_person(tx.conn(), person).await?;
    store::dissents::forget_person(tx.conn(), person).await?;
    store::agenda::forget_person(tx.conn(), person).await?;
    store::meetings::forget_person(tx.conn(), person).await?;
    store::seats::remove_deputy_everywhere(tx.conn(), person).await?;
    for (forum, seat) in store::seats::all_held_by(tx.conn(), person).await? {
        let forum = store::forums::load(tx.conn(), forum).await?;
        vacate(tx, forum, seat, VacancyReason::Left, notice).await?;
    }
    Ok(())
}
