//! The variants in which a text is published: languages, and the easy-to-read forms of Finnish and Swedish.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A variant of a text: a language, or its easy-to-read form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TextVariant {
    /// Finnish.
    Finnish,
    /// Easy Finnish (selkokieli).
    EasyFinnish,
    /// Swedish.
    Swedish,
    /// Easy Swedish (lättläst).
    EasySwedish,
    /// Northern Sámi.
    NorthernSami,
    /// Inari Sámi.
    InariSami,
    /// Skolt Sámi.
    SkoltSami,
    /// English.
    English,
}

impl TextVariant {
    /// Every variant.
    pub const ALL: [TextVariant; 8] = [
        TextVariant::Finnish,
        TextVariant::EasyFinnish,
        TextVariant::Swedish,
        TextVariant::EasySwedish,
        TextVariant::NorthernSami,
        TextVariant::InariSami,
        TextVariant::SkoltSami,
        TextVariant::English,
    ];

    /// The code in requests, files and databases, for example "fi-selko".
    pub fn as_str(self) -> &'static str {
        match self {
            TextVariant::Finnish => "fi",
            TextVariant::EasyFinnish => "fi-selko",
            TextVariant::Swedish => "sv",
            TextVariant::EasySwedish => "sv-lattlast",
            TextVariant::NorthernSami => "se",
            TextVariant::InariSami => "smn",
            TextVariant::SkoltSami => "sms",
            TextVariant::English => "en",
        }
    }
}

impl fmt::Display for TextVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TextVariant {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        TextVariant::ALL.into_iter().find(|variant| variant.as_str() == code).ok_or_else(|| {
            Invalid::new(
                "a text variant is fi, fi-selko, sv, sv-lattlast, se, smn, sms or en",
                "send one of these codes",
            )
        })
    }
}

impl TryFrom<String> for TextVariant {
    type Error = Invalid;

    fn try_from(code: String) -> Result<Self, Invalid> {
        code.parse()
    }
}

impl From<TextVariant> for String {
    fn from(variant: TextVariant) -> Self {
        variant.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_has_one_code() {
        let codes = TextVariant::ALL.map(|variant| variant.as_str());
        assert_eq!(codes, ["fi", "fi-selko", "sv", "sv-lattlast", "se", "smn", "sms", "en"]);
        for variant in TextVariant::ALL {
            assert_eq!(variant.to_string().parse(), Ok(variant));
            let json = serde_json::to_string(&variant).unwrap();
            assert_eq!(serde_json::from_str::<TextVariant>(&json).unwrap(), variant);
        }
        for wrong in ["", "FI", "fi-FI", "selko", "de"] {
            assert!(wrong.parse::<TextVariant>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn every_language_of_a_county_is_a_variant() {
        for county in crate::reference::counties() {
            for language in county.languages() {
                assert!(language.parse::<TextVariant>().is_ok(), "{} {language:?}", county.code);
            }
        }
    }
}
