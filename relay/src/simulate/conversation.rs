//! A spoken call that lies in the program: its two recordings and what is said in them.

use std::fmt;

/// Two recordings of one call, and its script.
#[derive(Clone, Copy)]
pub struct Conversation {
    /// A WAV file: what the agent says.
    pub agent: &'static [u8],
    /// A WAV file, as long as the agent's: what the customer says.
    pub customer: &'static [u8],
    /// What is said and when, as `--script` reads it.
    pub script: &'static str,
}

impl Default for Conversation {
    /// A tent that has not arrived: what is played where nothing else is given.
    fn default() -> Self {
        Conversation {
            agent: include_bytes!("../../../assets/conversation/agent.wav"),
            customer: include_bytes!("../../../assets/conversation/customer.wav"),
            script: include_str!("../../../assets/conversation/script.toml"),
        }
    }
}

/// Without the samples.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("agent_bytes", &self.agent.len())
            .field("customer_bytes", &self.customer.len())
            .finish_non_exhaustive()
    }
}
