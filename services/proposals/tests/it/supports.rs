//! Support and following: one for each person, however many clients ask at once.

use futures::future::try_join_all;
use kernel::{ActingMode, Caller, Helper, ProposalId};
use proto::proposals as pb;
use proto::proposals::community_service_client::CommunityServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{POHDE, Store, World, refusal, run};

fn client(world: &World) -> CommunityServiceClient<Channel> {
    CommunityServiceClient::new(world.system.channel())
}

async fn support(
    world: &World,
    caller: Caller,
    proposal: ProposalId,
) -> Result<pb::GiveSupportResponse, tonic::Status> {
    let give = pb::GiveSupportRequest { proposal_id: proposal.to_string(), conflict_accepted: false };
    Ok(client(world).give_support(world.by(caller, give).unwrap()).await?.into_inner())
}

async fn withdraw(
    world: &World,
    caller: Caller,
    proposal: ProposalId,
) -> Result<pb::WithdrawSupportResponse, tonic::Status> {
    let request = pb::WithdrawSupportRequest { proposal_id: proposal.to_string() };
    Ok(client(world).withdraw_support(world.by(caller, request).unwrap()).await?.into_inner())
}

async fn counts(world: &World, proposal: ProposalId) -> anyhow::Result<pb::Counts> {
    let get = pb::GetCountsRequest { proposal_id: proposal.to_string() };
    Ok(client(world).get_counts(get).await?.into_inner().counts.unwrap_or_default())
}

async fn rows(world: &World) -> i64 {
    world.value("SELECT COUNT(*) FROM support").await
}

async fn many_at_once(world: &mut World) -> anyhow::Result<()> {
    let proposal = world.open_proposal("Lisää ulkoilua").await?;
    // 64 clients: 16 people, each of whom asks four times at once.
    let asked = (0..64_u16).map(|number| support(world, world.client(100 + number % 16), proposal));
    let answers = try_join_all(asked).await?;
    assert_eq!(answers.iter().filter(|answer| !answer.already).count(), 16, "each person once");
    assert_eq!(counts(world, proposal).await?.supports, 16);
    assert_eq!(rows(world).await, 16);
    // Half of them at once, some twice, while others support again.
    let back = (0..16_u16).map(|number| withdraw(world, world.client(100 + number % 8), proposal));
    let again = (8..16_u16).map(|number| support(world, world.client(100 + number), proposal));
    let (back, again) = tokio::join!(try_join_all(back), try_join_all(again));
    assert_eq!(back?.iter().filter(|answer| !answer.already).count(), 8);
    assert!(again?.iter().all(|answer| answer.already));
    assert_eq!(counts(world, proposal).await?.supports, 8);
    assert_eq!(rows(world).await, 8);
    Ok(())
}

#[tokio::test]
async fn a_person_supports_a_proposal_once_however_many_clients_ask_at_once() -> anyhow::Result<()> {
    run(Store::Sqlite, many_at_once).await
}

#[tokio::test]
async fn a_person_supports_a_proposal_once_however_many_clients_ask_at_once_on_postgresql()
-> anyhow::Result<()> {
    run(Store::Postgres, many_at_once).await
}

#[tokio::test]
async fn supporters_and_followers_go_on_in_the_proposal_that_theirs_was_merged_into() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let (one, other) = (world.submitted_proposal("Ulos").await?, world.open_proposal("Metsään").await?);
        world.screen(one).await?;
        for number in [10, 11, 12] {
            support(world, world.client(number), one).await?;
        }
        support(world, world.client(12), other).await?;
        let follow = pb::FollowProposalRequest { proposal_id: one.to_string() };
        for already in [false, true] {
            let answer = client(world)
                .follow_proposal(world.by(world.client(13), follow.clone())?)
                .await?
                .into_inner();
            assert_eq!(answer.already, already);
        }
        let merge = pb::MergeProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: one.to_string(),
            into_proposal_id: other.to_string(),
            explanation: "Ehdotukset koskevat samaa asiaa.".to_owned(),
            ..pb::MergeProposalRequest::default()
        };
        world.handling().merge_proposal(world.by(world.coordinator(), merge)?).await?;
        assert_eq!(counts(world, other).await?, pb::Counts { supports: 3, followers: 1, comments: 0 });
        assert_eq!(counts(world, one).await?, pb::Counts::default());
        let fault = refusal(support(world, world.client(14), one).await)?;
        assert_eq!(fault, (Code::FailedPrecondition, "proposals.merged".to_owned()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn m3_m4_a_member_supports_with_help_themselves_and_chooses_a_helper_who_is_not_independent()
-> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        let helper = |conflict_units| Helper { reference: world.person(900), conflict_units };
        let helped = |conflict_units| Caller {
            mode: ActingMode::Assisted,
            helper: Some(helper(conflict_units)),
            ..world.client(20)
        };
        let in_conflict = helped(vec![world.units.ii_day]);
        let fault = refusal(support(world, in_conflict.clone(), proposal).await)?;
        assert_eq!(fault.1, "proposals.conflict_of_interest");
        let give = pb::GiveSupportRequest { proposal_id: proposal.to_string(), conflict_accepted: true };
        let given = client(world).give_support(world.by(in_conflict, give)?).await?.into_inner();
        assert!(!given.already);
        // The same person without help is the same supporter; the helper is none.
        assert!(support(world, world.client(20), proposal).await?.already);
        let part = |caller| {
            let get = pb::GetMyPartRequest { proposal_id: proposal.to_string() };
            world.by(caller, get)
        };
        let own = client(world).get_my_part(part(world.client(20))?).await?.into_inner();
        assert_eq!((own.supports, own.follows), (true, false));
        let of_helper = Caller::person(world.person(900));
        assert!(!client(world).get_my_part(part(of_helper)?).await?.into_inner().supports);
        assert_eq!(world.texts("SELECT acting_mode FROM support").await, ["assisted"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn support_is_taken_back_and_following_ended_whatever_has_become_of_the_proposal() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Lisää ulkoilua").await?;
        for number in [10, 11, 12] {
            support(world, world.client(number), proposal).await?;
        }
        let follow = pb::FollowProposalRequest { proposal_id: proposal.to_string() };
        client(world).follow_proposal(world.by(world.client(13), follow)?).await?;
        let redirect = pb::RedirectProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            kind: pb::Redirection::ServiceFeedback.into(),
            advice: "Kerro asia palautteen kautta.".to_owned(),
            reviewed: true,
            ..pb::RedirectProposalRequest::default()
        };
        world.handling().redirect_proposal(world.by(world.coordinator(), redirect)?).await?;
        assert_eq!(refusal(support(world, world.client(14), proposal).await)?.1, "proposals.ended");
        let back = withdraw(world, world.client(10), proposal).await?;
        assert_eq!((back.already, back.counts.unwrap_or_default().supports), (false, 2));

        // Once it is out of sight, its counts are too.
        let hide = pb::HideProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            explanation: "Ehdotus koski toista ihmistä.".to_owned(),
            ..pb::HideProposalRequest::default()
        };
        world.handling().hide_proposal(world.by(world.coordinator(), hide)?).await?;
        let back = withdraw(world, world.client(11), proposal).await?;
        assert_eq!((back.already, back.counts), (false, None));
        let unfollow = async |proposal: ProposalId| -> anyhow::Result<pb::UnfollowProposalResponse> {
            let request = pb::UnfollowProposalRequest { proposal_id: proposal.to_string() };
            Ok(client(world).unfollow_proposal(world.by(world.client(13), request)?).await?.into_inner())
        };
        assert_eq!(unfollow(proposal).await?, pb::UnfollowProposalResponse { already: false, counts: None });
        let waiting = world.submitted_proposal("Odottaa").await?;
        for unknown in [waiting, world.ids.new_id()] {
            let answer = unfollow(unknown).await?;
            assert_eq!(answer, pb::UnfollowProposalResponse { already: true, counts: None });
            let fault = refusal(withdraw(world, world.client(10), unknown).await)?;
            assert_eq!(fault, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        }
        assert_eq!(rows(world).await, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_supports_what_is_not_public_has_ended_or_without_signing_in() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let waiting = world.submitted_proposal("Ulos").await?;
        for proposal in [waiting, world.ids.new_id()] {
            let fault = refusal(support(world, world.client(2), proposal).await)?;
            assert_eq!(fault, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        }
        let open = world.open_proposal("Metsään").await?;
        let give = pb::GiveSupportRequest { proposal_id: open.to_string(), conflict_accepted: false };
        let nobody = client(world).give_support(world.anonymous(give)?).await;
        assert_eq!(refusal(nobody)?.0, Code::Unauthenticated);
        assert_eq!(counts(world, open).await?, pb::Counts::default());
        assert!(withdraw(world, world.client(2), open).await?.already, "nothing to take back");
        Ok(())
    })
    .await
}
