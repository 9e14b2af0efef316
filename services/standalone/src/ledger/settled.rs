//! Waiting for a system, by what its databases say: until it rests, with everything published and every projection at the
//! end of its source; and, since a system at work never rests, until what is going to be judged has arrived.

use std::time::{Duration, Instant};

use messaging::{Database, log};
use sea_orm::{ConnectionTrait as _, Statement};

use super::CheckError;
use super::gather::Source;
use super::index::number;

/// How often to look.
const LOOK: Duration = Duration::from_millis(100);
/// How long an event may be on its way through a system that works.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// Waits at most so long. What has not come to rest by then is for the rules to tell.
pub(super) async fn wait(databases: &[Database], most: Duration) -> Result<(), CheckError> {
    let end = Instant::now() + most;
    let mut rested = 0;
    // Twice, since what one service publishes while another is looked at is not overlooked then.
    while rested < 2 && Instant::now() < end {
        rested = if at_rest(databases).await? { rested + 1 } else { 0 };
        tokio::time::sleep(LOOK.min(end.saturating_duration_since(Instant::now()))).await;
    }
    Ok(())
}

/// Waits until everything up to the ends of these logs is published and taken by those who read it; at least
/// [`ON_ITS_WAY`] is granted, and what has not arrived by then is for the rules to tell.
pub(super) async fn reach(sources: &[Source], most: Duration) -> Result<(), CheckError> {
    let end = Instant::now() + most.max(ON_ITS_WAY);
    let databases: Vec<Database> = sources.iter().map(|source| source.database.clone()).collect();
    while Instant::now() < end {
        let mut has_arrived = true;
        for source in sources {
            let now = log::heads(&source.database).await?;
            for head in source.lanes() {
                let published =
                    now.iter().find(|now| now.lane == head.lane).map_or(0, |now| now.published_seq);
                has_arrived &= published >= head.seq;
                for reader in &databases {
                    has_arrived =
                        has_arrived && !is_behind(reader, source.service(), &head.lane, head.seq).await?;
                }
            }
        }
        if has_arrived {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn at_rest(databases: &[Database]) -> Result<bool, CheckError> {
    for source in databases {
        for head in log::heads(source).await? {
            if head.published_seq < head.seq {
                return Ok(false);
            }
            for reader in databases {
                if is_behind(reader, source.service(), &head.lane, head.seq).await? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// Whether a projection that has begun to read the source is behind in the lane.
async fn is_behind(reader: &Database, source: &str, lane: &str, seq: u64) -> Result<bool, CheckError> {
    let connection = reader.read();
    let question = "SELECT last_seq FROM projection_cursor WHERE source = $1 AND lane = $2";
    let values = [source.into(), lane.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), question, values);
    for row in connection.query_all_raw(statement).await? {
        if number(&row, 0)? < seq {
            return Ok(true);
        }
    }
    Ok(false)
}
