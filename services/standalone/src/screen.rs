//! What a command prints: tables and sentences for people, one JSON document for programs.
//!
//! Results go to standard output, progress and failures to standard error. Colour is used only on a terminal and
//! never when `NO_COLOR` is set. A reader who closes the pipe early (`| head`) ends the output, not the command.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use serde::Serialize;

use crate::exit::Failure;

/// Form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Tables and sentences.
    #[default]
    Text,
    /// One JSON document on standard output; failures as JSON on standard error.
    Json,
}

/// Where a command prints to.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    format: Format,
    bold: bool,
    progress: bool,
}

impl Screen {
    /// A screen for this process's standard output and error.
    pub fn new(format: Format) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            format,
            bold: format == Format::Text && !plain && io::stdout().is_terminal(),
            progress: format == Format::Text,
        }
    }

    /// Whether a program reads the output.
    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Whether progress is told on standard error.
    pub fn shows_progress(self) -> bool {
        self.progress
    }

    /// Prints the result: `text` for people, or `value` as JSON.
    pub fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let output = match self.format {
            Format::Text => text(),
            Format::Json => serde_json::to_string_pretty(value).map_err(|error| {
                Failure::general(format!("the result cannot be written as JSON: {error}"))
            })?,
        };
        print(io::stdout(), &output)
    }

    /// Prints a line for people only, to standard output.
    pub fn say(self, line: &str) -> Result<(), Failure> {
        if self.is_json() { Ok(()) } else { print(io::stdout(), line) }
    }

    /// Prints a line to standard output, in either form.
    pub fn line(self, line: &str) -> Result<(), Failure> {
        print(io::stdout(), line)
    }

    /// Tells progress or a warning, to standard error.
    pub fn note(self, line: &str) {
        if self.progress {
            let _ = print(io::stderr(), line);
        }
    }

    /// Tells progress to a program: one line of JSON on standard error. Nothing in the form for people.
    pub fn tell(self, value: &impl Serialize) {
        if self.is_json()
            && let Ok(line) = serde_json::to_string(value)
        {
            let _ = print(io::stderr(), &line);
        }
    }

    /// Tells why the command failed, to standard error.
    pub fn failure(self, failure: &Failure) {
        let output = match self.format {
            Format::Text => format!("osallisuus: {failure}"),
            Format::Json => serde_json::json!({ "error": failure }).to_string(),
        };
        let _ = print(io::stderr(), &output);
    }

    /// A heading: bold where the terminal can.
    pub fn heading(self, text: &str) -> String {
        if self.bold { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A table with this head. The columns named by number are right-aligned, for figures.
pub fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    right: &[usize],
) -> String {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table
        .load_style(presets::NOTHING.header_separator(line))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        let padding = if number == 0 { (0, 1) } else { (1, 1) };
        column.set_padding(padding);
        if right.contains(&number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Hundredths of a per cent as people write them: 9643 is "96.43 %".
pub fn percent(basis_points: u32) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

fn print(mut to: impl Write, text: &str) -> Result<(), Failure> {
    match writeln!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::from),
    }
}
