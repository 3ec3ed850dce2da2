//! `GET /api/v1/openapi.json`: what this door takes and answers, for tools. The same for everybody: it holds nothing of
//! any call, so no token is asked for.

use crate::respond::{Answer, json};

/// Of OpenAPI 3.1. Its paths are relative to where it is: the relay does not have to know how it is reached.
pub(crate) const DOCUMENT: &str = include_str!("../../../assets/openapi.json");

/// The document.
pub fn answer() -> Answer {
    json(DOCUMENT)
}
