//! Actor tokens: what they say, how long they live, and which keys they are signed with.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::{ActingMode, Caller, Clock as _, Role, ScopeRef};
use membership::app::Asked;
use serde_json::{Value, json};
use time::macros::date;

use crate::support::{CELL, ENGINES, GROUP, World, claims, noon, refused, tenant};

/// Verifies with the keys published now.
async fn verified(world: &World, token: &str) -> Option<Value> {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let keys = world.app.signing_keys().await.unwrap().keys;
    let key = keys.into_iter().find(|key| key.key_id == kid)?;
    let x = data_encoding::BASE64URL_NOPAD.encode(&key.x);
    let y = data_encoding::BASE64URL_NOPAD.encode(&key.y);
    let key = DecodingKey::from_ec_components(&x, &y).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    // The clock of the test stands still on another day.
    validation.validate_exp = false;
    validation.set_audience(&["forums"]);
    Some(jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims)
}

#[tokio::test]
async fn a_token_tells_rights_of_today_and_not_who_it_is() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let person = world.person("19", "A-1", None).await;
        world.attest(unit, staff, person, "139").await.unwrap();
        world.role("19", person, Role::ClientMember, ScopeRef::Tenant(tenant("19"))).await.unwrap();
        let session = world.sign_in("19", person).await;
        let issued = world.token(&session, "forums").await.unwrap();
        let actor = issued.token.unwrap();
        let told = verified(&world, &actor.token).await.unwrap();
        assert_eq!(told["iss"], format!("osallisuus/{CELL}"));
        assert_eq!(told["sub"], issued.subject);
        assert_eq!(told["tenants"], json!(["19"]));
        assert_eq!(told["roles"], json!([{"r": "client_member", "s": "tenant:19"}]));
        assert_eq!(told["att"], json!([{"g": GROUP, "m": "139", "since": "2026-01-15"}]));
        assert_eq!((&told["mode"], &told["acr"]), (&json!("self"), &json!("substantial")));
        let life = told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap();
        assert!((1..=300).contains(&life), "{life} seconds");
        let text = told.to_string();
        assert!(!text.contains("Person A-1") && !text.contains(&person.to_string()), "{text}");

        // Attestations end with their last day, without anybody doing anything.
        world.clock.set(noon(date!(2028 - 01 - 16))).unwrap();
        assert_eq!(world.forums_claims(&session).await.get("att"), None);
        world.close().await;
    }
}

#[tokio::test]
async fn references_are_random_and_different_for_every_service() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let at_forums = world.token(&session, "forums").await.unwrap().subject;
        let at_proposals = world.token(&session, "proposals").await.unwrap().subject;
        let at_membership = world.token(&session, "membership").await.unwrap().subject;
        assert!(at_forums != at_proposals && at_forums != at_membership && at_proposals != at_membership);
        assert_eq!(world.token(&session, "forums").await.unwrap().subject, at_forums, "and stays");
        assert_ne!(&at_forums[..8], &at_proposals[..8], "no time of making in them that would join them");
        assert_eq!(refused(world.token(&session, "strangers").await), "membership.audience_unknown");
        world.close().await;
    }
}

#[tokio::test]
async fn sessions_end_by_time_and_by_hand() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let other = world.sign_in("19", person).await;
        world.app.end_session(&world.command(), &other).await.unwrap();
        world.app.end_session(&world.command(), &other).await.unwrap();
        assert_eq!(refused(world.token(&other, "forums").await), "membership.session_refused");
        assert_eq!(refused(world.token("guessed", "forums").await), "membership.session_refused");
        let begun = world.real.now();
        world.real.set(begun + time::Duration::hours(12)).unwrap();
        assert!(world.token(&session, "forums").await.is_ok());
        world.real.set(begun + time::Duration::hours(12) + time::Duration::SECOND).unwrap();
        assert_eq!(refused(world.token(&session, "forums").await), "membership.session_refused");
        world.close().await;
    }
}

#[tokio::test]
async fn a_rotated_key_is_published_until_its_last_token_has_expired() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let old = world.token(&session, "forums").await.unwrap().token.unwrap().token;
        let command = world.command();
        let rotated = world.app.rotate_key(&command).await.unwrap();
        assert_eq!(world.app.rotate_key(&command).await.unwrap(), rotated, "a repeat rotates nothing");
        let new = world.token(&session, "forums").await.unwrap().token.unwrap().token;
        assert_eq!(jsonwebtoken::decode_header(&new).unwrap().kid, Some(rotated.key_id.clone()));
        assert!(verified(&world, &new).await.is_some());
        assert!(verified(&world, &old).await.is_some(), "the old token is still good");

        let keys = world.app.signing_keys().await.unwrap().keys;
        assert_eq!(keys.len(), 2);
        assert_eq!((&keys[0].key_id, keys[0].not_after), (&rotated.key_id, None), "the newest first");
        // A voucher of fifteen minutes is the longest-lived thing that is signed.
        world.real.set(world.real.now() + time::Duration::minutes(15)).unwrap();
        assert!(verified(&world, &old).await.is_some());
        world.real.set(world.real.now() + time::Duration::minutes(1)).unwrap();
        assert!(verified(&world, &old).await.is_none());
        world.app.rotate_key(&world.command()).await.unwrap();
        assert_eq!(world.value::<i64>("SELECT count(*) FROM signing_key").await, 2, "the oldest is gone");
        world.close().await;
    }
}

#[tokio::test]
async fn m5_acting_on_behalf_needs_a_mandate_and_never_covers_voting() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let principal = world.person("19", "A-1", None).await;
        let holder = world.person("19", "A-2", None).await;
        world.attest(unit, staff, principal, "139").await.unwrap();
        let session = world.sign_in("19", holder).await;
        let on_behalf = || {
            let asked = Asked {
                session: session.clone(),
                audience: "forums".to_owned(),
                mode: ActingMode::OnBehalf,
                on_behalf_of: Some(principal),
                support: None,
            };
            world.app.actor_token(asked)
        };
        assert_eq!(refused(on_behalf().await), "membership.no_mandate");
        let register = async |from, to, day| {
            world.app.register_mandate(&world.command(), tenant("19"), from, to, day).await
        };
        assert_eq!(
            refused(register(holder, holder, date!(2026 - 06 - 01)).await),
            "membership.mandate_from_self"
        );
        assert_eq!(
            refused(register(principal, holder, date!(2026 - 01 - 14)).await),
            "membership.dates_in_order"
        );
        register(principal, holder, date!(2026 - 06 - 01)).await.unwrap();

        let issued = on_behalf().await.unwrap();
        let told = claims(&issued.token.unwrap().token);
        assert_eq!(told["mode"], "on_behalf");
        assert_eq!((told.get("att"), told.get("rolls"), told.get("roles")), (None, None, None));
        let own = world.token(&session, "forums").await.unwrap().subject;
        assert_ne!(issued.subject, own, "the act is the principal's");
        world.clock.set(noon(date!(2026 - 06 - 02))).unwrap();
        assert_eq!(refused(on_behalf().await), "membership.no_mandate");
        world.close().await;
    }
}

#[tokio::test]
async fn service_accounts_prove_themselves_with_their_secret() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let secret = std::fs::read_to_string(world.secrets.join("forums.secret")).unwrap();
        let issued = world.app.service_token("forums", secret.trim(), "membership").await.unwrap();
        let told = claims(&issued.token.unwrap().token);
        assert_eq!(
            (&told["svc"], &told["sub"], &told["aud"]),
            (&json!("forums"), &json!("forums"), &json!("membership"))
        );
        assert_eq!(told["roles"], json!([{"r": "service", "s": "cell"}]));
        for (account, secret) in
            [("forums", "wrong"), ("membership", secret.trim()), ("nobody", secret.trim())]
        {
            let answer = world.app.service_token(account, secret, "membership").await;
            assert_eq!(refused(answer), "membership.account_refused");
        }

        let command = world.command();
        let made = world.app.create_account(&command, "warehouse".to_owned()).await.unwrap();
        assert_eq!(world.app.create_account(&command, "warehouse".to_owned()).await.unwrap(), made);
        assert!(world.app.service_token("warehouse", &made.secret, "forums").await.is_ok());
        let renewed = world.app.create_account(&world.command(), "warehouse".to_owned()).await.unwrap();
        let old = world.app.service_token("warehouse", &made.secret, "forums").await;
        assert_eq!(refused(old), "membership.account_refused");
        assert!(world.app.service_token("warehouse", &renewed.secret, "forums").await.is_ok());
        let reserved = world.app.create_account(&world.command(), "forums".to_owned()).await;
        assert_eq!(refused(reserved), "membership.account_reserved");
        world.close().await;
    }
}

#[tokio::test]
async fn a_county_that_registers_a_link_of_another_county_gets_no_rights_there() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let victim = world.person("19", "A-1", Some("stolen link")).await;
        world.attest(unit, staff, victim, "139").await.unwrap();
        world.role("19", victim, Role::ClientMember, ScopeRef::Tenant(tenant("19"))).await.unwrap();
        let principal = world.person("19", "A-2", None).await;
        let until = date!(2026 - 06 - 01);
        world.app.register_mandate(&world.command(), tenant("19"), principal, victim, until).await.unwrap();

        let planted = world.person("21", "B-1", Some("stolen link")).await;
        let session = world.sign_in("21", planted).await;
        let told = world.forums_claims(&session).await;
        assert_eq!(told["tenants"], json!(["21"]));
        assert_eq!((told.get("att"), told.get("rolls"), told.get("roles")), (None, None, None));
        let myself = world.app.myself(&world.caller(&session).await).await.unwrap().participants;
        assert_eq!(myself.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>(), ["21"]);
        let shown = world.app.participant(tenant("19"), victim).await.unwrap().participant.unwrap();
        assert_eq!(shown.state(), proto::membership::ParticipantState::Invited, "came in at 21 only");
        let asked = Asked {
            session,
            audience: "forums".to_owned(),
            mode: ActingMode::OnBehalf,
            on_behalf_of: Some(principal),
            support: None,
        };
        assert_eq!(refused(world.app.actor_token(asked).await), "membership.no_mandate");
        let session = world.sign_in("19", victim).await;
        assert_eq!(world.forums_claims(&session).await["roles"].as_array().unwrap().len(), 1);
        world.close().await;
    }
}

#[tokio::test]
async fn f8_forums_is_told_that_somebody_is_staff_in_another_county_and_others_are_not() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let unit = world.unit("21", "Simon päivätoiminta", "751").await;
        let here = world.person("19", "A-1", Some("one-human")).await;
        let there = world.person("21", "B-1", Some("one-human")).await;
        let session = world.sign_in("19", here).await;
        let told = async |audience: &str| {
            claims(&world.token(&session, audience).await.unwrap().token.unwrap().token)
        };
        assert_eq!(told("forums").await.get("stf"), None);
        world.role("21", there, Role::SupportPerson, ScopeRef::Unit(unit)).await.unwrap();
        let forums = told("forums").await;
        assert_eq!(
            (&forums["stf"], forums.get("roles")),
            (&true.into(), None),
            "and no role of another county"
        );
        assert_eq!(told("proposals").await.get("stf"), None);
        world.close().await;
    }
}

#[tokio::test]
async fn m5_a_mandate_makes_nobody_leave_stand_or_be_helped() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let person = world.person("19", "A-1", None).await;
        let session = world.sign_in("19", person).await;
        let caller = Caller { mode: ActingMode::OnBehalf, ..world.caller(&session).await };
        let own = "membership.mandate_own_acts";
        assert_eq!(refused(world.app.leave(&world.command(), &caller, None).await), own);
        assert_eq!(refused(world.app.create_nomination_code(&world.command(), &caller).await), own);
        let helped = world.app.record_assistance(&world.command(), &caller, world.id(), "staff").await;
        assert_eq!(refused(helped), own);
        assert!(world.token(&session, "forums").await.is_ok(), "they have not left");
        world.close().await;
    }
}
