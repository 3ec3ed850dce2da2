//! Texts that are told to a relay and must not be found anywhere.

use std::sync::Mutex;

/// What was planted, and what was said back.
#[derive(Debug, Default)]
pub(super) struct Canaries {
    planted: Mutex<Vec<(&'static str, String)>>,
    refusals: Mutex<Vec<String>>,
}

impl Canaries {
    /// Plants a text: it is given back as it is to be told.
    pub(super) fn plant(&self, what: &'static str, text: impl Into<String>) -> String {
        let text = text.into();
        assert!(text.len() >= 6, "{what}: {text} may be there by chance");
        self.planted.lock().unwrap().push((what, text.clone()));
        text
    }

    /// Plants a number; how it is written around its last ten digits does not matter.
    pub(super) fn number(&self, what: &'static str, number: &str) -> String {
        let from = number.len().saturating_sub(10);
        self.plant(what, &number[from..]);
        number.to_owned()
    }

    /// An answer that refuses, to be looked at as well.
    pub(super) fn refused(&self, answer: harness::http::Answer) -> u16 {
        let text = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
        self.refusals.lock().unwrap().push(text);
        answer.status.as_u16()
    }

    /// Any text that was said back.
    pub(super) fn told(&self, text: String) {
        self.refusals.lock().unwrap().push(text);
    }

    /// What of all that was planted is in a text.
    pub(super) fn found_in(&self, text: &str) -> Vec<(&'static str, String)> {
        let mut found = self.planted.lock().unwrap().clone();
        found.retain(|(_, canary)| text.contains(canary));
        found
    }

    /// Fails where one is in the log, or in what was said back.
    #[track_caller]
    pub(super) fn expect_none(&self, log: &str) {
        let refusals = self.refusals.lock().unwrap();
        for (place, text) in refusals
            .iter()
            .map(|told| ("an answer", told.as_str()))
            .chain([("the log", log)])
        {
            let found = self.found_in(text);
            let line = |canary: &str| {
                text.lines()
                    .find(|line| line.contains(canary))
                    .unwrap_or_default()
                    .to_owned()
            };
            let shown: Vec<_> = found.iter().map(|(what, canary)| (what, line(canary))).collect();
            assert!(found.is_empty(), "in {place}: {shown:#?}");
        }
    }
}
