//! Who may do what. A leaf: it knows names and rights, not calls or sockets. It counts, throttles and records
//! nothing; whoever asks it does.

mod fingerprint;
pub mod grant;
pub mod jwt;
pub mod login;
pub mod tickets;
pub mod tokens;
pub(crate) mod watch;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use partyline_shared::time::UtcTime;
use tokio::sync::watch as channel;

pub use grant::{Claimed, Grant, Right, Role, Source};
pub use login::Login;
pub use tickets::{Issued, NoTicket, Redeemed};
pub use tokens::file::Unusable;
pub use watch::News;

use fingerprint::{Key, sha256};
use tickets::Tickets;
use tokens::Table;

use crate::stamp::Stamp;

/// Why nobody can be known.
#[derive(Debug, thiserror::Error)]
pub enum NoAccess {
    /// The tokens file cannot be used.
    #[error("{0}")]
    Tokens(#[from] Unusable),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandom(getrandom::Error),
}

/// A tokens file that was read and is right, but not in force yet; or that there is none.
#[derive(Debug)]
pub struct Reread(Table, InForce);

/// Which tokens file counts, and what it looked like when it was read.
#[derive(Debug, Clone, Default)]
struct InForce {
    path: Option<PathBuf>,
    stamp: Option<Stamp>,
    /// Why the file as it is now cannot be used; what was read before counts then.
    problem: Option<Arc<str>>,
}

/// Everybody who may come in, and with which rights: tokens of the file, logins elsewhere, tickets.
pub struct Access {
    key: Key,
    table: ArcSwap<Table>,
    /// The tokens file that the table was made of.
    file: Mutex<InForce>,
    login: Option<Arc<dyn Login>>,
    tickets: Mutex<Tickets>,
    /// Moves whenever tokens or keys change.
    generation: channel::Sender<u64>,
}

impl Access {
    /// Reads the tokens file, where there is one. Without file and login nobody is known.
    ///
    /// # Errors
    /// When the file cannot be used: the relay then does not start.
    pub fn new(tokens: Option<&Path>, login: Option<Arc<dyn Login>>) -> Result<Arc<Access>, NoAccess> {
        let key = Key::draw().map_err(NoAccess::NoRandom)?;
        let access = Access {
            key,
            table: ArcSwap::default(),
            file: Mutex::default(),
            login,
            tickets: Mutex::default(),
            generation: channel::Sender::new(0),
        };
        access.apply(access.read(tokens)?);
        Ok(Arc::new(access))
    }

    /// What whoever shows this token may do now; `None` for anybody not known, ended or revoked.
    pub async fn bearer(&self, token: &str, now: UtcTime) -> Option<Grant> {
        if tokens::looks_like_one(token) {
            return self.table.load().grant(&self.key.of(&sha256(token)), now);
        }
        let grant = self.login.as_ref()?.bearer(token, now).await?;
        (!grant.is_over(now)).then_some(grant)
    }

    /// The same for a token that stood in a URL: only those that were added with `--in-url`.
    pub fn url_token(&self, token: &str, now: UtcTime) -> Option<Grant> {
        if !tokens::looks_like_one(token) {
            return None;
        }
        self.table.load().url_grant(&self.key.of(&sha256(token)), now)
    }

    /// A ticket that opens one connection with the rights of this grant.
    ///
    /// # Errors
    /// [`NoTicket`], when there are too many.
    pub fn ticket(&self, grant: &Grant, now: UtcTime) -> Result<Issued, NoTicket> {
        lock(&self.tickets).issue(&self.key, grant, now)
    }

    /// What a ticket's bearer may do now. The ticket is used up, also where its bearer was revoked since.
    pub fn redeem(&self, ticket: &str, now: UtcTime) -> Option<Grant> {
        self.redeemed(&self.show(ticket, now)?, now)
    }

    /// A ticket of this relay's, used up here.
    pub fn show(&self, ticket: &str, now: UtcTime) -> Option<Redeemed> {
        lock(&self.tickets).redeem(&self.key, ticket, now)
    }

    /// What the bearer of one may do now.
    pub fn redeemed(&self, redeemed: &Redeemed, now: UtcTime) -> Option<Grant> {
        self.renewed(&redeemed.grant, now)
    }

    /// A ticket can be used at other relays too.
    pub fn shared(&self, issued: &Issued) {
        lock(&self.tickets).share(&self.key, &issued.ticket);
    }

    /// The same bearer's grant as it is now: `None` when it was revoked or has ended. What was let in under
    /// `--insecure` stays so.
    pub fn renewed(&self, grant: &Grant, now: UtcTime) -> Option<Grant> {
        match grant.source() {
            Source::Token => self.table.load().renewed(grant.of.as_ref()?, now),
            Source::Jwt => {
                let renewed = self.login.as_ref()?.renewed(grant, now);
                renewed.filter(|grant| !grant.is_over(now))
            }
            Source::Insecure => Some(grant.clone()),
        }
    }

    /// What another relay says of a bearer by [`Grant::to_wire`], judged by this one's own tokens and keys: `None` where
    /// it is not known here, was revoked or has ended. `insecure`: whether whoever shows nothing is let in here too.
    pub fn carried(&self, wire: &str, now: UtcTime, insecure: bool) -> Option<Grant> {
        let grant = Grant::from_wire(wire)?;
        let known = grant.source() != Source::Insecure || insecure;
        self.renewed(&grant, now).filter(|_| known)
    }

    /// A number that moves whenever tokens or keys change: every grant in use is then to be [`renewed`]. A grant
    /// that ends by itself does not move it: see [`Grant::expires`].
    ///
    /// [`renewed`]: Access::renewed
    pub fn changes(&self) -> channel::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Reads a tokens file and changes nothing: whoever re-reads several files puts all in force, or none. Without a
    /// file nobody has a token.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn read(&self, tokens: Option<&Path>) -> Result<Reread, Unusable> {
        let Some(path) = tokens else {
            return Ok(Reread(Table::default(), InForce::default()));
        };
        let (tokens, stamp) = tokens::file::read_stamped(path)?;
        let file = InForce {
            path: Some(path.to_owned()),
            stamp: Some(stamp),
            problem: None,
        };
        Ok(Reread(Table::new(tokens, &self.key), file))
    }

    /// Puts what was read in force, and tells what is new. A token whose rights changed is told as removed and
    /// added.
    pub fn apply(&self, Reread(table, file): Reread) -> Vec<News> {
        // Held until all is told, so that two readings are told in the order in which they came in force.
        let mut in_force = lock(&self.file);
        self.put(&mut in_force, table, file)
    }

    /// The same, unless another file counts by now.
    fn apply_where(&self, Reread(table, file): Reread) -> Vec<News> {
        let mut in_force = lock(&self.file);
        if in_force.path != file.path {
            return Vec::new();
        }
        self.put(&mut in_force, table, file)
    }

    fn put(&self, in_force: &mut InForce, table: Table, file: InForce) -> Vec<News> {
        let table = Arc::new(table);
        let old = self.table.swap(table.clone());
        *in_force = file;
        let removed = old.beyond(&table).into_iter().map(News::Removed);
        let news: Vec<News> = removed
            .chain(table.beyond(&old).into_iter().map(News::Added))
            .collect();
        if !news.is_empty() {
            self.moved();
        }
        news
    }

    /// How many tokens are known, ended ones too.
    pub fn tokens(&self) -> usize {
        self.table.load().len()
    }

    /// What the last look at the tokens file found wrong with it: known without waiting for a disk.
    pub fn problem(&self) -> Option<Arc<str>> {
        lock(&self.file).problem.clone()
    }

    fn moved(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("tokens", &self.tokens())
            .finish_non_exhaustive()
    }
}

/// Every section under these locks leaves its data whole at each step, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
