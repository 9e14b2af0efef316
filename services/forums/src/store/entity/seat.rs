//! A seat; the person is known by the reference of this service only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seat")]
pub(crate) struct Model {
    /// The forum.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) forum_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Number within the municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seat_no: i64,
    /// State.
    pub(crate) state: String,
    /// How it was filled.
    pub(crate) origin: Option<String>,
    /// Who holds it; unique in the forum (F2).
    pub(crate) holder_ref: Option<Uuid>,
    /// Whether the holder agreed to have their name published.
    pub(crate) name_public: bool,
    /// The election that brought the holder.
    pub(crate) election_id: Option<Uuid>,
    /// Day by which a supplementary election is due.
    pub(crate) supplementary_due_on: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
