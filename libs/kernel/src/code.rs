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
