//! Rows of a county's register file: what each column may hold, and what rows may not share.
//!
//! The same check runs in the command line before anything is sent, and in the service before anything is stored.

use std::collections::HashMap;

use kernel::{Date, Invalid, MunicipalityCode, Role, ScopeKind, TenantId, TextVariant};

use super::participant::Profile;
use super::{role, text};

/// The most rows that are taken at once.
pub const MOST_ROWS: usize = 500;

/// The columns of a file, by the names in its head. The first two must be there.
pub const COLUMNS: [&str; 10] = [
    "register_key",
    "display_name",
    "language",
    "email",
    "phone",
    "identity_link",
    "group",
    "municipality",
    "unit",
    "role",
];
/// How many of [`COLUMNS`] a file must have.
pub const REQUIRED_COLUMNS: usize = 2;

/// A row as it was read, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRow {
    /// Line in the file, from 1.
    pub line: u32,
    /// The cells, in the order of [`COLUMNS`].
    pub cells: [String; COLUMNS.len()],
}

/// A service group, municipality and unit to attest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// Service group.
    pub group: String,
    /// The municipality.
    pub municipality: MunicipalityCode,
}

/// A row whose form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line in the file.
    pub line: u32,
    /// The county's own key.
    pub register_key: String,
    /// Name and addresses.
    pub profile: Profile,
    /// What links one human over counties.
    pub identity_link: Option<String>,
    /// What to attest.
    pub attested: Option<Attested>,
    /// Name of the unit whose staff attests, and in which the role is held.
    pub unit: Option<String>,
    /// The role to give: in the unit if one is named, else in the county.
    pub role: Option<Role>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Line in the file.
    pub line: u32,
    /// Column, by its name in the file's head; empty if the whole line is wrong.
    pub column: &'static str,
    /// What is wrong and what would be right. Never repeats the cell, which may name a person.
    pub reason: String,
}

impl RowFault {
    /// A fault of one cell.
    pub fn new(line: u32, column: &'static str, reason: impl Into<String>) -> Self {
        Self { line, column, reason: reason.into() }
    }
}

/// Checks rows by themselves and against each other: every fault of every row, and the rows that are right.
pub fn check(rows: &[RawRow], tenant: TenantId, today: Date) -> (Vec<Row>, Vec<RowFault>) {
    let mut faults = Vec::new();
    let mut good = Vec::with_capacity(rows.len());
    let mut seen = Seen::default();
    for raw in rows {
        let before = faults.len();
        let row = check_row(raw, tenant, today, &mut faults);
        seen.check(raw, &mut faults);
        if faults.len() == before
            && let Some(row) = row
        {
            good.push(row);
        }
    }
    (good, faults)
}

/// First lines of keys and links, to find the ones that come again.
#[derive(Default)]
struct Seen {
    keys: HashMap<String, u32>,
    links: HashMap<String, u32>,
}

impl Seen {
    fn check(&mut self, raw: &RawRow, faults: &mut Vec<RowFault>) {
        let [key, .., _] = &raw.cells;
        let link = raw.cells[5].trim().to_lowercase();
        let pairs = [(&mut self.keys, key.clone(), COLUMNS[0]), (&mut self.links, link, COLUMNS[5])];
        for (seen, value, column) in pairs {
            if value.is_empty() {
                continue;
            }
            let first = *seen.entry(value).or_insert(raw.line);
            if first != raw.line {
                let reason = format!(
                    "stands on line {first} already; each person has one line, remove one of the two"
                );
                faults.push(RowFault::new(raw.line, column, reason));
            }
        }
    }
}

fn check_row(raw: &RawRow, tenant: TenantId, today: Date, faults: &mut Vec<RowFault>) -> Option<Row> {
    let [key, name, language, email, phone, link, group, municipality, unit, role_name] = &raw.cells;
    let line = raw.line;
    let mut wrong = |column: &'static str, invalid: Invalid| {
        faults.push(RowFault::new(line, column, invalid.to_string()));
    };
    let register_key = text::register_key(key).map_err(|invalid| wrong("register_key", invalid)).ok();
    let display_name = text::name(name).map_err(|invalid| wrong("display_name", invalid)).ok();
    let language: Option<TextVariant> =
        text::language(language).map_err(|invalid| wrong("language", invalid)).ok();
    let email = text::email(email).map_err(|invalid| wrong("email", invalid)).ok();
    let phone = text::phone(phone).map_err(|invalid| wrong("phone", invalid)).ok();
    let identity_link = text::identity_link(link).map_err(|invalid| wrong("identity_link", invalid)).ok();
    let group = optional(group, text::group).map_err(|invalid| wrong("group", invalid)).ok();
    let municipality = optional(municipality, |code| municipality_of(code, tenant, today))
        .map_err(|invalid| wrong("municipality", invalid))
        .ok();
    let unit = optional(unit, text::name).map_err(|invalid| wrong("unit", invalid)).ok();
    let role = optional(role_name, str::parse::<Role>).map_err(|invalid| wrong("role", invalid)).ok();
    let (group, municipality, unit, role) = (group?, municipality?, unit?, role?);

    let attested = attested(line, group, municipality, unit.is_some(), faults)?;
    if let Some(role) = role {
        check_role(line, role, unit.is_some(), faults)?;
    }
    if unit.is_some() && attested.is_none() && role.is_none() {
        faults.push(RowFault::new(
            line,
            "unit",
            "a unit is named for nothing; name a group or a role, or leave it empty",
        ));
        return None;
    }
    let profile = Profile { display_name: display_name?, language: language?, email: email?, phone: phone? };
    Some(Row {
        line,
        register_key: register_key?,
        profile,
        identity_link: identity_link?,
        attested,
        unit,
        role,
    })
}

/// An empty cell is None.
fn optional<T>(cell: &str, read: impl Fn(&str) -> Result<T, Invalid>) -> Result<Option<T>, Invalid> {
    if cell.is_empty() { Ok(None) } else { read(cell).map(Some) }
}

fn municipality_of(code: &str, tenant: TenantId, today: Date) -> Result<MunicipalityCode, Invalid> {
    let code = MunicipalityCode::new(code)?;
    if code.county_on(today) == Some(tenant) {
        return Ok(code);
    }
    Err(Invalid::new(
        "the municipality must belong to the county",
        "send the code of one of the county's municipalities; another county imports its own people",
    ))
}

/// Group, municipality and unit come together or not at all. The outer None is a fault.
fn attested(
    line: u32,
    group: Option<String>,
    municipality: Option<MunicipalityCode>,
    has_unit: bool,
    faults: &mut Vec<RowFault>,
) -> Option<Option<Attested>> {
    let before = faults.len();
    let mut missing = |column, reason: &str| faults.push(RowFault::new(line, column, reason));
    match (group, municipality) {
        (None, None) => return Some(None),
        (Some(_), None) => {
            missing("municipality", "a group needs the municipality; send its three-digit code")
        }
        (None, Some(_)) => {
            missing("group", "a municipality needs the group; send for example disability_services")
        }
        (Some(group), Some(municipality)) => {
            if has_unit {
                return Some(Some(Attested { group, municipality }));
            }
            missing("unit", "a group needs the unit whose staff attests; send the unit's name as registered");
        }
    }
    debug_assert!(faults.len() > before);
    None
}

/// That the role can be held in the unit, or in the county where no unit is named.
fn check_role(line: u32, asked: Role, has_unit: bool, faults: &mut Vec<RowFault>) -> Option<()> {
    let kinds = role::scope_kinds(asked);
    let kind = if has_unit && kinds.contains(&ScopeKind::Unit) { ScopeKind::Unit } else { ScopeKind::Tenant };
    if kinds.contains(&kind) {
        return Some(());
    }
    let reason = if kinds.contains(&ScopeKind::Unit) {
        "this role is held in a unit; name the unit"
    } else {
        "this role cannot be imported; give it with AssignRole"
    };
    faults.push(RowFault::new(line, if kinds.contains(&ScopeKind::Unit) { "unit" } else { "role" }, reason));
    None
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn row(line: u32, cells: [&str; 10]) -> RawRow {
        RawRow { line, cells: cells.map(str::to_owned) }
    }

    fn faults(rows: &[RawRow]) -> Vec<(u32, &'static str)> {
        let (_, faults) = check(rows, TenantId::new("19").unwrap(), date!(2026 - 01 - 15));
        faults.iter().map(|fault| (fault.line, fault.column)).collect()
    }

    const GOOD: [&str; 10] = [
        "A-1",
        "Aino Esimerkki",
        "fi-selko",
        "",
        "",
        "link-1",
        "disability_services",
        "139",
        "Iin toimintakeskus",
        "client_member",
    ];

    fn with(column: usize, cell: &'static str) -> [&'static str; 10] {
        let mut cells = GOOD;
        cells[column] = cell;
        cells
    }

    #[test]
    fn a_good_row_is_taken() {
        let (rows, faults) = check(&[row(2, GOOD)], TenantId::new("19").unwrap(), date!(2026 - 01 - 15));
        assert_eq!(faults, []);
        assert_eq!(rows[0].register_key, "A-1");
        assert_eq!(rows[0].role, Some(Role::ClientMember));
        assert_eq!(rows[0].attested.as_ref().unwrap().municipality.as_str(), "139");
    }

    #[test]
    fn every_wrong_cell_is_named() {
        let wrong: [(usize, &'static str); 9] = [
            (0, "has space"),
            (1, ""),
            (2, "klingon"),
            (3, "nobody"),
            (4, "call me"),
            (6, "Bad Group"),
            (7, "751"),
            (8, ""),
            (9, "emperor"),
        ];
        for (column, cell) in wrong {
            assert_eq!(faults(&[row(2, with(column, cell))]), [(2, COLUMNS[column])], "{cell:?}");
        }
        assert_eq!(faults(&[row(2, with(7, "9"))]), [(2, "municipality")], "nine is not a code");
        assert_eq!(faults(&[row(2, with(7, ""))]), [(2, "municipality")]);
        assert_eq!(faults(&[row(2, with(6, ""))]), [(2, "group")]);
        assert_eq!(
            faults(&[row(2, with(9, "election_officer"))]),
            [(2, "role")],
            "forums are not in the file"
        );
    }

    #[test]
    fn several_faults_of_a_row_are_all_told() {
        let bad = ["", "", "x", "x", "x", "a b", "X", "9", "", "x"];
        let columns: Vec<&str> = faults(&[row(7, bad)]).iter().map(|(_, column)| *column).collect();
        let expected = [
            "register_key",
            "display_name",
            "language",
            "email",
            "phone",
            "identity_link",
            "group",
            "municipality",
            "role",
        ];
        assert_eq!(columns, expected);
    }

    #[test]
    fn keys_and_links_stand_once_in_a_file() {
        let mut other = GOOD;
        other[1] = "Onni Esimerkki";
        assert_eq!(faults(&[row(2, GOOD), row(3, other)]), [(3, "register_key"), (3, "identity_link")]);
        let mut cased = other;
        cased[0] = "A-2";
        cased[5] = "LINK-1";
        assert_eq!(faults(&[row(2, GOOD), row(3, cased)]), [(3, "identity_link")]);
    }
}
