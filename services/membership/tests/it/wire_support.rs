//! Scenario 2 as far as membership goes, through gRPC: a support person who works in the member's unit.

use proto::common::{ActingMode, HeldRole, Role, ScopeKind};
use proto::membership as pb;
use tonic::{Code, Status};

use crate::support::{ENGINES, GROUP, claims};
use crate::wire::{Served, code_of};

impl Served {
    /// A unit in Vaala.
    async fn unit(&self, administrator: &str) -> String {
        let message = pb::RegisterServiceUnitRequest {
            tenant: "19".to_owned(),
            name: "Vaalan päivätoiminta".to_owned(),
            kind: pb::ServiceUnitKind::DayActivity.into(),
            municipality: "785".to_owned(),
        };
        let made = self.tenancy().register_service_unit(self.request(administrator, message)).await.unwrap();
        made.into_inner().unit.unwrap().unit_id
    }

    /// A person with these roles in the unit: their id.
    async fn holder(&self, administrator: &str, key: &str, unit: &str, roles: &[Role]) -> String {
        let participant_id = self.register(administrator, key).await.unwrap().participant_id;
        for role in roles {
            let role = HeldRole {
                role: (*role).into(),
                scope_kind: ScopeKind::Unit.into(),
                scope_id: unit.to_owned(),
            };
            let message = pb::AssignRoleRequest {
                tenant: "19".to_owned(),
                participant_id: participant_id.clone(),
                role: Some(role),
                ..Default::default()
            };
            self.participants().assign_role(self.request(administrator, message)).await.unwrap();
        }
        participant_id
    }

    /// The claims of a token with which the session's person acts, helped or not.
    async fn acting(
        &self,
        session: &str,
        mode: ActingMode,
        support: &str,
    ) -> Result<serde_json::Value, Status> {
        let message = pb::IssueActorTokenRequest {
            session: session.to_owned(),
            audience: "proposals".to_owned(),
            acting_mode: mode.into(),
            support_id: support.to_owned(),
            ..Default::default()
        };
        let issued = self.sign_in().issue_actor_token(self.request("", message)).await?.into_inner();
        Ok(claims(&issued.token.unwrap().token))
    }

    async fn my_support(&self, token: &str) -> Vec<pb::SupportRelationship> {
        let request = self.request(token, pb::ListMySupportRequest::default());
        self.support().list_my_support(request).await.unwrap().into_inner().relationships
    }
}

#[tokio::test]
async fn m3_scenario_2_only_the_member_accepts_a_support_person_and_sees_where_they_work() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let unit = served.unit(&administrator).await;
        let staff = served.holder(&administrator, "W-1", &unit, &[Role::UnitStaff]).await;
        let roles = [Role::SupportPerson, Role::UnitStaff];
        let supporter_id = served.holder(&administrator, "S-1", &unit, &roles).await;
        let member_id = served.register(&administrator, "A-1").await.unwrap().participant_id;
        let staff = served.enter(&administrator, &staff).await;
        let session = served.session(&administrator, &member_id).await.unwrap();
        let member = served.token(Some(session.clone())).await;
        let helping = served.session(&administrator, &supporter_id).await.unwrap();
        let supporter = served.token(Some(helping.clone())).await;
        let attest = pb::AttestEligibilityRequest {
            unit_id: unit.clone(),
            participant_id: member_id.clone(),
            group: GROUP.to_owned(),
            municipality: "785".to_owned(),
        };
        served.participants().attest_eligibility(served.request(&staff, attest)).await.unwrap();

        let offer = pb::OfferSupportRequest {
            unit_id: unit.clone(),
            member_id: member_id.clone(),
            supporter_id: supporter_id.clone(),
            ..Default::default()
        };
        let of_both = pb::OfferSupportRequest { tenant: "19".to_owned(), ..offer.clone() };
        let by_member = served.support().offer_support(served.request(&member, of_both)).await;
        assert_eq!(by_member.unwrap_err().code(), Code::PermissionDenied);
        served.support().offer_support(served.request(&staff, offer)).await.unwrap();
        let support_id = served.my_support(&member).await[0].support_id.clone();
        let accept = || pb::AcceptSupportRequest { support_id: support_id.clone() };
        let declare = || pb::DeclareIndependenceRequest {
            support_id: support_id.clone(),
            trained_on: "2026-01-15".to_owned(),
        };
        // Nobody else accepts: not the support person, not staff; and nothing works before.
        for token in [&supporter, &staff] {
            let refused = served.support().accept_support(served.request(token, accept())).await.unwrap_err();
            assert_eq!(code_of(&refused), "membership.support_unknown");
        }
        let early = served.support().declare_independence(served.request(&supporter, declare())).await;
        assert_eq!(code_of(&early.unwrap_err()), "membership.support_not_accepted");
        let early = served.acting(&session.session, ActingMode::Assisted, &support_id).await.unwrap_err();
        assert_eq!(
            (early.code(), code_of(&early).as_str()),
            (Code::PermissionDenied, "membership.support_not_active")
        );

        // The member is shown who it is and where they work; the support person not whom they would help.
        let seen = &served.my_support(&member).await[0];
        assert_eq!((seen.display_name.as_str(), seen.side()), ("Person S-1", pb::SupportSide::Member));
        assert_eq!((&seen.conflict_unit_ids, seen.state()), (&vec![unit.clone()], pb::SupportState::Offered));
        let seen = &served.my_support(&supporter).await[0];
        assert_eq!((seen.display_name.as_str(), seen.other_id.as_str()), ("", member_id.as_str()));
        assert!(served.my_support(&staff).await.is_empty());

        let accepted = served.support().accept_support(served.request(&member, accept())).await.unwrap();
        assert_eq!(accepted.into_inner().state(), pb::SupportState::AcceptedByMember);
        let again = served.support().accept_support(served.request(&member, accept())).await.unwrap();
        assert_eq!(again.into_inner().state(), pb::SupportState::AcceptedByMember, "accepted already");
        let decline = pb::DeclineSupportRequest { support_id: support_id.clone() };
        let late = served.support().decline_support(served.request(&member, decline)).await.unwrap_err();
        assert_eq!(code_of(&late), "membership.support_accepted");
        let declared =
            served.support().declare_independence(served.request(&supporter, declare())).await.unwrap();
        assert_eq!(declared.into_inner().state(), pb::SupportState::Active);
        let seen = &served.my_support(&supporter).await[0];
        assert_eq!((seen.display_name.as_str(), seen.trained_on.as_str()), ("Person A-1", "2026-01-15"));

        // The conflict of interest goes with the token, for proposals to judge.
        let told = served.acting(&session.session, ActingMode::Assisted, &support_id).await.unwrap();
        let alone = served.acting(&session.session, ActingMode::Self_, "").await.unwrap();
        let helper = served.acting(&helping.session, ActingMode::Self_, "").await.unwrap();
        assert_eq!((&told["sub"], &told["hlp"]["r"]), (&alone["sub"], &helper["sub"]));
        assert_eq!((&told["hlp"]["u"][0], alone.get("hlp")), (&unit.clone().into(), None));
        let wrong = served.acting(&session.session, ActingMode::Self_, &support_id).await.unwrap_err();
        assert_eq!((wrong.code(), code_of(&wrong).as_str()), (Code::InvalidArgument, "request.invalid"));

        // Either ends it, at any time.
        let end = || pb::EndSupportRequest { support_id: support_id.clone() };
        let stranger = served.support().end_support(served.request(&staff, end())).await.unwrap_err();
        assert_eq!(code_of(&stranger), "membership.support_unknown");
        for token in [&supporter, &member] {
            let ended = served.support().end_support(served.request(token, end())).await.unwrap();
            assert_eq!(ended.into_inner().state(), pb::SupportState::Ended);
        }
        assert!(served.my_support(&member).await.is_empty());
        let late = served.support().accept_support(served.request(&member, accept())).await.unwrap_err();
        assert_eq!(code_of(&late), "membership.support_ended");
        served.running.stop().await;
    }
}

#[tokio::test]
async fn m3_with_a_helper_at_their_side_the_member_does_not_answer_who_helps_them() {
    for engine in ENGINES {
        let served = Served::start(engine).await;
        let administrator = served.administrator().await;
        let member_id = served.register(&administrator, "A-1").await.unwrap().participant_id;
        let supporter_id = served.register(&administrator, "S-1").await.unwrap().participant_id;
        let session = served.session(&administrator, &member_id).await.unwrap();
        let member = served.token(Some(session.clone())).await;
        let supporter = served.enter(&administrator, &supporter_id).await;
        let ask = || pb::AskForSupportRequest { supporter_id: supporter_id.clone() };
        let asked =
            served.support().ask_for_support(served.request(&member, ask())).await.unwrap().into_inner();
        let support_id = asked.support_id;
        let declare = pb::DeclareIndependenceRequest {
            support_id: support_id.clone(),
            trained_on: "2026-01-15".to_owned(),
        };
        served.support().declare_independence(served.request(&supporter, declare)).await.unwrap();
        let message = pb::IssueActorTokenRequest {
            session: session.session,
            audience: "membership".to_owned(),
            acting_mode: ActingMode::Assisted.into(),
            support_id: support_id.clone(),
            ..Default::default()
        };
        let issued = served.sign_in().issue_actor_token(served.request("", message)).await.unwrap();
        let helped = issued.into_inner().token.unwrap().token;
        let other_id = served.register(&administrator, "S-2").await.unwrap().participant_id;
        let another = pb::AskForSupportRequest { supporter_id: other_id };
        let refused = served.support().ask_for_support(served.request(&helped, another)).await.unwrap_err();
        assert_eq!(code_of(&refused), "membership.helper_present");
        let end = pb::EndSupportRequest { support_id };
        let refused = served.support().end_support(served.request(&helped, end.clone())).await.unwrap_err();
        assert_eq!(code_of(&refused), "membership.helper_present");
        served.support().end_support(served.request(&member, end)).await.unwrap();
        served.running.stop().await;
    }
}
