//! The claims as they stand in the token, and the way from and to the kernel's types.

use std::str::FromStr;

use kernel::{
    ActingMode, Assurance, Attestation, Caller, Date, ElectionId, HeldRole, Helper, Identity,
    MunicipalityCode, Role, RollClaim, ScopeRef, Subject, TenantId, Timestamp, UnitId, Uuid,
};
use serde::{Deserialize, Serialize};
use time::macros::format_description;

use super::{Purpose, Recorder, Voucher};

/// Claims of both kinds of token. Texts are checked when they are turned into the kernel's types.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) exp: i64,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
    pub(crate) jti: Uuid,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tenants: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<RoleEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rolls: Vec<RollEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    att: Vec<AttestationEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hlp: Option<HelperEntry>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stf: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    svc: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RoleEntry {
    r: String,
    s: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RollEntry {
    e: String,
    m: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AttestationEntry {
    g: String,
    m: String,
    since: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct HelperEntry {
    r: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    u: Vec<String>,
}

impl Claims {
    pub(crate) fn of_caller(issuer: &str, caller: &Caller, id: Uuid, now: Timestamp) -> Self {
        let (sub, svc) = match &caller.identity {
            Identity::Person(subject) => (subject.to_string(), None),
            Identity::Service(name) => (name.clone(), Some(name.clone())),
            Identity::Anonymous => (String::new(), None),
        };
        Self {
            iss: issuer.to_owned(),
            aud: caller.audience.clone(),
            sub,
            exp: caller.expires.as_seconds(),
            nbf: now.as_seconds(),
            iat: now.as_seconds(),
            jti: id,
            tenants: caller.tenants.iter().map(ToString::to_string).collect(),
            roles: caller.roles.iter().map(RoleEntry::from).collect(),
            rolls: caller.rolls.iter().map(RollEntry::from).collect(),
            att: caller.attestations.iter().map(AttestationEntry::from).collect(),
            mode: Some(caller.mode.as_str().to_owned()),
            hlp: caller.helper.as_ref().map(HelperEntry::from),
            stf: caller.staff_somewhere,
            acr: Some(caller.assurance.as_str().to_owned()),
            svc,
            purpose: None,
            unit: None,
        }
    }

    pub(crate) fn of_voucher(issuer: &str, voucher: &Voucher, now: Timestamp) -> Self {
        Self {
            iss: issuer.to_owned(),
            aud: voucher.audience.clone(),
            sub: voucher.subject.to_string(),
            exp: voucher.expires.as_seconds(),
            nbf: now.as_seconds(),
            iat: now.as_seconds(),
            jti: voucher.id,
            tenants: Vec::new(),
            roles: Vec::new(),
            rolls: voucher.rolls.iter().map(RollEntry::from).collect(),
            att: voucher.attestations.iter().map(AttestationEntry::from).collect(),
            mode: None,
            hlp: voucher.recorder.as_ref().map(|recorder| HelperEntry::from(&recorder.person)),
            stf: false,
            acr: None,
            svc: None,
            purpose: Some(voucher.purpose.as_str().to_owned()),
            unit: voucher.recorder.as_ref().map(|recorder| recorder.unit.to_string()),
        }
    }

    /// The caller; None if a claim does not mean anything.
    pub(crate) fn into_caller(self) -> Option<Caller> {
        let identity = match self.svc {
            Some(name) if name == self.sub && !name.is_empty() => Identity::Service(name),
            Some(_) => return None,
            None => Identity::Person(Subject::from_str(&self.sub).ok()?),
        };
        Some(Caller {
            identity,
            audience: self.aud,
            tenants: self.tenants.iter().map(|code| TenantId::new(code).ok()).collect::<Option<_>>()?,
            // A role that this version does not know grants nothing here.
            roles: self.roles.iter().filter_map(RoleEntry::read).collect(),
            rolls: self.rolls.iter().map(RollEntry::read).collect::<Option<_>>()?,
            attestations: self.att.into_iter().map(AttestationEntry::read).collect::<Option<_>>()?,
            mode: ActingMode::from_str(self.mode.as_deref()?).ok()?,
            // One that cannot be read is not left out: the act would look like the person's alone.
            helper: match self.hlp {
                Some(helper) => Some(helper.read()?),
                None => None,
            },
            staff_somewhere: self.stf,
            assurance: Assurance::from_str(self.acr.as_deref()?).ok()?,
            expires: Timestamp::from_seconds(self.exp),
        })
    }

    /// The voucher; None if a claim does not mean anything.
    pub(crate) fn into_voucher(self) -> Option<Voucher> {
        let mut purposes = Purpose::ALL.into_iter();
        let purpose = purposes.find(|known| Some(known.as_str()) == self.purpose.as_deref())?;
        let recorder = match (self.unit, self.hlp) {
            (None, None) => None,
            (Some(unit), Some(person)) => {
                Some(Recorder { unit: UnitId::from_str(&unit).ok()?, person: person.read()? })
            }
            _ => return None,
        };
        Some(Voucher {
            id: self.jti,
            purpose,
            audience: self.aud,
            subject: Subject::from_str(&self.sub).ok()?,
            attestations: self.att.into_iter().map(AttestationEntry::read).collect::<Option<_>>()?,
            rolls: self.rolls.iter().map(RollEntry::read).collect::<Option<_>>()?,
            recorder,
            expires: Timestamp::from_seconds(self.exp),
        })
    }
}

impl From<&HeldRole> for RoleEntry {
    fn from(held: &HeldRole) -> Self {
        Self { r: held.role.as_str().to_owned(), s: held.scope.to_string() }
    }
}

impl RoleEntry {
    fn read(&self) -> Option<HeldRole> {
        Some(HeldRole { role: Role::from_str(&self.r).ok()?, scope: ScopeRef::from_str(&self.s).ok()? })
    }
}

impl From<&RollClaim> for RollEntry {
    fn from(claim: &RollClaim) -> Self {
        Self { e: claim.election.to_string(), m: claim.municipality.to_string() }
    }
}

impl RollEntry {
    fn read(&self) -> Option<RollClaim> {
        let election = ElectionId::from_str(&self.e).ok()?;
        Some(RollClaim { election, municipality: MunicipalityCode::new(&self.m).ok()? })
    }
}

impl From<&Attestation> for AttestationEntry {
    fn from(held: &Attestation) -> Self {
        let since = held.since;
        let since = format!("{:04}-{:02}-{:02}", since.year(), u8::from(since.month()), since.day());
        Self { g: held.group.clone(), m: held.municipality.to_string(), since }
    }
}

impl AttestationEntry {
    fn read(self) -> Option<Attestation> {
        let since = Date::parse(&self.since, format_description!("[year]-[month]-[day]")).ok()?;
        Some(Attestation { group: self.g, municipality: MunicipalityCode::new(&self.m).ok()?, since })
    }
}

impl From<&Helper> for HelperEntry {
    fn from(helper: &Helper) -> Self {
        Self {
            r: helper.reference.to_string(),
            u: helper.conflict_units.iter().map(ToString::to_string).collect(),
        }
    }
}

impl HelperEntry {
    fn read(self) -> Option<Helper> {
        let conflict_units = self.u.iter().map(|unit| UnitId::from_str(unit).ok()).collect::<Option<_>>()?;
        Some(Helper { reference: Subject::from_str(&self.r).ok()?, conflict_units })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(claims: Value) -> Option<Caller> {
        serde_json::from_value::<Claims>(claims).ok()?.into_caller()
    }

    fn written(caller: &Caller) -> Value {
        let claims = Claims::of_caller("osallisuus/test", caller, Uuid::nil(), Timestamp::from_seconds(0));
        serde_json::to_value(claims).expect("claims")
    }

    #[test]
    fn m3_a_helper_survives_the_way_into_a_token_and_out() {
        let member = Caller {
            mode: ActingMode::Assisted,
            expires: Timestamp::from_seconds(200),
            ..Caller::person(Uuid::from_u128(1).into())
        };
        assert_eq!(written(&member).get("hlp"), None, "no helper, no claim");
        assert_eq!(read(written(&member)), Some(member.clone()), "as tokens were before there were helpers");
        for conflict_units in [Vec::new(), vec![Uuid::from_u128(5).into(), Uuid::from_u128(6).into()]] {
            let helper = Helper { reference: Uuid::from_u128(2).into(), conflict_units };
            let helped = Caller { helper: Some(helper), ..member.clone() };
            assert_eq!(read(written(&helped)), Some(helped));
        }
    }

    #[test]
    fn f8_that_somebody_is_staff_somewhere_survives_the_way_into_a_token_and_out() {
        let caller = Caller::person(Uuid::from_u128(1).into());
        assert_eq!(written(&caller).get("stf"), None, "who is not, of whom nothing is said");
        let staff = Caller { staff_somewhere: true, expires: Timestamp::from_seconds(200), ..caller };
        assert_eq!(read(written(&staff)), Some(staff));
    }

    #[test]
    fn m3_a_voucher_names_who_writes_down_and_for_which_unit() {
        let recorder = Recorder {
            unit: Uuid::from_u128(3).into(),
            person: Helper {
                reference: Uuid::from_u128(4).into(),
                conflict_units: vec![Uuid::from_u128(3).into()],
            },
        };
        for recorder in [None, Some(recorder)] {
            let voucher = Voucher {
                id: Uuid::from_u128(9),
                purpose: Purpose::Dictation,
                audience: "proposals".to_owned(),
                subject: Uuid::from_u128(1).into(),
                attestations: Vec::new(),
                rolls: Vec::new(),
                recorder,
                expires: Timestamp::from_seconds(200),
            };
            let claims = Claims::of_voucher("osallisuus/test", &voucher, Timestamp::from_seconds(0));
            let claims = serde_json::to_value(claims).expect("claims");
            let read = |claims: Value| serde_json::from_value::<Claims>(claims).ok()?.into_voucher();
            assert_eq!(read(claims.clone()), Some(voucher.clone()));
            let mut half = claims;
            half["unit"] = json!(Uuid::from_u128(3).to_string());
            half["hlp"] = Value::Null;
            assert_eq!(read(half), None, "a unit without a person");
        }
    }

    #[test]
    fn a_helper_that_cannot_be_read_spoils_the_token() {
        let good = json!({"r": Uuid::from_u128(2).to_string()});
        let caller = Caller::person(Uuid::from_u128(1).into());
        for (helper, reads) in
            [(good, true), (json!({"r": "Maija"}), false), (json!({"r": Uuid::nil(), "u": ["Ii"]}), false)]
        {
            let mut claims = written(&caller);
            claims["hlp"] = helper.clone();
            assert_eq!(read(claims).is_some(), reads, "{helper}");
        }
    }
}
