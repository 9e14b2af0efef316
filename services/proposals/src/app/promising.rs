//! What was promised and what was done about it, for everybody; what is owed, for those who owe it.

use chassis::Call;
use kernel::{Date, Fault, Invalid, PageSize, PageToken, ProposalId, TenantId};
use proto::proposals as pb;

use super::App;
use crate::domain::proposal::Proposal;
use crate::domain::text::Owner;
use crate::store::answers::Kept;
use crate::store::responses::{After, Whose};
use crate::{convert, store};

impl App {
    /// Whose turn it is with a proposal.
    pub async fn get_promise(&self, id: ProposalId) -> Result<pb::GetPromiseResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::proposals::load_public(conn, id).await?;
        let promise = store::proposals::promise_of_way(conn, &proposal).await?;
        let standing = convert::answers::standing(&proposal, promise, self.today());
        Ok(pb::GetPromiseResponse { standing: Some(standing) })
    }

    /// Every step of a proposal so far, and whose turn it is.
    pub async fn get_timeline(
        &self,
        id: ProposalId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::GetTimelineResponse, Fault> {
        let conn = self.database.read();
        let list = format!("timeline|{id}");
        let wrong = |invalid: Invalid| invalid.in_field("page_token");
        let last = PageToken::read(token, &list).map_err(wrong)?;
        let last = last.map(|number| number.parse::<u32>()).transpose().map_err(Fault::internal)?;
        let proposal = store::proposals::load_public(conn, id).await?;
        let steps = store::steps::of(conn, id, last.unwrap_or(0) + 1, size.limit()).await?;
        let (steps, next) = size.cut(steps, &list, |step| step.step_no.to_string());
        let promise = store::proposals::promise_of_way(conn, &proposal).await?;
        Ok(pb::GetTimelineResponse {
            steps: steps.iter().map(convert::answers::step).collect(),
            standing: Some(convert::answers::standing(&proposal, promise, self.today())),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// The answers to a public proposal.
    pub async fn get_response(&self, id: ProposalId) -> Result<pb::GetResponseResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::proposals::load_public(conn, id).await?;
        let response = store::responses::latest(conn, id).await?;
        let mut answers = Vec::new();
        for kept in store::answers::given(conn, id).await? {
            answers.push(pb::GivenAnswer {
                number: kept.number,
                given_on: kept.given_on.map(|day| day.to_string()).unwrap_or_default(),
                answer: Some(self.said(&proposal, &kept, true).await?),
            });
        }
        let parts = if answers.is_empty() { Vec::new() } else { store::answers::parts(conn, id).await? };
        Ok(pb::GetResponseResponse {
            response: response.map(|response| convert::answers::response(&response, self.today())),
            answers,
            parts: parts.into_iter().map(convert::answers::part).collect(),
        })
    }

    /// The draft of an answer, for the units that the proposal is addressed to.
    pub async fn get_draft_response(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::GetDraftResponseResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::reach::addressed(conn, call.scope.unit()?, id).await?;
        let draft = store::answers::draft(conn, id).await?;
        let answer = match &draft {
            Some(kept) => Some(self.said(&proposal, kept, false).await?),
            None => None,
        };
        let parts = store::answers::parts(conn, id).await?;
        Ok(pb::GetDraftResponseResponse {
            answer_id: draft.map(|kept| kept.id.to_string()).unwrap_or_default(),
            answer,
            parts: parts.into_iter().map(convert::answers::part).collect(),
        })
    }

    /// Answers that are waited for in the granted county, those due first first.
    pub async fn list_late_responses(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListLateResponsesResponse, Fault> {
        let (responses, next_page_token) =
            self.waiting(Whose::County(call.scope.tenant()?), size, token).await?;
        Ok(pb::ListLateResponsesResponse { responses, next_page_token })
    }

    /// Answers that the granted unit owes, those due first first.
    pub async fn list_my_unit_answers(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyUnitAnswersResponse, Fault> {
        let (responses, next_page_token) = self.waiting(Whose::Unit(call.scope.unit()?), size, token).await?;
        Ok(pb::ListMyUnitAnswersResponse { responses, next_page_token })
    }

    /// What an answer says; to everybody only what somebody reviewed.
    async fn said(&self, proposal: &Proposal, kept: &Kept, public: bool) -> Result<pb::Answer, Fault> {
        let texts =
            store::texts::load(self.database.read(), Owner::response(proposal.tenant, kept.id)).await?;
        Ok(convert::answers::answer(&kept.answer, &texts, public))
    }

    async fn waiting(
        &self,
        whose: Whose,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<pb::UnitResponse>, String), Fault> {
        let list = format!("responses|{whose:?}");
        let after = after(token, &list).map_err(|invalid| invalid.in_field("page_token"))?;
        let found = store::responses::waiting(self.database.read(), whose, after, size.limit()).await?;
        let key =
            |one: &crate::domain::response::UnitResponse| format!("{}|{}", one.days.due_on, one.proposal);
        let (found, next) = size.cut(found, &list, key);
        let today = self.today();
        let found = found.iter().map(|response| convert::answers::response(response, today)).collect();
        Ok((found, next.map(PageToken::into_string).unwrap_or_default()))
    }

    /// How many answers of a county were given on time in a period (K4).
    pub async fn get_response_figures(
        &self,
        tenant: TenantId,
        from: Date,
        to: Date,
    ) -> Result<pb::GetResponseFiguresResponse, Fault> {
        if from > to {
            let rule = "a period ends on the day it begins or later";
            return Err(Invalid::new(rule, "send a later day").in_field("to"));
        }
        let counted = store::responses::on_time(self.database.read(), tenant, from, to, self.today()).await?;
        Ok(convert::answers::figures(counted))
    }
}

/// Where a list of responses goes on.
fn after(token: &str, list: &str) -> Result<Option<After>, Invalid> {
    let Some(key) = PageToken::read(token, list)? else { return Ok(None) };
    let broken = || Invalid::new("a page token is sent as it came", "begin again without one");
    let (due_on, proposal) = key.split_once('|').ok_or_else(broken)?;
    Ok(Some(After { due_on: kernel::deadline::parse_date(due_on)?, proposal: proposal.parse()? }))
}
