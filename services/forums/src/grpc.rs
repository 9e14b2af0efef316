//! The generated traits: convert in, call, convert out.

mod elections;
mod forums;
mod meetings;

use chassis::status;
use kernel::Fault;
use tonic::{Response, Status};

pub use elections::Elections;
pub use forums::Forums;
pub use meetings::Meetings;

/// What a handler answers with.
type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: Result<T, Fault>) -> Answer<T> {
    result.map(Response::new).map_err(status)
}
