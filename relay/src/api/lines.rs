//! `POST /api/v1/calls/:sid/transcript`: a line that somebody else's speech-to-text wrote, into the call's journal as
//! any other line.

use http::StatusCode;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::text::{self, MAX_TEXT};
use partyline_shared::track::Track;

use super::body::{self, Fields};
use crate::access::{Grant, Role, Source};
use crate::calls::call::NotTaken;
use crate::calls::journal::NewLine;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::respond::{Answer, Refusal, with_type};

/// Latest media time, ms: what a stream's own timestamps can say.
const MAX_MS: u64 = u32::MAX as u64;

/// Who writes lines where nobody shows a token.
const NOBODY: &str = "api";

const PAUSED: &str = "the call is paused: nothing of it is written down until it is resumed";
const DOUBTED: &str = "the call was paused a moment ago, and this line may be of what was said meanwhile: say start_ms \
    and end_ms where you know them, or send lines of what is said from now on; in a minute all are taken";

/// Whether a bearer writes lines at all, whatever the call: what it is told says nothing of calls.
///
/// # Errors
/// A [`Refusal`] with 403.
pub fn may_write(grant: &Grant) -> Result<(), Refusal> {
    if matches!(grant.role(), Role::Admin | Role::Transcriber) {
        return Ok(());
    }
    let message = "lines are written by tokens of the role transcriber or admin";
    Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message))
}

/// Takes a line, `{"track","text","final","start_ms"?,"end_ms"?,"confidence"?}`; 201 with it as everybody is shown it.
/// Its engine is the bearer's name.
///
/// # Errors
/// 400 where a field is missing or wrong, or the call takes no lines now; 404 where the call does not exist or is not
/// granted; 503 where it goes from one relay to another at this moment.
pub fn write(registry: &Registry, grant: &Grant, sid: &CallSid, fields: &Fields) -> Result<Answer, Refusal> {
    let now = Now::take();
    let line = read(now, grant, fields)?;
    let call = registry.known(sid).ok_or_else(Refusal::not_found)?;
    let line = call.line(now, grant, line).map_err(|why| match why {
        NotTaken::NotTheirs => Refusal::not_found(),
        NotTaken::Elsewhere => Refusal::moving(),
        NotTaken::Paused => {
            let message = if call.is_paused() { PAUSED } else { DOUBTED };
            Refusal::new(StatusCode::BAD_REQUEST, "paused", message)
        }
    })?;
    registry.metrics().lines_posted.add_one();
    Ok(with_type(StatusCode::CREATED, "application/json", to_text(&line)))
}

fn read(now: Now, grant: &Grant, fields: &Fields) -> Result<NewLine, Refusal> {
    let words = fields.needed("text", "say what was said")?;
    if words.chars().count() > MAX_TEXT {
        return Err(body::wrong(
            "text",
            &format!("at most {MAX_TEXT} characters; send the rest as another line"),
        ));
    }
    let words = text::clean(&words).trim().to_owned();
    if words.is_empty() {
        return Err(body::missing("text", "say what was said, in letters"));
    }
    let (start_ms, end_ms) = (fields.count("start_ms", MAX_MS)?, fields.count("end_ms", MAX_MS)?);
    if start_ms.zip(end_ms).is_some_and(|(start, end)| end < start) {
        return Err(body::wrong("end_ms", "no less than start_ms"));
    }
    let engine = match grant.source() {
        Source::Insecure => NOBODY,
        Source::Token | Source::Jwt => grant.name(),
    };
    Ok(NewLine {
        at: now.wall,
        start_ms,
        end_ms,
        track: track(fields)?,
        text: words,
        is_final: fields.flag("final")?,
        confidence: fields.share("confidence")?,
        engine: engine.to_owned(),
        sequence: None,
    })
}

/// Which side.
///
/// # Errors
/// A [`Refusal`] with 400.
pub(super) fn track(fields: &Fields) -> Result<Track, Refusal> {
    let track = fields.needed("track", "inbound or outbound")?;
    Track::parse(track.trim()).ok_or_else(|| body::wrong("track", "inbound or outbound"))
}
