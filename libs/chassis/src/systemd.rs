//! What a service manager is told: that the process has started, how it is, that it stops. Without one
//! (`NOTIFY_SOCKET`) nothing is.

use sd_notify::NotifyState;

/// It listens, and its databases are migrated.
pub(crate) fn started() {
    tell(&NotifyState::Ready);
}

/// How it is, in a sentence, for `systemctl status`.
pub(crate) fn status(sentence: &str) {
    tell(&NotifyState::Status(sentence));
}

/// It was asked to end and drains.
pub(crate) fn stopping() {
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
