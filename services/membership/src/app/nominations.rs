//! Nomination codes: a person tells one to another, who may then nominate them.

use chassis::token::Purpose as VoucherPurpose;
use futures::FutureExt as _;
use kernel::{ActingMode, Caller, ElectionId, Fault, Subject, TenantId};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::rolls::FORUMS;
use super::upkeep::schedule_purge;
use super::vouchers::Unsigned;
use super::{App, own_act, person_of, tokens};
use crate::domain::{Rejection, code, token};
use crate::store::cards::NominationCode;
use crate::vault::Purpose;
use crate::{convert, store};

/// Characters of a nomination code: forty bits, for one week, against twenty tries a minute.
const CODE_LENGTH: usize = 8;

impl App {
    /// Makes a code with which another may nominate the caller; an older one stops working. It is shown in this answer
    /// only.
    ///
    /// # Errors
    /// SessionRefused, NothingToStandFor, MandateOwnActs.
    pub async fn create_nomination_code(
        &self,
        command: &Command,
        caller: &Caller,
    ) -> Result<pb::CreateNominationCodeResponse, Fault> {
        let subject = own_act(caller)?;
        let derived = self.vault().derive(Purpose::NominationCode, command);
        let code = code::from_bytes(&derived, CODE_LENGTH);
        let hash = self.vault().hash(Purpose::NominationCode, code.as_bytes());
        let mut answer = self
            .writer()
            .run(command, (subject, caller.tenants.clone(), hash), |tx, (subject, tenants, hash)| {
                create(tx, *subject, tenants, hash).boxed()
            })
            .await?;
        answer.code = code::grouped(&code);
        Ok(answer)
    }

    /// Exchanges a code for a voucher for one election; the code is used up. The voucher tells the attestations for the
    /// election's service group in its municipalities, and nothing else of the person.
    ///
    /// # Errors
    /// SessionRefused, MandateOwnActs; StaffTakeNoPart if the caller is staff in any county (F8), whatever card they used;
    /// RollUnknown, RollOver; NominationCodeRefused for a wrong, used and expired code alike; NotAttestedThere.
    pub async fn exchange_nomination_code(
        &self,
        command: &Command,
        caller: &Caller,
        typed: &str,
        election: ElectionId,
    ) -> Result<pb::ExchangeNominationCodeResponse, Fault> {
        let code = code::read(typed, CODE_LENGTH).ok_or(Rejection::NominationCodeRefused)?;
        let hash = self.vault().hash(Purpose::NominationCode, code.as_bytes());
        let unsigned = self
            .writer()
            .run(command, (self.clone(), own_act(caller)?, hash, election), |tx, input| {
                let (app, by, hash, election) = input;
                app.exchange(tx, *by, hash, *election).boxed()
            })
            .await?;
        let voucher = self.sign_voucher(VoucherPurpose::Nominate, unsigned).await?;
        Ok(pb::ExchangeNominationCodeResponse { voucher })
    }

    async fn exchange(
        &self,
        tx: &Tx,
        by: Subject,
        hash: &[u8],
        election: ElectionId,
    ) -> Result<Unsigned, Fault> {
        let nominator = tokens::record(tx.conn(), person_of(tx.conn(), by).await?).await?;
        if nominator.is_staff(tx.now().helsinki_date()) {
            return Err(Rejection::StaffTakeNoPart.into());
        }
        let head = store::rolls::head(tx.conn(), election).await?.ok_or(Rejection::RollUnknown)?;
        if head.over {
            return Err(Rejection::RollOver.into());
        }
        let taken = store::cards::take_nomination_code(tx.conn(), hash).await?;
        let code =
            taken.filter(|code| tx.now() <= code.expires_at).ok_or(Rejection::NominationCodeRefused)?;
        let record = tokens::record(tx.conn(), code.person).await?.within(&code.tenants);
        // Whether a person is shut out is nobody else's business.
        let rights = record
            .rights(ActingMode::Alone, tx.now().helsinki_date())
            .map_err(|_| Rejection::NominationCodeRefused)?;
        let places = store::rolls::counts(tx.conn(), election).await?;
        let mut attestations = rights.attestations;
        attestations.retain(|one| one.group == head.group && places.contains_key(&one.municipality));
        if attestations.is_empty() {
            return Err(Rejection::NotAttestedThere.into());
        }
        let new = tokens::random_reference(self);
        let subject = store::references::find_or_add(tx.conn(), code.person, FORUMS, new).await?;
        Ok(self.new_voucher(FORUMS, subject, attestations, Vec::new()))
    }
}

async fn create(
    tx: &Tx,
    subject: Subject,
    tenants: &[TenantId],
    hash: &[u8],
) -> Result<pb::CreateNominationCodeResponse, Fault> {
    let person = person_of(tx.conn(), subject).await?;
    let record = tokens::record(tx.conn(), person).await?.within(tenants);
    let rights = record.rights(ActingMode::Alone, tx.now().helsinki_date())?;
    if rights.attestations.is_empty() {
        return Err(Rejection::NothingToStandFor.into());
    }
    let expires_at = tx.now() + token::NOMINATION_CODE;
    let code = NominationCode { person, tenants: tenants.to_vec(), expires_at };
    store::cards::put_nomination_code(tx.conn(), hash, &code).await?;
    schedule_purge(tx);
    Ok(pb::CreateNominationCodeResponse {
        code: String::new(),
        expires_at: Some(convert::timestamp_out(expires_at)),
    })
}
