//! A hint for the writer about how hard a text may be to read: lengths of sentences and words, nothing more. It does not
//! say whether a text is plain language; only a human does (negative test 13).

use unicode_segmentation::UnicodeSegmentation as _;

/// A word of more letters than this is long.
pub const LONG_WORD: usize = 12;
/// A sentence of more words than this is long.
pub const LONG_SENTENCE: u32 = 15;
/// The most long words that a hint names.
const NAMED_WORDS: usize = 10;

/// What a writer may want to look at again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// Sentences.
    pub sentences: u32,
    /// Words. The average length of a sentence is this divided by the number of sentences.
    pub words: u32,
    /// Words of the longest sentence.
    pub longest_sentence: u32,
    /// Sentences of more than [`LONG_SENTENCE`] words.
    pub long_sentences: u32,
    /// Words of more than [`LONG_WORD`] letters.
    pub long_words: u32,
    /// The first different ones of them, at most ten.
    pub look_at: Vec<String>,
}

/// The hint about a text. An empty text has no sentence and no word.
pub fn hint(text: &str) -> Hint {
    let mut hint = Hint::default();
    // A line of a list or a title ends a sentence too.
    for sentence in text.lines().flat_map(|line| line.unicode_sentences()) {
        let mut words = 0;
        for word in sentence.unicode_words() {
            words += 1;
            if word.graphemes(true).count() > LONG_WORD {
                hint.long_words += 1;
                let named = hint.look_at.iter().any(|known| known == word);
                if !named && hint.look_at.len() < NAMED_WORDS {
                    hint.look_at.push(word.to_owned());
                }
            }
        }
        if words == 0 {
            continue;
        }
        hint.sentences += 1;
        hint.words += words;
        hint.longest_sentence = hint.longest_sentence.max(words);
        hint.long_sentences += u32::from(words > LONG_SENTENCE);
    }
    hint
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_and_words_are_counted_and_long_ones_are_named() {
        let hint = hint(
            "Haluamme ulos useammin. Ulkoilu on tärkeää!\n\nKuntouttavaa päivätoimintaa on liian vähän.",
        );
        assert_eq!((hint.sentences, hint.words, hint.longest_sentence), (3, 11, 5));
        assert_eq!((hint.long_sentences, hint.long_words), (0, 1));
        assert_eq!(hint.look_at, ["päivätoimintaa"]);
    }

    #[test]
    fn a_sentence_of_sixteen_words_is_long_and_a_word_of_twelve_letters_is_not() {
        assert_eq!(super::hint(&"ja ".repeat(15)).long_sentences, 0);
        assert_eq!(super::hint(&"ja ".repeat(16)).long_sentences, 1);
        assert_eq!(super::hint("abcdefghijkl").long_words, 0);
        assert_eq!(super::hint("abcdefghijklm").long_words, 1);
        assert_eq!(super::hint("ääääääääääää").long_words, 0, "letters are counted, not bytes");
    }

    #[test]
    fn a_text_without_words_has_none() {
        for empty in ["", "  \n", "— … !", "🙂"] {
            assert_eq!(super::hint(empty), Hint::default(), "{empty:?}");
        }
    }

    proptest! {
        #[test]
        fn the_numbers_of_a_hint_fit_together(text in "\\PC{0,300}") {
            let hint = super::hint(&text);
            prop_assert!(hint.sentences <= hint.words);
            prop_assert!(hint.longest_sentence <= hint.words && hint.long_words <= hint.words);
            prop_assert!(hint.long_sentences <= hint.sentences);
            prop_assert_eq!(hint.longest_sentence > LONG_SENTENCE, hint.long_sentences > 0);
            prop_assert_eq!(hint.look_at.is_empty(), hint.long_words == 0);
        }
    }
}
