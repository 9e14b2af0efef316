//! The mail server of notices.

use chassis::Config;
use membership::mail::{Mailer, Settings};

use super::Finding;
use crate::exit::Exit;

/// Whether the mail server answers and lets the program in; None where none is set.
pub(super) async fn server(config: &Config) -> Option<Finding> {
    const WHAT: &str = "mail server";
    let own = config.services.get(membership::SERVICE.name)?;
    let refused = |detail: String, remedy: &str| Finding::fault(WHAT, Exit::Configuration, detail, remedy);
    let settings: Settings = match own.settings() {
        Ok(settings) => settings,
        Err(faults) => return Some(refused(faults.to_string(), "Correct the setting.")),
    };
    let mailer = match Mailer::new(&settings.smtp) {
        Ok(mailer) => mailer?,
        Err(wrong) => {
            let detail = format!("services.membership.{}: {}", wrong.key, wrong.rule);
            return Some(refused(detail, wrong.remedy));
        }
    };
    let address = format!("{}:{}", settings.smtp.host, settings.smtp.port);
    Some(match mailer.check().await {
        Ok(()) => Finding::ok(WHAT, format!("{address} answers")),
        Err(why) => {
            let remedy = "Are host, port, tls, user and password right? Until it answers, notices are in the service only.";
            Finding::fault(WHAT, Exit::Unreachable, format!("{address}: {why}"), remedy)
        }
    })
}
