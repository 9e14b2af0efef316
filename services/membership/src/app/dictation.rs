//! Vouchers for dictation: somebody writes down what a member says, and it is the member's.
//!
//! Whoever may take down a person's words could put words into their mouth, so few may. Staff and managers of a unit:
//! for people who are attested for the unit's municipality by a unit there, because that is where they meet them. Whoever
//! is a support person in the unit: only for the people whose support person they are, because they have accepted them.

use chassis::token::Purpose;
use futures::FutureExt as _;
use kernel::{Caller, Fault, ParticipantId, Role, ScopeRef, UnitId};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::support::{is_client_at, unit_of};
use super::tokens::random_reference;
use super::vouchers::Unsigned;
use super::{App, own_act, participants, person_of};
use crate::domain::rejection::Support as Refusal;
use crate::domain::support::State;
use crate::store;

/// The service that keeps what was said.
const PROPOSALS: &str = "proposals";

/// Whose words are written down, and by whom.
struct Ask {
    app: App,
    by: kernel::Subject,
    /// Whether the caller is staff or manager of the unit, and not only support person there.
    is_staff: bool,
    unit: UnitId,
    participant: ParticipantId,
}

impl App {
    /// A voucher with which the caller writes down what this person says, in the name of the unit.
    ///
    /// # Errors
    /// MandateOwnActs, SessionRefused, UnitUnknown, ParticipantUnknown, Suspended or HasLeft as ParticipantUnknown;
    /// DictatesSelf, DictationNotAllowed.
    pub async fn dictation_voucher(
        &self,
        command: &Command,
        caller: &Caller,
        unit: UnitId,
        participant: ParticipantId,
    ) -> Result<pb::IssueDictationVoucherResponse, Fault> {
        let is_staff = caller.holds(&[Role::UnitStaff, Role::UnitManager], &ScopeRef::Unit(unit));
        let ask = Ask { app: self.clone(), by: own_act(caller)?, is_staff, unit, participant };
        let unsigned = self.writer().run(command, ask, |tx, ask| make(tx, ask).boxed()).await?;
        let voucher = self.sign_voucher(Purpose::Dictation, unsigned).await?;
        Ok(pb::IssueDictationVoucherResponse { voucher })
    }
}

async fn make(tx: &Tx, ask: &Ask) -> Result<Unsigned, Fault> {
    let unit = unit_of(tx, ask.unit).await?;
    let by = person_of(tx.conn(), ask.by).await?;
    let member = participants::load(tx, unit.tenant, ask.participant).await?;
    if !member.state.is_let_in() {
        return Err(crate::domain::Rejection::ParticipantUnknown.into());
    }
    if member.person == by {
        return Err(Refusal::DictatesSelf.into());
    }
    let may = (ask.is_staff && is_client_at(tx, &member, &unit).await?) || {
        let own = store::participants::of_person(tx.conn(), by).await?;
        let own = own.into_iter().find(|entry| entry.tenant == unit.tenant && entry.state.is_let_in());
        let support = match own {
            Some(own) => store::support::open(tx.conn(), member.id, own.id).await?,
            None => None,
        };
        support.is_some_and(|support| support.state == State::Active)
    };
    if !may {
        return Err(Refusal::DictationNotAllowed.into());
    }
    let new = random_reference(&ask.app);
    let subject = store::references::find_or_add(tx.conn(), member.person, PROPOSALS, new).await?;
    Ok(ask.app.new_voucher(PROPOSALS, subject, Vec::new(), Vec::new()))
}
