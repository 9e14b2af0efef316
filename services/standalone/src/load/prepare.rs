//! What must be there before the load begins: forums and proposals to read, and for an election day a whole election up to its opened
//! boxes. Made by ordinary calls, anew for each run, so that runs do not depend on each other.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Clock as _, SystemClock, reference};

use super::Plan;
use super::act::{forum, seat_plan};
use super::election::{self, Prepared};
use super::fleet::Fleet;
use super::ideas;
use super::mix::Mix;
use crate::client::Account;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

/// Forums to read.
const FORUMS: usize = 20;
/// Calls at once while preparing.
pub(super) const AT_ONCE: usize = 16;
/// Forums remembered that have no seat plan yet.
const UNPLANNED: usize = 1000;

/// What is there.
#[derive(Debug)]
pub(super) struct Stage {
    /// Forums with a seat plan.
    pub(super) forums: Vec<String>,
    /// A municipality of the county.
    pub(super) municipality: String,
    /// An election with opened boxes.
    pub(super) election: Option<Prepared>,
    /// Proposals; none if the mix is only of the other two services.
    pub(super) ideas: Option<ideas::Prepared>,
    /// Forums that were founded and have no seat plan yet.
    unplanned: Mutex<Vec<String>>,
}

/// Somebody on the roll who has not voted, signed in.
#[derive(Debug, Clone)]
pub(super) struct Voter {
    /// Number among the voters.
    pub(super) number: u32,
    /// Signed in.
    pub(super) account: Account,
}

impl Stage {
    /// How many may vote.
    pub(super) fn voters(&self) -> usize {
        self.election.as_ref().map_or(0, |election| election.voters.len())
    }

    /// A forum without a seat plan, for one to give it one.
    pub(super) fn take_unplanned(&self) -> Option<String> {
        self.unplanned.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// A forum was founded.
    pub(super) fn give_unplanned(&self, forum: String) {
        let mut unplanned = self.unplanned.lock().unwrap_or_else(PoisonError::into_inner);
        if unplanned.len() < UNPLANNED {
            unplanned.push(forum);
        }
    }
}

/// Prepares for a plan.
///
/// # Errors
/// Refused, if the system is not there to be loaded; what a service answers.
pub(super) async fn prepare(fleet: &Fleet, plan: &Plan, screen: Screen) -> Result<Arc<Stage>, Failure> {
    fleet.check().await?;
    let municipality = municipality_of(plan)?;
    let tenant = plan.tenant.to_string();
    let made = stream::iter(0..FORUMS).map(async |number| {
        let mut client = fleet.administrator(number).forums();
        let founded = client.found_forum(forum(tenant.clone())).await?.into_inner().forum;
        let id = founded.unwrap_or_default().forum_id;
        client.approve_seat_plan(seat_plan(tenant.clone(), municipality.clone(), id.clone())).await?;
        Ok::<String, tonic::Status>(id)
    });
    let forums = made.buffered(AT_ONCE).try_collect().await;
    let forums = forums.map_err(|status: tonic::Status| Failure::from(status).during("found forums"))?;
    let ideas = match plan.mix {
        Mix::ElectionDay | Mix::Reading | Mix::Mixed => {
            Some(ideas::prepare(fleet, plan, &municipality).await?)
        }
        Mix::Writing => None,
    };
    let election = match plan.mix {
        Mix::ElectionDay => Some(election::prepare(fleet, plan, &municipality, screen).await?),
        Mix::Reading | Mix::Mixed | Mix::Writing => None,
    };
    Ok(Arc::new(Stage { forums, municipality, election, ideas, unplanned: Mutex::default() }))
}

/// Some municipality of the county.
fn municipality_of(plan: &Plan) -> Result<String, Failure> {
    let today = SystemClock.now().helsinki_date();
    let found = reference::municipalities_of(plan.tenant, today).next();
    let found = found
        .ok_or_else(|| Failure::new(Exit::Usage, format!("county {} has no municipality", plan.tenant)))?;
    Ok(found.code.clone())
}
