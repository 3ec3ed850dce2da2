//! Action Cable's JSON, both ways. An identifier is text that is echoed and never read here; what a client says that is
//! no command is nothing, and never an error: the protocol has no answer for it.

use serde_json::Value;

use crate::broadcast::put_string;

/// What a client asks for. `message` is no command here, since no channel of ours takes any.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// To hear what this identifier names.
    Subscribe(String),
    /// Not to any more.
    Unsubscribe(String),
}

/// Why a socket is ended, and whether its client is to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect {
    /// For the client's program.
    pub reason: &'static str,
    /// Whether to come back.
    pub reconnect: bool,
}

impl Disconnect {
    /// Who it is, is not known or no longer.
    pub const UNAUTHORIZED: Disconnect = Disconnect::for_good("unauthorized");
    /// It says what nobody may.
    pub const INVALID: Disconnect = Disconnect::for_good("invalid_request");
    /// An admin has ended it.
    pub const REMOTE: Disconnect = Disconnect::for_good("remote");
    /// The relay leaves.
    pub const RESTART: Disconnect = Disconnect::for_now("server_restart");
    /// It cannot take its lines.
    pub const TOO_SLOW: Disconnect = Disconnect::for_now("too_slow");
    /// No sign of life.
    pub const NO_PONG: Disconnect = Disconnect::for_now("no_pong");

    const fn for_good(reason: &'static str) -> Disconnect {
        Disconnect {
            reason,
            reconnect: false,
        }
    }

    const fn for_now(reason: &'static str) -> Disconnect {
        Disconnect {
            reason,
            reconnect: true,
        }
    }

    /// The message that says so.
    pub fn text(self) -> String {
        let Disconnect { reason, reconnect } = self;
        format!(r#"{{"type":"disconnect","reason":"{reason}","reconnect":{reconnect}}}"#)
    }
}

/// The first message.
pub const WELCOME: &str = r#"{"type":"welcome"}"#;

/// Reads a client's message; `None` for whatever is no command with an identifier.
pub fn read(text: &str) -> Option<Command> {
    let mut said: Value = serde_json::from_str(text).ok()?;
    let Value::String(identifier) = said.get_mut("identifier")?.take() else {
        return None;
    };
    match said.get("command")?.as_str()? {
        "subscribe" => Some(Command::Subscribe(identifier)),
        "unsubscribe" => Some(Command::Unsubscribe(identifier)),
        _ => None,
    }
}

/// A ping, `seconds` since 1970.
pub fn ping(seconds: i64) -> String {
    format!(r#"{{"type":"ping","message":{seconds}}}"#)
}

/// A subscription stands.
pub fn confirmation(identifier: &str) -> String {
    let mut text = about(identifier);
    text.push_str(r#","type":"confirm_subscription"}"#);
    text
}

/// It does not, or no longer.
pub fn rejection(identifier: &str) -> String {
    let mut text = about(identifier);
    text.push_str(r#","type":"reject_subscription"}"#);
    text
}

/// `payload`, which is JSON, on a subscription.
pub fn data(identifier: &str, payload: &str) -> String {
    let mut text = data_head(identifier);
    text.push_str(payload);
    text.push('}');
    text
}

/// What stands before the payload.
pub fn data_head(identifier: &str) -> String {
    let mut text = about(identifier);
    text.push_str(r#","message":"#);
    text
}

fn about(identifier: &str) -> String {
    let mut text = String::from(r#"{"identifier":"#);
    put_string(&mut text, identifier);
    text
}

#[cfg(test)]
mod tests;
