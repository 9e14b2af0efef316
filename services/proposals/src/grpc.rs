//! The generated traits: convert in, call, convert out.

mod attachments;
mod community;
mod handling;
mod proposals;
mod search;
mod texts;

use chassis::status;
use kernel::Fault;
use tonic::{Response, Status};

pub use attachments::Attachments;
pub use community::Community;
pub use handling::Handling;
pub use proposals::Proposals;
pub use search::Search;
pub use texts::Texts;

/// What a handler answers with.
type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: Result<T, Fault>) -> Answer<T> {
    result.map(Response::new).map_err(status)
}
