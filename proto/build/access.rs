//! Reads the access option of every RPC and writes the table for the servers and the page for people.

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MethodDescriptor, ReflectMessage, Value};
use std::fmt::Write as _;

/// The access entry of one RPC, as read from the contracts.
pub(crate) struct Entry {
    /// gRPC path, for example `/osallisuus.forums.v1.ForumsService/GetForum`.
    pub(crate) path: String,
    /// Service that answers, for example `forums`; empty where the request names it.
    pub(crate) service: String,
    audience_field: Option<(String, u32)>,
    anonymous: bool,
    grants: Vec<Grant>,
    mutating: bool,
    min_assurance: String,
    per_minute: u64,
    max_bytes: u64,
    audit: String,
    audit_fields: Vec<(String, u32)>,
    purpose_field: Option<(String, u32)>,
    untraced: bool,
}

struct Grant {
    roles: Vec<String>,
    scope: String,
    field: Option<(String, u32)>,
}

/// Entries of all RPCs of the platform, by path. Every fault of every RPC is reported, not the first only.
pub(crate) fn entries(pool: &DescriptorPool) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut faults = Vec::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        match entry(pool, &method) {
            Ok(entry) => entries.push(entry),
            Err(fault) => faults.push(format!("{}: {fault}", method.full_name())),
        }
    }
    if !faults.is_empty() {
        return Err(format!("access options to mend:\n{}", faults.join("\n")));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn entry(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Entry, String> {
    let extension = pool
        .get_extension_by_name("osallisuus.access.v1.access")
        .ok_or("osallisuus/access/v1/access.proto is not among the contracts")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return Err("has no access option; say who may call it".into());
    }
    let value = options.get_extension(&extension);
    let access = value.as_message().ok_or("the access option is not a message")?;
    let package = method.parent_service().package_name().to_owned();
    let name = package.split('.').nth(1).unwrap_or_default().to_owned();

    let audience = text(access, "audience_field");
    let audience_field = if audience.is_empty() { None } else { Some(field(method, &audience)?) };
    let entry = Entry {
        path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
        service: if audience_field.is_some() { String::new() } else { name },
        audience_field,
        anonymous: flag(access, "anonymous"),
        grants: grants(access, method)?,
        mutating: flag(access, "mutating"),
        min_assurance: enumeration(access, "min_assurance"),
        per_minute: number(access, "per_minute"),
        max_bytes: number(access, "max_bytes"),
        audit: enumeration(access, "audit"),
        audit_fields: audit_fields(access, method)?,
        purpose_field: match text(access, "purpose_field") {
            name if name.is_empty() => None,
            name => Some(field(method, &name)?),
        },
        untraced: flag(access, "untraced"),
    };
    check(&entry, method)?;
    Ok(entry)
}

fn check(entry: &Entry, method: &MethodDescriptor) -> Result<(), String> {
    if entry.anonymous != entry.grants.is_empty() {
        return Err("is either anonymous or has any_of, not both and not neither".into());
    }
    if entry.audit == "Unspecified" {
        return Err("says nothing about audit".into());
    }
    let audited = matches!(entry.audit.as_str(), "Change" | "Read");
    if entry.mutating != matches!(entry.audit.as_str(), "Change" | "Secret") {
        return Err("changes something if and only if its audit is AUDIT_CHANGE or AUDIT_SECRET".into());
    }
    if entry.untraced && entry.audit != "Secret" {
        return Err("is untraced, so its audit must be AUDIT_SECRET".into());
    }
    if (entry.audit == "Read") != entry.purpose_field.is_some() {
        return Err("has a purpose_field if and only if its audit is AUDIT_READ".into());
    }
    if !audited && !entry.audit_fields.is_empty() {
        return Err("names fields for an audit log that holds nothing of it".into());
    }
    let query = method.name().starts_with("Get") || method.name().starts_with("List");
    if query && entry.mutating {
        return Err("is a query by its name (Get…, List…) but mutating".into());
    }
    if method.is_client_streaming() {
        return Err("streams requests; the access layer reads the scope from a whole request".into());
    }
    Ok(())
}

fn grants(access: &DynamicMessage, method: &MethodDescriptor) -> Result<Vec<Grant>, String> {
    let list = access.get_field_by_name("any_of").ok_or("any_of is gone from Access")?;
    list.as_list().unwrap_or_default().iter().map(|value| grant(value, method)).collect()
}

fn grant(value: &Value, method: &MethodDescriptor) -> Result<Grant, String> {
    let grant = value.as_message().ok_or("any_of holds no grant")?;
    let named = text(grant, "field");
    let scope = enumeration(grant, "scope");
    let needs_field = matches!(scope.as_str(), "Tenant" | "Forum" | "Unit" | "Region" | "Roll");
    if scope == "Unspecified" || needs_field == named.is_empty() {
        return Err(format!("grant with scope {scope} and field {named:?} makes no sense"));
    }
    let roles = role_names(grant);
    if roles.is_empty() != matches!(scope.as_str(), "SignedIn" | "Roll") {
        return Err(format!("grant with scope {scope} and {} roles makes no sense", roles.len()));
    }
    let field = if needs_field { Some(field(method, &named)?) } else { None };
    Ok(Grant { roles, scope, field })
}

/// Number of a top-level string field of the request: the only kind that the access layer reads from the wire.
fn field(method: &MethodDescriptor, name: &str) -> Result<(String, u32), String> {
    let input = method.input();
    let field = input.get_field_by_name(name).ok_or(format!("{} has no field {name}", input.name()))?;
    if field.kind() != Kind::String || field.is_list() {
        return Err(format!("{}.{name} is not a single string", input.name()));
    }
    Ok((name.to_owned(), field.number()))
}

/// Numbers of the request's fields whose ids go to the audit log: strings, one or many.
fn audit_fields(access: &DynamicMessage, method: &MethodDescriptor) -> Result<Vec<(String, u32)>, String> {
    let input = method.input();
    let list = access.get_field_by_name("audit_field").ok_or("audit_field is gone from Access")?;
    let names = list.as_list().unwrap_or_default().iter().filter_map(Value::as_str);
    names
        .map(|name| {
            let field =
                input.get_field_by_name(name).ok_or(format!("{} has no field {name}", input.name()))?;
            if field.kind() != Kind::String {
                return Err(format!("{}.{name} holds no ids", input.name()));
            }
            Ok((name.to_owned(), field.number()))
        })
        .collect()
}

fn flag(message: &DynamicMessage, name: &str) -> bool {
    message.get_field_by_name(name).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn number(message: &DynamicMessage, name: &str) -> u64 {
    message.get_field_by_name(name).and_then(|value| value.as_u32()).unwrap_or_default().into()
}

fn text(message: &DynamicMessage, name: &str) -> String {
    message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Rust name of an enum value: `SCOPE_SIGNED_IN` of `Scope` is `SignedIn`.
fn enumeration(message: &DynamicMessage, name: &str) -> String {
    let field = message.descriptor().get_field_by_name(name);
    let Some(Kind::Enum(kind)) = field.map(|field| field.kind()) else { return String::new() };
    let number = message.get_field_by_name(name).and_then(|value| value.as_enum_number()).unwrap_or_default();
    kind.get_value(number).map(|value| rust_name(kind.name(), value.name())).unwrap_or_default()
}

fn role_names(grant: &DynamicMessage) -> Vec<String> {
    let Some(field) = grant.descriptor().get_field_by_name("roles") else { return Vec::new() };
    let Kind::Enum(kind) = field.kind() else { return Vec::new() };
    let numbers = grant.get_field(&field);
    let names = numbers.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
    names.filter_map(|number| kind.get_value(number)).map(|value| rust_name("Role", value.name())).collect()
}

fn rust_name(kind: &str, value: &str) -> String {
    let prefix = format!("{}_", kind.to_uppercase());
    let words = value.strip_prefix(&prefix).unwrap_or(value).split('_');
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{first}{}", rest.to_lowercase())
        })
        .collect()
}

/// The static table, as Rust.
pub(crate) fn table(entries: &[Entry]) -> String {
    let mut out = String::from("/// Entries of all RPCs, by path.\npub static TABLE: &[Entry] = &[\n");
    for entry in entries {
        let grants: Vec<String> = entry.grants.iter().map(rust_grant).collect();
        let _ = writeln!(
            out,
            "    Entry {{ path: {:?}, service: {:?}, audience_field: {:?}, anonymous: {}, any_of: &[{}], \
             mutating: {}, min_assurance: Assurance::{}, per_minute: {}, max_bytes: {}, audit: Audit::{}, \
             audit_fields: &[{}], purpose_field: {}, untraced: {} }},",
            entry.path,
            entry.service,
            entry.audience_field.as_ref().map(|(_, number)| number),
            entry.anonymous,
            grants.join(", "),
            entry.mutating,
            entry.min_assurance,
            entry.per_minute,
            entry.max_bytes,
            entry.audit,
            entry.audit_fields.iter().map(rust_field).collect::<Vec<_>>().join(", "),
            entry
                .purpose_field
                .as_ref()
                .map_or_else(|| "None".to_owned(), |field| format!("Some({})", rust_field(field))),
            entry.untraced,
        );
    }
    out.push_str("];\n");
    out
}

fn rust_field((name, number): &(String, u32)) -> String {
    format!("Field {{ name: {name:?}, number: {number} }}")
}

fn rust_grant(grant: &Grant) -> String {
    let roles: Vec<String> = grant.roles.iter().map(|role| format!("Role::{role}")).collect();
    let number = grant.field.as_ref().map(|(_, number)| number);
    let name = grant.field.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
    let roles = roles.join(", ");
    let scope = &grant.scope;
    format!("Grant {{ roles: &[{roles}], scope: Scope::{scope}, field: {number:?}, field_name: {name:?} }}")
}

/// The role x RPC page, as Markdown.
pub(crate) fn page(entries: &[Entry]) -> String {
    let mut out = String::from(
        "# Who may call which RPC\n\nGenerated from the `access` option in the contracts; a test checks that it \
         is current.\n`UPDATE_ACCESS_PAGE=1 cargo test -p proto` writes it anew. A caller needs one of the \
         grants of a line.\nThe last column says what the audit log holds of a call: nothing (None), the \
         change (Change), the reading with its purpose\n(Read), or nothing on purpose (Secret); in brackets the \
         fields of the request whose ids it keeps.\n\n| RPC | who, where | changes | assurance | audit |\n| --- | --- | --- | --- | --- |\n",
    );
    for entry in entries {
        let who = if entry.anonymous {
            "anyone".to_owned()
        } else {
            entry.grants.iter().map(words).collect::<Vec<_>>().join("; ")
        };
        let path = entry.path.trim_start_matches("/osallisuus.");
        let assurance = entry.min_assurance.replace("Unspecified", "–");
        let changes = if entry.mutating { "yes" } else { "–" };
        let _ = writeln!(out, "| `{path}` | {who} | {changes} | {assurance} | {} |", audit_words(entry));
    }
    out
}

fn audit_words(entry: &Entry) -> String {
    let names: Vec<String> = entry.audit_fields.iter().map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() { entry.audit.clone() } else { format!("{} ({})", entry.audit, names.join(", ")) }
}

fn words(grant: &Grant) -> String {
    let field = grant.field.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
    let roles = grant.roles.join(", ");
    match grant.scope.as_str() {
        "SignedIn" => "any signed-in person, own data".to_owned(),
        "Roll" => format!("a person on the roll of `{field}`"),
        "Cell" => format!("{roles} of the deployment"),
        scope => format!("{roles} of the {} `{field}`", scope.to_lowercase()),
    }
}
