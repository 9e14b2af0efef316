//! What is wrong with a configuration.

use std::fmt;

/// One fault: which setting, what it says, where it was set, the rule it breaks and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Dotted name of the setting; empty if the fault is the file's.
    pub key: String,
    /// What was set; None if nothing was, or if it may hold a secret.
    pub value: Option<String>,
    /// Where it was set, for example "file osallisuus.toml"; empty if nowhere.
    pub from: String,
    /// The rule it breaks.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.key.is_empty() { "configuration" } else { &self.key })?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if !self.from.is_empty() {
            write!(f, " ({})", self.from)?;
        }
        write!(f, ": {}; {}", self.rule, self.remedy)
    }
}

/// All faults of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults {
    faults: Vec<ConfigFault>,
}

impl ConfigFaults {
    pub(crate) fn new(mut faults: Vec<ConfigFault>) -> Self {
        faults.sort_by(|a, b| a.key.cmp(&b.key));
        Self { faults }
    }

    /// The faults, by key.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }
}

impl fmt::Display for ConfigFaults {
    /// One line for each fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.faults.len())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}
