//! What was moderated, and why: public.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "moderation_log")]
pub(crate) struct Model {
    /// Id, in order of time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// County.
    pub(crate) tenant: String,
    /// Kind of thing.
    pub(crate) what: String,
    /// The proposal it belongs to.
    pub(crate) proposal_id: Uuid,
    /// What was done.
    pub(crate) act: String,
    /// Why, in plain language.
    pub(crate) reason: String,
    /// The same in other languages, with their forms.
    pub(crate) other_reasons: String,
    /// Day.
    pub(crate) happened_on: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
