//! A loop card; its lines are forms of text of its id.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feedback_item")]
pub(crate) struct Model {
    /// Id; the owner of its texts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The proposal.
    pub(crate) proposal_id: Uuid,
    /// The county.
    pub(crate) tenant: String,
    /// Which role does what comes next.
    pub(crate) next_role: String,
    /// By which day.
    pub(crate) next_on: Option<String>,
    /// Day it was published.
    pub(crate) published_on: Option<String>,
    /// Day on which the last of those who took part were told.
    pub(crate) delivered_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
