//! A county's register of participants in a CSV file.
//!
//! The file is read and checked as a whole before anything is sent, by the rules that membership itself has: every
//! fault with its line, column and reason. Then membership is asked to check what only it can know (its units, who is
//! there already), still without storing. Only a file without faults is sent, in chunks that may be sent again:
//! running an import twice adds nothing.
//!
//! Columns, in any order, by the names in the first line: `register_key` and `display_name` must be there;
//! `language`, `email`, `phone`, `identity_link`, `group`, `municipality`, `unit` and `role` may be left out. Comma or
//! semicolon, UTF-8, with or without byte order mark.

use std::collections::HashMap;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use kernel::{Date, TenantId};
use membership::domain::import::{self, COLUMNS, REQUIRED_COLUMNS, RawRow};
use proto::membership::{CheckImportRequest, ImportFault, ImportParticipantsRequest, ImportRow};
use serde::Serialize;

use crate::client::Account;
use crate::exit::Failure;

/// Rows sent at a time: within membership's limit of 500 rows and 1 MiB, and often enough for a progress bar.
const CHUNK: usize = 100;
/// The largest file that is read: some 300,000 people.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Faults shown of one file; the rest are counted.
const MAX_FAULTS_SHOWN: usize = 50;

/// Rows of a file, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    /// The rows, with the lines they stand on.
    pub rows: Vec<ImportRow>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Rows in the file.
    pub rows: usize,
    /// People added.
    pub added: u32,
    /// People who were there with other data, now as in the file.
    pub updated: u32,
    /// People who were there just so.
    pub unchanged: u32,
}

impl Register {
    /// Reads the file of a county. `today` decides which municipalities belong to it.
    ///
    /// # Errors
    /// If it cannot be read, or has faults: all of them.
    pub fn load(file: &Path, tenant: TenantId, today: Date) -> Result<Self, Failure> {
        let read = || {
            let length = std::fs::metadata(file)?.len();
            if length > MAX_BYTES {
                let message = format!("the file has {length} bytes; the most is {MAX_BYTES}");
                return Err(Failure::general(message).remedy("Split it into several files."));
            }
            Ok(std::fs::read(file)?)
        };
        let bytes = read().map_err(|failure: Failure| failure.during(file.display()))?;
        Self::parse(&bytes, tenant, today).map_err(|faults| refused(file, &faults))
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// Every fault that can be seen without membership.
    pub fn parse(bytes: &[u8], tenant: TenantId, today: Date) -> Result<Self, Vec<ImportFault>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                return Err(vec![fault(line, "", "the text is not UTF-8; save the file as \"CSV UTF-8\"")]);
            }
        };
        let first = text.lines().next().unwrap_or_default();
        let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
        let head = match reader.headers() {
            Ok(head) => Head::read(head)?,
            Err(error) => return Err(vec![fault(1, "", &error.to_string())]),
        };
        let mut rows = Vec::new();
        let mut faults = Vec::new();
        for record in reader.into_records() {
            match record {
                Ok(record) => rows.extend(head.row(&record, &mut faults)),
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    faults.push(fault(line, "", &error.to_string()));
                }
            }
        }
        let (_, found) = import::check(&rows, tenant, today);
        faults.extend(found.iter().map(|found| fault(found.line, found.column, &found.reason)));
        if rows.is_empty() && faults.is_empty() {
            faults.push(fault(1, "", "there are no rows under the first line"));
        }
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() { Ok(Self { rows: rows.into_iter().map(sent).collect() }) } else { Err(faults) }
    }

    /// Lets membership check the rows and then stores them. `progress` is told how many rows are stored.
    ///
    /// # Errors
    /// The faults that membership finds, before anything is stored; what it answers otherwise.
    pub async fn send(
        &self,
        account: &Account,
        tenant: &str,
        file: &Path,
        progress: impl Fn(usize),
    ) -> Result<Imported, Failure> {
        let mut faults = Vec::new();
        for rows in self.rows.chunks(CHUNK) {
            let request = CheckImportRequest { tenant: tenant.to_owned(), rows: rows.to_vec() };
            faults.extend(account.participants().check_import(request).await?.into_inner().faults);
        }
        if !faults.is_empty() {
            return Err(refused(file, &faults));
        }
        let mut imported = Imported::default();
        for rows in self.rows.chunks(CHUNK) {
            let request = ImportParticipantsRequest { tenant: tenant.to_owned(), rows: rows.to_vec() };
            let answer = account.participants().import_participants(request).await?.into_inner();
            imported.rows += rows.len();
            imported.added += answer.added;
            imported.updated += answer.updated;
            imported.unchanged += answer.unchanged;
            progress(imported.rows);
        }
        Ok(imported)
    }
}

/// Where each column stands.
struct Head {
    places: HashMap<&'static str, usize>,
    width: usize,
}

impl Head {
    fn read(head: &StringRecord) -> Result<Self, Vec<ImportFault>> {
        let mut places = HashMap::new();
        let mut faults = Vec::new();
        for (place, name) in head.iter().enumerate() {
            let name = name.trim();
            match COLUMNS.iter().find(|column| **column == name) {
                None => {
                    let reason = format!("there is no such column; the columns are {}", COLUMNS.join(", "));
                    faults.push(fault(1, name, &reason));
                }
                Some(column) if places.insert(*column, place).is_some() => {
                    faults.push(fault(1, name, "the column is there twice"));
                }
                Some(_) => {}
            }
        }
        for column in &COLUMNS[..REQUIRED_COLUMNS] {
            if !places.contains_key(column) {
                faults.push(fault(1, column, "the column is missing"));
            }
        }
        if faults.is_empty() { Ok(Self { places, width: head.len() }) } else { Err(faults) }
    }

    /// The cells of a line in their usual order; none if the line has too many or too few.
    fn row(&self, record: &StringRecord, faults: &mut Vec<ImportFault>) -> Option<RawRow> {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != self.width {
            let reason = format!("the line has {} fields and the first line {}", record.len(), self.width);
            faults.push(fault(line, "", &reason));
            return None;
        }
        let cell =
            |column: &str| self.places.get(column).and_then(|place| record.get(*place)).unwrap_or_default();
        let cells = COLUMNS.map(|column| cell(column).trim().to_owned());
        Some(RawRow { line: u32::try_from(line).unwrap_or(u32::MAX), cells })
    }
}

/// A row as it is sent.
fn sent(row: RawRow) -> ImportRow {
    let [register_key, display_name, language, email, phone, identity_link, group, municipality, unit, role] =
        row.cells;
    ImportRow {
        line: row.line,
        register_key,
        display_name,
        language,
        email,
        phone,
        identity_link,
        group,
        municipality,
        unit,
        role,
    }
}

fn fault(line: impl TryInto<u32>, column: &str, reason: &str) -> ImportFault {
    let line = line.try_into().unwrap_or(u32::MAX);
    ImportFault { line, column: column.to_owned(), reason: reason.to_owned() }
}

fn refused(file: &Path, faults: &[ImportFault]) -> Failure {
    let name = file.display();
    let count = faults.len();
    let plural = if count == 1 { "fault" } else { "faults" };
    let shown = faults.iter().take(MAX_FAULTS_SHOWN).map(|fault| match fault.column.as_str() {
        "" => format!("line {}: {}", fault.line, fault.reason),
        column => format!("line {}, column {column}: {}", fault.line, fault.reason),
    });
    let left_out = count.saturating_sub(MAX_FAULTS_SHOWN);
    let rest = (left_out > 0).then(|| format!("and {left_out} more"));
    Failure::general(format!("{name} has {count} {plural}; nothing was sent to be stored"))
        .details(shown.chain(rest))
        .remedy("Correct the file and run the import again.")
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<Register, Vec<ImportFault>> {
        let county = TenantId::new("19").expect("a county");
        Register::parse(bytes, county, date!(2026 - 02 - 16))
    }

    fn faults(text: &str) -> Vec<(u32, String)> {
        let faults = parse(text.as_bytes()).expect_err("faults");
        faults.into_iter().map(|fault| (fault.line, fault.column)).collect()
    }

    #[test]
    fn every_fault_of_every_line_is_named_with_line_and_column() {
        let text = "register_key,display_name,language,municipality,group,unit,role\n\
                    A1,Aino Aalto,fi,139,disability_services,Iin päivätoiminta,\n\
                    A2,,xx,9,disability_services,,boss\n\
                    A1,\"Two\nlines\",,,,,\n\
                    A3,Short\n\
                    A4,Eero Ek,,139,,Iin päivätoiminta,\n\
                    A5,Simo Salo,,751,disability_services,Simon päivätoiminta,\n";
        let expected = [
            (3, "display_name"),
            (3, "language"),
            (3, "municipality"),
            (3, "role"),
            (4, "display_name"),
            (4, "register_key"),
            (6, ""),
            (7, "group"),
            (8, "municipality"),
        ];
        let expected: Vec<_> = expected.map(|(line, column)| (line, column.to_owned())).into();
        assert_eq!(faults(text), expected);
    }

    #[test]
    fn a_head_with_unknown_double_or_missing_columns_is_refused() {
        let found = faults("register_key,name,register_key\nA1,Aino,A1\n");
        let columns: Vec<&str> = found.iter().map(|(_, column)| column.as_str()).collect();
        assert_eq!(columns, ["name", "register_key", "display_name"]);
    }

    #[test]
    fn semicolons_and_a_byte_order_mark_are_understood() {
        let text = "\u{feff}register_key;display_name\nA1;Åsa Öhman, the elder\n";
        let register = parse(text.as_bytes()).expect("a register");
        assert_eq!(register.rows[0].display_name, "Åsa Öhman, the elder");
        assert_eq!(register.rows[0].line, 2);
    }

    #[test]
    fn text_that_is_not_utf8_is_named_with_its_line() {
        let found = parse(b"register_key,display_name\nA1,Aino\nA2,J\xe4rvi\n").expect_err("faults");
        assert_eq!(found[0].line, 3);
        assert!(found[0].reason.contains("UTF-8"));
    }

    #[test]
    fn an_empty_file_and_one_without_rows_are_refused() {
        assert_eq!(faults("").len(), 2, "both required columns are missing");
        assert_eq!(faults("register_key,display_name\n"), [(1, String::new())]);
    }
}
