//! Somebody signed in, and the clients of all services in their name.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::common::ActingMode;
use proto::forums::elections_service_client::ElectionsServiceClient;
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::forums::meetings_service_client::MeetingsServiceClient;
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::participants_service_client::ParticipantsServiceClient;
use proto::membership::rolls_service_client::RollsServiceClient;
use proto::membership::sign_in_service_client::SignInServiceClient;
use proto::membership::support_service_client::SupportServiceClient;
use proto::membership::tenancy_service_client::TenancyServiceClient;
use proto::membership::{EndSessionRequest, IssueActorTokenRequest};
use proto::messaging::audit_service_client::AuditServiceClient;
use proto::messaging::event_feed_service_client::EventFeedServiceClient;
use proto::messaging::operator_service_client::OperatorServiceClient;
use proto::proposals::answers_service_client::AnswersServiceClient;
use proto::proposals::changes_service_client::ChangesServiceClient;
use proto::proposals::community_service_client::CommunityServiceClient;
use proto::proposals::comparisons_service_client::ComparisonsServiceClient;
use proto::proposals::feedback_service_client::FeedbackServiceClient;
use proto::proposals::handling_service_client::HandlingServiceClient;
use proto::proposals::proposals_service_client::ProposalsServiceClient;
use proto::proposals::search_service_client::SearchServiceClient;
use proto::proposals::texts_service_client::TextsServiceClient;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tonic::Status;

use super::{Door, Server};

/// Tokens live for at most five minutes; this leaves room for clocks that differ and for slow calls.
const RENEW_AFTER: Duration = Duration::from_secs(120);

/// Who calls: a session, or nobody. Clones share the session and its tokens.
#[derive(Clone)]
pub struct Account {
    server: Server,
    session: Option<Arc<Session>>,
    mode: ActingMode,
    /// The relationship with the support person at the side; empty without one.
    support: String,
}

struct Session {
    secret: SecretString,
    tokens: Mutex<HashMap<TokenKey, Token>>,
}

/// Audience, acting mode, support relationship.
type TokenKey = (String, ActingMode, String);

struct Token {
    text: String,
    bought: Instant,
}

impl Account {
    pub(super) fn nobody(server: Server) -> Self {
        Self { server, session: None, mode: ActingMode::Self_, support: String::new() }
    }

    pub(super) fn with_session(server: Server, secret: String) -> Self {
        let session = Session { secret: secret.into(), tokens: Mutex::default() };
        let session = Some(Arc::new(session));
        Self { server, session, mode: ActingMode::Self_, support: String::new() }
    }

    /// The same person, acting in another way, for example with a helper present.
    #[must_use]
    pub fn acting(&self, mode: ActingMode) -> Self {
        Self { mode, ..self.clone() }
    }

    /// The same person, with a support person at their side by this relationship.
    #[must_use]
    pub fn helped(&self, support_id: &str) -> Self {
        Self { mode: ActingMode::Assisted, support: support_id.to_owned(), ..self.clone() }
    }

    /// The same person over another connection, with the same tokens.
    #[must_use]
    pub fn over(&self, server: Server) -> Self {
        Self { server, ..self.clone() }
    }

    /// Buys a new token for a service if there is none or it is older than this. Calls go on meanwhile with the old one.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn renew_token(&self, audience: &str, older_than: Duration) -> Result<(), Status> {
        let Some(session) = &self.session else { return Ok(()) };
        let key = self.token_key(audience);
        let age = session.tokens.lock().await.get(&key).map(|token| token.bought.elapsed());
        if age.is_none_or(|age| age >= older_than) {
            let token = self.buy(session, audience).await?;
            session.tokens.lock().await.insert(key, token);
        }
        Ok(())
    }

    /// The session's secret, for saving it; None for nobody.
    pub fn session(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.secret.expose_secret())
    }

    /// Buys new tokens from the next call on. Roles, attestations and places on rolls are written into a token
    /// when it is bought; what was given since is not in the old ones.
    pub async fn forget_tokens(&self) {
        if let Some(session) = &self.session {
            session.tokens.lock().await.clear();
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn sign_out(&self) -> Result<(), Status> {
        if let Some(secret) = self.session() {
            let request = EndSessionRequest { session: secret.to_owned() };
            self.server.public().sign_in().end_session(request).await?;
        }
        Ok(())
    }

    /// The token to show to a service; None for nobody.
    pub(super) async fn token(&self, audience: &str) -> Result<Option<String>, Status> {
        let Some(session) = &self.session else { return Ok(None) };
        let mut tokens = session.tokens.lock().await;
        let key = self.token_key(audience);
        if let Some(token) = tokens.get(&key).filter(|token| token.bought.elapsed() < RENEW_AFTER) {
            return Ok(Some(token.text.clone()));
        }
        let token = self.buy(session, audience).await?;
        let text = token.text.clone();
        tokens.insert(key, token);
        Ok(Some(text))
    }

    fn token_key(&self, audience: &str) -> TokenKey {
        (audience.to_owned(), self.mode, self.support.clone())
    }

    async fn buy(&self, session: &Session, audience: &str) -> Result<Token, Status> {
        let bought = Instant::now();
        let request = IssueActorTokenRequest {
            session: session.secret.expose_secret().to_owned(),
            audience: audience.to_owned(),
            acting_mode: self.mode.into(),
            on_behalf_of: String::new(),
            support_id: self.support.clone(),
        };
        let answer = self.server.public().sign_in().issue_actor_token(request).await?.into_inner();
        let token = answer.token.ok_or_else(|| Status::internal("membership answered without a token"))?;
        Ok(Token { text: token.token, bought })
    }

    fn door(&self, service: &str) -> Door {
        Door::new(self.clone(), self.server.channel(service), self.server.ids.clone(), service)
            .journalled(self.server.journal.clone())
    }

    /// Sign-in, sessions, tokens.
    pub fn sign_in(&self) -> SignInServiceClient<Door> {
        SignInServiceClient::new(self.door("membership"))
    }

    /// The register of participants.
    pub fn participants(&self) -> ParticipantsServiceClient<Door> {
        ParticipantsServiceClient::new(self.door("membership"))
    }

    /// Counties, policy, regions, service units.
    pub fn tenancy(&self) -> TenancyServiceClient<Door> {
        TenancyServiceClient::new(self.door("membership"))
    }

    /// Electoral rolls and vouchers.
    pub fn rolls(&self) -> RollsServiceClient<Door> {
        RollsServiceClient::new(self.door("membership"))
    }

    /// What services ask of membership.
    pub fn directory(&self) -> DirectoryServiceClient<Door> {
        DirectoryServiceClient::new(self.door("membership"))
    }

    /// Forums and seats.
    pub fn forums(&self) -> ForumsServiceClient<Door> {
        ForumsServiceClient::new(self.door("forums"))
    }

    /// Elections.
    pub fn elections(&self) -> ElectionsServiceClient<Door> {
        ElectionsServiceClient::new(self.door("forums"))
    }

    /// Support persons.
    pub fn support(&self) -> SupportServiceClient<Door> {
        SupportServiceClient::new(self.door("membership"))
    }

    /// Meetings of forums.
    pub fn meetings(&self) -> MeetingsServiceClient<Door> {
        MeetingsServiceClient::new(self.door("forums"))
    }

    /// Proposals of one's own, and reading them.
    pub fn proposals(&self) -> ProposalsServiceClient<Door> {
        ProposalsServiceClient::new(self.door("proposals"))
    }

    /// Proposals as coordinators and secretaries handle them.
    pub fn handling(&self) -> HandlingServiceClient<Door> {
        HandlingServiceClient::new(self.door("proposals"))
    }

    /// Texts in several forms.
    pub fn texts(&self) -> TextsServiceClient<Door> {
        TextsServiceClient::new(self.door("proposals"))
    }

    /// Ideas compared in pairs.
    pub fn comparisons(&self) -> ComparisonsServiceClient<Door> {
        ComparisonsServiceClient::new(self.door("proposals"))
    }

    /// Support, following, comments.
    pub fn community(&self) -> CommunityServiceClient<Door> {
        CommunityServiceClient::new(self.door("proposals"))
    }

    /// Earlier proposals, found by words.
    pub fn search(&self) -> SearchServiceClient<Door> {
        SearchServiceClient::new(self.door("proposals"))
    }

    /// Answers of units, promises and timelines.
    pub fn answers(&self) -> AnswersServiceClient<Door> {
        AnswersServiceClient::new(self.door("proposals"))
    }

    /// Changes and what they brought about.
    pub fn changes(&self) -> ChangesServiceClient<Door> {
        ChangesServiceClient::new(self.door("proposals"))
    }

    /// Loop cards.
    pub fn feedback(&self) -> FeedbackServiceClient<Door> {
        FeedbackServiceClient::new(self.door("proposals"))
    }

    /// Operation of one service. Requests must name the same service.
    pub fn operator(&self, service: &str) -> OperatorServiceClient<Door> {
        OperatorServiceClient::new(self.door(service))
    }

    /// The audit log of one service. Requests must name the same service.
    pub fn audit(&self, service: &str) -> AuditServiceClient<Door> {
        AuditServiceClient::new(self.door(service))
    }

    /// The event log of one service. Requests must name the same service.
    pub fn feed(&self, service: &str) -> EventFeedServiceClient<Door> {
        EventFeedServiceClient::new(self.door(service))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.session.is_some() { "somebody" } else { "nobody" };
        f.debug_struct("Account").field("who", &who).field("mode", &self.mode).finish_non_exhaustive()
    }
}
