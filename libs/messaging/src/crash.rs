//! Places where a test lets the process die (TST-03).
//!
//! `FAILPOINTS` names a point and the passage at which it kills, in the words of the crate `fail`:
//! `FAILPOINTS='writer.after_commit=1*off->1*return'` dies at the second passage. With `FAILPOINTS_AFTER` naming a file,
//! passages count from when that file exists, so that a process can be brought under load before it dies. With
//! `FAILPOINTS_TOLD` naming a file, the point at which it dies is written there first: whoever planned it can tell that
//! death from any other.
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

/// Passes a point after which something must be seen from outside before the process ends: in a debug build that was
/// told so, the task stands here for good while the others go on, what `tell` says is written behind the point's name,
/// and whoever planned it ends the process.
#[inline]
pub async fn hold(name: &'static str, tell: impl FnOnce() -> String) {
    #[cfg(debug_assertions)]
    armed::hold(name, tell).await;
    #[cfg(not(debug_assertions))]
    let _ = (name, tell);
}

/// Does a part of the writer's work. Its points in there are passed only if a client's command is at stake, which the
/// machinery's own marks and watermarks are not.
#[inline]
pub async fn at_stake<T>(is_so: bool, work: impl Future<Output = T>) -> T {
    #[cfg(debug_assertions)]
    {
        armed::AT_STAKE.scope(is_so, work).await
    }
    #[cfg(not(debug_assertions))]
    {
        let _ = is_so;
        work.await
    }
}

/// Whether the process is to end at this point: then what must have left it by then is seen off.
#[inline]
pub fn is_planned(name: &'static str) -> bool {
    #[cfg(debug_assertions)]
    {
        armed::is_planned(name)
    }
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        false
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Set if the environment names a point.
    struct Plan {
        /// What the environment says.
        text: String,
        /// Passages count once this exists.
        after: Option<PathBuf>,
        is_armed: AtomicBool,
        /// Where the death is told.
        told: Option<PathBuf>,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

    tokio::task_local! {
        /// Whether a client's command is at stake; not set where that is not asked.
        pub(super) static AT_STAKE: bool;
    }

    pub(super) fn pass(name: &'static str) {
        if name.starts_with("writer.") && AT_STAKE.try_with(|is_so| *is_so) == Ok(false) {
            return;
        }
        if let Some(plan) = armed() {
            // Not fail's own panic: the runtime would catch that and go on.
            fail::eval(name, |_| plan.die(name));
        }
    }

    pub(super) async fn hold(name: &'static str, tell: impl FnOnce() -> String) {
        let Some(plan) = armed() else { return };
        if fail::eval(name, |_| ()).is_some() {
            plan.tell(&format!("{name}\n{}", tell()));
            std::future::pending().await
        }
    }

    pub(super) fn is_planned(name: &'static str) -> bool {
        armed().is_some_and(|plan| plan.text.split(';').any(|one| one.split('=').next() == Some(name)))
    }

    /// The plan, if passages count by now.
    fn armed() -> Option<&'static Plan> {
        PLAN.get_or_init(read).as_ref().filter(|plan| plan.is_armed())
    }

    fn read() -> Option<Plan> {
        let text = std::env::var("FAILPOINTS").ok()?;
        // Dropping it would take the points back.
        std::mem::forget(fail::FailScenario::setup());
        let file = |name| std::env::var_os(name).map(PathBuf::from);
        let (after, told) = (file("FAILPOINTS_AFTER"), file("FAILPOINTS_TOLD"));
        Some(Plan { text, is_armed: AtomicBool::new(after.is_none()), after, told })
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

        fn tell(&self, what: &str) {
            // Nobody is told if it cannot be written, and whoever waits for it says so. Whole or not at all.
            if let Some(file) = &self.told {
                let new = file.with_extension("new");
                let _ = std::fs::write(&new, what).and_then(|()| std::fs::rename(&new, file));
            }
        }

        fn die(&self, name: &str) {
            self.tell(name);
            // The signal arrives before the call returns; should it not, this ends the process all the same.
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
    }
}
