//! A seat that was present when something was decided; its person goes after the appeal period.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision_present")]
pub(crate) struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) item_id: Uuid,
    /// Municipality of the seat.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Number of the seat.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seat_no: i64,
    /// Who was there for it.
    pub(crate) person: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
