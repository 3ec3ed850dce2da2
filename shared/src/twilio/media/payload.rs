//! A payload's base64, both ways: many characters at a time where the processor can, the same audio and the
//! same refusals everywhere.

use std::sync::LazyLock;

use base64::Engine;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::GeneralPurpose as Fast;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::Simd as Fast;
use base64::engine::general_purpose::PAD_INDIFFERENT;

/// Standard alphabet; padding is Twilio's habit, its absence somebody else's. Made once, since it asks the
/// processor what it can.
static BASE64: LazyLock<Fast> = LazyLock::new(|| {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Fast::standard(PAD_INDIFFERENT);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Fast::new(&base64::alphabet::STANDARD, PAD_INDIFFERENT);
});

/// Payload that is no base64, or has nothing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not base64 audio")]
pub struct BadPayload;

/// Decodes a payload into `out`, replacing what was there.
///
/// # Errors
/// [`BadPayload`] when it is no base64 or empty.
pub fn decode_payload(payload: &str, out: &mut Vec<u8>) -> Result<(), BadPayload> {
    out.clear();
    BASE64.decode_vec(payload, out).map_err(|_| BadPayload)?;
    if out.is_empty() { Err(BadPayload) } else { Ok(()) }
}

/// Decodes a payload into a frame's own memory and says how many bytes it is; `None` where it does not fit
/// or is none: [`decode_payload`] then says which. What is in `out` past the audio means nothing.
pub fn decode_payload_into(payload: &str, out: &mut [u8]) -> Option<usize> {
    BASE64.decode_slice(payload, out).ok().filter(|bytes| *bytes > 0)
}

/// Appends audio as a payload, padded.
pub fn put_payload(mulaw: &[u8], out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + payload_len(mulaw.len()), 0);
    if let Some(room) = out.get_mut(at..) {
        // There is room for exactly that.
        let _ = BASE64.encode_slice(mulaw, room);
    }
}

/// How long the payload of so many bytes of audio is.
pub fn payload_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Audio as a payload, padded.
pub(super) fn encode(mulaw: &[u8]) -> String {
    BASE64.encode(mulaw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
    use proptest::prelude::*;

    /// One character at a time.
    fn slowly(payload: &str) -> Option<Vec<u8>> {
        STANDARD_PAD_INDIFFERENT
            .decode(payload)
            .ok()
            .filter(|audio| !audio.is_empty())
    }

    fn same(payload: &str) {
        let right = slowly(payload);
        let mut out = vec![1, 2, 3];
        let decoded = decode_payload(payload, &mut out).ok().map(|()| out);
        assert_eq!(decoded, right, "{payload}");
        let mut room = [7; 160];
        let fits = right.filter(|audio| audio.len() <= room.len());
        let bytes = decode_payload_into(payload, &mut room);
        assert_eq!(bytes.map(|n| room[..n].to_vec()), fits, "{payload}");
    }

    #[test]
    fn each_wrong_character_is_refused_wherever_it_stands() {
        let good = encode(&[0xa5; 160]);
        for at in 0..good.len() {
            for byte in 0..128u8 {
                let mut bent = good.clone().into_bytes();
                bent[at] = byte;
                same(std::str::from_utf8(&bent).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_appended_is_the_payload(audio in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut out = b"before".to_vec();
            put_payload(&audio, &mut out);
            prop_assert_eq!(out, [b"before", encode(&audio).as_bytes()].concat());
        }

        #[test]
        fn any_text_is_the_same_audio_or_none_both_ways(
            audio in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..4, at: prop::sample::Index, put in "\\PC{0,2}", bend: bool,
        ) {
            let mut text = encode(&audio);
            text.truncate(text.len().saturating_sub(cut));
            if bend {
                text.insert_str(at.index(text.len() + 1), &put);
            }
            same(&text);
        }

        #[test]
        fn letters_of_the_alphabet_are_the_same_audio_or_none_both_ways(text in "[A-Za-z0-9+/]{0,300}={0,4}") {
            same(&text);
        }
    }
}
