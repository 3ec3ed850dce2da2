//! The whole configuration as a file that could be read back: every setting with its value, and where that came
//! from. A token is in none of its lines; what was given by one stands there as a comment that says how to give
//! it. Pure: a configuration in, a text out.

use std::fmt::Write as _;
use std::time::Duration;

use toml::Value;

use super::dial::{NoticeTo, Route};
use super::keys::{DIAL_KEYS, SETTINGS};
use super::{Attach, AuditFail, Coalesce, Config, Engine, Foreign, JwksSource, LogFormat, Source};

/// Where a value is from that nobody gave.
const DEFAULT: &str = "default";

/// What a setting comes to.
enum Shown {
    /// A value that may stand there.
    Value(Value),
    /// Nobody said anything, and there is no default.
    Unset,
    /// It must not be shown: what there is, masked.
    Secret(String),
}

impl Config {
    /// The text of a TOML file that means this configuration, but for its secrets.
    pub fn print(&self) -> String {
        let mut text = String::from(
            "# Every setting, its value, and where that came from. Saved as a file it means the same again, but for\n\
             # what is not shown: give that as it is given now.\n",
        );
        for (name, _) in SETTINGS.iter().chain(DIAL_KEYS) {
            let from = self.from(name);
            // Into a `String` it does not fail.
            let _ = match self.shown(name) {
                // Said again it would count as said.
                Shown::Value(value) if from == DEFAULT => writeln!(text, "# {name} = {value}  # {from}"),
                Shown::Value(value) => writeln!(text, "{name} = {value}  # {from}"),
                Shown::Unset => writeln!(text, "# {name} is not set"),
                Shown::Secret(masked) => writeln!(text, "# {name} = {masked}  # {from}, not shown"),
            };
        }
        for (at, route) in self.dial.routes.iter().enumerate() {
            let place = self.routes_at.get(at).map_or("", String::as_str);
            let _ = writeln!(text, "\n[[routes]]  # {}", comment(place));
            for (key, value) in keys_of(route) {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }

    /// Which layer a setting is from, and where there.
    fn from(&self, name: &str) -> String {
        let source = self.source_of(name).unwrap_or(Source::Default);
        match source {
            Source::Default => DEFAULT.to_owned(),
            _ => format!("{source}: {}", comment(self.place_of(name))),
        }
    }

    fn shown(&self, name: &str) -> Shown {
        let dial = &self.dial;
        match name {
            "listen" => self.listen.to_string().into(),
            "public_url" => self.public_url.as_ref().map(ToString::to_string).into(),
            "twilio_account" => self.accounts_masked(),
            "twilio_auth_token_file" => self.accounts.file().map(path).into(),
            "foreign_streams" => match self.foreign_streams {
                Foreign::Deny => "deny".into(),
                Foreign::Allow => "allow".into(),
            },
            "tokens" => self.tokens.as_deref().map(path).into(),
            "jwks" => match &self.jwks {
                None => Shown::Unset,
                Some(JwksSource::File(file)) => path(file).into(),
                Some(JwksSource::Url(url)) if !url.contains('?') => url.clone().into(),
                Some(masked) => Shown::Secret(format!("{masked:?}")),
            },
            "jwt_secret_file" => self.jwt_secret_file.as_deref().map(path).into(),
            "jwt_issuer" => self.jwt_issuer.clone().into(),
            "jwt_audience" => self.jwt_audience.clone().into(),
            "tls_cert" => self.tls.as_ref().map(|tls| path(&tls.cert)).into(),
            "tls_key" => self.tls.as_ref().map(|tls| path(&tls.key)).into(),
            "trusted_proxy" => list(&self.trusted_proxies, ToString::to_string),
            "admin_listen" => self.admin_listen.map(|at| at.to_string()).into(),
            "audit" => self.audit.as_deref().map(path).into(),
            "audit_fail" => match self.audit_fail {
                AuditFail::Closed => "closed".into(),
                AuditFail::Open => "open".into(),
            },
            "allowed_origin" => list(&self.allowed_origins, super::AllowedOrigin::text),
            "retention" => duration(self.retention).into(),
            "history" => duration(self.history).into(),
            "attach" => match self.attach {
                Attach::Owned => "owned".into(),
                Attach::All => "all".into(),
                Attach::Never => "never".into(),
            },
            "state" => self.state.as_deref().map(path).into(),
            "twilio_api" => self.twilio_api.to_string().into(),
            "redis" => match &self.redis {
                Some(url) if url.is_secret() => Shown::Secret(url.to_string()),
                url => url.as_ref().map(ToString::to_string).into(),
            },
            "channel_prefix" => self.channel_prefix.clone().into(),
            "redis_rails_prefix" => self.redis_rails_prefix.clone().into(),
            "coalesce" => match self.coalesce {
                Coalesce::Off => "off".into(),
                Coalesce::Auto => "auto".into(),
                Coalesce::Always(window) => duration(window).into(),
            },
            "transcription" if self.transcription.is_empty() => list(&["none"], ToString::to_string),
            "transcription" => list(&self.transcription, |engine| match engine {
                Engine::Twilio => "twilio".to_owned(),
            }),
            "max_calls" => count(self.max_calls),
            "max_listeners" => count(self.max_listeners),
            "drain_timeout" => duration(self.drain_timeout).into(),
            "log_format" => match self.log_format {
                LogFormat::Text => "text".into(),
                LogFormat::Json => "json".into(),
            },
            "log_level" => self.log_level.clone().into(),
            "insecure" => Shown::Value(Value::Boolean(self.insecure)),
            "caller_id" => dial.caller_id.as_ref().map(|n| n.as_str().to_owned()).into(),
            "default_dial" => {
                let target = dial.default_dial.as_ref();
                target.map(|target| target.address().as_str().to_owned()).into()
            }
            "dial_allow" => list(&dial.dial_allow, |prefix| prefix.as_str().to_owned()),
            "notice" => dial.notice.clone().into(),
            "notice_language" => dial.notice_language.clone().into(),
            "notice_to" => match dial.notice_to {
                NoticeTo::Caller => "caller".into(),
                NoticeTo::Both => "both".into(),
            },
            // A test has every setting of the tables.
            _ => Shown::Unset,
        }
    }

    /// The accounts, with how many tokens each has.
    fn accounts_masked(&self) -> Shown {
        let mut accounts: Vec<(&str, usize)> = Vec::new();
        for (account, _) in self.accounts.all() {
            let account = account.unwrap_or("any account");
            match accounts.iter_mut().find(|(known, _)| *known == account) {
                Some((_, tokens)) => *tokens += 1,
                None => accounts.push((account, 1)),
            }
        }
        if accounts.is_empty() || self.source_of("twilio_account") == Some(Source::Default) {
            return Shown::Unset;
        }
        let masked = accounts.into_iter().map(|(account, tokens)| match tokens {
            1 => format!("{account}=…"),
            tokens => format!("{account}=… ({tokens} tokens)"),
        });
        Shown::Secret(masked.collect::<Vec<_>>().join(", "))
    }
}

fn keys_of(route: &Route) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::from(text);
    let mut keys = vec![
        ("to", text(route.to.as_str())),
        ("dial", text(route.dial.address().as_str())),
    ];
    keys.extend(route.customer_id.as_deref().map(|id| ("customer_id", text(id))));
    keys.extend(route.agent.map(|track| ("agent", text(track.as_str()))));
    keys
}

fn path(path: &std::path::Path) -> String {
    path.display().to_string()
}

fn count(n: usize) -> Shown {
    Shown::Value(Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// An empty list is written as one: it may have been said to beat a lower layer.
fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> Shown {
    Shown::Value(Value::Array(items.iter().map(text).map(Value::from).collect()))
}

fn duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    match (ms % 3_600_000, ms % 60_000, ms % 1000) {
        _ if ms == 0 => "0s".to_owned(),
        (0, ..) => format!("{}h", ms / 3_600_000),
        (_, 0, _) => format!("{}m", ms / 60_000),
        (.., 0) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// A comment ends with its line, and takes no other control characters either.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

impl From<String> for Shown {
    fn from(text: String) -> Shown {
        Shown::Value(Value::String(text))
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Shown {
        text.to_owned().into()
    }
}

impl From<Option<String>> for Shown {
    fn from(text: Option<String>) -> Shown {
        text.map_or(Shown::Unset, Shown::from)
    }
}
