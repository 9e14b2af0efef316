//! The layers of a configuration and their merge, with each key checked against the defaults.

use std::collections::BTreeMap;

use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;
use toml::{Table, Value as Toml};

use super::fault::ConfigFault;
use super::{DEFAULTS, show};
use crate::service::Service;

/// Settings that every service has.
pub(super) const OF_EVERY_SERVICE: &str = include_str!("service.toml");
/// Name of the layer below all others.
pub(super) const DEFAULT: &str = "default";
/// What every variable begins with.
const PREFIX: &str = "OSALLISUUS_";
/// Variables with that beginning that are no settings: the name of the file itself, and what the commands of
/// `osallisuus` read. A shell that exports them also starts services.
const NO_SETTINGS: [&str; 8] = [
    "OSALLISUUS_CA",
    "OSALLISUUS_CERT",
    "OSALLISUUS_CONFIG",
    "OSALLISUUS_KEY",
    "OSALLISUUS_OUTPUT",
    "OSALLISUUS_SERVER",
    "OSALLISUUS_SESSION",
    "OSALLISUUS_SESSION_FILE",
];

/// Settings by their dotted names.
type Leaves = BTreeMap<String, Toml>;

/// One layer: a table and its name.
struct Layer {
    name: String,
    table: Table,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        Serialized::defaults(&self.table).data()
    }
}

/// The layers on top of each other.
pub(super) struct Merged {
    figment: Figment,
    keys: Vec<String>,
}

/// A service's own settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    service: String,
    values: Dict,
}

impl Section {
    /// The settings as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigFault> {
        Value::from(self.values.clone()).deserialize().map_err(|error| ConfigFault {
            key: format!("services.{}.{}", self.service, error.path.join(".")),
            value: None,
            from: String::new(),
            rule: error.kind.to_string(),
            remedy: "see the service's defaults".to_owned(),
        })
    }
}

/// Merges the layers. Keys that are unknown or have the wrong type become faults and are left out.
pub(super) fn merge(
    services: &[Service],
    file: Option<(String, String)>,
    environment: impl IntoIterator<Item = (String, String)>,
    faults: &mut Vec<ConfigFault>,
) -> Merged {
    let defaults = defaults(services, faults);
    let known = flatten(&defaults);
    let here = |key: &str| is_checked(key, services);
    let mut figment = Figment::from(Layer { name: DEFAULT.to_owned(), table: defaults });
    if let Some((name, text)) = file {
        match text.parse::<Table>() {
            Ok(table) => {
                let table = checked(flatten(&table), &name, &known, here, faults);
                figment = figment.merge(Layer { table, name });
            }
            Err(error) => faults.push(ConfigFault {
                key: String::new(),
                value: None,
                from: name,
                rule: format!("the file must be TOML ({})", error.message()),
                remedy: line_of(&text, error.span()),
            }),
        }
    }
    for (variable, text) in environment {
        let is_setting = !NO_SETTINGS.contains(&variable.as_str());
        let Some(name) = variable.strip_prefix(PREFIX).filter(|_| is_setting) else {
            continue;
        };
        let key = name.to_lowercase().replace("__", ".");
        let from = format!("environment variable {variable}");
        let leaves = Leaves::from([(key.clone(), from_text(&text, known.get(&key)))]);
        let table = checked(leaves, &from, &known, here, faults);
        figment = figment.merge(Layer { table, name: from });
    }
    let table: Table = figment.extract().unwrap_or_default();
    Merged { keys: flatten(&table).into_keys().collect(), figment }
}

impl Merged {
    /// Everything as `T`.
    pub(super) fn extract<T: DeserializeOwned>(&self) -> Result<T, Box<figment::Error>> {
        self.figment.extract().map_err(Box::new)
    }

    /// Names of all settings.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.keys.iter()
    }

    /// Where a setting was set.
    pub(super) fn origin(&self, key: &str) -> String {
        self.figment.find_metadata(key).map_or_else(|| DEFAULT.to_owned(), |found| found.name.to_string())
    }

    /// A setting's value as TOML, without passwords.
    pub(super) fn shown_value(&self, key: &str) -> String {
        let Ok(value) = self.figment.find_value(key) else { return String::new() };
        match (value.as_str(), value.deserialize::<Toml>()) {
            (Some(text), _) if show::may_be_secret(key) => format!("{:?}", show::without_password(text)),
            (_, Ok(value)) => value.to_string(),
            (_, Err(_)) => String::new(),
        }
    }

    /// The own settings of a service.
    pub(super) fn section(&self, service: &str) -> Section {
        let found = self.figment.find_value(&format!("services.{service}")).ok();
        let mut values = found.and_then(Value::into_dict).unwrap_or_default();
        values.remove("database");
        values.remove("database_owner");
        values.remove("address");
        Section { service: service.to_owned(), values }
    }

    /// A fault of a setting, with its value and origin.
    pub(super) fn fault(&self, key: &str, rule: &str, remedy: &str) -> ConfigFault {
        ConfigFault {
            key: key.to_owned(),
            value: Some(self.shown_value(key)).filter(|value| !value.is_empty()),
            from: self.origin(key),
            rule: rule.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// The defaults of the process: the file's, and those of the services in it.
fn defaults(services: &[Service], faults: &mut Vec<ConfigFault>) -> Table {
    let mut parse = |name: &str, text: &str| {
        text.parse::<Table>().unwrap_or_else(|error| {
            faults.push(ConfigFault {
                key: name.to_owned(),
                value: None,
                from: DEFAULT.to_owned(),
                rule: format!("compiled-in defaults must be TOML ({})", error.message()),
                remedy: "this is a fault of the program".to_owned(),
            });
            Table::new()
        })
    };
    let mut all = parse("", DEFAULTS);
    let mut sections = Table::new();
    for name in service_names(services) {
        let mut section = parse("services", OF_EVERY_SERVICE);
        if let Some(service) = services.iter().find(|service| service.name == name) {
            section.extend(parse(&format!("services.{name}"), service.defaults));
        }
        sections.insert(name.to_owned(), Toml::Table(section));
    }
    all.insert("services".to_owned(), Toml::Table(sections));
    all
}

/// The services of the platform: those of the contracts, and those given.
fn service_names(services: &[Service]) -> Vec<&'static str> {
    let contracts = proto::access::TABLE.iter().map(|entry| entry.service);
    let mut names: Vec<&str> = contracts.chain(services.iter().map(|service| service.name)).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}

/// Processes of one cell share a file: the own settings of a service that does not run here are not ours to judge.
fn is_checked(key: &str, services: &[Service]) -> bool {
    let mut parts = key.split('.');
    let (Some("services"), Some(name), Some(setting)) = (parts.next(), parts.next(), parts.next()) else {
        return true;
    };
    let runs_here = services.iter().any(|service| service.name == name);
    runs_here
        || ["database", "database_owner", "address"].contains(&setting)
        || !service_names(services).contains(&name)
}

fn flatten(table: &Table) -> Leaves {
    fn walk(prefix: &str, table: &Table, leaves: &mut Leaves) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Toml::Table(inner) => walk(&key, inner, leaves),
                _ => {
                    leaves.insert(key, value.clone());
                }
            }
        }
    }
    let mut leaves = Leaves::new();
    walk("", table, &mut leaves);
    leaves
}

/// The table of the leaves that are known and of the right type; the others become faults.
fn checked(
    leaves: Leaves,
    from: &str,
    known: &Leaves,
    is_checked: impl Fn(&str) -> bool,
    faults: &mut Vec<ConfigFault>,
) -> Table {
    let mut table = Table::new();
    for (key, value) in leaves.into_iter().filter(|(key, _)| is_checked(key)) {
        let (rule, remedy) = match known.get(&key) {
            Some(default) if same_type(default, &value) => {
                insert(&mut table, &key, value);
                continue;
            }
            Some(default) => {
                (format!("must be {}", type_name(default)), format!("write something like {default}"))
            }
            None => ("there is no such setting".to_owned(), nearest(&key, known)),
        };
        // An unknown setting may be a misspelt secret.
        let value = (known.contains_key(&key) && !show::may_be_secret(&key)).then(|| value.to_string());
        faults.push(ConfigFault { key, value, from: from.to_owned(), rule, remedy });
    }
    table
}

fn insert(table: &mut Table, key: &str, value: Toml) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Toml::Table(Table::new()));
            if let Toml::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The text of a variable as the type that its setting has: "19" stays text where text is wanted.
fn from_text(text: &str, default: Option<&Toml>) -> Toml {
    let parsed = match default {
        Some(Toml::Boolean(_)) => text.parse().ok().map(Toml::Boolean),
        Some(Toml::Integer(_)) => text.parse().ok().map(Toml::Integer),
        Some(Toml::Float(_)) => text.parse().ok().map(Toml::Float),
        Some(Toml::Array(_)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Toml::Array(items.map(|item| Toml::String(item.to_owned())).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| Toml::String(text.to_owned()))
}

fn same_type(default: &Toml, value: &Toml) -> bool {
    match (default, value) {
        (Toml::Array(_), Toml::Array(items)) => items.iter().all(Toml::is_str),
        (Toml::Float(_), Toml::Integer(_)) => true,
        _ => default.same_type(value),
    }
}

fn type_name(value: &Toml) -> &'static str {
    match value {
        Toml::String(_) => "text in quotes",
        Toml::Integer(_) => "a whole number",
        Toml::Float(_) => "a number",
        Toml::Boolean(_) => "true or false",
        Toml::Array(_) => "a list of texts",
        Toml::Datetime(_) => "a date",
        Toml::Table(_) => "a section",
    }
}

/// What was probably meant: a setting with the same last part, else what there is in the same section.
fn nearest(key: &str, known: &Leaves) -> String {
    let (section, last) = key.rsplit_once('.').unwrap_or(("", key));
    if let Some(alike) = known.keys().find(|known| known.rsplit('.').next() == Some(last)) {
        return format!("did you mean {alike}?");
    }
    let in_section = |known: &&String| known.rsplit_once('.').map_or("", |(section, _)| section) == section;
    let there: Vec<&str> =
        known.keys().filter(in_section).filter_map(|known| known.rsplit('.').next()).collect();
    if there.is_empty() {
        return "see the defaults file for all settings".to_owned();
    }
    format!("there are {}", there.join(", "))
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or_else(
        || "correct the file".to_owned(),
        |before| format!("correct line {}", before.matches('\n').count() + 1),
    )
}
