//! Backups that are not put back, and commands that are not done, because somebody would lose something by them: refused
//! before anything is changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use testkit::system::Store;

use super::{Ended, begin, here};
use crate::support::dump::Table;
use crate::support::world::World;
use crate::system::charter;

/// A system that stands still, and a backup of it with its secrets.
struct Still {
    world: World,
    folder: PathBuf,
    before: Vec<Table>,
}

impl Still {
    async fn new() -> Self {
        let mut world = World::start(Store::Sqlite, &["19"]).await;
        let play = begin(&world).await;
        play.administrator.forums().found_forum(charter("Ensimmäinen")).await.expect("founded");
        world.rest().await;
        let folder = world.folder().join("backup");
        here(world.settings(), &["backup", &folder.display().to_string(), "--with-secrets"]).json(0);
        let before = world.tables().await;
        Self { world, folder, before }
    }

    fn restore(&self, more: &[&str]) -> Ended {
        let folder = self.folder.display().to_string();
        let arguments = [&["restore", folder.as_str(), "--replace"], more].concat();
        here(self.world.settings(), &arguments)
    }

    /// That it is refused, and nothing is changed.
    #[track_caller]
    fn refused(&self, more: &[&str], code: i32, says: &str) {
        self.restore(more).refused(code, says);
        for mark in ["forums.sqlite.unfinished-restore", "forums.sqlite.restoring"] {
            assert!(!self.world.folder().join(mark).exists(), "{mark} is left");
        }
    }

    async fn is_as_before(&self) {
        assert_eq!(self.world.tables().await, self.before);
    }

    /// Changes something in the manifest.
    fn doctor(&self, change: impl FnOnce(&mut Value)) {
        let file = self.folder.join("manifest.json");
        let mut manifest = read(&file);
        change(&mut manifest);
        std::fs::write(file, manifest.to_string()).expect("written");
    }

    fn copy_of(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.copy"))
    }
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON")
}

fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().expect("sha256sum");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().next().expect("a sum").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_nothing_is_touched() {
    let still = Still::new().await;
    let file = still.copy_of("forums");
    let whole = std::fs::read(&file).expect("the copy");
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    still.refused(&[], 1, "SHA-256");

    // A copy that is what the manifest says, but whose log is not whole.
    std::fs::write(&file, whole).expect("written");
    let copy = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.expect("the copy");
    copy.execute_unprepared("UPDATE event_log SET correlation_id = 'forged' WHERE seq = 1")
        .await
        .expect("forged");
    copy.close().await.expect("closed");
    let sum = sha256(&file);
    let of_forums = |manifest: &mut Value| -> usize {
        let copies = manifest["services"].as_array().expect("copies");
        copies.iter().position(|copy| copy["service"] == "forums").expect("a copy")
    };
    still.doctor(|manifest| {
        let place = of_forums(manifest);
        manifest["services"][place]["sha256"] = sum.into();
    });
    still.refused(&[], 1, "its log is broken");
    // One that ends elsewhere than the manifest says.
    still.doctor(|manifest| {
        let place = of_forums(manifest);
        manifest["services"][place]["lanes"][0]["seq"] = 77.into();
    });
    still.refused(&[], 1, "does not end where the manifest says");
    still.doctor(|manifest| manifest["version"] = "99.1.0".into());
    still.refused(&[], 5, "version 99.1.0 made the backup");
    still.is_as_before().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_log_is_broken_is_not_backed_up() {
    let still = Still::new().await;
    let (_, url) = still.world.databases().iter().find(|(service, _)| *service == "forums").expect("forums");
    let database = sea_orm::Database::connect(url).await.expect("the database");
    database.execute_unprepared("UPDATE event_log SET correlation_id = 'forged'").await.expect("forged");
    database.close().await.expect("closed");
    let folder = still.world.folder().join("another");
    let name = folder.display().to_string();
    here(still.world.settings(), &["backup", &name]).refused(1, "its log is broken");
    assert!(!folder.exists() && !Path::new(&format!("{name}.partial")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_others_than_those_of_the_backup_are_refused() {
    let still = Still::new().await;
    let key = still.world.folder().join("secrets").join("forums.key");
    let manifest = std::fs::read_to_string(still.folder.join("manifest.json")).expect("the manifest");
    let secret = std::fs::read_to_string(&key).expect("a secret");
    assert!(!manifest.contains(secret.trim()), "the manifest holds no secret");

    // A new installation has made one.
    let away = key.with_extension("away");
    std::fs::rename(&key, &away).expect("moved");
    std::fs::write(&key, "7a".repeat(32)).expect("another");
    still.refused(&[], 5, "others than those of the backup: forums.key");
    still.refused(&["--with-secrets"], 5, "others than those of the backup: forums.key");
    // The one in the backup is damaged, or not there.
    std::fs::remove_file(&key).expect("removed");
    let kept = still.folder.join("secrets").join("forums.key");
    let whole = std::fs::read(&kept).expect("a secret");
    std::fs::write(&kept, "7a".repeat(32)).expect("damaged");
    still.refused(&["--with-secrets"], 5, "not what its manifest says: forums.key");
    std::fs::remove_file(&kept).expect("removed");
    still.refused(&["--with-secrets"], 5, "that the backup does not have: forums.key");
    assert!(!key.exists());
    still.is_as_before().await;

    std::fs::write(&kept, whole).expect("written");
    still.restore(&["--with-secrets"]).json(0);
    assert_eq!(std::fs::read(&key).expect("it is back"), std::fs::read(&away).expect("as it was"));
}

#[tokio::test(flavor = "multi_thread")]
async fn membership_is_not_restored_without_those_who_name_people_by_its_references() {
    let still = Still::new().await;
    still.refused(&["--service", "membership"], 5, "membership is not restored without forums");
    still.is_as_before().await;
    let two = ["--service", "membership", "--service", "forums"];
    still.refused(&two, 5, "membership is not restored without proposals");
    still.is_as_before().await;
    still.restore(&[two.as_slice(), &["--service", "proposals"]].concat()).json(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_than_the_owner_of_the_data_folder_is_refused() {
    let still = Still::new().await;
    let folder = still.world.folder();
    let owned = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(folder, Some(65534), None).expect("given to another");
        folder
    } else {
        // Of root, and everybody may write there: otherwise the settings are refused already.
        Path::new("/tmp")
    };
    let another = folder.join("another").display().to_string();
    for arguments in [vec!["backup", &another], vec!["restore", &another], vec!["new-epoch"]] {
        let mut command = super::command(&arguments);
        command.arg("--config").arg(still.world.settings());
        command.env("OSALLISUUS_DATA_DIR", owned);
        Ended::of(command).refused(5, "runuser -u ");
    }
    assert!(!Path::new(&another).exists());
}
