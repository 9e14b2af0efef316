//! A deputy of a municipality.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deputy")]
pub(crate) struct Model {
    /// The forum.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) forum_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Order; the least comes first.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) position: i64,
    /// Who it is; unique in the forum.
    pub(crate) holder_ref: Uuid,
    /// Whether they agreed to have their name published.
    pub(crate) name_public: bool,
    /// The election that brought them.
    pub(crate) election_id: Uuid,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
