//! Before the election: units, register, attestations, staff; the forum, its seat plan, officers and witness.

use std::path::Path;

use kernel::{Invalid, TenantId, deadline};
use proto::common::{MunicipalitySeats, Role};
use proto::forums::{
    ApproveSeatPlanRequest, ConfirmJointForumRequest, ForumLevel, ForumType, FoundForumRequest,
};
use proto::membership::{
    AttestEligibilityRequest, DefineRegionRequest, ListParticipantsRequest, Participant,
    RegisterServiceUnitRequest,
};

use super::example::{self, PLACES, days};
use super::play::{Person, Play, during, each};
use crate::exit::Failure;
use crate::register::Register;

impl Play {
    /// Registers the units and the region, imports both counties' registers, lets staff sign in and attest.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn register(&mut self) -> Result<(), Failure> {
        self.day(days::REGISTER).await?;
        self.register_units().await?;
        let mut rows = 0;
        for (tenant, file, _) in example::REGISTERS {
            let register = register_of(tenant)?;
            let bar = self.progress.bar("importing", register.rows.len());
            let imported = register
                .send(&self.administrator, tenant, Path::new(file), |stored| bar.set_position(stored as u64))
                .await?;
            bar.finish_and_clear();
            rows += imported.rows;
            self.learn_people(tenant, &register).await?;
        }
        self.sign_in_staff().await?;
        self.attest().await?;
        let clients: usize =
            PLACES.iter().map(|place| self.clients(place).map_or(0, |them| them.len())).sum();
        let done = format!("{rows} people imported, {clients} of them clients with a right to vote");
        self.progress.done(days::REGISTER, &done);
        Ok(())
    }

    async fn register_units(&mut self) -> Result<(), Failure> {
        let region = DefineRegionRequest {
            tenant: example::LEAD.to_owned(),
            name: "Oulunkaari".to_owned(),
            municipalities: PLACES.iter().map(|place| place.municipality.to_owned()).collect(),
            valid_from: "2026-01-01".to_owned(),
        };
        self.administrator.tenancy().define_region(region).await.map_err(during("define the region"))?;
        for place in PLACES {
            for (name, kind) in place.units {
                let request = RegisterServiceUnitRequest {
                    tenant: place.tenant.to_owned(),
                    name: (*name).to_owned(),
                    kind: (*kind).into(),
                    municipality: place.municipality.to_owned(),
                };
                let answer = self.administrator.tenancy().register_service_unit(request).await;
                let unit = answer.map_err(during(&format!("register {name}")))?.into_inner().unit;
                self.units.insert((*name).to_owned(), unit.unwrap_or_default().unit_id);
            }
        }
        // What the administrator may do now reaches into the new units.
        self.administrator.forget_tokens().await;
        Ok(())
    }

    /// Asks membership for the ids of the people just imported.
    async fn learn_people(&mut self, tenant: &str, register: &Register) -> Result<(), Failure> {
        let mut page_token = String::new();
        loop {
            let request = ListParticipantsRequest {
                tenant: tenant.to_owned(),
                municipality: String::new(),
                purpose: "Handing out code cards for the election of the client forum".to_owned(),
                page_size: 200,
                page_token,
            };
            let page = self.administrator.participants().list_participants(request).await;
            let page = page.map_err(during("list the register"))?.into_inner();
            for participant in page.participants {
                self.learn(tenant, register, participant);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    fn learn(&mut self, tenant: &str, register: &Register, participant: Participant) {
        let name = participant.display_name;
        let Some(row) = register.rows.iter().find(|row| row.display_name == name) else { return };
        let attested = PLACES.iter().find(|place| place.attested_by_staff == name);
        let (municipality, unit) = match attested {
            Some(place) => (place.municipality, place.units[0].0),
            // Staff get their cards from the administrator, as do people of no unit.
            None if !row.role.is_empty() => ("", ""),
            None => (row.municipality.as_str(), row.unit.as_str()),
        };
        let person = Person {
            participant_id: participant.participant_id,
            name: name.clone(),
            tenant: tenant.to_owned(),
            municipality: municipality.to_owned(),
            unit: unit.to_owned(),
        };
        self.people.insert(name, person);
    }

    async fn sign_in_staff(&mut self) -> Result<(), Failure> {
        let mut staff = Vec::new();
        for (tenant, ..) in example::REGISTERS {
            let rows = register_of(tenant)?.rows.into_iter();
            staff.extend(rows.filter(|row| row.role == "unit_staff"));
        }
        let play = &*self;
        let entered = each(staff, async |row| {
            let account = play.sign_in(play.person(&row.display_name)?).await?;
            Ok((row.unit, account))
        });
        self.staff = entered.await?.into_iter().collect();
        Ok(())
    }

    /// In each municipality the unit's staff attest one client themselves (M1).
    async fn attest(&self) -> Result<(), Failure> {
        each(PLACES, async |place| {
            let unit = place.units[0].0;
            let account = self.staff.get(unit);
            let account = account.ok_or_else(|| Failure::general(format!("nobody works at {unit}")))?;
            let request = AttestEligibilityRequest {
                unit_id: self.units.get(unit).cloned().unwrap_or_default(),
                participant_id: self.person(place.attested_by_staff)?.participant_id.clone(),
                group: example::GROUP.to_owned(),
                municipality: place.municipality.to_owned(),
            };
            let attested = account.participants().attest_eligibility(request).await;
            attested.map_err(during(&format!("attest {}", place.attested_by_staff)))?;
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Founds the joint forum, approves its seat plan, and gives officers and witness their roles.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn found(&mut self) -> Result<(), Failure> {
        self.day(days::FOUNDED).await?;
        let request = FoundForumRequest {
            tenant: example::LEAD.to_owned(),
            co_tenants: vec![example::CO_TENANT.to_owned()],
            agreement_id: "POHDE/482/2026".to_owned(),
            name: example::FORUM.to_owned(),
            purpose: example::PURPOSE.to_owned(),
            purpose_plain: example::PURPOSE_PLAIN.to_owned(),
            r#type: ForumType::ClientForum.into(),
            level: ForumLevel::Regional.into(),
            service_group: example::GROUP.to_owned(),
            term_starts_on: days::TERM_STARTS.to_owned(),
            term_ends_on: days::TERM_ENDS.to_owned(),
            founding_decision: "POHDE/481/2026".to_owned(),
        };
        let founded = self.administrator.forums().found_forum(request).await;
        let forum = founded.map_err(during("found the forum"))?.into_inner().forum.unwrap_or_default();
        self.forum_id = forum.forum_id;
        self.progress
            .done(days::FOUNDED, &format!("{} founded, counties 19 and 21 together", example::FORUM));
        let request = ConfirmJointForumRequest {
            tenant: example::CO_TENANT.to_owned(),
            forum_id: self.forum_id.clone(),
        };
        let confirmed = self.administrator.forums().confirm_joint_forum(request).await;
        confirmed.map_err(during("confirm the forum for the other county"))?;
        let seats = PLACES.map(|place| MunicipalitySeats {
            municipality: place.municipality.to_owned(),
            seats: place.seats,
        });
        let request = ApproveSeatPlanRequest {
            tenant: example::LEAD.to_owned(),
            forum_id: self.forum_id.clone(),
            total: seats.iter().map(|one| one.seats).sum(),
            seats: seats.into(),
        };
        let total = request.total;
        let approved = self.administrator.forums().approve_seat_plan(request).await;
        approved.map_err(during("approve the seat plan"))?;
        // membership gives roles in forums it has heard of only.
        self.settle().await?;
        self.appoint().await?;
        let done =
            format!("seat plan of {total} seats approved, two election officers and a witness appointed");
        self.progress.done(days::FOUNDED, &done);
        Ok(())
    }

    async fn appoint(&mut self) -> Result<(), Failure> {
        for name in example::OFFICERS {
            let person = self.person(name)?.clone();
            self.assign_in_forum(&person, Role::ElectionOfficer).await?;
            self.officers.push(self.sign_in(&person).await?);
        }
        let witness = self.person(example::WITNESS)?.clone();
        self.assign_in_forum(&witness, Role::ElectionWitness).await?;
        self.witness = Some(self.sign_in(&witness).await?);
        Ok(())
    }
}

/// The example's register of a county.
pub(super) fn register_of(tenant: &str) -> Result<Register, Failure> {
    let found = example::REGISTERS.iter().find(|(county, ..)| *county == tenant);
    let (_, file, text) =
        found.ok_or_else(|| Failure::general(format!("county {tenant} is not in the example")))?;
    let read = |error: Invalid| Failure::general(error.to_string());
    let county = TenantId::new(tenant).map_err(read)?;
    let today = deadline::parse_date(days::REGISTER).map_err(read)?;
    Register::parse(text.as_bytes(), county, today)
        .map_err(|faults| Failure::general(format!("{file}: {faults:?}")))
}
