//! Vouchers for dictation: somebody writes down what a member says, and it is the member's.
//!
//! Whoever may take down a person's words could put words into their mouth, so few may. Staff and managers of a unit:
//! for people who are attested for the unit's municipality by a unit there, because that is where they meet them. Whoever
//! is a support person in the unit: only for the people whose support person they are, because they have accepted them.
//!
//! A voucher is good for the one who asked and in the name of the unit that was named, and it says where they work: whom
//! what was said is about is known only where it is kept (M3).

use chassis::token::{Purpose, Recorder};
use futures::FutureExt as _;
use kernel::{Caller, Fault, Helper, ParticipantId, Role, ScopeRef, UnitId};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::support::{helping, is_client_at, unit_of};
use super::tokens::{self, random_reference};
use super::vouchers::Unsigned;
use super::{App, own_act, participants, person_of};
use crate::domain::PersonId;
use crate::domain::participant::Participant;
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
    /// DictatesSelf, DictationNotAllowed; of a support person also GuardianInConflict and RoleEnded.
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
    if !(ask.is_staff && is_client_at(tx, &member, &unit).await?) {
        check_supporter(tx, by, &member).await?;
    }
    let reference = |person| {
        let new = random_reference(&ask.app);
        store::references::find_or_add(tx.conn(), person, PROPOSALS, new)
    };
    let subject = reference(member.person).await?;
    let person = Helper {
        reference: reference(by).await?,
        conflict_units: tokens::record(tx.conn(), by).await?.work_units(tx.now().helsinki_date()),
    };
    let unsigned = ask.app.new_voucher(PROPOSALS, subject, Vec::new(), Vec::new());
    Ok(unsigned.for_recorder(Recorder { unit: ask.unit, person }))
}

/// Refuses whoever is not the member's support person by a relationship that works, or may not be it today (M3, M7).
async fn check_supporter(tx: &Tx, by: PersonId, member: &Participant) -> Result<(), Fault> {
    let own = store::participants::of_person(tx.conn(), by).await?;
    let own = own.into_iter().find(|entry| entry.tenant == member.tenant && entry.state.is_let_in());
    let own = own.ok_or(Refusal::DictationNotAllowed)?;
    let support = store::support::open(tx.conn(), member.id, own.id).await?;
    let support = support.filter(|support| support.state == State::Active);
    let support = support.ok_or(Refusal::DictationNotAllowed)?;
    let helping = helping(tx.conn(), member.person, &own, tx.now().helsinki_date()).await?;
    Ok(support.check_helper(&helping)?)
}
