//! What a proposal is about: closed lists, each with its code.

/// What kind of change it asks for (S1.40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// What a service consists of.
    Content,
    /// How a service works.
    WayOfWorking,
}

impl Category {
    /// Every category.
    pub const ALL: [Category; 2] = [Category::Content, Category::WayOfWorking];

    /// The name in events and databases, for example "way_of_working".
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Content => "content",
            Category::WayOfWorking => "way_of_working",
        }
    }
}

/// The four perspectives of the strategy (S1.19–S1.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Perspective {
    /// Ihminen.
    Human,
    /// Talous.
    Economy,
    /// Prosessi.
    Process,
    /// Osaaminen ja henkilöstö.
    Competence,
}

impl Perspective {
    /// Every perspective.
    pub const ALL: [Perspective; 4] =
        [Perspective::Human, Perspective::Economy, Perspective::Process, Perspective::Competence];

    /// The name in databases, for example "competence".
    pub fn as_str(self) -> &'static str {
        match self {
            Perspective::Human => "human",
            Perspective::Economy => "economy",
            Perspective::Process => "process",
            Perspective::Competence => "competence",
        }
    }
}

/// The goals that a proposal may serve: the four goals of the client forum (S1.10–S1.13) and the statements of the
/// strategy's perspectives (S1.19–S1.28; S1.22 is S1.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Goal {
    /// Services start from the client, special groups take part (S1.10).
    ClientOrientation,
    /// Services work together (S1.11).
    Integration,
    /// Efficiency and effect, with regard to each part of the region (S1.12).
    RegionalResources,
    /// The growth of net costs halves, the level of service is kept (S1.13, S1.22).
    NetCostGrowthHalving,
    /// Taking responsibility and part (S1.19).
    Responsibility,
    /// A meaningful life at home and in activities (S1.20).
    MeaningfulLife,
    /// Help and support when needed, smoothly (S1.21).
    SmoothSupport,
    /// Open care is strengthened (S1.23).
    ShiftsToOpenCare,
    /// Electronic whenever possible (S1.24).
    Electronic,
    /// Information is put to use (S1.25).
    InformationInUse,
    /// Right the first time, renewed together (S1.26).
    RightFirstTime,
    /// Bold renewal (S1.27).
    BoldRenewal,
    /// Responsibility, guidance, support, help (S1.28).
    Guidance,
}

impl Goal {
    /// Every goal.
    pub const ALL: [Goal; 13] = [
        Goal::ClientOrientation,
        Goal::Integration,
        Goal::RegionalResources,
        Goal::NetCostGrowthHalving,
        Goal::Responsibility,
        Goal::MeaningfulLife,
        Goal::SmoothSupport,
        Goal::ShiftsToOpenCare,
        Goal::Electronic,
        Goal::InformationInUse,
        Goal::RightFirstTime,
        Goal::BoldRenewal,
        Goal::Guidance,
    ];

    /// The code in requests and databases, for example "shifts_to_open_care".
    pub fn as_str(self) -> &'static str {
        match self {
            Goal::ClientOrientation => "client_orientation",
            Goal::Integration => "integration",
            Goal::RegionalResources => "regional_resources",
            Goal::NetCostGrowthHalving => "net_cost_growth_halving",
            Goal::Responsibility => "responsibility",
            Goal::MeaningfulLife => "meaningful_life",
            Goal::SmoothSupport => "smooth_support",
            Goal::ShiftsToOpenCare => "shifts_to_open_care",
            Goal::Electronic => "electronic",
            Goal::InformationInUse => "information_in_use",
            Goal::RightFirstTime => "right_first_time",
            Goal::BoldRenewal => "bold_renewal",
            Goal::Guidance => "guidance",
        }
    }

    /// What the plan calls it, in Finnish.
    pub fn name_fi(self) -> &'static str {
        match self {
            Goal::ClientOrientation => "Asiakaslähtöisyys ja erityisryhmien osallisuus",
            Goal::Integration => "Integraatiohyödyt eri palvelujen välillä",
            Goal::RegionalResources => "Tehokkuus ja vaikuttavuus alueen eri osat huomioiden",
            Goal::NetCostGrowthHalving => "Kustannusten nettokasvun puolittaminen palvelujen taso turvaten",
            Goal::Responsibility => "Vastuun ottoa ja osallisuutta",
            Goal::MeaningfulLife => "Mielekästä elämää kotona ja toiminnoissa",
            Goal::SmoothSupport => "Tukea ja apua tarvittaessa sujuvasti",
            Goal::ShiftsToOpenCare => "Avopalvelujen vahvistaminen",
            Goal::Electronic => "Sähköinen aina kun mahdollista",
            Goal::InformationInUse => "Tieto hyötykäytössä",
            Goal::RightFirstTime => "Kerralla kuntoon, yhdessä uudistuva prosessi",
            Goal::BoldRenewal => "Rohkea uudistaminen osana menestyvää työyhteisöä",
            Goal::Guidance => "Vastuun kantaminen, ohjaus, tukeminen, avustaminen, auttaminen",
        }
    }

    /// The perspective it belongs to; none for the goals of the forum that belong to no single one.
    pub fn perspective(self) -> Option<Perspective> {
        match self {
            Goal::ClientOrientation | Goal::Integration | Goal::RegionalResources => None,
            Goal::Responsibility | Goal::MeaningfulLife | Goal::SmoothSupport => Some(Perspective::Human),
            Goal::NetCostGrowthHalving | Goal::ShiftsToOpenCare => Some(Perspective::Economy),
            Goal::Electronic | Goal::InformationInUse | Goal::RightFirstTime => Some(Perspective::Process),
            Goal::BoldRenewal | Goal::Guidance => Some(Perspective::Competence),
        }
    }
}

/// How it came in (S1.24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// The person's own device.
    Web,
    /// A shared tablet of a unit.
    Tablet,
    /// On paper; typed in by staff.
    Paper,
    /// By telephone; typed in by staff.
    Phone,
    /// Said in a meeting; typed in by staff.
    Meeting,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 5] =
        [Channel::Web, Channel::Tablet, Channel::Paper, Channel::Phone, Channel::Meeting];

    /// The name in events and databases, for example "tablet".
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Web => "web",
            Channel::Tablet => "tablet",
            Channel::Paper => "paper",
            Channel::Phone => "phone",
            Channel::Meeting => "meeting",
        }
    }
}
