//! What a listener is told of the relays that share calls: how the one that it is at stands with the others. Asks nobody:
//! whoever keeps them in step says so, and has listeners looked at again.

use partyline_shared::protocol::server::ServerMessage;

use super::Session;

impl Session {
    /// How the relay stands with the others, where that is news.
    pub(super) fn tell_relays(&mut self) {
        let relays = self.host.relays.as_ref().map(|relays| *relays.borrow());
        if relays != self.relays {
            self.relays = relays;
            relays
                .into_iter()
                .for_each(|relays| self.say(&ServerMessage::Relays(relays)));
        }
    }
}
