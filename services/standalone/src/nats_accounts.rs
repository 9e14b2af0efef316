//! The accounts of a cell in NATS, as text for nats-server's configuration.
//!
//! Users are known by the identity in their certificates (`verify_and_map`). The text depends on nothing but the names
//! given, so the same names give the same text.

use messaging::broker::permissions::{self, EVENTS, Permissions};
use messaging::store::ProjectionKey;

/// What the file begins with; a file without it is somebody else's.
pub const HEAD: &str = "# Written by `osallisuus nats-config`.";

/// The accounts of `cell`: one with its services and `provision`, and one for each reader.
#[must_use]
pub fn text(cell: &str, services: &[&str], consumers: &[ProjectionKey], readers: &[String]) -> String {
    let single: Vec<(&str, Permissions)> =
        services.iter().map(|name| (*name, permissions::service(name, consumers))).collect();
    // A process of several services has one certificate, and one place for answers.
    let mut together = Permissions::together(single.iter().map(|(_, permissions)| permissions));
    together.subscribe = permissions::service("osallisuus", &[]).subscribe;
    let users = [("provision", permissions::provision("provision")), ("osallisuus", together)];
    let mut text = format!(
        "{HEAD}\n# What it says comes from the services and the settings; change those and write it anew.\n\
         # For nats-server's configuration: accounts {{ include \"./accounts.conf\" }}, with verify_and_map in tls.\n\n"
    );
    text += &format!("{cell:?} {{\n  jetstream: enabled\n  users: [\n");
    for (name, permissions) in users.iter().chain(&single) {
        text += &user(cell, name, permissions);
    }
    text += "  ]\n";
    let permitted =
        |reader: &String| (account(cell, reader), permissions::reader(reader, services.iter().copied()));
    let readers: Vec<(&String, (String, Permissions))> =
        readers.iter().map(|reader| (reader, permitted(reader))).collect();
    if !readers.is_empty() {
        let accounts: Vec<String> = readers.iter().map(|(_, (account, _))| format!("{account:?}")).collect();
        text += "  exports: [\n";
        text += &format!("    {{ stream: {EVENTS:?}, accounts: [{}] }}\n", accounts.join(", "));
        for (_, (account, permissions)) in &readers {
            for subject in &permissions.publish {
                let answers = if subject.contains(".MSG.NEXT.") { ", response_type: stream" } else { "" };
                text += &format!("    {{ service: {subject:?}{answers}, accounts: [{account:?}] }}\n");
            }
        }
        text += "  ]\n";
    }
    text += "}\n";
    for (reader, (account, permissions)) in &readers {
        let own = Permissions {
            publish: permissions.publish.iter().map(|subject| in_domain(cell, subject)).collect(),
            subscribe: permissions.subscribe.clone(),
        };
        text += &format!("\n{account:?} {{\n  users: [\n{}  ]\n  imports: [\n", user(cell, reader, &own));
        text += &format!("    {{ stream: {{ account: {cell:?}, subject: {EVENTS:?} }} }}\n");
        for subject in &permissions.publish {
            let here = in_domain(cell, subject);
            text +=
                &format!("    {{ service: {{ account: {cell:?}, subject: {subject:?} }}, to: {here:?} }}\n");
        }
        text += "  ]\n}\n";
    }
    text
}

/// A request of JetStream as another account makes it: to the domain of the cell's name. Without that it would go to
/// the account's own JetStream, which it has not.
fn in_domain(cell: &str, subject: &str) -> String {
    subject.replacen("$JS.API.", &format!("$JS.{cell}.API."), 1)
}

/// The account of another system.
fn account(cell: &str, reader: &str) -> String {
    format!("{cell}.{reader}")
}

fn user(cell: &str, name: &str, permissions: &Permissions) -> String {
    let identity = chassis::tls::identity_of(cell, name);
    let list = |subjects: &[String]| {
        subjects.iter().map(|subject| format!("          {subject:?}\n")).collect::<String>()
    };
    format!(
        "    {{\n      user: {identity:?}\n      permissions {{\n        publish: [\n{}        ]\n        \
         subscribe: [\n{}        ]\n      }}\n    }}\n",
        list(&permissions.publish),
        list(&permissions.subscribe),
    )
}
