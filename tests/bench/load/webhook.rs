//! Twilio's question before a stream: who is called? Asked of the relay so that it knows each call, and what its
//! answer wants to have back is kept. One after another, before anything is measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::call::Call;
use crate::ws;

/// How long an answer may take: Twilio waits 15 s, but nobody measures such a relay.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 10;

/// Asks for a call, and takes the parameters of its stream over.
///
/// # Errors
/// What went wrong, in words.
pub(super) fn ask(relay: SocketAddr, path: &str, number: usize, call: &mut Call) -> Result<(), String> {
    let Call {
        account_sid,
        call_sid,
        ..
    } = &*call;
    // The plus of a number is %2B in a form.
    let form = format!(
        "AccountSid={account_sid}&CallSid={call_sid}&CallStatus=ringing&Direction=inbound\
         &From=%2B1555{number:07}&To=%2B15550009999"
    );
    let answer = post(relay, path, &form).map_err(|e| format!("{path}: {e}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{path}: no HTTP"))?;
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200 ") {
        return Err(format!("{path}: {status}"));
    }
    let body = if ws::header(head, "transfer-encoding").is_some() {
        return Err(format!("{path}: an answer in chunks is not read here"));
    } else {
        body
    };
    let twiml = roxmltree::Document::parse(body).map_err(|e| format!("{path}: {e}"))?;
    call.parameters = twiml
        .descendants()
        .filter(|element| element.has_tag_name("Parameter"))
        .filter_map(|element| {
            Some((
                element.attribute("name")?.to_owned(),
                element.attribute("value")?.to_owned(),
            ))
        })
        .collect();
    Ok(())
}

fn post(relay: SocketAddr, path: &str, form: &str) -> io::Result<String> {
    let mut socket = TcpStream::connect_timeout(&relay, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nHost: {relay}\r\nUser-Agent: TwilioProxy/1.1\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = String::new();
    socket.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}
