//! What the contracts say about each RPC, read from their descriptors without proto's generated table: the servers
//! enforce that table, so it cannot be the measure.

use std::str::FromStr;

use kernel::{Assurance, Role};
use prost_reflect::{
    DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value,
};

/// One RPC at one service.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// gRPC path.
    pub(super) path: String,
    /// Service that answers: the audience of a token.
    pub(super) audience: String,
    /// The request's field that names the service, where several services answer the same RPC.
    pub(super) audience_field: Option<String>,
    /// True where no token is asked for.
    pub(super) anonymous: bool,
    /// The caller needs one of these.
    pub(super) any_of: Vec<Grant>,
    /// Least assurance of the sign-in.
    pub(super) least: Option<Assurance>,
    /// The request's message.
    pub(super) input: MessageDescriptor,
}

/// One way to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// Any of these; empty where the scope alone decides.
    pub(super) roles: Vec<Role>,
    /// Where the role must be held.
    pub(super) scope: Where,
    /// The request's field with the scope's id; empty where there is none.
    pub(super) field: String,
}

/// Kind of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    SignedIn,
    Tenant,
    Forum,
    Unit,
    Region,
    Roll,
    Cell,
}

/// The rules of all RPCs of all packages. An RPC that several of the `shared` services answer is there once for each.
pub(super) fn all(shared: &[&str]) -> Vec<Rule> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the descriptor set of the contracts");
    let services = pool.services().filter(|service| service.package_name().starts_with("osallisuus."));
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.flat_map(|method| rules(&pool, &method, shared)).collect()
}

fn rules(pool: &DescriptorPool, method: &MethodDescriptor, shared: &[&str]) -> Vec<Rule> {
    let option = pool.get_extension_by_name("osallisuus.access.v1.access").expect("the access option");
    let options = method.options();
    assert!(options.has_extension(&option), "{} has no access option", method.full_name());
    let value = options.get_extension(&option);
    let access = value.as_message().expect("a message");

    let audience_field = Some(text(access, "audience_field")).filter(|name| !name.is_empty());
    let package = method.parent_service().package_name().to_owned();
    let own = package.split('.').nth(1).expect("osallisuus.<service>.v1").to_owned();
    let audiences = match audience_field {
        Some(_) => shared.iter().map(ToString::to_string).collect(),
        None => vec![own],
    };
    let rule = Rule {
        path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
        audience: String::new(),
        audience_field,
        anonymous: access
            .get_field_by_name("anonymous")
            .and_then(|value| value.as_bool())
            .unwrap_or_default(),
        any_of: grants(access),
        least: assurance(access),
        input: method.input(),
    };
    audiences.into_iter().map(|audience| Rule { audience, ..rule.clone() }).collect()
}

fn grants(access: &DynamicMessage) -> Vec<Grant> {
    let list = access.get_field_by_name("any_of").expect("any_of");
    let grant = |value: &Value| {
        let grant = value.as_message().expect("a grant").clone();
        let roles = grant.get_field_by_name("roles").expect("roles");
        let roles = roles.as_list().expect("a list").iter().map(|number| role(&grant, number)).collect();
        let scope = match enumeration(&grant, "scope").as_str() {
            "SCOPE_SIGNED_IN" => Where::SignedIn,
            "SCOPE_TENANT" => Where::Tenant,
            "SCOPE_FORUM" => Where::Forum,
            "SCOPE_UNIT" => Where::Unit,
            "SCOPE_REGION" => Where::Region,
            "SCOPE_ROLL" => Where::Roll,
            "SCOPE_CELL" => Where::Cell,
            unknown => panic!("the matrix does not know {unknown}: say here what it is"),
        };
        Grant { roles, scope, field: text(&grant, "field") }
    };
    list.as_list().expect("a list").iter().map(grant).collect()
}

fn role(grant: &DynamicMessage, number: &Value) -> Role {
    let field = grant.descriptor().get_field_by_name("roles").expect("roles");
    let kind = field.kind();
    let number = number.as_enum_number().expect("a number");
    let value = kind.as_enum().expect("an enum").get_value(number).expect("a role of the contract");
    let name = value.name().trim_start_matches("ROLE_").to_lowercase();
    Role::from_str(&name).expect("the kernel knows every role of the contract")
}

fn assurance(access: &DynamicMessage) -> Option<Assurance> {
    match enumeration(access, "min_assurance").as_str() {
        "ASSURANCE_UNSPECIFIED" => None,
        "ASSURANCE_LOW" => Some(Assurance::Low),
        "ASSURANCE_SUBSTANTIAL" => Some(Assurance::Substantial),
        "ASSURANCE_HIGH" => Some(Assurance::High),
        unknown => panic!("the matrix does not know {unknown}"),
    }
}

fn text(message: &DynamicMessage, name: &str) -> String {
    let value = message.get_field_by_name(name).expect("a field of the option");
    value.as_str().expect("a string").to_owned()
}

fn enumeration(message: &DynamicMessage, name: &str) -> String {
    let kind = message.descriptor().get_field_by_name(name).expect("a field of the option").kind();
    let number = message.get_field_by_name(name).and_then(|value| value.as_enum_number()).expect("a number");
    kind.as_enum().expect("an enum").get_value(number).expect("a value of the contract").name().to_owned()
}
