//! A proposal.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub(crate) struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    /// County.
    pub(crate) tenant: String,
    /// Receipt number; none for a draft.
    pub(crate) receipt_no: Option<String>,
    /// Stage.
    pub(crate) stage: String,
    /// Outcome, redirection or reason of the stage; empty for none.
    pub(crate) stage_detail: String,
    /// Round, forum or proposal of the stage.
    pub(crate) stage_ref: Option<Uuid>,
    /// Whose turn it is.
    pub(crate) owner_role: Option<String>,
    /// What comes next.
    pub(crate) next_step: Option<String>,
    /// The last day for it.
    pub(crate) due_on: Option<String>,
    /// Category.
    pub(crate) category: String,
    /// Perspective.
    pub(crate) perspective: Option<String>,
    /// Codes of goals, separated by commas.
    pub(crate) goals: String,
    /// The unit that leads the answer.
    pub(crate) lead_unit: Option<Uuid>,
    /// The forum it was sent to last.
    pub(crate) forum: Option<Uuid>,
    /// The round it was in last.
    pub(crate) round: Option<Uuid>,
    /// How it came in.
    pub(crate) channel: String,
    /// How the act came about.
    pub(crate) acting_mode: String,
    /// Who wrote it down.
    pub(crate) recorder_ref: Option<Uuid>,
    /// Who helped.
    pub(crate) helper_ref: Option<Uuid>,
    /// The member chose a helper who works where it goes.
    pub(crate) conflict_accepted: bool,
    /// The person's own words.
    pub(crate) own_words: String,
    /// What the person wants to be able to do.
    pub(crate) strength: String,
    /// Whether the person found their words in it.
    pub(crate) confirmation: String,
    /// Hash of the return code.
    pub(crate) return_code_hash: Option<Vec<u8>>,
    /// Day of submission.
    pub(crate) submitted_on: Option<String>,
    /// Day of screening.
    pub(crate) screened_on: Option<String>,
    /// Day of endorsement.
    pub(crate) endorsed_on: Option<String>,
    /// Day of the latest feedback.
    pub(crate) feedback_on: Option<String>,
    /// How often its units were changed.
    pub(crate) reroutings: i64,
    /// The one it is a part of.
    pub(crate) split_from: Option<Uuid>,
    /// A human found it fit to read.
    pub(crate) is_public: bool,
    /// It was taken out of sight.
    pub(crate) is_hidden: bool,
    /// Its author corrected their words after screening.
    pub(crate) to_recheck: bool,
    /// Last day on which the draft changed.
    pub(crate) touched_on: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
