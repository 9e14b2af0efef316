//! What became of the cells: a table for people, JSON for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::cell::{Cell, Ended};

/// Why a cell was not tried.
pub const OUT_OF_TIME: &str = "the time of the run was up";

/// A cell that has ended.
#[derive(Clone, Debug)]
pub struct Line {
    /// The cell.
    pub cell: Cell,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
}

/// All that have ended.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed of the later passages.
    pub seed: u64,
    /// The cells in the order in which they ended.
    pub lines: Vec<Line>,
}

impl Line {
    /// One line of text.
    #[must_use]
    pub fn text(&self) -> String {
        let (word, told) = match &self.ended {
            Ended::Green(done) => ("green", done.to_string()),
            Ended::Red(why) => ("RED", why.clone()),
            Ended::NotTried => ("not tried", OUT_OF_TIME.to_owned()),
        };
        format!("{:<44} {word:<9} {:>5.1} s  {told}", self.cell.to_string(), self.took.as_secs_f64())
    }

    fn word(&self) -> &'static str {
        match self.ended {
            Ended::Green(_) => "green",
            Ended::Red(_) => "red",
            Ended::NotTried => "not_tried",
        }
    }
}

impl Report {
    /// How many cells are red.
    #[must_use]
    pub fn red(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.ended, Ended::Red(_))).count()
    }

    /// Those for which there was no time.
    pub fn not_tried(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.ended, Ended::NotTried))
    }

    /// The command that repeats a cell.
    #[must_use]
    pub fn repeat(&self, cell: &Cell) -> String {
        format!(
            "infra/crash-matrix --points {} --passage {} --database {} --seed {}",
            cell.point.name,
            cell.passage,
            cell.database(),
            self.seed
        )
    }

    /// What is said at the end: counts, and how to repeat what is red.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &self.lines {
            *counts.entry(line.word()).or_default() += 1;
        }
        let of = |word| counts.get(word).copied().unwrap_or(0);
        let mut text = format!(
            "{} green, {} red, {} not tried because the time was up\n",
            of("green"),
            of("red"),
            of("not_tried")
        );
        // Writing to a string cannot fail.
        for line in self.not_tried() {
            let _ = writeln!(text, "not tried: {}", line.cell);
        }
        for line in self.lines.iter().filter(|line| line.word() == "red") {
            let _ = writeln!(text, "to repeat {}:\n  {}", line.cell, self.repeat(&line.cell));
        }
        text
    }

    /// All of it as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let line = |line: &Line| {
            let mut value = serde_json::json!({
                "point": line.cell.point.name,
                "passage": line.cell.passage,
                "database": line.cell.database(),
                "ended": line.word(),
                "seconds": line.took.as_secs_f64(),
            });
            match &line.ended {
                Ended::Green(done) => value["acknowledged"] = done.commands().into(),
                Ended::Red(why) => {
                    value["why"] = why.as_str().into();
                    value["repeat"] = self.repeat(&line.cell).into();
                }
                Ended::NotTried => value["why"] = OUT_OF_TIME.into(),
            }
            value
        };
        let cells: Vec<serde_json::Value> = self.lines.iter().map(line).collect();
        serde_json::json!({ "seed": self.seed, "red": self.red(), "cells": cells })
    }
}
