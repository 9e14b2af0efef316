//! The operation journal: what a client did and was answered, in its own words, kept outside of the system.
//!
//! A text file of JSON, a record a line. A call that changes something leaves one record when it is sent and one when it
//! is answered; one without the second is *unknown*: the client died, or never heard. A retry is a call of its own
//! with the same idempotency key. The file holds no request and no reply, only what recognises them; but who cast a
//! ballot when stands in it, so it is for systems whose people are invented.
//!
//! ```text
//! {"at":"opened","format":1,"boot":"9f0c…"}
//! {"at":"invoked","op":1,"service":"forums","rpc":"/osallisuus.forums.v1.ForumsService/FoundForum",
//!  "principal":"person:0199…","key":"0199…","mono_us":81723,"wall_us":1774949000123456}
//! {"at":"answered","op":1,"outcome":"ok","reply":"<SHA-256 of the reply's bytes>","mono_us":83011,"wall_us":…}
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Clock as _, SystemClock};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

/// Version of the format.
const FORMAT: u32 = 1;
/// Records that may wait to be written; callers then wait too.
const QUEUE: usize = 4096;
/// Records written with one call of the operating system.
const AT_ONCE: usize = 512;
/// Where Linux tells one start of the machine from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    Opened {
        /// Version of the format.
        format: u32,
        /// Which start of the machine the monotonic times count from; times of different ones cannot be compared.
        boot: String,
    },
    /// A call is about to be sent.
    Invoked(Invoked),
    /// It was answered, or will not be.
    Answered(Answered),
}

/// A call that changes something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Service that is called.
    pub service: String,
    /// gRPC path.
    pub rpc: String,
    /// Who calls, as the service's writer knows them: `person:<reference>`, `service:<name>` or `anonymous`.
    pub principal: String,
    /// Idempotency key.
    pub key: String,
}

/// A call with its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoked {
    /// Number in this journal.
    pub op: u64,
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// Time since the machine started, microseconds.
    pub mono_us: i64,
    /// Time of day, microseconds since 1970 UTC; for people.
    pub wall_us: i64,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Number of the call in this journal.
    pub op: u64,
    /// What is known of its effect.
    pub outcome: Outcome,
    /// The server's stable code of a refusal, or the gRPC code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// SHA-256 of the reply's bytes in hexadecimal digits, if it is ok.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reply: String,
    /// Time since the machine started, microseconds.
    pub mono_us: i64,
    /// Time of day, microseconds since 1970 UTC; for people.
    pub wall_us: i64,
}

/// What a client knows of a call's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged: it is stored.
    Ok,
    /// Refused: nothing is stored.
    Rejected,
    /// No answer, or one that does not tell.
    Unknown,
}

impl Outcome {
    /// The name in journals and verdicts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// Writes a journal. Clones write to the same file, through a thread of its own.
#[derive(Debug, Clone)]
pub struct Journal {
    lines: mpsc::Sender<Line>,
    next: Arc<AtomicU64>,
}

enum Line {
    Record(Record),
    Flush(oneshot::Sender<io::Result<()>>),
}

impl Journal {
    /// Begins a new journal.
    ///
    /// # Errors
    /// If there is such a file already, or it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::options().write(true).create_new(true).open(path)?;
        let boot = std::fs::read_to_string(BOOT_ID).unwrap_or_default().trim().to_owned();
        write(&mut file, &[Record::Opened { format: FORMAT, boot }])?;
        let (lines, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || keep(&mut file, queue))?;
        Ok(Self { lines, next: Arc::new(AtomicU64::new(1)) })
    }

    /// Notes that a call is about to be sent; gives its number.
    pub async fn invoked(&self, call: Call) -> u64 {
        let op = self.next.fetch_add(1, Ordering::Relaxed);
        self.put(Record::Invoked(Invoked { op, call, mono_us: monotonic(), wall_us: wall() })).await;
        op
    }

    /// Notes how a call ended; `reply` is the SHA-256 of an ok reply in hexadecimal digits.
    pub async fn answered(&self, op: u64, outcome: Outcome, code: String, reply: String) {
        let (mono_us, wall_us) = (monotonic(), wall());
        self.put(Record::Answered(Answered { op, outcome, code, reply, mono_us, wall_us })).await;
    }

    /// Waits until all that was noted before is in the file. What is counted as acknowledged is counted after this.
    ///
    /// # Errors
    /// If something could not be written.
    pub async fn flush(&self) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        let ended = || io::Error::other("the journal cannot be written any more");
        self.lines.send(Line::Flush(done)).await.map_err(|_| ended())?;
        written.await.map_err(|_| ended())?
    }

    async fn put(&self, record: Record) {
        // A journal that cannot be written says so in `flush`.
        let _ = self.lines.send(Line::Record(record)).await;
    }
}

/// Microseconds since the machine started.
fn monotonic() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

fn wall() -> i64 {
    SystemClock.now().as_micros()
}

/// Writes whatever has gathered, until the last clone is dropped. After a failure nothing more is written.
fn keep(file: &mut File, mut queue: mpsc::Receiver<Line>) {
    let mut failed: Option<io::ErrorKind> = None;
    while let Some(first) = queue.blocking_recv() {
        let mut records = Vec::new();
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(line) = next {
            match line {
                Line::Record(record) => records.push(record),
                Line::Flush(done) => waiting.push(done),
            }
            next = if records.len() < AT_ONCE { queue.try_recv().ok() } else { None };
        }
        if failed.is_none() {
            failed = write(file, &records).err().map(|error| error.kind());
        }
        for done in waiting {
            let _ = done.send(failed.map_or(Ok(()), |kind| Err(kind.into())));
        }
    }
}

fn write(file: &mut File, records: &[Record]) -> io::Result<()> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record)?;
        text.push(b'\n');
    }
    file.write_all(&text)
}

/// A call as a journal tells of it, from both of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Line of the first record, from 1.
    pub line: u64,
    /// Which start of the machine its times count from.
    pub boot: Arc<str>,
    /// The call.
    pub call: Call,
    /// When it was sent, microseconds since the machine started.
    pub invoked_us: i64,
    /// The time of day then, microseconds since 1970 UTC.
    pub wall_us: i64,
    /// When it was answered; None if it was not.
    pub answered_us: Option<i64>,
    /// What is known of its effect.
    pub outcome: Outcome,
    /// Code of a refusal.
    pub code: String,
    /// SHA-256 of the reply, in hexadecimal digits.
    pub reply: String,
}

/// Reads a journal, call by call as they were answered; those without an answer come last. Keeps no more than the calls
/// that wait for theirs. A last line that was cut off, because its writer was killed, is passed over.
///
/// # Errors
/// If the file cannot be read, a line is no record, or `each` fails.
pub async fn read<E: From<io::Error>>(
    path: &Path,
    mut each: impl AsyncFnMut(Operation) -> Result<(), E>,
) -> Result<(), E> {
    let mut lines = BufReader::new(File::open(path)?);
    let mut open: HashMap<u64, (u64, Arc<str>, Invoked)> = HashMap::new();
    let mut boot: Arc<str> = Arc::from("");
    let (mut number, mut line) = (0, String::new());
    loop {
        line.clear();
        number += 1;
        if lines.read_line(&mut line)? == 0 {
            break;
        }
        let record = match serde_json::from_str(&line) {
            Ok(record) => record,
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => return Err(malformed(path, number, &error.to_string()).into()),
        };
        match record {
            Record::Opened { format: FORMAT, boot: id } => boot = id.into(),
            Record::Opened { format, .. } => {
                return Err(malformed(path, number, &format!("format {format} is not known")).into());
            }
            Record::Invoked(invoked) => {
                open.insert(invoked.op, (number, Arc::clone(&boot), invoked));
            }
            Record::Answered(answered) => {
                let Some((line, boot, invoked)) = open.remove(&answered.op) else {
                    return Err(malformed(path, number, "an answer to no open call").into());
                };
                each(Operation::new(line, boot, invoked, Some(answered))).await?;
            }
        }
    }
    let mut left: Vec<_> = open.into_values().collect();
    left.sort_by_key(|(line, ..)| *line);
    for (line, boot, invoked) in left {
        each(Operation::new(line, boot, invoked, None)).await?;
    }
    Ok(())
}

impl Operation {
    fn new(line: u64, boot: Arc<str>, invoked: Invoked, answered: Option<Answered>) -> Self {
        let Invoked { call, mono_us: invoked_us, wall_us, .. } = invoked;
        let unanswered = Self {
            line,
            boot,
            call,
            invoked_us,
            wall_us,
            answered_us: None,
            outcome: Outcome::Unknown,
            code: String::new(),
            reply: String::new(),
        };
        match answered {
            None => unanswered,
            Some(Answered { outcome, code, reply, mono_us, .. }) => {
                Self { answered_us: Some(mono_us), outcome, code, reply, ..unanswered }
            }
        }
    }
}

fn malformed(path: &Path, line: u64, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}, line {line}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str) -> Call {
        Call {
            service: "forums".into(),
            rpc: "/osallisuus.forums.v1.ForumsService/FoundForum".into(),
            principal: "person:1".into(),
            key: key.into(),
        }
    }

    async fn all(path: &Path) -> io::Result<Vec<Operation>> {
        let mut operations = Vec::new();
        read(path, async |operation| {
            operations.push(operation);
            Ok::<(), io::Error>(())
        })
        .await?;
        Ok(operations)
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_what_has_no_answer_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::create(&path).unwrap();
        let first = journal.invoked(call("a")).await;
        journal.invoked(call("b")).await;
        let third = journal.invoked(call("c")).await;
        journal.answered(third, Outcome::Rejected, "forums.no".into(), String::new()).await;
        journal.answered(first, Outcome::Ok, String::new(), "00ff".into()).await;
        journal.flush().await.unwrap();
        assert_eq!(Journal::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);

        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str(r#"{"at":"answered","op":2,"outc"#);
        std::fs::write(&path, text).unwrap();
        let read = all(&path).await.unwrap();
        let told: Vec<_> = read.iter().map(|one| (one.line, one.call.key.as_str(), one.outcome)).collect();
        assert_eq!(told, [(4, "c", Outcome::Rejected), (2, "a", Outcome::Ok), (3, "b", Outcome::Unknown)]);
        assert_eq!((read[0].code.as_str(), read[1].reply.as_str()), ("forums.no", "00ff"));
        assert!(read[1].answered_us.unwrap() >= read[1].invoked_us && read[2].answered_us.is_none());
    }

    #[tokio::test]
    async fn a_line_that_is_no_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "{\"at\":\"opened\",\"format\":1,\"boot\":\"\"}\nnonsense\n").unwrap();
        assert!(all(&path).await.unwrap_err().to_string().contains("line 2"));
        std::fs::write(&path, "{\"at\":\"opened\",\"format\":9,\"boot\":\"\"}\n").unwrap();
        assert!(all(&path).await.unwrap_err().to_string().contains("format 9"));
    }
}
