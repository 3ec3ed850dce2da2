//! Where Redis is that relays share calls over, and by which names. The address may hold a user and a password: nothing
//! of what was written is quoted where it is wrong, and no print shows them.

use std::fmt;

use super::origins::is_loopback;
use super::problem::Fault;
use super::source::{Found, Layers, Source};

/// What all keys and channels begin with unless told, the contract's.
pub(super) const PREFIX: &str = "partyline";
/// The longest prefix, characters: it is in every key.
const MAX_PREFIX: usize = 64;
/// Redis' own port.
const PORT: u16 = 6379;
/// The variable that other programs know as well.
const VARIABLE: &str = "REDIS_URL";

/// How an address is written.
const HOW: &str = "write redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS; what is no letter or digit in user or \
                   password is written %XX";

/// Where Redis is, and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    /// Whether it is TLS.
    pub secure: bool,
    /// A name or address, without brackets.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// The database.
    pub db: u32,
    /// The ACL user; `None` for Redis' default one.
    pub user: Option<String>,
    /// The password; `None` where nothing is asked.
    pub password: Option<String>,
}

impl RedisUrl {
    /// Whether there is something that must not be shown.
    pub fn is_secret(&self) -> bool {
        self.user.is_some() || self.password.is_some()
    }

    /// Reads `redis://[user:password@]host[:port][/db]`, or `rediss://`.
    ///
    /// # Errors
    /// A [`Fault`] that quotes nothing of it.
    pub fn parse(text: &str) -> Result<RedisUrl, Fault> {
        let fault = |what: &str| Fault::new(what, HOW);
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(fault("that is no address of a Redis"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let secure = match scheme.as_str() {
            "redis" => false,
            "rediss" => true,
            other => return Err(strange(other)),
        };
        if rest.contains(['?', '#']) {
            return Err(fault("an address of a Redis ends with its database"));
        }
        let (authority, db) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, place) = match authority.rsplit_once('@') {
            Some((who, place)) => (Some(who), place),
            None => (None, authority),
        };
        if place.contains(',') {
            return Err(Fault::new(
                "several servers, a Redis Cluster, are not supported",
                "name one server, or the primary of several",
            ));
        }
        let (host, port) = host_and_port(place).ok_or_else(|| fault("there is no host, or no port"))?;
        let db = match db.trim_end_matches('/') {
            "" => 0,
            db => db.parse().map_err(|_| fault("the database is a number"))?,
        };
        let (user, password) = who.map_or(Ok((None, None)), credentials)?;
        Ok(RedisUrl {
            secure,
            host,
            port,
            db,
            user,
            password,
        })
    }

    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// The address, without who we are there.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "rediss" } else { "redis" };
        let who = if self.is_secret() { "…@" } else { "" };
        write!(f, "{scheme}://{who}{}", self.authority())?;
        match self.db {
            0 => Ok(()),
            db => write!(f, "/{db}"),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// A scheme that is none of ours.
fn strange(scheme: &str) -> Fault {
    let fix = "give the address of one server or primary, redis://HOST or rediss://HOST";
    if scheme.contains("sentinel") {
        Fault::new("Redis Sentinel is not supported", fix)
    } else if scheme.contains("cluster") {
        Fault::new("Redis Cluster is not supported", fix)
    } else if scheme.contains("unix") || scheme.contains("socket") {
        Fault::new(
            "a Unix socket is not supported: relays elsewhere could not reach it",
            fix,
        )
    } else {
        Fault::new("that is no address of a Redis", HOW)
    }
}

fn host_and_port(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, Some("")),
        },
    };
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    if host.is_empty() || !host.bytes().all(known) {
        return None;
    }
    let port = match port? {
        "" => PORT,
        port => port.parse().ok().filter(|port| *port > 0)?,
    };
    Some((host.to_ascii_lowercase(), port))
}

type Credentials = (Option<String>, Option<String>);

fn credentials(who: &str) -> Result<Credentials, Fault> {
    let Some((user, password)) = who.split_once(':') else {
        let what = "there is a user without a password, or a password without the colon before it";
        return Err(Fault::new(what, HOW));
    };
    let decoded = |text: &str| {
        let decoded = decode(text);
        decoded.ok_or_else(|| Fault::new("user or password is not percent-encoded", HOW))
    };
    let (user, password) = (decoded(user)?, decoded(password)?);
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok((None, None)),
        (true, false) => Ok((None, Some(password))),
        (false, _) => Ok((Some(user), Some(password))),
    }
}

/// What `%XX` stands for; `None` where it stands for nothing.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The address by the best layer that has one. In the environment ours beats the one that others read as well.
pub(super) fn url(layers: &mut Layers<'_>, warnings: &mut Vec<String>) -> Option<RedisUrl> {
    let found = layers.find("redis");
    let ours = |found: &Found| matches!(found.source, Source::Flag | Source::Environment);
    let found = match (found, layers.variable(VARIABLE)) {
        (Some(found), _) if ours(&found) => found,
        (_, Some(text)) => {
            let found = Found {
                source: Source::Environment,
                place: VARIABLE.to_owned(),
                texts: vec![text],
            };
            layers
                .sources
                .insert("redis", (found.source, found.place.clone()));
            found
        }
        (found, None) => found?,
    };
    let url = match RedisUrl::parse(found.texts.first().map_or("", String::as_str)) {
        Ok(url) => url,
        Err(fault) => {
            layers.problems.add(found.place, fault);
            return None;
        }
    };
    if found.source == Source::Flag && url.is_secret() {
        warnings.push(
            "--redis puts a password where every user of this machine can read it; REDIS_URL does not"
                .to_owned(),
        );
    }
    if !url.secure && !is_loopback(&url.authority()) {
        warnings.push(format!(
            "what is said in calls goes to {} unencrypted; use rediss:// where others could read along",
            url.authority()
        ));
    }
    Some(url)
}

/// What keys or channels begin with.
pub(super) fn prefix(text: &str) -> Result<String, Fault> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    if (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(known) {
        return Ok(text.to_owned());
    }
    let fix = format!("write 1 to {MAX_PREFIX} letters, digits and _ . : -");
    Err(Fault::new("that is no prefix", fix))
}

#[cfg(test)]
mod tests;
