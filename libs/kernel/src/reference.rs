//! Reference data: the counties, the municipalities, and which municipality belonged to which county when.
//!
//! Three files are compiled in: `data/counties.csv`, `data/municipalities.csv` and `data/county_links.csv`. Codes
//! and figures of 31.12.2020 and 31.12.2024 are Statistics Finland's; an empty figure is one nobody has checked.
//! Nothing is taken to last for ever: Vaala left Kainuu for Pohjois-Pohjanmaa at the turn of 2016, and counties may
//! merge, so everything has days of validity. An empty first day means "for as long as anyone here needs", an empty
//! last day means "still".
//!
//! The county codes are used for the time before the counties too (they began in 2023), in the areas they have now.

use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::Date;

use crate::deadline::parse_date;
use crate::{MunicipalityCode, TenantId};

/// A county, the city of Helsinki (which organises its services itself) or the joint authority HUS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct County {
    /// Statistics Finland's code, or "HEL" or "HUS".
    pub code: String,
    /// Name in Finnish.
    pub name_fi: String,
    /// Name in Swedish.
    pub name_sv: String,
    /// Residents on 31.12.2024; none for HUS, whose residents are other counties'.
    pub population_2024: Option<u32>,
    #[serde(rename = "languages")]
    languages_text: String,
}

impl County {
    /// The languages the county must serve in: "fi", "sv", "se", "smn", "sms".
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages_text.split(' ')
    }

    /// Whether the county is bilingual, so that what it publishes needs Swedish as well.
    pub fn is_bilingual(&self) -> bool {
        self.languages().any(|language| language == "sv")
    }
}

/// A municipality.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Municipality {
    /// Statistics Finland's code: three digits.
    pub code: String,
    /// Name in Finnish.
    pub name_fi: String,
    /// Name in Swedish, where a distinct one is in use.
    pub name_sv: Option<String>,
    /// Residents on 31.12.2020.
    pub population_2020: Option<u32>,
    /// Residents on 31.12.2024.
    pub population_2024: Option<u32>,
    /// First day of the municipality.
    #[serde(deserialize_with = "optional_date")]
    pub valid_from: Option<Date>,
    /// Last day of the municipality.
    #[serde(deserialize_with = "optional_date")]
    pub valid_to: Option<Date>,
}

impl Municipality {
    /// Whether the municipality existed on this day.
    pub fn exists_on(&self, date: Date) -> bool {
        is_within(date, self.valid_from, self.valid_to)
    }

    /// The name in Swedish where a distinct one is in use, else in Finnish.
    pub fn swedish_name(&self) -> &str {
        self.name_sv.as_deref().unwrap_or(&self.name_fi)
    }
}

/// That a municipality belonged to a county for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CountyLink {
    /// The municipality's code.
    pub municipality: String,
    /// The county's code.
    pub county: String,
    /// First day.
    #[serde(deserialize_with = "optional_date")]
    pub valid_from: Option<Date>,
    /// Last day.
    #[serde(deserialize_with = "optional_date")]
    pub valid_to: Option<Date>,
}

static COUNTIES: LazyLock<Vec<County>> = LazyLock::new(|| rows(include_str!("../data/counties.csv")));
static MUNICIPALITIES: LazyLock<Vec<Municipality>> =
    LazyLock::new(|| rows(include_str!("../data/municipalities.csv")));
static COUNTY_LINKS: LazyLock<Vec<CountyLink>> =
    LazyLock::new(|| rows(include_str!("../data/county_links.csv")));

/// All counties, in the order of their codes.
pub fn counties() -> &'static [County] {
    &COUNTIES
}

/// All municipalities, in the order of their codes.
pub fn municipalities() -> &'static [Municipality] {
    &MUNICIPALITIES
}

/// All links between municipalities and counties, in the order of municipality and first day.
pub fn county_links() -> &'static [CountyLink] {
    &COUNTY_LINKS
}

/// The county with this code, if there is one.
pub fn county(code: &str) -> Option<&'static County> {
    COUNTIES.binary_search_by(|county| county.code.as_str().cmp(code)).ok().map(|at| &COUNTIES[at])
}

/// The municipality with this code, if there is or was one.
pub fn municipality(code: &str) -> Option<&'static Municipality> {
    MUNICIPALITIES.binary_search_by(|one| one.code.as_str().cmp(code)).ok().map(|at| &MUNICIPALITIES[at])
}

/// The county the municipality belonged to on this day. None on days when the municipality did not exist.
pub fn county_of(municipality: MunicipalityCode, date: Date) -> Option<TenantId> {
    let link = COUNTY_LINKS.iter().find(|link| {
        link.municipality == municipality.as_str() && is_within(date, link.valid_from, link.valid_to)
    })?;
    TenantId::new(&link.county).ok()
}

/// The municipalities that belonged to the county on this day, in the order of their codes.
pub fn municipalities_of(county: TenantId, date: Date) -> impl Iterator<Item = &'static Municipality> {
    let links = COUNTY_LINKS.iter().filter(move |link| {
        link.county == county.as_str() && is_within(date, link.valid_from, link.valid_to)
    });
    links.filter_map(|link| municipality(&link.municipality))
}

fn is_within(date: Date, first: Option<Date>, last: Option<Date>) -> bool {
    first.is_none_or(|first| first <= date) && last.is_none_or(|last| date <= last)
}

/// The rows of a compiled-in file. A file that cannot be read is a fault of the build, found by any test that
/// touches it, so there is nothing to answer but to stop.
pub(crate) fn rows<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let read: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(file.as_bytes()).deserialize().collect();
    read.expect("the data files compiled in are checked by the tests")
}

/// A day as 2015-12-31, or nothing.
fn optional_date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => parse_date(text).map(Some).map_err(serde::de::Error::custom),
    }
}
