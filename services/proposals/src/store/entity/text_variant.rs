//! One form of one field of an owner's texts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "text_variant")]
pub(crate) struct Model {
    /// Kind of owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_kind: String,
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) owner_id: Uuid,
    /// The field.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) field: String,
    /// The form.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) form: String,
    /// The owner's county.
    pub(crate) tenant: String,
    /// What it says.
    pub(crate) content: String,
    /// State.
    pub(crate) state: String,
    /// How many times it has been written.
    pub(crate) revision: i64,
    /// Revision of the source that it was made from; none for the source.
    pub(crate) made_from: Option<i64>,
    /// Whether a machine wrote it.
    pub(crate) automatic: bool,
    /// Who brought in what a machine wrote.
    pub(crate) automatic_by: Option<Uuid>,
    /// Role of the reviewer.
    pub(crate) reviewed_by_role: Option<String>,
    /// How it was reviewed.
    pub(crate) review_method: Option<String>,
    /// The day of the review.
    pub(crate) reviewed_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
