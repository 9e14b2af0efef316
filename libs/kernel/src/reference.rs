//! Reference data: the counties, the municipalities, and which municipality belonged to which county when.
//!
//! Three files are compiled in: `data/counties.csv`, `data/municipalities.csv` and `data/county_links.csv`. Codes
//! and figures of 31.12.2020 and 31.12.2024 are Statistics Finland's; an empty figure is one nobody has checked.
//! Åland is left out, as the platform's law does not reach there, and so are municipalities that ended before 2019.
//!
//! Nothing is taken to last for ever: Pertunmaa joined Mäntyharju, Vaala left Kainuu for Pohjois-Pohjanmaa, counties
//! may merge; so everything has days of validity. An empty first day means "for as long as anyone here needs", an
//! empty last day means "still". The county codes are used for the time before the counties too (they began in
//! 2023), for the areas they have now.

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

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 03 - 02);

    fn county_on(code: &str, date: Date) -> Option<&'static str> {
        county_of(MunicipalityCode::new(code).unwrap(), date).map(|county| county.as_str())
    }

    #[test]
    fn there_are_21_counties_helsinki_and_hus() {
        let codes: Vec<&str> = counties().iter().map(|county| county.code.as_str()).collect();
        let mut expected: Vec<String> = (1..=21).map(|number| format!("{number:02}")).collect();
        expected.extend(["HEL".to_owned(), "HUS".to_owned()]);
        assert_eq!(codes, expected);
        // The 22 figures sum to the population of Finland without Åland on 31.12.2024.
        assert_eq!(counties().iter().filter_map(|county| county.population_2024).sum::<u32>(), 5_605_317);
        let bilingual = counties().iter().filter(|county| county.is_bilingual()).count();
        assert_eq!(bilingual, 9, "01, 03, 04, 05, 10, 17, 18, Helsinki and HUS are bilingual");
    }

    #[test]
    fn codes_are_sorted_and_unique_so_that_they_can_be_looked_up() {
        assert!(counties().is_sorted_by(|a, b| a.code < b.code));
        assert!(municipalities().is_sorted_by(|a, b| a.code < b.code));
        for one in counties() {
            assert_eq!(county(&one.code), Some(one));
        }
        for one in municipalities() {
            assert_eq!(municipality(&one.code), Some(one));
            assert_eq!(one.code.len(), 3);
            assert!(!one.name_fi.is_empty());
        }
    }

    #[test]
    fn every_municipality_belongs_to_exactly_one_county_on_each_day_it_exists() {
        for one in municipalities() {
            let days = [
                date!(1997 - 01 - 01),
                date!(2015 - 12 - 31),
                date!(2016 - 01 - 01),
                date!(2020 - 12 - 31),
                TODAY,
            ];
            for day in days {
                let held = county_links().iter().filter(|link| {
                    link.municipality == one.code && is_within(day, link.valid_from, link.valid_to)
                });
                let expected = usize::from(one.exists_on(day));
                assert_eq!(held.count(), expected, "{} on {day}", one.name_fi);
            }
        }
        for link in county_links() {
            assert!(municipality(&link.municipality).is_some() && county(&link.county).is_some(), "{link:?}");
        }
    }

    #[test]
    fn there_are_as_many_municipalities_as_published_for_each_year() {
        // Published totals less the 16 of Åland.
        let totals = [
            (date!(2019 - 12 - 31), 311 - 16),
            (date!(2020 - 12 - 31), 310 - 16),
            (date!(2024 - 12 - 31), 309 - 16),
            (date!(2025 - 01 - 01), 308 - 16),
        ];
        for (day, total) in totals {
            assert_eq!(municipalities().iter().filter(|one| one.exists_on(day)).count(), total, "{day}");
        }
    }

    #[test]
    fn each_county_has_its_municipalities() {
        let counts = counties().iter().map(|county| {
            let tenant = TenantId::new(&county.code).unwrap();
            municipalities_of(tenant, TODAY).count()
        });
        let expected = [
            7, 6, 10, 2, 27, 16, 11, 23, 10, 6, 9, 11, 19, 13, 22, 18, 14, 8, 30, 8, 21,
            /* Helsinki */ 1, /* HUS */ 0,
        ];
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn five_municipalities_changed_county_at_the_turn_of_2021() {
        for (code, before, after) in [
            ("142", "10", "09"),
            ("090", "12", "14"),
            ("152", "17", "16"),
            ("171", "12", "13"),
            ("291", "15", "08"),
        ] {
            assert_eq!(county_on(code, date!(2020 - 12 - 31)), Some(before), "{code}");
            assert_eq!(county_on(code, date!(2021 - 01 - 01)), Some(after), "{code}");
        }
    }

    #[test]
    fn a_municipality_that_ended_has_no_county_afterwards() {
        assert_eq!(county_on("588", date!(2024 - 12 - 31)), Some("12"), "Pertunmaa");
        assert_eq!(county_on("588", date!(2025 - 01 - 01)), None, "part of Mäntyharju");
    }

    #[test]
    fn pohjois_pohjanmaa_has_its_30_municipalities() {
        let pohde = TenantId::new("19").unwrap();
        let members: Vec<&Municipality> = municipalities_of(pohde, TODAY).collect();
        let codes: Vec<&str> = members.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "009", "069", "071", "072", "139", "208", "244", "305", "317", "425", "436", "483", "494",
                "535", "563", "564", "615", "625", "626", "630", "678", "691", "746", "748", "785", "791",
                "832", "859", "889", "977"
            ]
        );
        assert_eq!(members.iter().filter_map(|one| one.population_2020).sum::<u32>(), 413_830);
        // Six figures of 2024 have not been retrieved; the county's total is known from elsewhere.
        assert_eq!(members.iter().filter_map(|one| one.population_2024).sum::<u32>(), 382_782);
    }

    #[test]
    fn oulunkaari_crosses_two_counties() {
        let region = ["139", "615", "751", "785", "889"];
        let population: u32 = region.iter().filter_map(|code| municipality(code)?.population_2020).sum();
        assert_eq!(population, 25_933);
        let counties = region.map(|code| county_on(code, TODAY).unwrap());
        assert_eq!(counties, ["19", "19", "21", "19", "19"], "Simo is in Lapland");
    }

    #[test]
    fn vaala_belonged_to_kainuu_until_the_end_of_2015() {
        assert_eq!(county_on("785", date!(2015 - 12 - 31)), Some("20"));
        assert_eq!(county_on("785", date!(2016 - 01 - 01)), Some("19"));
        let kainuu = TenantId::new("20").unwrap();
        assert_eq!(
            municipalities_of(kainuu, date!(2015 - 12 - 31)).filter(|one| one.code == "785").count(),
            1
        );
        assert_eq!(municipalities_of(kainuu, TODAY).filter(|one| one.code == "785").count(), 0);
    }

    #[test]
    fn swedish_names_are_given_where_there_are_any() {
        assert_eq!(municipality("139").unwrap().swedish_name(), "Ijo");
        assert_eq!(municipality("615").unwrap().swedish_name(), "Pudasjärvi");
    }

    #[test]
    #[should_panic(expected = "the data files compiled in are checked by the tests")]
    fn a_broken_data_file_stops_the_program() {
        rows::<CountyLink>("municipality,county,valid_from,valid_to\n139,19,2016-13-01,\n");
    }
}
