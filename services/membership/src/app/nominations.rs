//! Nomination codes: a person tells one to another, who may then nominate them.

use chassis::token::Purpose as VoucherPurpose;
use futures::FutureExt as _;
use kernel::{ActingMode, Caller, Fault, Subject, TenantId};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::{App, own_act, person_of, rolls, tokens};
use crate::domain::{Rejection, code, token};
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

    /// Exchanges a code for a voucher; the code is used up.
    ///
    /// # Errors
    /// NominationCodeRefused for a wrong, used and expired code alike.
    pub async fn exchange_nomination_code(
        &self,
        command: &Command,
        typed: &str,
    ) -> Result<pb::ExchangeNominationCodeResponse, Fault> {
        let code = code::read(typed, CODE_LENGTH).ok_or(Rejection::NominationCodeRefused)?;
        let hash = self.vault().hash(Purpose::NominationCode, code.as_bytes());
        self.writer()
            .run(command, (self.clone(), hash), |tx, (app, hash)| {
                async move {
                    Ok(pb::ExchangeNominationCodeResponse { voucher: app.exchange(tx, hash).await? })
                }
                .boxed()
            })
            .await
    }

    async fn exchange(&self, tx: &Tx, hash: &[u8]) -> Result<String, Fault> {
        let taken = store::cards::take_nomination_code(tx.conn(), hash).await?;
        let (person, expires_at) = taken.ok_or(Rejection::NominationCodeRefused)?;
        if tx.now() > expires_at {
            return Err(Rejection::NominationCodeRefused.into());
        }
        let record = tokens::record(tx.conn(), person).await?;
        let rights = record.rights(ActingMode::Alone, tx.now().helsinki_date())?;
        let new = tokens::random_reference(self);
        let subject = store::references::find_or_add(tx.conn(), person, rolls::FORUMS, new).await?;
        self.voucher(tx.conn(), VoucherPurpose::Nominate, subject, rights.attestations, Vec::new()).await
    }
}

async fn create(
    tx: &Tx,
    subject: Subject,
    tenants: &[TenantId],
    hash: &[u8],
) -> Result<pb::CreateNominationCodeResponse, Fault> {
    let person = person_of(tx.conn(), subject).await?;
    let mut record = tokens::record(tx.conn(), person).await?;
    // Whoever signed in with the card of another county has nothing to stand for here.
    record.participants.retain(|one| tenants.contains(&one.tenant));
    let rights = record.rights(ActingMode::Alone, tx.now().helsinki_date())?;
    if rights.attestations.is_empty() {
        return Err(Rejection::NothingToStandFor.into());
    }
    let expires_at = tx.now() + token::NOMINATION_CODE;
    store::cards::put_nomination_code(tx.conn(), hash, person, expires_at).await?;
    Ok(pb::CreateNominationCodeResponse {
        code: String::new(),
        expires_at: Some(convert::timestamp_out(expires_at)),
    })
}
