//! A pair that a visit was shown, and its answer.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pair_offer")]
pub(crate) struct Model {
    /// The visit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) session_id: Uuid,
    /// Number in the visit, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) number: i64,
    /// Number of the idea shown first.
    pub(crate) left_idea: i64,
    /// Number of the other one.
    pub(crate) right_idea: i64,
    /// What was answered.
    pub(crate) answer: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
