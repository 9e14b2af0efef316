//! Who of several copies does what only one may do.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub(crate) struct Model {
    /// What is leased, for example "relay/19".
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    /// Who holds it; a name that no two copies share.
    pub(crate) owner: String,
    /// Rises by one with every change of owner.
    pub(crate) term: i64,
    /// Real time when it may be taken by another, microseconds.
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
