//! Where the keys of tokens come from, and how often they are asked for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::token::Issuer;
use chassis::{Config, Running};
use kernel::{Caller, Clock as _, Ids, SystemClock};
use proto::forums::GetMySeatRequest;
use proto::forums::forums_service_client::ForumsServiceClient;
use proto::membership as api;
use proto::membership::directory_service_server::{DirectoryService, DirectoryServiceServer};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::fixture::{CELL, NOBODY, config, reason};
use crate::toy::FORUMS;

/// A directory whose keys a test changes, and which counts how often it is asked.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<(Vec<api::SigningKey>, u32)>>);

impl Keys {
    fn publish(&self, issuer: &Issuer) {
        let public = issuer.public_key().clone();
        let key = api::SigningKey { key_id: public.key_id, x: public.x, y: public.y, not_after: None };
        self.0.lock().expect("no panic").0.insert(0, key);
    }

    fn asked(&self) -> u32 {
        self.0.lock().expect("no panic").1
    }

    fn serve(&self, listener: TcpListener) {
        let server = Server::builder().add_service(DirectoryServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    }
}

#[tonic::async_trait]
impl DirectoryService for Keys {
    async fn list_signing_keys(
        &self,
        _: Request<api::ListSigningKeysRequest>,
    ) -> Result<Response<api::ListSigningKeysResponse>, Status> {
        let mut keys = self.0.lock().expect("no panic");
        keys.1 += 1;
        Ok(Response::new(api::ListSigningKeysResponse { keys: keys.0.clone() }))
    }

    async fn notify(&self, _: Request<api::NotifyRequest>) -> Result<Response<api::NotifyResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn notify_role(
        &self,
        _: Request<api::NotifyRoleRequest>,
    ) -> Result<Response<api::NotifyRoleResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_retired_references(
        &self,
        _: Request<api::ListRetiredReferencesRequest>,
    ) -> Result<Response<api::ListRetiredReferencesResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

fn issuer(key_id: &str) -> anyhow::Result<Issuer> {
    Ok(Issuer::new(CELL, key_id, &Ids::system().bytes())?)
}

/// Code of the refusal of a call with a token of this issuer; empty if it was let in.
async fn outcome(running: &Running, issuer: &Issuer) -> anyhow::Result<String> {
    let (ids, now) = (Ids::system(), SystemClock.now());
    let person = Caller::person(ids.new_id());
    let caller = Caller { audience: "forums".into(), expires: now + time::Duration::minutes(5), ..person };
    let mut request = Request::new(GetMySeatRequest::default());
    let token = issuer.actor_token(&caller, ids.uuid(), now)?;
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let channel = Endpoint::from_shared(format!("http://{}", running.addr()))?.connect_lazy();
    let answer = ForumsServiceClient::new(channel).get_my_seat(request).await;
    Ok(answer.err().map(|status| reason(&status)).unwrap_or_default())
}

async fn start(folder: &TempDir, membership: &str, more: &str) -> anyhow::Result<Running> {
    let text = config(folder, more).replace(
        &format!("services.membership.address = \"http://{NOBODY}\""),
        &format!("services.membership.address = \"http://{membership}\""),
    );
    Ok(chassis::start(&[FORUMS], Config::from_toml(&[FORUMS], &text)?).await?)
}

#[tokio::test]
async fn obs_12_a_service_waits_for_membership_and_then_keeps_a_copy_of_its_keys() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    drop(listener);
    let running = start(&folder, &address, "").await?;
    let (keys, one) = (Keys::default(), issuer("one")?);
    assert_eq!(outcome(&running, &one).await?, "access.no_keys");
    keys.publish(&one);
    keys.serve(TcpListener::bind(&address).await?);
    tokio::time::timeout(Duration::from_secs(20), running.ready()).await?;
    assert_eq!(outcome(&running, &one).await?, "");
    running.stop().await;
    // The next start finds membership away, and the copy there.
    let running = start(&folder, NOBODY, "").await?;
    running.ready().await;
    assert_eq!(outcome(&running, &one).await?, "");
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_at_once_but_not_by_every_token() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let keys = Keys::default();
    let (one, two, three) = (issuer("one")?, issuer("two")?, issuer("three")?);
    keys.publish(&one);
    keys.serve(listener);
    let running = start(&folder, &address, "").await?;
    running.ready().await;
    let at_start = keys.asked();
    keys.publish(&two);
    assert_eq!(outcome(&running, &two).await?, "", "rotation needs no waiting");
    assert_eq!(keys.asked(), at_start + 1);
    for _ in 0..5 {
        assert_eq!(outcome(&running, &three).await?, "access.token_invalid");
    }
    assert_eq!(keys.asked(), at_start + 1, "at most once a minute");
    assert_eq!(outcome(&running, &one).await?, "", "the old key is still published");
    Ok(())
}
