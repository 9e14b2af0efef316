//! Requests: what cannot be read names its field.

use std::str::FromStr;

use kernel::{Date, Fault, Invalid, PageSize};
use proto::proposals as pb;

use crate::domain::proposal::content::{Addressed, Content};
use crate::domain::proposal::{Category, Channel, Goal, Perspective};

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

/// What a proposal says besides its title, summary and body.
pub fn content(content: &pb::Content) -> Result<Content, Fault> {
    let goal = |(index, code): (usize, &String)| {
        Goal::ALL.into_iter().find(|goal| goal.as_str() == code).ok_or_else(|| {
            Invalid::new("a goal is named by its code", "send a code that ListGoals gives")
                .in_field(format!("content.goals[{index}]"))
        })
    };
    let units = read_all("content.unit_ids", &content.unit_ids)?;
    Content {
        own_words: content.own_words.trim().to_owned(),
        strength: content.strength.trim().to_owned(),
        category: match content.category() {
            pb::Category::Unspecified => return Err(choice("content.category")),
            pb::Category::Content => Category::Content,
            pb::Category::WayOfWorking => Category::WayOfWorking,
        },
        perspective: perspective(content.perspective()),
        goals: content.goals.iter().enumerate().map(goal).collect::<Result<_, _>>()?,
        addressed: Addressed::new(&units, read_maybe("content.lead_unit_id", &content.lead_unit_id)?)?,
    }
    .checked()
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
