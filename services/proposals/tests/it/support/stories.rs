//! Short stories that others begin with.

use anyhow::Context as _;
use futures::FutureExt as _;
use kernel::{ProposalId, Role};
use proposals::domain::text::{Field, Form, Hand, Owner, ReviewMethod, Reviewer, Symbol};
use proposals::store;
use proto::proposals as pb;

use super::{POHDE, World, tenant};

impl World {
    /// A draft of client 1 about the day activity of Ii.
    pub(crate) async fn draft(&self, title: &str) -> anyhow::Result<ProposalId> {
        let mut create = pb::CreateDraftRequest {
            tenant: POHDE.to_owned(),
            content: Some(self.content(title)),
            ..pb::CreateDraftRequest::default()
        };
        create.set_channel(pb::Channel::Tablet);
        let created = self.proposals().create_draft(self.by(self.client(1), create)?).await?.into_inner();
        Ok(created.proposal.context("a draft")?.proposal_id.parse()?)
    }

    /// What [`draft`](Self::draft) says.
    pub(crate) fn content(&self, title: &str) -> pb::Content {
        let mut content = pb::Content {
            language: "fi".to_owned(),
            title: title.to_owned(),
            summary: "Haluamme ulos useammin.".to_owned(),
            body: "Käymme ulkona vain kerran viikossa. Haluamme ulos joka päivä.".to_owned(),
            strength: "Haluan liikkua ulkona.".to_owned(),
            unit_ids: vec![self.units.ii_day.to_string()],
            ..pb::Content::default()
        };
        content.set_category(pb::Category::Content);
        content
    }

    /// A submitted proposal of client 1.
    pub(crate) async fn submitted_proposal(&self, title: &str) -> anyhow::Result<ProposalId> {
        let draft = self.draft(title).await?;
        let submit = pb::SubmitProposalRequest {
            proposal_id: draft.to_string(),
            ..pb::SubmitProposalRequest::default()
        };
        self.proposals().submit_proposal(self.by(self.client(1), submit)?).await?;
        Ok(draft)
    }

    /// An open proposal of client 1, screened on the same day.
    pub(crate) async fn open_proposal(&self, title: &str) -> anyhow::Result<ProposalId> {
        let proposal = self.submitted_proposal(title).await?;
        self.screen(proposal).await?;
        Ok(proposal)
    }

    /// The coordinator finds a proposal fit to publish, and everything found in it fine.
    pub(crate) async fn screen(&self, proposal: ProposalId) -> anyhow::Result<pb::Proposal> {
        let handled = self.handled(proposal).await?;
        let findings = handled.findings.iter().map(|finding| {
            let mut judgement =
                pb::FindingJudgement { finding_no: finding.finding_no, ..pb::FindingJudgement::default() };
            judgement.set_decision(pb::FindingDecision::Fine);
            judgement
        });
        let screen = pb::ScreenProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            findings: findings.collect(),
            ..pb::ScreenProposalRequest::default()
        };
        let screened = self.handling().screen_proposal(self.by(self.coordinator(), screen)?).await?;
        screened.into_inner().proposal.context("a proposal")
    }

    /// A proposal as the coordinator sees it.
    pub(crate) async fn handled(&self, proposal: ProposalId) -> anyhow::Result<pb::HandledProposal> {
        let get = pb::GetHandledProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            purpose: "screening".to_owned(),
            ..pb::GetHandledProposalRequest::default()
        };
        let handled = self.handling().get_handled_proposal(self.by(self.coordinator(), get)?).await?;
        handled.into_inner().proposal.context("a proposal")
    }

    /// A proposal as client 1, its author, sees it.
    pub(crate) async fn mine(&self, proposal: ProposalId) -> anyhow::Result<pb::MyProposal> {
        let get = pb::GetMyProposalRequest { proposal_id: proposal.to_string() };
        let mine = self.proposals().get_my_proposal(self.by(self.client(1), get)?).await?;
        mine.into_inner().proposal.context("a proposal")
    }

    /// Gives a proposal a reviewed title and summary in plain Finnish and a picture (P2), as staff does.
    pub(crate) async fn make_plain(&self, proposal: ProposalId) -> anyhow::Result<()> {
        self.make_plain_in(POHDE, proposal).await
    }

    /// The same for a proposal of another county.
    pub(crate) async fn make_plain_in(&self, county: &str, proposal: ProposalId) -> anyhow::Result<()> {
        let (writer, person) = (self.handle("proposals")?.writer, self.person(900));
        let owner = Owner::proposal(tenant(county), proposal);
        let write = writer.internal("story", (owner, person), |tx, (owner, person)| {
            async move {
                let mut texts = store::texts::load(tx.conn(), *owner).await?;
                let (form, today) = (Form::EasyFinnish, tx.now().helsinki_date());
                let by = Reviewer {
                    person: *person,
                    role: Role::AreaCoordinator,
                    method: ReviewMethod::PlainLanguageCheck,
                };
                for (field, words) in [(Field::Title, "Ulos!"), (Field::Summary, "Haluamme ulos useammin.")] {
                    texts.write(field, form, words, Hand::Human)?;
                    let revision = texts.variant(field, form).map_or(1, |variant| variant.revision);
                    texts.review(field, form, revision, by, today)?;
                }
                texts.set_symbols(Symbol::all().take(1).collect(), Some(Role::AreaCoordinator))?;
                store::texts::save_and_queue(tx.conn(), *owner, &texts, today).await
            }
            .boxed()
        });
        Ok(write.await?)
    }

    /// A proposal of client 1 on the shortlist, with its plain summary and picture.
    pub(crate) async fn shortlisted_proposal(&self, title: &str) -> anyhow::Result<ProposalId> {
        let proposal = self.open_proposal(title).await?;
        self.make_plain(proposal).await?;
        let (tenant, proposal_id) = (POHDE.to_owned(), proposal.to_string());
        let shortlist = pb::ShortlistProposalRequest { tenant, proposal_id };
        self.handling().shortlist_proposal(self.by(self.coordinator(), shortlist)?).await?;
        Ok(proposal)
    }

    /// A proposal of client 1 before the world's forum.
    pub(crate) async fn proposal_before_forum(&self, title: &str) -> anyhow::Result<ProposalId> {
        let proposal = self.shortlisted_proposal(title).await?;
        let send = pb::SendToForumRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            forum_id: self.forum.to_string(),
        };
        self.handling().send_to_forum(self.by(self.coordinator(), send)?).await?;
        Ok(proposal)
    }

    /// A proposal as the public sees it now.
    pub(crate) async fn public(&self, proposal: ProposalId) -> anyhow::Result<pb::Proposal> {
        let get = pb::GetProposalRequest { proposal_id: proposal.to_string() };
        self.proposals().get_proposal(get).await?.into_inner().proposal.context("a proposal")
    }
}
