//! What sources ask for, read and checked field by field. Pure.

use partyline_shared::id::{CallSid, MAX_ID, is_id};
use partyline_shared::phone::{MAX_ADDRESS, PhoneNumber};
use partyline_shared::track::Track;
use partyline_shared::twilio::callback::Parties;
use partyline_shared::twilio::media::decode_payload;

use crate::api::body::{self, Fields};
use crate::api::lines::track;
use crate::calls::parties::{MAX_CUSTOMER_ID, customer_id};
use crate::respond::Refusal;

/// Most audio of one request, bytes of µ-law: 8 s.
pub const MAX_PAYLOAD: usize = 64 << 10;
/// Largest body of such a request, bytes: that audio as base64 whose every character is escaped for a form, three for
/// one, and 16 KiB for the rest.
pub const MAX_AUDIO_BODY: usize = 3 * 4 * MAX_PAYLOAD.div_ceil(3) + (16 << 10);
/// Longest name that a source has for its call, bytes: a URI of SIP's Call-ID has 100.
const MAX_EXTERNAL_ID: usize = 256;

/// A call to be made.
pub(super) struct New {
    pub(super) customer_id: String,
    pub(super) parties: Parties,
    pub(super) external_id: Option<String>,
}

/// Audio of a call.
pub(super) struct Audio {
    pub(super) call_sid: CallSid,
    pub(super) track: Track,
    pub(super) mulaw: Vec<u8>,
}

impl New {
    pub(super) fn read(fields: &Fields) -> Result<New, Refusal> {
        let customer = fields.name("customer_id")?;
        let customer = customer.ok_or_else(|| body::missing("customer_id", "say whose call it is"))?;
        let customer = customer_id(&customer)
            .ok_or_else(|| body::wrong("customer_id", &format!("at most {MAX_CUSTOMER_ID} characters")))?;
        let external = fields.name("external_id")?;
        if external.as_ref().is_some_and(|id| id.len() > MAX_EXTERNAL_ID) {
            return Err(body::wrong(
                "external_id",
                &format!("at most {MAX_EXTERNAL_ID} bytes"),
            ));
        }
        let direction = fields.text("direction")?;
        if direction.as_ref().is_some_and(|direction| !is_id(direction)) {
            return Err(body::wrong(
                "direction",
                &format!("a word like inbound or outbound-api, of at most {MAX_ID} letters, digits, - and _"),
            ));
        }
        Ok(New {
            customer_id: customer,
            parties: Parties {
                account_sid: None,
                from: address(fields, "from")?,
                to: address(fields, "to")?,
                direction: direction.map(|direction| direction.into_owned()),
            },
            external_id: external.map(|id| id.into_owned()),
        })
    }
}

fn address(fields: &Fields, name: &str) -> Result<Option<PhoneNumber>, Refusal> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    if text.chars().count() > MAX_ADDRESS {
        return Err(body::wrong(name, &format!("at most {MAX_ADDRESS} characters")));
    }
    Ok(PhoneNumber::non_empty(&text))
}

/// The call that is meant; what cannot be a call's name names none.
///
/// # Errors
/// 400 where the field is missing or wrong, 404 where it names none.
pub fn call(fields: &Fields) -> Result<CallSid, Refusal> {
    let sid = fields.needed("call_sid", "it is what POST /api/v1/call_streams answered")?;
    CallSid::parse(sid.trim()).map_err(|_| Refusal::not_found())
}

impl Audio {
    pub(super) fn read(fields: &Fields) -> Result<Audio, Refusal> {
        let (call_sid, track) = (call(fields)?, track(fields)?);
        let payload = fields.needed(
            "payload",
            "audio as base64 of µ-law, 8000 samples a second, one channel",
        )?;
        // Lines of 60 or 76 characters are some libraries' habit; in a form a plus that is not escaped is a space.
        let payload: String = payload
            .chars()
            .filter(|c| !matches!(c, '\r' | '\n'))
            .map(|c| if fields.is_form() && c == ' ' { '+' } else { c })
            .collect();
        let mut mulaw = Vec::new();
        decode_payload(&payload, &mut mulaw)
            .map_err(|_| body::wrong("payload", "base64 (with + and /) of at least 1 byte"))?;
        if mulaw.len() > MAX_PAYLOAD {
            return Err(Refusal::new(
                http::StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("payload has at most {MAX_PAYLOAD} bytes of audio; send it in pieces"),
            ));
        }
        Ok(Audio {
            call_sid,
            track,
            mulaw,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::twilio::form::Form;
    use serde_json::{Value, json};

    fn json_of(value: Value) -> Fields {
        match value {
            Value::Object(fields) => Fields::Json(fields),
            other => panic!("no object: {other}"),
        }
    }

    fn form_of(body: &str) -> Fields {
        Fields::Form(Form::parse(body.as_bytes()))
    }

    /// Base64 of so many bytes of zero, in groups of three.
    fn zeros(bytes: usize) -> String {
        "AAAA".repeat(bytes / 3) + ["", "AA==", "AAA="][bytes % 3]
    }

    #[test]
    fn a_call_s_fields_are_read_and_each_wrong_one_is_named() {
        let new = json!({"customer_id": 12345, "from": "client:bob", "to": " ", "direction": "outbound-api",
            "external_id": "x".repeat(MAX_EXTERNAL_ID), "more": {}});
        let read = New::read(&json_of(new.clone())).ok().unwrap();
        assert_eq!(read.customer_id, "12345");
        assert_eq!(read.parties.from.unwrap().as_str(), "client:bob");
        assert!(read.parties.to.is_none() && read.external_id.is_some());
        assert_eq!(read.parties.direction.as_deref(), Some("outbound-api"));
        for (name, value) in [
            ("customer_id", json!(null)),
            ("customer_id", json!("x".repeat(MAX_CUSTOMER_ID + 1))),
            ("customer_id", json!(["7"])),
            ("from", json!("x".repeat(MAX_ADDRESS + 1))),
            ("to", json!(12125550100u64)),
            ("direction", json!("to them")),
            ("external_id", json!("x".repeat(MAX_EXTERNAL_ID + 1))),
        ] {
            let mut wrong = new.clone();
            wrong[name] = value;
            let refusal = New::read(&json_of(wrong)).err().unwrap();
            assert_eq!(refusal.status, 400);
            assert!(refusal.message.starts_with(name), "{}", refusal.message);
        }
    }

    #[test]
    fn a_payload_is_so_large_and_no_larger() {
        let of = |bytes: usize| {
            let fields = json_of(json!({"call_sid": "CA1", "track": "outbound", "payload": zeros(bytes)}));
            Audio::read(&fields).map(|audio| (audio.track, audio.mulaw.len()))
        };
        assert_eq!(of(1), Ok((Track::Outbound, 1)));
        assert_eq!(of(MAX_PAYLOAD), Ok((Track::Outbound, MAX_PAYLOAD)));
        assert_eq!(of(MAX_PAYLOAD + 1).unwrap_err().status, 413);
        assert_eq!(of(0).unwrap_err().status, 400);
        // Escaped for a form, every character of it, with a line break after each 60.
        let form = format!(
            "call_sid=CA1&track=inbound&payload={}",
            "%41".repeat(MAX_PAYLOAD * 4 / 3)
        );
        assert!(form.len() + MAX_PAYLOAD * 4 / 3 / 60 * 3 < MAX_AUDIO_BODY);
    }

    #[test]
    fn base64_is_taken_as_people_s_libraries_write_it() {
        let of = |fields: &Fields| Audio::read(fields).map(|audio| audio.mulaw);
        let right = Ok(vec![0xfb, 0xff, 0xfe]);
        let json =
            |payload: &str| json_of(json!({"call_sid": "CA1", "track": "inbound", "payload": payload}));
        assert_eq!(of(&json("+//+")), right);
        assert_eq!(of(&json("+/\n/+\n")), right);
        assert_eq!(
            of(&form_of("call_sid=CA1&track=inbound_track&payload=+//+")),
            right
        );
        assert_eq!(
            of(&form_of("call_sid=CA1&track=inbound&payload=%2B%2f%2F%2b")),
            right
        );
        for wrong in ["-__-", "+// ", "=", "a", "ä"] {
            let refusal = of(&json(wrong)).unwrap_err();
            assert!(refusal.message.starts_with("payload"), "{}", refusal.message);
        }
        for (fields, what) in [
            (json!({"track": "inbound", "payload": "AAAA"}), "call_sid"),
            (json!({"call_sid": "CA1", "payload": "AAAA"}), "track"),
            (
                json!({"call_sid": "CA1", "track": "both", "payload": "AAAA"}),
                "track",
            ),
            (json!({"call_sid": "CA1", "track": "inbound"}), "payload"),
        ] {
            let refusal = of(&json_of(fields)).unwrap_err();
            assert_eq!(refusal.status, 400);
            assert!(refusal.message.starts_with(what), "{}", refusal.message);
        }
        let nobody = json_of(json!({"call_sid": "no/id", "track": "inbound", "payload": "AAAA"}));
        assert_eq!(of(&nobody).unwrap_err(), Refusal::not_found());
    }
}
