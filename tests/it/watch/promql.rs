//! Enough of PromQL to tell which metrics and labels an expression uses.

use std::collections::BTreeSet;

/// Words that are neither metrics nor labels.
const WORDS: [&str; 9] = ["and", "or", "unless", "bool", "offset", "on", "ignoring", "by", "without"];
/// Words after which labels follow in parentheses.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// A label, and its value where it must be equal.
type Selected = (String, Option<String>);

/// What an expression uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Metrics, each with the labels it is selected by and the value of an equality.
    pub(crate) selectors: Vec<(String, Vec<Selected>)>,
    /// Labels by which results are grouped or joined.
    pub(crate) grouped_by: BTreeSet<String>,
}

/// Reads an expression.
pub(crate) fn read(expression: &str) -> Used {
    let mut used = Used::default();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = word(rest) {
            let (name, after) = rest.split_at(length);
            rest = after.trim_start();
            if BEFORE_LABELS.contains(&name) {
                let inside = enclosed(&mut rest, '(', ')');
                used.grouped_by.extend(inside.split(',').map(|label| label.trim().to_owned()));
            } else if !WORDS.contains(&name) && !rest.starts_with('(') && !is_grouping(rest) {
                let selected = if rest.starts_with('{') { labels(&mut rest) } else { Vec::new() };
                used.selectors.push((name.to_owned(), selected));
            }
        } else if first.is_ascii_digit() {
            // A number, or a duration with its unit.
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    used.grouped_by.remove("");
    used
}

/// "sum by (service) (…)": the name before it is a function.
fn is_grouping(rest: &str) -> bool {
    ["by", "without"]
        .iter()
        .any(|word| rest.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('(')))
}

/// The length of the name that a text begins with.
fn word(text: &str) -> Option<usize> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let length = text.find(|c: char| !is_first(c) && !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    text.starts_with(is_first).then_some(length)
}

fn enclosed<'a>(rest: &mut &'a str, open: char, close: char) -> &'a str {
    let inside = rest.strip_prefix(open).unwrap_or_else(|| panic!("{open} is missing before {rest}"));
    let (inside, after) = inside.split_once(close).unwrap_or_else(|| panic!("{close} is missing in {rest}"));
    *rest = after;
    inside
}

/// Selections hold no brace or comma in their values here.
fn labels(rest: &mut &str) -> Vec<Selected> {
    let one = |part: &str| {
        let operator = part.find(['=', '!']).unwrap_or_else(|| panic!("no operator in {part}"));
        let (label, value) = part.split_at(operator);
        let equal = value.strip_prefix("=\"").and_then(|value| value.strip_suffix('"'));
        (label.trim().to_owned(), equal.map(str::to_owned))
    };
    enclosed(rest, '{', '}').split(',').map(one).collect()
}

#[test]
fn an_expression_is_taken_apart() {
    let used =
        read("max by (a) (rate(some_total{b=\"1\",c=~\"x|y\"}[5m])) > 14.4 * 0.001 and on (d) other == 0");
    let b = ("b".to_owned(), Some("1".to_owned()));
    let c = ("c".to_owned(), None);
    assert_eq!(used.selectors, [("some_total".to_owned(), vec![b, c]), ("other".to_owned(), vec![])]);
    assert_eq!(used.grouped_by, ["a", "d"].map(str::to_owned).into());
}
