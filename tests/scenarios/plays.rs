//! `audio.wav` in players that people have: what they are given is what was said, from the moment they come until the
//! call ends, for who may keep it and only as long; and one that does not read harms nobody.

use std::net::SocketAddr;
use std::path::Path;

use harness::{Program, speech};
use partyline_shared::audio::wav;

mod ends;
mod hears;
mod may;

/// Louder than this is somebody's voice: what is let out and taken in between words is quieter.
const QUIET: u16 = 64;

/// Bytes of both tracks in a second.
const SECOND: usize = 2 * 2 * 8000;

/// The path of a call's audio.
fn path(sid: impl std::fmt::Display) -> String {
    format!("/api/v1/calls/{sid}/audio.wav")
}

/// `curl` of a path, as it comes; `args` are more of its own.
fn curl(relay: SocketAddr, path: &str, args: &[&str]) -> Program {
    let url = format!("http://{relay}{path}");
    let args = [&["--silent", "--show-error", "--no-buffer", &url], args].concat();
    Program::start(Path::new("curl"), args, &[])
}

/// The same with a token.
fn curl_as(relay: SocketAddr, path: &str, token: &str) -> Program {
    curl(
        relay,
        path,
        &["--header", &format!("Authorization: Bearer {token}")],
    )
}

/// The header of a file without end.
fn header(channels: u16) -> Vec<u8> {
    wav::header(channels, wav::UNKNOWN_SIZE).to_vec()
}

/// What is left without silence, which is as long as there was time.
fn voice(samples: &[i16]) -> Vec<i16> {
    let loud = samples.iter().filter(|sample| sample.unsigned_abs() > QUIET);
    loud.copied().collect()
}

/// Fails unless this is heard of what was said, and nothing else.
#[track_caller]
fn assert_says(channel: &[i16], said: &[u8]) {
    let (heard, said) = (voice(channel), voice(&speech::decoded(said)));
    let differs = heard.iter().zip(&said).position(|(heard, said)| heard != said);
    assert_eq!(differs, None, "the first sample of the voice that differs");
    assert_eq!(heard.len(), said.len());
}
