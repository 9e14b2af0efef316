//! Six ideas come in, one of them with a support person at the author's side; a coordinator screens them.

use proto::membership::{
    AcceptSupportRequest, DeclareIndependenceRequest, ListMySupportRequest, OfferSupportRequest,
};
use proto::proposals::{
    Category, Channel, Content, CreateDraftRequest, FindingDecision, FindingJudgement,
    GetHandledProposalRequest, GiveSupportRequest, ReviewFormRequest, ReviewMethod, ScreenProposalRequest,
    SendToForumRequest, SetMySymbolsRequest, SetSymbolsRequest, ShortlistProposalRequest,
    SubmitProposalRequest, TextField, TextOwner, WriteMyFormRequest,
};

use super::example::{Idea, Other};
use super::{Ideas, example};
use crate::client::Account;
use crate::demo::example::{LEAD, PLACES};
use crate::demo::play::{Person, during, each};
use crate::exit::Failure;

/// The support person of the author of the followed idea; works elsewhere, so there is no conflict (M3).
const SUPPORTER: &str = "Elli Holappa";
/// Day of the support person's training (S1.28).
const TRAINED: &str = "2026-05-20";

/// What a client hands in.
struct Words {
    title: &'static str,
    summary: &'static str,
    plain: &'static str,
    own_words: &'static str,
    picture: &'static str,
    unit: &'static str,
    channel: Channel,
}

impl Words {
    fn of_idea(idea: &Idea, number: usize) -> Self {
        let Idea { title, summary, plain, picture, unit, .. } = *idea;
        let (own_words, channel) = match number {
            example::FOLLOWED => ("Ulos! Useammin.", Channel::Tablet),
            _ => ("", Channel::Web),
        };
        Self { title, summary, plain, own_words, picture, unit, channel }
    }

    fn of_other(other: &Other) -> Self {
        let Other { title, plain, picture, unit, .. } = *other;
        Self { title, summary: plain, plain, own_words: "", picture, unit, channel: Channel::Web }
    }
}

impl Ideas<'_> {
    /// Six clients propose, and sixteen more; two days later a coordinator finds it all fit to publish (P1).
    ///
    /// # Errors
    /// What the services answer.
    pub async fn submit(&mut self) -> Result<(), Failure> {
        self.play.day(example::SUBMITTED).await?;
        for (number, idea) in example::IDEAS.iter().enumerate() {
            let author = self.author(number).await?;
            let (proposal_id, receipt_no) = self.propose(&Words::of_idea(idea, number), &author).await?;
            self.authors.push(author);
            self.proposals.push(proposal_id);
            if number == example::FOLLOWED {
                self.receipt_no = receipt_no;
            }
        }
        self.done(example::SUBMITTED, "six clients propose, one on a unit's tablet with a support person");
        let this: &Self = self;
        self.others = each(example::OTHERS, |other: Other| async move {
            let author = this.play.sign_in(&this.client(other.author)?).await?;
            Ok(this.propose(&Words::of_other(&other), &author).await?.0)
        })
        .await?;
        self.done(example::SUBMITTED, "sixteen more proposals come in");
        self.play.day(example::SCREENED).await?;
        for proposal_id in self.proposals.iter().chain(&self.others) {
            self.screen(proposal_id).await?;
        }
        self.done(example::SCREENED, "a coordinator screens them: they are open to everybody");
        let supporter = self.play.sign_in(&self.client(example::SUPPORTER)?).await?;
        let request = GiveSupportRequest {
            proposal_id: self.proposals[example::FOLLOWED].clone(),
            conflict_accepted: false,
        };
        supporter.community().give_support(request).await.map_err(during("support an idea"))?;
        Ok(())
    }

    /// The author of an idea, with a support person if it is the one that is followed.
    async fn author(&self, number: usize) -> Result<Account, Failure> {
        let person = self.client(example::IDEAS[number].author)?;
        let author = self.play.sign_in(&person).await?;
        if number != example::FOLLOWED {
            return Ok(author);
        }
        let support_id = self.support(&person, &author).await?;
        Ok(author.helped(&support_id))
    }

    /// A client of a municipality, by their place in the register.
    fn client(&self, (municipality, nth): (&str, usize)) -> Result<Person, Failure> {
        let place = PLACES.iter().find(|place| place.municipality == municipality);
        let place = place.ok_or_else(|| Failure::general(format!("{municipality} is not in the example")))?;
        let mut clients = self.play.clients(place)?.into_iter();
        clients.nth(nth).ok_or_else(|| Failure::general("an author is not in the register"))
    }

    /// A support person is offered, accepted by the member, and declares to be independent (M3).
    async fn support(&self, member: &Person, account: &Account) -> Result<String, Failure> {
        let helper = self.play.person(SUPPORTER)?;
        let request = OfferSupportRequest {
            tenant: LEAD.to_owned(),
            member_id: member.participant_id.clone(),
            supporter_id: helper.participant_id.clone(),
            ..Default::default()
        };
        let offered = self.play.administrator.support().offer_support(request).await;
        offered.map_err(during("offer a support person"))?;
        // Who offers is not told what comes of it: the member finds the offer.
        let mine = account.support().list_my_support(ListMySupportRequest::default()).await;
        let mine = mine.map_err(during("look for the support person"))?.into_inner().relationships;
        let support_id = mine.into_iter().next().unwrap_or_default().support_id;
        let request = AcceptSupportRequest { support_id: support_id.clone() };
        account.support().accept_support(request).await.map_err(during("accept the support person"))?;
        let request =
            DeclareIndependenceRequest { support_id: support_id.clone(), trained_on: TRAINED.to_owned() };
        let helper = self.play.sign_in(helper).await?;
        helper.support().declare_independence(request).await.map_err(during("declare independence"))?;
        Ok(support_id)
    }

    async fn propose(&self, words: &Words, author: &Account) -> Result<(String, String), Failure> {
        let doing = format!("propose {}", words.title);
        let content = Content {
            language: "fi".to_owned(),
            title: words.title.to_owned(),
            summary: words.summary.to_owned(),
            own_words: words.own_words.to_owned(),
            category: Category::Content.into(),
            unit_ids: vec![self.unit(words.unit)],
            ..Default::default()
        };
        let request = CreateDraftRequest {
            tenant: LEAD.to_owned(),
            content: Some(content),
            channel: words.channel.into(),
            conflict_accepted: false,
        };
        let draft = author.proposals().create_draft(request).await.map_err(during(&doing))?;
        let proposal_id = draft.into_inner().proposal.unwrap_or_default().proposal_id;
        for (field, text) in [(TextField::Title, words.title), (TextField::Summary, words.plain)] {
            let request = WriteMyFormRequest {
                proposal_id: proposal_id.clone(),
                field: field.into(),
                form: "fi-selko".to_owned(),
                content: text.to_owned(),
            };
            author.texts().write_my_form(request).await.map_err(during(&doing))?;
        }
        let symbols = vec![words.picture.to_owned()];
        let request = SetMySymbolsRequest { proposal_id: proposal_id.clone(), symbols };
        author.texts().set_my_symbols(request).await.map_err(during(&doing))?;
        let request = SubmitProposalRequest { proposal_id: proposal_id.clone(), conflict_accepted: false };
        let submitted = author.proposals().submit_proposal(request).await.map_err(during(&doing))?;
        Ok((proposal_id, submitted.into_inner().receipt_no))
    }

    async fn screen(&self, proposal_id: &str) -> Result<(), Failure> {
        let request = GetHandledProposalRequest {
            tenant: LEAD.to_owned(),
            proposal_id: proposal_id.to_owned(),
            purpose: "Screening what came in".to_owned(),
            ..Default::default()
        };
        let read = self.coordinator.handling().get_handled_proposal(request).await;
        let read = read.map_err(during("read a proposal"))?.into_inner().proposal.unwrap_or_default();
        // The texts of the example name nobody: what looked like a name is none.
        let findings = read.findings.iter().map(|finding| FindingJudgement {
            finding_no: finding.finding_no,
            decision: FindingDecision::Fine.into(),
        });
        let request = ScreenProposalRequest {
            tenant: LEAD.to_owned(),
            proposal_id: proposal_id.to_owned(),
            findings: findings.collect(),
            ..Default::default()
        };
        self.coordinator.handling().screen_proposal(request).await.map_err(during("screen a proposal"))?;
        Ok(())
    }

    /// What a forum must have, reviewed, goes to it: plain Finnish and a picture (P2).
    ///
    /// # Errors
    /// What proposals answers.
    pub async fn send_to_forum(&self) -> Result<(), Failure> {
        for (other, proposal_id) in example::OTHERS.iter().zip(&self.others) {
            let request =
                ShortlistProposalRequest { tenant: LEAD.to_owned(), proposal_id: proposal_id.clone() };
            let chosen = self.coordinator.handling().shortlist_proposal(request).await;
            chosen.map_err(during(&format!("choose {} for the forum", other.title)))?;
        }
        for (title, picture, proposal_id) in self.endorsed() {
            let doing = format!("send {title} to the forum");
            let mut texts = self.coordinator.texts();
            for field in [TextField::Title, TextField::Summary] {
                let request = ReviewFormRequest {
                    tenant: LEAD.to_owned(),
                    proposal_id: proposal_id.clone(),
                    owner: TextOwner::Proposal.into(),
                    owner_id: proposal_id.clone(),
                    field: field.into(),
                    form: "fi-selko".to_owned(),
                    revision: 1,
                    method: ReviewMethod::PlainLanguageCheck.into(),
                    ..Default::default()
                };
                texts.review_form(request).await.map_err(during(&doing))?;
            }
            let request = SetSymbolsRequest {
                tenant: LEAD.to_owned(),
                proposal_id: proposal_id.clone(),
                owner: TextOwner::Proposal.into(),
                owner_id: proposal_id.clone(),
                symbols: vec![picture.to_owned()],
                ..Default::default()
            };
            texts.set_symbols(request).await.map_err(during(&doing))?;
            let request = SendToForumRequest {
                tenant: LEAD.to_owned(),
                proposal_id: proposal_id.clone(),
                forum_id: self.play.forum_id.clone(),
            };
            self.coordinator.handling().send_to_forum(request).await.map_err(during(&doing))?;
        }
        self.play.settle().await?;
        self.done(
            example::RANKED,
            "two ideas and the sixteen proposals go to the forum, in plain Finnish and with a picture",
        );
        Ok(())
    }
}
