//! Who may do what. A leaf: it knows names and rights, not calls or sockets.

pub mod grant;

pub use grant::{Grant, Right, Role};
