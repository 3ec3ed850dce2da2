//! A permission is a value that must be held: every read of a call takes a [`Grant`]. It knows names and
//! rights, never the token that was shown for it.

mod wire;

use std::fmt;
use std::sync::Arc;

use partyline_shared::protocol::server::User;
use partyline_shared::time::UtcTime;

use super::fingerprint::{Fingerprint, HASH};

/// What a bearer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Has all rights.
    Admin,
    /// Lists, hears and reads the calls of its customers.
    User,
    /// Publishes audio.
    Source,
    /// Hears, and publishes lines.
    Transcriber,
}

impl Role {
    /// All of them, as the contract names them.
    pub const ALL: [Role; 4] = [Role::Admin, Role::User, Role::Source, Role::Transcriber];

    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::User => "user",
            Role::Source => "source",
            Role::Transcriber => "transcriber",
        }
    }

    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A right that is granted by name; admins have each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Keep audio.
    Save,
    /// Hold a call's audio back.
    Pause,
}

impl Right {
    /// All of them, as the contract names them.
    pub const ALL: [Right; 2] = [Right::Save, Right::Pause];

    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::Save => "save",
            Right::Pause => "pause",
        }
    }

    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Right> {
        Right::ALL.into_iter().find(|right| right.as_str() == text)
    }
}

/// Where a grant comes from, and so who can say whether it still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The tokens file.
    Token,
    /// A login elsewhere.
    Jwt,
    /// Nobody was asked: `--insecure`.
    Insecure,
}

/// What one bearer may do, and its name for the record. Cheap to clone: one for each connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    name: Arc<str>,
    role: Role,
    /// Sorted.
    customers: Arc<[String]>,
    allow: Vec<Right>,
    source: Source,
    token_id: Arc<str>,
    expires: Option<UtcTime>,
    /// What it stands and falls with: the token in the file (one that was replaced under the same id is another),
    /// or the key that a login signed with.
    pub(super) of: Option<Fingerprint>,
    /// What a login's token says of itself: asked again where the relay expects something else.
    claimed: Option<Arc<Claimed>>,
    /// Nobody of flesh and blood: the relay itself, which passes a call on.
    relays: bool,
}

/// From whom a login's token is, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`, all of them.
    pub audiences: Vec<String>,
}

impl Grant {
    /// Somebody known, with the customers and rights that were given. By itself it is renewed by nobody: say
    /// with [`Grant::known_by`] where it comes from.
    pub fn new(name: impl Into<String>, role: Role, mut customers: Vec<String>, allow: Vec<Right>) -> Grant {
        customers.sort_unstable();
        customers.dedup();
        Grant {
            name: name.into().into(),
            role,
            customers: customers.into(),
            allow,
            source: Source::Token,
            token_id: Arc::from(""),
            expires: None,
            of: None,
            claimed: None,
            relays: false,
        }
    }

    /// The relay itself, where it passes calls on under this name to where others ask who may hear them. Whoever
    /// hears by it is on record as any other, and counted among no listeners.
    pub fn passes_on(name: &'static str) -> Grant {
        Grant {
            relays: true,
            ..Grant::new(name, Role::Admin, Vec::new(), Vec::new())
        }
    }

    /// Everybody under `--insecure`: an admin without a token.
    pub fn insecure() -> Grant {
        Grant::new("insecure", Role::Admin, Vec::new(), Vec::new()).known_by(Source::Insecure, "")
    }

    /// The same, known to come from `source` by what is publicly called `token_id`: never the token itself.
    #[must_use]
    pub fn known_by(self, source: Source, token_id: impl Into<String>) -> Grant {
        Grant {
            source,
            token_id: token_id.into().into(),
            ..self
        }
    }

    /// The same, until `expires`.
    #[must_use]
    pub fn until(self, expires: Option<UtcTime>) -> Grant {
        Grant { expires, ..self }
    }

    /// The same, good as long as the login has the key of this digest and the relay takes what is claimed.
    #[must_use]
    pub fn vouched_by(self, key: [u8; HASH], claimed: Claimed) -> Grant {
        Grant {
            of: Some(Fingerprint(key)),
            claimed: Some(Arc::new(claimed)),
            ..self
        }
    }

    /// The digest of the key that a login signed it with; shown nowhere.
    pub fn voucher(&self) -> Option<[u8; HASH]> {
        let of = self.of.filter(|_| self.source == Source::Jwt);
        of.map(|Fingerprint(key)| key)
    }

    /// What a login's token says of itself; `None` for anybody else.
    pub fn claimed(&self) -> Option<&Claimed> {
        self.claimed.as_deref()
    }

    /// Whether calls of `customer` may be listed, heard and read. A call without a customer is for admins
    /// only, and for transcribers that are tied to no customer: those write the lines of all calls.
    pub fn covers(&self, customer: Option<&str>) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Source => false,
            Role::User => self.names(customer),
            Role::Transcriber => self.is_for(customer),
        }
    }

    /// Whether audio may be published as a call of `customer`: a source's right. A source that is tied to
    /// customers publishes for those only.
    pub fn publishes_audio_for(&self, customer: Option<&str>) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Source => self.is_for(customer),
            Role::User | Role::Transcriber => false,
        }
    }

    /// Whether lines of a call of `customer` may be published: a transcriber's right.
    pub fn publishes_lines_for(&self, customer: Option<&str>) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Transcriber => self.is_for(customer),
            Role::User | Role::Source => false,
        }
    }

    fn names(&self, customer: Option<&str>) -> bool {
        customer.is_some_and(|c| {
            self.customers
                .binary_search_by(|mine| mine.as_str().cmp(c))
                .is_ok()
        })
    }

    /// Machines that work for everybody are given no customers.
    fn is_for(&self, customer: Option<&str>) -> bool {
        self.customers.is_empty() || self.names(customer)
    }

    /// Whether the bearer has all rights.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether a right given by name is held.
    pub fn has(&self, right: Right) -> bool {
        self.is_admin() || self.allow.contains(&right)
    }

    /// The bearer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the bearer is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The customers it was given, sorted.
    pub fn customers(&self) -> &[String] {
        &self.customers
    }

    /// Whether its bearer is counted and told of as a listener.
    pub fn is_a_listener(&self) -> bool {
        !self.relays
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// A short public name of the token, for the record; empty where there is none. Never the token.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// When it ends; `None` for never.
    pub fn expires(&self) -> Option<UtcTime> {
        self.expires
    }

    /// Whether it has ended by `now`.
    pub fn is_over(&self, now: UtcTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// As `hello` shows it.
    pub fn user(&self) -> User {
        User {
            name: self.name.to_string(),
            role: self.role.as_str().to_owned(),
            allow: self.allow.iter().map(|r| r.as_str().to_owned()).collect(),
        }
    }
}

impl fmt::Debug for Grant {
    /// Without the customers: those may be named after their numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("token_id", &self.token_id)
            .field("customers", &self.customers.len())
            .field("allow", &self.allow)
            .field("source", &self.source)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: Role, customers: &[&str]) -> Grant {
        Grant::new(
            "x",
            role,
            customers.iter().map(|c| c.to_string()).collect(),
            Vec::new(),
        )
    }

    #[test]
    fn a_user_hears_its_customers_and_nobodys_calls_are_for_admins() {
        let alice = Grant::new("alice", Role::User, vec!["7".into()], vec![Right::Save]);
        assert!(alice.covers(Some("7")) && !alice.covers(Some("8")) && !alice.covers(None));
        assert!(alice.has(Right::Save) && !alice.has(Right::Pause));
        assert!(Grant::insecure().covers(None) && Grant::insecure().has(Right::Pause));
        assert!(!of(Role::User, &[]).covers(None) && !of(Role::User, &[]).covers(Some("7")));
        assert!(!of(Role::User, &[""]).covers(None));
    }

    #[test]
    fn who_publishes_what_is_the_roles_business() {
        // Role, its customers, the call's, and whether it hears, publishes audio, publishes lines.
        type Case<'c> = (Role, &'c [&'c str], Option<&'c str>, [bool; 3]);
        let cases: [Case<'_>; 14] = [
            (Role::Admin, &[], None, [true, true, true]),
            (Role::Admin, &["7"], Some("8"), [true, true, true]),
            (Role::User, &["7"], Some("7"), [true, false, false]),
            (Role::User, &["7"], None, [false, false, false]),
            (Role::Source, &[], None, [false, true, false]),
            (Role::Source, &[], Some("7"), [false, true, false]),
            (Role::Source, &["7"], Some("7"), [false, true, false]),
            (Role::Source, &["7"], Some("8"), [false, false, false]),
            (Role::Source, &["7"], None, [false, false, false]),
            (Role::Transcriber, &[], None, [true, false, true]),
            (Role::Transcriber, &[], Some("7"), [true, false, true]),
            (Role::Transcriber, &["7"], Some("7"), [true, false, true]),
            (Role::Transcriber, &["7"], Some("8"), [false, false, false]),
            (Role::Transcriber, &["7"], None, [false, false, false]),
        ];
        for (role, customers, call, [hears, audio, lines]) in cases {
            let grant = of(role, customers);
            let may = (
                grant.covers(call),
                grant.publishes_audio_for(call),
                grant.publishes_lines_for(call),
            );
            assert_eq!(
                may,
                (hears, audio, lines),
                "{role:?} of {customers:?}, a call of {call:?}"
            );
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for right in Right::ALL {
            assert_eq!(Right::parse(right.as_str()), Some(right));
        }
        assert_eq!((Role::parse("Admin"), Right::parse("")), (None, None));
    }

    #[test]
    fn it_ends_at_its_moment_and_prints_no_customer() {
        let at = UtcTime::from_unix_ms;
        let grant = of(Role::User, &["+12125550100"]).until(Some(at(10)));
        assert!(!grant.is_over(at(9)) && grant.is_over(at(10)) && !Grant::insecure().is_over(at(i64::MAX)));
        assert!(!format!("{grant:?}").contains("2125550100"));
    }
}
