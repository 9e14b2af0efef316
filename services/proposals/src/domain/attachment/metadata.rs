//! Hidden data of pictures. A photo of a phone tells where and when it was taken and with what; none of it is needed but
//! which side is up.

use bytes::Bytes;
use img_parts::ImageEXIF as _;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use img_parts::webp::WebP;
use kernel::Fault;

use super::MediaType;

/// Chunks of a PNG that say how it looks; what else there may be (texts, times, EXIF) is left out.
const PNG_KEPT: [[u8; 4]; 15] = [
    *b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS", *b"cHRM", *b"gAMA", *b"iCCP", *b"sBIT", *b"sRGB",
    *b"bKGD", *b"pHYs", *b"acTL", *b"fcTL", *b"fdAT",
];
/// Chunks of a WebP that say how it looks; without EXIF and XMP.
const WEBP_KEPT: [[u8; 4]; 7] = [*b"VP8 ", *b"VP8L", *b"VP8X", *b"ALPH", *b"ANIM", *b"ANMF", *b"ICCP"];
/// Bits of VP8X that announce EXIF and XMP.
const VP8X_ANNOUNCED: u8 = 0b0000_1100;

/// A picture without its hidden data, but for the way up; another file as it is.
///
/// Invalid `proposals.broken_picture` for bytes that only begin like a picture.
pub fn without_metadata(kind: MediaType, file: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let bytes = Bytes::from(file);
    match kind {
        MediaType::Jpeg => jpeg(bytes),
        MediaType::Png => png(bytes),
        MediaType::WebP => webp(bytes),
        MediaType::Ogg | MediaType::Mp3 | MediaType::M4a | MediaType::Pdf => Ok(bytes.to_vec()),
    }
}

/// Leaves out what stands behind the picture, application segments (EXIF, XMP, maker's notes) and comments; the colour profile and what JFIF and Adobe
/// say of the colours stay.
fn jpeg(bytes: Bytes) -> Result<Vec<u8>, Fault> {
    let mut picture = Jpeg::from_bytes(bytes).map_err(broken)?;
    let orientation = picture.exif().and_then(|exif| orientation(&exif));
    picture.segments_mut().retain(is_kept);
    if let Some(orientation) = orientation {
        picture.set_exif(Some(Bytes::from(exif_of(orientation))));
    }
    let mut plain = picture.encoder().bytes().to_vec();
    let end = end_of_jpeg(&plain).ok_or_else(|| broken(img_parts::Error::Truncated))?;
    plain.truncate(end);
    Ok(plain)
}

/// Where a JPEG ends: phones hang a film with its place behind the picture.
fn end_of_jpeg(picture: &[u8]) -> Option<usize> {
    const MARK: u8 = 0xFF;
    let mut at: usize = 2;
    loop {
        let marker = *picture.get(at.checked_add(1)?)?;
        if picture.get(at) != Some(&MARK) || marker == MARK {
            at += 1;
            continue;
        }
        match marker {
            markers::EOI => return Some(at + 2),
            // A byte of the picture that looks like a mark, and marks without content.
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            _ => {
                let length = picture.get(at + 2..at + 4)?.try_into().ok()?;
                at = at.checked_add(2)?.checked_add(usize::from(u16::from_be_bytes(length)))?;
            }
        }
    }
}

fn is_kept(segment: &JpegSegment) -> bool {
    match segment.marker() {
        markers::APP0 | markers::APP14 => true,
        markers::APP2 => segment.contents().starts_with(b"ICC_PROFILE\0"),
        markers::COM => false,
        marker => !(markers::APP1..=markers::APP15).contains(&marker),
    }
}

fn png(bytes: Bytes) -> Result<Vec<u8>, Fault> {
    let mut picture = Png::from_bytes(bytes).map_err(broken)?;
    picture.chunks_mut().retain(|chunk| PNG_KEPT.contains(&chunk.kind()));
    Ok(picture.encoder().bytes().to_vec())
}

fn webp(bytes: Bytes) -> Result<Vec<u8>, Fault> {
    let mut picture = WebP::from_bytes(bytes).map_err(broken)?;
    picture.chunks_mut().retain(|chunk| WEBP_KEPT.contains(&chunk.id()));
    let mut plain = picture.encoder().bytes().to_vec();
    // The first chunk begins after "RIFF", the length and "WEBP"; its flags after its own name and length.
    if plain.get(12..16) == Some(b"VP8X")
        && let Some(flags) = plain.get_mut(20)
    {
        *flags &= !VP8X_ANNOUNCED;
    }
    Ok(plain)
}

fn broken(_: img_parts::Error) -> Fault {
    Fault::invalid(
        "proposals.broken_picture",
        "The file begins like a picture and does not go on like one. Save it anew and send it again.",
    )
}

/// The way up of a picture, 1 to 8, from the first directory of its EXIF data; None if it does not say.
fn orientation(exif: &[u8]) -> Option<u16> {
    const TAG: u16 = 0x0112;
    let is_little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes = exif.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let number = if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(number).ok()
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?);
    let at = |entry: usize| directory.checked_add(2)?.checked_add(entry.checked_mul(12)?);
    let entry = (0..entries).filter_map(at).find(|entry| short(*entry) == Some(TAG))?;
    short(entry.checked_add(8)?).filter(|value| (2..=8).contains(value))
}

/// EXIF data that says the way up and nothing else.
fn exif_of(orientation: u16) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend_from_slice(&orientation.to_be_bytes());
    exif.extend_from_slice(&[0; 6]);
    exif
}
