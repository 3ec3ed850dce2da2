//! `POST /api/v1/calls/:sid/marks`: somebody who may hear a call marks a moment of it, for all who see it.

use std::time::Duration;

use http::StatusCode;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::text;
use partyline_shared::time::UtcTime;

use super::body::{self, Fields};
use crate::access::Grant;
use crate::calls::call::{MARKS_BY_ALL, MARKS_BY_ONE, Mark, NotMarked};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::respond::{Answer, Refusal, with_type};

/// Characters of a mark's text: a line of a screen or two, as somebody types who listens.
const MARK_TEXT: usize = 200;

/// When to ask again where all marks are taken: they come free as the call goes on.
const LATER: Duration = Duration::from_secs(60);

/// Marks a moment, `{"at"?,"text"?}`; 201 with the event as everybody is shown it. Without `at` it is now.
///
/// # Errors
/// 400 where a field is wrong, or the moment not of the call; 404 where the call does not exist or is not granted; 429
/// where as many are marked as may be; 503 where it goes from one relay to another at this moment.
pub fn write(registry: &Registry, grant: &Grant, sid: &CallSid, fields: &Fields) -> Result<Answer, Refusal> {
    // What is no mark is none whoever says it, but whether the call is there is not for all.
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    let mark = read(fields)?;
    let event = call.mark_by(Now::take(), grant, mark).map_err(refused)?;
    Ok(with_type(
        StatusCode::CREATED,
        "application/json",
        to_text(&event),
    ))
}

fn read(fields: &Fields) -> Result<Mark, Refusal> {
    let time = |text: &str| {
        UtcTime::parse(text).ok_or_else(|| body::wrong("at", "a time like 2026-11-22T09:00:00.000Z"))
    };
    let at = fields.text("at")?.map(|text| time(&text)).transpose()?;
    let words = fields.text("text")?.unwrap_or_default();
    if words.chars().count() > MARK_TEXT {
        return Err(body::wrong("text", &format!("at most {MARK_TEXT} characters")));
    }
    let words = text::clean(&words).trim().to_owned();
    let text = Some(words).filter(|words| !words.is_empty());
    Ok(Mark { at, text })
}

fn refused(why: NotMarked) -> Refusal {
    match why {
        NotMarked::NotTheirs => Refusal::not_found(),
        NotMarked::Elsewhere => Refusal::moving(),
        NotMarked::Before => body::wrong("at", "no earlier than the call began"),
        NotMarked::ToCome => body::wrong("at", "no later than now; see that this machine's clock is right"),
        NotMarked::TooMany => Refusal::too_many(
            format!("{MARKS_BY_ONE} moments of this call are marked by you; it remembers no more"),
            LATER,
        ),
        NotMarked::TooManyOfAll => Refusal::too_many(
            format!("{MARKS_BY_ALL} moments of this call are marked; it remembers no more"),
            LATER,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        let posted = crate::errand::Posted {
            form: false,
            text: json.to_owned(),
        };
        body::read(&posted).unwrap()
    }

    #[test]
    fn a_mark_says_when_and_what_for_or_nothing() {
        assert_eq!(read(&fields("{}")), Ok(Mark::default()));
        let all = r#"{"at":"2026-11-22T09:41:07.500Z","text":" a\u001b[31m promise\n"}"#;
        let mark = read(&fields(all)).unwrap();
        assert_eq!(mark.at, UtcTime::parse("2026-11-22T09:41:07.500Z"));
        assert!(
            mark.text
                .is_some_and(|text| text.ends_with("promise") && !text.contains('\u{1b}'))
        );
        for blank in [r#"{"text":" \n "}"#, r#"{"text":null,"at":null}"#] {
            assert_eq!(read(&fields(blank)), Ok(Mark::default()), "{blank}");
        }
    }

    #[test]
    fn what_is_no_mark_is_named_and_not_repeated() {
        let long = |n: usize| format!(r#"{{"text":"{}"}}"#, "ä".repeat(n));
        assert!(read(&fields(&long(MARK_TEXT))).is_ok());
        for (wrong, name) in [
            (long(MARK_TEXT + 1), "text"),
            (r#"{"at":"half past nine"}"#.to_owned(), "at"),
            (r#"{"at":5}"#.to_owned(), "at"),
            (r#"{"text":["x"]}"#.to_owned(), "text"),
        ] {
            let refusal = read(&fields(&wrong)).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
            assert!(refusal.message.starts_with(name), "{refusal:?}");
            assert!(!refusal.message.contains("half past"), "{refusal:?}");
        }
    }
}
