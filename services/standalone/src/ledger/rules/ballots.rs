//! Rule 9: a box holds as many ballots as voters are marked, never more than are on the roll; once counted, as many were
//! opened, and the tally is theirs. Whose the marks are is looked at in `marks.rs`.

use forums::reconciliation::{self, BoxState};

use crate::ledger::CheckError;
use crate::ledger::gather::Source;
use crate::ledger::verdict::{Piece, Rule, Verdict};

/// Checks the boxes.
pub(in crate::ledger) async fn boxes(forums: &Source, verdict: &mut Verdict) -> Result<(), CheckError> {
    for state in reconciliation::boxes(forums.database.read()).await.map_err(CheckError::from_fault)? {
        verdict.looked.boxes += 1;
        for what in wrong(&state) {
            let row = format!(
                "election {}, municipality {}: {} on the roll, {} marks online, {} on paper, ballots sealed {:?}, \
                 opened {:?}, paper handed out {}",
                state.election,
                state.municipality,
                state.eligible.unwrap_or_default(),
                state.online_marks,
                state.paper_marks,
                state.sealed,
                state.opened,
                state.paper_handed
            );
            let row = Piece::Row { service: "forums".to_owned(), table: "ballot_box".to_owned(), row };
            verdict.broken(Rule::Ballots, format!("forums: {what}"), vec![row]);
        }
    }
    Ok(())
}

fn wrong(state: &BoxState) -> Vec<&'static str> {
    let BoxState { online_marks, paper_marks, sealed, paper_handed, opened, .. } = state;
    let mut wrong = Vec::new();
    match sealed {
        None => wrong.push("a box is missing or holds no whole number of ballots"),
        Some(sealed) if sealed > online_marks => {
            wrong.push("a box holds more ballots than voters are marked: it was stuffed");
        }
        Some(sealed) if sealed < online_marks => {
            wrong.push("a box holds fewer ballots than voters are marked: ballots are lost");
        }
        Some(_) => {}
    }
    if paper_handed != paper_marks {
        wrong.push("other paper ballots were handed out than voters are marked");
    }
    if online_marks + paper_marks > state.eligible.unwrap_or_default() {
        wrong.push("more voters are marked than are on the roll");
    }
    if opened.is_some_and(|opened| opened != *online_marks) {
        wrong.push("another number of ballots was opened than voters are marked");
    }
    if state.tally_agrees == Some(false) {
        wrong.push("the tally is not that of the opened ballots");
    }
    wrong
}
