//! Tokens that are no tokens, or not for us.

use data_encoding::BASE64URL_NOPAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Caller, Clock as _, Subject, SystemClock, Timestamp};
use p256::pkcs8::EncodePrivateKey as _;
use proto::forums::GetMySeatRequest;
use serde_json::{Value, json};
use tonic::Code;

use chassis::token::Issuer;
use chassis::{Purpose, Voucher};

use crate::fixture::{CELL, Fixture, KEY, reason, refused};

const MINUTE: time::Duration = time::Duration::minutes(1);

fn person(fixture: &Fixture, audience: &str, expires: Timestamp) -> Caller {
    let subject = fixture.ids.new_id::<Subject>();
    Caller { audience: audience.into(), expires, ..Caller::person(subject) }
}

/// Claims of a good token.
fn claims(fixture: &Fixture) -> Value {
    let now = SystemClock.now().as_seconds();
    json!({
        "iss": format!("osallisuus/{CELL}"), "aud": "forums", "sub": fixture.ids.uuid(), "jti": fixture.ids.uuid(),
        "iat": now, "nbf": now, "exp": now + 240, "mode": "self", "acr": "low",
    })
}

fn header(kind: &str) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some(kind.to_owned());
    header.kid = Some(KEY.to_owned());
    header
}

fn private(fixture: &Fixture) -> EncodingKey {
    let secret = p256::SecretKey::from_slice(&fixture.secret).expect("a key");
    EncodingKey::from_ec_der(secret.to_pkcs8_der().expect("a key").as_bytes())
}

#[tokio::test]
async fn tokens_that_are_wrong_in_any_way_are_refused_alike() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let now = SystemClock.now();
    let soon = now + MINUTE * 4;
    let sign = |caller: &Caller| fixture.issuer.actor_token(caller, fixture.ids.uuid(), now);
    let with = |header: Header, claims: Value| jsonwebtoken::encode(&header, &claims, &private(&fixture));
    let changed = |key: &str, value: Value| {
        let mut claims = claims(&fixture);
        claims[key] = value;
        with(header("at+jwt"), claims)
    };
    let good = with(header("at+jwt"), claims(&fixture))?;

    let unsigned = {
        let header = json!({"alg": "none", "typ": "at+jwt", "kid": KEY}).to_string();
        let claims = claims(&fixture).to_string();
        format!("{}.{}.", BASE64.encode(header.as_bytes()), BASE64.encode(claims.as_bytes()))
    };
    let symmetric = {
        let public = fixture.issuer.public_key();
        let point = [&[4], public.x.as_slice(), public.y.as_slice()].concat();
        let header = Header { alg: Algorithm::HS256, ..header("at+jwt") };
        jsonwebtoken::encode(&header, &claims(&fixture), &EncodingKey::from_secret(&point))?
    };
    let foreign = Issuer::new(CELL, "key-2", &fixture.ids.bytes())?;
    let impostor = Issuer::new(CELL, KEY, &fixture.ids.bytes())?;
    let other_cell = Issuer::new("other", KEY, &fixture.secret)?;
    let caller = person(&fixture, "forums", soon);
    let mut jku = header("at+jwt");
    jku.jku = Some("https://evil.example/keys".to_owned());
    let mut critical = header("at+jwt");
    critical.crit = Some(vec!["exp".to_owned()]);
    let mut nameless = header("at+jwt");
    nameless.kid = None;
    let now = now.as_seconds();
    let corpus = [
        ("no token at all", "nonsense".to_owned(), "access.token_invalid"),
        ("alg none", unsigned, "access.token_invalid"),
        ("HS256 with the public key", symmetric, "access.token_invalid"),
        ("wrong audience", sign(&person(&fixture, "membership", soon))?, "access.token_invalid"),
        (
            "foreign kid",
            foreign.actor_token(&caller, fixture.ids.uuid(), SystemClock.now())?,
            "access.token_invalid",
        ),
        (
            "our kid, not our key",
            impostor.actor_token(&caller, fixture.ids.uuid(), SystemClock.now())?,
            "access.token_invalid",
        ),
        (
            "another deployment",
            other_cell.actor_token(&caller, fixture.ids.uuid(), SystemClock.now())?,
            "access.token_invalid",
        ),
        ("typ JWT", with(header("JWT"), claims(&fixture))?, "access.token_invalid"),
        ("typ of a voucher", with(header("voucher+jwt"), claims(&fixture))?, "access.token_invalid"),
        ("brings its own key set", with(jku, claims(&fixture))?, "access.token_invalid"),
        ("asks for an extension", with(critical, claims(&fixture))?, "access.token_invalid"),
        ("no kid", with(nameless, claims(&fixture))?, "access.token_invalid"),
        ("valid for an hour", changed("exp", json!(now + 3_600))?, "access.token_invalid"),
        ("not valid yet", changed("nbf", json!(now + 120))?, "access.token_invalid"),
        ("wrong issuer", changed("iss", json!("https://evil.example"))?, "access.token_invalid"),
        ("subject that is none", changed("sub", json!("Maija"))?, "access.token_invalid"),
        ("service under another name", changed("svc", json!("membership"))?, "access.token_invalid"),
        ("no expiry", changed("exp", Value::Null)?, "access.token_invalid"),
        (
            "expired",
            {
                let mut old = claims(&fixture);
                old["nbf"] = json!(now - 300);
                old["exp"] = json!(now - 31);
                with(header("at+jwt"), old)?
            },
            "access.token_expired",
        ),
        ("cut", good[..good.len() - 4].to_owned(), "access.token_invalid"),
        ("too long", format!("{good}{}", "A".repeat(17_000)), ""),
    ];
    for (what, token, code) in corpus {
        let request = fixture.request_with(&token, GetMySeatRequest::default())?;
        let status = refused(fixture.forums().get_my_seat(request).await)?;
        if code.is_empty() {
            // The transport's own limit of headers.
            continue;
        }
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unauthenticated, code),
            "{what}: {status:?}"
        );
    }
    let request = fixture.request_with(&good, GetMySeatRequest::default())?;
    fixture.forums().get_my_seat(request).await?;
    Ok(())
}

#[tokio::test]
async fn a_verified_token_is_refused_as_soon_as_it_has_expired() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let now = SystemClock.now();
    // Of thirty seconds of grace for clocks that differ, two to three are left: it ends while we look.
    let expires = now - time::Duration::seconds(27);
    let caller = person(&fixture, "forums", expires);
    let token = fixture.issuer.actor_token(&caller, fixture.ids.uuid(), now - MINUTE * 3)?;
    let call = async || {
        let request = fixture.request_with(&token, GetMySeatRequest::default()).expect("a request");
        fixture.forums().get_my_seat(request).await
    };
    call().await?;
    testkit::eventually(std::time::Duration::from_secs(10), async || {
        call().await.is_err_and(|status| reason(&status) == "access.token_expired")
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn without_any_key_tokens_are_not_judged() -> anyhow::Result<()> {
    let fixture = Fixture::start_unready(&[crate::toy::FORUMS], "", false).await?;
    let caller = fixture.administrator("19")?;
    let request = fixture.request(caller, GetMySeatRequest::default())?;
    let status = refused(fixture.forums().get_my_seat(request).await)?;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "access.no_keys"));
    Ok(())
}

#[tokio::test]
async fn a_voucher_is_no_token() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let now = SystemClock.now();
    let voucher = Voucher {
        id: fixture.ids.uuid(),
        purpose: Purpose::Nominate,
        audience: "forums".to_owned(),
        subject: fixture.ids.new_id(),
        attestations: Vec::new(),
        rolls: Vec::new(),
        recorder: None,
        expires: now + MINUTE * 5,
    };
    let voucher = fixture.issuer.voucher(&voucher, now)?;
    let request = fixture.request_with(&voucher, GetMySeatRequest::default())?;
    let status = refused(fixture.forums().get_my_seat(request).await)?;
    assert_eq!(reason(&status), "access.token_invalid");
    Ok(())
}
