//! What a published event may carry (docs/events.md). Being in a client forum reveals a disability, so an event
//! that names a person, directly or through a reference, is a leak. Every field of every event is listed here;
//! a new one fails this test until somebody has thought about it.

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use std::collections::BTreeMap;

/// Allowed fields of every event, `a.b` for fields of messages inside it.
const ALLOWED: &[(&str, &[&str])] = &[
    ("messaging.v1.Watermark", &["seq", "hash", "counts.event_type", "counts.count"]),
    ("membership.v1.PolicySet", &["key", "value", "valid_from"]),
    ("membership.v1.RegionDefined", &["region_id", "name", "municipalities", "valid_from"]),
    ("membership.v1.ServiceUnitRegistered", &["unit_id", "name", "kind", "municipality"]),
    ("membership.v1.ParticipantActivated", &["role_kind"]),
    (
        "membership.v1.RoleAssigned",
        &["role.role", "role.scope_kind", "role.scope_id", "starts_on", "ends_on"],
    ),
    ("membership.v1.RoleEnded", &["role.role", "role.scope_kind", "role.scope_id"]),
    ("membership.v1.EligibleCountChanged", &["group", "municipality", "bucket"]),
    ("membership.v1.RollFrozen", &["election_id", "roll_hash", "counts.municipality", "counts.count"]),
    (
        "forums.v1.ForumFounded",
        &["forum_id", "type", "level", "service_group", "term_starts_on", "term_ends_on"],
    ),
    ("forums.v1.SeatPlanApproved", &["forum_id", "seats.municipality", "seats.seats", "total"]),
    (
        "forums.v1.ElectionAnnounced",
        &[
            "election_id",
            "forum_id",
            "service_group",
            "seats.municipality",
            "seats.seats",
            "supplementary",
            "nomination_opens_on",
            "nomination_closes_on",
            "voting_opens_on",
            "voting_closes_on",
            "lots_commitment",
            "board_public_key",
        ],
    ),
    ("forums.v1.NominationClosed", &["election_id", "candidate_count.municipality", "candidate_count.count"]),
    ("forums.v1.VotingOpened", &["election_id", "eligible.municipality", "eligible.count"]),
    ("forums.v1.VotingClosed", &["election_id", "municipality", "ballots", "eligible"]),
    ("forums.v1.LotsDrawn", &["election_id", "municipality"]),
    ("forums.v1.ElectionConfirmed", &["election_id", "forum_id", "filled", "vacant"]),
    ("forums.v1.ElectionAnnulled", &["election_id", "forum_id"]),
    ("forums.v1.SeatFilled", &["forum_id", "municipality", "seat_no", "deputy"]),
    ("forums.v1.SeatVacated", &["forum_id", "municipality", "seat_no", "reason_kind"]),
    ("forums.v1.SupplementaryElectionCalled", &["forum_id", "municipality", "seats", "due_on"]),
    ("forums.v1.MeetingScheduled", &["meeting_id", "forum_id", "held_on", "mode"]),
    ("forums.v1.MeetingCancelled", &["meeting_id", "forum_id"]),
    (
        "forums.v1.MeetingHeld",
        &[
            "meeting_id",
            "forum_id",
            "held_on",
            "present.municipality",
            "present.count",
            "seats_filled",
            "quorate",
            "manager_present",
            "mode",
        ],
    ),
    ("forums.v1.TopicRaised", &["item_id", "forum_id", "source"]),
    (
        "forums.v1.ProposalEndorsed",
        &["proposal_id", "forum_id", "meeting_id", "votes_for", "votes_against", "votes_blank", "decided_on"],
    ),
    (
        "forums.v1.ProposalNotEndorsed",
        &["proposal_id", "forum_id", "meeting_id", "votes_for", "votes_against", "votes_blank", "decided_on"],
    ),
    ("forums.v1.ProposalReturnedForWork", &["proposal_id", "forum_id", "meeting_id", "decided_on"]),
    ("forums.v1.MinutesPublished", &["meeting_id", "forum_id"]),
    ("proposals.v1.ProposalSubmitted", &["proposal_id", "unit_ids", "category", "channel"]),
    ("proposals.v1.ProposalScreened", &["proposal_id", "days", "titles.language", "titles.title"]),
    ("proposals.v1.ProposalRejectedAtScreening", &["proposal_id", "reason"]),
    ("proposals.v1.ProposalMerged", &["proposal_id", "into_proposal_id"]),
    ("proposals.v1.ProposalSplit", &["proposal_id", "part_ids"]),
    ("proposals.v1.ProposalRedirected", &["proposal_id", "kind"]),
    ("proposals.v1.ComparisonRoundOpened", &["round_id", "idea_ids", "closes_on"]),
    ("proposals.v1.OwnIdeaAdded", &["round_id", "idea_id"]),
    ("proposals.v1.ComparisonRoundClosed", &["round_id", "comparisons", "skips", "sessions"]),
    (
        "proposals.v1.RankingPublished",
        &["round_id", "ranks.idea_id", "ranks.rank", "ranks.group", "provisional"],
    ),
    ("proposals.v1.ProposalShortlisted", &["proposal_id"]),
    ("proposals.v1.ProposalSentToForum", &["proposal_id", "forum_id", "titles.language", "titles.title"]),
    ("proposals.v1.ResponseRequested", &["proposal_id", "unit_id", "due_on"]),
    ("proposals.v1.ResponseReminderSent", &["proposal_id", "unit_id", "due_on"]),
    ("proposals.v1.ResponseDueExtended", &["proposal_id", "unit_id", "due_on"]),
    ("proposals.v1.ResponseOverdue", &["proposal_id", "unit_id", "due_on"]),
    ("proposals.v1.ResponseEscalated", &["proposal_id", "unit_id", "level"]),
    ("proposals.v1.UnitResponseGiven", &["proposal_id", "unit_id", "outcome", "days", "days_late"]),
    ("proposals.v1.UnitResponseAmended", &["proposal_id", "unit_id", "outcome"]),
    ("proposals.v1.ProposalForwarded", &["proposal_id", "due_on"]),
    ("proposals.v1.ImplementationStarted", &["proposal_id", "unit_id", "started_on", "due_on"]),
    ("proposals.v1.ImplementationDelayed", &["proposal_id", "unit_id", "due_on"]),
    ("proposals.v1.ImplementationCompleted", &["proposal_id", "unit_id", "completed_on"]),
    ("proposals.v1.ImplementationCancelled", &["proposal_id", "unit_id", "cancelled_on"]),
    ("proposals.v1.BaselineSet", &["proposal_id", "indicator_ids"]),
    (
        "proposals.v1.ImpactMeasured",
        &[
            "proposal_id",
            "unit_id",
            "changes.indicator_id",
            "changes.before",
            "changes.before_n",
            "changes.after",
            "changes.after_n",
        ],
    ),
    ("proposals.v1.FeedbackPublished", &["proposal_id", "feedback_id", "languages"]),
    ("proposals.v1.FeedbackDelivered", &["proposal_id", "feedback_id", "recipients_bucket"]),
    ("proposals.v1.ProposalClosed", &["proposal_id", "outcome"]),
];

/// Words that no field of an event may contain, whatever the list above says.
const FORBIDDEN: &[&str] = &[
    "display_name",
    "ballot_name",
    "email",
    "phone",
    "hetu",
    "birth",
    "address",
    "diagnosis",
    "decision",
    "participant",
    "subject",
    "_ref",
    "holder",
    "voter",
    "text",
    "body",
];

fn events() -> BTreeMap<String, Vec<String>> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the descriptors are whole");
    let files: Vec<_> = pool.files().filter(|file| file.name().ends_with("/events.proto")).collect();
    // Messages that stand inside others (TypeCount) are reached through them.
    let inner: Vec<String> = files
        .iter()
        .flat_map(|file| file.messages())
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| match field.kind() {
            Kind::Message(message) => Some(message.full_name().to_owned()),
            _ => None,
        })
        .collect();
    files
        .iter()
        .flat_map(|file| file.messages())
        .filter(|message| !inner.contains(&message.full_name().to_owned()))
        .map(|message| {
            let name = message.full_name().trim_start_matches("osallisuus.").to_owned();
            let mut paths = Vec::new();
            collect(&message, "", &mut paths);
            (name, paths)
        })
        .collect()
}

fn collect(message: &MessageDescriptor, prefix: &str, paths: &mut Vec<String>) {
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        match field.kind() {
            Kind::Message(inner) => collect(&inner, &format!("{path}."), paths),
            _ => paths.push(path),
        }
    }
}

#[test]
fn every_event_carries_exactly_what_the_allow_list_says() {
    let allowed: BTreeMap<String, Vec<String>> = ALLOWED
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), fields.iter().map(|field| (*field).to_owned()).collect()))
        .collect();
    for (name, fields) in events() {
        let Some(expected) = allowed.get(&name) else {
            panic!("{name} is published but nobody has said what it may carry")
        };
        assert_eq!(&fields, expected, "{name} carries other fields than the allow-list");
    }
    let published = events();
    for name in allowed.keys() {
        assert!(published.contains_key(name), "{name} is on the allow-list but no longer published");
    }
}

#[test]
fn no_event_has_a_field_that_names_a_person() {
    for (name, fields) in events() {
        for field in fields {
            let bad = FORBIDDEN.iter().find(|word| field.contains(**word));
            assert!(bad.is_none(), "{name}.{field} contains {bad:?}");
        }
    }
}
