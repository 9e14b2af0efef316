//! A candidacy; name and reference are erased after the appeal period.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "candidate")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The election.
    pub(crate) election_id: Uuid,
    /// The municipality.
    pub(crate) municipality: String,
    /// The person; unique in the election (F2).
    pub(crate) person: Option<Uuid>,
    /// Number on the ballot paper.
    pub(crate) number: Option<i64>,
    /// State.
    pub(crate) state: String,
    /// Name on the ballot paper.
    pub(crate) ballot_name: String,
    /// Media type of the picture.
    pub(crate) picture_type: Option<String>,
    /// Its size in bytes.
    pub(crate) picture_size: Option<i64>,
    /// Its SHA-256.
    pub(crate) picture_sha256: Option<Vec<u8>>,
    /// What the picture shows.
    pub(crate) picture_text: String,
    /// Whether the name may be published in case of election.
    pub(crate) publish_name: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
