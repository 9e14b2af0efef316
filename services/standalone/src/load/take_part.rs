//! Reading proposals, supporting them, and comparing ideas.

use std::time::Instant;

use proto::proposals::{
    CompareRequest, GetProposalRequest, GetRoundRequest, GetTimelineRequest, GiveSupportRequest,
    ListProposalsRequest, NextPairRequest, SearchProposalsRequest, Side, StartSessionRequest,
    WithdrawSupportRequest,
};
use tonic::Status;

use super::act::{PAGE, Scene, write};
use super::ideas::{Prepared, Visitor, WORD};
use super::mix::Act;

/// Does an act that was due at `due`. The number chooses the connection.
pub(super) async fn perform(scene: &Scene<'_>, ideas: &Prepared, act: Act, number: usize, due: Instant) {
    let (recorder, nobody) = (scene.recorder, scene.fleet.public(number));
    let tenant = || scene.tenant.clone();
    let of = |index: usize| ideas.proposals.get(index).cloned().unwrap_or_default();
    match act {
        Act::ListProposals => {
            let request = ListProposalsRequest { tenant: tenant(), page_size: PAGE, ..Default::default() };
            let call = async { nobody.proposals().list_proposals(request).await.map(drop) };
            let _ = recorder.measure("ListProposals", due, call).await;
        }
        Act::SearchProposals => {
            let request = SearchProposalsRequest {
                tenant: tenant(),
                query: WORD.to_owned(),
                page_size: PAGE,
                ..Default::default()
            };
            let call = async { nobody.search().search_proposals(request).await.map(drop) };
            let _ = recorder.measure("SearchProposals", due, call).await;
        }
        Act::GetProposal(index) => {
            let request = GetProposalRequest { proposal_id: of(index) };
            let call = async { nobody.proposals().get_proposal(request).await.map(drop) };
            let _ = recorder.measure("GetProposal", due, call).await;
        }
        Act::GetTimeline(index) => {
            let request =
                GetTimelineRequest { proposal_id: of(index), page_size: PAGE, ..Default::default() };
            let call = async { nobody.answers().get_timeline(request).await.map(drop) };
            let _ = recorder.measure("GetTimeline", due, call).await;
        }
        Act::GetRound => {
            let request = GetRoundRequest { round_id: ideas.round_id.clone() };
            let call = async { nobody.comparisons().get_round(request).await.map(drop) };
            let _ = recorder.measure("GetRound", due, call).await;
        }
        Act::GiveSupport { proposal, person } => {
            let Some(person) = ideas.people.get(person) else { return };
            let request = GiveSupportRequest { proposal_id: of(proposal), conflict_accepted: false };
            let client = person.community();
            let given = write(scene, request, |request| {
                let mut client = client.clone();
                async move { client.give_support(request).await.map(drop) }
            });
            let _ = recorder.measure("GiveSupport", due, given).await;
        }
        Act::WithdrawSupport { proposal, person } => {
            let Some(person) = ideas.people.get(person) else { return };
            let request = WithdrawSupportRequest { proposal_id: of(proposal) };
            let client = person.community();
            let withdrawn = write(scene, request, |request| {
                let mut client = client.clone();
                async move { client.withdraw_support(request).await.map(drop) }
            });
            let _ = recorder.measure("WithdrawSupport", due, withdrawn).await;
        }
        Act::Compare => compare(scene, ideas, number, due).await,
        _ => {}
    }
}

/// A visitor who waits answers their pair; if none waits, a new one comes.
async fn compare(scene: &Scene<'_>, ideas: &Prepared, number: usize, due: Instant) {
    let client = scene.fleet.public(number).comparisons();
    let Some((visitor, pair_number)) = ideas.take_visitor().and_then(|visitor| {
        let number = visitor.visit.pair.as_ref()?.number;
        Some((visitor, number))
    }) else {
        let request = StartSessionRequest { round_id: ideas.round_id.clone(), ..Default::default() };
        let started = write(scene, request, |request| {
            let mut client = client.clone();
            async move {
                let started = client.start_session(request).await?.into_inner();
                let token = started.session_token;
                let next = NextPairRequest { session_token: token.clone() };
                let visit = client.next_pair(next).await?.into_inner().visit.unwrap_or_default();
                ideas.give_visitor(Visitor { token, visit });
                Ok::<(), Status>(())
            }
        });
        let _ = scene.recorder.measure("StartSession", due, started).await;
        return;
    };
    let request = CompareRequest {
        session_token: visitor.token.clone(),
        pair_number,
        better: if number.is_multiple_of(2) { Side::Left } else { Side::Right }.into(),
        assisted: false,
    };
    let compared = write(scene, request, |request| {
        let (mut client, token) = (client.clone(), visitor.token.clone());
        async move {
            let answered = client.compare(request).await?.into_inner();
            ideas.give_visitor(Visitor { token, visit: answered.visit.unwrap_or_default() });
            Ok::<(), Status>(())
        }
    });
    let _ = scene.recorder.measure("Compare", due, compared).await;
}
