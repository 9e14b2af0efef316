//! Confirming a result: seats are filled, deputies get their order, empty seats call a supplementary election.

use std::collections::{BTreeMap, BTreeSet};

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ElectionId, Fault, ForumId, MunicipalityCode, PolicyKey};
use messaging::{NewJob, Tx};
use proto::forums as pb;

use super::App;
use super::upkeep::{SEAT_FILLED, schedule_erasure};
use crate::domain::candidate::Candidate;
use crate::domain::election::{ConfirmationPolicy, Constituency, Election};
use crate::domain::figures::shows_lots;
use crate::domain::forum::Forum;
use crate::domain::lots::{Draw, LotsSeed};
use crate::domain::seat::{Holder, Seat, SeatEvent};
use crate::domain::tally::{Outcome, Tally};
use crate::store::tallies::TallyLine;
use crate::vault::Vault;
use crate::{convert, events, store};

struct Confirm {
    vault: Vault,
    forum: ForumId,
    election: ElectionId,
}

impl App {
    /// Confirms a result.
    pub async fn confirm_result(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::ConfirmResultResponse, Fault> {
        let input = Confirm { vault: self.vault.clone(), forum: call.scope.forum()?, election };
        self.writer.run(call.command(), input, |tx, input| confirm(tx, input).boxed()).await
    }
}

/// Candidates by municipality and number.
type Candidates = BTreeMap<(MunicipalityCode, u32), Candidate>;

async fn confirm(tx: &Tx, input: &Confirm) -> Result<pb::ConfirmResultResponse, Fault> {
    let today = tx.now().helsinki_date();
    let mut forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    let mut seats = store::seats::of_forum(tx.conn(), forum.id).await?;
    let candidates = candidates_by_number(tx, before.id).await?;
    let lines = store::tallies::load(tx.conn(), before.id).await?;
    let seed = store::elections::seed(tx.conn(), &input.vault, before.id).await?;
    let outcomes = outcomes(&seed, &before, &seats, &candidates, &lines);

    let policies = store::policies::of(tx.conn(), forum.charter.tenant).await?;
    let policy = ConfirmationPolicy {
        supplementary_days: policies.on(today, PolicyKey::SupplementaryElectionDays),
        tally_threshold: policies.on(today, PolicyKey::TallyThreshold),
    };
    let filled_before = seats.iter().filter(|seat| !seat.is_empty()).count();
    let filled_before = u32::try_from(filled_before).map_err(Fault::internal)?;
    let event = before.confirm(&outcomes, policy, filled_before, today)?;
    let election = before.apply(&event);
    store::elections::save(tx.conn(), &election).await?;
    let shows = |one: &Constituency| {
        let tally = lines.get(&one.municipality).map(|lines| store::tallies::tally(lines));
        tally.is_some_and(|tally| shows_lots(&election, one, &tally))
    };
    if election.constituencies.iter().any(shows) {
        store::elections::reveal_seed(tx.conn(), election.id, &seed).await?;
    }
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));

    for (municipality, outcome) in &outcomes {
        let constituency = election.constituency(*municipality)?;
        let places = fill_seats(tx, &forum, constituency, outcome, &mut seats, &candidates).await?;
        let approvals = lines.get(municipality).map(|lines| store::tallies::tally(lines).approvals);
        save_places(tx, &election, constituency, &places, &outcome.deputies, approvals.unwrap_or_default())
            .await?;
    }
    forum.seats_filled = election.forum_seats_filled.unwrap_or(forum.seats_filled);
    store::forums::save(tx.conn(), &forum).await?;
    schedule_erasure(tx, &forum, &election).await?;
    let id = election.id.to_string();
    let payload = id.clone().into_bytes();
    tx.schedule(NewJob { kind: SEAT_FILLED, dedupe_key: id, run_at: tx.now(), payload });
    Ok(pb::ConfirmResultResponse { election: Some(convert::election(&election, today)) })
}

async fn candidates_by_number(tx: &Tx, election: ElectionId) -> Result<Candidates, Fault> {
    let all = store::candidates::all(tx.conn(), election).await?;
    Ok(all.into_iter().filter_map(|one| Some(((one.municipality, one.number?), one))).collect())
}

/// Who is elected where. Those who have left, or hold a seat by now, are followed by deputies.
fn outcomes(
    seed: &LotsSeed,
    election: &Election,
    seats: &[Seat],
    candidates: &Candidates,
    lines: &BTreeMap<MunicipalityCode, Vec<TallyLine>>,
) -> Vec<(MunicipalityCode, Outcome)> {
    let seated: BTreeSet<_> =
        seats.iter().filter_map(|seat| seat.holder.as_ref()).map(|holder| holder.reference).collect();
    let of = |constituency: &Constituency| {
        let municipality = constituency.municipality;
        let gone = |number: u32| {
            let person = candidates.get(&(municipality, number)).and_then(|one| one.person);
            person.is_none_or(|person| seated.contains(&person))
        };
        let outcome = if constituency.uncontested {
            Outcome::uncontested(constituency.seats, constituency.candidates)
        } else {
            let tally = lines.get(&municipality).map(|lines| store::tallies::tally(lines));
            let witness = constituency.witness_number.clone().unwrap_or_default();
            let draw = Draw { seed, election: election.id, municipality, witness: &witness };
            tally.unwrap_or_else(|| Tally::empty(0)).outcome(constituency.seats, &draw)
        };
        (municipality, outcome.without(gone))
    };
    election.constituencies.iter().map(of).collect()
}

/// Seats the elected in the municipality's empty seats and adds the deputies; tells which number got which seat.
async fn fill_seats(
    tx: &Tx,
    forum: &Forum,
    constituency: &Constituency,
    outcome: &Outcome,
    seats: &mut [Seat],
    candidates: &Candidates,
) -> Result<BTreeMap<u32, u32>, Fault> {
    let municipality = constituency.municipality;
    let holder = |number: u32| {
        let candidate = candidates.get(&(municipality, number))?;
        let (election, name_public) = (candidate.election, candidate.publish_name);
        candidate.person.map(|reference| Holder { reference, name_public, election })
    };
    let mut places = BTreeMap::new();
    let mut elected = outcome.elected.iter();
    let due_on = constituency.confirmed.and_then(|result| result.supplementary_due_on);
    let empty_seats = seats.iter_mut().filter(|seat| seat.municipality == municipality && seat.is_empty());
    let mut called = false;
    for seat in empty_seats {
        let event = match elected.next() {
            Some(one) => {
                let holder =
                    holder(one.number).ok_or_else(|| Fault::internal("an elected candidate is nobody"))?;
                store::seats::remove_deputy(tx.conn(), forum.id, holder.reference).await?;
                places.insert(one.number, seat.seat_no);
                SeatEvent::Filled { origin: one.origin, holder }
            }
            None => {
                let Some(due_on) = due_on else { continue };
                SeatEvent::SupplementaryCalled { due_on }
            }
        };
        *seat = seat.clone().apply(&event);
        store::seats::save(tx.conn(), forum.id, seat).await?;
        // One call for all empty seats of the municipality.
        let told_before = matches!(event, SeatEvent::SupplementaryCalled { .. }) && called;
        called |= matches!(event, SeatEvent::SupplementaryCalled { .. });
        if !told_before {
            tx.publish(events::seat(forum, seat, &event, outcome.vacant));
        }
    }
    let deputies: Vec<Holder> = outcome.deputies.iter().filter_map(|number| holder(*number)).collect();
    store::seats::add_deputies(tx.conn(), forum.id, municipality, &deputies).await?;
    Ok(places)
}

async fn save_places(
    tx: &Tx,
    election: &Election,
    constituency: &Constituency,
    places: &BTreeMap<u32, u32>,
    deputies: &[u32],
    approvals: BTreeMap<u32, u32>,
) -> Result<(), Fault> {
    let order: BTreeMap<u32, u32> = deputies.iter().copied().zip(1..).collect();
    let line = |number: u32| TallyLine {
        number,
        approvals: approvals.get(&number).copied().unwrap_or(0),
        seat_no: places.get(&number).copied(),
        deputy_no: order.get(&number).copied(),
    };
    let lines: Vec<TallyLine> = (1..=constituency.candidates).map(line).collect();
    store::tallies::save(tx.conn(), election.id, constituency.municipality, &lines).await
}
