//! Where a stream's socket waits until it has said `start`, and how much it may say until then.

use crate::limits::preauth;
use crate::metrics::Held;

/// Where a socket waits until it has said `start`.
#[derive(Debug)]
pub enum Seat {
    /// Among the signed ones, with what it may still say, bytes.
    Signed(Held, usize),
    /// Among those that have shown nothing.
    Unknown(preauth::Seat),
}

impl Seat {
    /// Counts a message that comes before the start.
    pub(super) fn heard(&mut self, cost: usize) -> Result<(), preauth::TooMuch> {
        match self {
            Seat::Signed(_, left) => {
                *left = left.checked_sub(cost).ok_or(preauth::TooMuch)?;
                Ok(())
            }
            Seat::Unknown(seat) => seat.heard(cost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::preauth::PROVEN_MESSAGE;
    use crate::metrics::Metrics;
    use crate::ws::Message;

    #[test]
    fn who_has_a_signature_may_not_talk_for_ever_before_the_start_either() {
        let held = Metrics::default().streams_waiting.try_hold(1).unwrap();
        let mut seat = Seat::Signed(held, PROVEN_MESSAGE);
        let head = Message::Text("").cost();
        let all = "x".repeat(PROVEN_MESSAGE - head);
        assert!(seat.heard(Message::Text(&all).cost()).is_ok());
        assert!(
            seat.heard(Message::Ping.cost()).is_err(),
            "anything more is too much"
        );
    }
}
