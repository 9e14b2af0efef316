//! The Oulunkaari example as data: scenario 1 of the elections (S1.29–S1.38).
//!
//! Counties, municipalities, quotas and dates are real; people and units are invented. The people stand in
//! `data/oulunkaari-19.csv` and `data/oulunkaari-21.csv`, which are also examples of files for `osallisuus import`.

use proto::membership::ServiceUnitKind;

/// County that leads the joint forum: Pohjois-Pohjanmaa.
pub const LEAD: &str = "19";
/// The other county: Lappi, for Simo.
pub const CO_TENANT: &str = "21";
/// Service group whose clients elect the forum.
pub const GROUP: &str = "disability_services";

/// Registers by county: name of the file and its content.
pub const REGISTERS: [(&str, &str, &str); 2] = [
    (LEAD, "oulunkaari-19.csv", include_str!("../../data/oulunkaari-19.csv")),
    (CO_TENANT, "oulunkaari-21.csv", include_str!("../../data/oulunkaari-21.csv")),
];

/// The two election officers: of the county's own office, of no unit (F8).
pub const OFFICERS: [&str; 2] = ["Oskari Suomela", "Suvi Sankala"];
/// The witness of the lots.
pub const WITNESS: &str = "Arja Suorsa";
/// The number the witness throws with dice.
pub const WITNESS_NUMBER: &str = "5326";
/// Name of the administrator who redeems the setup code.
pub const ADMINISTRATOR: &str = "Pirkko Hallamaa";

/// Name of the forum.
pub const FORUM: &str = "Oulunkaaren seudullinen asiakasfoorumi";
/// Why it exists (S1.3).
pub const PURPOSE: &str = "Asiakkaiden osallisuuden toteutuminen vammaispalvelujen kehittämisessä.";
/// The same in plain Finnish.
pub const PURPOSE_PLAIN: &str =
    "Asiakkaat kertovat foorumissa, millaisia palvelujen pitää olla. Heitä kuunnellaan.";

/// A picture for the ballot paper: a yellow sun, 64 x 64.
pub const PICTURE: &[u8] = include_bytes!("../../data/sun.png");
/// What it shows.
pub const PICTURE_TEXT: &str = "Keltainen aurinko";

/// Where the business clock must stand when the play begins (`clock.demo_start`): roles given on a later day would not
/// be in force on the days of the example.
pub const CLOCK_STARTS: &str = "2026-02-16T07:00:00Z";

/// Days of the example; each thing happens at nine in the morning in Finland.
pub mod days {
    /// The register is imported.
    pub const REGISTER: &str = "2026-02-16";
    /// The forum is founded.
    pub const FOUNDED: &str = "2026-02-23";
    /// First day of the term.
    pub const TERM_STARTS: &str = "2026-05-01";
    /// Last day of the term.
    pub const TERM_ENDS: &str = "2028-04-30";
    /// The election is announced and nominations open.
    pub const ANNOUNCED: &str = "2026-03-02";
    /// Last day of nominations.
    pub const NOMINATIONS_END: &str = "2026-03-20";
    /// The officers close nominations.
    pub const NOMINATIONS_CLOSED: &str = "2026-03-23";
    /// First day of voting.
    pub const VOTING_STARTS: &str = "2026-04-13";
    /// Last day of voting.
    pub const VOTING_ENDS: &str = "2026-04-17";
    /// The boxes are closed and counted, lots are drawn, the result is confirmed.
    pub const CONFIRMED: &str = "2026-04-20";
    /// The supplementary election is announced.
    pub const AGAIN_ANNOUNCED: &str = "2026-04-21";
    /// Last day of its nominations.
    pub const AGAIN_NOMINATIONS_END: &str = "2026-04-28";
    /// Its officers close nominations.
    pub const AGAIN_NOMINATIONS_CLOSED: &str = "2026-04-29";
    /// First day of its voting.
    pub const AGAIN_VOTING_STARTS: &str = "2026-05-04";
    /// Last day of its voting.
    pub const AGAIN_VOTING_ENDS: &str = "2026-05-15";
    /// It is counted and confirmed.
    pub const AGAIN_CONFIRMED: &str = "2026-05-18";
}

/// A municipality of the example.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Municipality code.
    pub municipality: &'static str,
    /// Name.
    pub name: &'static str,
    /// County code.
    pub tenant: &'static str,
    /// Seats (S1.31, S1.32, S1.33, S1.34, S1.35).
    pub seats: u32,
    /// Its service units.
    pub units: &'static [(&'static str, ServiceUnitKind)],
    /// The client whom the unit's staff attests; the others are attested in the register's file.
    pub attested_by_staff: &'static str,
    /// What happens in the election there.
    pub vote: Vote,
    /// What happens in the supplementary election there; nobody stands where no seat was left.
    pub vote_again: Vote,
}

/// What happens in an election in one municipality.
#[derive(Debug, Clone, Copy)]
pub struct Vote {
    /// How many stand.
    pub candidates: usize,
    /// How many vote.
    pub ballots: usize,
    /// How many of these on paper.
    pub paper: usize,
    /// Approvals of each candidate; empty where nobody needs to vote.
    pub approvals: &'static [u32],
}

const NOBODY: Vote = Vote { candidates: 0, ballots: 0, paper: 0, approvals: &[] };

/// The five municipalities, in the order of the seat plan.
pub static PLACES: [Place; 5] = [
    Place {
        municipality: "139",
        name: "Ii",
        tenant: LEAD,
        seats: 8,
        units: &[
            ("Iin päivätoiminta", ServiceUnitKind::DayActivity),
            ("Iin asumisyksikkö", ServiceUnitKind::Housing),
        ],
        attested_by_staff: "Piia Ahola",
        vote: Vote {
            candidates: 12,
            ballots: 39,
            paper: 4,
            approvals: &[31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6],
        },
        vote_again: NOBODY,
    },
    Place {
        municipality: "615",
        name: "Pudasjärvi",
        tenant: LEAD,
        seats: 8,
        units: &[
            ("Pudasjärven työtoiminta", ServiceUnitKind::WorkActivity),
            ("Pudasjärven asumisyksikkö", ServiceUnitKind::Housing),
        ],
        attested_by_staff: "Kaija Kekkonen",
        vote: Vote { candidates: 9, ballots: 33, paper: 3, approvals: &[28, 26, 25, 23, 21, 18, 17, 14, 9] },
        vote_again: NOBODY,
    },
    Place {
        municipality: "889",
        name: "Utajärvi",
        tenant: LEAD,
        seats: 4,
        units: &[("Utajärven päivätoiminta", ServiceUnitKind::DayActivity)],
        attested_by_staff: "Kaija Rautio",
        vote: Vote { candidates: 6, ballots: 11, paper: 0, approvals: &[9, 8, 7, 6, 4, 3] },
        vote_again: NOBODY,
    },
    Place {
        municipality: "785",
        name: "Vaala",
        tenant: LEAD,
        seats: 4,
        units: &[("Vaalan työtoiminta", ServiceUnitKind::WorkActivity)],
        attested_by_staff: "Pekka Mäkelä",
        vote: Vote { candidates: 4, ..NOBODY },
        vote_again: NOBODY,
    },
    Place {
        municipality: "751",
        name: "Simo",
        tenant: CO_TENANT,
        seats: 4,
        units: &[("Simon päivätoiminta", ServiceUnitKind::DayActivity)],
        attested_by_staff: "Saara Kaikkonen",
        vote: Vote { candidates: 3, ..NOBODY },
        vote_again: Vote { candidates: 2, ballots: 10, paper: 0, approvals: &[6, 4] },
    },
];
