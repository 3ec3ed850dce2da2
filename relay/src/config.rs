//! The relay's configuration: one immutable value, checked as a whole, that knows where each part of it came
//! from. Flag beats environment beats file beats default; everything that is wrong is told at once. Reads
//! nothing by itself: environment and files are handed in, so a test needs neither.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`args`] | the flags, as texts |
//! | `file`, `keys` | the TOML file with its lines · every setting's name and kind |
//! | [`source`] | the layers, and which one won |
//! | [`accounts`], [`dial`], [`origins`] | Twilio accounts · who is rung and what is said · web origins |
//! | [`bearers`], [`cidr`] | tokens, keys and the audit · the networks of proxies |
//! | [`redis`] | where calls are shared between relays, and by which names |
//! | [`service`] | certificate and key · what is done about lost streams |
//! | [`print`](mod@print) | the whole as a file, with where each part came from |
//! | `start` | what a relay needs before it starts |
//! | [`values`], [`secret`] | how values are written · texts that must not be printed |
//! | [`problem`] | all that is wrong, and how to fix it |

pub mod accounts;
pub mod args;
pub mod bearers;
pub mod cidr;
pub mod dial;
mod file;
mod keys;
pub mod origins;
pub mod print;
pub mod problem;
pub mod redis;
pub mod secret;
pub mod service;
pub mod source;
mod start;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
pub mod values;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use accounts::Accounts;
pub use args::ServeArgs;
pub use bearers::{AuditFail, Foreign, JwksSource};
pub use cidr::Cidr;
pub use dial::DialRules;
pub use origins::{AllowedOrigin, Origin};
pub use problem::{Fault, Problem, Problems};
pub use redis::RedisUrl;
pub use secret::Secret;
pub use service::{Attach, TlsFiles};
pub use source::Source;
pub use values::{Coalesce, Engine, LogFormat};

use file::File;
use source::{Layers, Sources};

/// Where the relay listens unless told: this machine only, as a thing without tokens should.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// How long ended calls stay visible, the contract's.
const RETENTION: Duration = Duration::from_secs(3600);
/// How much audio of a track is remembered, the contract's: 80 KB a track.
const HISTORY: Duration = Duration::from_secs(10);
/// Calls streamed at once, and listeners connected at once: more than one machine is meant for, so that only
/// a flood meets them, and a ceiling on what that flood can make the relay remember.
const MAX_CALLS: usize = 10_000;
const MAX_LISTENERS: usize = 10_000;
/// How long live streams may go on while the relay leaves, the contract's: nearly every call is over by then.
const DRAIN: Duration = Duration::from_secs(15 * 60);

/// Everything that `serve` is told, checked. Swapped as a whole, never changed.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// The origin that the world reaches the relay by.
    pub public_url: Option<Origin>,
    /// Development: nothing is asked of anybody, on loopback.
    pub insecure: bool,
    /// Whose requests are Twilio's.
    pub accounts: Accounts,
    /// Streams for calls whose TwiML is not ours.
    pub foreign_streams: Foreign,
    /// Who may listen, the file that `token add` writes. It was there when this was read.
    pub tokens: Option<PathBuf>,
    /// The keys of a login elsewhere; a file was there when this was read.
    pub jwks: Option<JwksSource>,
    /// A file with the secret that another login signs with.
    pub jwt_secret_file: Option<PathBuf>,
    /// What a JWT's `iss` must be.
    pub jwt_issuer: Option<String>,
    /// What a JWT's `aud` must be or have.
    pub jwt_audience: Option<String>,
    /// Certificate and key, where the relay speaks TLS by itself.
    pub tls: Option<TlsFiles>,
    /// From where X-Forwarded-For and -Proto are believed. Where [`Config::only_proxies`], who else connects is
    /// not served.
    pub trusted_proxies: Vec<Cidr>,
    /// Where operators ask how it is; port 0 picks one.
    pub admin_listen: Option<SocketAddr>,
    /// Where it is written who heard what.
    pub audit: Option<PathBuf>,
    /// What becomes of new listening while that cannot be written.
    pub audit_fail: AuditFail,
    /// Other web origins that may connect.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// How long ended calls stay visible.
    pub retention: Duration,
    /// How much audio of each track is remembered.
    pub history: Duration,
    /// Whether frames for one listener may wait for one another.
    pub coalesce: Coalesce,
    /// Whose lost streams are asked for again.
    pub attach: Attach,
    /// Which calls are in progress, for the next start.
    pub state: Option<PathBuf>,
    /// Where Twilio's REST API is.
    pub twilio_api: Origin,
    /// Where calls are shared with other relays.
    pub redis: Option<RedisUrl>,
    /// What all keys and channels begin with there.
    pub channel_prefix: String,
    /// As what Rails' ActionCable would publish, where it is told to.
    pub redis_rails_prefix: Option<String>,
    /// Who writes the transcript, in fail-over order; empty for nobody.
    pub transcription: Vec<Engine>,
    /// Calls streamed at once; at least 1.
    pub max_calls: usize,
    /// Listeners connected at once; at least 1.
    pub max_listeners: usize,
    /// How long live streams may go on once the relay is told to stop.
    pub drain_timeout: Duration,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged, as `tracing` takes it: a level, or parts with levels, comma-separated.
    pub log_level: String,
    /// Who is rung, and what is said.
    pub dial: DialRules,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What is taken but deserves a word, for the log.
    pub warnings: Vec<String>,
    sources: Sources,
    /// Where each route stands.
    routes_at: Vec<String>,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`Problems`], all of them, each with its place and its remedy; exit with [`problem::EXIT_CODE`].
    pub fn load(
        args: &ServeArgs,
        env: &dyn Fn(&str) -> Option<String>,
        read_file: &dyn Fn(&Path) -> io::Result<String>,
    ) -> Result<Config, Problems> {
        match Config::inspect(args, env, read_file) {
            (config, problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }

    /// The same for who wants to know all that is wrong: what is wrong has its default in the configuration, and
    /// nobody may serve by it.
    pub fn inspect(
        args: &ServeArgs,
        env: &dyn Fn(&str) -> Option<String>,
        read_file: &dyn Fn(&Path) -> io::Result<String>,
    ) -> (Config, Problems) {
        let mut problems = Problems::default();
        let path = args.config.clone().or_else(|| {
            let variable = env(&source::variable("config"));
            variable.filter(|path| !path.is_empty()).map(PathBuf::from)
        });
        let file = match &path {
            Some(path) => read_toml(path, read_file, &mut problems),
            None => File::default(),
        };
        let mut layers = Layers {
            args,
            env,
            file,
            problems,
            sources: BTreeMap::new(),
        };

        let mut warnings = Vec::new();
        let accounts = Accounts::read(&mut layers, read_file, &mut warnings);
        let transcription = layers.list("transcription", values::engine);
        let transcription = match transcription {
            Some((place, named)) => values::engines(&named).unwrap_or_else(|fault| {
                // An item that was told already left an empty list; once is enough.
                if !layers.problems.iter().any(|p| p.place == place) {
                    layers.problems.add(place, fault);
                }
                Vec::new()
            }),
            None => vec![Engine::Twilio],
        };
        let how = "make it, partyline-relay token add --tokens FILE --name NAME --role admin";
        let tokens = bearers::file(&mut layers, "tokens", read_file, how);
        let jwks = bearers::keys(&mut layers, read_file);
        let how = "write the login's secret into it, readable by this user alone";
        let jwt_secret_file = bearers::file(&mut layers, "jwt_secret_file", read_file, how);
        let redis = redis::url(&mut layers, &mut warnings);
        let routes_at = layers.routes_at();
        let mut config = Config {
            listen: layers.one("listen", LISTEN, values::listen),
            public_url: layers.one("public_url", None, |text| values::public_url(text).map(Some)),
            insecure: layers.one("insecure", false, values::switch),
            accounts,
            foreign_streams: layers.one("foreign_streams", Foreign::Deny, bearers::foreign),
            tokens,
            jwks,
            jwt_secret_file,
            jwt_issuer: layers.one("jwt_issuer", None, bearers::claim),
            jwt_audience: layers.one("jwt_audience", None, bearers::claim),
            tls: service::tls(&mut layers),
            admin_listen: layers.one("admin_listen", None, |text| values::listen(text).map(Some)),
            trusted_proxies: layers
                .list("trusted_proxy", Cidr::parse)
                .map(|(_, cidrs)| cidrs)
                .unwrap_or_default(),
            audit: layers.one("audit", None, |text| bearers::path(text).map(Some)),
            audit_fail: layers.one("audit_fail", AuditFail::Closed, bearers::audit_fail),
            allowed_origins: layers
                .list("allowed_origin", AllowedOrigin::parse)
                .map(|(_, origins)| origins)
                .unwrap_or_default(),
            retention: layers.one("retention", RETENTION, values::duration),
            history: layers.one("history", HISTORY, values::duration),
            coalesce: layers.one("coalesce", Coalesce::Auto, values::coalesce),
            attach: layers.one("attach", Attach::Owned, service::attach),
            state: layers.one("state", None, |text| bearers::path(text).map(Some)),
            twilio_api: layers.one("twilio_api", service::twilio_api(), service::api),
            redis,
            channel_prefix: layers.one("channel_prefix", redis::PREFIX.to_owned(), redis::prefix),
            redis_rails_prefix: layers.one("redis_rails_prefix", None, |text| redis::prefix(text).map(Some)),
            transcription,
            max_calls: layers.one("max_calls", MAX_CALLS, values::count),
            max_listeners: layers.one("max_listeners", MAX_LISTENERS, values::count),
            drain_timeout: layers.one("drain_timeout", DRAIN, values::duration),
            log_format: layers.one("log_format", LogFormat::Text, values::log_format),
            log_level: layers.one("log_level", "info".to_owned(), values::log_level),
            dial: DialRules::read(&mut layers),
            file: path,
            warnings,
            sources: std::mem::take(&mut layers.sources),
            routes_at,
        };
        start::check(&config, &mut layers.problems);
        let more = start::warnings(&config);
        config.warnings.extend(more);
        (config, layers.problems)
    }

    /// Where a setting came from, by its name in the file (`"max_calls"`); `None` where there is no such
    /// setting. Routes have no name: they are the file's.
    pub fn source_of(&self, name: &str) -> Option<Source> {
        self.sources.get(name).map(|(source, _)| *source)
    }

    /// Where that is, as people say it: `--max-calls`, `PARTYLINE_MAX_CALLS`, `relay.toml line 3`; empty for a
    /// default.
    pub fn place_of(&self, name: &str) -> &str {
        self.sources.get(name).map_or("", |(_, place)| place)
    }

    /// What follows `wss://` in what Twilio is told: the public URL's host, without one the address that
    /// is listened on.
    pub fn host(&self, listening: SocketAddr) -> String {
        self.public_url
            .as_ref()
            .map_or_else(|| listening.to_string(), |url| url.authority().to_owned())
    }

    /// What Twilio's callbacks begin with, without a slash at the end: the public URL, without one the
    /// address that is listened on.
    pub fn base(&self, listening: SocketAddr) -> String {
        self.public_url.as_ref().map_or_else(
            || format!("{}://{listening}", crate::tls::scheme(self.tls.is_some())),
            Origin::to_string,
        )
    }

    /// Whether only the proxies and this machine are served: what is said between them and the relay can be
    /// read on the way, and --listen can be reached from outside.
    pub fn only_proxies(&self) -> bool {
        self.tls.is_none() && !self.listen.ip().is_loopback()
    }
}

fn read_toml(path: &Path, read_file: &dyn Fn(&Path) -> io::Result<String>, problems: &mut Problems) -> File {
    let name = path.display().to_string();
    match read_file(path) {
        Ok(text) => File::read(name, &text, problems),
        Err(error) => {
            let fix = "name a file that exists and that this user can read";
            problems.add(
                format!("--config {name}"),
                Fault::new(format!("it cannot be read: {error}"), fix),
            );
            File::default()
        }
    }
}
