//! Local policy: the values a county may decide itself, each from a day on.
//!
//! The keys, their defaults and their limits are data (`data/policies.csv`). A value once in force stays known, so
//! that an old decision can be explained by the value of its day.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::Invalid;
use crate::reference::rows;

/// A value that a county may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKey {
    /// Fewest ballots of a constituency with which each candidate's approvals are made public (F7).
    TallyThreshold,
    /// Days from confirmation within which vacant seats are put to a supplementary election (F6).
    SupplementaryElectionDays,
    /// Counts of people below this are not published one by one.
    SmallCell,
    /// Months for which an attestation is good (M1).
    AttestationMonths,
    /// Days from its issue within which a code card may be used.
    CodeCardDays,
    /// Days after confirmation until sealed ballots, candidates' names and the entries of the roll are destroyed, and
    /// after a meeting until what is left of who was there is.
    ElectionAppealDays,
    /// Days for which an attestation that has ended is kept (TIHA-12).
    EndedAttestationDays,
    /// Days for which a notice that has reached its person is kept (TIHA-12).
    NoticeDays,
    /// Days from submission within which a human screens a proposal (P1).
    ScreeningDays,
    /// Days within which an open proposal is taken further.
    OpenDays,
    /// Days within which a proposal sent to a forum comes before a meeting.
    ForumDays,
    /// Days from endorsement within which the unit answers (P3).
    ResponseDays,
    /// Days before the due day on which the unit is reminded (P3).
    ResponseReminderDays,
    /// Days from the escalation to the coordinator to the one to the manager (P3).
    ResponseManagerDays,
    /// Most days by which the due day of an answer is moved, once.
    ResponseExtensionDays,
    /// Days from the last step within which feedback is published (S2.39).
    FeedbackDays,
    /// Days from the end of a change within which its impact is measured (X2).
    ImpactDays,
    /// Days before a meeting by which its notice is sent (F11).
    MeetingNoticeDays,
    /// Fewest municipalities that must be present for a forum to decide (F9).
    QuorumMunicipalities,
    /// Fewest comparisons with which a ranking is published.
    RankingComparisons,
    /// Fewest sessions that compared with which a ranking is published.
    RankingSessions,
    /// Days for which a draft that nobody touches is kept (TIHA-12).
    DraftDays,
    /// Days after the end of a proposal that never was public for which its texts are kept (TIHA-12).
    UnpublishedDays,
}

/// What the data file says of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PolicyRule {
    /// The key.
    pub key: PolicyKey,
    /// The value where the county has set none.
    pub default: u32,
    /// The least value allowed.
    pub min: u32,
    /// The greatest value allowed.
    pub max: u32,
    /// What the value counts: ballots, days, months or people.
    pub unit: String,
    /// Where the rule comes from.
    pub source: String,
    /// What the value does, in a sentence.
    pub meaning: String,
}

static RULES: LazyLock<Vec<PolicyRule>> = LazyLock::new(|| rows(include_str!("../data/policies.csv")));

impl PolicyKey {
    /// Every key, in the order of the data file.
    pub const ALL: [PolicyKey; 23] = [
        PolicyKey::TallyThreshold,
        PolicyKey::SupplementaryElectionDays,
        PolicyKey::SmallCell,
        PolicyKey::AttestationMonths,
        PolicyKey::CodeCardDays,
        PolicyKey::ElectionAppealDays,
        PolicyKey::EndedAttestationDays,
        PolicyKey::NoticeDays,
        PolicyKey::ScreeningDays,
        PolicyKey::OpenDays,
        PolicyKey::ForumDays,
        PolicyKey::ResponseDays,
        PolicyKey::ResponseReminderDays,
        PolicyKey::ResponseManagerDays,
        PolicyKey::ResponseExtensionDays,
        PolicyKey::FeedbackDays,
        PolicyKey::ImpactDays,
        PolicyKey::MeetingNoticeDays,
        PolicyKey::QuorumMunicipalities,
        PolicyKey::RankingComparisons,
        PolicyKey::RankingSessions,
        PolicyKey::DraftDays,
        PolicyKey::UnpublishedDays,
    ];

    /// The name in requests, events and databases, for example "tally_threshold".
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKey::TallyThreshold => "tally_threshold",
            PolicyKey::SupplementaryElectionDays => "supplementary_election_days",
            PolicyKey::SmallCell => "small_cell",
            PolicyKey::AttestationMonths => "attestation_months",
            PolicyKey::CodeCardDays => "code_card_days",
            PolicyKey::ElectionAppealDays => "election_appeal_days",
            PolicyKey::EndedAttestationDays => "ended_attestation_days",
            PolicyKey::NoticeDays => "notice_days",
            PolicyKey::ScreeningDays => "screening_days",
            PolicyKey::OpenDays => "open_days",
            PolicyKey::ForumDays => "forum_days",
            PolicyKey::ResponseDays => "response_days",
            PolicyKey::ResponseReminderDays => "response_reminder_days",
            PolicyKey::ResponseManagerDays => "response_manager_days",
            PolicyKey::ResponseExtensionDays => "response_extension_days",
            PolicyKey::FeedbackDays => "feedback_days",
            PolicyKey::ImpactDays => "impact_days",
            PolicyKey::MeetingNoticeDays => "meeting_notice_days",
            PolicyKey::QuorumMunicipalities => "quorum_municipalities",
            PolicyKey::RankingComparisons => "ranking_comparisons",
            PolicyKey::RankingSessions => "ranking_sessions",
            PolicyKey::DraftDays => "draft_days",
            PolicyKey::UnpublishedDays => "unpublished_days",
        }
    }

    /// Default, limits, unit and meaning.
    pub fn rule(self) -> &'static PolicyRule {
        // The file has the keys in the order of the enum; a test holds it to that.
        &RULES[self as usize]
    }

    /// Reads a value for this key. [`Invalid`] if it is not a whole number within the key's limits.
    pub fn parse(self, value: &str) -> Result<u32, Invalid> {
        let PolicyRule { min, max, unit, .. } = self.rule();
        let number =
            value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse::<u32>().ok()).flatten();
        match number {
            Some(number) if (*min..=*max).contains(&number) => Ok(number),
            _ => Err(Invalid::new(
                format!("{self} is a whole number of {unit} from {min} to {max}"),
                format!("send a number from {min} to {max}"),
            )),
        }
    }
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PolicyKey {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        PolicyKey::ALL.into_iter().find(|key| key.as_str() == name).ok_or_else(|| {
            Invalid::new(
                "the policy key must be one the platform knows",
                format!("send one of {}", PolicyKey::ALL.map(PolicyKey::as_str).join(", ")),
            )
        })
    }
}

/// A value of a key from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyValue {
    /// The key.
    pub key: PolicyKey,
    /// The value, in the key's unit.
    pub value: u32,
    /// The first day on which it is in force, in Finland.
    pub valid_from: Date,
}

/// The policy of one county: what it has set, over the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    values: Vec<PolicyValue>,
}

impl Policies {
    /// The policy made of these values, in any order. Of two for the same key and day, the later in the list counts.
    pub fn new(values: Vec<PolicyValue>) -> Self {
        Self { values }
    }

    /// Adds a value; it replaces an earlier one for the same key and day.
    pub fn set(&mut self, value: PolicyValue) {
        self.values.retain(|old| (old.key, old.valid_from) != (value.key, value.valid_from));
        self.values.push(value);
    }

    /// The value in force on this day: the latest that has begun, else the default.
    pub fn on(&self, date: Date, key: PolicyKey) -> u32 {
        let begun = self.values.iter().filter(|value| value.key == key && value.valid_from <= date);
        begun.max_by_key(|value| value.valid_from).map_or(key.rule().default, |value| value.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    #[test]
    fn the_data_file_has_each_key_once_in_the_order_of_the_enum() {
        assert_eq!(RULES.iter().map(|rule| rule.key).collect::<Vec<_>>(), PolicyKey::ALL);
        for key in PolicyKey::ALL {
            let PolicyRule { default, min, max, unit, source, meaning, .. } = key.rule();
            assert_eq!(key.rule().key, key);
            assert!(min <= default && default <= max, "{key}");
            assert!([unit, source, meaning].iter().all(|text| !text.is_empty()), "{key}");
            assert_eq!(key.as_str().parse(), Ok(key));
            assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{key}\""));
        }
    }

    #[test]
    fn f7_m1_f6_defaults_are_those_of_the_rules() {
        let defaults = PolicyKey::ALL.map(|key| (key.as_str(), key.rule().default));
        assert_eq!(
            defaults,
            [
                ("tally_threshold", 20),
                ("supplementary_election_days", 60),
                ("small_cell", 5),
                ("attestation_months", 24),
                ("code_card_days", 30),
                ("election_appeal_days", 60),
                ("ended_attestation_days", 90),
                ("notice_days", 365),
                ("screening_days", 7),
                ("open_days", 60),
                ("forum_days", 90),
                ("response_days", 30),
                ("response_reminder_days", 7),
                ("response_manager_days", 14),
                ("response_extension_days", 14),
                ("feedback_days", 14),
                ("impact_days", 180),
                ("meeting_notice_days", 14),
                ("quorum_municipalities", 3),
                ("ranking_comparisons", 30),
                ("ranking_sessions", 5),
                ("draft_days", 365),
                ("unpublished_days", 180),
            ]
        );
    }

    #[test]
    fn the_page_for_administrators_lists_the_same_rules() {
        let page = include_str!("../../../docs/policy.md");
        let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let expected = RULES.iter().map(|rule| {
            let PolicyRule { key, default, min, max, unit, source, meaning } = rule;
            format!("| `{key}` | {default} | {min} | {max} | {unit} | {source} | {meaning} |")
        });
        assert_eq!(listed, expected.collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let refused = "two_percent_rule".parse::<PolicyKey>().unwrap_err();
        assert!(refused.remedy.contains("tally_threshold"), "{refused}");
    }

    #[test]
    fn a_value_outside_of_its_limits_is_refused() {
        let key = PolicyKey::SmallCell;
        assert_eq!(key.parse("3"), Ok(3));
        assert_eq!(key.parse("100"), Ok(100));
        for wrong in ["2", "101", "", "-5", "+5", "5.0", " 5", "five", "99999999999"] {
            let refused = key.parse(wrong).unwrap_err();
            assert_eq!(refused.rule, "small_cell is a whole number of people from 3 to 100", "{wrong:?}");
        }
    }

    fn value(key: PolicyKey, value: u32, valid_from: Date) -> PolicyValue {
        PolicyValue { key, value, valid_from }
    }

    #[test]
    fn a_value_is_in_force_from_its_day_until_the_next() {
        let key = PolicyKey::TallyThreshold;
        let policies = Policies::new(vec![
            value(key, 30, date!(2027 - 01 - 01)),
            value(key, 25, date!(2026 - 03 - 01)),
            value(PolicyKey::SmallCell, 10, date!(2026 - 01 - 01)),
        ]);
        let on = |date| policies.on(date, key);
        assert_eq!(on(date!(2026 - 02 - 28)), 20, "the default before anything is set");
        assert_eq!(on(date!(2026 - 03 - 01)), 25);
        assert_eq!(on(date!(2026 - 12 - 31)), 25);
        assert_eq!(on(date!(2027 - 01 - 01)), 30);
        assert_eq!(
            policies.on(date!(2027 - 01 - 01), PolicyKey::AttestationMonths),
            24,
            "others are untouched"
        );
    }

    #[test]
    fn setting_the_same_day_again_replaces_the_value() {
        let key = PolicyKey::CodeCardDays;
        let mut policies = Policies::default();
        policies.set(value(key, 7, date!(2026 - 03 - 01)));
        policies.set(value(key, 9, date!(2026 - 03 - 01)));
        assert_eq!(policies, Policies::new(vec![value(key, 9, date!(2026 - 03 - 01))]));
        assert_eq!(policies.on(date!(2026 - 03 - 01), key), 9);
    }

    proptest! {
        #[test]
        fn any_number_is_taken_exactly_within_the_limits(number: u32) {
            for key in PolicyKey::ALL {
                let rule = key.rule();
                let within = (rule.min..=rule.max).contains(&number);
                prop_assert_eq!(key.parse(&number.to_string()).ok(), within.then_some(number));
            }
        }
    }
}
