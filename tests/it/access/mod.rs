//! The access matrix: every RPC of the contracts, every role, every way to come with or without a right token.
//!
//! What must happen is computed from the `access` option alone ([`rule`], [`cell`]); what happens is asked of running
//! services by a client without generated code ([`wire`]). A new RPC is in the matrix as soon as it is in a contract.

mod cell;
mod rule;
mod token;
mod wire;

use cell::{Cell, Situation, Verdict};
use futures::{StreamExt as _, stream};
use kernel::Ids;
use rule::Rule;
use testkit::system::{Store, System};
use token::Mint;

/// Calls in work at once.
const AT_ONCE: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn sec_10_an_rpc_lets_in_whom_its_access_option_names_and_nobody_else() {
    let services = crate::support::world::SERVICES;
    let names: Vec<&str> = services.iter().map(|service| service.name).collect();
    let rules = rule::all(&names);
    let secrets = secrets(services);
    let folder = secrets.path().display().to_string();
    let system =
        System::start(services, Store::Sqlite, &[("secrets.dir", &folder)]).await.expect("the services");
    let mut mint = Mint::new(system.directory()).await;
    let ids = Ids::system();

    let (mut checked, mut wrong) = (0, Vec::new());
    for rule in &rules {
        let cells = cell::cells(rule);
        let body = wire::bare_request(rule);
        let tokens: Vec<Option<String>> = cells.iter().map(|cell| mint.token(rule, cell)).collect();
        let observed = stream::iter(tokens)
            .map(|token| {
                let (channel, body, key) = (system.channel(), body.clone(), ids.uuid().to_string());
                async move { wire::call(channel, rule, body, token.as_deref(), &key).await }
            })
            .buffered(AT_ONCE)
            .collect::<Vec<Verdict>>()
            .await;
        let expected: Vec<Verdict> = cells.iter().map(|cell| cell::expected(rule, cell)).collect();
        checked += cells.len();
        wrong.extend(mismatches(rule, &cells, &expected, &observed));
    }
    println!("{checked} cells of {} RPCs checked", rules.len());
    assert!(wrong.is_empty(), "{} of {checked} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    system.finish().await.expect("the pipeline is in order");
}

/// A folder of secrets: services start with what `osallisuus init` makes; whom they trust is the test's directory.
fn secrets(services: &[chassis::Service]) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("osallisuus-secrets-").tempdir().expect("a folder");
    let key = membership::vault::Vault::key_text(&Ids::system().bytes());
    std::fs::write(folder.path().join(membership::vault::KEY_FILE), key).expect("a key file");
    forums::vault::Vault::prepare(folder.path(), &Ids::system()).expect("a key file");
    for service in services {
        std::fs::write(folder.path().join(format!("{}.secret", service.name)), "secret of a test")
            .expect("a secret");
    }
    folder
}

/// Cells whose observation is not what the option says, as sentences.
fn mismatches(rule: &Rule, cells: &[Cell], expected: &[Verdict], observed: &[Verdict]) -> Vec<String> {
    assert!(cells.len() == expected.len() && cells.len() == observed.len(), "every cell has an answer");
    let all = cells.iter().zip(expected).zip(observed);
    let differing = all.filter(|((_, expected), observed)| expected != observed);
    differing
        .map(|((cell, expected), observed)| {
            let role = cell.role.map_or("nobody in particular".to_owned(), |role| role.to_string());
            let Rule { path, audience, .. } = rule;
            format!(
                "{path} at {audience}, {role}, {:?}: {expected:?} expected, {observed:?} seen",
                cell.situation
            )
        })
        .collect()
}

#[test]
fn the_checker_notices_a_wrong_expectation_and_a_wrong_answer() {
    for rule in rule::all(&["forums"]) {
        let cells = cell::cells(&rule);
        let right: Vec<Verdict> = cells.iter().map(|cell| cell::expected(&rule, cell)).collect();
        assert_eq!(mismatches(&rule, &cells, &right, &right), Vec::<String>::new());
        for index in 0..cells.len() {
            let mut wrong = right.clone();
            wrong[index] =
                if right[index] == Verdict::Through { Verdict::Forbidden } else { Verdict::Through };
            assert_eq!(mismatches(&rule, &cells, &wrong, &right).len(), 1, "expectation of {}", rule.path);
            assert_eq!(mismatches(&rule, &cells, &right, &wrong).len(), 1, "answer of {}", rule.path);
        }
    }
}

/// Expectations written by hand, against one misreading of the options shared by rule and servers.
#[test]
fn the_options_mean_what_they_are_meant_to() {
    let through = |path: &str, situation: Situation| -> Vec<String> {
        let rules = rule::all(&["forums"]);
        let rule = rules.iter().find(|rule| rule.path.ends_with(path)).expect("an RPC");
        let cells = cell::cells(rule);
        let cells = cells.iter().filter(|cell| cell.situation == situation);
        let let_in = cells.filter(|cell| cell::expected(rule, cell) == Verdict::Through);
        let mut roles: Vec<String> =
            let_in.map(|cell| cell.role.map_or("none".to_owned(), |role| role.to_string())).collect();
        roles.sort();
        roles.dedup();
        roles
    };
    assert_eq!(through("/CountBallots", Situation::Own(0)), ["election_officer"]);
    assert_eq!(through("/CountBallots", Situation::WeakSignIn), Vec::<String>::new());
    assert_eq!(through("/CountBallots", Situation::OtherKind), Vec::<String>::new());
    assert_eq!(through("/FoundForum", Situation::Own(0)), ["administrator", "area_coordinator"]);
    assert_eq!(through("/FoundForum", Situation::OtherCounty), Vec::<String>::new());
    assert_eq!(through("/IssueCodeCard", Situation::Own(0)), ["administrator", "area_coordinator"]);
    assert_eq!(through("/IssueCodeCard", Situation::Own(1)), ["unit_manager", "unit_staff"]);
    // Everybody on the roll votes, whatever else they are here; forums' own rules refuse staff. No service does.
    assert_eq!(through("/CastBallot", Situation::Own(0)).len(), 18);
    assert!(!through("/CastBallot", Situation::Own(0)).contains(&"service".to_owned()));
    assert_eq!(through("/CastBallot", Situation::OtherId), Vec::<String>::new());
    assert_eq!(through("/GetElection", Situation::NoToken).len(), 19);
    assert_eq!(through("/Notify", Situation::Own(0)), ["service"]);
    assert_eq!(through("/ReadEvents", Situation::Own(0)), ["operator", "service"]);
}
