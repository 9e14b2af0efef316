//! Paging of lists: at most 200 items at a time, and an opaque token that says where to go on.
//!
//! The token holds the sort key of the last item given, and a mark of the list it belongs to, so that it is refused
//! when it comes back with another filter. It is not secret and not signed: whoever changes it reads the same list
//! from another place, and the access rules are the same there.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::Invalid;

/// Bytes of the mark that ties a token to its list.
const MARK: usize = 8;

/// How many items a page holds: 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// The most items a page may hold.
    pub const MAX: u32 = 200;
    /// What a request gets that asks for no particular size.
    pub const DEFAULT: u32 = 50;

    /// The size asked for; 0 means the default, and more than 200 is [`Invalid`].
    pub fn new(asked: u32) -> Result<Self, Invalid> {
        match asked {
            0 => Ok(Self(Self::DEFAULT)),
            1..=Self::MAX => Ok(Self(asked)),
            _ => Err(Invalid::new("a page holds at most 200 items", "send a page size from 1 to 200, or 0")),
        }
    }

    /// The number of items.
    pub fn get(self) -> u32 {
        self.0
    }

    /// What to ask the database for: one more than the page holds, to know whether there is a next page.
    pub fn limit(self) -> u64 {
        u64::from(self.0) + 1
    }

    /// Cuts what [`limit`](Self::limit) brought to one page, and makes the token of the next page if there is one.
    ///
    /// `list` names the list and its filter, for example "proposals.open|19"; `key` gives an item's sort key.
    pub fn cut<T>(
        self,
        mut items: Vec<T>,
        list: &str,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<PageToken>) {
        let size = usize::try_from(self.0).unwrap_or(usize::MAX);
        if items.len() <= size {
            return (items, None);
        }
        items.truncate(size);
        let next = items.last().map(|last| PageToken::after(list, &key(last)));
        (items, next)
    }
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// The token that goes on after the item with this sort key.
    pub fn after(list: &str, key: &str) -> Self {
        let mut bytes = mark_of(list).to_vec();
        bytes.extend_from_slice(key.as_bytes());
        Self(BASE64URL_NOPAD.encode(&bytes))
    }

    /// The sort key to go on after; None for the empty token of a first page. [`Invalid`] if the token is broken or
    /// belongs to another list.
    pub fn read(token: &str, list: &str) -> Result<Option<String>, Invalid> {
        if token.is_empty() {
            return Ok(None);
        }
        let refused = || {
            Invalid::new(
                "a page token belongs to the list it came from, with the same filter",
                "send the token unchanged with the same request, or leave it empty to begin again",
            )
        };
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| refused())?;
        match bytes.split_at_checked(MARK) {
            Some((mark, key)) if mark == mark_of(list) => {
                String::from_utf8(key.to_vec()).map(Some).map_err(|_| refused())
            }
            _ => Err(refused()),
        }
    }

    /// The text to give to the client.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn mark_of(list: &str) -> [u8; MARK] {
    let hash = Sha256::digest(list.as_bytes());
    let mut mark = [0; MARK];
    mark.copy_from_slice(&hash[..MARK]);
    mark
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = "proposals.open|19";

    #[test]
    fn a_page_holds_at_most_200() {
        let sizes = [(0, 50), (1, 1), (200, 200)];
        for (asked, given) in sizes {
            assert_eq!(PageSize::new(asked).map(PageSize::get), Ok(given));
        }
        assert!(PageSize::new(201).is_err() && PageSize::new(u32::MAX).is_err());
    }

    /// Reads the whole list page by page, as a client does.
    fn read_all(items: &[u32], size: PageSize) -> Vec<Vec<u32>> {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let after: Option<u32> = PageToken::read(&token, LIST).unwrap().map(|key| key.parse().unwrap());
            let rest = items.iter().copied().filter(|item| after.is_none_or(|after| *item > after));
            let limit = usize::try_from(size.limit()).unwrap();
            let (page, next) = size.cut(rest.take(limit).collect(), LIST, |item| item.to_string());
            pages.push(page);
            match next {
                Some(next) => token = next.into_string(),
                None => return pages,
            }
        }
    }

    proptest! {
        #[test]
        fn pages_give_every_item_once_in_order(count in 0_u32..450, asked in 1_u32..=200) {
            let items: Vec<u32> = (0..count).collect();
            let size = PageSize::new(asked).unwrap();
            let pages = read_all(&items, size);
            prop_assert_eq!(pages.concat(), items);
            prop_assert_eq!(pages.len(), usize::try_from(count.div_ceil(asked).max(1)).unwrap());
        }

        #[test]
        fn a_token_carries_any_key_and_no_rubbish_is_taken(key in "\\PC{0,40}", rubbish in "\\PC{1,60}") {
            let token = PageToken::after(LIST, &key).into_string();
            prop_assert_eq!(PageToken::read(&token, LIST), Ok(Some(key)));
            prop_assert!(PageToken::read(&rubbish, LIST).is_err());
        }
    }

    #[test]
    fn a_token_of_another_list_or_filter_is_refused() {
        let token = PageToken::after(LIST, "7").into_string();
        assert!(PageToken::read(&token, "proposals.open|21").is_err());
        assert_eq!(PageToken::read("", LIST), Ok(None), "an empty token is the first page");
    }
}
