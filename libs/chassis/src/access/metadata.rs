//! What stands in the metadata of a request.

use std::time::Duration;

use http::HeaderMap;
use kernel::{Fault, Uuid};

/// The token of `authorization: Bearer <token>`.
pub(super) fn token(headers: &HeaderMap) -> Result<&str, Fault> {
    let Some(value) = headers.get(http::header::AUTHORIZATION) else {
        return Err(Fault::unauthenticated("access.sign_in", "Sign in first: this asks for a token."));
    };
    let text = value.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token.trim()).ok_or_else(|| {
        Fault::unauthenticated(
            "access.token_invalid",
            "The metadata authorization must be \"Bearer <token>\".",
        )
    })
}

/// The metadata `idempotency-key`: 16 to 64 visible characters (REL-20).
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<&str, Fault> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_fine = (16..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_fine {
        return Ok(key);
    }
    let rule = "a request that changes something carries a key of 16 to 64 visible characters";
    let remedy =
        "send the metadata idempotency-key, for example a new UUID, and the same one when you repeat it";
    Err(Fault::invalid("request.idempotency_key", format!("idempotency-key: {rule}; {remedy}")).field(
        "idempotency-key",
        rule,
        remedy,
    ))
}

/// How long the client waits, from `grpc-timeout`; None if it does not say, or says what cannot be read.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// The metadata `x-correlation-id`, if it is a UUID: an act of a person may take several calls.
pub(super) fn correlation_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-correlation-id")?.to_str().ok()?;
    Uuid::try_parse(id).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_every_unit() {
        for (text, read) in [
            ("2S", Some(Duration::from_secs(2))),
            ("100m", Some(Duration::from_millis(100))),
            ("3H", Some(Duration::from_secs(10_800))),
            ("2M", Some(Duration::from_secs(120))),
            ("7u", Some(Duration::from_micros(7))),
            ("9n", Some(Duration::from_nanos(9))),
            ("12345678n", Some(Duration::from_nanos(12_345_678))),
            ("123456789S", None),
            ("S", None),
            ("", None),
            ("5x", None),
        ] {
            let headers = HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), text.parse().unwrap())]);
            assert_eq!(timeout(&headers), read, "{text:?}");
        }
    }

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(http::header::AUTHORIZATION, value.parse().unwrap())])
        };
        assert_eq!(token(&with("Bearer abc")).unwrap(), "abc");
        assert_eq!(token(&with("bearer  abc ")).unwrap(), "abc");
        assert_eq!(token(&HeaderMap::new()).unwrap_err().code(), "access.sign_in");
        for wrong in ["abc", "Basic abc", ""] {
            assert_eq!(token(&with(wrong)).unwrap_err().code(), "access.token_invalid", "{wrong:?}");
        }
    }

    #[test]
    fn a_key_has_16_to_64_visible_characters() {
        let with = |value: &str| {
            HeaderMap::from_iter([("idempotency-key".parse().unwrap(), value.parse().unwrap())])
        };
        for (length, fine) in [(0, false), (15, false), (16, true), (64, true), (65, false)] {
            assert_eq!(idempotency_key(&with(&"x".repeat(length))).is_ok(), fine, "{length} characters");
        }
        assert!(idempotency_key(&with("0123456789 0123456789")).is_err());
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap_err().fields()[0].field, "idempotency-key");
    }

    #[test]
    fn an_act_is_named_by_a_uuid_or_not_at_all() {
        let with = |value: &str| {
            HeaderMap::from_iter([("x-correlation-id".parse().unwrap(), value.parse().unwrap())])
        };
        let id = "0190a1b2-0000-7000-8000-000000000001";
        assert_eq!(correlation_id(&with(id)).as_deref(), Some(id));
        assert_eq!(correlation_id(&with("Maija")), None);
        assert_eq!(correlation_id(&HeaderMap::new()), None);
    }
}
