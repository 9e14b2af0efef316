//! No person in what leaves a service: published events, logs, the event log itself (SEC-30, SEC-31, OBS-02).

use std::collections::BTreeSet;

use proto::forums::{ListCandidatesRequest, ListLotsWitnessesRequest, ListSeatHoldersRequest};
use proto::membership::ListElectoralRollRequest;
use standalone::demo::example::{self, PLACES};
use standalone::demo::{Contest, Play};

use crate::support::dump::Table;
use crate::support::stream::Message;

/// Columns of proposals' tables that hold references of people.
const AT_PROPOSALS: [&str; 5] = ["author_ref", "automatic_by", "helper_ref", "person", "recorder_ref"];

/// What would give a person away, wherever it stands.
#[derive(Debug, Default)]
pub(crate) struct Canaries {
    /// Names, addresses, phone numbers of everybody in the register.
    texts: BTreeSet<String>,
    /// Ids of people at membership.
    participants: BTreeSet<String>,
    /// References of people at forums.
    references: BTreeSet<String>,
    /// References of people at proposals.
    at_proposals: BTreeSet<String>,
}

impl Canaries {
    /// Everything there is to know of the people of the play, from those who may know it.
    pub(crate) async fn collect(play: &Play, contests: &[&Contest]) -> Self {
        let mut canaries = Self::default();
        for (_, _, register) in example::REGISTERS {
            for line in register.lines().skip(1) {
                let columns: Vec<&str> = line.split(',').collect();
                // Register key, name, language, e-mail, phone.
                canaries.texts.extend([1, 3, 4].map(|column| columns[column].to_owned()));
            }
        }
        canaries.texts.insert(example::ADMINISTRATOR.to_owned());
        canaries.texts.remove("");
        canaries.participants.extend(play.people.values().map(|person| person.participant_id.clone()));
        let officer = &play.officers[0];
        for contest in contests {
            for place in PLACES {
                let request = ListElectoralRollRequest {
                    forum_id: play.forum_id.clone(),
                    election_id: contest.election_id.clone(),
                    municipality: place.municipality.to_owned(),
                    purpose: "Checking that nobody is told of".to_owned(),
                    page_size: 200,
                    page_token: String::new(),
                };
                // The supplementary election has a roll in Simo only.
                let Ok(roll) = officer.rolls().list_electoral_roll(request).await else { continue };
                canaries
                    .references
                    .extend(roll.into_inner().entries.into_iter().map(|entry| entry.voter_ref));
            }
            let request = ListCandidatesRequest {
                forum_id: play.forum_id.clone(),
                election_id: contest.election_id.clone(),
                purpose: "Checking that nobody is told of".to_owned(),
                page_size: 200,
                page_token: String::new(),
            };
            let candidates =
                officer.elections().list_candidates(request).await.expect("candidates").into_inner();
            for candidate in candidates.candidates {
                canaries.references.extend([candidate.candidate_ref, candidate.candidate_id]);
            }
            let request = ListLotsWitnessesRequest {
                forum_id: play.forum_id.clone(),
                election_id: contest.election_id.clone(),
                purpose: "Checking that nobody is told of".to_owned(),
            };
            let witnesses = officer.elections().list_lots_witnesses(request).await.expect("witnesses");
            for witness in witnesses.into_inner().witnesses {
                assert!(!witness.witness_ref.is_empty(), "a witness is on record");
                canaries.references.insert(witness.witness_ref);
            }
        }
        let request = ListSeatHoldersRequest {
            forum_id: play.forum_id.clone(),
            purpose: "Checking that nobody is told of".to_owned(),
        };
        let holders =
            officer.forums().list_seat_holders(request).await.expect("holders").into_inner().holders;
        canaries.references.extend(holders.into_iter().map(|holder| holder.holder_ref));
        canaries.references.remove("");
        assert!(canaries.texts.len() > 130, "only {} names and addresses to look for", canaries.texts.len());
        assert!(canaries.references.len() > 127, "only {} references to look for", canaries.references.len());
        canaries
    }

    /// Adds the references of people at proposals, as its tables have them.
    pub(crate) fn add_proposals(&mut self, tables: &[Table]) {
        for table in tables.iter().filter(|table| table.name.starts_with("proposals.")) {
            for row in &table.rows {
                let people = AT_PROPOSALS.iter().filter_map(|column| row.get(*column)?.clone());
                // SQLite keeps bytes, PostgreSQL writes an id with dashes; events have it with dashes.
                self.at_proposals
                    .extend(people.filter_map(|id| id.parse().ok()).map(|id: kernel::Uuid| id.to_string()));
            }
        }
        assert!(self.at_proposals.len() > 20, "only {} references at proposals", self.at_proposals.len());
    }

    /// What of all this stands in some bytes, in any of the ways it may be written.
    fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let hex = data_encoding::HEXLOWER.encode(bytes);
        let ids = self.participants.iter().chain(&self.references).chain(&self.at_proposals).filter(|id| {
            let plain = id.replace('-', "");
            text.contains(id.as_str()) || text.contains(&plain) || hex.contains(&plain)
        });
        let texts = self.texts.iter().filter(|canary| text.contains(&canary.to_lowercase()));
        texts.chain(ids).cloned().collect()
    }

    /// Nothing that anybody can subscribe to names a person.
    pub(crate) fn check_stream(&self, messages: &[Message]) {
        assert!(!messages.is_empty());
        for message in messages {
            let headers: String =
                message.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            let everything =
                [message.subject.as_bytes(), b"\n", headers.as_bytes(), &message.payload].concat();
            assert_eq!(
                self.found_in(&everything),
                Vec::<String>::new(),
                "in {} of {}",
                message.kind(),
                message.stream
            );
        }
    }

    /// The log names nobody, by name or by reference.
    pub(crate) fn check_log(&self, lines: &[String]) {
        assert!(lines.len() > 100, "the log was not caught");
        for line in lines {
            assert_eq!(self.found_in(line.as_bytes()), Vec::<String>::new(), "in the log: {line}");
        }
    }

    /// The event log holds what is published and nothing more; the audit log has references, and no name or address;
    /// and no service has another's references, so that two stolen databases cannot be joined.
    pub(crate) fn check_tables(&self, tables: &[Table]) {
        let (mut events, mut decisions, mut looked_at) = (0, 0, 0);
        for table in tables {
            let (service, name) = table.name.split_once('.').expect("<service>.<table>");
            for row in &table.rows {
                let text: String = row.values().flatten().map(|value| format!("{value}\n")).collect();
                if name == "event_log" {
                    assert_eq!(self.found_in(text.as_bytes()), Vec::<String>::new(), "in {}", table.name);
                    let payload = row["payload"].as_deref().expect("a payload");
                    let payload = data_encoding::HEXLOWER.decode(payload.as_bytes()).expect("bytes");
                    assert_eq!(
                        self.found_in(&payload),
                        Vec::<String>::new(),
                        "in a payload of {}",
                        table.name
                    );
                    events += 1;
                }
                if name == "audit_log" {
                    let content: Vec<&String> = self
                        .texts
                        .iter()
                        .filter(|canary| text.to_lowercase().contains(&canary.to_lowercase()))
                        .collect();
                    assert_eq!(content, Vec::<&String>::new(), "in {}", table.name);
                    decisions += 1;
                }
                let others = match service {
                    "forums" => &self.at_proposals,
                    "proposals" => &self.references,
                    _ => &BTreeSet::new(),
                };
                let joins = others.iter().find(|id| text.replace('-', "").contains(&id.replace('-', "")));
                assert_eq!(joins, None, "{} knows a person by another service's reference", table.name);
                if service == "proposals" {
                    let name =
                        self.texts.iter().find(|name| text.to_lowercase().contains(&name.to_lowercase()));
                    assert_eq!(name, None, "{} knows who a person is", table.name);
                }
                if service != "membership" {
                    let plain = text.replace('-', "");
                    let known = self.participants.iter().find(|id| plain.contains(&id.replace('-', "")));
                    assert_eq!(known, None, "{} knows a person by membership's id", table.name);
                    looked_at += 1;
                }
            }
        }
        assert!(
            events > 50 && decisions > 200 && looked_at > 200,
            "{events} events, {decisions} rows of audit logs and {looked_at} rows are not the whole play"
        );
    }

    /// The search finds what it is to find: otherwise it proves nothing.
    pub(crate) fn check_itself(&self) {
        for canary in self.texts.iter().chain(&self.participants).chain(&self.references) {
            assert!(!self.found_in(format!("before {canary} after").as_bytes()).is_empty(), "{canary}");
        }
        for id in self.participants.iter().chain(&self.references) {
            let bytes =
                data_encoding::HEXLOWER.decode(id.replace('-', "").as_bytes()).expect("an id is a uuid");
            assert!(!self.found_in(&bytes).is_empty(), "{id} as bytes");
        }
    }
}
