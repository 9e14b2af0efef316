//! That a seat has voted. No person, no time, no number, nothing of the vote; `WITHOUT ROWID` on SQLite.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forum_vote_mark")]
pub(crate) struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) item_id: Uuid,
    /// The municipality.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) municipality: String,
    /// Number within it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seat_no: i64,
    /// Hash of the command's key.
    pub(crate) key_hash: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
