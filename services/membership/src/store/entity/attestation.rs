//! That a person is a client of one group in one municipality.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attestation")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) participant: Uuid,
    pub(crate) tenant: String,
    pub(crate) unit: Uuid,
    pub(crate) service_group: String,
    pub(crate) municipality: String,
    pub(crate) attested_on: TimeDate,
    pub(crate) expires_on: TimeDate,
    pub(crate) state: String,
    pub(crate) ended_on: Option<TimeDate>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
