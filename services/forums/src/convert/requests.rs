//! Requests: what cannot be read names its field.

use std::str::FromStr;

use kernel::{Date, Fault, Invalid, MunicipalityCode};
use proto::common::MunicipalitySeats;
use proto::forums as pb;

use crate::domain::election::Schedule;
use crate::domain::forum::{Charter, ForumLevel, ForumType, SeatQuota};
use crate::domain::sealed::BoardPublicKey;
use crate::domain::seat::VacancyReason;

/// An id, code or other word of the kernel. Invalid `request.invalid` naming the field.
pub fn read<T: FromStr<Err = Invalid>>(field: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|invalid: Invalid| invalid.in_field(field))
}

/// A day as "2026-03-02". Invalid `request.invalid` naming the field.
pub fn day(field: &str, text: &str) -> Result<Date, Fault> {
    kernel::deadline::parse_date(text).map_err(|invalid| invalid.in_field(field))
}

/// What is told of a forum to found.
pub fn charter(request: pb::FoundForumRequest) -> Result<Charter, Fault> {
    let kind = match request.r#type() {
        pb::ForumType::Unspecified => Err(choice("type")),
        pb::ForumType::ClientForum => Ok(ForumType::ClientForum),
        pb::ForumType::LocalGroup => Ok(ForumType::LocalGroup),
    }?;
    let level = match request.level() {
        pb::ForumLevel::Unspecified => Err(choice("level")),
        pb::ForumLevel::Local => Ok(ForumLevel::Local),
        pb::ForumLevel::Regional => Ok(ForumLevel::Regional),
        pb::ForumLevel::County => Ok(ForumLevel::County),
    }?;
    let counties = request.co_tenants.iter().enumerate();
    let co_tenants = counties.map(|(index, code)| read(&format!("co_tenants[{index}]"), code));
    Ok(Charter {
        tenant: read("tenant", &request.tenant)?,
        co_tenants: co_tenants.collect::<Result<_, _>>()?,
        kind,
        level,
        term_starts_on: day("term_starts_on", &request.term_starts_on)?,
        term_ends_on: day("term_ends_on", &request.term_ends_on)?,
        agreement_id: request.agreement_id,
        name: request.name,
        purpose: request.purpose,
        purpose_plain: request.purpose_plain,
        service_group: request.service_group,
        founding_decision: request.founding_decision,
    })
}

/// Seats of a plan; each municipality must exist.
pub fn quotas(seats: &[MunicipalitySeats]) -> Result<Vec<SeatQuota>, Fault> {
    let quota = |(index, entry): (usize, &MunicipalitySeats)| -> Result<SeatQuota, Fault> {
        let municipality: MunicipalityCode =
            read(&format!("seats[{index}].municipality"), &entry.municipality)?;
        Ok(SeatQuota { municipality, seats: entry.seats })
    };
    seats.iter().enumerate().map(quota).collect()
}

/// Days and board key of an election to announce.
pub fn announcement(request: &pb::AnnounceElectionRequest) -> Result<(Schedule, BoardPublicKey), Fault> {
    let schedule = Schedule {
        nomination_opens_on: day("nomination_opens_on", &request.nomination_opens_on)?,
        nomination_closes_on: day("nomination_closes_on", &request.nomination_closes_on)?,
        voting_opens_on: day("voting_opens_on", &request.voting_opens_on)?,
        voting_closes_on: day("voting_closes_on", &request.voting_closes_on)?,
    };
    Ok((schedule, BoardPublicKey::new(&request.board_public_key)?))
}

/// Why a seat became empty.
pub fn vacancy_reason(reason: pb::VacancyReason) -> Result<VacancyReason, Fault> {
    match reason {
        pb::VacancyReason::Unspecified => Err(choice("reason")),
        pb::VacancyReason::TermEnd => Ok(VacancyReason::TermEnd),
        pb::VacancyReason::Left => Ok(VacancyReason::Left),
        pb::VacancyReason::Other => Ok(VacancyReason::Other),
    }
}

/// Label of a paper batch: 1 to 40 characters.
pub fn batch_label(label: &str) -> Result<String, Fault> {
    let label = label.trim();
    if (1..=40).contains(&label.chars().count()) && !label.chars().any(char::is_control) {
        return Ok(label.to_owned());
    }
    let rule = Invalid::new("a batch's label has 1 to 40 characters", "send for example \"Ii 1\"");
    Err(rule.in_field("batch"))
}

fn choice(field: &str) -> Fault {
    Invalid::new("one of the values of the contract must be chosen", "send one of them").in_field(field)
}
