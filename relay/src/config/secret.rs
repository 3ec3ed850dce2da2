//! A text that must not be printed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A token or what holds one. Its `Debug` masks it and it has no `Display`, so that no log line can show
/// it by accident; [`Secret::expose`] is the deliberate way to the text.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_shows_nothing_of_it() {
        let secret = Secret::new("0123456789abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "0123456789abcdef");
    }
}
