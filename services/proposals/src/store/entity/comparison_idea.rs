//! An idea of a round.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "comparison_idea")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The round.
    pub(crate) round_id: Uuid,
    /// Number in the round; empty for an own idea that is not in it.
    pub(crate) number: Option<i64>,
    /// What it says; empty once it was rejected or taken out.
    pub(crate) text: String,
    /// Code of its picture; empty if none.
    pub(crate) picture: String,
    /// The proposal it stands for.
    pub(crate) proposal_id: Option<Uuid>,
    /// Whether a participant added it. Not which one.
    pub(crate) own: bool,
    /// State.
    pub(crate) state: String,
    /// Why it was not let in, or taken out.
    pub(crate) reason: String,
    /// How often it was shown and answered or skipped.
    pub(crate) shown: i64,
    /// How often it won in a round held elsewhere.
    pub(crate) wins: i64,
    /// How often it was compared there.
    pub(crate) comparisons: i64,
    /// The last day on which a human reads it, while it waits.
    pub(crate) review_due_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
