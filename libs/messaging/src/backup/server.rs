//! Telling PostgreSQL's own programs which server they talk to: exactly the one that the service uses with the same
//! address, or none.
//!
//! Everything goes through the environment, because others on the machine can read a command line and with it the
//! password. What the environment holds already is what the service has from it too, so it stays where the address says
//! nothing; only what would lead the programs elsewhere is taken away.

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::BackupError;

/// Variables by which the programs go elsewhere than where they are told to; the service does not know them, or has them
/// in its address already.
pub(super) const MISLEADING: [&str; 8] = [
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGTARGETSESSIONATTRS",
    "PGLOADBALANCEHOSTS",
    "PGREQUIRESSL",
    "PGCLIENTENCODING",
    "PGDATESTYLE",
];
/// Files of TLS, by the names that an address may give them.
const FILES: [(&[&str], &str); 3] = [
    (&["sslrootcert", "ssl-root-cert", "ssl-ca"], "PGSSLROOTCERT"),
    (&["sslcert", "ssl-cert"], "PGSSLCERT"),
    (&["sslkey", "ssl-key"], "PGSSLKEY"),
];
/// What else the service understands in an address's query. All but the password is asked of what it made of it.
const UNDERSTOOD: [&str; 11] = [
    "sslmode",
    "ssl-mode",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// The programs wait for locks and work as long as it takes.
const PATIENT: &str = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
     -c idle_session_timeout=0 -c client_min_messages=warning";

/// An address as the variables that the programs read.
///
/// # Errors
/// Tool if the service would make something else of it than the programs.
pub(super) fn variables(url: &str) -> Result<Vec<(&'static str, String)>, BackupError> {
    // What is wrong with an address is not told: it may hold a password.
    let unreadable = || BackupError::Tool("the address of the database cannot be read".to_owned());
    let parsed = Url::parse(url).map_err(|_| unreadable())?;
    let unknown = |name: &str| {
        let is_file = FILES.iter().any(|(names, _)| names.contains(&name));
        !is_file && !UNDERSTOOD.contains(&name) && !name.starts_with("options[")
    };
    if let Some((name, _)) = parsed.query_pairs().find(|(name, _)| unknown(name)) {
        let message = format!("the address of the database has \"{name}\", which nothing here understands");
        return Err(BackupError::Tool(message));
    }
    let options: PgConnectOptions = url.parse().map_err(|_| unreadable())?;
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let Some(database) = options.get_database() else {
        return Err(BackupError::Tool("the address of the database names none".to_owned()));
    };
    let mode = match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    };
    let mut variables = vec![
        ("PGHOST", host),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
        ("PGDATABASE", database.to_owned()),
        ("PGSSLMODE", mode.to_owned()),
        ("PGGSSENCMODE", "disable".to_owned()),
        ("PGOPTIONS", format!("{} {PATIENT}", options.get_options().unwrap_or_default())),
    ];
    for (names, variable) in FILES {
        if let Some(file) = last(&parsed, names) {
            variables.push((variable, file));
        } else if variable == "PGSSLROOTCERT" && mode == "verify-full" && std::env::var_os(variable).is_none()
        {
            // As the service: the authorities of the machine.
            variables.push((variable, "system".to_owned()));
        }
    }
    // Without one here the programs look where the service does: in PGPASSWORD, then in PGPASSFILE or ~/.pgpass.
    let in_address = parsed.password().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    if let Some(password) = last(&parsed, &["password"]).or(in_address) {
        variables.push(("PGPASSWORD", password));
    }
    Ok(variables)
}

/// The last value of a query that has one of these names, as the service takes it.
fn last(url: &Url, names: &[&str]) -> Option<String> {
    let named = url.query_pairs().filter(|(name, _)| names.contains(&name.as_ref()));
    named.last().map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(url: &str) -> BTreeMap<&'static str, String> {
        variables(url).unwrap().into_iter().collect()
    }

    #[test]
    fn the_programs_are_told_the_server_that_the_service_uses() {
        let told_all = told(
            "postgres://kunta:s%C3%A4l%40@db.example.org:6432/forums\
             ?sslmode=verify-full&sslrootcert=/etc/ca.pem&options[search_path]=kunta",
        );
        for (name, value) in [
            ("PGHOST", "db.example.org"),
            ("PGPORT", "6432"),
            ("PGUSER", "kunta"),
            ("PGPASSWORD", "säl@"),
            ("PGDATABASE", "forums"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/etc/ca.pem"),
        ] {
            assert_eq!(told_all[name], value, "{name}");
        }
        assert!(
            told_all["PGOPTIONS"].contains("search_path=kunta")
                && told_all["PGOPTIONS"].contains("lock_timeout=0")
        );
        // By a socket, in both ways to write it, whatever else the address has.
        for url in [
            "postgres://kunta@%2Frun%2Fpg:5433/forums",
            "postgres://kunta@localhost:5433/forums?host=/run/pg",
        ] {
            let told = told(url);
            assert_eq!((told["PGHOST"].as_str(), told["PGPORT"].as_str()), ("/run/pg", "5433"), "{url}");
            assert!(!told.contains_key("PGPASSWORD"), "{url}: the programs look where the service looks");
        }
        // What the query says comes last for the service too.
        let told = told(
            "postgres://a:b@one.example/x?host=two.example&port=7&user=c&password=d%20e&dbname=y&ssl-mode=require",
        );
        let all = ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE"];
        let all = all.map(|name| told[name].as_str());
        assert_eq!(all, ["two.example", "7", "c", "d e", "y", "require"]);
        assert_eq!(self::told("postgres://u@h/d?sslmode=verify-full")["PGSSLROOTCERT"], "system");
    }

    #[test]
    fn an_address_that_the_programs_would_take_otherwise_is_refused() {
        let refused =
            variables("postgres://u:secret@h/d?target_session_attrs=standby").unwrap_err().to_string();
        assert!(refused.contains("target_session_attrs") && !refused.contains("secret"), "{refused}");
        assert!(variables("postgres://u:secret@h").is_err(), "no database");
        assert!(variables("postgres://u:secret@h/d?port=many").is_err());
    }
}
