//! The command's flags, and the account that it plays for.

use std::path::PathBuf;
use std::time::Duration;

use super::conversation::Conversation;

/// Play the whole part of Twilio against a relay: voice webhook, stream and callbacks, in real time.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The relay to call: connections go here whatever the TwiML says
    #[arg(
        long,
        env = "PARTYLINE_RELAY",
        hide_env_values = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub relay: String,
    /// The relay's public origin, which signatures are computed over [default: --relay]
    #[arg(
        long,
        env = "PARTYLINE_PUBLIC_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub public_url: Option<String>,
    /// Play Twilio, or a source at the relay's API
    #[arg(long, env = "PARTYLINE_VIA", value_name = "WAY", default_value = "twilio")]
    pub via: Via,
    /// The token that --check listens with, and --via api publishes by
    #[arg(long, env = "PARTYLINE_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Number media chunks on each track, or over both
    #[arg(
        long,
        env = "PARTYLINE_CHUNKS",
        value_name = "HOW",
        default_value = "per-track"
    )]
    pub chunks: Chunks,
    /// How many calls at once
    #[arg(long, env = "PARTYLINE_CALLS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub calls: u32,
    /// Whose call it is: a parameter of the softphone's, else in the webhook's query [default with --via api: simulated]
    #[arg(
        long,
        env = "PARTYLINE_CUSTOMER_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub customer_id: Option<String>,
    /// Who calls; the agent is on the inbound track where this is a `client:`
    #[arg(
        long,
        env = "PARTYLINE_FROM",
        hide_env_values = true,
        value_name = "ADDRESS",
        default_value = "client:agent"
    )]
    pub from: String,
    /// Who is called
    #[arg(
        long,
        env = "PARTYLINE_TO",
        hide_env_values = true,
        value_name = "ADDRESS",
        default_value = "+12125550123"
    )]
    pub to: String,
    /// What the customer says; WAV of any rate and width
    #[arg(long, env = "PARTYLINE_CUSTOMER", value_name = "FILE.wav")]
    pub customer: Option<PathBuf>,
    /// What the agent says. With neither, a built-in conversation is played
    #[arg(long, env = "PARTYLINE_AGENT", value_name = "FILE.wav")]
    pub agent: Option<PathBuf>,
    /// The words to be transcribed: TOML, tables `lines` with at_ms, until_ms, who (agent or customer), text
    #[arg(long, env = "PARTYLINE_SCRIPT", value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// How long the call lasts, e.g. 30s or 1h30m [default: as long as the audio]
    #[arg(long, env = "PARTYLINE_DURATION", value_name = "DURATION", value_parser = partyline_shared::duration::parse)]
    pub duration: Option<Duration>,
    /// Repeat the audio until --duration or Ctrl-C
    #[arg(long = "loop", env = "PARTYLINE_LOOP")]
    pub repeat: bool,
    /// Listen too, and fail unless all that was sent arrived
    #[arg(long, env = "PARTYLINE_CHECK")]
    pub check: bool,
    /// What is played with neither WAV; no flag
    #[arg(skip)]
    pub conversation: Conversation,
}

impl Args {
    /// One call of the built-in conversation to the relay at `relay`; all else as without flags.
    pub fn new(relay: impl Into<String>) -> Self {
        Args {
            relay: relay.into(),
            public_url: None,
            via: Via::Twilio,
            token_file: None,
            chunks: Chunks::PerTrack,
            calls: 1,
            customer_id: None,
            from: "client:agent".into(),
            to: "+12125550123".into(),
            customer: None,
            agent: None,
            script: None,
            duration: None,
            repeat: false,
            check: false,
            conversation: Conversation::default(),
        }
    }
}

/// Whose part is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Via {
    /// Twilio's.
    Twilio,
    /// That of a source at `/api/v1/call_streams`.
    Api,
}

/// How `media.chunk` counts where there are two tracks; nobody documents which of the two Twilio does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Chunks {
    /// Each track from 1.
    PerTrack,
    /// Both tracks together from 1.
    Global,
}

/// The Twilio account that is played: its SID is in every request, its token signs them.
#[derive(Clone, Default)]
pub struct Account {
    /// `AC…`; a fixed one without.
    pub sid: Option<String>,
    /// Signs; nothing is signed without.
    pub token: Option<String>,
}

impl Account {
    /// From `TWILIO_ACCOUNT_SID` and `TWILIO_AUTH_TOKEN`. Of several tokens, comma-separated as the relay
    /// takes them, the first signs: it is the primary one.
    pub fn from_env() -> Self {
        let filled = |name| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        Account {
            sid: filled("TWILIO_ACCOUNT_SID").map(|sid| sid.trim().to_owned()),
            token: filled("TWILIO_AUTH_TOKEN")
                .and_then(|all| all.split(',').next().map(|first| first.trim().to_owned())),
        }
    }
}

/// Without the token.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("sid", &self.sid)
            .field("signs", &self.token.is_some())
            .finish()
    }
}
