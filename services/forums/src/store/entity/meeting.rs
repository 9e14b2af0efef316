//! A meeting.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meeting")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The forum.
    pub(crate) forum_id: Uuid,
    /// State.
    pub(crate) state: String,
    /// Its day.
    pub(crate) held_on: String,
    /// When it starts.
    pub(crate) starts_at: String,
    /// How it is held.
    pub(crate) mode: String,
    /// Where.
    pub(crate) place: String,
    /// Address for taking part over the network; for members.
    pub(crate) remote_link: String,
    /// How often it was moved.
    pub(crate) moves: i64,
    /// When its notice was sent.
    pub(crate) notice_sent_on: Option<String>,
    /// Whether a manager was there.
    pub(crate) manager_present: bool,
    /// How many support persons were there.
    pub(crate) support_persons: i64,
    /// Municipality of the seat that chairs.
    pub(crate) chair_municipality: Option<String>,
    /// Number of that seat.
    pub(crate) chair_seat_no: Option<i64>,
    /// Seats filled at its close.
    pub(crate) seats_filled: Option<i64>,
    /// Seats of the plan at its close.
    pub(crate) seats_total: i64,
    /// Whether it could decide, at its close.
    pub(crate) quorate: bool,
    /// One of those who wrote its minutes, for copies from before; goes when they are public.
    pub(crate) drafted_by: Option<Uuid>,
    /// When they were written.
    pub(crate) drafted_on: Option<String>,
    /// When the chair found them right.
    pub(crate) checked_on: Option<String>,
    /// When a human had looked for secrets.
    pub(crate) screened_on: Option<String>,
    /// When they became public.
    pub(crate) published_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
