//! Texts of topics and meetings in their forms.

use std::collections::BTreeMap;

use kernel::{Fault, TextVariant, Uuid};
use messaging::database_fault;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entity::meeting_text;
use crate::domain::meeting::forms::{Form, Forms};

/// What text of a topic or a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a topic.
    Topic,
    /// The reason or statement of a topic's decision.
    Decision,
    /// The notice of a meeting.
    Notice,
    /// The minutes of a meeting.
    Minutes,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Topic => "topic",
            Kind::Decision => "decision",
            Kind::Notice => "notice",
            Kind::Minutes => "minutes",
        }
    }
}

/// Stores a text instead of the one before.
pub async fn save(conn: &impl ConnectionTrait, owner: Uuid, kind: Kind, forms: &Forms) -> Result<(), Fault> {
    delete(conn, owner, kind).await?;
    if forms.is_empty() {
        return Ok(());
    }
    let rows = forms.iter().map(|(language, form)| {
        let row = meeting_text::Model {
            owner_id: owner,
            kind: kind.as_str().to_owned(),
            language: language.as_str().to_owned(),
            title: form.title.clone(),
            body: form.body.clone(),
        };
        row.into_active_model()
    });
    meeting_text::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a text.
pub async fn delete(conn: &impl ConnectionTrait, owner: Uuid, kind: Kind) -> Result<(), Fault> {
    meeting_text::Entity::delete_many()
        .filter(meeting_text::Column::OwnerId.eq(owner))
        .filter(meeting_text::Column::Kind.eq(kind.as_str()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// A text; empty if there is none.
pub async fn load(conn: &impl ConnectionTrait, owner: Uuid, kind: Kind) -> Result<Forms, Fault> {
    Ok(load_many(conn, &[owner], kind).await?.remove(&owner).unwrap_or_default())
}

/// Texts of this kind by their owners; of those that have one.
pub async fn load_many(
    conn: &impl ConnectionTrait,
    owners: &[Uuid],
    kind: Kind,
) -> Result<BTreeMap<Uuid, Forms>, Fault> {
    if owners.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = meeting_text::Entity::find()
        .filter(meeting_text::Column::OwnerId.is_in(owners.iter().copied()))
        .filter(meeting_text::Column::Kind.eq(kind.as_str()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut forms: BTreeMap<Uuid, Vec<(TextVariant, Form)>> = BTreeMap::new();
    for row in rows {
        let language: TextVariant =
            row.language.parse().map_err(|_| Fault::internal("a stored language is none"))?;
        forms.entry(row.owner_id).or_default().push((language, Form { title: row.title, body: row.body }));
    }
    Ok(forms.into_iter().map(|(owner, forms)| (owner, Forms::stored(forms))).collect())
}
