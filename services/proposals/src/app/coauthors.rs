//! Co-authors join by a code that an author shows them: nobody's reference crosses to anybody.

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::add_days;
use kernel::{Caller, Fault, ProposalId, Subject};
use messaging::Tx;
use proto::proposals as pb;

use super::drafting::authored_with;
use super::{App, codes};
use crate::domain::text::Owner;
use crate::store::authors::AuthorKind;
use crate::{convert, store};

/// Days for which an invitation works.
const INVITATION_DAYS: i32 = 30;
/// Most authors of one proposal, those invited included.
const MAX_AUTHORS: usize = 20;

struct Invite {
    id: ProposalId,
    caller: Caller,
    code_hash: Vec<u8>,
}

struct Join {
    person: Subject,
    code_hash: Vec<u8>,
}

impl App {
    /// Makes a code that makes its holder a co-author, once.
    pub async fn invite_co_author(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::InviteCoAuthorResponse, Fault> {
        let code = codes::derive(&self.secrets, codes::Purpose::Invitation, call.command())?;
        let input = Invite { id, caller: call.caller.clone(), code_hash: code.hash };
        let answer = self.writer.run(call.command(), input, |tx, input| invited(tx, input).boxed()).await?;
        // Not in the log of answers: put in on the way out.
        Ok(pb::InviteCoAuthorResponse { code: code.shown, ..answer })
    }

    /// Joins a proposal by a code.
    pub async fn join_as_co_author(
        &self,
        call: &Call,
        typed: &str,
    ) -> Result<pb::JoinAsCoAuthorResponse, Fault> {
        let code_hash = codes::hash_of(codes::Purpose::Invitation, typed).ok_or_else(no_such_invitation)?;
        let input = Join { person: call.scope.subject()?, code_hash };
        self.writer.run(call.command(), input, |tx, input| joined(tx, input).boxed()).await
    }
}

async fn invited(tx: &Tx, input: &Invite) -> Result<pb::InviteCoAuthorResponse, Fault> {
    let proposal = authored_with(tx, input.id, &input.caller).await?;
    if proposal.stage.is_ended() {
        return Err(Fault::conflict(
            "proposals.stage",
            "The proposal has ended, so nobody joins it any more.",
        ));
    }
    let today = tx.now().helsinki_date();
    let authors = store::authors::of(tx.conn(), proposal.id).await?.len();
    let waiting = store::authors::invitations(tx.conn(), proposal.id, today).await?;
    if authors + usize::try_from(waiting).map_err(Fault::internal)? >= MAX_AUTHORS {
        return Err(Fault::conflict(
            "proposals.too_many_authors",
            format!("A proposal has at most {MAX_AUTHORS} authors. Others can support and follow it."),
        ));
    }
    let expires_on = add_days(today, INVITATION_DAYS);
    store::authors::invite(tx.conn(), proposal.id, &input.code_hash, expires_on).await?;
    Ok(pb::InviteCoAuthorResponse { code: String::new(), expires_on: expires_on.to_string() })
}

async fn joined(tx: &Tx, input: &Join) -> Result<pb::JoinAsCoAuthorResponse, Fault> {
    let today = tx.now().helsinki_date();
    let id =
        store::authors::redeem(tx.conn(), &input.code_hash, today).await?.ok_or_else(no_such_invitation)?;
    let proposal = store::proposals::load(tx.conn(), id).await?;
    if proposal.stage.is_ended() {
        return Err(Fault::conflict(
            "proposals.stage",
            "The proposal has ended, so nobody joins it any more.",
        ));
    }
    store::authors::add(tx.conn(), id, input.person, AuthorKind::CoAuthor, today).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(proposal.tenant, id)).await?;
    let proposal = convert::proposals::proposal(&proposal, &texts, proposal.promise, today);
    Ok(pb::JoinAsCoAuthorResponse { proposal: Some(proposal) })
}

fn no_such_invitation() -> Fault {
    Fault::not_found(
        "proposals.no_such_invitation",
        "This code invites to nothing: it was used, or it has expired. Ask the author for a new one.",
    )
}
