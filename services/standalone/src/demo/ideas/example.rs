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
/// Day on which the first answers come.
pub const ANSWERED_EARLY: &str = "2026-10-23";
/// Day on which the last of the answers in time are given.
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
/// First day of the quarter of the answers counted.
pub const QUARTER_STARTS: &str = "2026-10-01";
/// Last day of it.
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
/// Who supports it: place in the register of a municipality's clients.
pub const SUPPORTER: (&str, usize) = ("139", 3);
/// The idea whose answer is late.
pub const LATE: usize = 4;

/// A proposal of another client that goes to the same meeting, for the answers of a quarter to be counted (K4).
#[derive(Debug, Clone, Copy)]
pub struct Other {
    /// Its title.
    pub title: &'static str,
    /// What it is about, in plain Finnish.
    pub plain: &'static str,
    /// Code of its picture symbol.
    pub picture: &'static str,
    /// The unit it is addressed to.
    pub unit: &'static str,
    /// Place of the author in the register of their municipality's clients.
    pub author: (&'static str, usize),
    /// Day of its answer; empty if there is none.
    pub answered: &'static str,
}

const fn other(
    title: &'static str,
    plain: &'static str,
    picture: &'static str,
    unit: &'static str,
    author: (&'static str, usize),
    answered: &'static str,
) -> Other {
    Other { title, plain, picture, unit, author, answered }
}

const II: &str = "Iin päivätoiminta";
const PUDASJARVI: &str = "Pudasjärven työtoiminta";
const UTAJARVI: &str = "Utajärven päivätoiminta";

/// Sixteen more that are endorsed on the same day: with the followed and the late idea eighteen, of which fourteen are
/// answered in time, three late and one not at all.
pub const OTHERS: [Other; 16] = [
    other(
        "Oma puhelinaika kotiin",
        "Haluamme soittaa kotiin rauhassa.",
        "phone",
        II,
        ("139", 4),
        ANSWERED_EARLY,
    ),
    other("Lisää penkkejä pihalle", "Haluamme istua pihalla.", "rest", II, ("139", 5), ANSWERED_EARLY),
    other(
        "Musiikkia taukohuoneeseen",
        "Haluamme kuunnella musiikkia tauolla.",
        "music",
        II,
        ("139", 6),
        ANSWERED,
    ),
    other("Kasvimaa päivätoimintaan", "Haluamme kasvattaa vihanneksia.", "garden", II, ("139", 7), ANSWERED),
    other("Uimahalliin kerran kuussa", "Haluamme uimaan.", "swim", II, ("139", 8), STARTED),
    other(
        "Hiljainen huone",
        "Haluamme huoneen, jossa on hiljaista.",
        "quiet",
        II,
        ("139", 9),
        ANSWERED_EARLY,
    ),
    other(
        "Tietokone asiakkaiden käyttöön",
        "Haluamme oman tietokoneen.",
        "computer",
        PUDASJARVI,
        ("615", 4),
        ANSWERED_EARLY,
    ),
    other(
        "Kirjastoauto käymään",
        "Haluamme lainata kirjoja.",
        "library",
        PUDASJARVI,
        ("615", 5),
        ANSWERED_EARLY,
    ),
    other(
        "Ruokatauko puoli tuntia aiemmin",
        "Haluamme syödä aiemmin.",
        "clock",
        PUDASJARVI,
        ("615", 6),
        ANSWERED_EARLY,
    ),
    other(
        "Kyyti työtoimintaan ajoissa",
        "Taksi tulee usein myöhässä.",
        "taxi",
        PUDASJARVI,
        ("615", 7),
        COMPLETED,
    ),
    other(
        "Työvaatteet kaikille",
        "Haluamme kaikille työvaatteet.",
        "clothes",
        PUDASJARVI,
        ("615", 8),
        ANSWERED,
    ),
    other(
        "Elokuva kerran kuussa",
        "Haluamme katsoa elokuvan yhdessä.",
        "film",
        PUDASJARVI,
        ("615", 9),
        ANSWERED_EARLY,
    ),
    other("Tanssia perjantaisin", "Haluamme tanssia.", "dance", UTAJARVI, ("889", 4), ANSWERED),
    other("Leipomispäivä", "Haluamme leipoa yhdessä.", "cook", UTAJARVI, ("889", 5), ANSWERED_EARLY),
    other("Uusi sauna päivätoimintaan", "Haluamme saunan.", "sauna", UTAJARVI, ("889", 6), ""),
    other(
        "Viikon uutiset luetaan yhdessä",
        "Haluamme lukea uutisia yhdessä.",
        "read",
        UTAJARVI,
        ("889", 7),
        ANSWERED,
    ),
];

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
