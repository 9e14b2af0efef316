//! Bradley–Terry strengths and Wilson intervals against other people's programs: choix and scipy, called on random
//! instances, sparse ones, one-sided ones and ones in several parts among them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use proposals::domain::comparison::IdeaNo;
use proposals::domain::comparison::scores::wilson;
use proposals::domain::comparison::strength::groups;
use proposals::domain::comparison::sums::PairSums;
use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Instances compared.
const INSTANCES: u64 = 240;
/// How far strengths may be apart, all adding up to 1.
const STRENGTH: f64 = 1e-9;
/// How far ends of intervals may be apart.
const INTERVAL: f64 = 1e-12;

/// Lines of (winner, loser, times).
type Wins = Vec<(IdeaNo, IdeaNo, u64)>;

/// How the pairs of an instance are chosen.
fn instance(number: u64) -> Wins {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let ideas = random.random_range(2..=60_u16);
    let mut pairs: Vec<(IdeaNo, IdeaNo)> = Vec::new();
    match number % 6 {
        // Every pair, or nearly.
        0 | 1 => {
            for one in 1..=ideas {
                pairs.extend((one + 1..=ideas).filter(|_| random.random_bool(0.9)).map(|other| (one, other)));
            }
        }
        // A tree: nothing but what links all.
        2 => pairs.extend((2..=ideas).map(|one| (one, random.random_range(1..one)))),
        // A ring.
        3 => pairs.extend((1..=ideas).map(|one| (one, one % ideas + 1)).filter(|(one, other)| one != other)),
        // Few pairs, often in several parts.
        4 => {
            for _ in 0..ideas {
                let pair = (random.random_range(1..=ideas), random.random_range(1..=ideas));
                pairs.extend(Some(pair).filter(|(one, other)| one != other));
            }
        }
        // Two parts with many pairs each.
        _ => {
            for one in 1..=ideas {
                let same = |other: &IdeaNo| (*other > ideas / 2) == (one > ideas / 2);
                pairs.extend((one + 1..=ideas).filter(same).map(|other| (one, other)));
            }
        }
    }
    let mut wins = Vec::new();
    for (one, other) in pairs {
        // Some pairs are won by one side only.
        let most = if random.random_bool(0.3) { 1 } else { 30 };
        let (first, second) = (random.random_range(0..=most), random.random_range(0..=most));
        wins.extend([(one, other, first), (other, one, second)].into_iter().filter(|(.., times)| *times > 0));
    }
    wins
}

fn shares(number: u64) -> Vec<(u64, u64)> {
    let mut random = ChaCha8Rng::seed_from_u64(!number);
    let share = |_| {
        let most = 10_u64.pow(random.random_range(1..=6));
        let comparisons = random.random_range(1..=most);
        (random.random_range(0..=comparisons), comparisons)
    };
    (0..3).map(share).chain([(0, 7), (7, 7)]).collect()
}

#[test]
fn strengths_and_intervals_are_those_of_other_programs() -> anyhow::Result<()> {
    let instances: Vec<(Wins, Vec<(u64, u64)>)> = (0..INSTANCES)
        .map(|number| (instance(number), shares(number)))
        .filter(|(wins, _)| !wins.is_empty())
        .collect();
    assert!(instances.len() >= 200, "{}", instances.len());
    let asked: Vec<Value> =
        instances.iter().map(|(wins, shares)| json!({ "wins": wins, "shares": shares })).collect();
    let told = match others(&Value::from(asked)) {
        Ok(told) => told,
        Err(why) => {
            testkit::not_run("Bradley–Terry and Wilson against choix and scipy", &format!("{why:#}"));
            return Ok(());
        }
    };
    let (mut provisional, mut in_parts, mut furthest) = (0, 0, 0.0_f64);
    for (number, ((wins, shares), told)) in
        instances.iter().zip(told.as_array().context("a list")?).enumerate()
    {
        let mut sums = PairSums::default();
        wins.iter().for_each(|(winner, loser, times)| sums.add(*winner, *loser, *times));
        let (ours, theirs) = (groups(&sums), told["groups"].as_array().context("groups")?);
        assert_eq!(ours.len(), theirs.len(), "instance {number}: groups");
        in_parts += usize::from(ours.len() > 1);
        for (group, other) in ours.iter().zip(theirs) {
            provisional += usize::from(group.provisional);
            assert_eq!(Some(group.provisional), other["provisional"].as_bool(), "instance {number}");
            assert_eq!(Some(group.strengths.len()), other["strengths"].as_object().map(|all| all.len()));
            for (idea, strength) in &group.strengths {
                let theirs = other["strengths"][idea.to_string()].as_f64().context("a strength")?;
                furthest = furthest.max((strength - theirs).abs());
                assert!(
                    (strength - theirs).abs() <= STRENGTH,
                    "instance {number}, idea {idea}: {strength} and {theirs}"
                );
            }
        }
        for ((wins, comparisons), theirs) in
            shares.iter().zip(told["intervals"].as_array().context("a list")?)
        {
            let (low, high) = wilson(*wins, *comparisons).context("an interval")?;
            let (their_low, their_high) =
                (theirs[0].as_f64().unwrap_or(9.0), theirs[1].as_f64().unwrap_or(9.0));
            assert!(
                (low - their_low).abs() <= INTERVAL && (high - their_high).abs() <= INTERVAL,
                "{wins} of {comparisons}: {low}–{high} and {theirs}"
            );
        }
    }
    // Else the hard cases were not among them.
    assert!(provisional >= 40 && in_parts >= 40, "{provisional} provisional groups, {in_parts} in parts");
    println!("strengths are {furthest:e} apart at most");
    Ok(())
}

/// What the others say.
fn others(asked: &Value) -> anyhow::Result<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let libraries: PathBuf = root.join("../../.tools/scores");
    anyhow::ensure!(
        libraries.join("choix").exists(),
        "choix is not in .tools/scores; run infra/setup --tests"
    );
    let mut child = Command::new("python3")
        .arg(root.join("tests/scores.py"))
        .env("PYTHONPATH", &libraries)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("python3 cannot be started")?;
    let mut input = child.stdin.take().context("its input")?;
    let text = asked.to_string();
    // It reads all before it writes anything.
    let sent = input.write_all(text.as_bytes());
    drop(input);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let cannot = said.contains("ModuleNotFoundError") || said.contains("ImportError");
    anyhow::ensure!(!cannot, "python3 cannot use choix and scipy here: {said}");
    // From here on it is our fault, or theirs, but not the machine's.
    sent.expect("it reads");
    assert!(output.status.success(), "{said}");
    Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
}
