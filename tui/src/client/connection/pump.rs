//! The task: a socket at a time, through the session, to the reader.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use partyline_shared::protocol::close;
use partyline_shared::text::clean;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{Error as WsError, ProtocolError};

use super::attempt::{NoSocket, connect};
use super::sinks::Sinks;
use super::{GOODBYE, Policy, Request, Signal};
use crate::client::dial::Stream;
use crate::client::relay::Relay;
use crate::client::session::{Next, Session, Update};
use crate::failure::Failure;

/// How long the relay may take to take a message of ours.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to stay away from a relay that refuses who we are. A token does not mend itself, and asking with it
/// again and again would fill the relay's log; yet its operator may grant it after all, and nobody may be there to
/// say so.
const UNWELCOME: Duration = Duration::from_secs(60);

/// How long a relay that says "later" is waited for by who does not want to wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// The furthest that a timer is set, so that "never" is a time.
const FAR: u64 = 3_600_000;

/// The reader has gone: the task ends without a word.
struct Gone;

/// How a socket ended.
struct End {
    code: Option<u16>,
    why: String,
}

pub(super) struct Pump {
    relay: Relay,
    session: Session,
    policy: Policy,
    /// Whether a refusal is waited out instead of being the end.
    keep: bool,
    sinks: Sinks,
    /// When the socket was read last.
    arrived: std::time::Instant,
    /// Somebody wants the next attempt now.
    retry: bool,
    signals: mpsc::Sender<Signal>,
    requests: mpsc::Receiver<Request>,
    start: Instant,
    /// Whether a relay was ever there.
    met: bool,
}

impl Pump {
    pub(super) fn new(
        relay: Relay,
        session: Session,
        policy: Policy,
        keep: bool,
        signals: mpsc::Sender<Signal>,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        Pump {
            relay,
            session,
            policy,
            keep,
            sinks: Sinks::default(),
            arrived: std::time::Instant::now(),
            retry: false,
            signals,
            requests,
            start: Instant::now(),
            met: false,
        }
    }

    pub(super) async fn run(mut self) {
        // `Err` is a reader that has gone: nobody is left to be told.
        let _ = self.live().await;
        self.sinks.end();
    }

    async fn live(&mut self) -> Result<(), Gone> {
        loop {
            let attempt = tokio::select! {
                attempt = connect(&self.relay) => attempt,
                () = self.signals.closed() => return Err(Gone),
            };
            let (why, asked) = match attempt {
                Ok(socket) => {
                    let End { code, why } = self.pump(socket).await?;
                    self.hand_over().await?;
                    match self.session.on_closed(code) {
                        Next::ComeBack { after_ms } => (why, after_ms.map(Duration::from_millis)),
                        Next::GiveUp { code } => {
                            self.refused(given_up(code, &why)).await?;
                            continue;
                        }
                    }
                }
                Err(NoSocket::Never(failure)) => {
                    let refused = matches!(failure, Failure::NotAuthorised(_));
                    if refused || !self.met || self.keep {
                        self.refused(failure).await?;
                        continue;
                    }
                    // Something else answers at its address while it is restarted.
                    (failure.to_string(), None)
                }
                Err(NoSocket::Untrusted(why)) if self.keep => {
                    self.refused(Failure::Failed(why)).await?;
                    continue;
                }
                Err(NoSocket::Untrusted(why)) => {
                    if !self.met && !self.policy.persist {
                        return self.fail(Failure::Failed(why)).await;
                    }
                    (why, None)
                }
                Err(NoSocket::Unreachable(why)) => {
                    if !self.met && !self.policy.persist {
                        let relay = &self.relay;
                        let text =
                            format!("cannot reach the relay at {relay}: {why}; does it run? check --relay");
                        return self.fail(Failure::Failed(text)).await;
                    }
                    (format!("cannot reach the relay at {}: {why}", self.relay), None)
                }
                Err(NoSocket::Later(why, asked)) => {
                    if !self.met && !self.policy.persist && self.start.elapsed() > PATIENCE {
                        return self
                            .fail(Failure::Failed(format!("{why}; try again later")))
                            .await;
                    }
                    (why, asked)
                }
            };
            self.stay_away(why, asked).await?;
        }
    }

    /// Returns only as the end of the task.
    async fn fail(&mut self, failure: Failure) -> Result<(), Gone> {
        // The sinks learn of it before the reader does, as of all else.
        self.sinks.end();
        self.signals
            .send(Signal::Failed(failure))
            .await
            .map_err(|_| Gone)?;
        Err(Gone)
    }

    /// The relay, or what is in its place, would say the same again: the end, or a longer wait.
    async fn refused(&mut self, failure: Failure) -> Result<(), Gone> {
        if !self.keep {
            return self.fail(failure).await;
        }
        let retry_in = match failure {
            Failure::NotAuthorised(_) => self.policy.backoff.asked(UNWELCOME, rand::random()),
            _ => self.policy.backoff.next(rand::random()),
        };
        self.hand_over().await?;
        self.tell(Signal::Refused { failure, retry_in }).await?;
        self.wait(retry_in).await
    }

    async fn stay_away(&mut self, why: String, asked: Option<Duration>) -> Result<(), Gone> {
        let dice = rand::random::<f64>();
        let retry_in = match asked {
            Some(asked) => self.policy.backoff.asked(asked, dice),
            None => self.policy.backoff.next(dice),
        };
        self.hand_over().await?;
        self.tell(Signal::Cut { why, retry_in }).await?;
        self.wait(retry_in).await
    }

    /// Waits, or until somebody wants the next attempt now.
    async fn wait(&mut self, time: Duration) -> Result<(), Gone> {
        let deadline = Instant::now() + time;
        // What was wanted while a socket stood is no reason to hurry now.
        self.retry = false;
        while !self.retry {
            tokio::select! {
                () = sleep_until(deadline) => return Ok(()),
                request = self.requests.recv() => {
                    self.on_request(request.ok_or(Gone)?);
                    // That there is no relay now is an answer too.
                    self.hand_over().await?;
                }
                () = self.signals.closed() => return Err(Gone),
            }
        }
        Ok(())
    }

    async fn pump(&mut self, mut socket: WebSocketStream<Stream>) -> Result<End, Gone> {
        self.session.on_open(self.now());
        loop {
            if self.hand_over().await.is_err() {
                let _ = timeout(GOODBYE, socket.close(None)).await;
                return Err(Gone);
            }
            while let Some(text) = self.session.poll_send() {
                match timeout(WRITE_TIMEOUT, socket.send(Message::text(text))).await {
                    Ok(Ok(())) => {}
                    // What the relay said before it went is still to be read.
                    Ok(Err(_)) => break,
                    Err(_) => return Ok(lost("the relay does not read")),
                }
            }
            let deadline = self.at(self.session.deadline());
            tokio::select! {
                message = socket.next() => {
                    if let Some(end) = self.on_message(message) {
                        return Ok(end);
                    }
                }
                request = self.requests.recv() => match request {
                    Some(request) => self.on_request(request),
                    None => {
                        let _ = timeout(GOODBYE, socket.close(None)).await;
                        return Err(Gone);
                    }
                },
                () = sleep_until(deadline) => {
                    let now = self.now();
                    if self.session.is_dead(now) {
                        return Ok(lost("nothing came from the relay for 40 s"));
                    }
                    self.session.on_deadline(now);
                }
            }
        }
    }

    fn on_message(&mut self, message: Option<Result<Message, WsError>>) -> Option<End> {
        self.arrived = std::time::Instant::now();
        let now = self.now();
        match message {
            Some(Ok(Message::Text(text))) => self.session.on_text(now, text.as_str()),
            Some(Ok(Message::Binary(bytes))) => self.session.on_binary(now, bytes),
            Some(Ok(Message::Close(frame))) => {
                let code = frame.as_ref().map(|frame| u16::from(frame.code));
                let said = frame
                    .map(|frame| clean(frame.reason.as_str()))
                    .unwrap_or_default();
                let code_text = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
                let why = format!(
                    "the relay closed the connection ({code_text}{}{said})",
                    sep(&said)
                );
                return Some(End { code, why });
            }
            Some(Ok(_)) => self.session.on_alive(now),
            Some(Err(error)) => return Some(lost(&broke(&error))),
            None => return Some(lost("the connection is gone")),
        }
        self.met |= self.session.is_greeted();
        None
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::Subscribe(call, want) => {
                self.sinks.on_subscribe(&call, want);
                self.session.subscribe(self.now(), call, want);
            }
            Request::Hear(call, want, sink) => {
                self.sinks.set(call.clone(), sink);
                self.session.subscribe(self.now(), call, want);
            }
            Request::Unsubscribe(call) => {
                self.sinks.drop(&call);
                self.session.unsubscribe(&call);
            }
            Request::Keep(call, saved) => self.session.keep(self.now(), call, saved),
            Request::Watch(levels_hz, call_sids) => self.session.watch(levels_hz, call_sids),
            Request::Retry(relay) => {
                self.relay = relay.unwrap_or_else(|| self.relay.clone());
                self.retry = true;
            }
        }
    }

    /// Hands over what the session has; waits for a reader that is slow.
    async fn hand_over(&mut self) -> Result<(), Gone> {
        while let Some(update) = self.session.poll_update() {
            // What was asked for came: a relay that only greets and fails again is stayed away from for longer
            // each time.
            if matches!(
                update,
                Update::Snapshot(_) | Update::Line { .. } | Update::Event { .. } | Update::Frame { .. }
            ) {
                self.policy.backoff.reset();
            }
            if let Some(update) = self.sinks.take(update, self.arrived) {
                self.tell(Signal::Update(update)).await?;
            }
        }
        Ok(())
    }

    /// Requests are taken meanwhile, so that a reader that is about to ask something cannot wait for us
    /// while we wait for it.
    async fn tell(&mut self, signal: Signal) -> Result<(), Gone> {
        let signals = self.signals.clone();
        if let Ok(permit) = signals.try_reserve() {
            permit.send(signal);
            return Ok(());
        }
        let permit = loop {
            tokio::select! {
                permit = signals.reserve() => break permit.map_err(|_| Gone)?,
                request = self.requests.recv() => self.on_request(request.ok_or(Gone)?),
            }
        };
        permit.send(signal);
        // We did not read meanwhile, so the relay's silence was ours.
        self.session.on_alive(self.now());
        Ok(())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn at(&self, ms: u64) -> Instant {
        let ahead = ms.saturating_sub(self.now()).min(FAR);
        Instant::now() + Duration::from_millis(ahead)
    }
}

fn sep(said: &str) -> &'static str {
    if said.is_empty() { "" } else { ": " }
}

fn lost(why: &str) -> End {
    End {
        code: None,
        why: why.to_owned(),
    }
}

fn given_up(code: u16, why: &str) -> Failure {
    match code {
        close::NOT_AUTHORISED => Failure::NotAuthorised(super::UNKNOWN.to_owned()),
        close::TOO_MANY => {
            Failure::Failed("this user has all the connections that it may have; end one of them".to_owned())
        }
        _ => Failure::Failed(format!("{why}; it would do so again")),
    }
}

/// What became of a connection. The libraries' words for one that broke off, with TLS and without, read like a fault of
/// ours.
fn broke(error: &WsError) -> String {
    match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            "the connection was lost".to_owned()
        }
        WsError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was lost".to_owned()
        }
        error => clean(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_breaks_off_is_no_fault_of_ours() {
        let eof = std::io::Error::new(ErrorKind::UnexpectedEof, "peer closed: https://docs.example/");
        let reset = ProtocolError::ResetWithoutClosingHandshake;
        for error in [WsError::Io(eof), WsError::Protocol(reset)] {
            assert_eq!(broke(&error), "the connection was lost");
        }
        let refused = std::io::Error::from(ErrorKind::ConnectionReset);
        assert!(broke(&WsError::Io(refused)).contains("reset"));
    }
}
