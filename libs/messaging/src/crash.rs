//! Places where a test lets the process die (TST-03).
//!
//! `FAILPOINTS` names a point and the passage at which it kills, in the words of the crate `fail`:
//! `FAILPOINTS='writer.after_commit=1*off->1*return'` dies at the second passage. With `FAILPOINTS_AFTER` naming a file,
//! passages count from when that file exists, so that a process can be brought under load before it dies.
//!
//! Builds without debug assertions, which are those that are installed, have nothing of this.

/// Passes the point called `name`; in a debug build that was told so, the process ends here at once, as `kill -9` does.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Set if the environment names a point.
    struct Plan {
        /// Passages count once this exists.
        after: Option<PathBuf>,
        is_armed: AtomicBool,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

    pub(super) fn pass(name: &'static str) {
        let Some(plan) = PLAN.get_or_init(read) else { return };
        if plan.is_armed() {
            // Not fail's own panic: the runtime would catch that and go on.
            fail::eval(name, |_| die());
        }
    }

    fn read() -> Option<Plan> {
        std::env::var_os("FAILPOINTS")?;
        // Dropping it would take the points back.
        std::mem::forget(fail::FailScenario::setup());
        let after = std::env::var_os("FAILPOINTS_AFTER").map(PathBuf::from);
        Some(Plan { is_armed: AtomicBool::new(after.is_none()), after })
    }

    impl Plan {
        fn is_armed(&self) -> bool {
            if self.is_armed.load(Ordering::Relaxed) {
                return true;
            }
            let is_armed = self.after.as_ref().is_none_or(|file| file.exists());
            self.is_armed.fetch_or(is_armed, Ordering::Relaxed);
            is_armed
        }
    }

    fn die() {
        // The signal arrives before the call returns; should it not, this ends the process all the same.
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort();
    }
}
