//! What the writer does for itself when nothing else is to be done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use kernel::Fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use tokio::sync::oneshot;

use super::task::Context;
use super::{Act, Work, WriterSettings};
use crate::database::database_fault;
use crate::entity::{command_log, event_head};
use crate::event::Origin;

/// Most old answers deleted in one transaction.
const AT_ONCE: u64 = 1000;

/// How often to look.
pub(super) fn interval(settings: &WriterSettings) -> Duration {
    (settings.watermark_quiet / 4).clamp(Duration::from_millis(50), Duration::from_secs(10))
}

/// Lanes that have events after their last watermark: at start nobody remembers when those came.
pub(super) async fn lanes_without_watermark(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    event_head::Entity::find()
        .select_only()
        .column(event_head::Column::Lane)
        .filter(Expr::col(event_head::Column::NextSeq).sub(1).gt(Expr::col(event_head::Column::WatermarkSeq)))
        .into_tuple()
        .all(connection)
        .await
}

/// How many answers were deleted.
#[derive(Clone, Debug, Default)]
pub(super) struct Deleted(Arc<AtomicU64>);

impl Deleted {
    /// Whether there may be more to delete.
    pub(super) fn is_at_limit(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= AT_ONCE
    }
}

/// An act that deletes answers which are no longer kept (REL-20).
pub(super) fn forget_old_answers(context: &Context) -> (Work, Deleted) {
    let keep = time::Duration::try_from(context.settings.keep_answers).unwrap_or(time::Duration::MAX);
    let before = (context.clocks.real.now() - keep).as_micros();
    let deleted = Deleted::default();
    let count = deleted.clone();
    let act: Act = Arc::new(move |tx| {
        let count = count.clone();
        async move {
            let old = Query::select()
                .column(command_log::Column::IdemKey)
                .column(command_log::Column::Principal)
                .from(command_log::Entity)
                .and_where(command_log::Column::CreatedAt.lt(before))
                .limit(AT_ONCE)
                .to_owned();
            let key = Expr::tuple([
                Expr::col(command_log::Column::IdemKey),
                Expr::col(command_log::Column::Principal),
            ]);
            let result = command_log::Entity::delete_many()
                .filter(key.in_subquery(old))
                .exec(tx.conn())
                .await
                .map_err(database_fault)?;
            count.0.store(result.rows_affected, Ordering::Relaxed);
            Ok::<_, Fault>(Vec::new())
        }
        .boxed()
    });
    let (reply, _) = oneshot::channel();
    let work = Work {
        name: "housekeeping",
        logged: None,
        origin: Origin::default(),
        deadline: None,
        act: Some(act),
        audit: None,
        reply,
    };
    (work, deleted)
}
