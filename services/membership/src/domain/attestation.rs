//! Attestations: the word of a unit's staff that a person is a client of one group in one municipality (M1).
//!
//! An attestation says no reason and no diagnosis, and expires. Who may vote follows from it, so it is made only by
//! staff of the person's own county, for a municipality of that county, and never for oneself.

use kernel::deadline::add_months;
use kernel::{AttestationId, CountBucket, Date, MunicipalityCode, ParticipantId, TenantId, UnitId};

use super::Rejection;
use super::participant::{Participant, PersonId};
use super::tenancy::ServiceUnit;

/// Where an attestation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In force from its first to its last day.
    Active,
    /// Its last day is past.
    Expired,
    /// Taken back.
    Revoked,
    /// The person has left.
    Left,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Active, State::Expired, State::Revoked, State::Left];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Revoked => "revoked",
            State::Left => "left",
        }
    }
}

/// That a person is a client of one group in one municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Id.
    pub id: AttestationId,
    /// The person in the register.
    pub participant: ParticipantId,
    /// County of person, unit and municipality alike.
    pub tenant: TenantId,
    /// Unit whose staff gave their word.
    pub unit: UnitId,
    /// Service group, for example "disability_services".
    pub group: String,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// First day.
    pub attested_on: Date,
    /// Last day.
    pub expires_on: Date,
    /// Where it stands.
    pub state: State,
}

/// What an attestation is made from.
#[derive(Debug, Clone, Copy)]
pub struct Attesting<'a> {
    /// Id of the new attestation.
    pub id: AttestationId,
    /// The person attested.
    pub participant: &'a Participant,
    /// Unit whose staff attests.
    pub unit: &'a ServiceUnit,
    /// Whoever attests: the staff member, or who imports the county's register.
    pub by: PersonId,
    /// Service group.
    pub group: &'a str,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Attestations the person has, ended ones too.
    pub existing: &'a [Attestation],
    /// First day.
    pub today: Date,
    /// Months it is good for, by the county's policy.
    pub months: u32,
}

/// What happened. Never published by itself: others learn totals only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Staff gave their word.
    Attested(Attestation),
    /// It ended, and how.
    Ended(State),
}

/// Makes an attestation (M1).
///
/// # Errors
/// HasLeft, PersonNotInCounty, MunicipalityNotInCounty, AttestsSelf, AttestationInForce.
pub fn attest(asked: &Attesting<'_>) -> Result<Event, Rejection> {
    let Attesting { participant, unit, municipality, today, .. } = *asked;
    if participant.state.is_gone() {
        return Err(Rejection::HasLeft);
    }
    if participant.tenant != unit.tenant {
        return Err(Rejection::PersonNotInCounty);
    }
    if municipality.county_on(today) != Some(unit.tenant) {
        return Err(Rejection::MunicipalityNotInCounty);
    }
    if asked.by == participant.person {
        return Err(Rejection::AttestsSelf);
    }
    let in_force =
        asked.existing.iter().any(|held| held.is_same(asked.group, municipality) && held.is_on(today));
    if in_force {
        return Err(Rejection::AttestationInForce);
    }
    Ok(Event::Attested(Attestation {
        id: asked.id,
        participant: participant.id,
        tenant: unit.tenant,
        unit: unit.id,
        group: asked.group.to_owned(),
        municipality,
        attested_on: today,
        expires_on: add_months(today, asked.months),
        state: State::Active,
    }))
}

impl Attestation {
    /// Whether it is in force on this day.
    pub fn is_on(&self, day: Date) -> bool {
        self.state == State::Active && (self.attested_on..=self.expires_on).contains(&day)
    }

    fn is_same(&self, group: &str, municipality: MunicipalityCode) -> bool {
        self.group == group && self.municipality == municipality
    }

    /// Takes it back.
    ///
    /// # Errors
    /// AttestationEnded.
    pub fn revoke(&self) -> Result<Event, Rejection> {
        if self.state == State::Active {
            Ok(Event::Ended(State::Revoked))
        } else {
            Err(Rejection::AttestationEnded)
        }
    }

    /// Ends it when its last day is past; None while it is not, or if it has ended.
    pub fn expire(&self, today: Date) -> Option<Event> {
        (self.state == State::Active && today > self.expires_on).then_some(Event::Ended(State::Expired))
    }

    /// Ends it because the person leaves; None if it has ended.
    pub fn leave(&self) -> Option<Event> {
        (self.state == State::Active).then_some(Event::Ended(State::Left))
    }

    /// The attestation after the event.
    #[must_use]
    pub fn apply(self, event: &Event) -> Attestation {
        match event {
            Event::Attested(attestation) => attestation.clone(),
            Event::Ended(state) => Attestation { state: *state, ..self },
        }
    }
}

/// The bucket to publish when a count of attested people moves; None if it stays in its bucket, so that no one can
/// tell a single attestation from the events.
pub fn moved_bucket(before: u64, after: u64) -> Option<CountBucket> {
    let bucket = CountBucket::of(after);
    (bucket != CountBucket::of(before)).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use proptest::prelude::*;
    use time::macros::date;

    use super::super::participant::State as PersonState;
    use super::super::participant::tests::participant;
    use super::super::tenancy::UnitKind;
    use super::*;

    fn unit(tenant: &str) -> ServiceUnit {
        ServiceUnit {
            id: UnitId::from_uuid(Uuid::from_u128(9)),
            tenant: TenantId::new(tenant).unwrap(),
            name: "Toimintakeskus".to_owned(),
            kind: UnitKind::DayActivity,
            municipality: MunicipalityCode::new("139").unwrap(),
        }
    }

    fn attested(
        municipality: &str,
        unit: &ServiceUnit,
        existing: &[Attestation],
    ) -> Result<Attestation, Rejection> {
        let participant = participant(PersonState::Active);
        let event = attest(&Attesting {
            id: AttestationId::from_uuid(Uuid::from_u128(5)),
            participant: &participant,
            unit,
            by: PersonId::from(Uuid::from_u128(77)),
            group: "disability_services",
            municipality: MunicipalityCode::new(municipality).unwrap(),
            existing,
            today: date!(2026 - 01 - 15),
            months: 24,
        })?;
        match event {
            Event::Attested(attestation) => Ok(attestation),
            Event::Ended(_) => panic!("attesting ended something"),
        }
    }

    #[test]
    fn m1_one_group_one_municipality_and_an_end_after_24_months() {
        let one = attested("139", &unit("19"), &[]).unwrap();
        assert_eq!(one.expires_on, date!(2028 - 01 - 15));
        assert!(one.is_on(date!(2028 - 01 - 15)));
        assert!(!one.is_on(date!(2028 - 01 - 16)));
        assert!(!one.is_on(date!(2026 - 01 - 14)));
        assert_eq!(
            attested("139", &unit("19"), std::slice::from_ref(&one)),
            Err(Rejection::AttestationInForce)
        );
        assert!(attested("615", &unit("19"), &[one]).is_ok());
    }

    #[test]
    fn m1_only_staff_of_the_persons_county_for_its_municipalities() {
        assert_eq!(attested("139", &unit("21"), &[]), Err(Rejection::PersonNotInCounty));
        assert_eq!(attested("751", &unit("19"), &[]), Err(Rejection::MunicipalityNotInCounty));
    }

    #[test]
    fn m1_nobody_attests_for_themselves() {
        let person = participant(PersonState::Active);
        let refused = attest(&Attesting {
            id: AttestationId::from_uuid(Uuid::nil()),
            participant: &person,
            unit: &unit("19"),
            by: person.person,
            group: "disability_services",
            municipality: MunicipalityCode::new("139").unwrap(),
            existing: &[],
            today: date!(2026 - 01 - 15),
            months: 24,
        });
        assert_eq!(refused, Err(Rejection::AttestsSelf));
    }

    #[test]
    fn an_ended_attestation_ends_once() {
        let one = attested("139", &unit("19"), &[]).unwrap();
        assert_eq!(one.expire(one.expires_on), None, "its last day counts");
        assert_eq!(one.expire(one.expires_on.next_day().unwrap()), Some(Event::Ended(State::Expired)));
        let event = one.revoke().unwrap();
        let revoked = one.apply(&event);
        assert!(!revoked.is_on(date!(2026 - 01 - 15)));
        assert_eq!(revoked.revoke(), Err(Rejection::AttestationEnded));
        assert_eq!(revoked.expire(date!(2030 - 01 - 01)), None);
        assert_eq!(revoked.leave(), None);
        assert!(attested("139", &unit("19"), &[revoked]).is_ok());
    }

    proptest! {
        #[test]
        fn a_bucket_is_told_only_when_it_changes(counts in proptest::collection::vec(0u64..60, 1..40)) {
            let mut before = 0;
            let mut told = CountBucket::Zero;
            for count in counts {
                if let Some(bucket) = moved_bucket(before, count) {
                    prop_assert_ne!(bucket, told);
                    told = bucket;
                }
                prop_assert_eq!(told, CountBucket::of(count));
                before = count;
            }
        }
    }
}
