//! The demonstration goes on from the election to what the clients propose: scenarios 3, 4 and 5.

use crate::program::User;
use crate::up::expect;

/// The excerpt that README shows, without what it leaves out.
fn excerpt() -> Vec<&'static str> {
    let readme = include_str!("../../../../README.md");
    let block = readme.split("```").find(|block| block.contains("Promise:")).expect("an excerpt");
    block.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('…')).collect()
}

#[test]
fn the_demonstration_goes_on_to_the_ideas_and_prints_what_the_readme_shows() {
    let nats = testkit::nats::program().expect("a nats-server");
    let user = User::new().with("OSALLISUUS_NATS__SERVER", nats.display().to_string());
    let ended = user.runs(&["demo", "--once", "--ideas", "--listen", "127.0.0.1:0"]);
    expect(&ended, 0);
    let said: Vec<&str> = ended.out.lines().chain(ended.err.lines()).map(str::trim_end).collect();
    let excerpt = excerpt();
    assert!(excerpt.len() > 10, "{excerpt:?}");
    let missing: Vec<&&str> = excerpt.iter().filter(|line| !said.contains(line)).collect();
    assert!(missing.is_empty(), "README shows {missing:#?}, which is not in {}{}", ended.err, ended.out);
    // The scenarios' numbers, wherever README shows them or not.
    for number in [
        "89 of 140   63.57 %   0.5534–0.7108        0.255445",
        "80 of 140   57.14 %   0.4886–0.6504        0.203869",
        "72 of 140   51.43 %   0.4322–0.5956        0.167670",
        "62 of 140   44.29 %   0.3632–0.5256        0.131437",
        "61 of 140   43.57 %   0.3564–0.5185        0.128252",
        "56 of 140   40.00 %   0.3226–0.4828        0.113327",
        "420 comparisons by 42 visitors, 31 pairs skipped",
        "22 of 28 seats present, 78.57 %, quorate",
        "endorsed by 19 votes to 1, 2 blank: Päivätoimintaan lisää ulkoilua",
        "K4 answers in time: 14 of 18, 77.78 % (3 late, 1 missing)",
    ] {
        assert!(said.iter().any(|line| line.contains(number)), "{number}: {}{}", ended.err, ended.out);
    }
    assert!(!ended.err.contains("WARN") && !ended.err.contains("ERROR"), "{}", ended.err);
}
