//! The generated traits: convert in, call, convert out. Who may call was decided before a call arrives here.

mod contact;
mod directory;
mod participants;
mod rolls;
mod signin;
mod support;
mod tenancy;

use chassis::Call;
use kernel::{Fault, Invalid, Subject};
use tonic::{Request, Response, Status};

use crate::app::App;

/// Serves the contracts of membership.
#[derive(Clone, Debug)]
pub(crate) struct Api(pub(crate) App);

/// The call behind a request, and its message.
fn open<T>(request: Request<T>) -> Result<(Call, T), Status> {
    let call = Call::of(&request)?;
    Ok((call, request.into_inner()))
}

/// The answer, or the status of the fault.
fn answer<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(chassis::status)
}

/// References of a request: at most 200.
fn references(texts: &[String]) -> Result<Vec<Subject>, Fault> {
    if texts.len() > 200 {
        let invalid = Invalid::new("at most 200 references at a time", "send the rest with another call");
        return Err(invalid.in_field("references"));
    }
    let one =
        |(number, text): (usize, &String)| crate::convert::parsed(&format!("references[{number}]"), text);
    texts.iter().enumerate().map(one).collect()
}
