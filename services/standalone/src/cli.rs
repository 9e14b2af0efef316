//! The command line: what can be asked for, and the help that says so.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kernel::TenantId;

use crate::client::ClientTls;
use crate::command::AuditCommand;
use crate::command::backup::{self, BackupArgs};
use crate::command::dev_ca::DevCa;
use crate::command::ledger::LedgerCommand;
use crate::command::load::Load;
use crate::command::log::LogCommand;
use crate::command::nats_config::NatsConfig;
use crate::command::new_epoch::{self, NewEpochArgs};
use crate::command::projection::{ProjectionCommand, Which};
use crate::command::restore::{self, RestoreArgs};
use crate::screen::Format;

const EXAMPLES: &str = "\
Examples:
  osallisuus demo                            see a whole election, then try the system yourself
  osallisuus init --data /srv/osallisuus     make a data folder; prints the first administrator's code
  osallisuus up --data /srv/osallisuus       run everything in one process
  osallisuus sign-in --setup-code --name \"Aino Aalto\" --tenant 19
  osallisuus import register.csv --tenant 19
  osallisuus status --output json

Exit codes:
  0  done
  1  failed, for example because a file has faults
  2  the command line is wrong
  3  the configuration is wrong
  4  something needed does not answer: server, database, NATS
  5  refused: by the server, or because something would be overwritten";

/// The platform of clients' participation: services, set-up and operation in one program.
#[derive(Debug, Parser)]
#[command(name = "osallisuus", version, after_help = EXAMPLES, arg_required_else_help = true)]
#[command(max_term_width = 100)]
pub(crate) struct Cli {
    /// Form of the output: text, or json with one document on standard output and failures on standard error.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM", env = "OSALLISUUS_OUTPUT")]
    #[arg(hide_possible_values = true)]
    pub(crate) output: Format,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a data folder with its secrets, and prints the first administrator's code, once.
    #[command(after_help = "Examples:
  osallisuus init
  osallisuus init --data /srv/osallisuus --tenants 19,21
  osallisuus init --data /srv/osallisuus --new-code

A folder that has been made already is refused and left as it is, but for --new-code: with it a county that was added to
the settings, or whose last administrator has gone, gets one.")]
    Init {
        #[command(flatten)]
        installation: Installation,
        /// Counties to serve, by their code of Statistics Finland.
        #[arg(long, value_delimiter = ',', value_name = "CODES", default_value = "19,21")]
        tenants: Vec<TenantId>,
        /// For a folder that is made: makes secrets that are missing, and a new code if a county has no administrator.
        #[arg(long, conflicts_with = "tenants")]
        new_code: bool,
    },
    /// Runs everything in one process, with SQLite files and a nats-server of its own.
    #[command(after_help = "Examples:
  osallisuus up
  osallisuus up --data /srv/osallisuus
  osallisuus up --config /etc/osallisuus.toml

Ctrl-C or SIGTERM ends it: work that was begun is finished first.")]
    Up {
        #[command(flatten)]
        installation: Installation,
    },
    /// Plays the election of the Oulunkaari client forum in a fresh system, shows the result, and stays up.
    #[command(after_help = "Examples:
  osallisuus demo
  osallisuus demo --once --ideas
  osallisuus demo --once --output json

The people are invented. The business clock of this system can be set; the election takes place in spring 2026.")]
    Demo {
        /// Ends after the result.
        #[arg(long)]
        once: bool,
        /// Goes on after the elections: ideas are compared, one is followed to its effect, one is answered late.
        #[arg(long)]
        ideas: bool,
        /// Data folder to make and keep; without it, one that is removed at the end.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Address of the gRPC server; without it 127.0.0.1:7400, or any free port if that is taken.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Runs one service in a process of its own.
    #[command(after_help = "Examples:
  osallisuus serve forums --config /etc/osallisuus.toml

The settings must name what the processes share: nats.url of a server that runs already, the service's database, and
the other services' addresses. Without them it does not start.")]
    Serve {
        /// Name of the service: membership, forums or proposals.
        service: String,
        #[command(flatten)]
        installation: Installation,
    },
    /// Makes the streams in NATS, or mends their settings, for deployments whose nats-server is not embedded.
    #[command(after_help = "Examples:
  osallisuus provision --config /etc/osallisuus.toml

Running it again changes nothing, unless somebody changed a stream: it gets its settings back. What the server does
not accept or ignores is named.")]
    Provision {
        #[command(flatten)]
        installation: Installation,
    },
    /// Checks configuration, data folder, databases, NATS and clock, and says what to do.
    #[command(after_help = "Examples:
  osallisuus doctor
  osallisuus doctor --config /etc/osallisuus.toml --output json")]
    Doctor {
        #[command(flatten)]
        installation: Installation,
    },
    /// Shows settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Writes accounts and permissions for nats-server: what each service, and each reader of events, may do there.
    #[command(after_help = "Examples:
  osallisuus nats-config /etc/nats --config /etc/osallisuus.toml

Users are known by their certificates. The same settings give the same file.")]
    NatsConfig(NatsConfig),
    /// Makes a certificate authority for trials, and certificates for everybody; run again, it renews these.
    #[command(after_help = "Examples:
  osallisuus dev-ca certificates
  osallisuus dev-ca certificates --cell pohde --host nats-1.example.fi --client lapland --days 1

Files are for their owner only. An authority is never overwritten, nor used for another cell.")]
    DevCa(DevCa),
    /// Makes the key pair of an election board and prints the public key.
    #[command(after_help = "Examples:
  osallisuus board-key board-2026.key

The file is for its owner only and is never overwritten. Whoever holds it can open the ballots; without it nobody can.")]
    BoardKey {
        /// File to make.
        file: PathBuf,
    },
    /// Signs in with a code card or the setup code, and keeps the session for the commands that follow.
    #[command(after_help = "Examples:
  osallisuus sign-in --card 2X7K9QPM
  osallisuus sign-in --setup-code --name \"Aino Aalto\" --tenant 19
  osallisuus sign-in --card 2X7K9QPM --server http://127.0.0.1:7400 < code.txt

The code is asked for, or read from standard input: on the command line others could see it.")]
    SignIn {
        #[command(flatten)]
        door: Door,
        #[command(flatten)]
        remote: Remote,
    },
    /// Ends the session and forgets it.
    #[command(after_help = "Examples:
  osallisuus sign-out
  osallisuus sign-out --session-file /srv/osallisuus/administrator.session")]
    SignOut {
        #[command(flatten)]
        remote: Remote,
    },
    /// Shows how the services are: databases, NATS, lanes of events, projections, jobs.
    #[command(after_help = "Examples:
  osallisuus status
  osallisuus status --server http://127.0.0.1:7400 --output json

Exit code 1 if something needs a person: a dependency is down, a lane stands still, events are parked, jobs are dead.")]
    Status {
        #[command(flatten)]
        remote: Remote,
    },
    /// Imports a county's register of participants from a CSV file.
    #[command(after_help = "Examples:
  osallisuus import register.csv --tenant 19

The whole file is checked first; if any line has a fault, all faults are named and nothing is stored. Running it again
adds nothing. Columns, by the names in the first line:
  register_key, display_name                       needed
  language, email, phone, identity_link            may be empty or left out
  group, municipality, unit                        to attest a client of the unit's services
  role                                             to give a role, in the unit if one is named, else in the county")]
    Import {
        /// CSV file: comma or semicolon, UTF-8.
        file: PathBuf,
        /// County, by its code.
        #[arg(long, value_name = "CODE")]
        tenant: TenantId,
        #[command(flatten)]
        remote: Remote,
    },
    /// Shows and settles events that could not be projected.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// Copies the databases of all services, as they fit together, while the system runs.
    #[command(after_help = backup::EXAMPLES)]
    Backup(BackupArgs),
    /// Puts a backup in the place of the databases. The system must be stopped.
    #[command(after_help = restore::EXAMPLES)]
    Restore(RestoreArgs),
    /// Lets logs go on after databases were put back by other means. The system must be stopped.
    #[command(after_help = new_epoch::EXAMPLES)]
    NewEpoch(NewEpochArgs),
    /// Heals lanes of a projection that stand still, by reading their source's events again.
    #[command(after_help = "Examples:
  osallisuus resync --service forums --projection membership
  osallisuus resync --service forums --projection membership --lane 19

A lane stands still when its source was restored from a backup and events were read from it that are lost now.
`osallisuus status` names service, projection and lane. The system keeps running.")]
    Resync {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: Remote,
    },
    /// Keeps what services know of each other's events.
    #[command(subcommand)]
    Projection(ProjectionCommand),
    /// Checks the event logs of this machine's services.
    #[command(subcommand)]
    Log(LogCommand),
    /// Shows, exports and checks the audit log: who did or read what.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Shows or sets the business clock. Setting is refused unless the system runs in demo mode.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Loads a system at a fixed rate and tells its latencies; for demonstrations and systems set up for it.
    #[command(after_help = "Examples:
  osallisuus load --mix mixed --rate 500 --duration 30
  osallisuus load --mix writing --rate 1000 --duration 30 --journal load.journal --probe
  osallisuus load --mix election-day --voters 500 --rate 100
  osallisuus load --mix writing --find-rate --p99 50

It signs nobody in: be signed in as the administrator. Refused unless the system is a demonstration or has
load_test = true. Latencies count from when a call was due. Exit code 1 if a call failed.")]
    Load(Load),
    /// Judges a system by clients' journals and by what it has stored.
    #[command(subcommand)]
    Ledger(LedgerCommand),
}

/// Which installation on this machine is meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Installation {
    /// Settings file; without it osallisuus.toml in the data folder, if there is one.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Data folder; without it the setting data_dir.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Which running system is meant, and as whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Address of the system, or SERVICE=URL for one service; may be given several times. Without it the address of
    /// the session, else http://127.0.0.1:7400.
    #[arg(long, value_name = "URL", env = "OSALLISUUS_SERVER", value_delimiter = ',')]
    pub(crate) server: Vec<String>,
    /// File that keeps the session. The variable OSALLISUUS_SESSION, if set, is used instead of it.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_SESSION_FILE")]
    pub(crate) session_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: ClientTls,
}

/// By which door to come in.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Door {
    /// Number of the code card.
    #[arg(long, value_name = "NUMBER", conflicts_with = "setup_code")]
    pub(crate) card: Option<String>,
    /// With the code that `osallisuus init` printed, as the first administrator.
    #[arg(long, requires = "name", requires = "tenant")]
    pub(crate) setup_code: bool,
    /// Name of the administrator to show.
    #[arg(long, value_name = "NAME", requires = "setup_code")]
    pub(crate) name: Option<String>,
    /// County of the administrator, by its code.
    #[arg(long, value_name = "CODE", requires = "setup_code")]
    pub(crate) tenant: Option<TenantId>,
}

/// Shows settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Shows every setting in force; secrets are not shown.
    #[command(after_help = "Examples:
  osallisuus config show --data /srv/osallisuus
  osallisuus config show --output json")]
    Show {
        #[command(flatten)]
        installation: Installation,
    },
    /// Prints every setting with its default and what it is for: a settings file to begin with.
    #[command(after_help = "Examples:
  osallisuus config defaults
  osallisuus config defaults > osallisuus.toml")]
    Defaults,
}

/// Shows and settles events that could not be projected.
#[derive(Debug, Subcommand)]
pub(crate) enum ParkedCommand {
    /// Lists them, of one service or all.
    #[command(after_help = "Examples:
  osallisuus parked list
  osallisuus parked list --service forums --output json")]
    List {
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Tries the parked events of one thing again, in order, all or none.
    #[command(after_help = "Examples:
  osallisuus parked redrive --service forums --projection rolls --lane 19 --aggregate 0199a1b2-…")]
    Redrive {
        #[command(flatten)]
        parked: ParkedLane,
        /// Id of the thing, from the list.
        #[arg(long, value_name = "ID")]
        aggregate: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Gives up the first parked event of one thing; those behind it are then tried.
    #[command(after_help = "Examples:
  osallisuus parked dismiss --service forums --projection rolls --lane 19 --seq 41 \\
      --reason \"Election annulled, see case 123/2026\"")]
    Dismiss {
        #[command(flatten)]
        parked: ParkedLane,
        /// Sequence number of the event, from the list.
        #[arg(long)]
        seq: u64,
        /// Why it may be given up; kept with the event.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Where parked events are.
#[derive(Debug, Clone, Args)]
pub(crate) struct ParkedLane {
    /// Service in which they are parked.
    #[arg(long)]
    pub(crate) service: String,
    /// Name of the projection.
    #[arg(long)]
    pub(crate) projection: String,
    /// Lane: county code.
    #[arg(long)]
    pub(crate) lane: String,
}

/// Shows or sets the business clock.
#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Shows the business clock of every service.
    #[command(after_help = "Examples:
  osallisuus clock get
  osallisuus clock get --output json")]
    Get {
        #[command(flatten)]
        remote: Remote,
    },
    /// Sets the business clock of every service.
    #[command(after_help = "Examples:
  osallisuus clock set 2026-04-13T09:00:00+03:00
  osallisuus clock set 2026-04-13              nine in the morning in Finland")]
    Set {
        /// Time as in RFC 3339, or a day.
        time: String,
        #[command(flatten)]
        remote: Remote,
    },
}
