//! A message of the listener's protocol, encoded once for all who are told it, with the JSON of what it is
//! about, which other doors show alone.

use std::sync::Arc;

/// Cloning is a reference count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    message: Arc<str>,
    /// Where in it the JSON begins; it ends before the last brace.
    start: usize,
}

impl Encoded {
    /// `head` is the message up to `json`, which is its last value.
    pub fn new(head: &str, json: &str) -> Encoded {
        Encoded {
            message: [head, json, "}"].concat().into(),
            start: head.len(),
        }
    }

    /// The whole message.
    pub fn message(&self) -> &Arc<str> {
        &self.message
    }

    /// What it is about, alone.
    pub fn json(&self) -> &str {
        let end = self.message.len().saturating_sub(1);
        self.message.get(self.start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_holds_what_it_is_about() {
        let told = Encoded::new(r#"{"type":"call","call":"#, r#"{"call_sid":"CA1"}"#);
        assert_eq!(&**told.message(), r#"{"type":"call","call":{"call_sid":"CA1"}}"#);
        assert_eq!(told.json(), r#"{"call_sid":"CA1"}"#);
    }
}
