//! Tokens for the cells: real ones signed by a published key, and every forgery of them.

use std::collections::HashMap;

use chassis::token::{Issuer, Purpose, Voucher};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac as _};
use kernel::{Caller, Clock as _, Identity, Ids, Subject, SystemClock, Timestamp};
use proto::membership::directory_service_client::DirectoryServiceClient;
use proto::membership::{ListSigningKeysRequest, SigningKey};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::directory::Directory;

use super::cell::{Cell, Flaw, Situation};
use super::rule::Rule;

/// Signs with the key that the system under test trusts, and forges.
pub(super) struct Mint<'a> {
    directory: &'a Directory,
    /// Another key that claims to be the published one.
    foreign: Issuer,
    /// A key of another deployment.
    elsewhere: Issuer,
    published: SigningKey,
    ids: Ids,
    /// Tokens by caller, audience and flaw: the same callers come to every RPC.
    made: HashMap<String, String>,
}

impl<'a> Mint<'a> {
    /// A mint with the key of this directory.
    pub(super) async fn new(directory: &'a Directory) -> Self {
        let ids = Ids::system();
        let mut client = DirectoryServiceClient::connect(directory.url()).await.expect("the directory");
        let keys = client.list_signing_keys(ListSigningKeysRequest {}).await.expect("its keys").into_inner();
        let published = keys.keys.into_iter().next().expect("a key");
        let key = |cell: &str| Issuer::new(cell, published.key_id.clone(), &ids.bytes()).expect("a key");
        Self {
            directory,
            foreign: key("test"),
            elsewhere: key("elsewhere"),
            published,
            ids,
            made: HashMap::new(),
        }
    }

    /// What the caller of a cell shows.
    pub(super) fn token(&mut self, rule: &Rule, cell: &Cell) -> Option<String> {
        let flaw = match cell.situation {
            Situation::NoToken => return None,
            Situation::Flawed(flaw) => Some(flaw),
            _ => None,
        };
        let name = format!("{} {flaw:?} {:?}", rule.audience, cell.caller);
        if let Some(made) = self.made.get(&name) {
            return Some(made.clone());
        }
        let token = match flaw {
            Some(flaw) => self.flawed(&cell.caller, &rule.audience, flaw),
            None => self.good(&cell.caller, &rule.audience),
        };
        self.made.insert(name, token.clone());
        Some(token)
    }

    /// A token in order for the service `audience`.
    fn good(&self, caller: &Caller, audience: &str) -> String {
        self.directory.token(audience, caller.clone()).expect("a token")
    }

    /// The same token with a flaw.
    fn flawed(&self, caller: &Caller, audience: &str, flaw: Flaw) -> String {
        match flaw {
            Flaw::Expired => self.shifted(caller, audience, -600),
            Flaw::NotYet => self.shifted(caller, audience, 600),
            Flaw::WrongAudience => {
                let other = if audience == "forums" { "membership" } else { "forums" };
                self.good(caller, other)
            }
            Flaw::WrongIssuer => self.sign(&self.elsewhere, caller, audience),
            Flaw::ForeignKey => self.sign(&self.foreign, caller, audience),
            Flaw::Hs256WithPublicKey => {
                let unsigned = with_algorithm(&self.good(caller, audience), "HS256");
                let signature = Hmac::<Sha256>::new_from_slice(&self.public_point())
                    .expect("any length will do")
                    .chain_update(&unsigned)
                    .finalize();
                format!("{unsigned}.{}", BASE64URL_NOPAD.encode(&signature.into_bytes()))
            }
            Flaw::NoSignature => format!("{}.", with_algorithm(&self.good(caller, audience), "none")),
            Flaw::Altered => altered(&self.good(caller, audience)),
            Flaw::Voucher => self.voucher(caller, audience),
        }
    }

    /// Signed by the right key, with a life that begins `seconds` from now.
    fn shifted(&self, caller: &Caller, audience: &str, seconds: i64) -> String {
        let expires = Timestamp::from_seconds(SystemClock.now().as_seconds() + seconds + 300);
        let caller = Caller { audience: audience.to_owned(), expires, ..caller.clone() };
        self.directory.token_as_it_is(&caller).expect("a token")
    }

    fn sign(&self, issuer: &Issuer, caller: &Caller, audience: &str) -> String {
        let now = SystemClock.now();
        let expires = Timestamp::from_seconds(now.as_seconds() + 300);
        let caller = Caller { audience: audience.to_owned(), expires, ..caller.clone() };
        issuer.actor_token(&caller, self.ids.uuid(), now).expect("a token")
    }

    fn voucher(&self, caller: &Caller, audience: &str) -> String {
        let subject = match &caller.identity {
            Identity::Person(subject) => *subject,
            Identity::Service(_) | Identity::Anonymous => Subject::from(self.ids.uuid()),
        };
        let voucher = Voucher {
            id: self.ids.uuid(),
            purpose: Purpose::Nominate,
            audience: audience.to_owned(),
            subject,
            attestations: caller.attestations.clone(),
            rolls: caller.rolls.clone(),
            recorder: None,
            expires: Timestamp::from_seconds(SystemClock.now().as_seconds() + 300),
        };
        self.directory.voucher(&voucher).expect("a voucher")
    }

    fn public_point(&self) -> Vec<u8> {
        [&[4], self.published.x.as_slice(), self.published.y.as_slice()].concat()
    }
}

/// Header and claims of a token under another algorithm, without a signature.
fn with_algorithm(token: &str, algorithm: &str) -> String {
    let (header, rest) = token.split_once('.').expect("a token has three parts");
    let (claims, _) = rest.split_once('.').expect("a token has three parts");
    let mut header = part(header);
    header["alg"] = json!(algorithm);
    format!("{}.{claims}", encode(&header))
}

/// The token with another id in its claims, the signature as it was.
fn altered(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims = part(parts[1]);
    claims["jti"] = json!("00000000-0000-7000-8000-000000000000");
    format!("{}.{}.{}", parts[0], encode(&claims), parts[2])
}

fn part(text: &str) -> Value {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn encode(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}
