//! The whole service as others see it: started by chassis, called through gRPC with its own tokens.

use std::sync::atomic::{AtomicU32, Ordering};

use chassis::{Config, Running, StartError};
use kernel::{Ids, SettableClock, TenantId};
use messaging::{Clocks, Database, DatabaseKind};
use proto::common::{HeldRole, Role, ScopeKind};
use proto::membership as pb;
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::participants_service_client::ParticipantsServiceClient;
use proto::membership::sign_in_service_client::SignInServiceClient;
use proto::membership::support_service_client::SupportServiceClient;
use proto::membership::tenancy_service_client::TenancyServiceClient;
use std::sync::Arc;
use tempfile::TempDir;
use testkit::nats;
use testkit::postgres::Cluster;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::support::{ENGINES, GROUP};

/// A prepared membership in a process of its own, as `osallisuus init` and its binary make it.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) channel: Channel,
    setup_code: String,
    pub(crate) secrets: std::path::PathBuf,
    keys: AtomicU32,
    _nats: nats::Server,
    _folder: TempDir,
}

impl Served {
    pub(crate) async fn start(engine: DatabaseKind) -> Self {
        Self::start_set(engine, Vec::new()).await.unwrap()
    }

    /// One whose business clock an operator may set.
    pub(crate) async fn start_demo(engine: DatabaseKind) -> Self {
        Self::start_set(engine, vec![("DEMO".to_owned(), "true".to_owned())]).await.unwrap()
    }

    /// One with these settings over the usual ones.
    pub(crate) async fn start_set(
        engine: DatabaseKind,
        set: Vec<(String, String)>,
    ) -> Result<Self, StartError> {
        println!("engine: {engine:?}");
        let folder = TempDir::new().unwrap();
        let url = match engine {
            DatabaseKind::Sqlite => format!("sqlite://{}", folder.path().join("membership.sqlite").display()),
            DatabaseKind::Postgres => Cluster::shared().create_database().await.unwrap(),
        };
        let secrets = folder.path().join("secrets");
        let setup_code = prepare(&url, &secrets).await;
        let nats = nats::Server::start().unwrap();
        let settings = [
            ("CELL", "test".to_owned()),
            ("TENANTS", "19,21".to_owned()),
            ("DATA_DIR", folder.path().display().to_string()),
            ("LISTEN__GRPC", "127.0.0.1:0".to_owned()),
            ("NATS__URL", nats.url()),
            ("NATS__PROVISION", "true".to_owned()),
            ("SERVICES__MEMBERSHIP__DATABASE", url),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(set);
        let variables = settings.map(|(name, value)| (format!("OSALLISUUS_{name}"), value));
        let services = [membership::SERVICE];
        let config = Config::load(&services, None, variables).unwrap();
        let running = chassis::start(&services, config).await?;
        running.ready().await;
        let channel = Endpoint::from_shared(format!("http://{}", running.addr())).unwrap().connect_lazy();
        let keys = AtomicU32::new(0);
        Ok(Self { running, channel, setup_code, secrets, keys, _nats: nats, _folder: folder })
    }

    /// A request with a new idempotency key and, unless it is empty, a token.
    pub(crate) fn request<T>(&self, token: &str, message: T) -> Request<T> {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        request(&format!("idempotency-key-{number}"), token, message)
    }

    pub(crate) fn sign_in(&self) -> SignInServiceClient<Channel> {
        SignInServiceClient::new(self.channel.clone())
    }

    pub(crate) fn participants(&self) -> ParticipantsServiceClient<Channel> {
        ParticipantsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn support(&self) -> SupportServiceClient<Channel> {
        SupportServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tenancy(&self) -> TenancyServiceClient<Channel> {
        TenancyServiceClient::new(self.channel.clone())
    }

    /// A token for membership, bought with a session.
    pub(crate) async fn token(&self, session: Option<pb::Session>) -> String {
        let session = session.unwrap().session;
        let message =
            pb::IssueActorTokenRequest { session, audience: "membership".to_owned(), ..Default::default() };
        let issued = self.sign_in().issue_actor_token(self.request("", message)).await.unwrap();
        issued.into_inner().token.unwrap().token
    }

    /// The first administrator's token.
    pub(crate) async fn administrator(&self) -> String {
        let message = pb::RedeemSetupCodeRequest {
            code: self.setup_code.clone(),
            display_name: "Helmi Hallinto".to_owned(),
            tenant: "19".to_owned(),
        };
        let redeemed = self.sign_in().redeem_setup_code(self.request("", message)).await.unwrap();
        self.token(redeemed.into_inner().session).await
    }

    pub(crate) async fn register(&self, token: &str, key: &str) -> Result<pb::Participant, Status> {
        let message = pb::RegisterParticipantRequest {
            tenant: "19".to_owned(),
            register_key: key.to_owned(),
            display_name: format!("Person {key}"),
            ..Default::default()
        };
        let registered = self.participants().register_participant(self.request(token, message)).await?;
        Ok(registered.into_inner().participant.unwrap())
    }

    /// Makes a card and signs in with it: the person's token.
    pub(crate) async fn enter(&self, token: &str, participant_id: &str) -> String {
        let session = self.session(token, participant_id).await.unwrap();
        self.token(Some(session)).await
    }

    /// Makes a card and signs in with it.
    pub(crate) async fn session(&self, token: &str, participant_id: &str) -> Result<pb::Session, Status> {
        let message = pb::IssueCodeCardRequest {
            tenant: "19".to_owned(),
            participant_id: participant_id.to_owned(),
            unit_id: String::new(),
        };
        let card = self.participants().issue_code_card(self.request(token, message)).await?.into_inner();
        let message = pb::SignInWithCodeCardRequest { card: card.card, code: card.code };
        let entered = self.sign_in().sign_in_with_code_card(self.request("", message)).await?;
        Ok(entered.into_inner().session.unwrap())
    }
}

fn request<T>(key: &str, token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}

/// What `osallisuus init` does.
async fn prepare(url: &str, secrets: &std::path::Path) -> String {
    let database = Database::open(url, "membership", membership::migrations).await.unwrap();
    let clock = Arc::new(SettableClock::locked());
    let clocks = Clocks { business: clock.clone(), real: clock };
    let services = ["membership", "forums"];
    let tenants = ["19", "21"].map(|code| TenantId::new(code).unwrap());
    let code =
        membership::setup::prepare(&database, secrets, "test", &services, &tenants, clocks, Ids::system())
            .await
            .unwrap();
    database.close().await.unwrap();
    code.unwrap().code
}

/// The stable code of a status.
pub(crate) fn code_of(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn from_the_setup_code_to_a_client_who_reads_their_own_data() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let message = pb::RegisterServiceUnitRequest {
            tenant: "19".to_owned(),
            name: "Iin päivätoiminta".to_owned(),
            kind: pb::ServiceUnitKind::DayActivity.into(),
            municipality: "139".to_owned(),
        };
        let request = served.request(&administrator, message);
        let unit = served.tenancy().register_service_unit(request).await.unwrap().into_inner().unit.unwrap();
        let staff = served.register(&administrator, "S-1").await.unwrap();
        let message = pb::AssignRoleRequest {
            tenant: "19".to_owned(),
            participant_id: staff.participant_id.clone(),
            role: Some(HeldRole {
                role: Role::UnitStaff.into(),
                scope_kind: ScopeKind::Unit.into(),
                scope_id: unit.unit_id.clone(),
            }),
            ..Default::default()
        };
        served.participants().assign_role(served.request(&administrator, message)).await.unwrap();
        let staff = served.enter(&administrator, &staff.participant_id).await;

        let client = served.register(&administrator, "A-1").await.unwrap();
        let attest = pb::AttestEligibilityRequest {
            unit_id: unit.unit_id.clone(),
            participant_id: client.participant_id.clone(),
            group: GROUP.to_owned(),
            municipality: "139".to_owned(),
        };
        served.participants().attest_eligibility(served.request(&staff, attest.clone())).await.unwrap();
        let by_client = served.enter(&administrator, &client.participant_id).await;
        let refused = served.participants().attest_eligibility(served.request(&by_client, attest)).await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
        let myself =
            served.participants().get_myself(served.request(&by_client, pb::GetMyselfRequest {})).await;
        let myself = myself.unwrap().into_inner().participants;
        assert_eq!(myself[0].display_name, "Person A-1");
        assert_eq!(myself[0].attestations[0].municipality, "139");
        assert_eq!(myself[0].state(), pb::ParticipantState::Active);

        let leave = || pb::LeaveParticipationRequest { tenant: "19".to_owned() };
        served.participants().leave_participation(served.request(&by_client, leave())).await.unwrap();
        let gone =
            served.participants().get_myself(served.request(&by_client, pb::GetMyselfRequest {})).await;
        assert_eq!(code_of(&gone.unwrap_err()), "membership.session_refused");
        served.running.stop().await;
    }
}

#[tokio::test]
async fn refusals_name_code_field_and_remedy_and_a_repeat_answers_the_same() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let message = |key: &str, email: &str| pb::RegisterParticipantRequest {
            tenant: "19".to_owned(),
            register_key: key.to_owned(),
            display_name: "Aino Aalto".to_owned(),
            email: email.to_owned(),
            ..Default::default()
        };
        let send = async |key: &str, token: &str, message| {
            served.participants().register_participant(request(key, token, message)).await
        };
        let key = "an-idempotency-key";
        let first = send(key, &administrator, message("A-1", "")).await.unwrap().into_inner();
        assert_eq!(send(key, &administrator, message("A-1", "")).await.unwrap().into_inner(), first);
        let other = send(key, &administrator, message("A-2", "")).await.unwrap_err();
        assert_eq!(other.code(), Code::AlreadyExists, "one key, two requests");

        let status =
            send("another-idempotency-key", &administrator, message("A-3", "nobody")).await.unwrap_err();
        assert_eq!((status.code(), code_of(&status)), (Code::InvalidArgument, "request.invalid".to_owned()));
        let fields = status.get_error_details().bad_request().unwrap().field_violations.clone();
        assert_eq!(fields[0].field, "email");
        assert!(!status.message().contains("nobody"), "a value that may be anything is not repeated");

        let status =
            send("yet-another-idempotency-key", &administrator, message("A-1", "")).await.unwrap_err();
        let expected = (Code::AlreadyExists, "membership.register_key_already_used".to_owned());
        assert_eq!((status.code(), code_of(&status)), expected);
        let status = send("one-more-idempotency-key", "", message("A-4", "")).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);

        let rows = vec![pb::ImportRow::default(); 501];
        let import = pb::ImportParticipantsRequest { tenant: "19".to_owned(), rows };
        let status = served.participants().import_participants(served.request(&administrator, import)).await;
        assert_eq!(status.unwrap_err().code(), Code::InvalidArgument);
        let card =
            pb::SignInWithCodeCardRequest { card: "0000 0000".to_owned(), code: "0000-0000-0000".to_owned() };
        let status = served.sign_in().sign_in_with_code_card(served.request("", card)).await.unwrap_err();
        let expected = (Code::Unauthenticated, "membership.card_refused".to_owned());
        assert_eq!((status.code(), code_of(&status)), expected);
        let list = pb::ListParticipantsRequest { tenant: "19".to_owned(), ..Default::default() };
        let status = served.participants().list_participants(served.request(&administrator, list)).await;
        let status = status.unwrap_err();
        let fields = status.get_error_details().bad_request().unwrap().field_violations.clone();
        assert_eq!(fields[0].field, "purpose", "whoever reads people's data says why");
        served.running.stop().await;
    }
}

#[tokio::test]
async fn a_service_calls_with_its_own_account_and_a_rotated_key_is_taken_at_once() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let secret = std::fs::read_to_string(served.secrets.join("forums.secret")).unwrap();
        let message = pb::IssueServiceTokenRequest {
            account: "forums".to_owned(),
            secret: secret.trim().to_owned(),
            audience: "membership".to_owned(),
        };
        let issued = served.sign_in().issue_service_token(served.request("", message)).await.unwrap();
        let forums = issued.into_inner().token.unwrap().token;
        let mut directory = DirectoryServiceClient::new(served.channel.clone());
        let notify = || pb::NotifyRequest {
            references: Vec::new(),
            template: "forums.voting_open".to_owned(),
            dedupe_key: "election-1".to_owned(),
            urgent: false,
        };
        directory.notify(served.request(&forums, notify())).await.unwrap();
        let by_person = directory.notify(served.request(&administrator, notify())).await.unwrap_err();
        assert_eq!(by_person.code(), Code::PermissionDenied);

        // The first administrator is operator too.
        let rotate = served.request(&administrator, pb::RotateSigningKeyRequest {});
        served.sign_in().rotate_signing_key(rotate).await.unwrap();
        let keys =
            directory.list_signing_keys(pb::ListSigningKeysRequest {}).await.unwrap().into_inner().keys;
        assert_eq!(keys.len(), 2);
        let with_old_key = served.register(&administrator, "A-1").await.unwrap();
        let with_new_key = served.enter(&administrator, &with_old_key.participant_id).await;
        let myself = served.request(&with_new_key, pb::GetMyselfRequest {});
        assert!(served.participants().get_myself(myself).await.is_ok());
        served.running.stop().await;
    }
}
