//! Recorded people on both tracks of a call: what `partyline listen` writes is, sample for sample, what
//! was sent. `sox` makes what is sent and decodes it for comparison, so that our own G.711 is not its own
//! judge.

mod by_hand;
mod refusals;
mod simulated;

use std::path::Path;

use harness::{Program, Relay, api, speech, supervisor};
use partyline_shared::audio::{FRAME_BYTES, SILENCE};
use partyline_shared::id::CallSid;

/// Starts `partyline listen CALL --output PATH` with more flags.
fn listen(relay: &Relay, call: &str, output: &Path, more: &[&str]) -> Program {
    let output = output.to_string_lossy();
    let mut args = vec!["listen", call, "--output", output.as_ref()];
    args.extend(more);
    supervisor::start(&relay.url(), &args)
}

/// Waits until the call is known and so many hear it.
async fn heard_by(relay: &Relay, sid: &CallSid, listeners: u32) {
    let what = format!("{listeners} listeners");
    api::call_once(relay.addr(), sid, &what, |call| call.listeners == listeners).await;
}

/// µ-law bytes with their last frame padded.
fn padded(mulaw: &[u8]) -> Vec<u8> {
    let mut padded = mulaw.to_vec();
    padded.resize(mulaw.len().next_multiple_of(FRAME_BYTES), SILENCE);
    padded
}

/// Fails unless `channel` is `expected` after silence, and silence behind it; gives how many samples of
/// silence come before.
#[track_caller]
pub(super) fn assert_is_after_silence(channel: &[i16], expected: &[i16]) -> usize {
    let quiet = channel.iter().take_while(|sample| **sample == 0).count();
    let quiet_of_its_own = expected.iter().take_while(|sample| **sample == 0).count();
    let lead = quiet.saturating_sub(quiet_of_its_own);
    assert!(
        quiet >= quiet_of_its_own && channel.len() >= lead + expected.len(),
        "{} samples after {quiet} of silence; {} were sent, {quiet_of_its_own} of them silence first",
        channel.len(),
        expected.len()
    );
    let (said, after) = channel[lead..].split_at(expected.len());
    let differs = said.iter().zip(expected).position(|(heard, sent)| heard != sent);
    assert_eq!(differs, None, "the first sample that differs, after {lead}");
    assert!(
        after.iter().all(|sample| *sample == 0),
        "something was heard after the end"
    );
    lead
}

/// The two channels of a WAV file, as `sox` reads them.
pub(super) fn channels(wav: &[u8]) -> [Vec<i16>; 2] {
    [speech::channel(wav, 1), speech::channel(wav, 2)]
}

/// Fails unless a file's header names its size; gives the file.
#[track_caller]
pub(super) fn whole_file(path: &Path) -> Vec<u8> {
    let file = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let size = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(
        (size(4), size(40)),
        (file.len() - 8, file.len() - 44),
        "the header's sizes"
    );
    file
}
