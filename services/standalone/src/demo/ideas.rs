//! After the election: what clients propose and what becomes of it. Scenario 3 (ideas compared in pairs), 4 (one idea from
//! the first word to its effect) and 5 (an answer that is late), in the system in which the forum was elected.
//!
//! | act | what happens |
//! | --- | --- |
//! | [`Ideas::begin`] | coordinator, secretary, chair and managers get their roles |
//! | [`Ideas::submit`] | six clients propose, one of them with a support person, and sixteen more; a coordinator screens |
//! | [`Ideas::compare`] | 42 visitors compare in pairs, the ranking is published |
//! | [`Ideas::send_to_forum`] | two ideas and the sixteen go to the forum, in plain Finnish and with a picture |
//! | [`Ideas::call_meeting`] | the forum is called, with its agenda |
//! | [`Ideas::meet`] | the forum meets, is quorate, and votes |
//! | [`Ideas::answer`] | units answer, some late, one not at all; the machinery reminds and escalates |
//! | [`Ideas::change`] | the change is made, measured, told back and closed |
//! | [`Ideas::report`] | the timelines, the ranking, the answers in time (K4) and the loop card, as anybody may read them |

mod answering;
mod comparing;
pub mod example;
mod meeting;
mod report;
mod submitting;

pub use report::{AnswerLine, Card, Effect, InTime, Moment, Place, Story, Timeline};

use std::collections::HashMap;

use proto::common::{HeldRole, Role, ScopeKind};
use proto::membership::{AssignRoleRequest, RegisterParticipantRequest, SetPolicyRequest};

use super::example::LEAD;
use super::play::{Person, Play, during};
use crate::client::Account;
use crate::exit::Failure;

/// The proposals, and who handles them.
#[derive(Debug)]
pub struct Ideas<'a> {
    /// The play that has elected the forum.
    pub play: &'a Play,
    /// The area coordinator.
    pub coordinator: Account,
    /// The secretary of the forum.
    pub secretary: Account,
    /// Managers, by the name of their unit.
    pub managers: HashMap<&'static str, Account>,
    /// The authors, in the order of [`example::IDEAS`].
    pub authors: Vec<Account>,
    /// Ids of the proposals, in the same order; empty before they are made.
    pub proposals: Vec<String>,
    /// Ids of the proposals of [`example::OTHERS`], in their order; empty before they are made.
    pub others: Vec<String>,
    /// Receipt number of the idea that is followed.
    pub receipt_no: String,
    /// The comparison round; empty before it is prepared.
    pub round_id: String,
    /// The meeting; empty before it is planned.
    pub meeting_id: String,
    /// Topics of its agenda, by proposal.
    pub items: HashMap<String, String>,
}

impl<'a> Ideas<'a> {
    /// Registers those who handle proposals, gives them their roles and signs them in.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn begin(play: &'a Play) -> Result<Ideas<'a>, Failure> {
        play.day(example::SUBMITTED).await?;
        let forum = (ScopeKind::Forum, play.forum_id.clone());
        let tenant = (ScopeKind::Tenant, LEAD.to_owned());
        let coordinator = appoint(play, example::COORDINATOR, Role::AreaCoordinator, tenant).await?;
        let secretary = appoint(play, example::SECRETARY, Role::ForumSecretary, forum).await?;
        let mut managers = HashMap::new();
        for (unit, name) in example::MANAGERS {
            let scope = (ScopeKind::Unit, play.units.get(unit).cloned().unwrap_or_default());
            managers.insert(unit, appoint(play, name, Role::UnitManager, scope).await?);
        }
        let policy = SetPolicyRequest {
            tenant: LEAD.to_owned(),
            key: "meeting_notice_days".to_owned(),
            value: example::NOTICE_DAYS.to_owned(),
            valid_from: example::POLICY_FROM.to_owned(),
        };
        play.administrator.tenancy().set_policy(policy).await.map_err(during("set the policy"))?;
        play.settle().await?;
        Ok(Self {
            play,
            coordinator,
            secretary,
            managers,
            authors: Vec::new(),
            proposals: Vec::new(),
            others: Vec::new(),
            receipt_no: String::new(),
            round_id: String::new(),
            meeting_id: String::new(),
            items: HashMap::new(),
        })
    }

    /// Id of a unit of the example.
    pub(super) fn unit(&self, name: &str) -> String {
        self.play.units.get(name).cloned().unwrap_or_default()
    }

    /// Title, picture and id of the proposals that go to the forum: the followed idea, the late one, and the others.
    fn endorsed(&self) -> Vec<(&'static str, &'static str, &String)> {
        let ideas = [example::FOLLOWED, example::LATE].map(|number| {
            let idea = &example::IDEAS[number];
            (idea.title, idea.picture, &self.proposals[number])
        });
        let others = example::OTHERS.iter().zip(&self.others);
        ideas.into_iter().chain(others.map(|(other, id)| (other.title, other.picture, id))).collect()
    }

    /// The manager of a unit.
    ///
    /// # Errors
    /// If nobody manages it.
    fn manager(&self, unit: &str) -> Result<&Account, Failure> {
        self.managers.get(unit).ok_or_else(|| Failure::general(format!("nobody manages {unit}")))
    }

    pub(super) fn done(&self, day: &str, what: &str) {
        self.play.progress.done(day, what);
    }
}

/// Registers somebody, gives them a role and signs them in.
async fn appoint(
    play: &Play,
    name: &str,
    role: Role,
    (kind, id): (ScopeKind, String),
) -> Result<Account, Failure> {
    let request = RegisterParticipantRequest {
        tenant: LEAD.to_owned(),
        register_key: format!("H-{}", name.replace(' ', "-")),
        display_name: name.to_owned(),
        ..Default::default()
    };
    let doing = format!("appoint {name}");
    let registered = play.administrator.participants().register_participant(request).await;
    let participant = registered.map_err(during(&doing))?.into_inner().participant.unwrap_or_default();
    let request = AssignRoleRequest {
        tenant: LEAD.to_owned(),
        participant_id: participant.participant_id.clone(),
        role: Some(HeldRole { role: role.into(), scope_kind: kind.into(), scope_id: id }),
        ..Default::default()
    };
    play.administrator.participants().assign_role(request).await.map_err(during(&doing))?;
    let person = Person {
        participant_id: participant.participant_id,
        name: name.to_owned(),
        tenant: LEAD.to_owned(),
        municipality: String::new(),
        unit: String::new(),
    };
    play.sign_in(&person).await
}
