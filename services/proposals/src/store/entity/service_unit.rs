//! A service unit, as membership published it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_unit")]
pub(crate) struct Model {
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// Its county.
    pub(crate) tenant: String,
    /// Name.
    pub(crate) name: String,
    /// Kind (S1.42).
    pub(crate) kind: String,
    /// Its municipality.
    pub(crate) municipality: String,
    /// The rebuild that wrote it last.
    pub(crate) generation: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
