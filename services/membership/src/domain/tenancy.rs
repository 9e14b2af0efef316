//! What a county decides about itself: policy values with dates, regions, service units.

use kernel::{Date, MunicipalityCode, PolicyKey, RegionId, TenantId, UnitId};

use super::Rejection;

/// A policy value of a county from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The county.
    pub tenant: TenantId,
    /// What is set.
    pub key: PolicyKey,
    /// The value, in the key's unit.
    pub value: u32,
    /// First day on which it holds.
    pub valid_from: Date,
}

/// A named set of municipalities, which may cross county borders (S1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Id.
    pub id: RegionId,
    /// County that keeps it.
    pub tenant: TenantId,
    /// Name in Finnish.
    pub name: String,
    /// Municipalities, in the order of their codes, none twice.
    pub municipalities: Vec<MunicipalityCode>,
    /// First day on which it holds.
    pub valid_from: Date,
}

/// Kind of service unit (S1.42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitKind {
    /// Työtoiminta.
    WorkActivity,
    /// Päivätoiminta.
    DayActivity,
    /// Asumispalvelut.
    Housing,
    /// Other support services.
    OtherSupport,
}

impl UnitKind {
    /// Every kind.
    pub const ALL: [UnitKind; 4] =
        [UnitKind::WorkActivity, UnitKind::DayActivity, UnitKind::Housing, UnitKind::OtherSupport];

    /// The word in events and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            UnitKind::WorkActivity => "work_activity",
            UnitKind::DayActivity => "day_activity",
            UnitKind::Housing => "housing",
            UnitKind::OtherSupport => "other_support",
        }
    }
}

/// A service unit (toimintayksikkö).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUnit {
    /// Id.
    pub id: UnitId,
    /// Its county.
    pub tenant: TenantId,
    /// Name in Finnish, unique in the county.
    pub name: String,
    /// Kind.
    pub kind: UnitKind,
    /// Where it is.
    pub municipality: MunicipalityCode,
}

/// What happened. All of it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A policy value was set.
    PolicySet(Policy),
    /// A region was defined.
    RegionDefined(Region),
    /// A unit was registered.
    UnitRegistered(ServiceUnit),
}

/// Sets a policy value. `existing` says whether a value is there for the same key and day.
///
/// # Errors
/// PolicyHasBegun for days past, and for today if a value began today already: what has been decided by can be
/// looked up for ever.
pub fn set_policy(policy: Policy, existing: bool, today: Date) -> Result<Event, Rejection> {
    let has_begun = policy.valid_from < today || (policy.valid_from == today && existing);
    if has_begun { Err(Rejection::PolicyHasBegun) } else { Ok(Event::PolicySet(policy)) }
}

/// Defines a region.
///
/// # Errors
/// MunicipalityNotThen; RegionElsewhere if none of the municipalities is the county's own.
pub fn define_region(mut region: Region) -> Result<Event, Rejection> {
    region.municipalities.sort();
    region.municipalities.dedup();
    let counties: Option<Vec<TenantId>> =
        region.municipalities.iter().map(|one| one.county_on(region.valid_from)).collect();
    let counties = counties.ok_or(Rejection::MunicipalityNotThen)?;
    if counties.contains(&region.tenant) {
        Ok(Event::RegionDefined(region))
    } else {
        Err(Rejection::RegionElsewhere)
    }
}

/// Registers a service unit.
///
/// # Errors
/// MunicipalityNotInCounty.
pub fn register_unit(unit: ServiceUnit, today: Date) -> Result<Event, Rejection> {
    if unit.municipality.county_on(today) == Some(unit.tenant) {
        Ok(Event::UnitRegistered(unit))
    } else {
        Err(Rejection::MunicipalityNotInCounty)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use time::macros::date;

    use super::*;

    fn codes(codes: &[&str]) -> Vec<MunicipalityCode> {
        codes.iter().map(|code| MunicipalityCode::new(code).unwrap()).collect()
    }

    fn region(tenant: &str, municipalities: &[&str]) -> Region {
        Region {
            id: RegionId::from_uuid(Uuid::nil()),
            tenant: TenantId::new(tenant).unwrap(),
            name: "Oulunkaari".to_owned(),
            municipalities: codes(municipalities),
            valid_from: date!(2026 - 01 - 01),
        }
    }

    #[test]
    fn s1_4_oulunkaari_crosses_the_border_to_lapland() {
        let Ok(Event::RegionDefined(defined)) =
            define_region(region("19", &["889", "139", "615", "785", "751"]))
        else {
            panic!("Oulunkaari was refused")
        };
        assert_eq!(defined.municipalities, codes(&["139", "615", "751", "785", "889"]));
        assert!(define_region(region("21", &["139", "751"])).is_ok());
    }

    #[test]
    fn a_region_has_a_municipality_of_its_own_county() {
        assert_eq!(define_region(region("21", &["139"])), Err(Rejection::RegionElsewhere));
    }

    #[test]
    fn policy_is_not_changed_for_days_that_have_begun() {
        let policy = |valid_from| Policy {
            tenant: TenantId::new("19").unwrap(),
            key: PolicyKey::TallyThreshold,
            value: 30,
            valid_from,
        };
        let today = date!(2026 - 03 - 02);
        assert_eq!(set_policy(policy(date!(2026 - 03 - 01)), false, today), Err(Rejection::PolicyHasBegun));
        assert!(set_policy(policy(today), false, today).is_ok());
        assert_eq!(set_policy(policy(today), true, today), Err(Rejection::PolicyHasBegun));
        assert!(set_policy(policy(date!(2026 - 03 - 03)), true, today).is_ok());
    }

    #[test]
    fn a_unit_is_in_a_municipality_of_its_county() {
        let unit = |municipality: &str| ServiceUnit {
            id: UnitId::from_uuid(Uuid::nil()),
            tenant: TenantId::new("19").unwrap(),
            name: "Iin toimintakeskus".to_owned(),
            kind: UnitKind::DayActivity,
            municipality: MunicipalityCode::new(municipality).unwrap(),
        };
        assert!(register_unit(unit("139"), date!(2026 - 03 - 02)).is_ok());
        assert_eq!(
            register_unit(unit("751"), date!(2026 - 03 - 02)),
            Err(Rejection::MunicipalityNotInCounty),
            "Simo is in Lapland"
        );
    }
}
