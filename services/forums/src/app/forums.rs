//! Founding a forum, approving its plan, declaring a seat vacant.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, ForumId, MunicipalityCode, PolicyKey, TenantId, Uuid};
use messaging::{NewJob, Tx};
use proto::forums as pb;

use super::App;
use super::upkeep::{SEAT_FILLED, SeatNotice};
use crate::domain::forum::{Charter, Forum, ForumEvent, SeatQuota};
use crate::domain::seat::{Deputy, Seat, SeatEvent, SeatOrigin, VacancyReason};
use crate::{convert, events, store};

struct Found {
    id: ForumId,
    charter: Charter,
    served: Vec<TenantId>,
}

struct ConfirmJoint {
    county: TenantId,
    forum: ForumId,
}

struct ApprovePlan {
    tenant: TenantId,
    forum: ForumId,
    seats: Vec<SeatQuota>,
    total: u32,
}

struct DeclareVacancy {
    forum: ForumId,
    municipality: MunicipalityCode,
    seat_no: u32,
    reason: VacancyReason,
    notice: Uuid,
}

impl App {
    /// Founds a forum (S1.29).
    pub async fn found_forum(&self, call: &Call, charter: Charter) -> Result<pb::FoundForumResponse, Fault> {
        let mut charter = charter;
        charter.tenant = call.scope.tenant()?;
        let input = Found { id: self.ids.new_id(), charter, served: self.tenants.to_vec() };
        self.writer.run(call.command(), input, |tx, input| found(tx, input).boxed()).await
    }

    /// Another county of a joint forum confirms that it takes part.
    pub async fn confirm_joint_forum(
        &self,
        call: &Call,
        forum: ForumId,
    ) -> Result<pb::ConfirmJointForumResponse, Fault> {
        let input = ConfirmJoint { county: call.scope.tenant()?, forum };
        self.writer.run(call.command(), input, |tx, input| confirm_joint(tx, input).boxed()).await
    }

    /// Approves a forum's seat plan (F1).
    pub async fn approve_seat_plan(
        &self,
        call: &Call,
        forum: ForumId,
        seats: Vec<SeatQuota>,
        total: u32,
    ) -> Result<pb::ApproveSeatPlanResponse, Fault> {
        let input = ApprovePlan { tenant: call.scope.tenant()?, forum, seats, total };
        self.writer.run(call.command(), input, |tx, input| approve_plan(tx, input).boxed()).await
    }

    /// Declares a seat vacant; the next deputy takes it, or a supplementary election falls due.
    pub async fn declare_vacancy(
        &self,
        call: &Call,
        municipality: MunicipalityCode,
        seat_no: u32,
        reason: VacancyReason,
    ) -> Result<pb::DeclareVacancyResponse, Fault> {
        let (forum, notice) = (call.scope.forum()?, self.ids.uuid());
        let input = DeclareVacancy { forum, municipality, seat_no, reason, notice };
        self.writer.run(call.command(), input, |tx, input| declare_vacancy(tx, input).boxed()).await
    }
}

async fn found(tx: &Tx, input: &Found) -> Result<pb::FoundForumResponse, Fault> {
    let forum = Forum::found(input.id, input.charter.clone(), &input.served)?;
    store::forums::insert(tx.conn(), &forum).await?;
    tx.publish(events::forum(&forum, &ForumEvent::Founded));
    Ok(pb::FoundForumResponse { forum: Some(convert::forum(&forum)) })
}

async fn confirm_joint(tx: &Tx, input: &ConfirmJoint) -> Result<pb::ConfirmJointForumResponse, Fault> {
    let before = store::forums::load(tx.conn(), input.forum).await?;
    let forum = before.confirmed_by(input.county)?;
    store::forums::save_confirmation(tx.conn(), forum.id, input.county).await?;
    Ok(pb::ConfirmJointForumResponse { forum: Some(convert::forum(&forum)) })
}

async fn approve_plan(tx: &Tx, input: &ApprovePlan) -> Result<pb::ApproveSeatPlanResponse, Fault> {
    let before = store::forums::load_led_by(tx.conn(), input.tenant, input.forum).await?;
    let event = before.approve_plan(input.seats.clone(), input.total)?;
    let forum = before.apply(&event);
    store::forums::save(tx.conn(), &forum).await?;
    store::forums::insert_plan(tx.conn(), &forum).await?;
    store::seats::insert_vacant(tx.conn(), &forum).await?;
    tx.publish(events::forum(&forum, &event));
    Ok(pb::ApproveSeatPlanResponse { forum: Some(convert::forum(&forum)) })
}

async fn declare_vacancy(tx: &Tx, input: &DeclareVacancy) -> Result<pb::DeclareVacancyResponse, Fault> {
    let DeclareVacancy { forum, municipality, seat_no, reason, notice } = *input;
    let forum = store::forums::load(tx.conn(), forum).await?;
    let seat = store::seats::load(tx.conn(), forum.id, municipality, seat_no).await?;
    let seat = vacate(tx, forum, seat, reason, notice).await?;
    Ok(pb::DeclareVacancyResponse { seat: Some(convert::seat(&seat)) })
}

/// Empties a seat and lets the next deputy take it. `notice` names the notice to the one who takes it.
pub(super) async fn vacate(
    tx: &Tx,
    mut forum: Forum,
    seat: Seat,
    reason: VacancyReason,
    notice: Uuid,
) -> Result<Seat, Fault> {
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), forum.charter.tenant).await?;
    let days = policies.on(today, PolicyKey::SupplementaryElectionDays);
    let due_on = kernel::deadline::due_after_days(today, days);
    let deputies = store::seats::deputies(tx.conn(), forum.id).await?;
    let next: Option<&Deputy> = deputies.iter().find(|deputy| deputy.municipality == seat.municipality);

    let events = seat.vacate(reason, next, due_on)?;
    let seat = events.iter().fold(seat, |seat, event| seat.apply(event));
    if let Some(holder) = &seat.holder {
        store::seats::remove_deputy(tx.conn(), forum.id, holder.reference).await?;
    }
    store::seats::save(tx.conn(), forum.id, &seat).await?;

    let seats = store::seats::of_forum(tx.conn(), forum.id).await?;
    let empty = seats.iter().filter(|one| one.municipality == seat.municipality && one.is_empty()).count();
    let filled = seats.iter().filter(|one| !one.is_empty()).count();
    forum.seats_filled = u32::try_from(filled).map_err(Fault::internal)?;
    store::forums::save(tx.conn(), &forum).await?;
    for event in &events {
        tx.publish(events::seat(&forum, &seat, event, u32::try_from(empty).map_err(Fault::internal)?));
    }
    if seat.origin == Some(SeatOrigin::Deputy)
        && events.iter().any(|event| matches!(event, SeatEvent::Filled { .. }))
    {
        let place = SeatNotice { forum: forum.id, municipality: seat.municipality, seat_no: seat.seat_no };
        let (dedupe_key, payload) = (notice.to_string(), place.into_payload());
        tx.schedule(NewJob { kind: SEAT_FILLED, dedupe_key, run_at: tx.now(), payload });
    }
    Ok(seat)
}
