//! The example as data: scenario 3 (ideas compared), 4 (one idea from first word to effect) and 5 (a late answer).
//!
//! People and texts are invented; the days, votes, comparisons and measurements are those that the scenarios give.

/// Day on which the ideas come in.
pub const SUBMITTED: &str = "2026-09-07";
/// Day on which a coordinator screens them.
pub const SCREENED: &str = "2026-09-09";
/// First day of the comparison.
pub const COMPARISON_OPENS: &str = "2026-09-21";
/// Last day of the comparison.
pub const COMPARISON_CLOSES: &str = "2026-09-30";
/// Day on which the ranking is published, the ideas go to the forum, and the forum is called.
pub const RANKED: &str = "2026-10-01";
/// Days before a meeting by which its notice is sent, by the policy of the example: the ideas are compared until twelve
/// days before it, and the agenda is fixed by the notice (F11).
pub const NOTICE_DAYS: &str = "10";
/// Day from which that policy is in force.
pub const POLICY_FROM: &str = "2026-09-08";
/// Day of the meeting.
pub const MEETING: &str = "2026-10-12";
/// Day on which the units' answers are given in time.
pub const ANSWERED: &str = "2026-11-04";
/// Day after the last one of the answers.
pub const OVERDUE: &str = "2026-11-12";
/// Day on which the manager is told of the missing answer.
pub const ESCALATED: &str = "2026-11-26";
/// Day on which what is so before the change is measured.
pub const BASELINE: &str = "2026-11-30";
/// Day on which the change begins, and on which the late answer is given.
pub const STARTED: &str = "2026-12-01";
/// Day on which the change is done.
pub const COMPLETED: &str = "2026-12-14";
/// Last day of the quarter of the answers counted.
pub const QUARTER_ENDS: &str = "2026-12-31";
/// Day on which what came of it is published, told back and closed.
pub const PUBLISHED: &str = "2027-03-15";

/// Name of the campaign.
pub const CAMPAIGN: &str = "Mielekäs päivä";

/// The area coordinator.
pub const COORDINATOR: &str = "Riitta Kallioniemi";
/// The secretary of the forum.
pub const SECRETARY: &str = "Marja Takalokoski";
/// The manager of a unit, by the unit.
pub const MANAGERS: [(&str, &str); 3] = [
    ("Iin päivätoiminta", "Päivi Kangaskorte"),
    ("Pudasjärven työtoiminta", "Hannu Iso-Oja"),
    ("Utajärven päivätoiminta", "Leena Merijärvi"),
];

/// An idea of a client.
#[derive(Debug, Clone, Copy)]
pub struct Idea {
    /// Its title, also the text that is compared.
    pub title: &'static str,
    /// What it is about, in standard Finnish.
    pub summary: &'static str,
    /// The same in plain Finnish.
    pub plain: &'static str,
    /// Code of its picture symbol.
    pub picture: &'static str,
    /// The unit it is addressed to.
    pub unit: &'static str,
    /// Place of the author in the register of their municipality's clients.
    pub author: (&'static str, usize),
    /// In how many of its comparisons it was chosen over each of the six, in their order.
    pub wins: [u32; 6],
}

/// The six ideas that are compared.
pub const IDEAS: [Idea; 6] = [
    Idea {
        title: "Päivätoimintaan lisää ulkoilua",
        summary: "Ulkoillaan päivätoiminnassa kerran viikossa. Haluamme ulos useammin, joka päivä jos voi.",
        plain: "Haluamme ulos useammin. Nyt käymme ulkona kerran viikossa.",
        picture: "outdoors",
        unit: "Iin päivätoiminta",
        author: ("139", 0),
        wins: [0, 18, 20, 17, 15, 19],
    },
    Idea {
        title: "Ruokalistaan saa vaikuttaa",
        summary: "Päivätoiminnan ruokalista tehdään yhdessä niiden kanssa, jotka syövät.",
        plain: "Haluamme päättää yhdessä, mitä syömme.",
        picture: "food",
        unit: "Iin päivätoiminta",
        author: ("139", 2),
        wins: [10, 0, 15, 12, 11, 14],
    },
    Idea {
        title: "Kahvilavuoroja työtoimintaan",
        summary: "Työtoiminnassa voisi hoitaa kahvilaa vuorotellen ja palvella oikeita asiakkaita.",
        plain: "Haluamme hoitaa kahvilaa työtoiminnassa.",
        picture: "cafe",
        unit: "Pudasjärven työtoiminta",
        author: ("615", 0),
        wins: [8, 13, 0, 12, 10, 13],
    },
    Idea {
        title: "Iltatoimintaa viikonloppuun",
        summary: "Viikonloppuiltoihin toivotaan yhteistä tekemistä lähellä kotia.",
        plain: "Haluamme tekemistä viikonlopun iltoihin.",
        picture: "evening",
        unit: "Utajärven päivätoiminta",
        author: ("889", 0),
        wins: [11, 16, 16, 0, 13, 16],
    },
    Idea {
        title: "Yhteinen retki joka kuukausi",
        summary: "Työtoiminta tekee kerran kuukaudessa yhteisen retken, jonka kohde valitaan yhdessä.",
        plain: "Haluamme retkelle kerran kuukaudessa.",
        picture: "trip",
        unit: "Pudasjärven työtoiminta",
        author: ("615", 2),
        wins: [13, 17, 18, 15, 0, 17],
    },
    Idea {
        title: "Kuvat viikko-ohjelmaan",
        summary: "Viikko-ohjelma näytetään myös kuvina, jotta kaikki näkevät, mitä milloinkin tehdään.",
        plain: "Haluamme kuvat viikko-ohjelmaan.",
        picture: "calendar",
        unit: "Utajärven päivätoiminta",
        author: ("889", 2),
        wins: [9, 14, 15, 12, 11, 0],
    },
];

/// The idea that is followed to its effect.
pub const FOLLOWED: usize = 0;
/// The idea whose answer is late.
pub const LATE: usize = 4;

/// Sessions that compare.
pub const SESSIONS: usize = 42;
/// Sessions that go through all pairs; the others answer one.
pub const THOROUGH: usize = 28;
/// Pairs that are skipped in all.
pub const SKIPS: usize = 31;

/// Those present at the meeting, by municipality.
pub const PRESENT: [(&str, u32); 5] = [("139", 7), ("615", 6), ("889", 3), ("785", 4), ("751", 2)];
/// Votes for, against and blank.
pub const VOTES: [u32; 3] = [19, 1, 2];
