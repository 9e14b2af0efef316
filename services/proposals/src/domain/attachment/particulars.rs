//! What recordings and documents say besides what is heard or read in them: who made them, when, where and with what. It is
//! not taken out, for that changes what the sender sent; the human who looks at the file is told that it may be there.

use super::MediaType;

/// Bytes that begin such particulars, by kind of file. Those of a PDF may be packed, which says nothing of what is in them.
const MARKS: [(MediaType, &[u8]); 9] = [
    (MediaType::Mp3, b"APETAGEX"),
    (MediaType::M4a, b"udta"),
    (MediaType::M4a, b"meta"),
    (MediaType::Pdf, b"/Author"),
    (MediaType::Pdf, b"/Creator"),
    (MediaType::Pdf, b"/Producer"),
    (MediaType::Pdf, b"/Info"),
    (MediaType::Pdf, b"/Metadata"),
    (MediaType::Pdf, b"/ObjStm"),
];
/// Bytes of the longest mark.
const LONGEST: usize = 9;
/// Where the older tag of an MP3 begins, from the end.
const OLD_TAG: usize = 128;

/// Particulars of a file, looked for as its pieces come in.
#[derive(Debug, Default)]
pub(super) struct Particulars {
    /// The kinds of which a mark was seen.
    seen: Vec<MediaType>,
    /// The last bytes, in which a mark may have begun.
    last: Vec<u8>,
}

impl Particulars {
    /// The next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        let head = &piece[..piece.len().min(LONGEST - 1)];
        let joint: Vec<u8> =
            self.last[self.last.len().saturating_sub(LONGEST - 1)..].iter().chain(head).copied().collect();
        for (kind, mark) in MARKS {
            let is_in = |bytes: &[u8]| bytes.windows(mark.len()).any(|part| part == mark);
            if !self.seen.contains(&kind) && (is_in(&joint) || is_in(piece)) {
                self.seen.push(kind);
            }
        }
        self.last.extend_from_slice(&piece[piece.len().saturating_sub(OLD_TAG)..]);
        self.last.drain(..self.last.len().saturating_sub(OLD_TAG));
    }

    /// Whether a file of this kind may say more than is heard or read in it.
    pub(super) fn are_in(&self, kind: MediaType, beginning: &[u8]) -> bool {
        let has_tag = match kind {
            MediaType::Mp3 => beginning.starts_with(b"ID3") || self.last.starts_with(b"TAG"),
            MediaType::Ogg => has_comments(beginning),
            MediaType::M4a | MediaType::Pdf | MediaType::Png | MediaType::Jpeg | MediaType::WebP => false,
        };
        has_tag || self.seen.contains(&kind)
    }
}

/// Whether the header of comments of an Ogg file has one, besides the name of the program; also where it cannot be read.
fn has_comments(beginning: &[u8]) -> bool {
    let header = [&b"\x03vorbis"[..], b"OpusTags"].into_iter().find_map(|name| {
        let at = beginning.windows(name.len()).position(|part| part == name)?;
        beginning.get(at + name.len()..)
    });
    let number = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let count = header.and_then(|header| number(header, number(header, 0)?.checked_add(4)?));
    count != Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: MediaType, file: &[u8], piece: usize) -> bool {
        let mut particulars = Particulars::default();
        file.chunks(piece).for_each(|piece| particulars.add(piece));
        particulars.are_in(kind, &file[..file.len().min(8192)])
    }

    #[test]
    fn p9_tags_of_recordings_and_particulars_of_documents_are_seen_wherever_a_piece_ends() {
        let sound = vec![7; 500];
        let with = |before: &[u8], after: &[u8]| [before, &sound, after].concat();
        let opus = |count: u8| {
            [&b"OggS OpusHead OggS OpusTags\x03\0\0\0abc"[..], &[count, 0, 0, 0], &sound].concat()
        };
        let old_tag = [&b"TAG"[..], &[b' '; 125]].concat();
        for piece in [1, 2, 5, 64, 1000] {
            for (kind, file, expected) in [
                (MediaType::Mp3, with(b"\xff\xfb", b""), false),
                (MediaType::Mp3, with(b"ID3\x04", b""), true),
                (MediaType::Mp3, with(b"\xff\xfb", &old_tag), true),
                (MediaType::Mp3, with(b"\xff\xfb", b"APETAGEX"), true),
                (MediaType::M4a, with(b"\0\0\0\x1cftypM4A ", b""), false),
                (MediaType::M4a, with(b"\0\0\0\x1cftypM4A ", b"udta\xa9xyz+65.3+25.3/"), true),
                (MediaType::Ogg, opus(0), false),
                (MediaType::Ogg, opus(1), true),
                (MediaType::Pdf, with(b"%PDF-1.7", b"/Type /Page"), false),
                (MediaType::Pdf, with(b"%PDF-1.7", b"/Author (Aino)"), true),
                (MediaType::Png, with(b"\x89PNG", b"/Author"), false),
            ] {
                assert_eq!(found(kind, &file, piece), expected, "{kind:?} in pieces of {piece}: {file:?}");
            }
        }
    }
}
