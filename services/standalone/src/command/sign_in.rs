//! `sign-in` and `sign-out`.

use std::io::{self, BufRead, IsTerminal};

use crate::cli::{Door, Remote};
use crate::client::SavedSession;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) async fn sign_in(door: &Door, remote: &Remote, screen: Screen) -> Result<Exit, Failure> {
    let file = remote.session_file().ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no home folder to keep the session in")
            .remedy("Name a file: --session-file")
    })?;
    let server = remote.server()?;
    let code = read_code(screen)?;
    let account = match (&door.card, &door.name, &door.tenant) {
        (Some(card), ..) => server.sign_in_with_card(card, &code).await?,
        (None, Some(name), Some(tenant)) => server.redeem_setup_code(&code, name, tenant.as_str()).await?,
        _ => return Err(Failure::new(Exit::Usage, "name a card, or a setup code with name and county")),
    };
    let session = account.session().unwrap_or_default().to_owned();
    let before = remote.saved()?;
    let tls = remote.tls(before.as_ref()).absolute();
    SavedSession { server: remote.addresses(before.as_ref()), session, tls }.save(&file)?;
    let value = serde_json::json!({ "session_file": file });
    screen.result(&value, || format!("Signed in. The session is kept in {}.", file.display()))?;
    Ok(Exit::Done)
}

pub(super) async fn sign_out(remote: &Remote, screen: Screen) -> Result<Exit, Failure> {
    if remote.saved()?.is_some() {
        remote.account()?.sign_out().await?;
    }
    if let Some(file) = remote.session_file() {
        SavedSession::remove(&file)?;
    }
    screen.result(&serde_json::json!({}), || "Signed out.".to_owned())?;
    Ok(Exit::Done)
}

/// The code from standard input; on a terminal it is asked for. A code works once, so nothing is lost by its echo.
fn read_code(screen: Screen) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        screen.note("Code:");
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let code = line.trim();
    if code.is_empty() {
        return Err(
            Failure::new(Exit::Usage, "the code is missing").remedy("Type it, or send it to standard input.")
        );
    }
    Ok(code.to_owned())
}
