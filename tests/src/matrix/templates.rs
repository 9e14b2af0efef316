//! Systems to copy: made once for each database and stage.

use testkit::system::Store;
use tokio::sync::OnceCell;

use crate::place::Place;
use crate::scene::{Scene, Stage};

/// A system at rest, and who may do what in it.
pub struct Template {
    /// The system.
    pub place: Place,
    /// Who may do what.
    pub scene: Scene,
}

/// All templates; each is made when it is first asked for.
#[derive(Default)]
pub struct Templates {
    cells: [OnceCell<Template>; 4],
}

impl Templates {
    /// The system on this database at this stage.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn of(&self, store: Store, stage: Stage) -> anyhow::Result<&Template> {
        let row = if store == Store::Sqlite { 0 } else { 2 };
        let column = if stage == Stage::Founded { 0 } else { 1 };
        let make = async || {
            let (mut place, scene) = Scene::make(store, stage).await?;
            // At rest, so that its streams can be copied.
            place.nats.stop()?;
            Ok(Template { place, scene })
        };
        self.cells[row + column].get_or_try_init(make).await
    }
}
