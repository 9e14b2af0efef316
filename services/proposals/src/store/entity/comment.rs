//! A comment on a proposal.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "comment")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The county of the proposal.
    pub(crate) tenant: String,
    /// The proposal.
    pub(crate) proposal_id: Uuid,
    /// The comment it answers.
    pub(crate) parent_id: Option<Uuid>,
    /// Its place: eight digits for each level, so that the order of text is the order of reading.
    pub(crate) path: String,
    /// Who wrote it; none once they have left.
    pub(crate) person: Option<Uuid>,
    /// Whether they wrote as staff.
    pub(crate) by_staff: bool,
    /// How the act came about.
    pub(crate) acting_mode: String,
    /// The day, for the limit of a day.
    pub(crate) written_on: String,
    /// When, in microseconds.
    pub(crate) written_at: i64,
    /// The text; empty once it is deleted or removed.
    pub(crate) body: String,
    /// What the screening found, as JSON.
    pub(crate) findings: String,
    /// State.
    pub(crate) state: String,
    /// The day by which a human looks at it.
    pub(crate) review_due_on: Option<String>,
    /// Why it was removed, in plain language.
    pub(crate) reason: String,
    /// Replies that are shown.
    pub(crate) replies: i64,
    /// Whether it has a place in the public thread.
    pub(crate) shown: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
