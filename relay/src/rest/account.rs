//! One account of Twilio's: its resources by their names below it, and each of its tokens until one counts, since
//! while a token is replaced either may be the one that does.

use std::sync::Arc;

use super::{Answer, Api, Failed, path};
use crate::config::{Accounts, Secret};

/// An account as it is asked.
#[derive(Debug, Clone)]
pub struct Account {
    api: Arc<Api>,
    sid: String,
    tokens: Vec<Secret>,
}

impl Account {
    /// The account of this SID; `None` where no token of ours may be its own.
    pub fn new(api: Arc<Api>, accounts: &Accounts, sid: &str) -> Option<Account> {
        let tokens: Vec<Secret> = accounts.tokens_of(Some(sid)).into_iter().cloned().collect();
        (!tokens.is_empty() && partyline_shared::id::is_id(sid)).then(|| Account {
            api,
            sid: sid.to_owned(),
            tokens,
        })
    }

    /// `AC…`.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Reads a resource: `Calls.json`, say, with a query behind it.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn get(&self, resource: &str) -> Result<Answer, Failed> {
        self.get_path(&path(&self.sid, resource)).await
    }

    /// Reads what an answer calls its next page.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn get_path(&self, path: &str) -> Result<Answer, Failed> {
        let mut last = Err(Failed::Request);
        for token in &self.tokens {
            last = self.api.get(&self.sid, token, path).await;
            if !is_credentials(&last) {
                break;
            }
        }
        last
    }

    /// Posts a form to a resource.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn post(&self, resource: &str, form: &[(&str, &str)]) -> Result<Answer, Failed> {
        let path = path(&self.sid, resource);
        let mut last = Err(Failed::Request);
        for token in &self.tokens {
            last = self.api.post_form(&self.sid, token, &path, form).await;
            if !is_credentials(&last) {
                break;
            }
        }
        last
    }
}

fn is_credentials(answer: &Result<Answer, Failed>) -> bool {
    matches!(answer, Err(Failed::Refused(refused)) if refused.is_credentials())
}
