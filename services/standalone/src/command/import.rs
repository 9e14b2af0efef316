//! `import`: a county's register of participants.

use std::path::Path;

use kernel::TenantId;

use crate::cli::Remote;
use crate::demo::Progress;
use crate::exit::{Exit, Failure};
use crate::register::Register;
use crate::screen::Screen;

pub(super) async fn run(
    file: &Path,
    tenant: TenantId,
    remote: &Remote,
    screen: Screen,
) -> Result<Exit, Failure> {
    // First the file: it can be checked without a system, and faults in it come before the lack of a session.
    let register = Register::load(file, tenant, super::today())?;
    let account = remote.account()?;
    let bar = Progress::on(screen).bar("importing", register.rows.len());
    let imported =
        register.send(&account, tenant.as_str(), file, |stored| bar.set_position(stored as u64)).await?;
    bar.finish_and_clear();
    screen.result(&imported, || {
        let (rows, added, updated, unchanged) =
            (imported.rows, imported.added, imported.updated, imported.unchanged);
        format!("{rows} rows: {added} people added, {updated} updated, {unchanged} were there as they are")
    })?;
    Ok(Exit::Done)
}
