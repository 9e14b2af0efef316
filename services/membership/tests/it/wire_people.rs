//! People, accounts, notices and units through gRPC: what each call does to others.

use proto::membership as pb;
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::rolls_service_client::RollsServiceClient;
use proto::messaging::SetClockRequest;
use proto::messaging::operator_service_client::OperatorServiceClient;
use std::time::Duration;
use tonic::{Code, Status};

use crate::support::ENGINES;
use crate::wire::{Served, code_of};

const COUNTY: &str = "19";

impl Served {
    pub(crate) fn directory(&self) -> DirectoryServiceClient<tonic::transport::Channel> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    /// A token for membership, bought with an account's secret.
    async fn account(&self, account: &str, secret: &str) -> Result<String, Status> {
        let message = pb::IssueServiceTokenRequest {
            account: account.to_owned(),
            secret: secret.to_owned(),
            audience: "membership".to_owned(),
        };
        let issued = self.sign_in().issue_service_token(self.request("", message)).await?;
        Ok(issued.into_inner().token.unwrap().token)
    }

    /// A token of one of the platform's services.
    pub(crate) async fn service(&self, service: &str) -> String {
        let secret = std::fs::read_to_string(self.secrets.join(format!("{service}.secret"))).unwrap();
        self.account(service, secret.trim()).await.unwrap()
    }

    /// The reference by which a service knows the holder of a session.
    pub(crate) async fn reference(&self, session: &str, audience: &str) -> Result<String, Status> {
        let message = pb::IssueActorTokenRequest {
            session: session.to_owned(),
            audience: audience.to_owned(),
            ..Default::default()
        };
        Ok(self.sign_in().issue_actor_token(self.request("", message)).await?.into_inner().subject)
    }

    /// Templates of the notices that the holder of a token sees.
    async fn notices(&self, token: &str) -> Vec<String> {
        let request = self.request(token, pb::ListMyNoticesRequest::default());
        let page = self.participants().list_my_notices(request).await.unwrap().into_inner();
        assert_eq!(page.next_page_token, "");
        assert!(page.notices.iter().all(|notice| notice.created_at.is_some()));
        page.notices.into_iter().map(|notice| notice.template).collect()
    }

    /// References retired for the service that asks.
    async fn retired(&self, token: &str, cursor: u64) -> Result<pb::ListRetiredReferencesResponse, Status> {
        let message = pb::ListRetiredReferencesRequest { cursor, limit: 0 };
        Ok(self.directory().list_retired_references(self.request(token, message)).await?.into_inner())
    }
}

#[tokio::test]
async fn an_operator_makes_an_account_whose_secret_buys_tokens() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let operator = served.administrator().await;
        let create = async |token: &str, account: &str| {
            let message = pb::CreateServiceAccountRequest { account: account.to_owned() };
            served.sign_in().create_service_account(served.request(token, message)).await
        };
        let secret = create(&operator, "warehouse").await.unwrap().into_inner().secret;
        let warehouse = served.account("warehouse", &secret).await.unwrap();
        assert!(
            served.retired(&warehouse, 0).await.unwrap().references.is_empty(),
            "it may ask as a service"
        );
        let newer = create(&operator, "warehouse").await.unwrap().into_inner().secret;
        let old = served.account("warehouse", &secret).await.unwrap_err();
        assert_eq!(code_of(&old), "membership.account_refused");
        assert!(served.account("warehouse", &newer).await.is_ok());
        assert_eq!(code_of(&create(&operator, "forums").await.unwrap_err()), "membership.account_reserved");
        let person = served.register(&operator, "A-1").await.unwrap();
        let person = served.enter(&operator, &person.participant_id).await;
        assert_eq!(create(&person, "mine").await.unwrap_err().code(), Code::PermissionDenied);
        served.running.stop().await;
    }
}

#[tokio::test]
async fn a_person_is_read_shut_out_and_let_in_again() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let participant_id = served.register(&administrator, "A-1").await.unwrap().participant_id;
        let get = async |token: &str, tenant: &str, purpose: &str| {
            let message = pb::GetParticipantRequest {
                tenant: tenant.to_owned(),
                participant_id: participant_id.clone(),
                purpose: purpose.to_owned(),
            };
            let got = served.participants().get_participant(served.request(token, message)).await?;
            Ok::<_, Status>(got.into_inner().participant.unwrap())
        };
        let read = get(&administrator, COUNTY, "Handing out cards").await.unwrap();
        assert_eq!((read.display_name.as_str(), read.state()), ("Person A-1", pb::ParticipantState::Invited));
        assert_eq!(get(&administrator, COUNTY, "").await.unwrap_err().code(), Code::InvalidArgument);
        let elsewhere = get(&administrator, "21", "Handing out cards").await.unwrap_err();
        assert_eq!(code_of(&elsewhere), "membership.participant_unknown");

        let session = served.session(&administrator, &participant_id).await.unwrap().session;
        assert!(served.reference(&session, "forums").await.is_ok());
        let message = pb::SuspendParticipantRequest {
            tenant: COUNTY.to_owned(),
            participant_id: participant_id.clone(),
        };
        let suspend = served.request(&administrator, message);
        let suspended = served.participants().suspend_participant(suspend).await.unwrap().into_inner();
        assert_eq!(suspended.participant.unwrap().state(), pb::ParticipantState::Suspended);
        let with_session = served.reference(&session, "forums").await.unwrap_err();
        assert_eq!(code_of(&with_session), "membership.session_refused");
        let with_card = served.session(&administrator, &participant_id).await.unwrap_err();
        assert_eq!(code_of(&with_card), "membership.suspended");

        let message = pb::ReinstateParticipantRequest {
            tenant: COUNTY.to_owned(),
            participant_id: participant_id.clone(),
        };
        let reinstate = served.request(&administrator, message.clone());
        served.participants().reinstate_participant(reinstate).await.unwrap();
        let session = served.session(&administrator, &participant_id).await.unwrap();
        let read = get(&administrator, COUNTY, "Handing out cards").await.unwrap();
        assert_eq!(read.state(), pb::ParticipantState::Active);
        let token = served.token(Some(session)).await;
        let by_themselves = get(&token, COUNTY, "Curiosity").await.unwrap_err();
        assert_eq!(by_themselves.code(), Code::PermissionDenied);
        let again = served.participants().reinstate_participant(served.request(&token, message)).await;
        assert_eq!(again.unwrap_err().code(), Code::PermissionDenied);
        served.running.stop().await;
    }
}

#[tokio::test]
async fn notices_reach_their_person_and_references_are_retired_for_their_service() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let (forums, membership) = (served.service("forums").await, served.service("membership").await);
        let person = served.register(&administrator, "A-1").await.unwrap();
        let other = served.register(&administrator, "A-2").await.unwrap();
        let session = served.session(&administrator, &person.participant_id).await.unwrap();
        let at_forums = served.reference(&session.session, "forums").await.unwrap();
        let at_membership = served.reference(&session.session, "membership").await.unwrap();
        let token = served.token(Some(session)).await;
        assert_eq!(served.notices(&token).await, ["membership.card_made"]);
        let message = pb::NotifyRequest {
            references: vec![at_forums.clone()],
            template: "forums.voting_open".to_owned(),
            dedupe_key: "election-1".to_owned(),
            urgent: false,
        };
        let told = served.directory().notify(served.request(&forums, message)).await.unwrap().into_inner();
        assert_eq!((told.notified, told.held), (0, 1), "one a day");
        assert_eq!(served.notices(&token).await, ["membership.card_made"]);
        let other = served.enter(&administrator, &other.participant_id).await;
        assert_eq!(served.notices(&other).await, ["membership.card_made"], "their own");
        let myself = served.participants().get_myself(served.request(&token, pb::GetMyselfRequest {})).await;
        let cards = myself.unwrap().into_inner().cards;
        assert_eq!((cards.len(), cards[0].issued_by.as_str()), (1, "Helmi Hallinto"));

        let leave = served.request(&token, pb::LeaveParticipationRequest::default());
        served.participants().leave_participation(leave).await.unwrap();
        let retired = served.retired(&forums, 0).await.unwrap();
        assert_eq!(retired.references, [at_forums]);
        assert!(served.retired(&forums, retired.cursor).await.unwrap().references.is_empty());
        assert_eq!(served.retired(&membership, 0).await.unwrap().references, [at_membership]);
        let by_person = served.retired(&administrator, 0).await.unwrap_err();
        assert_eq!(by_person.code(), Code::PermissionDenied);
        served.running.stop().await;
    }
}

#[tokio::test]
async fn anybody_lists_units_and_asks_for_a_roll() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        for (name, municipality) in [("Yli-Iin toimintakeskus", "139"), ("Haukiputaan päivätoiminta", "564")]
        {
            let message = pb::RegisterServiceUnitRequest {
                tenant: COUNTY.to_owned(),
                name: name.to_owned(),
                kind: pb::ServiceUnitKind::DayActivity.into(),
                municipality: municipality.to_owned(),
            };
            served.tenancy().register_service_unit(served.request(&administrator, message)).await.unwrap();
        }
        let list = async |tenant: &str, page_token: &str| {
            let message = pb::ListServiceUnitsRequest {
                tenant: tenant.to_owned(),
                page_size: 1,
                page_token: page_token.to_owned(),
            };
            let page = served.tenancy().list_service_units(served.request("", message)).await.unwrap();
            let page = page.into_inner();
            (page.units.into_iter().map(|unit| unit.name).collect::<Vec<_>>(), page.next_page_token)
        };
        let (first, next) = list(COUNTY, "").await;
        assert_eq!(first, ["Haukiputaan päivätoiminta"]);
        assert_eq!(list(COUNTY, &next).await, (vec!["Yli-Iin toimintakeskus".to_owned()], String::new()));
        assert_eq!(list("21", "").await, (Vec::new(), String::new()), "another county's are not among them");
        // With a roll: in the stories of elections, where there is one.
        let mut rolls = RollsServiceClient::new(served.channel.clone());
        let message = pb::GetRollSummaryRequest { election_id: uuid::Uuid::nil().to_string() };
        let unknown = rolls.get_roll_summary(served.request("", message)).await.unwrap_err();
        let expected = (Code::NotFound, "membership.roll_unknown".to_owned());
        assert_eq!((unknown.code(), code_of(&unknown)), expected);
        served.running.stop().await;
    }
}

#[tokio::test]
async fn the_worker_of_the_running_service_deletes_what_has_run_out() {
    for engine in ENGINES {
        let served = Served::start_demo(engine).await;
        let operator = served.administrator().await;
        let person = served.register(&operator, "A-1").await.unwrap();
        let token = served.enter(&operator, &person.participant_id).await;
        let cards = async || {
            let asked = served.request(&token, pb::GetMyselfRequest {});
            served.participants().get_myself(asked).await.unwrap().into_inner().cards.len()
        };
        assert_eq!(cards().await, 1);
        let now = kernel::Clock::now(&kernel::SystemClock) + time::Duration::days(500);
        let now = prost_types::Timestamp { seconds: now.as_seconds(), nanos: 0 };
        let message = SetClockRequest { service: "membership".to_owned(), now: Some(now) };
        let mut clock = OperatorServiceClient::new(served.channel.clone());
        clock.set_clock(served.request(&operator, message)).await.unwrap();
        testkit::eventually(Duration::from_secs(30), async || cards().await == 0).await;
        served.running.stop().await;
    }
}
