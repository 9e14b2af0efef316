//! What group commit is worth. Not a test: run it with `--run-ignored only` and read what it prints.

use std::sync::Arc;
use std::time::Instant;

use crate::support::{ENGINES, Note, Place, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn commands_a_second_by_batch() {
    const CLIENTS: usize = 256;
    const EACH: usize = 20;
    for engine in ENGINES {
        for batch in [1, 8, 48, 128] {
            let place = Place::new(engine).await;
            let world = Arc::new(World::open_with(&place, |settings| settings.max_batch = batch).await);
            world.add("warm", Note::new("warm")).await.unwrap();
            let began = Instant::now();
            let clients = (0..CLIENTS).map(|client| {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    for n in 0..EACH {
                        let id = format!("{client}-{n}");
                        world.add(&id, Note::new(&id)).await.unwrap();
                    }
                })
            });
            for client in futures::future::join_all(clients).await {
                client.unwrap();
            }
            let rate = f64::from(u32::try_from(CLIENTS * EACH).unwrap()) / began.elapsed().as_secs_f64();
            println!("{engine:?}, batch of at most {batch}: {rate:.0} commands/s");
        }
    }
}
