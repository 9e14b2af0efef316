//! An answer, or the draft of one; its texts are forms of text of its id.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit_answer")]
pub(crate) struct Model {
    /// Id; the owner of its texts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The proposal.
    pub(crate) proposal_id: Uuid,
    /// Its number among the proposal's answers, from 1; 0 for the draft.
    pub(crate) number: i64,
    /// What the unit decides.
    pub(crate) outcome: Option<String>,
    /// Which role does what comes next.
    pub(crate) next_role: String,
    /// By which day.
    pub(crate) next_on: Option<String>,
    /// Last day of a try-out.
    pub(crate) trial_ends_on: Option<String>,
    /// How it is evaluated.
    pub(crate) trial_evaluation: String,
    /// Who decides instead.
    pub(crate) forwarded_to: String,
    /// By which day.
    pub(crate) forwarded_due_on: Option<String>,
    /// Day it was given.
    pub(crate) given_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
