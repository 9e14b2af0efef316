//! Enough of PromQL to tell which metrics and labels an expression uses.

use std::collections::BTreeSet;

/// Words that are neither metrics nor labels.
const WORDS: [&str; 9] = ["and", "or", "unless", "bool", "offset", "on", "ignoring", "by", "without"];
/// Words after which labels follow in parentheses.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// A label, and what its value must be.
pub(crate) type Selected = (String, Wanted);

/// What the value of a label must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// This, or one of these: `="a"`, `=~"a|b"`.
    OneOf(Vec<String>),
    /// Something else than this: `!="a"`, `!~"a|b"`.
    NoneOf(Vec<String>),
    /// What a variable of the dashboard says.
    Variable,
}

/// What an expression uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Metrics, each with the labels it is selected by.
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
        let (label, rest) = part.split_at(operator);
        let (operator, value) = rest.split_once('"').unwrap_or_else(|| panic!("no value in {part}"));
        let value = value.strip_suffix('"').unwrap_or_else(|| panic!("no end of the value in {part}"));
        (label.trim().to_owned(), wanted(operator, value))
    };
    enclosed(rest, '{', '}').split(',').map(one).collect()
}

/// Of regular expressions only words with bars between them are known here: another would pass unchecked.
fn wanted(operator: &str, value: &str) -> Wanted {
    if value.starts_with('$') {
        return Wanted::Variable;
    }
    let words = || {
        let is_plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let words: Vec<&str> = value.split('|').collect();
        assert!(words.iter().all(|word| is_plain(word)), "{value}: write words with bars between them");
        words.into_iter().map(str::to_owned).collect()
    };
    match operator {
        "=" => Wanted::OneOf(vec![value.to_owned()]),
        "!=" => Wanted::NoneOf(vec![value.to_owned()]),
        "=~" => Wanted::OneOf(words()),
        "!~" => Wanted::NoneOf(words()),
        _ => panic!("{operator} is no operator"),
    }
}

#[test]
fn an_expression_is_taken_apart() {
    let used = read(
        "max by (a) (rate(some_total{b=\"1\",c=~\"x|y\",e!=\"z\",f=~\"$v\"}[5m])) > 14.4 * 0.001 and on (d) other == 0",
    );
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let selected = [
        ("b", Wanted::OneOf(words(&["1"]))),
        ("c", Wanted::OneOf(words(&["x", "y"]))),
        ("e", Wanted::NoneOf(words(&["z"]))),
        ("f", Wanted::Variable),
    ];
    let selected = selected.map(|(label, wanted)| (label.to_owned(), wanted)).to_vec();
    assert_eq!(used.selectors, [("some_total".to_owned(), selected), ("other".to_owned(), vec![])]);
    assert_eq!(used.grouped_by, ["a", "d"].map(str::to_owned).into());
}
