use proptest::prelude::*;

use super::*;

/// Words that must not be left in a picture.
const SECRET: &[u8] = b"GPS 65.3175 25.3715";

fn jpeg_segment(marker: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], length.as_slice(), contents].concat()
}

/// A JPEG as phones make them: with EXIF that says which side is up and where, a comment, a colour profile, a scan with a
/// byte that looks like a mark, and a film behind the picture.
fn photo(orientation: u8) -> Vec<u8> {
    let directory = [b"\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat();
    let exif = [b"Exif\0\0MM\0*\0\0\0\x08".as_slice(), &directory, SECRET].concat();
    [
        vec![0xFF, 0xD8],
        jpeg_segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        jpeg_segment(0xE1, &exif),
        jpeg_segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0".as_slice(), SECRET].concat()),
        jpeg_segment(0xE2, b"ICC_PROFILE\0\x01\x01profile"),
        jpeg_segment(0xFE, SECRET),
        jpeg_segment(0xDB, &[0; 65]),
        jpeg_segment(0xDA, &[1, 1, 0, 0, 63, 0]),
        vec![1, 2, 0xFF, 0x00, 3, 0xFF, 0xD0, 4],
        jpeg_segment(0xC4, &[0xFF, 0xD9, 7]),
        jpeg_segment(0xDA, &[1, 1, 0, 0, 63, 0]),
        vec![5, 6],
        vec![0xFF, 0xD9],
        b"film ".to_vec(),
        SECRET.to_vec(),
    ]
    .concat()
}

fn png_chunk(kind: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    use img_parts::png::PngChunk;
    PngChunk::new(*kind, bytes::Bytes::copy_from_slice(contents)).encoder().bytes().to_vec()
}

fn png() -> Vec<u8> {
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
        png_chunk(b"tEXt", SECRET),
        png_chunk(b"eXIf", SECRET),
        png_chunk(b"tIME", SECRET),
        png_chunk(b"IDAT", b"picture"),
        png_chunk(b"IEND", b""),
        SECRET.to_vec(),
    ]
    .concat()
}

fn webp() -> Vec<u8> {
    let chunk = |id: &[u8; 4], contents: &[u8]| {
        let length = u32::try_from(contents.len()).unwrap().to_le_bytes();
        [id.as_slice(), &length, contents, &[0][..contents.len() % 2]].concat()
    };
    let announced = [0b0000_1100_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let chunks = [
        chunk(b"VP8X", &announced),
        chunk(b"VP8L", b"picture!"),
        chunk(b"EXIF", SECRET),
        chunk(b"XMP ", SECRET),
    ]
    .concat();
    let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", &chunks].concat()
}

fn holds(file: &[u8], part: &[u8]) -> bool {
    file.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_file_is_what_its_bytes_say() {
    let kinds: [(&[u8], MediaType); 9] = [
        (b"\x89PNG\r\n\x1a\n....", MediaType::Png),
        (b"\xff\xd8\xff\xe0....", MediaType::Jpeg),
        (b"RIFF\x10\0\0\0WEBPVP8 ", MediaType::WebP),
        (b"OggS\0\x02......", MediaType::Ogg),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", MediaType::Ogg),
        (b"ID3\x04\0......", MediaType::Mp3),
        (b"\xff\xfb\x90\x64....", MediaType::Mp3),
        (b"\0\0\0\x20ftypM4A ....", MediaType::M4a),
        (b"%PDF-1.7\n....", MediaType::Pdf),
    ];
    for (bytes, kind) in kinds {
        assert_eq!(MediaType::of(bytes).ok(), Some(kind), "{bytes:?}");
    }
    let refused: [&[u8]; 7] = [
        b"",
        b"GIF89a....",
        b"MZ......",
        b"<svg xmlns=",
        b"<!DOCTYPE html><script>",
        b"PK\x03\x04....",
        b"hello",
    ];
    for bytes in refused {
        assert_eq!(MediaType::of(bytes).unwrap_err().code(), "proposals.media_type", "{bytes:?}");
    }
}

#[test]
fn p9_a_photo_keeps_which_side_is_up_and_its_colours_and_loses_where_it_was_taken() {
    let plain = without_metadata(MediaType::Jpeg, photo(6)).unwrap();
    assert!(!holds(&plain, b"GPS") && !holds(&plain, b"film") && !holds(&plain, b"adobe"));
    assert!(holds(&plain, b"ICC_PROFILE") && holds(&plain, b"JFIF"));
    assert!(plain.ends_with(&[5, 6, 0xFF, 0xD9]), "the whole picture, both scans, and nothing behind it");
    assert!(
        holds(&plain, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"),
        "which side is up"
    );
    assert_eq!(without_metadata(MediaType::Jpeg, plain.clone()).unwrap(), plain, "nothing more to take out");
    assert!(!holds(&without_metadata(MediaType::Jpeg, photo(1)).unwrap(), b"Exif"), "up is up");
}

#[test]
fn p9_other_pictures_lose_their_hidden_data_too() {
    let plain = without_metadata(MediaType::Png, png()).unwrap();
    assert!(!holds(&plain, b"GPS") && holds(&plain, b"picture") && holds(&plain, b"IHDR"));
    assert_eq!(without_metadata(MediaType::Png, plain.clone()).unwrap(), plain);
    let plain = without_metadata(MediaType::WebP, webp()).unwrap();
    assert!(!holds(&plain, b"GPS") && holds(&plain, b"picture!"));
    assert_eq!(plain[20], 0, "nothing is announced that is not there");
    assert_eq!(without_metadata(MediaType::WebP, plain.clone()).unwrap(), plain);
}

#[test]
fn a_picture_that_breaks_off_is_refused_and_other_files_stay_as_they_are() {
    for (kind, picture) in [(MediaType::Jpeg, photo(1)), (MediaType::Png, png()), (MediaType::WebP, webp())] {
        let fault = without_metadata(kind, picture[..24].to_vec()).unwrap_err();
        assert_eq!(fault.code(), "proposals.broken_picture", "{kind:?}");
    }
    let pdf = b"%PDF-1.7 ...".to_vec();
    assert_eq!(without_metadata(MediaType::Pdf, pdf.clone()).unwrap(), pdf);
}

#[test]
fn pieces_come_one_after_the_other_and_may_come_again() {
    use AttachmentState::{Begun, Waiting};
    assert_eq!(append(Begun, (2, 10), 2, 5).unwrap(), Append::Next);
    assert_eq!(append(Begun, (2, 10), 1, 5).unwrap(), Append::Again);
    assert_eq!(append(Begun, (2, 10), 3, 5).unwrap_err().code(), "proposals.chunk_order");
    assert_eq!(append(Begun, (2, MAX_SIZE - 5), 2, 5).unwrap(), Append::Next);
    assert_eq!(append(Begun, (2, MAX_SIZE - 5), 2, 6).unwrap_err().code(), "proposals.too_large");
    assert_eq!(append(Waiting, (2, 10), 2, 5).unwrap_err().code(), "proposals.attachment_finished");
    assert!(check_chunk(&[]).is_err() && check_chunk(&vec![0; MAX_CHUNK + 1]).is_err());
    assert!(check_chunk(&vec![0; MAX_CHUNK]).is_ok());
}

#[test]
fn a_file_is_described() {
    assert_eq!(description(" Kuva pihasta ").unwrap(), "Kuva pihasta");
    for refused in ["", "  ", "a\nb", &"ä".repeat(MAX_DESCRIPTION + 1)] {
        assert_eq!(description(refused).unwrap_err().fields()[0].field, "description");
    }
}

#[test]
fn every_verdict_on_every_state_is_done_already_so_or_refused() {
    use AttachmentState::{Begun, Removed, Visible, Waiting};
    let remove = Verdict::remove("Kuvassa on toinen ihminen.").unwrap();
    let table = [
        (Begun, &Verdict::Show, Err("proposals.attachment_unfinished")),
        (Begun, &remove, Err("proposals.attachment_unfinished")),
        (Waiting, &Verdict::Show, Ok(Some(Visible))),
        (Waiting, &remove, Ok(Some(Removed))),
        (Visible, &Verdict::Show, Ok(None)),
        (Visible, &remove, Ok(Some(Removed))),
        (Removed, &Verdict::Show, Err("proposals.attachment_removed")),
        (Removed, &remove, Ok(None)),
    ];
    for (state, verdict, expected) in table {
        let judged = judge(state, verdict);
        assert_eq!(judged.as_ref().map_err(|fault| fault.code()), expected.as_ref().map_err(|code| *code));
    }
}

proptest! {
    #[test]
    fn a_file_is_the_same_however_it_was_cut(file in prop::collection::vec(any::<u8>(), 1..20_000), piece in 1..9_000_usize) {
        let file = [b"%PDF-1.7".as_slice(), &file].concat();
        let sha256 = Sha256::digest(&file);
        let mut whole = Whole::default();
        file.chunks(piece).for_each(|piece| whole.add(piece));
        prop_assert_eq!(whole.end(&sha256).unwrap(), (MediaType::Pdf, false));
        let mut other = Whole::default();
        other.add(&file[1..]);
        let fault = other.end(&sha256).unwrap_err();
        prop_assert_eq!(fault.code(), "proposals.wrong_hash");
    }

    #[test]
    fn no_bytes_make_the_taking_out_panic(rest in prop::collection::vec(any::<u8>(), 0..400), cut in 0..400_usize) {
        for kind in MediaType::ALL {
            let whole = match kind {
                MediaType::Jpeg => photo(3),
                MediaType::Png => png(),
                _ => webp(),
            };
            let mut bytes = whole[..cut.min(whole.len())].to_vec();
            bytes.extend_from_slice(&rest);
            let _ = without_metadata(kind, bytes);
        }
    }
}
