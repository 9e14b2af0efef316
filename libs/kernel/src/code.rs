//! County and municipality codes, checked against the reference data when they are made.
//!
//! A code that exists as a value is a code that exists in Finland, so nothing further in needs to check it.
//! Zeros count: the code of Alavieska is "009", and "9" is refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::Invalid;
use crate::reference::{self, County, Municipality};

/// A county (wellbeing services county): the tenant all rows, events and keys belong to.
///
/// The code of Statistics Finland, "01" to "21", or the own code "HEL" (Helsinki) or "HUS".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(&'static str);

impl TenantId {
    /// The county with this code. [`Invalid`] if there is none.
    pub fn new(code: &str) -> Result<Self, Invalid> {
        match reference::county(code) {
            Some(county) => Ok(Self(&county.code)),
            None => Err(Invalid::new(
                "a county code is two digits from \"01\" to \"21\", or \"HEL\" or \"HUS\"",
                "send the code of an existing county, for example \"19\" for Pohjois-Pohjanmaa",
            )),
        }
    }

    /// The code, for example "19".
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// Names, population and languages of the county. None only if the data file lost the row, which a
    /// [`TenantId`] rules out.
    pub fn county(&self) -> Option<&'static County> {
        reference::county(self.0)
    }
}

/// A municipality: exactly three digits, zeros kept, for example "009".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MunicipalityCode(&'static str);

impl MunicipalityCode {
    /// The municipality with this code, past ones included. [`Invalid`] if the code has not three digits or
    /// no municipality has it.
    pub fn new(code: &str) -> Result<Self, Invalid> {
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::new(
                "a municipality code has exactly three digits, zeros included",
                "send \"009\", not \"9\", for Alavieska",
            ));
        }
        match reference::municipality(code) {
            Some(municipality) => Ok(Self(&municipality.code)),
            None => Err(Invalid::new(
                "the municipality must be in the reference data",
                "send the code of an existing municipality, for example \"139\" for Ii",
            )),
        }
    }

    /// The code, for example "009".
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// Names and populations. None only if the data file lost the row, which a [`MunicipalityCode`] rules out.
    pub fn municipality(&self) -> Option<&'static Municipality> {
        reference::municipality(self.0)
    }

    /// The county the municipality belonged to on this day. None on days when it did not exist.
    pub fn county_on(&self, date: Date) -> Option<TenantId> {
        reference::county_of(*self, date)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for TenantId {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        Self::new(code)
    }
}

impl FromStr for MunicipalityCode {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        Self::new(code)
    }
}

impl TryFrom<String> for TenantId {
    type Error = Invalid;

    fn try_from(code: String) -> Result<Self, Invalid> {
        Self::new(&code)
    }
}

impl TryFrom<String> for MunicipalityCode {
    type Error = Invalid;

    fn try_from(code: String) -> Result<Self, Invalid> {
        Self::new(&code)
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0.to_owned()
    }
}

impl From<MunicipalityCode> for String {
    fn from(code: MunicipalityCode) -> Self {
        code.0.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    #[test]
    fn a_municipality_code_keeps_its_zeros() {
        assert_eq!(MunicipalityCode::new("009").unwrap().to_string(), "009");
        for wrong in ["9", "09", "0009", " 009", "009 ", "00a", "", "00９", "-09", "+09"] {
            let refused = MunicipalityCode::new(wrong).unwrap_err();
            assert!(refused.rule.contains("three digits"), "{wrong:?}: {refused}");
        }
    }

    #[test]
    fn an_unknown_municipality_is_refused() {
        for unknown in ["000", "001", "999"] {
            let refused = MunicipalityCode::new(unknown).unwrap_err();
            assert!(refused.rule.contains("reference data"), "{unknown}: {refused}");
        }
    }

    #[test]
    fn an_unknown_county_is_refused() {
        for code in ["01", "19", "21", "HEL", "HUS"] {
            assert_eq!(TenantId::new(code).unwrap().as_str(), code);
        }
        for unknown in ["", "1", "00", "22", "019", "hel", "19 ", "Pohde"] {
            assert!(TenantId::new(unknown).is_err(), "{unknown:?} was taken");
        }
    }

    #[test]
    fn codes_are_texts_in_json_and_checked_on_the_way_in() {
        let pair: (TenantId, MunicipalityCode) = serde_json::from_str(r#"["19","139"]"#).unwrap();
        assert_eq!(serde_json::to_string(&pair).unwrap(), r#"["19","139"]"#);
        assert!(serde_json::from_str::<TenantId>(r#""99""#).is_err());
        assert!(serde_json::from_str::<MunicipalityCode>("139").is_err(), "a number would lose its zeros");
    }

    #[test]
    fn a_code_knows_its_names_and_county() {
        let ii = MunicipalityCode::new("139").unwrap();
        assert_eq!(ii.municipality().unwrap().name_fi, "Ii");
        assert_eq!(
            ii.county_on(date!(2026 - 03 - 02)).unwrap().county().unwrap().name_sv,
            "Norra Österbottens välfärdsområde"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_either_refused_or_read_back_the_same(text in "\\PC{0,5}") {
            if let Ok(code) = MunicipalityCode::new(&text) {
                prop_assert_eq!(code.as_str(), &text);
            }
            if let Ok(tenant) = TenantId::new(&text) {
                prop_assert_eq!(tenant.as_str(), &text);
            }
        }
    }
}
