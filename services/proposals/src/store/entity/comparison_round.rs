//! A round of pairwise comparison, with its kept counts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "comparison_round")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// County.
    pub(crate) tenant: String,
    /// The forum that holds it.
    pub(crate) forum: Option<Uuid>,
    /// Name.
    pub(crate) title: String,
    /// First day.
    pub(crate) opens_on: String,
    /// Last day.
    pub(crate) closes_on: String,
    /// Whether participants may add ideas.
    pub(crate) own_ideas: bool,
    /// State.
    pub(crate) state: String,
    /// Whether it was held elsewhere.
    pub(crate) imported: bool,
    /// Ideas that are or were in it.
    pub(crate) ideas: i64,
    /// Of these, own ideas.
    pub(crate) joined_late: i64,
    /// Comparisons.
    pub(crate) comparisons: i64,
    /// Pairs skipped.
    pub(crate) skips: i64,
    /// Sessions that compared at least once.
    pub(crate) sessions: i64,
    /// Comparisons made with help.
    pub(crate) assisted: i64,
    /// Ideas that were taken out of it.
    pub(crate) removed: i64,
    /// Whether its visits are deleted, or being deleted.
    pub(crate) visits_forgotten: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
