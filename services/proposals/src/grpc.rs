//! The generated traits: convert in, call, convert out.

mod answers;
mod attachments;
mod changes;
mod community;
mod comparisons;
mod feedback;
mod handling;
mod proposals;
mod search;
mod texts;

use chassis::status;
use kernel::Fault;
use tonic::{Response, Status};

pub use answers::Answers;
pub use attachments::Attachments;
pub use changes::Changes;
pub use community::Community;
pub use comparisons::Comparisons;
pub use feedback::Feedback;
pub use handling::Handling;
pub use proposals::Proposals;
pub use search::Search;
pub use texts::Texts;

/// What a handler answers with.
type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: Result<T, Fault>) -> Answer<T> {
    result.map(Response::new).map_err(status)
}
