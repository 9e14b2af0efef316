//! Texts in their forms, by owner; and the list of owners whose forms wait for somebody.

use std::collections::BTreeMap;

use kernel::{AttachmentId, Date, Fault, ProposalId, Role, Scope, Subject, TenantId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Value,
};

use super::entity::{text_audio, text_queue, text_symbols, text_variant};
use super::{answers, attachments, feedback, proposals, values};
use crate::domain::attachment::{AttachmentState, MediaType};
use crate::domain::proposal::{Proposal, StageKind};
use crate::domain::text::{
    Field, Form, Hand, Matter, Owner, OwnerKind, Reading, Review, ReviewMethod, Symbols, Text, Texts,
    Variant, VariantState,
};

/// Stores an owner's texts in place of what was stored.
pub async fn save(conn: &impl ConnectionTrait, owner: Owner, texts: &Texts) -> Result<(), Fault> {
    delete_words(conn, owner).await?;
    let variants = texts.fields().flat_map(|(field, text)| {
        text.variants().map(move |variant| variant_row(owner, field, variant).into_active_model())
    });
    let variants: Vec<text_variant::ActiveModel> = variants.collect();
    if !variants.is_empty() {
        let stored = text_variant::Entity::insert_many(variants).exec_without_returning(conn).await;
        stored.map_err(database_fault)?;
    }
    let symbols = texts.symbols();
    if !symbols.codes.is_empty() {
        let row = symbols_row(owner, symbols).into_active_model();
        text_symbols::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    let audio =
        (0..).zip(texts.audio()).map(|(at, reading)| audio_row(owner, at, reading).into_active_model());
    let audio: Vec<text_audio::ActiveModel> = audio.collect();
    if !audio.is_empty() {
        text_audio::Entity::insert_many(audio).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    Ok(())
}

/// Stores the texts of an owner that is past its draft, and keeps it on the county's list as long as a form waits to be
/// written or reviewed.
pub async fn save_and_queue(
    conn: &impl ConnectionTrait,
    owner: Owner,
    texts: &Texts,
    today: Date,
) -> Result<(), Fault> {
    save(conn, owner, texts).await?;
    if !texts.needs_work() {
        return end_waiting(conn, owner).await;
    }
    let row = text_queue::Model {
        tenant: owner.tenant.to_string(),
        owner_id: owner.id,
        owner_kind: owner.kind.as_str().to_owned(),
        queued_on: today.to_string(),
    };
    use text_queue::Column::{OwnerId, OwnerKind, Tenant};
    let once = OnConflict::columns([Tenant, OwnerId, OwnerKind]).do_nothing().to_owned();
    let queued = text_queue::Entity::insert(row.into_active_model()).on_conflict(once);
    queued.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The texts of an owner; none written if nothing is stored.
pub async fn load(conn: &impl ConnectionTrait, owner: Owner) -> Result<Texts, Fault> {
    let mut found = load_many(conn, owner.tenant, owner.kind, &[owner.id]).await?;
    Ok(found.remove(&owner.id).unwrap_or_default())
}

/// The texts of a page of owners of one kind and county: at most 200. Owners without texts are left out.
pub async fn load_many(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    kind: OwnerKind,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Texts>, Fault> {
    let variants = text_variant::Entity::find()
        .filter(text_variant::Column::OwnerKind.eq(kind.as_str()))
        .filter(text_variant::Column::OwnerId.is_in(ids.iter().copied()))
        .filter(text_variant::Column::Tenant.eq(tenant.as_str()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let symbols = text_symbols::Entity::find()
        .filter(text_symbols::Column::OwnerKind.eq(kind.as_str()))
        .filter(text_symbols::Column::OwnerId.is_in(ids.iter().copied()))
        .filter(text_symbols::Column::Tenant.eq(tenant.as_str()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let audio = text_audio::Entity::find()
        .filter(text_audio::Column::OwnerKind.eq(kind.as_str()))
        .filter(text_audio::Column::OwnerId.is_in(ids.iter().copied()))
        .filter(text_audio::Column::Tenant.eq(tenant.as_str()))
        .order_by_asc(text_audio::Column::Position)
        .all(conn)
        .await
        .map_err(database_fault)?;

    let mut parts: BTreeMap<Uuid, Parts> = BTreeMap::new();
    for row in variants {
        let field = values::known(&Field::ALL, Field::as_str, &row.field)?;
        let part = parts.entry(row.owner_id).or_default();
        part.fields.entry(field).or_default().push(variant_of(row)?);
    }
    for row in symbols {
        parts.entry(row.owner_id).or_default().symbols = Some(symbols_of(&row)?);
    }
    for row in audio {
        parts.entry(row.owner_id).or_default().audio.push(reading_of(&row)?);
    }
    parts.into_iter().map(|(owner, part)| Ok((owner, part.whole()?))).collect()
}

/// Deletes everything of an owner's texts.
pub async fn delete(conn: &impl ConnectionTrait, owner: Owner) -> Result<(), Fault> {
    delete_words(conn, owner).await?;
    end_waiting(conn, owner).await
}

/// Takes a recording that is gone away from every text.
pub async fn drop_recording(conn: &impl ConnectionTrait, recording: AttachmentId) -> Result<(), Fault> {
    text_audio::Entity::delete_many()
        .filter(text_audio::Column::AttachmentId.eq(recording.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Forgets that a person who has left brought in automatic texts.
pub async fn forget_writer(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    text_variant::Entity::update_many()
        .col_expr(text_variant::Column::AutomaticBy, Expr::value(Value::Uuid(None)))
        .filter(text_variant::Column::AutomaticBy.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// A thing on a county's list of texts that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Whose texts.
    pub owner: Owner,
    /// Since when.
    pub since: Date,
}

/// A county's owners whose forms wait for somebody, the oldest owners first, after this one.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Waiting>, Fault> {
    let mut of_tenant = text_queue::Entity::find().filter(text_queue::Column::Tenant.eq(tenant.as_str()));
    if let Some(after) = after {
        of_tenant = of_tenant.filter(text_queue::Column::OwnerId.gt(after));
    }
    let ordered = of_tenant.order_by_asc(text_queue::Column::OwnerId).limit(limit);
    let rows = ordered.all(conn).await.map_err(database_fault)?;
    let waiting = |row: text_queue::Model| {
        let kind = values::known(&OwnerKind::ALL, OwnerKind::as_str, &row.owner_kind)?;
        let owner = Owner { tenant: values::tenant(&row.tenant)?, kind, id: row.owner_id };
        Ok(Waiting { owner, since: values::day(&row.queued_on)? })
    };
    rows.into_iter().map(waiting).collect()
}

/// A proposal past its draft whose texts of this kind staff handles by the scope that was granted: their county's, one that
/// was sent to their forum, or one that is addressed to their unit; answers and cards are the lead unit's. NotFound
/// `proposals.no_such_proposal`.
pub async fn handled(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    id: ProposalId,
    kind: OwnerKind,
) -> Result<Proposal, Fault> {
    let proposal = proposals::load(conn, id).await?;
    let is_theirs = match scope {
        Scope::Tenant(tenant) => proposal.tenant == *tenant,
        Scope::Forum(forum) => proposal.forum == Some(*forum),
        Scope::Unit(unit) if kind == OwnerKind::Proposal => proposal.units.contains(unit),
        Scope::Unit(unit) => proposal.lead_unit == Some(*unit),
        _ => false,
    };
    if is_theirs && !matches!(proposal.stage.kind(), StageKind::Draft | StageKind::Withdrawn) {
        return Ok(proposal);
    }
    Err(proposals::no_such_proposal())
}

/// Whose texts these are: of the proposal itself, of its answer or the draft of one, of its loop card. NotFound
/// `proposals.no_such_text`.
pub async fn matter(
    conn: &impl ConnectionTrait,
    proposal: &Proposal,
    kind: OwnerKind,
    id: Option<Uuid>,
) -> Result<Matter, Fault> {
    let tenant = proposal.tenant;
    let found = match kind {
        OwnerKind::Proposal => {
            Some(Matter { owner: Owner::proposal(tenant, proposal.id), told: proposal.is_visible() })
        }
        OwnerKind::Response => {
            let draft = answers::draft(conn, proposal.id).await?;
            let given = answers::given(conn, proposal.id).await?;
            let answer = draft.into_iter().chain(given).find(|answer| Some(answer.id) == id);
            answer.map(|answer| Matter {
                owner: Owner::response(tenant, answer.id),
                told: answer.given_on.is_some(),
            })
        }
        OwnerKind::Feedback => {
            let card = feedback::of(conn, proposal.id).await?.filter(|card| Some(card.id.as_uuid()) == id);
            card.map(|card| Matter {
                owner: Owner::feedback(tenant, card.id),
                told: card.published_on.is_some(),
            })
        }
    };
    found.ok_or_else(no_such_text)
}

/// What is answered for texts that are not there, or that the caller may not know of.
pub fn no_such_text() -> Fault {
    Fault::not_found(
        "proposals.no_such_text",
        "The proposal has no such text. Check what owner and owner_id name.",
    )
}

/// Whether a file of the proposal is a recording that everybody can hear, because a human took it.
pub async fn is_recording(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    id: AttachmentId,
) -> Result<bool, Fault> {
    let file = attachments::find(conn, id).await?;
    Ok(file.is_some_and(|file| {
        let is_sound = matches!(file.kind, Some(MediaType::Ogg | MediaType::Mp3 | MediaType::M4a));
        file.proposal == proposal && file.state == AttachmentState::Visible && is_sound
    }))
}

async fn delete_words(conn: &impl ConnectionTrait, owner: Owner) -> Result<(), Fault> {
    let kind = owner.kind.as_str();
    text_variant::Entity::delete_many()
        .filter(text_variant::Column::OwnerKind.eq(kind))
        .filter(text_variant::Column::OwnerId.eq(owner.id))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    text_symbols::Entity::delete_many()
        .filter(text_symbols::Column::OwnerKind.eq(kind))
        .filter(text_symbols::Column::OwnerId.eq(owner.id))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    text_audio::Entity::delete_many()
        .filter(text_audio::Column::OwnerKind.eq(kind))
        .filter(text_audio::Column::OwnerId.eq(owner.id))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// Takes an owner off the list of texts that wait.
pub async fn end_waiting(conn: &impl ConnectionTrait, owner: Owner) -> Result<(), Fault> {
    let key = (owner.tenant.to_string(), owner.id, owner.kind.as_str().to_owned());
    text_queue::Entity::delete_by_id(key).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The rows of one owner, read.
#[derive(Default)]
struct Parts {
    fields: BTreeMap<Field, Vec<Variant>>,
    symbols: Option<Symbols>,
    audio: Vec<Reading>,
}

impl Parts {
    fn whole(self) -> Result<Texts, Fault> {
        let mut fields = BTreeMap::new();
        for (field, variants) in self.fields {
            let text = Text::stored(variants);
            fields.insert(field, text.ok_or_else(|| Fault::internal("a stored text has not one source"))?);
        }
        let none = Symbols { codes: Vec::new(), state: VariantState::Draft };
        Ok(Texts::stored(fields, self.symbols.unwrap_or(none), self.audio))
    }
}

fn variant_row(owner: Owner, field: Field, variant: &Variant) -> text_variant::Model {
    let (automatic, by) = match variant.hand {
        Hand::Human => (false, None),
        Hand::Automatic { by } => (true, by),
    };
    text_variant::Model {
        owner_kind: owner.kind.as_str().to_owned(),
        owner_id: owner.id,
        field: field.as_str().to_owned(),
        form: variant.form.as_str().to_owned(),
        tenant: owner.tenant.to_string(),
        content: variant.content.clone(),
        state: variant.state.as_str().to_owned(),
        revision: i64::from(variant.revision),
        made_from: variant.made_from.map(i64::from),
        automatic,
        automatic_by: by.map(|person| person.as_uuid()),
        reviewed_by_role: variant.review.map(|review| review.role.as_str().to_owned()),
        review_method: variant.review.map(|review| review.method.as_str().to_owned()),
        reviewed_on: variant.review.map(|review| review.on.to_string()),
    }
}

fn variant_of(row: text_variant::Model) -> Result<Variant, Fault> {
    let hand = match row.automatic {
        true => Hand::Automatic { by: row.automatic_by.map(Subject::from) },
        false => Hand::Human,
    };
    let review = match (row.reviewed_by_role, row.review_method, row.reviewed_on) {
        (Some(role), Some(method), Some(on)) => Some(Review {
            role: values::known(&Role::ALL, Role::as_str, &role)?,
            method: values::known(&ReviewMethod::ALL, ReviewMethod::as_str, &method)?,
            on: values::day(&on)?,
        }),
        _ => None,
    };
    Ok(Variant {
        form: form(&row.form)?,
        content: row.content,
        state: state(&row.state)?,
        revision: values::count(row.revision)?,
        made_from: values::maybe_count(row.made_from)?,
        hand,
        review,
    })
}

fn symbols_row(owner: Owner, symbols: &Symbols) -> text_symbols::Model {
    let codes: Vec<&str> = symbols.codes.iter().map(|symbol| symbol.code()).collect();
    text_symbols::Model {
        owner_kind: owner.kind.as_str().to_owned(),
        owner_id: owner.id,
        tenant: owner.tenant.to_string(),
        codes: codes.join(" "),
        state: symbols.state.as_str().to_owned(),
    }
}

fn symbols_of(row: &text_symbols::Model) -> Result<Symbols, Fault> {
    let codes: Result<Vec<_>, _> = row.codes.split(' ').map(str::parse).collect();
    Ok(Symbols { codes: codes.map_err(values::broken)?, state: state(&row.state)? })
}

fn audio_row(owner: Owner, position: i64, reading: &Reading) -> text_audio::Model {
    text_audio::Model {
        owner_kind: owner.kind.as_str().to_owned(),
        owner_id: owner.id,
        attachment_id: reading.attachment.as_uuid(),
        tenant: owner.tenant.to_string(),
        position,
        form: reading.form.as_str().to_owned(),
        state: reading.state.as_str().to_owned(),
    }
}

fn reading_of(row: &text_audio::Model) -> Result<Reading, Fault> {
    let attachment = AttachmentId::from_uuid(row.attachment_id);
    Ok(Reading { attachment, form: form(&row.form)?, state: state(&row.state)? })
}

fn form(stored: &str) -> Result<Form, Fault> {
    values::known(&Form::ALL, Form::as_str, stored)
}

fn state(stored: &str) -> Result<VariantState, Fault> {
    values::known(&VariantState::ALL, VariantState::as_str, stored)
}
