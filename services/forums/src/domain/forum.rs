//! A forum of clients (S1.29): founded by a county, or by several together, and given a seat plan.

use std::collections::BTreeSet;

use kernel::{Date, Fault, ForumId, MunicipalityCode, TenantId};

/// Most seats a forum may have in all.
pub const MAX_SEATS: u32 = 200;

/// Type of forum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForumType {
    /// Asiakasfoorumi: clients, elected by the clients.
    ClientForum,
    /// Paikallisryhmä: open to all clients of a place (S1.37).
    LocalGroup,
}

impl ForumType {
    /// Every type.
    pub const ALL: [ForumType; 2] = [ForumType::ClientForum, ForumType::LocalGroup];

    /// The name in events and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ForumType::ClientForum => "client_forum",
            ForumType::LocalGroup => "local_group",
        }
    }
}

/// Level of a forum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForumLevel {
    /// One municipality or unit.
    Local,
    /// Several municipalities.
    Regional,
    /// The whole county.
    County,
}

impl ForumLevel {
    /// Every level.
    pub const ALL: [ForumLevel; 3] = [ForumLevel::Local, ForumLevel::Regional, ForumLevel::County];

    /// The name in events and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ForumLevel::Local => "local",
            ForumLevel::Regional => "regional",
            ForumLevel::County => "county",
        }
    }
}

/// State of a forum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForumState {
    /// Founded; it has no seat plan yet.
    Founded,
    /// Has an approved seat plan.
    Active,
    /// Its term is over.
    Dissolved,
}

impl ForumState {
    /// Every state.
    pub const ALL: [ForumState; 3] = [ForumState::Founded, ForumState::Active, ForumState::Dissolved];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ForumState::Founded => "founded",
            ForumState::Active => "active",
            ForumState::Dissolved => "dissolved",
        }
    }
}

/// What is told of a forum when it is founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// Lead county.
    pub tenant: TenantId,
    /// Other counties of a joint forum.
    pub co_tenants: Vec<TenantId>,
    /// Reference of the joint controllers' agreement; empty unless the forum is joint.
    pub agreement_id: String,
    /// Name in Finnish.
    pub name: String,
    /// Why it exists, in standard Finnish (S1.3).
    pub purpose: String,
    /// Why it exists, in plain Finnish (S1.3).
    pub purpose_plain: String,
    /// Type.
    pub kind: ForumType,
    /// Level.
    pub level: ForumLevel,
    /// Service group whose clients elect it, for example "disability_services".
    pub service_group: String,
    /// First day of the term.
    pub term_starts_on: Date,
    /// Last day of the term.
    pub term_ends_on: Date,
    /// Reference of the founding decision in the county's case register.
    pub founding_decision: String,
}

/// Seats of one municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatQuota {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Its seats, at least one.
    pub seats: u32,
}

/// A forum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forum {
    /// Id.
    pub id: ForumId,
    /// What was told at the founding.
    pub charter: Charter,
    /// Other counties of a joint forum that have confirmed it, by code.
    pub confirmed: BTreeSet<TenantId>,
    /// State.
    pub state: ForumState,
    /// Approved seat plan by municipality code; empty before.
    pub plan: Vec<SeatQuota>,
    /// Seats filled now.
    pub seats_filled: u32,
}

/// What happened to a forum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForumEvent {
    /// It was founded.
    Founded,
    /// Its seat plan was approved.
    SeatPlanApproved(Vec<SeatQuota>),
}

impl Forum {
    /// Founds a forum in a deployment that serves the counties `served`.
    ///
    /// Invalid `forums.charter` with every field at fault; `forums.agreement_needed` for a joint forum without the
    /// joint controllers' agreement; `forums.tenant_not_served` for a county that this deployment does not serve.
    pub fn found(id: ForumId, charter: Charter, served: &[TenantId]) -> Result<Self, Fault> {
        check_text(&charter)?;
        check_tenants(&charter, served)?;
        let (state, plan, confirmed) = (ForumState::Founded, Vec::new(), BTreeSet::new());
        Ok(Self { id, charter, confirmed, state, plan, seats_filled: 0 })
    }

    /// The forum with the confirmation of another county that it takes part; again is the same.
    ///
    /// Invalid `forums.not_a_co_tenant` for a county that was not named at the founding.
    pub fn confirmed_by(mut self, county: TenantId) -> Result<Self, Fault> {
        if !self.charter.co_tenants.contains(&county) {
            let message = format!("County {county} is not one of the other counties of this forum.");
            return Err(Fault::invalid("forums.not_a_co_tenant", message).field(
                "tenant",
                "a joint forum is confirmed by the counties named beside the lead one at the founding",
                "name one of the forum's co_tenants",
            ));
        }
        self.confirmed.insert(county);
        Ok(self)
    }

    /// Approves the seat plan (F1). The municipalities are looked at as they are on the first day of the term.
    ///
    /// Conflict `forums.seat_plan_approved` if there is one, or `forums.joint_not_confirmed` while another county has
    /// not agreed: a plan is what elections, and the rolls of that county's clients, rest on. Invalid
    /// `forums.seat_plan_sum`, `forums.seats_out_of_range`, `forums.municipality_twice` or
    /// `forums.municipality_not_in_tenant`.
    pub fn approve_plan(&self, mut seats: Vec<SeatQuota>, total: u32) -> Result<ForumEvent, Fault> {
        if self.state != ForumState::Founded {
            return Err(Fault::conflict(
                "forums.seat_plan_approved",
                "The forum has an approved seat plan. A plan cannot be changed during the term.",
            ));
        }
        self.check_confirmed()?;
        check_quotas(&seats)?;
        for (index, quota) in seats.iter().enumerate() {
            self.check_membership(index, quota.municipality)?;
        }
        let sum: u32 = seats.iter().map(|quota| quota.seats).sum();
        if sum != total {
            let message =
                format!("The seats of the municipalities add up to {sum}, the total says {total} (F1).");
            return Err(Fault::invalid("forums.seat_plan_sum", message).field(
                "total",
                "the seats of the municipalities add up to the total",
                format!("send {sum}, or correct the seats"),
            ));
        }
        seats.sort_by_key(|quota| quota.municipality);
        Ok(ForumEvent::SeatPlanApproved(seats))
    }

    /// The forum after the event.
    #[must_use]
    pub fn apply(mut self, event: &ForumEvent) -> Self {
        match event {
            ForumEvent::Founded => self.state = ForumState::Founded,
            ForumEvent::SeatPlanApproved(seats) => {
                self.state = ForumState::Active;
                self.plan.clone_from(seats);
            }
        }
        self
    }

    /// Seats in all; 0 before the plan.
    pub fn seats_total(&self) -> u32 {
        self.plan.iter().map(|quota| quota.seats).sum()
    }

    fn check_confirmed(&self) -> Result<(), Fault> {
        let waiting = self.charter.co_tenants.iter().filter(|county| !self.confirmed.contains(county));
        let waiting: Vec<&str> = waiting.map(TenantId::as_str).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let message = format!(
            "This joint forum is not confirmed by {}. An administrator of each other county calls ConfirmJointForum first.",
            waiting.join(", ")
        );
        Err(Fault::conflict("forums.joint_not_confirmed", message))
    }

    fn check_membership(&self, index: usize, municipality: MunicipalityCode) -> Result<(), Fault> {
        let Charter { tenant, co_tenants, term_starts_on, .. } = &self.charter;
        let county = municipality.county_on(*term_starts_on);
        if county.is_some_and(|county| county == *tenant || co_tenants.contains(&county)) {
            return Ok(());
        }
        let place = municipality.municipality().map_or("", |found| found.name_fi.as_str());
        let message = format!(
            "Municipality {municipality} {place} is not in the county of this forum on {term_starts_on}, the first day of its term."
        );
        Err(Fault::invalid("forums.municipality_not_in_tenant", message).field(
            format!("seats[{index}].municipality"),
            "every municipality belongs to one of the forum's counties on the first day of the term",
            "leave it out, or found a joint forum with its county",
        ))
    }
}

fn check_quotas(seats: &[SeatQuota]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let mut sum: u32 = 0;
    for (index, quota) in seats.iter().enumerate() {
        if !seen.insert(quota.municipality) {
            let message = format!("Municipality {} is in the plan twice.", quota.municipality);
            return Err(Fault::invalid("forums.municipality_twice", message).field(
                format!("seats[{index}].municipality"),
                "a municipality is in the plan once",
                "send its seats in one entry",
            ));
        }
        sum = sum.saturating_add(quota.seats);
        if quota.seats == 0 || sum > MAX_SEATS {
            return Err(seats_out_of_range(format!("seats[{index}].seats")));
        }
    }
    if seats.is_empty() { Err(seats_out_of_range("seats".to_owned())) } else { Ok(()) }
}

fn seats_out_of_range(field: String) -> Fault {
    Fault::invalid(
        "forums.seats_out_of_range",
        format!(
            "A seat plan has at least one seat in each of its municipalities and at most {MAX_SEATS} in all."
        ),
    )
    .field(
        field,
        format!("1 to {MAX_SEATS} seats in all, at least one a municipality"),
        "correct the seats",
    )
}

fn check_text(charter: &Charter) -> Result<(), Fault> {
    let mut fault =
        Fault::invalid("forums.charter", "The forum cannot be founded like this; see the fields.");
    let texts = [
        ("name", &charter.name, 3, 200),
        ("purpose", &charter.purpose, 10, 2_000),
        ("purpose_plain", &charter.purpose_plain, 10, 2_000),
        ("founding_decision", &charter.founding_decision, 1, 100),
    ];
    for (field, text, least, most) in texts {
        if !(least..=most).contains(&text.trim().chars().count()) {
            fault = fault.field(
                field,
                format!("{least} to {most} characters"),
                format!("send a text of {least} to {most} characters"),
            );
        }
    }
    let group = charter.service_group.as_str();
    let letters = group.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !(2..=60).contains(&group.len()) || !letters {
        fault = fault.field(
            "service_group",
            "2 to 60 lower case letters and underscores",
            "send for example \"disability_services\"",
        );
    }
    if charter.term_ends_on <= charter.term_starts_on {
        fault =
            fault.field("term_ends_on", "the last day of the term is after the first", "send a later day");
    }
    if fault.fields().is_empty() { Ok(()) } else { Err(fault) }
}

fn check_tenants(charter: &Charter, served: &[TenantId]) -> Result<(), Fault> {
    let Charter { tenant, co_tenants, agreement_id, .. } = charter;
    let mut seen = BTreeSet::from([*tenant]);
    for (index, county) in co_tenants.iter().enumerate() {
        if !seen.insert(*county) {
            return Err(Fault::invalid("forums.charter", format!("County {county} is named twice.")).field(
                format!("co_tenants[{index}]"),
                "the other counties are not the lead one, and none is named twice",
                "leave it out",
            ));
        }
    }
    if let Some(unknown) = seen.iter().find(|county| !served.contains(county)) {
        let field = if unknown == tenant { "tenant" } else { "co_tenants" };
        let message = format!("County {unknown} is not served by this deployment.");
        return Err(Fault::invalid("forums.tenant_not_served", message).field(
            field,
            "every county of the forum is served by the same deployment",
            "ask the operator to add the county",
        ));
    }
    match (co_tenants.is_empty(), agreement_id.trim().is_empty()) {
        (false, true) => Err(Fault::invalid(
            "forums.agreement_needed",
            "A joint forum needs the agreement of its counties as joint controllers (GDPR article 26).",
        )
        .field(
            "agreement_id",
            "a joint forum names the joint controllers' agreement",
            "send its reference",
        )),
        (true, false) => Err(Fault::invalid("forums.charter", "Only a joint forum has an agreement.").field(
            "agreement_id",
            "only a joint forum has an agreement",
            "leave it empty, or name the other counties",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
