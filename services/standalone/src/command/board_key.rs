//! `board-key`: the key pair of an election board.

use std::path::Path;

use data_encoding::HEXLOWER;
use kernel::Ids;

use crate::board_key::BoardKey;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(file: &Path, screen: Screen) -> Result<Exit, Failure> {
    let pair = BoardKey::generate(&Ids::system());
    pair.save(file)?;
    let public = HEXLOWER.encode(&pair.public());
    let value = serde_json::json!({ "public_key": public, "file": file });
    screen.result(&value, || {
        format!(
            "{public}\n\nThis is the public key, for announcing the election. The private key is in {}: keep it with \
             the board.",
            file.display()
        )
    })?;
    Ok(Exit::Done)
}
