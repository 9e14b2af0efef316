//! That a forum belongs to a county, as lead or with others.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forum_tenant")]
pub(crate) struct Model {
    /// The forum.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) forum_id: Uuid,
    /// The county.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    /// Whether it leads.
    pub(crate) lead: bool,
    /// Whether it has confirmed a joint forum; the lead founded it and does not.
    pub(crate) confirmed: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
