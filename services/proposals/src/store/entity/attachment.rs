//! A file attached to a proposal; its bytes are chunks.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachment")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// The county of the proposal.
    pub(crate) tenant: String,
    /// The proposal.
    pub(crate) proposal_id: Uuid,
    /// Who sent it; none once they have left.
    pub(crate) person: Option<Uuid>,
    /// State.
    pub(crate) state: String,
    /// What its bytes are; empty while it is being sent.
    pub(crate) media_type: String,
    /// Bytes, as sent so far or as kept.
    pub(crate) size: i64,
    /// Chunks, as sent so far or as kept.
    pub(crate) chunks: i64,
    /// SHA-256 of what was sent; empty while it is being sent.
    pub(crate) sha256: Vec<u8>,
    /// What it shows or says, for those who cannot see or hear it.
    pub(crate) description: String,
    /// The language of the description.
    pub(crate) variant: String,
    /// Which chunks are served.
    pub(crate) part: String,
    /// Whether it may say more than is heard or read in it.
    pub(crate) hidden_data: bool,
    /// When it was begun, in microseconds.
    pub(crate) begun_at: i64,
    /// The day by which a human looks at it.
    pub(crate) review_due_on: Option<String>,
    /// Why it was refused, in plain language.
    pub(crate) reason: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
