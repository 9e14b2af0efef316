//! Vouchers: signed words about a person for another service.
//!
//! A command that is sent twice must answer the same, but a voucher in the log of answers could be used by whoever reads
//! the log. So the log keeps what a voucher says, and it is signed on the way out, the second time as the first: with
//! the same id and the same last moment.

use chassis::token::{Purpose, Recorder, Voucher};
use kernel::{Attestation, Fault, Helper, RollClaim, Subject, Timestamp, UnitId, Uuid, deadline};

use super::App;
use super::tokens::whole_seconds;
use crate::domain::token;

/// What the log of answers keeps of a voucher.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Unsigned {
    /// Its id.
    #[prost(string, tag = "1")]
    id: String,
    /// The person, by the reference of the service it is for.
    #[prost(string, tag = "2")]
    subject: String,
    /// Last moment, in microseconds of real time.
    #[prost(int64, tag = "3")]
    expires: i64,
    /// Attestations.
    #[prost(message, repeated, tag = "4")]
    attested: Vec<Attested>,
    /// Places on rolls.
    #[prost(message, repeated, tag = "5")]
    places: Vec<Place>,
    /// The service it is for.
    #[prost(string, tag = "6")]
    audience: String,
    /// Who may use it, where only one may.
    #[prost(message, optional, tag = "7")]
    recorder: Option<Recording>,
}

/// Who writes down what somebody says.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Recording {
    /// In the name of this unit.
    #[prost(string, tag = "1")]
    unit: String,
    /// By the reference of the service the voucher is for.
    #[prost(string, tag = "2")]
    reference: String,
    /// Units where they work.
    #[prost(string, repeated, tag = "3")]
    units: Vec<String>,
}

impl Unsigned {
    /// Only this person may use it.
    #[must_use]
    pub(super) fn for_recorder(self, recorder: Recorder) -> Unsigned {
        let units = recorder.person.conflict_units.iter().map(ToString::to_string);
        let recording = Recording {
            unit: recorder.unit.to_string(),
            reference: recorder.person.reference.to_string(),
            units: units.collect(),
        };
        Unsigned { recorder: Some(recording), ..self }
    }
}

/// An attestation that a voucher tells.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Attested {
    /// Service group.
    #[prost(string, tag = "1")]
    group: String,
    /// The municipality.
    #[prost(string, tag = "2")]
    municipality: String,
    /// First day.
    #[prost(string, tag = "3")]
    since: String,
}

/// A place on a roll that a voucher tells.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Place {
    /// The election.
    #[prost(string, tag = "1")]
    election: String,
    /// The constituency.
    #[prost(string, tag = "2")]
    municipality: String,
}

impl App {
    /// A word about a person for a service, good for fifteen minutes from now; not signed yet.
    pub(super) fn new_voucher(
        &self,
        audience: &'static str,
        subject: Subject,
        attestations: Vec<Attestation>,
        rolls: Vec<RollClaim>,
    ) -> Unsigned {
        let attested = attestations.into_iter().map(|one| Attested {
            group: one.group,
            municipality: one.municipality.to_string(),
            since: one.since.to_string(),
        });
        let place = |claim: RollClaim| Place {
            election: claim.election.to_string(),
            municipality: claim.municipality.to_string(),
        };
        Unsigned {
            id: self.ids().uuid().to_string(),
            subject: subject.to_string(),
            expires: whole_seconds(self.real_now() + token::VOUCHER).as_micros(),
            attested: attested.collect(),
            places: rolls.into_iter().map(place).collect(),
            audience: audience.to_owned(),
            recorder: None,
        }
    }

    /// Signs it, with the key in use.
    pub(super) async fn sign_voucher(&self, purpose: Purpose, unsigned: Unsigned) -> Result<String, Fault> {
        let expires = Timestamp::from_micros(unsigned.expires);
        let attested = |one: Attested| -> Result<Attestation, Fault> {
            Ok(Attestation {
                group: one.group,
                municipality: one.municipality.parse().map_err(Fault::internal)?,
                since: deadline::parse_date(&one.since).map_err(Fault::internal)?,
            })
        };
        let place = |one: Place| -> Result<RollClaim, Fault> {
            Ok(RollClaim {
                election: one.election.parse().map_err(Fault::internal)?,
                municipality: one.municipality.parse().map_err(Fault::internal)?,
            })
        };
        let recorder = |one: Recording| -> Result<Recorder, Fault> {
            let unit = |text: String| text.parse::<UnitId>().map_err(Fault::internal);
            let conflict_units = one.units.into_iter().map(unit).collect::<Result<_, _>>()?;
            let reference = one.reference.parse().map_err(Fault::internal)?;
            Ok(Recorder { unit: unit(one.unit)?, person: Helper { reference, conflict_units } })
        };
        let voucher = Voucher {
            id: Uuid::try_parse(&unsigned.id).map_err(Fault::internal)?,
            purpose,
            audience: unsigned.audience,
            subject: unsigned.subject.parse().map_err(Fault::internal)?,
            attestations: unsigned.attested.into_iter().map(attested).collect::<Result<_, _>>()?,
            rolls: unsigned.places.into_iter().map(place).collect::<Result<_, _>>()?,
            recorder: unsigned.recorder.map(recorder).transpose()?,
            expires,
        };
        let signed = self.issuer(self.reads()).await?.voucher(&voucher, expires - token::VOUCHER);
        messaging::crash::point("ballot.voucher_signed");
        signed
    }
}
