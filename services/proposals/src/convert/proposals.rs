//! Proposals: public state out.

use kernel::{ActingMode, Date, TextVariant};
use proto::common;
use proto::proposals as pb;

use crate::domain::finding::{Decision, Found};
use crate::domain::moderation::Moderation;
use crate::domain::proposal::{
    Category, Channel, Confirmation, Ending, Goal, NextStep, Outcome, OwnerRole, Perspective, Promise,
    Proposal, Redirection, ScreeningReason, Stage, StageKind,
};
use crate::domain::text::{Field, Texts};
use crate::domain::timeline::Why;
use crate::store::steps::Step;

/// A proposal as everybody may see it. `goes_on` is its promise, or that of the one it goes on in.
pub fn proposal(of: &Proposal, texts: &Texts, goes_on: Option<Promise>, today: Date) -> pb::Proposal {
    let title = |(form, title): (TextVariant, &str)| pb::PublishedTitle {
        language: form.to_string(),
        title: title.to_owned(),
    };
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    pb::Proposal {
        proposal_id: of.id.to_string(),
        tenant: of.tenant.to_string(),
        stage: Some(stage(of.stage)),
        promise: goes_on.map(|goes_on| promise(goes_on, today)),
        category: category(of.category).into(),
        perspective: of.perspective.map_or(pb::Perspective::Unspecified, perspective).into(),
        goals: of.goals.iter().map(|goal| goal.as_str().to_owned()).collect(),
        unit_ids: of.units.iter().map(ToString::to_string).collect(),
        lead_unit_id: of.lead_unit.map(|unit| unit.to_string()).unwrap_or_default(),
        forum_id: of.forum.map(|forum| forum.to_string()).unwrap_or_default(),
        round_id: of.round.map(|round| round.to_string()).unwrap_or_default(),
        channel: channel(of.channel).into(),
        submitted_on: day(of.submitted_on),
        screened_on: day(of.screened_on),
        endorsed_on: day(of.endorsed_on),
        titles: texts.titles().map(title).collect(),
        split_from_id: of.split_from.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// Whose turn it is.
pub fn promise(promise: Promise, today: Date) -> pb::Promise {
    let owner = match promise.owner {
        OwnerRole::AreaCoordinator => pb::OwnerRole::AreaCoordinator,
        OwnerRole::ForumSecretary => pb::OwnerRole::ForumSecretary,
        OwnerRole::UnitManager => pb::OwnerRole::UnitManager,
    };
    let next_step = match promise.step {
        NextStep::Screen => pb::NextStep::Screen,
        NextStep::Decide => pb::NextStep::Decide,
        NextStep::Compare => pb::NextStep::Compare,
        NextStep::SendToForum => pb::NextStep::SendToForum,
        NextStep::ForumDecides => pb::NextStep::ForumDecides,
        NextStep::Answer => pb::NextStep::Answer,
        NextStep::HigherDecision => pb::NextStep::HigherDecision,
        NextStep::StartChange => pb::NextStep::StartChange,
        NextStep::FinishChange => pb::NextStep::FinishChange,
        NextStep::MeasureImpact => pb::NextStep::MeasureImpact,
        NextStep::PublishFeedback => pb::NextStep::PublishFeedback,
        NextStep::Close => pb::NextStep::Close,
    };
    pb::Promise {
        owner: owner.into(),
        next_step: next_step.into(),
        due_on: promise.due.to_string(),
        late: promise.is_late(today),
    }
}

/// A stage with its details.
pub fn stage(stage: Stage) -> pb::StageDetail {
    let mut detail = pb::StageDetail { stage: stage_kind(stage.kind()).into(), ..pb::StageDetail::default() };
    match stage {
        Stage::InComparison { round } => detail.round_id = round.to_string(),
        Stage::BeforeForum { forum } => detail.forum_id = forum.to_string(),
        Stage::Answered { outcome: said } => detail.outcome = outcome(said).into(),
        Stage::Ended { how: Ending::Merged { into } } => detail.into_proposal_id = into.to_string(),
        Stage::Ended { how: Ending::Redirected { kind } } => detail.redirection = redirection(kind).into(),
        Stage::Ended { how: Ending::RejectedAtScreening { reason } } => {
            detail.screening_reason = screening_reason(reason).into();
        }
        _ => {}
    }
    detail
}

/// A stage without its details.
pub fn stage_kind(kind: StageKind) -> pb::ProposalStage {
    match kind {
        StageKind::Draft => pb::ProposalStage::Draft,
        StageKind::Submitted => pb::ProposalStage::Submitted,
        StageKind::Open => pb::ProposalStage::Open,
        StageKind::InComparison => pb::ProposalStage::InComparison,
        StageKind::Shortlisted => pb::ProposalStage::Shortlisted,
        StageKind::BeforeForum => pb::ProposalStage::BeforeForum,
        StageKind::NotEndorsed => pb::ProposalStage::NotEndorsed,
        StageKind::AwaitingResponse => pb::ProposalStage::AwaitingResponse,
        StageKind::Forwarded => pb::ProposalStage::Forwarded,
        StageKind::Answered => pb::ProposalStage::Answered,
        StageKind::InImplementation => pb::ProposalStage::InImplementation,
        StageKind::Implemented => pb::ProposalStage::Implemented,
        StageKind::ImpactMeasured => pb::ProposalStage::ImpactMeasured,
        StageKind::Closed => pb::ProposalStage::Closed,
        StageKind::Merged => pb::ProposalStage::Merged,
        StageKind::Split => pb::ProposalStage::Split,
        StageKind::Redirected => pb::ProposalStage::Redirected,
        StageKind::RejectedAtScreening => pb::ProposalStage::RejectedAtScreening,
        StageKind::Withdrawn => pb::ProposalStage::Withdrawn,
    }
}

/// What a unit said.
pub fn outcome(outcome: Outcome) -> pb::Outcome {
    match outcome {
        Outcome::Accepted => pb::Outcome::Accepted,
        Outcome::AcceptedInPart => pb::Outcome::AcceptedInPart,
        Outcome::Trial => pb::Outcome::Trial,
        Outcome::Rejected => pb::Outcome::Rejected,
        Outcome::NeedsHigherDecision => pb::Outcome::NeedsHigherDecision,
    }
}

/// Where it belongs.
pub fn redirection(kind: Redirection) -> pb::Redirection {
    match kind {
        Redirection::ServiceFeedback => pb::Redirection::ServiceFeedback,
        Redirection::OtherAuthority => pb::Redirection::OtherAuthority,
        Redirection::OwnWorker => pb::Redirection::OwnWorker,
    }
}

/// Why it was refused.
pub fn screening_reason(reason: ScreeningReason) -> pb::ScreeningReason {
    match reason {
        ScreeningReason::NotAboutServices => pb::ScreeningReason::NotAboutServices,
        ScreeningReason::Unlawful => pb::ScreeningReason::Unlawful,
        ScreeningReason::Abusive => pb::ScreeningReason::Abusive,
    }
}

/// What kind of change it asks for.
pub fn category(category: Category) -> pb::Category {
    match category {
        Category::Content => pb::Category::Content,
        Category::WayOfWorking => pb::Category::WayOfWorking,
    }
}

/// The perspective.
pub fn perspective(perspective: Perspective) -> pb::Perspective {
    match perspective {
        Perspective::Human => pb::Perspective::Human,
        Perspective::Economy => pb::Perspective::Economy,
        Perspective::Process => pb::Perspective::Process,
        Perspective::Competence => pb::Perspective::Competence,
    }
}

/// How it came in.
pub fn channel(channel: Channel) -> pb::Channel {
    match channel {
        Channel::Web => pb::Channel::Web,
        Channel::Tablet => pb::Channel::Tablet,
        Channel::Paper => pb::Channel::Paper,
        Channel::Phone => pb::Channel::Phone,
        Channel::Meeting => pb::Channel::Meeting,
    }
}

/// A proposal as its authors see it, without findings and steps.
pub fn my_proposal(of: &Proposal, texts: &Texts, shown: pb::Proposal) -> pb::MyProposal {
    pb::MyProposal {
        proposal: Some(shown),
        receipt_no: of.receipt_no.clone(),
        content: Some(content(of, texts)),
        acting_mode: acting_mode(of.acting.mode).into(),
        confirmation: confirmation(of.confirmation).into(),
        to_confirm: of.is_to_confirm(),
        to_recheck: of.to_recheck,
        ..pb::MyProposal::default()
    }
}

/// The same for an author who did not begin it: without what that person said themselves, and how they acted.
pub fn of_another(mine: pb::MyProposal) -> pb::MyProposal {
    let content = mine.content.map(|content| pb::Content {
        own_words: String::new(),
        strength: String::new(),
        ..content
    });
    pb::MyProposal {
        content,
        acting_mode: common::ActingMode::Unspecified.into(),
        confirmation: pb::Confirmation::Unspecified.into(),
        to_confirm: false,
        to_recheck: false,
        findings: Vec::new(),
        ..mine
    }
}

/// A proposal as coordinators see it, without findings and steps: never its authors, recorder or helper (P8).
pub fn handled_proposal(of: &Proposal, texts: &Texts, shown: pb::Proposal) -> pb::HandledProposal {
    pb::HandledProposal {
        proposal: Some(shown),
        receipt_no: of.receipt_no.clone(),
        content: Some(content(of, texts)),
        acting_mode: acting_mode(of.acting.mode).into(),
        conflict_accepted: of.acting.conflict_accepted,
        confirmation: confirmation(of.confirmation).into(),
        to_recheck: of.to_recheck,
        reroutings: of.reroutings,
        hidden: of.is_hidden,
        ..pb::HandledProposal::default()
    }
}

/// What a proposal says, in the language in which it was written first.
fn content(of: &Proposal, texts: &Texts) -> pb::Content {
    let source = |field: Field| texts.field(field).map(|text| text.source());
    let said = |field: Field| source(field).map(|source| source.content.clone()).unwrap_or_default();
    let first = [Field::Title, Field::Summary, Field::Body].into_iter().find_map(source);
    pb::Content {
        language: first.map(|source| source.form.to_string()).unwrap_or_default(),
        title: said(Field::Title),
        summary: said(Field::Summary),
        body: said(Field::Body),
        own_words: of.own_words.clone(),
        strength: of.strength.clone(),
        category: category(of.category).into(),
        perspective: of.perspective.map_or(pb::Perspective::Unspecified, perspective).into(),
        goals: of.goals.iter().map(|goal| goal.as_str().to_owned()).collect(),
        unit_ids: of.units.iter().map(ToString::to_string).collect(),
        lead_unit_id: of.lead_unit.map(|unit| unit.to_string()).unwrap_or_default(),
    }
}

/// What may be personal data.
pub fn finding(found: &Found) -> pb::Finding {
    let decision = match found.decision {
        Decision::Open => pb::FindingDecision::Unspecified,
        Decision::Removed => pb::FindingDecision::Removed,
        Decision::Fine => pb::FindingDecision::Fine,
    };
    pb::Finding {
        finding_no: found.finding_no,
        kind: found.kind.as_str().to_owned(),
        place: found.place.as_str().to_owned(),
        starts_at: found.starts_at,
        length: found.length,
        decision: decision.into(),
    }
}

/// A step that was taken.
pub fn step(step: &Step, today: Date) -> pb::ProposalStep {
    pb::ProposalStep {
        step_no: step.step_no,
        happened_on: step.happened_on.to_string(),
        stage: Some(stage(step.stage)),
        promise: step.promise.map(|promised| promise(promised, today)),
        reason: step.why.plain.clone(),
        other_languages: others(&step.why),
    }
}

/// An entry of the moderation log.
pub fn moderation(entry: &Moderation) -> pb::Moderation {
    pb::Moderation {
        proposal_id: entry.proposal.to_string(),
        what: entry.what.as_str().to_owned(),
        act: entry.act.as_str().to_owned(),
        reason: entry.why.plain.clone(),
        happened_on: entry.on.to_string(),
        other_languages: others(&entry.why),
    }
}

/// Why, in the other languages of the county.
pub fn others(why: &Why) -> Vec<pb::ExplanationForm> {
    let form = |(form, content): &(TextVariant, String)| pb::ExplanationForm {
        form: form.to_string(),
        content: content.clone(),
    };
    why.others.iter().map(form).collect()
}

/// A goal.
pub fn goal(goal: Goal) -> pb::Goal {
    pb::Goal {
        code: goal.as_str().to_owned(),
        name_fi: goal.name_fi().to_owned(),
        perspective: goal.perspective().map_or(pb::Perspective::Unspecified, perspective).into(),
    }
}

/// What a person said of their words.
pub fn confirmation(confirmation: Confirmation) -> pb::Confirmation {
    match confirmation {
        Confirmation::Unasked => pb::Confirmation::Unspecified,
        Confirmation::Yes => pb::Confirmation::Yes,
        Confirmation::No => pb::Confirmation::No,
        Confirmation::DontKnow => pb::Confirmation::DontKnow,
    }
}

/// How an act came about.
fn acting_mode(mode: ActingMode) -> common::ActingMode {
    match mode {
        ActingMode::Alone => common::ActingMode::Self_,
        ActingMode::Assisted => common::ActingMode::Assisted,
        ActingMode::Dictated => common::ActingMode::Dictated,
        ActingMode::OnBehalf => common::ActingMode::OnBehalf,
    }
}
