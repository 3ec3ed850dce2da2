//! The flags of `partyline-relay serve`, as they stand on the command line. They are kept as texts and
//! checked with all the rest, so that every mistake is told at once and not only the first one.

use std::fmt;
use std::path::PathBuf;

use super::secret::Secret;

/// Take calls from Twilio and hand them to whoever may listen
///
/// Every flag can also be set in the environment (--max-calls is PARTYLINE_MAX_CALLS) and in the file given
/// by --config (max_calls = 100). A flag beats the environment, the environment beats the file. DURATION is
/// written 10s, 5m, 1h30m or 90d.
#[derive(Clone, Default, clap::Args)]
pub struct ServeArgs {
    /// Read a TOML file: the same names as the flags, and whom to dial (see assets/relay.toml)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where to listen; port 0 picks a free one, told on stdout [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,

    /// The origin that the world reaches this relay by, e.g. `https://calls.example.com`
    ///
    /// Twilio is told to call back and to stream there, its signatures are computed over it, and a browser's
    /// Origin must be it. Scheme, host and port only. With --insecure it may be left out: the listening
    /// address is used then.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,

    /// A Twilio account and its auth token, AC…=TOKEN; repeatable
    ///
    /// Account and token are checked as a pair. Two tokens, AC…=TOKEN,TOKEN, are taken while one is being
    /// replaced. Better kept out of the process list: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the
    /// environment, or --twilio-auth-token-file. TWILIO_AUTH_TOKEN (comma-separated) alone takes any account.
    #[arg(long, value_name = "AC…=TOKEN[,TOKEN]")]
    pub twilio_account: Vec<Secret>,

    /// Read the Twilio auth token from a file, one a line
    ///
    /// For the account TWILIO_ACCOUNT_SID where that is set, else for any account.
    #[arg(long, value_name = "FILE")]
    pub twilio_auth_token_file: Option<String>,

    /// Streams of calls whose TwiML is not ours: deny, or allow where the AccountSid is ours [default: deny]
    #[arg(long, value_name = "deny|allow")]
    pub foreign_streams: Option<String>,

    /// Who may listen: the file that `partyline-relay token add` writes; changes act within 5 s
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<String>,

    /// Also take the tokens (JWT) of a login elsewhere, by its key set
    ///
    /// A URL is https, or http on this machine. Kept for a while, and asked again when a key is not known.
    #[arg(long, value_name = "FILE|URL")]
    pub jwks: Option<String>,

    /// The same by a secret shared with that login, in a file
    #[arg(long, value_name = "FILE")]
    pub jwt_secret_file: Option<String>,

    /// What the `iss` of a login's tokens must be
    #[arg(long, value_name = "S")]
    pub jwt_issuer: Option<String>,

    /// What the `aud` of a login's tokens must be: without it, tokens made for other services are taken
    #[arg(long, value_name = "S")]
    pub jwt_audience: Option<String>,

    /// Speak https and wss: the certificate's chain, PEM; read again when the file changes
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<String>,

    /// The key of --tls-cert, PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,

    /// A proxy in front of this relay, an address or a network; repeatable
    ///
    /// X-Forwarded-For and X-Forwarded-Proto are believed from there and from nowhere else. Where --listen is
    /// not loopback, only those and this machine are served.
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<String>,

    /// Where /metrics and the detailed /readyz are served, to nobody but those who reach it [default: off]
    #[arg(long, value_name = "ADDR")]
    pub admin_listen: Option<String>,

    /// Write down who heard what, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub audit: Option<String>,

    /// While that file cannot be written: closed refuses new listening, open goes on [default: closed]
    #[arg(long, value_name = "closed|open")]
    pub audit_fail: Option<String>,

    /// Another web origin that may connect, exact or as /regex/ for the whole Origin; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub allowed_origin: Vec<String>,

    /// How long ended calls stay visible [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub retention: Option<String>,

    /// How much audio of each track is remembered, for replay and late joiners [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub history: Option<String>,

    /// Let frames for one listener leave together: off, auto, or how long one may wait for others [default: auto]
    ///
    /// Saves work, and costs as much delay. auto: only while the machine is busy, and 20ms then.
    #[arg(long, value_name = "off|auto|DURATION")]
    pub coalesce: Option<String>,

    /// Whose lost streams are asked for again by Twilio's REST API: owned, all or never [default: owned]
    ///
    /// owned: of calls that this relay has had; with --state also of those before it was restarted. all: of every
    /// call of the account that is in progress.
    #[arg(long, value_name = "owned|all|never")]
    pub attach: Option<String>,

    /// Remember here which calls are in progress, for the next start
    #[arg(long, value_name = "FILE")]
    pub state: Option<String>,

    /// Where Twilio's REST API is [default: `https://api.twilio.com`]
    #[arg(long, value_name = "URL")]
    pub twilio_api: Option<String>,

    /// Share calls with other relays over this Redis or Valkey, `redis://HOST` or `rediss://HOST` (TLS)
    ///
    /// USER:PASSWORD@ may stand before the host, :PORT and /DB after it. Better kept out of the process list: REDIS_URL or
    /// PARTYLINE_REDIS in the environment. One server or primary: no Sentinel, no Cluster.
    #[arg(long, value_name = "URL")]
    pub redis: Option<Secret>,

    /// What all keys and channels in Redis begin with: relays that share calls have the same [default: partyline]
    #[arg(long, value_name = "P")]
    pub channel_prefix: Option<String>,

    /// Also publish over that Redis as Rails' ActionCable with this channel_prefix would [default: off]
    #[arg(long, value_name = "P")]
    pub redis_rails_prefix: Option<String>,

    /// Who writes the transcript: twilio or none [default: twilio]
    #[arg(long, value_name = "ENGINE")]
    pub transcription: Vec<String>,

    /// Calls streamed at once; further ones are connected all the same, without a stream [default: 10000]
    #[arg(long, value_name = "N")]
    pub max_calls: Option<String>,

    /// Listeners connected at once; further ones are refused [default: 10000]
    #[arg(long, value_name = "N")]
    pub max_listeners: Option<String>,

    /// How long live streams may go on once the relay is told to stop [default: 15m]
    #[arg(long, value_name = "DURATION")]
    pub drain_timeout: Option<String>,

    /// How log lines on stderr look: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// What is logged: error, warn, info, debug or trace, also by part: info,partyline_relay=debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// For development: no signatures, no tokens, any number may be dialled
    ///
    /// Unsigned requests, streams of calls never heard of, and listeners without a token (as admin) are let
    /// in. Only on a loopback --listen; requests that came through a proxy, with another Host than this
    /// machine's, or from a foreign web page are refused.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub insecure: Option<String>,
}

/// Nothing of what was said: tokens stand there, keys to keys and numbers.
impl fmt::Debug for ServeArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeArgs").finish_non_exhaustive()
    }
}

impl ServeArgs {
    /// What the command line says of a setting, each occurrence a text; `None` where it says nothing.
    pub(super) fn flag(&self, name: &str) -> Option<Vec<String>> {
        let one = |text: &Option<String>| text.clone().map(|t| vec![t]);
        let many = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
        match name {
            "listen" => one(&self.listen),
            "public_url" => one(&self.public_url),
            "twilio_account" => {
                let texts: Vec<String> = self
                    .twilio_account
                    .iter()
                    .map(|s| s.expose().to_owned())
                    .collect();
                many(&texts)
            }
            "twilio_auth_token_file" => one(&self.twilio_auth_token_file),
            "foreign_streams" => one(&self.foreign_streams),
            "redis" => self.redis.as_ref().map(|url| vec![url.expose().to_owned()]),
            "channel_prefix" => one(&self.channel_prefix),
            "redis_rails_prefix" => one(&self.redis_rails_prefix),
            "tokens" => one(&self.tokens),
            "jwks" => one(&self.jwks),
            "jwt_secret_file" => one(&self.jwt_secret_file),
            "jwt_issuer" => one(&self.jwt_issuer),
            "jwt_audience" => one(&self.jwt_audience),
            "tls_cert" => one(&self.tls_cert),
            "tls_key" => one(&self.tls_key),
            "admin_listen" => one(&self.admin_listen),
            "attach" => one(&self.attach),
            "state" => one(&self.state),
            "twilio_api" => one(&self.twilio_api),
            "drain_timeout" => one(&self.drain_timeout),
            "trusted_proxy" => many(&self.trusted_proxy),
            "audit" => one(&self.audit),
            "audit_fail" => one(&self.audit_fail),
            "allowed_origin" => many(&self.allowed_origin),
            "retention" => one(&self.retention),
            "history" => one(&self.history),
            "coalesce" => one(&self.coalesce),
            "transcription" => many(&self.transcription),
            "max_calls" => one(&self.max_calls),
            "max_listeners" => one(&self.max_listeners),
            "log_format" => one(&self.log_format),
            "log_level" => one(&self.log_level),
            "insecure" => one(&self.insecure),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::SETTINGS;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        serve: ServeArgs,
    }

    /// A flag that clap knows and the checks do not would be taken and then ignored.
    #[test]
    fn every_flag_is_a_setting_and_every_setting_a_flag() {
        let command = <Cli as clap::CommandFactory>::command();
        let mut flags: Vec<String> = command
            .get_arguments()
            .filter_map(|a| a.get_long())
            .filter(|name| *name != "config")
            .map(|name| name.replace('-', "_"))
            .collect();
        flags.sort();
        let mut settings: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
        settings.sort_unstable();
        assert_eq!(flags, settings);

        for name in settings {
            let flag = format!("--{}=x", name.replace('_', "-"));
            let cli = Cli::try_parse_from(["relay", &flag]).unwrap();
            assert_eq!(cli.serve.flag(name), Some(vec!["x".to_owned()]), "{name}");
            assert_eq!(ServeArgs::default().flag(name), None, "{name}");
        }
    }

    #[test]
    fn insecure_needs_no_value_and_help_hides_nothing_needed() {
        let cli = Cli::try_parse_from(["relay", "--insecure", "--listen", "[::1]:0"]).unwrap();
        assert_eq!(cli.serve.flag("insecure"), Some(vec!["true".to_owned()]));
        let help = <Cli as clap::CommandFactory>::command()
            .render_long_help()
            .to_string();
        for wanted in [
            "default: 127.0.0.1:8080",
            "default: 1h",
            "default: 10000",
            "TWILIO_AUTH_TOKEN",
            "AC…=TOKEN",
        ] {
            assert!(help.contains(wanted), "{wanted} is not in\n{help}");
        }
    }

    #[test]
    fn a_print_of_the_flags_shows_no_token() {
        let args = [
            "relay",
            "--twilio-account",
            "AC1=topsecret",
            "--jwks",
            "https://x/?topsecret",
            "--redis",
            "redis://:topsecret@x",
        ];
        let cli = Cli::try_parse_from(args).unwrap();
        assert!(!format!("{:?}", cli.serve).contains("topsecret"));
    }
}
