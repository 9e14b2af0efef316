//! What a process uses of the machine, from `/proc`.

use std::fs;

use anyhow::Context;

/// Ticks in a second of what `/proc` tells; the same on all machines that we build for.
const TICKS: f64 = 100.0;

/// Processor time and memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Use {
    /// Processor time since its start, seconds.
    pub cpu: f64,
    /// Memory that it holds, shared libraries and mapped files included, bytes.
    pub resident: u64,
    /// The part of it that no other process shares and no file backs, bytes.
    pub own: u64,
}

impl Use {
    /// Of the process with this number.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name stands in parentheses and may hold spaces; user and system time are fields 14 and 15.
        let fields: Vec<&str> =
            stat.rsplit_once(") ").context("a name in parentheses")?.1.split_whitespace().collect();
        let ticks = |index: usize| -> anyhow::Result<f64> {
            Ok(fields.get(index).context("a field of /proc/PID/stat")?.parse::<u32>()?.into())
        };
        let cpu = (ticks(11)? + ticks(12)?) / TICKS;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = |name: &str| -> anyhow::Result<u64> {
            let found = status.lines().find_map(|line| line.strip_prefix(name)).context("a line")?;
            Ok(found.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
        };
        Ok(Self { cpu, resident: line("VmRSS:")?, own: line("RssAnon:")? })
    }
}

/// The processes of this name that the one with this number has started.
///
/// # Errors
/// If the kernel does not tell.
pub fn children(pid: u32, name: &str) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let listed = fs::read_to_string(task?.path().join("children"))?;
        for child in listed.split_whitespace() {
            // It may have ended since.
            let called = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            if called.trim() == name {
                found.push(child.parse()?);
            }
        }
    }
    Ok(found)
}
