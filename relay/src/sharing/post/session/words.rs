//! Where a call is, what is to be done, and a deed as it stands in a letter.

use std::sync::Arc;

use partyline_shared::id::CallSid;
use serde::{Deserialize, Serialize};

use crate::calls::mirror::Deed;

/// Where a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// At this relay.
    Here,
    /// Nowhere: it begins here by what is done to it.
    New,
    /// Being settled.
    Wait,
    /// Its relay is gone: somebody has to claim it.
    Nobody,
    /// At another relay, which has told of this relay's deeds up to a number.
    There {
        /// That relay.
        node: Arc<str>,
        /// The number.
        told: u64,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    /// Do these here, in this order, each with its number; then say so by [`super::Session::did`].
    Do(CallSid, Vec<(u64, Deed)>),
    /// Have the call, and then say so by [`super::Session::claimed`].
    Claim(CallSid),
    /// Say this to a relay.
    Send {
        /// Which.
        node: Arc<str>,
        /// What it answers by.
        batch: u64,
        /// In this order.
        deeds: Vec<Handed>,
        /// It was said before.
        again: bool,
    },
}

/// A deed in a letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handed {
    /// Its number.
    pub number: u64,
    /// The deed of the same call that has to be done before it; 0 for none.
    pub after: u64,
    /// The call.
    pub call_sid: CallSid,
    /// What to do.
    pub deed: Deed,
}
