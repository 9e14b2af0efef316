//! The public result.

use std::collections::BTreeMap;

use kernel::{ElectionId, Fault};
use proto::forums as pb;

use super::App;
use crate::convert::results::{Place, ResultParts, result};
use crate::domain::election::Constituency;
use crate::domain::figures::shows_lots;
use crate::domain::tally::Tally;
use crate::store;
use crate::store::tallies::{self, TallyLine};

impl App {
    /// What the public may know of a result now (F7), with everything to recompute the lots.
    pub async fn get_election_result(&self, id: ElectionId) -> Result<pb::GetElectionResultResponse, Fault> {
        let conn = self.database.read();
        let election = store::elections::load(conn, id).await?;
        let forum = store::forums::load(conn, election.forum).await?;
        let candidates = store::candidates::all(conn, id).await?;
        let parts = |lines: Vec<TallyLine>| -> (Tally, Vec<Place>) {
            let place = |line: &TallyLine| Place {
                number: line.number,
                seat_no: line.seat_no,
                deputy_no: line.deputy_no,
            };
            (tallies::tally(&lines), lines.iter().map(place).collect())
        };
        let lines = store::tallies::load(conn, id).await?;
        let lines: BTreeMap<_, _> =
            lines.into_iter().map(|(municipality, lines)| (municipality, parts(lines))).collect();
        let shows = |one: &Constituency| {
            let lines: Option<&(Tally, Vec<Place>)> = lines.get(&one.municipality);
            lines.is_some_and(|(tally, _)| shows_lots(&election, one, tally))
        };
        let seed = if election.constituencies.iter().any(shows) {
            Some(store::elections::seed(conn, &self.vault, id).await?)
        } else {
            None
        };
        let parts = ResultParts {
            forum: &forum,
            election: &election,
            seed: seed.as_ref(),
            lines: &lines,
            candidates: &candidates,
        };
        Ok(result(&parts, self.today()))
    }
}
