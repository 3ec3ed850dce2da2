//! What an operator's Prometheus reads of a relay: `/metrics` as numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::http;
use crate::program::Program;
use crate::wait::{SOON, until};

/// What the log says before the address of the admin listener.
const SAYS: &str = "metrics on http://";

/// One reading.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// As it was read.
    pub text: String,
    samples: BTreeMap<String, f64>,
    /// Names of families, and what is said of them.
    pub families: BTreeMap<String, Family>,
}

/// What a family says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// For a person.
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
}

/// Where a relay that was started with `--admin-listen` shows its numbers, once it has said so.
pub async fn admin_of(program: &Program) -> SocketAddr {
    program.complains(SOON, SAYS).await;
    let said = program.stderr();
    let (_, rest) = said.split_once(SAYS).expect("it was said");
    let end = rest.find('/').expect("a path follows");
    rest[..end].parse().expect("an address")
}

impl Numbers {
    /// Reads them.
    pub async fn read(admin: SocketAddr) -> Numbers {
        let answer = http::get(admin, "/metrics").await.expect(200);
        assert_eq!(
            answer.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
        Numbers::parse(answer.text())
    }

    /// Reads them until they are `so`.
    pub async fn once(admin: SocketAddr, what: &str, so: impl Fn(&Numbers) -> bool) -> Numbers {
        until(SOON, what, async || {
            let numbers = Numbers::read(admin).await;
            so(&numbers).then_some(numbers)
        })
        .await
    }

    /// Out of what was read otherwise.
    pub fn parse(text: &str) -> Numbers {
        let mut numbers = Numbers {
            text: text.to_owned(),
            samples: BTreeMap::new(),
            families: BTreeMap::new(),
        };
        for line in text.lines() {
            let said = |what: &str| line.strip_prefix(what)?.split_once(' ');
            if let Some((name, help)) = said("# HELP ") {
                numbers.families.entry(name.to_owned()).or_default().help = help.to_owned();
            } else if let Some((name, kind)) = said("# TYPE ") {
                numbers.families.entry(name.to_owned()).or_default().kind = kind.to_owned();
            } else {
                let (sample, value) = line
                    .rsplit_once(' ')
                    .unwrap_or_else(|| panic!("no sample: {line}"));
                let value = value
                    .parse()
                    .unwrap_or_else(|e| panic!("no number ({e}): {line}"));
                let before = numbers.samples.insert(sample.to_owned(), value);
                assert!(before.is_none(), "twice: {line}");
            }
        }
        numbers
    }

    /// One number, by its name with its labels as they are written.
    #[track_caller]
    pub fn get(&self, sample: &str) -> f64 {
        let found = self.samples.get(sample);
        *found.unwrap_or_else(|| panic!("there is no {sample} in\n{}", self.text))
    }

    /// The names that a query can have: without labels, a histogram's parts each.
    pub fn names(&self) -> BTreeSet<String> {
        let names = self.samples.keys();
        names
            .map(|sample| sample.split('{').next().unwrap_or(sample).to_owned())
            .collect()
    }
}
