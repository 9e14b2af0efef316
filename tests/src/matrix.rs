//! The crash matrix (TST-03): a process dies at every point where one could leave something half done, at the first, the
//! second and a random later passage, on both databases, with clients at work; it is started again, and afterwards
//! everything must be as its clients were told. The process says at which point it dies, so no other death is taken for
//! it.
//!
//! | module | what it has |
//! | --- | --- |
//! | [`points`] | the points, and what it takes to reach each |
//! | [`cell`] | one death and what comes after it |
//! | [`held`] | a death between two answers |
//! | [`templates`] | systems to copy, so that no cell has to play an election first |
//! | [`report`] | the table, the JSON, and how to repeat a failure |

pub mod cell;
pub mod held;
pub mod points;
pub mod report;
pub mod templates;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use testkit::system::Store;

use cell::Cell;
use points::POINTS;

/// All cells of these databases whose point begins with `prefix`. The third passage of each point is a later one, by the
/// seed. What cannot happen is no cell: see [`Point::left_out`](points::Point::left_out).
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
        for passage in [1, 2, later].into_iter().filter(|passage| *passage <= point.passages) {
            let stores = stores.iter().filter(|store| point.is_passed_on(**store));
            cells.extend(stores.map(|store| Cell { point: *point, passage, store: *store }));
        }
    }
    cells
}

/// The cells of part `number` of `parts`, from 1. A part has all databases of its cells, and the points that are passed
/// once are in every part: no other passage stands for them.
#[must_use]
pub fn part(cells: Vec<Cell>, number: usize, parts: usize) -> Vec<Cell> {
    let mut mine = Vec::new();
    let (mut groups, mut last) = (0, None);
    for cell in cells {
        let group = (cell.point.name, cell.passage);
        let is_once = cell.point.passages == 1;
        if !is_once && last.replace(group) != Some(group) {
            groups += 1;
        }
        if is_once || groups % parts == number - 1 {
            mine.push(cell);
        }
    }
    mine
}

/// The same cells in an order that begins elsewhere at each turn: what is left over when the time is up is other cells
/// each time.
#[must_use]
pub fn turned(mut cells: Vec<Cell>, turn: usize) -> Vec<Cell> {
    /// Further on by each turn; a third of a part is left over at the most.
    const STEP: usize = 29;
    let by = turn.wrapping_mul(STEP) % cells.len().max(1);
    cells.rotate_left(by);
    cells
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_parts_are_the_whole_of_like_size_and_share_only_what_is_passed_once() {
        let all = cells(&[Store::Sqlite, Store::Postgres], "", 7);
        let name = |cell: &Cell| cell.to_string();
        let parts: Vec<Vec<Cell>> = (1..=3).map(|number| part(all.clone(), number, 3)).collect();
        let together: BTreeSet<String> = parts.iter().flatten().map(name).collect();
        assert_eq!(together, all.iter().map(name).collect());
        let once = all.iter().filter(|cell| cell.point.passages == 1).count();
        assert_eq!(once, 10, "five points on two databases");
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), all.len() + 2 * once);
        let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert!(sizes.iter().max() <= sizes.iter().min().map(|least| least + 2).as_ref(), "{sizes:?}");
    }

    #[test]
    fn another_turn_begins_elsewhere_and_forgets_nothing() {
        let all = cells(&[Store::Sqlite], "", 7);
        let names = |cells: &[Cell]| cells.iter().map(ToString::to_string).collect::<Vec<_>>();
        let firsts: BTreeSet<String> =
            (0..5).map(|turn| names(&turned(all.clone(), turn)).remove(0)).collect();
        assert_eq!(firsts.len(), 5);
        let (mut turned, mut all) = (names(&turned(all.clone(), 4)), names(&all));
        turned.sort_unstable();
        all.sort_unstable();
        assert_eq!(turned, all);
    }

    #[test]
    fn what_cannot_happen_is_no_cell_and_is_said_once() {
        let all = cells(&[Store::Sqlite, Store::Postgres], "", 7);
        assert!(
            all.iter().all(|cell| cell.passage <= cell.point.passages && cell.point.is_passed_on(cell.store))
        );
        let left_out: Vec<String> = POINTS.iter().filter_map(points::Point::left_out).collect();
        assert_eq!(left_out.len(), 6, "{left_out:?}");
    }

    #[test]
    fn a_point_alone_meets_the_same_passages_as_all_together() {
        let all = cells(&[Store::Sqlite], "", 42);
        for cell in cells(&[Store::Sqlite], "relay.", 42) {
            assert!(all.contains(&cell), "{cell}");
        }
    }
}
