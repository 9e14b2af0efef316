//! Codes that people read from paper and type: an alphabet without look-alikes, shown in groups of four.

/// Thirty-two characters, none of which is easily taken for another: no I, L, O, U. A character holds five bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code of `length` characters from random (or derived) bytes, five bits of each byte; without hyphens.
pub fn from_bytes(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// The code as it is shown: groups of four with hyphens, for example "7QK2-M0XA-93TB".
pub fn grouped(code: &str) -> String {
    let characters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// The code as it was meant: hyphens, spaces and letter case do not matter, and I, L and O are read as the digits
/// they look like. None if it has not `length` characters of the alphabet.
pub fn read(typed: &str, length: usize) -> Option<String> {
    // Bounded work for any input.
    if typed.len() > 4 * length {
        return None;
    }
    let code: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        })
        .collect();
    let known = code.bytes().all(|byte| ALPHABET.contains(&byte));
    (known && code.len() == length).then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn look_alikes_case_and_hyphens_do_not_matter() {
        assert_eq!(read("oi-l2 abcd", 8).unwrap(), "0112ABCD");
        assert_eq!(read("0112abcd", 8), read("OiL2-ABCD", 8));
        for bad in ["", "0112ABC", "0112ABCDE", "0112ABCU", "0112ABCÄ", &"-".repeat(100)] {
            assert_eq!(read(bad, 8), None, "{bad:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed_back(bytes in proptest::array::uniform12(any::<u8>()), lower: bool) {
            let code = from_bytes(&bytes, 12);
            let shown = grouped(&code);
            prop_assert_eq!(shown.len(), 14);
            let typed = if lower { shown.to_lowercase() } else { shown };
            prop_assert_eq!(read(&typed, 12), Some(code));
        }

        #[test]
        fn reading_anything_does_not_fail_badly(typed in ".*") {
            let _ = read(&typed, 12);
        }
    }
}
