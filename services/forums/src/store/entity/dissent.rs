//! A dissent; its author goes after the appeal period.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dissent")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The meeting.
    pub(crate) meeting_id: Uuid,
    /// The topic.
    pub(crate) item_id: Uuid,
    /// Municipality of its seat.
    pub(crate) municipality: String,
    /// Number of its seat.
    pub(crate) seat_no: i64,
    /// Who wrote it.
    pub(crate) author: Option<Uuid>,
    /// What it says.
    pub(crate) body: String,
    /// Whether the minutes say of which seat it is.
    pub(crate) show_seat: bool,
    /// Whether it is not published; copies from before read and write only this.
    pub(crate) withheld: bool,
    /// Why it is not published; none for one that is.
    pub(crate) withheld_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
