//! The crash matrix (TST-03): a process dies at every point where one could leave something half done, at the first, the
//! second and a random later passage, on both databases, with clients at work; it is started again, and afterwards
//! everything must be as its clients were told.
//!
//! | module | what it has |
//! | --- | --- |
//! | [`points`] | the points, and what it takes to reach each |
//! | [`cell`] | one death and what comes after it |
//! | [`templates`] | systems to copy, so that no cell has to play an election first |
//! | [`report`] | the table, the JSON, and how to repeat a failure |

pub mod cell;
pub mod points;
pub mod report;
pub mod templates;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use testkit::system::Store;

use cell::Cell;
use points::POINTS;

/// All cells of these databases whose point begins with `prefix`, in an order that spreads like cells over the parts. The
/// third passage of each point is a later one, by the seed.
#[must_use]
pub fn cells(stores: &[Store], prefix: &str, seed: u64) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for point in POINTS {
        // Drawn for every point, so that one alone meets the same passage as all together.
        let later = 3 + random.next_u32() % point.passages.max(3).saturating_sub(2);
        if !point.name.starts_with(prefix) {
            continue;
        }
        for passage in [1, 2, later] {
            cells.extend(stores.iter().map(|store| Cell { point: *point, passage, store: *store }));
        }
    }
    cells
}

/// The cells of part `number` of `parts`, from 1.
#[must_use]
pub fn part(cells: Vec<Cell>, number: usize, parts: usize) -> Vec<Cell> {
    // A part has both databases of its cells, whatever the number of parts.
    let is_mine = |index: usize| (index / 2) % parts == number - 1;
    cells.into_iter().enumerate().filter(|(index, _)| is_mine(*index)).map(|(_, cell)| cell).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_parts_are_the_whole_and_do_not_overlap() {
        let all = cells(&[Store::Sqlite, Store::Postgres], "", 7);
        let name = |cell: &Cell| cell.to_string();
        let parts: Vec<String> =
            (1..=3).flat_map(|number| part(all.clone(), number, 3)).map(|cell| name(&cell)).collect();
        assert_eq!(parts.len(), all.len());
        assert_eq!(parts.into_iter().collect::<BTreeSet<_>>(), all.iter().map(name).collect());
    }

    #[test]
    fn a_point_alone_meets_the_same_passages_as_all_together() {
        let all = cells(&[Store::Sqlite], "", 42);
        for cell in cells(&[Store::Sqlite], "relay.", 42) {
            assert!(all.contains(&cell), "{cell}");
            assert!(cell.passage <= cell.point.passages.max(3), "{cell}");
        }
    }
}
