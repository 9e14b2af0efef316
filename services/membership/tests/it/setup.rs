//! A new deployment: files for their owner only, one code for one administrator.

use std::os::unix::fs::PermissionsExt as _;

use kernel::{AssignmentId, Ids, TenantId, Uuid};
use membership::app::NewAdministrator;
use membership::setup::{SetupCode, SetupError, prepare};
use messaging::Clocks;

use crate::support::{CELL, ENGINES, SERVICES, World, refused, tenant};

async fn prepare_again(world: &World) -> Option<String> {
    prepare_for(world, &["19", "21"]).await.unwrap().map(|code| code.code)
}

async fn prepare_for(world: &World, counties: &[&str]) -> Result<Option<SetupCode>, SetupError> {
    let clocks = Clocks { business: world.clock.clone(), real: world.real.clone() };
    let counties: Vec<TenantId> = counties.iter().map(|code| tenant(code)).collect();
    let (database, secrets) = (&world.database, &world.secrets);
    prepare(database, secrets, CELL, &SERVICES, &counties, clocks, Ids::system()).await
}

#[tokio::test]
async fn the_setup_code_makes_one_administrator_of_every_county() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let wrong = world.app.redeem_setup_code(&world.command(), world.first_administrator("0000")).await;
        assert_eq!(refused(wrong), "membership.setup_code_refused");
        let command = world.command();
        let new = world.first_administrator(&world.setup_code.to_lowercase());
        let redeemed = world.app.redeem_setup_code(&command, new.clone()).await.unwrap();
        assert_eq!(world.app.redeem_setup_code(&command, new).await.unwrap(), redeemed);
        let again =
            world.app.redeem_setup_code(&world.command(), world.first_administrator(&world.setup_code)).await;
        assert_eq!(refused(again), "membership.setup_code_refused");

        let session = redeemed.session.unwrap().session;
        let told = world.forums_claims(&session).await;
        let roles: Vec<_> =
            told["roles"].as_array().unwrap().iter().map(|role| role["s"].as_str().unwrap()).collect();
        assert_eq!(roles, ["cell", "tenant:19", "tenant:21"]);
        world.close().await;
    }
}

#[tokio::test]
async fn a_county_without_administrator_gets_a_code_for_one_who_is_no_operator() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let first = world.first_administrator(&world.setup_code);
        let redeemed = world.app.redeem_setup_code(&world.command(), first).await.unwrap();
        let session = redeemed.session.unwrap().session;
        assert!(prepare_for(&world, &["19", "21"]).await.unwrap().is_none());
        // A county that joined; this world does not serve it yet.
        let code = prepare_for(&world, &["19", "21", "05"]).await.unwrap().expect("a code");
        assert_eq!(code.tenants, [tenant("05")]);
        let early =
            world.app.redeem_setup_code(&world.command(), world.first_administrator(&code.code)).await;
        assert_eq!(refused(early), "membership.setup_code_refused", "county 19 has its administrator");

        // One whose only administrator has gone: whoever comes in is administrator there, and nothing else.
        let told = world.forums_claims(&session).await;
        assert_eq!(told["roles"].as_array().unwrap().len(), 3);
        let question = "SELECT id FROM role_assignment WHERE role = 'administrator' AND tenant = '19'";
        let id = AssignmentId::from_uuid(world.value::<Uuid>(question).await);
        world.app.end_role(&world.command(), tenant("19"), id).await.unwrap();
        let code = prepare_for(&world, &["19", "21"]).await.unwrap().expect("a code");
        assert_eq!(code.tenants, [tenant("19")]);
        let participant = world.new_participant("19", "second-administrator", None);
        let second = NewAdministrator { code: code.code, participant };
        let redeemed = world.app.redeem_setup_code(&world.command(), second).await.unwrap();
        let told = world.forums_claims(&redeemed.session.unwrap().session).await;
        let roles: Vec<_> =
            told["roles"].as_array().unwrap().iter().map(|role| role["s"].as_str().unwrap()).collect();
        assert_eq!(roles, ["tenant:19"]);
        world.close().await;
    }
}

#[tokio::test]
async fn preparing_again_keeps_the_secrets_and_gives_a_new_code_until_one_was_used() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let files = ["membership.key", "membership.secret", "forums.secret"];
        let read = || files.map(|file| std::fs::read_to_string(world.secrets.join(file)).unwrap());
        let before = read();
        for file in files {
            let mode = std::fs::metadata(world.secrets.join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let newer = prepare_again(&world).await.expect("a code");
        assert_eq!(read(), before);
        let old =
            world.app.redeem_setup_code(&world.command(), world.first_administrator(&world.setup_code)).await;
        assert_eq!(refused(old), "membership.setup_code_refused");
        world.app.redeem_setup_code(&world.command(), world.first_administrator(&newer)).await.unwrap();
        assert_eq!(prepare_again(&world).await, None);
        assert_eq!(world.value::<i64>("SELECT count(*) FROM signing_key").await, 1);

        // The key of another deployment is found out at once.
        std::fs::write(world.secrets.join("membership.key"), "00".repeat(32)).unwrap();
        let prepared = prepare_for(&world, &["19", "21"]).await;
        assert!(prepared.unwrap_err().to_string().contains("membership.key"));
        world.close().await;
    }
}
