//! A seat that is present; the person goes after the appeal period.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attendance")]
pub(crate) struct Model {
    /// The meeting.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) meeting_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Number within it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seat_no: i64,
    /// Who is there for it.
    pub(crate) person: Option<Uuid>,
    /// Whether a deputy is.
    pub(crate) deputy: bool,
    /// Over the network.
    pub(crate) remote: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
