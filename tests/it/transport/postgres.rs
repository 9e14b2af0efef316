//! A PostgreSQL with certificates.

use messaging::Database;
use sea_orm::ConnectionTrait as _;
use standalone::dev_ca;
use testkit::postgres::{Cluster, Tls};

use super::certify;

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_a_service_and_its_postgresql_know_each_other_by_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    let server = dev_ca::files(folder.path(), "postgres");
    let own = server.own.expect("files");
    let cluster =
        Cluster::start_with_tls(Tls { certificate: &own.certificate, key: &own.key, ca: &server.ca });
    let cluster = cluster.expect("a PostgreSQL");
    let administrator = sea_orm::Database::connect(cluster.url()).await.expect("the superuser");
    for statement in ["CREATE ROLE forums LOGIN", "CREATE DATABASE forums OWNER forums"] {
        administrator.execute_unprepared(statement).await.expect("done");
    }
    let host = cluster.url().rsplit('@').next().and_then(|rest| rest.split('/').next()).expect("an address");
    let file = |name: String| folder.path().join(name).display().to_string();
    let url = |certificate: &str, ca: &str, mode: &str| {
        let (crt, key) = (file(format!("{certificate}.crt")), file(format!("{certificate}.key")));
        format!("postgres://forums@{host}/forums?sslmode={mode}&sslrootcert={ca}&sslcert={crt}&sslkey={key}")
    };
    let ca = file("ca.crt".to_owned());
    let good = url("forums", &ca, "verify-full");
    // Messaging's own migrations are enough to see that everything works over it.
    let opens = async |url: &str| match Database::open(url, "forums", Vec::new).await {
        Ok(database) => database.close().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    opens(&good).await.expect("forums");

    assert!(opens(&url("membership", &ca, "verify-full")).await.is_err(), "another service's certificate");
    assert!(opens(&format!("postgres://forums@{host}/forums?sslmode=disable")).await.is_err(), "plain text");
    let without = format!("postgres://forums@{host}/forums?sslmode=verify-full&sslrootcert={ca}");
    assert!(opens(&without).await.is_err(), "no certificate");
    let elsewhere = folder.path().join("elsewhere");
    certify(&elsewhere);
    let stranger = elsewhere.join("ca.crt").display().to_string();
    assert!(opens(&url("forums", &stranger, "verify-full")).await.is_err(), "the server is a stranger's");

    // The files are read at each new connection: broken ones cost new connections only, and new ones need no restart.
    let database = Database::open(&good, "forums", Vec::new).await.expect("forums");
    std::fs::write(folder.path().join("forums.crt"), "not a certificate").expect("written");
    database.ping().await.expect("an existing connection goes on");
    assert!(opens(&good).await.is_err(), "a new one has no certificate to show");
    certify(folder.path());
    opens(&good).await.expect("the renewed one");
    database.close().await.expect("closed");
}
