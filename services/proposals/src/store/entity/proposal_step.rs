//! A step of a proposal on its way, with what was promised then.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_step")]
pub(crate) struct Model {
    /// The proposal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) proposal_id: Uuid,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) step_no: i64,
    /// Day.
    pub(crate) happened_on: String,
    /// What happened within the stage; empty if it came to the stage then.
    pub(crate) mark: String,
    /// The stage it came to, or was at.
    pub(crate) stage: String,
    /// Detail of the stage.
    pub(crate) stage_detail: String,
    /// What the stage points to.
    pub(crate) stage_ref: Option<Uuid>,
    /// Whose turn it was.
    pub(crate) owner_role: Option<String>,
    /// What was to come next.
    pub(crate) next_step: Option<String>,
    /// The last day for it.
    pub(crate) due_on: Option<String>,
    /// Why, in plain language; empty where nobody had to say.
    pub(crate) reason: String,
    /// The same in other languages, with their forms.
    pub(crate) other_reasons: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
