//! Many give support, take it back and compare at once, while the services are killed in the middle, twice, with a signal
//! that cannot be caught. Afterwards everything is as its clients were told, by the ledger check and by the rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context as _;
use kernel::Ids;
use proto::common::{HeldRole, Role, ScopeKind};
use proto::membership::{
    AssignRoleRequest, IssueCodeCardRequest, RegisterParticipantRequest, RegisterServiceUnitRequest,
    ServiceUnitKind,
};
use proto::proposals as pb;
use standalone::client::{Account, Server};
use testkit::eventually;
use testkit::system::Store;
use tests::load::insist;
use tests::place::Place;
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, drained, texts};
use tokio::task::JoinSet;

use super::{PATIENCE, tell};

/// Clients at once.
const CLIENTS: usize = 64;
/// Acknowledged commands between one kill and the next.
const SOME: u64 = 400;
const COUNTY: &str = "19";

/// What all clients share.
struct Crowd {
    server: Server,
    round_id: String,
    proposal_id: String,
    stop: AtomicBool,
    answered: AtomicU64,
}

/// What one client was told in the end.
#[derive(Default)]
struct Told {
    supports: bool,
    compared: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_64_clients_were_told_of_supports_and_comparisons_outlives_kills_sqlite() -> anyhow::Result<()> {
    killed_in_the_middle(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_64_clients_were_told_of_supports_and_comparisons_outlives_kills_postgres() -> anyhow::Result<()>
{
    killed_in_the_middle(Store::Postgres).await
}

async fn killed_in_the_middle(store: Store) -> anyhow::Result<()> {
    let (place, scene) = Scene::make(store, Stage::Voting).await?;
    let mut program = place.run(&scene.start()).await?;
    let server = place.server()?;
    let crowd = Arc::new(Crowd::gather(server.clone(), &scene).await?);
    let mut clients = JoinSet::new();
    for voter in scene.voters.iter().take(CLIENTS) {
        clients.spawn(Arc::clone(&crowd).client(server.resume(voter.session.clone())));
    }
    assert_eq!(clients.len(), CLIENTS);
    for kill in 1..=2 {
        crowd.answered(kill * SOME, &mut clients).await?;
        program.kill();
        program = place.run(&scene.start()).await?;
    }
    crowd.answered(3 * SOME, &mut clients).await?;
    crowd.stop.store(true, Ordering::Relaxed);
    let (mut supports, mut compared) = (0, 0);
    while let Some(told) = clients.join_next().await {
        let told = told??;
        supports += u64::from(told.supports);
        compared += told.compared;
    }
    drained(&server, &scene).await?;
    program.stop()?;
    place.check_ledger(&[]).await?;
    check_rows(&place, supports, compared).await?;
    assert!(compared >= SOME / 2, "only {compared} comparisons");
    tell(&format!("{supports} of {CLIENTS} support in the end, {compared} comparisons"));
    Ok(())
}

/// Stored is what was acknowledged, counted and by the rows.
async fn check_rows(place: &Place, supports: u64, compared: u64) -> anyhow::Result<()> {
    let proposals = connect(place, "proposals").await?;
    for (question, expected) in [
        ("SELECT COUNT(*) || '|' || COUNT(DISTINCT person) FROM support", format!("{supports}|{supports}")),
        ("SELECT SUM(supports) || '' FROM proposal_counts", supports.to_string()),
        ("SELECT COUNT(*) || '' FROM pair_offer WHERE answer IN ('left', 'right')", compared.to_string()),
        ("SELECT SUM(comparisons) || '' FROM comparison_round", compared.to_string()),
        ("SELECT SUM(wins_lower + wins_higher) || '' FROM pair_sum WHERE place = ''", compared.to_string()),
    ] {
        anyhow::ensure!(
            texts(&proposals, question).await? == [expected.clone()],
            "{question}: not {expected}"
        );
    }
    Ok(proposals.close().await?)
}

impl Crowd {
    /// A proposal that may be supported and a round that is open.
    async fn gather(server: Server, scene: &Scene) -> anyhow::Result<Self> {
        let administrator = server.resume(scene.administrator.clone());
        let coordinator = coordinator(&server, &administrator).await?;
        let unit = RegisterServiceUnitRequest {
            tenant: COUNTY.to_owned(),
            name: "Iin toimintakeskus".to_owned(),
            kind: ServiceUnitKind::DayActivity.into(),
            municipality: "139".to_owned(),
        };
        let unit = administrator.tenancy().register_service_unit(unit).await?.into_inner().unit;
        drained(&server, scene).await?;
        let content = pb::Content {
            language: "fi".to_owned(),
            title: "Päivätoimintaan lisää ulkoilua".to_owned(),
            summary: "Ulos joka päivä.".to_owned(),
            category: pb::Category::Content.into(),
            unit_ids: vec![unit.context("a unit")?.unit_id],
            ..Default::default()
        };
        let tenant = COUNTY.to_owned();
        let draft =
            pb::CreateDraftRequest { tenant: tenant.clone(), content: Some(content), ..Default::default() };
        let draft = administrator.proposals().create_draft(draft).await?.into_inner().proposal;
        let proposal_id = draft.context("a draft")?.proposal_id;
        let submit = pb::SubmitProposalRequest { proposal_id: proposal_id.clone(), ..Default::default() };
        administrator.proposals().submit_proposal(submit).await?;
        let screen = pb::ScreenProposalRequest {
            tenant: tenant.clone(),
            proposal_id: proposal_id.clone(),
            ..Default::default()
        };
        coordinator.handling().screen_proposal(screen).await?;
        let idea = |number| pb::NewIdea {
            text: format!("Idea {number}"),
            picture: "outdoors".to_owned(),
            proposal_id: String::new(),
        };
        let prepare = pb::PrepareRoundRequest {
            tenant: tenant.clone(),
            title: "Mielekäs päivä".to_owned(),
            opens_on: "2026-04-13".to_owned(),
            closes_on: "2026-04-20".to_owned(),
            ideas: (1..=8).map(idea).collect(),
            ..Default::default()
        };
        let prepared = coordinator.comparisons().prepare_round(prepare).await?.into_inner();
        let round_id = prepared.round.context("a round")?.round_id;
        let open = pb::OpenRoundRequest { tenant, round_id: round_id.clone(), ..Default::default() };
        coordinator.comparisons().open_round(open).await?;
        let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Self { server, round_id, proposal_id, stop, answered })
    }

    /// Waits for so many answers in all.
    async fn answered(
        &self,
        so_many: u64,
        clients: &mut JoinSet<anyhow::Result<Told>>,
    ) -> anyhow::Result<()> {
        tokio::select! {
            () = eventually(PATIENCE, async || self.answered.load(Ordering::Relaxed) >= so_many) => Ok(()),
            Some(ended) = clients.join_next() => anyhow::bail!("a client ended: {:?}", ended?.err()),
        }
    }

    /// Gives support, takes it back and compares until it is stopped.
    async fn client(self: Arc<Self>, account: Account) -> anyhow::Result<Told> {
        let nobody = self.server.public();
        let mut told = Told::default();
        let (mut session_token, mut visit) = (String::new(), pb::Visit::default());
        for turn in 0_u64.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if turn % 3 == 0 {
                let proposal_id = self.proposal_id.clone();
                if told.supports {
                    let take = pb::WithdrawSupportRequest { proposal_id };
                    let call =
                        |who: Account, take| async move { who.community().withdraw_support(take).await };
                    self.send(&account, &take, call).await?;
                } else {
                    let give = pb::GiveSupportRequest { proposal_id, conflict_accepted: false };
                    let call = |who: Account, give| async move { who.community().give_support(give).await };
                    self.send(&account, &give, call).await?;
                }
                told.supports = !told.supports;
            }
            let Some(pair) = visit.pair.clone() else {
                (session_token, visit) = self.visit(&nobody).await?;
                continue;
            };
            let better = if turn % 2 == 0 { pb::Side::Left } else { pb::Side::Right };
            let compare = pb::CompareRequest {
                session_token: session_token.clone(),
                pair_number: pair.number,
                better: better.into(),
                assisted: turn % 7 == 0,
            };
            let call = |who: Account, compare| async move { who.comparisons().compare(compare).await };
            visit = self.send(&nobody, &compare, call).await?.visit.unwrap_or_default();
            told.compared += 1;
        }
        Ok(told)
    }

    /// A new visit, with its first pair.
    async fn visit(&self, nobody: &Account) -> anyhow::Result<(String, pb::Visit)> {
        let (round_id, municipality) = (self.round_id.clone(), "139".to_owned());
        let start = pb::StartSessionRequest { round_id, municipality };
        let call = |who: Account, start| async move { who.comparisons().start_session(start).await };
        let session_token = self.send(nobody, &start, call).await?.session_token;
        let next = pb::NextPairRequest { session_token: session_token.clone() };
        let call = |who: Account, next| async move { who.comparisons().next_pair(next).await };
        let visit = self.send(nobody, &next, call).await?.visit.unwrap_or_default();
        Ok((session_token, visit))
    }

    /// Sends a command under one key until it is answered.
    async fn send<M: Clone, T, F>(
        &self,
        who: &Account,
        message: &M,
        call: impl Fn(Account, tonic::Request<M>) -> F,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let (answer, _) = insist(who, &Ids::system().uuid().to_string(), message, &call).await?;
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }
}

/// Somebody who coordinates the county, signed in.
async fn coordinator(server: &Server, administrator: &Account) -> anyhow::Result<Account> {
    let (tenant, name) = (COUNTY.to_owned(), "Kaisa Koordinaattori".to_owned());
    let register = RegisterParticipantRequest {
        tenant: tenant.clone(),
        register_key: "H-crowd".to_owned(),
        display_name: name,
        ..Default::default()
    };
    let registered = administrator.participants().register_participant(register).await?.into_inner();
    let participant_id = registered.participant.context("a participant")?.participant_id;
    let role = HeldRole {
        role: Role::AreaCoordinator.into(),
        scope_kind: ScopeKind::Tenant.into(),
        scope_id: tenant.clone(),
    };
    let assign = AssignRoleRequest {
        tenant: tenant.clone(),
        participant_id: participant_id.clone(),
        role: Some(role),
        ..Default::default()
    };
    administrator.participants().assign_role(assign).await?;
    let issue = IssueCodeCardRequest { tenant, participant_id, unit_id: String::new() };
    let card = administrator.participants().issue_code_card(issue).await?.into_inner();
    Ok(server.sign_in_with_card(&card.card, &card.code).await?)
}
