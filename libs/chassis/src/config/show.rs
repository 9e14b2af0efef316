//! The configuration in effect, for `config show`.

use super::layers::Merged;

/// One setting in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Dotted name.
    pub key: String,
    /// Value as TOML, without passwords.
    pub value: String,
    /// Where it was set: "default", "file …", "environment variable …".
    pub from: String,
}

/// All settings of a merged configuration, by key.
pub(super) fn all(merged: &Merged) -> Vec<Shown> {
    let show =
        |key: &String| Shown { key: key.clone(), value: merged.shown_value(key), from: merged.origin(key) };
    merged.keys().map(show).collect()
}

/// Whether a setting may hold a password.
pub(super) fn may_be_secret(key: &str) -> bool {
    key == "nats.url"
        || (key.starts_with("services.") && (key.ends_with(".database") || key.ends_with(".database_owner")))
}

/// An address without user and password. What does not look like an address is hidden whole.
pub(super) fn without_password(value: &str) -> String {
    if ["embedded", "sqlite"].contains(&value) || value.starts_with("file:") || value.starts_with("sqlite:") {
        return value.to_owned();
    }
    let addresses: Option<Vec<String>> = value.split(',').map(strip_user).collect();
    addresses.map_or_else(|| "(hidden)".to_owned(), |addresses| addresses.join(","))
}

fn strip_user(address: &str) -> Option<String> {
    let (scheme, rest) = address.trim().split_once("://")?;
    // Everything up to the last @ may be part of a password; parameters may hold one too.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split('?').next().unwrap_or(host);
    let hidden = if rest.contains('@') { "***@" } else { "" };
    Some(format!("{scheme}://{hidden}{host}"))
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn sec_60_addresses_are_shown_without_their_passwords() {
        for (address, shown) in [
            ("postgres://me:s3cret@db/forums?sslpassword=x", "postgres://***@db/forums"),
            ("postgres://me:a@b@db/forums", "postgres://***@db/forums"),
            ("nats://u:s3cret@a:4222,nats://b:4222", "nats://***@a:4222,nats://b:4222"),
            ("s3cret", "(hidden)"),
            ("sqlite", "sqlite"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }
}
