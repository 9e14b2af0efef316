//! A real mail server in a process of its own, that writes down what it gets.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use membership::mail::{Mailer, Smtp};
use serde_json::Value;
use tempfile::TempDir;

/// The server; ends when dropped.
pub(crate) struct MailServer {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = TempDir::new().unwrap();
        let mut child = Command::new("python3")
            .arg(here.join("tests/it/mail_server.py"))
            .arg(folder.path().join("mail.jsonl"))
            .env("PYTHONPATH", here.join("../../.tools/tests"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3, and ./infra/setup --tests run once");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("a port: has ./infra/setup --tests been run?");
        std::fs::write(folder.path().join("password"), "s3cret\n").unwrap();
        Self { child, port, folder }
    }

    /// The file with the user's password.
    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// The settings with which messages reach it.
    pub(crate) fn settings(&self) -> Smtp {
        Smtp {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: "none".to_owned(),
            user: "notices".to_owned(),
            password_file: self.password_file().display().to_string(),
            from: "Osallisuus <osallisuus@esimerkki.fi>".to_owned(),
        }
    }

    pub(crate) fn mailer(&self) -> Option<Mailer> {
        Mailer::new(&self.settings()).unwrap()
    }

    /// What it got, in order.
    pub(crate) fn got(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("mail.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}
