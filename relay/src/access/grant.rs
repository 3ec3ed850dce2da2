//! A permission is a value that must be held: every read of a call takes a [`Grant`].

use partyline_shared::protocol::server::User;

/// What a bearer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::User => "user",
            Role::Source => "source",
            Role::Transcriber => "transcriber",
        }
    }
}

/// A right that is granted by name; admins have each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Keep audio.
    Save,
    /// Hold a call's audio back.
    Pause,
}

impl Right {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::Save => "save",
            Right::Pause => "pause",
        }
    }
}

/// What one bearer may do, and its name for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    name: String,
    role: Role,
    customers: Vec<String>,
    allow: Vec<Right>,
}

impl Grant {
    /// Somebody known, with the customers and rights that were given.
    pub fn new(name: impl Into<String>, role: Role, customers: Vec<String>, allow: Vec<Right>) -> Grant {
        Grant {
            name: name.into(),
            role,
            customers,
            allow,
        }
    }

    /// Everybody under `--insecure`: an admin without a token.
    pub fn insecure() -> Grant {
        Grant::new("insecure", Role::Admin, Vec::new(), Vec::new())
    }

    /// Whether calls of `customer` may be listed, heard and read. A call without a customer is for
    /// admins only.
    pub fn covers(&self, customer: Option<&str>) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Source => false,
            Role::User | Role::Transcriber => {
                customer.is_some_and(|c| self.customers.iter().any(|mine| mine == c))
            }
        }
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

    /// As `hello` shows it.
    pub fn user(&self) -> User {
        User {
            name: self.name.clone(),
            role: self.role.as_str().to_owned(),
            allow: self.allow.iter().map(|r| r.as_str().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_hears_its_customers_and_nobodys_calls_are_for_admins() {
        let alice = Grant::new("alice", Role::User, vec!["7".into()], vec![Right::Save]);
        assert!(alice.covers(Some("7")) && !alice.covers(Some("8")) && !alice.covers(None));
        assert!(alice.has(Right::Save) && !alice.has(Right::Pause));
        assert!(Grant::insecure().covers(None) && Grant::insecure().has(Right::Pause));
        assert!(!Grant::new("pbx", Role::Source, vec!["7".into()], Vec::new()).covers(Some("7")));
    }
}
