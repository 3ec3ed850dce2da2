//! What the tests' calls say.

use std::path::PathBuf;

use partyline_shared::audio::{g711, wav};

use super::stand_in::StandIn;
use crate::simulate::Args;

/// Two recordings and a script, and the bytes that they are on the wire.
pub(super) struct Recordings {
    pub(super) folder: PathBuf,
    pub(super) agent: Vec<u8>,
    pub(super) customer: Vec<u8>,
}

impl Recordings {
    pub(super) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("partyline-simulate-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // The agent's is µ-law and no whole frames; the customer's is linear and shorter.
        let agent: Vec<u8> = (0..2500_u32).map(|n| (n * 7 % 256) as u8).collect();
        let mut file = wav::header(1, agent.len() as u32).to_vec();
        file.splice(20..22, 7_u16.to_le_bytes());
        file.splice(34..36, 8_u16.to_le_bytes());
        file.extend(&agent);
        std::fs::write(folder.join("agent.wav"), file).unwrap();
        let samples: Vec<i16> = (0..1600).map(|n| (n * 19 % 30_000) as i16 - 15_000).collect();
        let mut file = wav::header(1, samples.len() as u32 * 2).to_vec();
        file.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        std::fs::write(folder.join("customer.wav"), file).unwrap();
        let script = "[[lines]]\nat_ms = 20\nuntil_ms = 200\nwho = \"agent\"\ntext = \"one two\"\n\
                      [[lines]]\nat_ms = 60\nuntil_ms = 160\nwho = \"customer\"\ntext = \"three\"\n\
                      [[lines]]\nat_ms = 220\nuntil_ms = 9000\nwho = \"agent\"\ntext = \"never to be heard whole\"\n";
        std::fs::write(folder.join("script.toml"), script).unwrap();
        Recordings {
            folder,
            agent,
            customer: samples.iter().map(|s| g711::encode(*s)).collect(),
        }
    }

    pub(super) fn args(&self, relay: &StandIn) -> Args {
        let mut args = Args::new(relay.url.clone());
        args.agent = Some(self.folder.join("agent.wav"));
        args.customer = Some(self.folder.join("customer.wav"));
        args.script = Some(self.folder.join("script.toml"));
        args
    }
}

impl Drop for Recordings {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
