//! What somebody says and another one writes down: whose word it needs, and what the person says of it.

use chassis::{Purpose, Recorder, Voucher};
use kernel::{ActingMode, Caller, Clock as _, Helper, Ids, SystemClock, UnitId};
use proto::proposals as pb;
use tonic::Code;

use crate::support::{POHDE, Store, World, refusal, run};

/// The word of client 7 for the staff of a unit, who work at these.
pub(crate) fn voucher(
    world: &World,
    purpose: Purpose,
    unit: UnitId,
    works_at: &[UnitId],
) -> anyhow::Result<String> {
    let reference = world.staff(unit).subject()?;
    let person = Helper { reference, conflict_units: works_at.to_vec() };
    world.system.directory().voucher(&Voucher {
        id: Ids::system().uuid(),
        purpose,
        audience: "proposals".to_owned(),
        subject: world.person(7),
        attestations: Vec::new(),
        rolls: Vec::new(),
        recorder: Some(Recorder { unit, person }),
        expires: SystemClock.now() + time::Duration::minutes(5),
    })
}

#[tokio::test]
async fn what_is_dictated_keeps_own_words_apart_and_the_person_corrects_them() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let mut record = pb::RecordDictatedProposalRequest {
            unit_id: world.units.ii_day.to_string(),
            tenant: POHDE.to_owned(),
            voucher: voucher(world, Purpose::Dictation, world.units.ii_day, &[])?,
            content: Some(pb::Content {
                own_words: "Ulos! Metsään.".to_owned(),
                ..world.content("Ulkoilua")
            }),
            ..pb::RecordDictatedProposalRequest::default()
        };
        record.set_channel(pb::Channel::Meeting);
        let staff = world.staff(world.units.ii_day);
        let send = async |caller: Caller, record: &pb::RecordDictatedProposalRequest| {
            let request = world.by(caller, record.clone())?;
            anyhow::Ok(world.proposals().record_dictated_proposal(request).await)
        };
        let own_unit = send(staff.clone(), &record).await?;
        assert_eq!(
            refusal(own_unit)?.1,
            "proposals.conflict_of_interest",
            "M3: about the recorder's own unit"
        );
        record.conflict_accepted = true;
        let elsewhere = send(world.staff(world.units.ii_work), &record).await?;
        assert_eq!(refusal(elsewhere)?.0, Code::PermissionDenied, "staff of another unit");
        let wrong = pb::RecordDictatedProposalRequest {
            voucher: voucher(world, Purpose::Nominate, world.units.ii_day, &[])?,
            ..record.clone()
        };
        assert_eq!(refusal(send(staff.clone(), &wrong).await?)?.1, "access.voucher_purpose");
        let web = pb::RecordDictatedProposalRequest { channel: pb::Channel::Web.into(), ..record.clone() };
        assert_eq!(refusal(send(staff.clone(), &web).await?)?.1, "request.invalid");

        let recorded = send(staff.clone(), &record).await??.into_inner().proposal.unwrap_or_default();
        assert_eq!(refusal(send(staff, &record).await?)?.1, "proposals.voucher_used");
        let proposal = recorded.proposal_id.parse()?;
        let handled = world.handled(proposal).await?;
        assert_eq!(handled.content.unwrap_or_default().own_words, "Ulos! Metsään.");
        world.screen(proposal).await?;

        let confirm = |answer: pb::Confirmation, correction: &str| pb::ConfirmMyWordsRequest {
            proposal_id: recorded.proposal_id.clone(),
            answer: answer.into(),
            correction: correction.to_owned(),
            helper_accepted: Some(false),
        };
        let stranger = world.by(world.client(1), confirm(pb::Confirmation::Yes, ""))?;
        assert_eq!(refusal(world.proposals().confirm_my_words(stranger).await)?.0, Code::NotFound);
        let holder = Caller { mode: ActingMode::OnBehalf, ..world.client(7) };
        let holder = world.by(holder, confirm(pb::Confirmation::Yes, ""))?;
        assert_eq!(refusal(world.proposals().confirm_my_words(holder).await)?.1, "proposals.own_words");
        let nothing = world.by(world.client(7), confirm(pb::Confirmation::No, " "))?;
        assert_eq!(refusal(world.proposals().confirm_my_words(nothing).await)?.1, "proposals.correction");
        let unsaid =
            pb::ConfirmMyWordsRequest { helper_accepted: None, ..confirm(pb::Confirmation::Yes, "") };
        let unsaid = world.proposals().confirm_my_words(world.by(world.client(7), unsaid)?).await;
        assert_eq!(
            refusal(unsaid)?.1,
            "proposals.acceptance_unanswered",
            "M3: so far only the recorder says that they were wanted"
        );
        let unsure = world.by(world.client(7), confirm(pb::Confirmation::DontKnow, ""))?;
        let unsure = world.proposals().confirm_my_words(unsure).await?.into_inner();
        assert_eq!((unsure.confirmation(), unsure.to_recheck), (pb::Confirmation::DontKnow, false));
        let no = world.by(world.client(7), confirm(pb::Confirmation::No, "Sanoin: metsään."))?;
        let no = world.proposals().confirm_my_words(no).await?.into_inner();
        assert_eq!((no.confirmation(), no.to_recheck), (pb::Confirmation::No, true), "it is public already");
        let handled = world.handled(proposal).await?;
        assert_eq!(handled.content.unwrap_or_default().own_words, "Sanoin: metsään.");

        let queue = pb::ListHandlingRequest {
            tenant: POHDE.to_owned(),
            to_recheck_only: true,
            ..pb::ListHandlingRequest::default()
        };
        let waiting = async || {
            let request = world.by(world.coordinator(), queue.clone())?;
            anyhow::Ok(world.handling().list_handling(request).await?.into_inner().proposals.len())
        };
        assert_eq!(waiting().await?, 1, "a human looks again");
        let settle = pb::SettleCorrectionRequest {
            tenant: POHDE.to_owned(),
            proposal_id: recorded.proposal_id.clone(),
            findings: Vec::new(),
        };
        world.handling().settle_correction(world.by(world.coordinator(), settle)?).await?;
        assert_eq!(waiting().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn m3_a_voucher_is_good_for_its_recorder_and_unit_and_tells_where_they_work() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let (day, work) = (world.units.ii_day, world.units.ii_work);
        // About the day centre, by the staff of the work centre.
        let mut record = pb::RecordDictatedProposalRequest {
            unit_id: work.to_string(),
            tenant: POHDE.to_owned(),
            content: Some(world.content("Ulkoilua")),
            ..pb::RecordDictatedProposalRequest::default()
        };
        record.set_channel(pb::Channel::Meeting);
        let send = async |voucher: String, conflict_accepted: bool| {
            let record = pb::RecordDictatedProposalRequest { voucher, conflict_accepted, ..record.clone() };
            let request = world.by(world.staff(work), record)?;
            anyhow::Ok(world.proposals().record_dictated_proposal(request).await)
        };
        let of_another = (Code::PermissionDenied, "proposals.voucher_of_another".to_owned());
        let for_day = voucher(world, Purpose::Dictation, day, &[])?;
        assert_eq!(refusal(send(for_day, true).await?)?, of_another, "of another unit and person");
        let mut unbound = Voucher {
            id: Ids::system().uuid(),
            purpose: Purpose::Dictation,
            audience: "proposals".to_owned(),
            subject: world.person(7),
            attestations: Vec::new(),
            rolls: Vec::new(),
            recorder: None,
            expires: SystemClock.now() + time::Duration::minutes(5),
        };
        let signed = world.system.directory().voucher(&unbound)?;
        assert_eq!(refusal(send(signed, true).await?)?, of_another, "for nobody");
        let colleague = Helper { reference: world.person(51), conflict_units: Vec::new() };
        unbound.recorder = Some(Recorder { unit: work, person: colleague });
        let signed = world.system.directory().voucher(&unbound)?;
        assert_eq!(refusal(send(signed, true).await?)?, of_another, "of the same unit, for a colleague");
        let works_there = || voucher(world, Purpose::Dictation, work, &[day]);
        let refused = send(works_there()?, false).await?;
        assert_eq!(refusal(refused)?.1, "proposals.conflict_of_interest", "they work there, too");
        let recorded = send(works_there()?, true).await??.into_inner().proposal.unwrap_or_default();
        // The member did want it: it is theirs from now on, and nobody has to look again.
        let confirm = pb::ConfirmMyWordsRequest {
            proposal_id: recorded.proposal_id.clone(),
            answer: pb::Confirmation::Yes.into(),
            correction: String::new(),
            helper_accepted: Some(true),
        };
        let told = world.proposals().confirm_my_words(world.by(world.client(7), confirm)?).await?;
        assert!(!told.into_inner().to_recheck);
        let plain = send(voucher(world, Purpose::Dictation, work, &[])?, false).await??;
        assert!(!plain.into_inner().receipt_no.is_empty(), "no conflict");
        Ok(())
    })
    .await
}
