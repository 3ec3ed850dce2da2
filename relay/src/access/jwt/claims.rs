//! What a token claims, and whether that is for us and now. For tokens whose signature was checked only.
//! Pure: the time is handed in.

use partyline_shared::text;
use partyline_shared::time::UtcTime;
use serde::Deserialize;

use super::refused::Refused;
use crate::access::{Claimed, Right, Role};

/// How much earlier than its `nbf` a token is taken, seconds: clocks of two companies differ by that, and a
/// token is used the moment it is made. `exp` has no such leeway: who renews in time never notices, and
/// what is over has to be over.
pub const LEEWAY: i64 = 60;

/// Longest name of a bearer, characters: OpenID Connect's bound.
const MAX_NAME: usize = 255;

/// What the operator expects; `None` is not looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
}

impl Expected {
    /// Whether a token of these claims is meant for this relay.
    pub(super) fn takes(&self, claimed: &Claimed) -> Result<(), Refused> {
        if self.issuer.is_some() && claimed.issuer != self.issuer {
            return Err(Refused::Issuer);
        }
        match &self.audience {
            Some(ours) if !claimed.audiences.contains(ours) => Err(Refused::Audience),
            _ => Ok(()),
        }
    }
}

/// What may be relied on.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) customers: Vec<String>,
    pub(super) allow: Vec<Right>,
    pub(super) expires: UtcTime,
    pub(super) claimed: Claimed,
}

#[derive(Deserialize)]
struct Payload {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<f64>,
    nbf: Option<f64>,
    partyline: Option<Granted>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Granted {
    role: String,
    customers: Option<Vec<String>>,
    allow: Option<Vec<String>>,
}

/// Reads and judges the claims.
pub(super) fn read(payload: &[u8], expected: &Expected, now: UtcTime) -> Result<Claims, Refused> {
    let payload: Payload = serde_json::from_slice(payload).map_err(|_| Refused::Claims)?;
    let expires = payload.exp.map(moment).ok_or(Refused::Expired)?;
    if now >= expires {
        return Err(Refused::Expired);
    }
    let begins = payload.nbf.map(|nbf| moment(nbf).plus_ms(-LEEWAY * 1000));
    if begins.is_some_and(|begins| now < begins) {
        return Err(Refused::NotYet);
    }
    let claimed = Claimed {
        issuer: payload.iss,
        audiences: match payload.aud {
            Some(Audience::One(audience)) => vec![audience],
            Some(Audience::Many(all)) => all,
            None => Vec::new(),
        },
    };
    expected.takes(&claimed)?;
    let granted = payload.partyline.ok_or(Refused::Grant)?;
    Ok(Claims {
        name: payload.sub.and_then(name).ok_or(Refused::Subject)?,
        role: role(&granted.role).ok_or(Refused::Grant)?,
        customers: granted.customers.unwrap_or_default(),
        // A right that is not known gives nothing.
        allow: granted
            .allow
            .unwrap_or_default()
            .iter()
            .filter_map(|r| right(r))
            .collect(),
        expires,
        claimed,
    })
}

/// Seconds since 1970, as RFC 7519 writes moments; a fraction is allowed there.
fn moment(seconds: f64) -> UtcTime {
    UtcTime::from_unix_ms((seconds * 1000.0) as i64)
}

/// It is shown to people and written on record: as it is, or not at all.
fn name(sub: String) -> Option<String> {
    let fits = !sub.trim().is_empty() && sub.chars().count() <= MAX_NAME;
    (fits && text::clean(&sub) == sub).then_some(sub)
}

fn role(name: &str) -> Option<Role> {
    [Role::Admin, Role::User, Role::Source, Role::Transcriber]
        .into_iter()
        .find(|role| role.as_str() == name)
}

fn right(name: &str) -> Option<Right> {
    [Right::Save, Right::Pause]
        .into_iter()
        .find(|right| right.as_str() == name)
}
