//! Picture symbols: codes of neutral pictures. The picture itself is the portal's business.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use kernel::Invalid;
use serde::Deserialize;

/// A picture symbol of the built-in list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Row {
    code: String,
    fi: String,
    sv: String,
}

static SYMBOLS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let file = include_str!("../../../data/symbols.csv");
    let read: Result<Vec<Row>, csv::Error> =
        csv::Reader::from_reader(file.as_bytes()).deserialize().collect();
    // A file compiled in that cannot be read is a fault of the build, found by the tests.
    read.unwrap_or_default()
});

/// The code of a picture of the built-in list `data/symbols.csv`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol(&'static Row);

impl Symbol {
    /// Every symbol, by code.
    pub fn all() -> impl Iterator<Item = Symbol> {
        SYMBOLS.iter().map(Symbol)
    }

    /// The code, for example "outdoors".
    pub fn code(self) -> &'static str {
        &self.0.code
    }

    /// What it shows, in Finnish.
    pub fn label_fi(self) -> &'static str {
        &self.0.fi
    }

    /// What it shows, in Swedish.
    pub fn label_sv(self) -> &'static str {
        &self.0.sv
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({})", self.code())
    }
}

impl FromStr for Symbol {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        Symbol::all().find(|symbol| symbol.code() == code).ok_or_else(|| {
            Invalid::new(
                "a picture is one of the built-in list",
                "send a code of ListSymbols, for example \"outdoors\"",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_built_in_list_has_a_code_and_two_labels_each() {
        let codes: BTreeSet<&str> = Symbol::all().map(Symbol::code).collect();
        assert_eq!(codes.len(), Symbol::all().count(), "a code stands twice");
        assert!(codes.len() >= 40, "the file was not read");
        for symbol in Symbol::all() {
            assert!(symbol.code().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{symbol:?}");
            assert!(!symbol.label_fi().is_empty() && !symbol.label_sv().is_empty(), "{symbol:?}");
            assert_eq!(symbol.code().parse(), Ok(symbol));
        }
        assert!("outdoors".parse::<Symbol>().is_ok());
        assert!("Outdoors".parse::<Symbol>().is_err());
        assert!("".parse::<Symbol>().is_err());
    }
}
