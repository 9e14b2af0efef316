//! Scopes: where a role is held ([`ScopeRef`]), and what the access layer granted to a call ([`Scope`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ElectionId, Fault, ForumId, Invalid, MunicipalityCode, RegionId, Subject, TenantId, UnitId};

/// What a scope's id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// A county; the id is its code.
    Tenant,
    /// A region; the id is its UUID.
    Region,
    /// A forum; the id is its UUID.
    Forum,
    /// A service unit; the id is its UUID.
    Unit,
    /// The whole deployment; there is no id.
    Cell,
}

impl ScopeKind {
    /// The word before the colon in a scope's text.
    pub fn as_str(self) -> &'static str {
        match self {
            ScopeKind::Tenant => "tenant",
            ScopeKind::Region => "region",
            ScopeKind::Forum => "forum",
            ScopeKind::Unit => "unit",
            ScopeKind::Cell => "cell",
        }
    }
}

/// Where a role is held. As text, in tokens and databases: `tenant:19`, `forum:<uuid>`, `unit:<uuid>`,
/// `region:<uuid>` or `cell`.
///
/// Scopes do not contain each other here: a role in a county is not a role in its forums. Where a rule wants
/// that, it names both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScopeRef {
    /// A county.
    Tenant(TenantId),
    /// A region.
    Region(RegionId),
    /// A forum.
    Forum(ForumId),
    /// A service unit.
    Unit(UnitId),
    /// The whole deployment.
    Cell,
}

impl ScopeRef {
    /// The scope of this kind and id; the id of the cell is empty. [`Invalid`] if the id is not one of its kind.
    pub fn from_parts(kind: ScopeKind, id: &str) -> Result<Self, Invalid> {
        match kind {
            ScopeKind::Tenant => id.parse().map(ScopeRef::Tenant),
            ScopeKind::Region => id.parse().map(ScopeRef::Region),
            ScopeKind::Forum => id.parse().map(ScopeRef::Forum),
            ScopeKind::Unit => id.parse().map(ScopeRef::Unit),
            ScopeKind::Cell if id.is_empty() => Ok(ScopeRef::Cell),
            ScopeKind::Cell => {
                Err(Invalid::new("the whole deployment has no scope id", "leave the id empty"))
            }
        }
    }

    /// What the id names.
    pub fn kind(&self) -> ScopeKind {
        match self {
            ScopeRef::Tenant(_) => ScopeKind::Tenant,
            ScopeRef::Region(_) => ScopeKind::Region,
            ScopeRef::Forum(_) => ScopeKind::Forum,
            ScopeRef::Unit(_) => ScopeKind::Unit,
            ScopeRef::Cell => ScopeKind::Cell,
        }
    }

    /// The id alone: county code or UUID; empty for the cell.
    pub fn id(&self) -> String {
        match self {
            ScopeRef::Tenant(tenant) => tenant.to_string(),
            ScopeRef::Region(region) => region.to_string(),
            ScopeRef::Forum(forum) => forum.to_string(),
            ScopeRef::Unit(unit) => unit.to_string(),
            ScopeRef::Cell => String::new(),
        }
    }
}

impl fmt::Display for ScopeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScopeRef::Cell => f.write_str(ScopeKind::Cell.as_str()),
            _ => write!(f, "{}:{}", self.kind().as_str(), self.id()),
        }
    }
}

impl FromStr for ScopeRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == ScopeKind::Cell.as_str() {
            return Ok(ScopeRef::Cell);
        }
        let (word, id) = text.split_once(':').unwrap_or((text, ""));
        let kind = [ScopeKind::Tenant, ScopeKind::Region, ScopeKind::Forum, ScopeKind::Unit]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| {
                Invalid::new(
                    "a scope is written tenant:<code>, region:<id>, forum:<id>, unit:<id> or cell",
                    "send for example \"tenant:19\"",
                )
            })?;
        ScopeRef::from_parts(kind, id)
    }
}

impl TryFrom<String> for ScopeRef {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ScopeRef> for String {
    fn from(scope: ScopeRef) -> Self {
        scope.to_string()
    }
}

/// What the access layer granted to one call. Store functions filter by it, so that rows outside of it cannot be
/// reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Public information.
    Public,
    /// The caller's own data.
    SelfOnly(Subject),
    /// One county.
    Tenant(TenantId),
    /// One region.
    Region(RegionId),
    /// One forum.
    Forum(ForumId),
    /// One service unit.
    Unit(UnitId),
    /// A place on the frozen roll of one election, in one municipality.
    Roll {
        /// The election.
        election: ElectionId,
        /// The municipality on whose roll the caller is.
        municipality: MunicipalityCode,
    },
    /// The whole deployment: technical data, and the platform's own services.
    Cell,
}

impl Scope {
    /// The person whose own data was granted; Forbidden (`access.scope`) for any other scope.
    pub fn subject(&self) -> Result<Subject, Fault> {
        if let Scope::SelfOnly(subject) = self { Ok(*subject) } else { Err(out_of_scope()) }
    }

    /// The county granted; Forbidden (`access.scope`) for any other scope.
    pub fn tenant(&self) -> Result<TenantId, Fault> {
        if let Scope::Tenant(tenant) = self { Ok(*tenant) } else { Err(out_of_scope()) }
    }

    /// The forum granted; Forbidden (`access.scope`) for any other scope.
    pub fn forum(&self) -> Result<ForumId, Fault> {
        if let Scope::Forum(forum) = self { Ok(*forum) } else { Err(out_of_scope()) }
    }

    /// The service unit granted; Forbidden (`access.scope`) for any other scope.
    pub fn unit(&self) -> Result<UnitId, Fault> {
        if let Scope::Unit(unit) = self { Ok(*unit) } else { Err(out_of_scope()) }
    }

    /// The election and municipality on whose roll the caller is; Forbidden (`access.scope`) for any other scope.
    pub fn roll(&self) -> Result<(ElectionId, MunicipalityCode), Fault> {
        if let Scope::Roll { election, municipality } = self {
            Ok((*election, *municipality))
        } else {
            Err(out_of_scope())
        }
    }
}

fn out_of_scope() -> Fault {
    Fault::forbidden(
        "access.scope",
        "You may not do this here. Ask the administrator of your county for the role.",
    )
}

impl From<ScopeRef> for Scope {
    fn from(scope: ScopeRef) -> Self {
        match scope {
            ScopeRef::Tenant(tenant) => Scope::Tenant(tenant),
            ScopeRef::Region(region) => Scope::Region(region),
            ScopeRef::Forum(forum) => Scope::Forum(forum),
            ScopeRef::Unit(unit) => Scope::Unit(unit),
            ScopeRef::Cell => Scope::Cell,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::FaultKind;

    const ID: &str = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

    fn any_scope() -> impl Strategy<Value = ScopeRef> {
        let tenants: Vec<TenantId> =
            crate::reference::counties().iter().map(|county| TenantId::new(&county.code).unwrap()).collect();
        prop_oneof![
            prop::sample::select(tenants).prop_map(ScopeRef::Tenant),
            any::<u128>().prop_map(|bits| ScopeRef::Region(Uuid::from_u128(bits).into())),
            any::<u128>().prop_map(|bits| ScopeRef::Forum(Uuid::from_u128(bits).into())),
            any::<u128>().prop_map(|bits| ScopeRef::Unit(Uuid::from_u128(bits).into())),
            Just(ScopeRef::Cell),
        ]
    }

    proptest! {
        #[test]
        fn every_scope_reads_back_from_its_text_and_its_parts(scope in any_scope()) {
            prop_assert_eq!(scope.to_string().parse::<ScopeRef>(), Ok(scope));
            prop_assert_eq!(ScopeRef::from_parts(scope.kind(), &scope.id()), Ok(scope));
            let json = serde_json::to_string(&scope).unwrap();
            prop_assert_eq!(serde_json::from_str::<ScopeRef>(&json).unwrap(), scope);
        }

        #[test]
        fn any_text_is_either_refused_or_written_the_same(text in "(tenant|forum|cell|x)?:?[0-9a-f-]{0,36}") {
            if let Ok(scope) = text.parse::<ScopeRef>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }

    #[test]
    fn scopes_are_written_as_in_tokens() {
        let forum: ForumId = ID.parse().unwrap();
        assert_eq!(ScopeRef::Tenant(TenantId::new("19").unwrap()).to_string(), "tenant:19");
        assert_eq!(ScopeRef::Forum(forum).to_string(), format!("forum:{ID}"));
        assert_eq!(format!("unit:{ID}").parse(), Ok(ScopeRef::Unit(forum.as_uuid().into())));
        assert_eq!(format!("region:{ID}").parse(), Ok(ScopeRef::Region(forum.as_uuid().into())));
        assert_eq!(ScopeRef::Cell.to_string(), "cell");
    }

    #[test]
    fn other_texts_are_refused() {
        let forum_without_id = "forum:";
        for wrong in [
            "",
            "tenant",
            "tenant:",
            "tenant:99",
            forum_without_id,
            "forum:19",
            "cell:",
            "cell:x",
            "Cell",
            "self",
            ":19",
        ] {
            assert!(wrong.parse::<ScopeRef>().is_err(), "{wrong:?} was taken");
        }
        assert!(ScopeRef::from_parts(ScopeKind::Cell, "19").is_err());
    }

    #[test]
    fn what_was_not_granted_cannot_be_taken_out() {
        let tenant = Scope::Tenant(TenantId::new("19").unwrap());
        assert_eq!(tenant.tenant().unwrap().as_str(), "19");
        for refused in [
            tenant.forum().map(drop),
            tenant.unit().map(drop),
            tenant.subject().map(drop),
            tenant.roll().map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), FaultKind::Forbidden);
        }
        assert!(Scope::Public.tenant().is_err() && Scope::Cell.tenant().is_err());
    }
}
