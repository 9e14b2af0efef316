//! Electoral rolls: freezing them, reading them, and what officers and voters do with them.

use chassis::token::Purpose as VoucherPurpose;
use futures::FutureExt as _;
use kernel::{
    Caller, Date, ElectionId, Fault, ForumId, MunicipalityCode, PageSize, PageToken, ParticipantId, Subject,
    TenantId, Uuid,
};
use messaging::{Command, Tx, crash};
use proto::membership as pb;

use super::roll_checks::schedule_check;
use super::vouchers::Unsigned;
use super::{App, own_act, person_of, tokens};
use crate::domain::participant::{Participant, PersonId};
use crate::domain::{Rejection, roll};
use crate::store::rolls::Head;
use crate::{convert, events, store};

/// The service that runs elections.
pub(crate) const FORUMS: &str = "forums";

/// An election that forums announced.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The election.
    pub election: ElectionId,
    /// Its forum.
    pub forum: ForumId,
    /// Counties of the forum, the lead first.
    pub tenants: Vec<TenantId>,
    /// Service group whose clients vote.
    pub group: String,
    /// Municipalities with seats to fill.
    pub municipalities: Vec<MunicipalityCode>,
    /// The day of the announcement.
    pub on: Date,
}

impl App {
    /// Freezes the roll of an announced election; the second time it does nothing.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn freeze_roll(&self, tx: &Tx, announced: &Announced) -> Result<(), Fault> {
        let plan = store::forums::seat_plan(tx.conn(), announced.forum).await?;
        let mut everywhere = plan.clone();
        everywhere.extend(&announced.municipalities);
        let claims = store::attestations::claims(
            tx.conn(),
            &announced.tenants,
            &announced.group,
            &everywhere,
            announced.on,
        )
        .await?;
        let frozen = roll::freeze(&claims, &plan, &announced.municipalities);
        let keyed = frozen.entries.iter().map(|entry| self.entry_hash(announced.election, entry));
        let hash = roll::hash(announced.election, keyed.collect());
        let head = Head {
            election: announced.election,
            forum: announced.forum,
            tenants: announced.tenants.clone(),
            group: announced.group.clone(),
            hash: hash.to_vec(),
            over: false,
            erased: false,
        };
        if !store::rolls::freeze(tx.conn(), &head, &frozen).await? {
            return Ok(());
        }
        // The officer's list shows everybody's reference, so everybody has one from now on.
        let people: Vec<PersonId> = frozen.entries.iter().map(|entry| entry.person).collect();
        store::references::add_missing(tx.conn(), FORUMS, &people, || tokens::random_reference(self)).await?;
        if let Some(event) = events::roll_frozen(&announced.tenants, announced.election, &frozen, hash) {
            tx.publish(event);
        }
        schedule_check(tx, announced.election);
        crash::point("ballot.roll_frozen");
        Ok(())
    }

    /// Hash and counts of a roll as they were published, and whether the roll is still so, or was within the last minute:
    /// a roll is computed once a minute, however often anybody asks.
    ///
    /// # Errors
    /// RollUnknown.
    pub async fn roll_summary(&self, election: ElectionId) -> Result<pb::GetRollSummaryResponse, Fault> {
        let looked = self.recent_look(election).await?;
        Ok(pb::GetRollSummaryResponse {
            matches: looked.matches(),
            roll_hash: looked.head.hash.clone(),
            hash_now: if looked.head.erased { Vec::new() } else { looked.hash.to_vec() },
            counts: convert::counts_out(&looked.published),
        })
    }

    /// A page of one municipality's roll by name, for an officer of the forum.
    ///
    /// # Errors
    /// RollUnknown, RollOfOtherForum; Invalid for a broken page token.
    pub async fn list_roll(
        &self,
        forum: ForumId,
        election: ElectionId,
        municipality: MunicipalityCode,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListElectoralRollResponse, Fault> {
        let head = store::rolls::head(self.reads(), election).await?;
        of_forum(head, forum)?;
        let list = format!("roll|{election}|{municipality}");
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let after = after.as_deref().and_then(|key| {
            let (id, name) = key.split_once('|')?;
            Some((name, Uuid::try_parse(id).ok()?))
        });
        let page = store::rolls::page(self.reads(), election, municipality, after, size).await?;
        let (page, next) =
            size.cut(page, &list, |listed| format!("{}|{}", listed.participant, listed.display_name));
        let people = page.iter().map(|listed| listed.person);
        let references = store::references::of(self.reads(), FORUMS, people).await?;
        let entries = page.into_iter().map(|listed| pb::RollEntry {
            participant_id: listed.participant.to_string(),
            display_name: listed.display_name,
            voter_ref: references.get(&listed.person).map(ToString::to_string).unwrap_or_default(),
            assisted: listed.assisted,
        });
        Ok(pb::ListElectoralRollResponse {
            entries: entries.collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// A voucher that a person on the roll stands before the officer and asks for a paper ballot.
    ///
    /// # Errors
    /// RollUnknown, RollOfOtherForum, RollOver, ParticipantUnknown, NotOnRoll, StaffTakeNoPart.
    pub async fn paper_voucher(
        &self,
        command: &Command,
        forum: ForumId,
        election: ElectionId,
        participant: ParticipantId,
    ) -> Result<pb::IssuePaperBallotVoucherResponse, Fault> {
        let input = (self.clone(), forum, election, participant);
        let unsigned = self
            .writer()
            .run(command, input, |tx, (app, forum, election, participant)| {
                app.make_paper_voucher(tx, *forum, *election, *participant).boxed()
            })
            .await?;
        let voucher = self.sign_voucher(VoucherPurpose::PaperBallot, unsigned).await?;
        Ok(pb::IssuePaperBallotVoucherResponse { voucher })
    }

    async fn make_paper_voucher(
        &self,
        tx: &Tx,
        forum: ForumId,
        election: ElectionId,
        participant: ParticipantId,
    ) -> Result<Unsigned, Fault> {
        let head = of_forum(store::rolls::head(tx.conn(), election).await?, forum)?;
        if head.over {
            return Err(Rejection::RollOver.into());
        }
        let participant = store::participants::any(tx.conn(), participant).await?;
        let participant = participant.filter(|one| head.tenants.contains(&one.tenant));
        let person = participant.ok_or(Rejection::ParticipantUnknown)?.person;
        let (_, claim) =
            store::rolls::claim(tx.conn(), election, person).await?.ok_or(Rejection::NotOnRoll)?;
        if tokens::record(tx.conn(), person).await?.is_staff(tx.now().helsinki_date()) {
            return Err(Rejection::StaffTakeNoPart.into());
        }
        let new = tokens::random_reference(self);
        let subject = store::references::find_or_add(tx.conn(), person, FORUMS, new).await?;
        Ok(self.new_voucher(FORUMS, subject, Vec::new(), vec![claim]))
    }

    /// The caller says who helped them to vote; it is on record on the roll only.
    ///
    /// # Errors
    /// SessionRefused, RollUnknown, RollOver, NotOnRoll, MandateOwnActs.
    pub async fn record_assistance(
        &self,
        command: &Command,
        caller: &Caller,
        election: ElectionId,
        helper_kind: &'static str,
    ) -> Result<pb::RecordVotingAssistanceResponse, Fault> {
        let input = (own_act(caller)?, caller.tenants.clone(), election, helper_kind);
        self.writer()
            .run(command, input, |tx, (subject, tenants, election, helper_kind)| {
                async move {
                    let person = person_of(tx.conn(), *subject).await?;
                    let head =
                        store::rolls::head(tx.conn(), *election).await?.ok_or(Rejection::RollUnknown)?;
                    if head.over {
                        return Err(Rejection::RollOver.into());
                    }
                    let claim = store::rolls::claim(tx.conn(), *election, person).await?;
                    let (entry, _) = claim.ok_or(Rejection::NotOnRoll)?;
                    let entry = store::participants::any(tx.conn(), entry).await?;
                    // The token covers the county whose card was used, and the roll's entry must be there.
                    if !entry.is_some_and(|entry| tenants.contains(&entry.tenant)) {
                        return Err(Rejection::NotOnRoll.into());
                    }
                    store::rolls::record_helper(tx.conn(), *election, person, helper_kind).await?;
                    Ok(pb::RecordVotingAssistanceResponse {})
                }
                .boxed()
            })
            .await
    }

    /// Names behind references of forums, for those who may see this forum's people. People of other counties than the
    /// forum's are not found.
    ///
    /// # Errors
    /// ScopeUnknown if the forum has not been heard of.
    pub async fn resolve_references(
        &self,
        forum: ForumId,
        references: &[Subject],
    ) -> Result<pb::ResolveReferencesResponse, Fault> {
        let facts = store::forums::facts(self.reads(), forum).await?.ok_or(Rejection::ScopeUnknown)?;
        let people = store::references::people(self.reads(), FORUMS, references).await?;
        let entries = people.iter().map(|(_, person)| *person);
        let entries = store::participants::of_people(self.reads(), entries).await?;
        let names = people.into_iter().filter_map(|(reference, person)| {
            let is_own = |one: &&Participant| one.person == person && facts.tenants.contains(&one.tenant);
            entries.iter().find(is_own).map(|own| pb::ResolvedReference {
                reference: reference.to_string(),
                display_name: own.profile.display_name.clone(),
            })
        });
        Ok(pb::ResolveReferencesResponse { names: names.collect() })
    }
}

/// That a roll is there and of this forum.
fn of_forum(head: Option<Head>, forum: ForumId) -> Result<Head, Fault> {
    let head = head.ok_or(Rejection::RollUnknown)?;
    if head.forum == forum { Ok(head) } else { Err(Rejection::RollOfOtherForum.into()) }
}
