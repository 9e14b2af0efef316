//! Support relationships.

use kernel::UnitId;
use proto::membership as pb;

use super::optional_date_out;
use crate::domain::support::{Side, State, Support};

/// Where a relationship stands.
pub(crate) fn state_out(state: State) -> pb::SupportState {
    match state {
        State::Offered => pb::SupportState::Offered,
        State::AcceptedByMember => pb::SupportState::AcceptedByMember,
        State::Active => pb::SupportState::Active,
        State::Ended => pb::SupportState::Ended,
    }
}

/// A relationship as the one on this side sees it.
pub(crate) fn relationship_out(
    support: &Support,
    side: Side,
    display_name: String,
    conflict_units: &[UnitId],
) -> pb::SupportRelationship {
    let (side, other) = match side {
        Side::Member => (pb::SupportSide::Member, support.supporter),
        Side::Supporter => (pb::SupportSide::Supporter, support.member),
    };
    pb::SupportRelationship {
        support_id: support.id.to_string(),
        state: state_out(support.state).into(),
        side: side.into(),
        other_id: other.to_string(),
        display_name,
        conflict_unit_ids: conflict_units.iter().map(ToString::to_string).collect(),
        offered_on: support.offered_on.to_string(),
        trained_on: optional_date_out(support.trained_on),
    }
}
