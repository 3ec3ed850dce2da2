//! Names as Twilio makes them: two letters and 32 lower-case hex digits.

use partyline_shared::id::CallSid;

/// The account when none is set: fixed, so that a relay can be told of it.
pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// A new name of the kind that `prefix` says: `CA`, `MZ`, `GT`.
pub(super) fn new(prefix: &str) -> String {
    format!("{prefix}{:032x}", rand::random::<u128>())
}

/// A new call's name.
pub(super) fn call() -> CallSid {
    loop {
        // Always well formed; the type cannot know.
        if let Ok(sid) = CallSid::parse(&new("CA")) {
            return sid;
        }
    }
}

/// A UUID of version 4, for the idempotency token.
pub(super) fn uuid() -> String {
    let bits = rand::random::<u128>();
    let bits = bits & !(0xf << 76) | (4 << 76);
    let bits = bits & !(0x3 << 62) | (2 << 62);
    let hex = format!("{bits:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_like_twilios() {
        let sid = new("MZ");
        assert_eq!((sid.len(), &sid[..2]), (34, "MZ"));
        assert!(sid[2..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        assert_ne!(call(), call());
        let uuid = uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
