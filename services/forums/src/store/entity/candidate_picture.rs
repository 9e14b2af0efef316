//! A candidate's picture, apart from the rest because it is large.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "candidate_picture")]
pub(crate) struct Model {
    /// The candidacy.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) candidate_id: Uuid,
    /// PNG or JPEG.
    pub(crate) picture: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
