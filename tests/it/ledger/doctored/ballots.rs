//! Ballots, marks and rolls that are not as they were.

use super::Copy;

impl Copy {
    /// A municipality's box, marks and opened ballots are gone before the result is confirmed, and no client saw a
    /// ballot accepted.
    pub(super) async fn lose_box(&mut self) {
        for table in ["ballot_box", "counted_choices", "voter_mark"] {
            self.sql("forums", &format!("DELETE FROM {table} WHERE municipality = '139'")).await;
        }
        self.forget_ballots();
    }

    pub(super) async fn stuff(&mut self) {
        let stuffed = "UPDATE ballot_box SET sealed = CAST(sealed || substr(sealed, 1, length(sealed) / \
             (SELECT COUNT(*) FROM voter_mark v WHERE v.election_id = ballot_box.election_id \
              AND v.municipality = '139' AND v.channel = 'online')) AS BLOB) WHERE municipality = '139'";
        self.sql("forums", stuffed).await;
    }

    /// Five people support a proposal, and there is no row of any.
    pub(super) async fn count_more(&mut self) {
        let count = "INSERT INTO proposal_counts (proposal_id, supports, followers, comments, comments_written) \
             VALUES (randomblob(16), 5, 0, 0, 0)";
        self.sql("proposals", count).await;
    }

    pub(super) async fn change_tally(&mut self) {
        self.sql(
            "forums",
            "UPDATE tally_line SET approvals = approvals + 1 WHERE municipality = '139' AND number = 1",
        )
        .await;
    }

    /// Another than the voter is marked, and no client saw a ballot accepted.
    pub(super) async fn mark_stranger(&mut self) {
        let voter =
            "(SELECT MIN(voter_ref) FROM voter_mark WHERE municipality = '139' AND channel = 'online')";
        let mark = format!("UPDATE voter_mark SET voter_ref = randomblob(16) WHERE voter_ref = {voter}");
        self.sql("forums", &mark).await;
        self.forget_ballots();
    }

    /// The mark of a paper ballot is that of another command than the officer's.
    pub(super) async fn exchange_paper(&mut self) {
        let voter = "(SELECT MIN(voter_ref) FROM voter_mark WHERE channel = 'paper_handed')";
        let mark = format!("UPDATE voter_mark SET key_hash = zeroblob(32) WHERE voter_ref = {voter}");
        self.sql("forums", &mark).await;
    }

    /// The journal says that one ballot was refused.
    pub(super) async fn refuse_cast(&mut self) {
        let cast = *self.ops_of_rpc("CastBallot").first().expect("somebody voted");
        self.rewrite(|record| {
            if record["at"] == "answered" && record["op"] == cast {
                record["outcome"] = "rejected".into();
                record["reply"] = "".into();
                record["code"] = "forums.no".into();
            }
        });
    }

    /// Somebody on the roll is somebody else in the register.
    pub(super) async fn change_roll(&mut self) {
        let entry = "(SELECT MIN(person) FROM roll_entry)";
        let change = format!("UPDATE roll_entry SET participant = randomblob(16) WHERE person = {entry}");
        self.sql("membership", &change).await;
    }

    /// Numbers of the calls of this RPC.
    fn ops_of_rpc(&self, rpc: &str) -> Vec<u64> {
        let records = self.records();
        let calls = records
            .iter()
            .filter(|record| record["rpc"].as_str().is_some_and(|path| path.rsplit('/').next() == Some(rpc)));
        calls.filter_map(|record| record["op"].as_u64()).collect()
    }

    /// The journal says that nobody heard what became of any ballot.
    fn forget_ballots(&self) {
        let ops = [self.ops_of_rpc("CastBallot"), self.ops_of_rpc("HandPaperBallot")].concat();
        self.rewrite(|record| {
            if record["at"] == "answered" && record["op"].as_u64().is_some_and(|op| ops.contains(&op)) {
                record["outcome"] = "unknown".into();
                record["reply"] = "".into();
            }
        });
    }
}
