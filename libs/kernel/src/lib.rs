//! The words every service shares: ids, codes, time, deadlines, faults, and who is calling.
//!
//! Nothing here reads a file, opens a connection or waits. The one call to the outside is the operating
//! system's clock in [`SystemClock`] (and its random numbers in [`Ids::system`]); everything else is a plain
//! value or a pure function, so the rules of the services can be tested without a runtime.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`id`] | typed ids: a forum's id cannot be passed where an election's is wanted |
//! | [`code`] | county and municipality codes, checked against the reference data |
//! | [`reference`](mod@reference) | the reference data itself: counties, municipalities, who belonged to which county when |
//! | [`timestamp`], [`clock`] | moments in UTC, and the clock as a parameter |
//! | [`generator`] | new ids and random bytes as a parameter |
//! | [`deadline`], [`holiday`] | days and deadlines in Finland (act 150/1930) |
//! | [`fault`], [`invalid`] | the whole vocabulary of refusals |
//! | [`caller`], [`role`], [`scope`] | who calls, with which roles, and what was granted |
//! | [`policy`] | the county's own dated values, with their defaults |
//! | [`bucket`], [`page`], [`language`] | coarse counts, paging, text variants |

pub mod bucket;
pub mod caller;
pub mod clock;
pub mod code;
pub mod deadline;
pub mod fault;
pub mod generator;
pub mod holiday;
pub mod id;
pub mod invalid;
pub mod language;
pub mod page;
pub mod policy;
pub mod reference;
pub mod role;
pub mod scope;
pub mod timestamp;

pub use bucket::CountBucket;
pub use caller::{Attestation, Caller, Helper, Identity, RollClaim};
pub use clock::{Clock, SettableClock, SystemClock};
pub use code::{MunicipalityCode, TenantId};
pub use fault::{Fault, FaultKind, FieldFault};
pub use generator::Ids;
pub use id::{
    AgendaItemId, AssignmentId, AttachmentId, AttestationId, CandidateId, CommentId, ElectionId, FeedbackId,
    ForumId, IdeaId, MandateId, MeetingId, NoticeId, ParticipantId, ProposalId, RegionId, RoundId, SessionId,
    Subject, SupportId, UnitId,
};
pub use invalid::Invalid;
pub use language::TextVariant;
pub use page::{PageSize, PageToken};
pub use policy::{Policies, PolicyKey};
pub use role::{ActingMode, Assurance, HeldRole, Role};
pub use scope::{Scope, ScopeKind, ScopeRef};
pub use timestamp::Timestamp;

// The two types of other crates that appear all over this one's interface.
pub use time::Date;
pub use uuid::Uuid;
