//! Requests: what cannot be read names its field.

use std::str::FromStr;

use kernel::{Date, Fault, Invalid, PageSize};
use proto::proposals as pb;

use crate::app::{Decisions, PartOf, Words, Writing};
use crate::domain::finding::Decision;
use crate::domain::proposal::{
    Addressed, Answer, Category, Channel, Content, Explanation, Goal, Part, Perspective, Reasons,
    Redirection, ScreeningReason, StageKind,
};
use crate::domain::text::Form;

/// An id, code or other word of the kernel. Invalid `request.invalid` naming the field.
pub fn read<T: FromStr<Err = Invalid>>(field: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|invalid: Invalid| invalid.in_field(field))
}

/// The same, where an empty text means none.
pub fn read_maybe<T: FromStr<Err = Invalid>>(field: &str, text: &str) -> Result<Option<T>, Fault> {
    if text.is_empty() { Ok(None) } else { read(field, text).map(Some) }
}

/// Several of them.
pub fn read_all<T: FromStr<Err = Invalid>>(field: &str, texts: &[String]) -> Result<Vec<T>, Fault> {
    texts.iter().enumerate().map(|(index, text)| read(&format!("{field}[{index}]"), text)).collect()
}

/// A day as "2026-03-02". Invalid `request.invalid` naming the field.
pub fn day(field: &str, text: &str) -> Result<Date, Fault> {
    kernel::deadline::parse_date(text).map_err(|invalid| invalid.in_field(field))
}

/// Items of a page.
pub fn size(asked: u32) -> Result<PageSize, Fault> {
    PageSize::new(asked).map_err(|invalid| invalid.in_field("page_size"))
}

/// What is answered where one of a contract's values must be chosen and none was.
pub fn choice(field: &str) -> Fault {
    Invalid::new("one of the values of the contract must be chosen", "send one of them").in_field(field)
}

/// All that an author says.
pub fn writing(content: Option<pb::Content>, conflict_accepted: bool) -> Result<Writing, Fault> {
    let content = content.unwrap_or_default();
    let goal = |(index, code): (usize, &String)| {
        Goal::ALL.into_iter().find(|goal| goal.as_str() == code).ok_or_else(|| {
            Invalid::new("a goal is named by its code", "send a code that ListGoals gives")
                .in_field(format!("content.goals[{index}]"))
        })
    };
    let tags = Content {
        own_words: content.own_words.trim().to_owned(),
        strength: content.strength.trim().to_owned(),
        category: category("content.category", content.category())?,
        perspective: perspective(content.perspective()),
        goals: content.goals.iter().enumerate().map(goal).collect::<Result<_, _>>()?,
        addressed: addressed("content.", &content.unit_ids, &content.lead_unit_id)?,
    };
    Ok(Writing {
        content: tags.checked()?,
        words: Words {
            form: read("content.language", &content.language)?,
            title: content.title,
            summary: content.summary,
            body: content.body,
        },
        conflict_accepted,
    })
}

/// Units and the one that leads them; `prefix` is the path of the message that holds the fields.
pub fn addressed(prefix: &str, units: &[String], lead: &str) -> Result<Addressed, Fault> {
    let units = read_all(&format!("{prefix}unit_ids"), units)?;
    Addressed::new(&units, read_maybe(&format!("{prefix}lead_unit_id"), lead)?)
}

/// A part of a split.
pub fn part((index, part): (usize, pb::SplitPart)) -> Result<PartOf, Fault> {
    let prefix = format!("parts[{index}].");
    Ok(PartOf {
        part: Part {
            category: category(&format!("{prefix}category"), part.category())?,
            addressed: addressed(&prefix, &part.unit_ids, &part.lead_unit_id)?,
        },
        words: Words {
            form: read(&format!("{prefix}language"), &part.language)?,
            title: part.title,
            summary: part.summary,
            body: part.body,
        },
    })
}

/// What a human says of findings.
pub fn decisions(findings: &[pb::FindingJudgement]) -> Result<Decisions, Fault> {
    let decision = |(index, one): (usize, &pb::FindingJudgement)| match one.decision() {
        pb::FindingDecision::Unspecified => Err(choice(&format!("findings[{index}].decision"))),
        pb::FindingDecision::Removed => Ok((one.finding_no, Decision::Removed)),
        pb::FindingDecision::Fine => Ok((one.finding_no, Decision::Fine)),
    };
    findings.iter().enumerate().map(decision).collect()
}

/// An explanation in other languages than Finnish.
pub fn explanations(forms: &[pb::ExplanationForm]) -> Result<Vec<(Form, Explanation)>, Fault> {
    let one = |(index, one): (usize, &pb::ExplanationForm)| {
        let field = format!("other_languages[{index}]");
        let form = read(&format!("{field}.form"), &one.form)?;
        Ok((form, Explanation::new(&format!("{field}.content"), &one.content)?))
    };
    forms.iter().enumerate().map(one).collect()
}

/// Why something was decided, in every language in which it is sent.
pub fn reasons(plain: &str, others: &[pb::ExplanationForm]) -> Result<Reasons, Fault> {
    Reasons::new(Explanation::new("explanation", plain)?, explanations(others)?)
}

/// What a person says to "was this what you said?".
pub fn words_answer(answer: pb::Confirmation, correction: String) -> Result<Answer, Fault> {
    match answer {
        pb::Confirmation::Unspecified => Err(choice("answer")),
        pb::Confirmation::Yes => Ok(Answer::Yes),
        pb::Confirmation::No => Ok(Answer::No { correction }),
        pb::Confirmation::DontKnow => Ok(Answer::DontKnow),
    }
}

/// Why a proposal is refused.
pub fn screening_reason(reason: pb::ScreeningReason) -> Result<ScreeningReason, Fault> {
    match reason {
        pb::ScreeningReason::Unspecified => Err(choice("reason")),
        pb::ScreeningReason::NotAboutServices => Ok(ScreeningReason::NotAboutServices),
        pb::ScreeningReason::Unlawful => Ok(ScreeningReason::Unlawful),
        pb::ScreeningReason::Abusive => Ok(ScreeningReason::Abusive),
    }
}

/// Where a proposal belongs.
pub fn redirection(kind: pb::Redirection) -> Result<Redirection, Fault> {
    match kind {
        pb::Redirection::Unspecified => Err(choice("kind")),
        pb::Redirection::ServiceFeedback => Ok(Redirection::ServiceFeedback),
        pb::Redirection::OtherAuthority => Ok(Redirection::OtherAuthority),
        pb::Redirection::OwnWorker => Ok(Redirection::OwnWorker),
    }
}

/// The stage that a list is limited to; None for all.
pub fn stage_kind(stage: pb::ProposalStage) -> Option<StageKind> {
    StageKind::ALL.into_iter().find(|kind| super::proposals::stage_kind(*kind) == stage)
}

/// What kind of change it asks for.
fn category(field: &str, category: pb::Category) -> Result<Category, Fault> {
    match category {
        pb::Category::Unspecified => Err(choice(field)),
        pb::Category::Content => Ok(Category::Content),
        pb::Category::WayOfWorking => Ok(Category::WayOfWorking),
    }
}

/// The perspective, if one was chosen.
fn perspective(perspective: pb::Perspective) -> Option<Perspective> {
    match perspective {
        pb::Perspective::Unspecified => None,
        pb::Perspective::Human => Some(Perspective::Human),
        pb::Perspective::Economy => Some(Perspective::Economy),
        pb::Perspective::Process => Some(Perspective::Process),
        pb::Perspective::Competence => Some(Perspective::Competence),
    }
}

/// The channels of a person's own act. Invalid for those of staff.
pub fn own_channel(channel: pb::Channel) -> Result<Channel, Fault> {
    match channel {
        pb::Channel::Unspecified | pb::Channel::Web => Ok(Channel::Web),
        pb::Channel::Tablet => Ok(Channel::Tablet),
        pb::Channel::Paper | pb::Channel::Phone | pb::Channel::Meeting => {
            Err(Invalid::new("paper, phone and meeting are recorded by staff", "send WEB or TABLET")
                .in_field("channel"))
        }
    }
}

/// The channels of what staff writes down.
pub fn staff_channel(channel: pb::Channel) -> Result<Channel, Fault> {
    match channel {
        pb::Channel::Unspecified => Err(choice("channel")),
        pb::Channel::Web => Err(Invalid::new(
            "what is dictated does not come from the person's own device",
            "say how it was said",
        )
        .in_field("channel")),
        pb::Channel::Tablet => Ok(Channel::Tablet),
        pb::Channel::Paper => Ok(Channel::Paper),
        pb::Channel::Phone => Ok(Channel::Phone),
        pb::Channel::Meeting => Ok(Channel::Meeting),
    }
}
