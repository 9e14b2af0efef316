//! Rounds as the public and as staff see them.

use std::str::FromStr;

use chassis::Call;
use kernel::{Fault, Invalid, PageSize, PageToken, RoundId, TenantId};
use proto::proposals as pb;

use super::super::App;
use crate::domain::comparison::round::Round;
use crate::{convert, store};

impl App {
    /// One round that has opened, with its ideas.
    pub async fn get_round(&self, id: RoundId) -> Result<pb::GetRoundResponse, Fault> {
        let round = store::comparison::rounds::load_public(self.database.read(), id).await?;
        let ideas = store::comparison::ideas::of(self.database.read(), id).await?;
        Ok(pb::GetRoundResponse {
            round: Some(convert::comparisons::round(&round)),
            ideas: ideas.iter().map(convert::comparisons::idea).collect(),
        })
    }

    /// Rounds of a county that have opened, the newest first.
    pub async fn list_rounds(
        &self,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListRoundsResponse, Fault> {
        let list = format!("rounds|{tenant}");
        let after = page_id(token, &list)?;
        let rounds =
            store::comparison::rounds::list_public(self.database.read(), tenant, after, size.limit()).await?;
        let (rounds, next_page_token) = cut(size, rounds, &list);
        Ok(pb::ListRoundsResponse { rounds, next_page_token })
    }

    /// Prepared rounds of the county or the forum that was granted, the newest first.
    pub async fn list_prepared_rounds(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListPreparedRoundsResponse, Fault> {
        let place = call.scope.tenant().map(|tenant| tenant.to_string());
        let place = place.or_else(|_| call.scope.forum().map(|forum| forum.to_string()))?;
        let list = format!("prepared_rounds|{place}");
        let after = page_id(token, &list)?;
        let conn = self.database.read();
        let rounds = store::comparison::rounds::list_prepared(conn, &call.scope, after, size.limit()).await?;
        let (rounds, next_page_token) = cut(size, rounds, &list);
        Ok(pb::ListPreparedRoundsResponse { rounds, next_page_token })
    }
}

fn cut(size: PageSize, rounds: Vec<Round>, list: &str) -> (Vec<pb::Round>, String) {
    let (rounds, next) = size.cut(rounds, list, |round| round.id.to_string());
    let rounds = rounds.iter().map(convert::comparisons::round).collect();
    (rounds, next.map(PageToken::into_string).unwrap_or_default())
}

/// The id after which a page begins.
pub(super) fn page_id<I: FromStr<Err = Invalid>>(token: &str, list: &str) -> Result<Option<I>, Fault> {
    let key = PageToken::read(token, list).map_err(|invalid| invalid.in_field("page_token"))?;
    key.map(|key| key.parse().map_err(|invalid: Invalid| invalid.in_field("page_token"))).transpose()
}
