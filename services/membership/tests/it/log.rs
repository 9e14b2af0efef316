//! The log of answers: whoever reads it can use nothing of what it keeps.

use kernel::Scope;

use crate::rolls::{announce, planned_forum};
use crate::support::{ENGINES, World, claims, tenant};

/// How many answers are kept, of which none may hold any of these secrets nor anything that begins like a token.
async fn check_log(world: &World, secrets: &[String]) -> usize {
    let logged = world.bytes("SELECT response FROM command_log").await;
    let is_in =
        |answer: &[u8], secret: &str| answer.windows(secret.len()).any(|part| part == secret.as_bytes());
    for answer in &logged {
        assert!(!is_in(answer, "eyJ"), "a token lies in the log");
        for secret in secrets {
            assert!(secret.len() >= 8 && !is_in(answer, secret), "a secret lies in the log");
        }
    }
    logged.len()
}

#[tokio::test]
async fn no_secret_and_no_signed_word_lies_in_the_log_of_answers() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let forum = planned_forum(&world).await;
        let ii = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", ii).await;
        let person = world.person("19", "A-1", None).await;
        world.attest(ii, staff, person, "139").await.unwrap();
        let election = announce(&world, forum, &["139"]).await;
        let mut secrets = Vec::new();

        let redeemed =
            world.app.redeem_setup_code(&world.command(), world.first_administrator(&world.setup_code)).await;
        secrets.push(redeemed.unwrap().session.unwrap().session);
        check_log(&world, &secrets).await;
        let made = world.app.create_account(&world.command(), "warehouse".to_owned()).await.unwrap();
        secrets.push(made.secret);
        check_log(&world, &secrets).await;
        let (administrator, scope) = (world.administrator("19").await, Scope::Tenant(tenant("19")));
        let card = world.app.issue_card(&world.command(), &administrator, scope, person).await.unwrap();
        secrets.extend([card.code.replace('-', ""), card.code.clone()]);
        check_log(&world, &secrets).await;
        let signed_in = world.app.sign_in_with_card(&world.command(), &card.card, &card.code).await.unwrap();
        let session = signed_in.session.unwrap().session;
        secrets.push(session.clone());
        check_log(&world, &secrets).await;
        let caller = world.caller(&session).await;
        let code = world.app.create_nomination_code(&world.command(), &caller).await.unwrap().code;
        secrets.extend([code.replace('-', ""), code.clone()]);
        check_log(&world, &secrets).await;

        let of = |voucher: &str| voucher.split('.').map(str::to_owned).collect::<Vec<_>>();
        let command = world.command();
        let exchange = async || {
            world.app.exchange_nomination_code(&command, &caller, &code, election).await.unwrap().voucher
        };
        let voucher = exchange().await;
        secrets.extend(of(&voucher));
        let before = check_log(&world, &secrets).await;
        let command = world.command();
        let paper =
            async || world.app.paper_voucher(&command, forum, election, person).await.unwrap().voucher;
        let on_paper = paper().await;
        secrets.extend(of(&on_paper));
        assert_eq!(check_log(&world, &secrets).await, before + 1, "the answer is in the log, unsigned");

        // Sent again later, the commands give what they gave: the same id, the same last moment.
        world.real.set(kernel::Clock::now(world.real.as_ref()) + time::Duration::minutes(3)).unwrap();
        assert_eq!(claims(&exchange().await), claims(&voucher));
        assert_eq!(claims(&paper().await), claims(&on_paper));
        world.close().await;
    }
}
