//! What a check found: green, or for each broken rule the smallest part of the history that shows it. No payload, no
//! name; identifiers, hashes and places only.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Broken instances of one rule that are told in full; the others are counted.
pub(super) const TOLD: usize = 20;

/// A rule of the ledger, as numbered in docs/measure.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 1: what was acknowledged is stored: the answer in the command log, its events once each.
    Acknowledged,
    /// 2: what was refused left nothing; what is unknown left all of itself or nothing.
    Refused,
    /// 3: every lane is dense, its chain of hashes whole, its head where its last event is.
    Chain,
    /// 4: the stream holds every event as the log has it, first occurrences in order.
    Stream,
    /// 5: every projection is at its source's head with nothing parked, and holds what a fresh fold of the log gives.
    Projection,
    /// 6: an act that was answered before another began comes before it in the log.
    Order,
    /// 7: one idempotency key, one answer.
    Replies,
    /// 8: the audit log is whole, with one row for each command that is stored.
    Audit,
    /// 9: as many ballots as marks, never more than people on the roll, and the tally is that of the opened ballots.
    Ballots,
    /// 10: kept counts are those of the rows they count.
    Counts,
}

impl Rule {
    /// Its number in the documentation.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Chain => "chain",
            Self::Stream => "stream",
            Self::Projection => "projection",
            Self::Order => "order",
            Self::Replies => "replies",
            Self::Audit => "audit",
            Self::Ballots => "ballots",
            Self::Counts => "counts",
        };
        write!(f, "{} {name}", self.number())
    }
}

/// One broken instance of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What is wrong, in a sentence.
    pub what: String,
    /// The records that show it, and no others.
    pub history: Vec<Piece>,
}

/// A record of a journal, a database or a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Piece {
    /// A call in a client's journal.
    Journal {
        /// File.
        file: String,
        /// Line where it was invoked.
        line: u64,
        /// gRPC path.
        rpc: String,
        /// Idempotency key.
        key: String,
        /// "ok", "rejected" or "unknown".
        outcome: String,
        /// SHA-256 of the reply; empty if it is not ok.
        #[serde(skip_serializing_if = "String::is_empty")]
        reply: String,
    },
    /// A stored answer.
    CommandLog {
        /// Service.
        service: String,
        /// Idempotency key.
        key: String,
        /// SHA-256 of the answer.
        reply: String,
    },
    /// An event in a service's log.
    Log {
        /// Service.
        service: String,
        /// Lane: county code.
        lane: String,
        /// Place in the lane.
        seq: u64,
        /// Full name of the payload message; empty if there is no such row.
        #[serde(skip_serializing_if = "String::is_empty")]
        event_type: String,
        /// Hash, in hexadecimal digits; empty if there is no such row.
        #[serde(skip_serializing_if = "String::is_empty")]
        hash: String,
    },
    /// A message in a stream.
    Stream {
        /// Service whose stream it is.
        service: String,
        /// Place in the stream.
        place: u64,
        /// Lane: county code.
        lane: String,
        /// Place in the lane.
        seq: u64,
        /// Hash it names, in hexadecimal digits.
        hash: String,
    },
    /// Where a projection is.
    Cursor {
        /// Service that projects.
        service: String,
        /// Name of the projection.
        projection: String,
        /// Lane of the source.
        lane: String,
        /// Last event taken.
        seq: u64,
        /// Its hash, in hexadecimal digits.
        hash: String,
    },
    /// A row of a table, by its key.
    Row {
        /// Service.
        service: String,
        /// Table.
        table: String,
        /// Key, and what of the row is at fault.
        row: String,
    },
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal { file, line, rpc, key, outcome, reply } => {
                write!(f, "{file}, line {line}: {rpc}, key {key}, {outcome} {}", short(reply))
            }
            Self::CommandLog { service, key, reply } => {
                write!(f, "{service}, command log: key {key}, answer {}", short(reply))
            }
            Self::Log { service, lane, seq, event_type, hash } => {
                write!(f, "{service}, log, lane {lane}: event {seq} {event_type} {}", short(hash))
            }
            Self::Stream { service, place, lane, seq, hash } => {
                write!(f, "{service}, stream, place {place}: lane {lane}, event {seq} {}", short(hash))
            }
            Self::Cursor { service, projection, lane, seq, hash } => {
                write!(f, "{service}, cursor of {projection}, lane {lane}: event {seq} {}", short(hash))
            }
            Self::Row { service, table, row } => write!(f, "{service}, table {table}: {row}"),
        }
    }
}

/// Enough of a hash to find it.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Calls in journals, retries included.
    pub calls: u64,
    /// Of these: acknowledged.
    pub acknowledged: u64,
    /// Of these: refused.
    pub rejected: u64,
    /// Of these: unknown.
    pub unknown: u64,
    /// Events in logs.
    pub events: u64,
    /// Stored answers.
    pub answers: u64,
    /// Messages in streams.
    pub messages: u64,
    /// Cursors of projections.
    pub cursors: u64,
    /// Rows of audit logs.
    pub audited: u64,
    /// Ballot boxes.
    pub boxes: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every rule holds.
    pub green: bool,
    /// How much was looked at.
    pub looked: Looked,
    /// Where rules are broken, by rule.
    pub violations: Vec<Violation>,
    /// Further instances of the same rules, by the rule's number and name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, u64>,
    /// What was not looked at, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_looked: Vec<String>,
}

impl Verdict {
    /// Notes a broken rule.
    pub(super) fn broken(&mut self, rule: Rule, what: impl Into<String>, history: Vec<Piece>) {
        let told = self.violations.iter().filter(|violation| violation.rule == rule).count();
        if told < TOLD {
            self.violations.push(Violation { rule, what: what.into(), history });
        } else {
            self.further(rule, 1);
        }
    }

    /// Counts further instances of a broken rule that are not told.
    pub(super) fn further(&mut self, rule: Rule, count: u64) {
        if count > 0 {
            *self.more.entry(rule.to_string()).or_default() += count;
        }
    }

    /// The rules that are broken, each once.
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.violations.iter().map(|violation| violation.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    pub(super) fn finish(mut self) -> Self {
        self.green = self.violations.is_empty();
        self.violations.sort_by_key(|violation| violation.rule);
        self
    }

    /// For people.
    pub fn text(&self) -> String {
        let Looked { calls, acknowledged, rejected, unknown, events, .. } = &self.looked;
        let Looked { answers, messages, cursors, audited, boxes, .. } = &self.looked;
        let mut text = format!(
            "{calls} calls ({acknowledged} acknowledged, {rejected} refused, {unknown} unknown), {events} events, \
             {answers} stored answers, {messages} messages, {cursors} cursors, {audited} rows of audit logs, {boxes} ballot boxes"
        );
        for what in &self.not_looked {
            text += &format!("\nnot looked at: {what}");
        }
        for Violation { rule, what, history } in &self.violations {
            text += &format!("\n\nRED, rule {rule}: {what}");
            for piece in history {
                text += &format!("\n  {piece}");
            }
        }
        for (rule, count) in &self.more {
            text += &format!("\n\nrule {rule}: {count} more");
        }
        text += if self.green { "\n\nThe ledger is green." } else { "\n\nThe ledger is RED." };
        text
    }
}
