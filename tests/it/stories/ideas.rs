//! Scenarios 3, 4 and 5 across services: ideas are compared, one goes through the forum to its effect, one is answered
//! late. Everything is read as anybody may, and by a subscriber outside of the platform.

use std::collections::BTreeMap;

use messaging::broker::NatsSettings;
use sea_orm::ConnectionTrait as _;
use standalone::demo::{Contest, Effect, InTime, Moment, Play, Progress, Story, Timeline, ideas};
use standalone::ledger::{self, Options, Rule};
use testkit::system::Store;

use crate::privacy::Canaries;
use crate::support::dump::{Row, Table};
use crate::support::log;
use crate::support::stream::{self, Message};
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn x1_an_idea_goes_from_a_clients_words_to_its_effect_and_a_late_answer_escalates_on_sqlite() {
    from_words_to_effect(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x1_an_idea_goes_from_a_clients_words_to_its_effect_and_a_late_answer_escalates_on_postgres() {
    from_words_to_effect(Store::Postgres).await;
}

async fn from_words_to_effect(store: Store) {
    let world = World::start(store, &["19", "21"]).await;
    let mut play =
        Play::begin(world.server(), world.setup_code(), Progress::silent()).await.expect("an administrator");
    play.register().await.expect("the register");
    play.found().await.expect("the forum");
    let mut contests = [Contest::first(), Contest::again()];
    for contest in &mut contests {
        *contest = play.announce(contest.clone()).await.expect("announced");
        play.nominate(contest).await.expect("candidates");
        play.vote(contest).await.expect("ballots");
        play.count(contest).await.expect("counted");
        play.confirm(contest).await.expect("confirmed");
    }
    // Now: candidates and witnesses are forgotten when the days for appeals have passed.
    let mut canaries = Canaries::collect(&play, &[&contests[0], &contests[1]]).await;
    let story = standalone::demo::propose(&play).await.expect("what became of the ideas");

    check_comparison(&story);
    check_followed(&story.timelines[ideas::example::FOLLOWED]);
    check_late(&story.timelines[ideas::example::LATE]);
    check_answers(&story);
    check_effects(&story);
    check_card(&story);
    world.settle().await;
    let messages = stream::all(&world.nats_url()).await;
    check_events(&messages, &story);
    let tables = world.tables().await;
    check_notices(&tables, &story.timelines[ideas::example::FOLLOWED].proposal_id);
    canaries.add_proposals(&tables);
    canaries.check_itself();
    canaries.check_stream(&messages);
    canaries.check_tables(&tables);
    canaries.check_log(&log::lines());
    check_ledger(&world).await;
    world.finish().await;
}

/// The ledger is green with all that was played; and red if one service has forgotten what it took from another.
async fn check_ledger(world: &World) {
    let judge = async || {
        let nats = Some(NatsSettings::embedded(world.nats_url()));
        ledger::check(&world.config(), &Options { nats, ..Options::default() })
            .await
            .expect("it can be judged")
    };
    let verdict = judge().await;
    // The boxes were emptied when the days for appeals had passed.
    let unexpected = verdict.not_looked.iter().find(|what| !what.starts_with("marks of ballots"));
    assert!(verdict.green && unexpected.is_none(), "{}", verdict.text());
    for (service, table, key) in
        [("forums", "proposal_sending", "event_id"), ("proposals", "forum_decision", "proposal_id")]
    {
        let (_, url) = world.databases().iter().find(|(name, _)| *name == service).expect("a database");
        let connection = sea_orm::Database::connect(url).await.expect("a connection");
        let forget = format!("DELETE FROM {table} WHERE {key} = (SELECT {key} FROM {table} LIMIT 1)");
        connection.execute_unprepared(&forget).await.expect("forgotten");
        connection.close().await.expect("closed");
        let verdict = judge().await;
        let broken = verdict.violations.last().expect("it is red");
        assert_eq!(verdict.rules(), [Rule::Projection], "{}", verdict.text());
        assert!(broken.what.contains(&format!("{service}: {table} lacks a row")), "{}", verdict.text());
    }
}

/// Scenario 3.
fn check_comparison(story: &Story) {
    assert_eq!((story.comparisons, story.skips, story.sessions), (420, 31, 42));
    let lines: Vec<(u32, &str, u64, u64, String, String)> = story
        .ranking
        .iter()
        .map(|place| {
            let share = format!("{:.2}", place.win_share * 100.0);
            let strength = format!("{:.6}", place.strength);
            (place.rank, place.idea.as_str(), place.wins, place.comparisons, share, strength)
        })
        .collect();
    let expected = [
        (1, "Päivätoimintaan lisää ulkoilua", 89, "63.57", "0.255445"),
        (2, "Yhteinen retki joka kuukausi", 80, "57.14", "0.203869"),
        (3, "Iltatoimintaa viikonloppuun", 72, "51.43", "0.167670"),
        (4, "Ruokalistaan saa vaikuttaa", 62, "44.29", "0.131437"),
        (5, "Kuvat viikko-ohjelmaan", 61, "43.57", "0.128252"),
        (6, "Kahvilavuoroja työtoimintaan", 56, "40.00", "0.113327"),
    ];
    let expected = expected.map(|(rank, idea, wins, share, strength)| {
        (rank, idea, wins, 140, share.to_owned(), strength.to_owned())
    });
    assert_eq!(lines, expected);
    let first = &story.ranking[0];
    assert_eq!(format!("{:.4} {:.4}", first.interval_low, first.interval_high), "0.5534 0.7108");
}

fn day_of<'a>(timeline: &'a Timeline, step: &str) -> &'a Moment {
    let found = timeline.moments.iter().find(|moment| moment.step == step);
    found.unwrap_or_else(|| panic!("{step} is not among {:#?}", timeline.moments))
}

/// Scenario 4, as its timeline tells it.
fn check_followed(timeline: &Timeline) {
    for (step, on) in [
        ("submitted", "2026-09-07"),
        ("open", "2026-09-09"),
        ("in_comparison", "2026-09-21"),
        ("before_forum", "2026-10-01"),
        ("awaiting_response", "2026-10-12"),
        ("answered", "2026-11-04"),
        ("baseline_set", "2026-11-30"),
        ("in_implementation", "2026-12-01"),
        ("impact_measured", "2027-03-15"),
        ("feedback_published", "2027-03-15"),
        ("closed", "2027-03-15"),
    ] {
        assert_eq!(day_of(timeline, step).on, on, "{step}");
    }
    assert_eq!(day_of(timeline, "awaiting_response").until, "2026-11-11");
    assert_eq!(day_of(timeline, "awaiting_response").turn, "unit_manager");
    assert_eq!(day_of(timeline, "answered").detail, "accepted_in_part");
    assert!(!timeline.moments.iter().any(|moment| moment.late), "everything was in time");
}

/// Scenario 5, as its timeline tells it.
fn check_late(timeline: &Timeline) {
    for (step, on) in [
        ("awaiting_response", "2026-10-12"),
        ("reminded", "2026-11-04"),
        ("overdue", "2026-11-12"),
        ("escalated_to_coordinator", "2026-11-12"),
        ("escalated_to_manager", "2026-11-26"),
        ("answered", "2026-12-01"),
    ] {
        assert_eq!(day_of(timeline, step).on, on, "{step}");
    }
    assert_eq!(day_of(timeline, "awaiting_response").until, "2026-11-11");
    assert!(timeline.moments.iter().any(|moment| moment.late), "that it was late is told");
}

/// K4: fourteen of eighteen answers came in time.
fn check_answers(story: &Story) {
    let expected = InTime { due: 18, on_time: 14, late: 3, missing: 1, on_time_bp: 7778 };
    assert_eq!(story.in_time, expected);
    assert_eq!(story.answers.len(), 18);
    assert!(story.answers.iter().all(|line| line.asked_on == "2026-10-12" && line.due_on == "2026-11-11"));
    let late = story.answers.iter().filter(|line| !line.given_on.is_empty() && line.days_late > 0);
    let mut late: Vec<(&str, u32)> = late.map(|line| (line.given_on.as_str(), line.days_late)).collect();
    late.sort();
    assert_eq!(late, [("2026-12-01", 20), ("2026-12-01", 20), ("2026-12-14", 33)]);
}

fn check_effects(story: &Story) {
    let line = |effect: &Effect| {
        let Effect { before, after, change, target, attainment_percent, .. } = effect;
        format!("{before:.2} {after:.2} {change:.4} {target:.2} {attainment_percent:.2}")
    };
    let lines: Vec<String> = story.effects.iter().map(line).collect();
    // Being heard, outings a week, satisfaction.
    let expected =
        ["3.68 4.50 0.8158 0.00 0.00", "1.00 2.77 1.7692 3.00 92.31", "3.42 4.22 0.8012 0.00 0.00"];
    assert_eq!(lines, expected);
}

fn check_card(story: &Story) {
    let card = &story.card;
    assert_eq!(card.you_said, "Haluamme ulos useammin.");
    assert_eq!(card.we_did, "Ulkoilemme kolme kertaa viikossa.");
    assert_eq!(card.we_could_not, "Joka päivä, koska ulkona tarvitaan kaksi ohjaajaa.");
    assert_eq!((card.next_role.as_str(), card.next_on.as_str()), ("vastaava ohjaaja", "2027-09-30"));
    assert_eq!(card.published_on, "2027-03-15");
}

/// P7: author, supporter and helper of the followed idea have each been told once that its loop card is there.
fn check_notices(tables: &[Table], proposal: &str) {
    let rows = |name: &str| {
        let table = tables.iter().find(|table| table.name == name);
        table.unwrap_or_else(|| panic!("no table {name}")).rows.iter()
    };
    // SQLite keeps bytes, PostgreSQL writes an id with dashes.
    let id = |row: &Row, column: &str| row[column].clone().unwrap_or_default().replace('-', "");
    let followed = proposal.replace('-', "");
    let of = |table: &str, key: &str, person: &str| -> Vec<String> {
        let people = rows(table).filter(|row| id(row, key) == followed).map(|row| id(row, person));
        people.filter(|person| !person.is_empty()).collect()
    };
    let author = of("proposals.proposal_author", "proposal_id", "author_ref");
    let supporter = of("proposals.support", "proposal_id", "person");
    let helper = of("proposals.proposal", "id", "helper_ref");
    assert_eq!([author.len(), supporter.len(), helper.len()], [1, 1, 1], "one of each");
    let notices: Vec<String> = rows("membership.notice")
        .filter(|row| row["template"].as_deref() == Some("proposals.feedback_published"))
        .map(|row| id(row, "person"))
        .collect();
    for reference in [author, supporter, helper].concat() {
        let known = rows("membership.pseudonym").find(|row| id(row, "reference") == reference);
        let person = id(known.expect("membership knows whose reference it is"), "person");
        assert_eq!(notices.iter().filter(|told| **told == person).count(), 1, "told once, of {notices:?}");
    }
}

/// What a subscriber outside of the platform has learnt.
fn check_events(messages: &[Message], story: &Story) {
    let lanes = stream::lanes(messages);
    let of = |lane: &str, kind: &str| -> Vec<&Message> {
        lanes[lane].iter().filter(|message| message.kind() == kind).collect()
    };
    let [followed, late] = [ideas::example::FOLLOWED, ideas::example::LATE]
        .map(|idea| story.timelines[idea].proposal_id.as_str());
    let endorsed: BTreeMap<String, [u64; 3]> = of("forums.19", "ProposalEndorsed")
        .iter()
        .map(|event| {
            let votes = ["votes_for", "votes_against", "votes_blank"].map(|votes| event.number(votes));
            (event.text("proposal_id"), votes)
        })
        .collect();
    let due = || story.answers.iter().map(|line| line.proposal_id.clone());
    assert_eq!(endorsed, due().map(|id| (id, [19, 1, 2])).collect());
    let mut requested: Vec<(String, String)> = of("proposals.19", "ResponseRequested")
        .iter()
        .map(|event| (event.text("proposal_id"), event.text("due_on")))
        .collect();
    requested.sort();
    let mut expected: Vec<_> = due().map(|id| (id, "2026-11-11".to_owned())).collect();
    expected.sort();
    assert_eq!(requested, expected, "once for each endorsement (X1)");
    let given: BTreeMap<String, (String, u64, u64)> = of("proposals.19", "UnitResponseGiven")
        .iter()
        .map(|event| {
            (
                event.text("proposal_id"),
                (event.text("outcome"), event.number("days"), event.number("days_late")),
            )
        })
        .collect();
    assert_eq!(given[followed], ("accepted_in_part".to_owned(), 23, 0));
    assert_eq!(given[late], ("trial".to_owned(), 50, 20));
    let told = |kind: &str| {
        of("proposals.19", kind).iter().map(|event| event.text("proposal_id")).collect::<Vec<_>>()
    };
    let mut overdue = told("ResponseOverdue");
    overdue.sort();
    let late_lines = story.answers.iter().filter(|line| line.days_late > 0);
    let mut expected: Vec<String> = late_lines.map(|line| line.proposal_id.clone()).collect();
    expected.sort();
    assert_eq!(overdue, expected);
    assert_eq!(told("ImpactMeasured"), [followed]);
    assert_eq!(told("FeedbackPublished"), [followed]);
    assert_eq!(told("ProposalClosed"), [followed]);
    for proposal in &expected {
        let escalated = of("proposals.19", "ResponseEscalated");
        let levels: Vec<String> = escalated
            .iter()
            .filter(|event| event.text("proposal_id") == *proposal)
            .map(|event| event.text("level"))
            .collect();
        assert_eq!(levels, ["coordinator", "manager"]);
    }
}
