//! The paths of the scripts' doors, each with what it takes: the same as `assets/openapi.json` says, to the letter.
//! Knows nothing of requests.

/// What stands behind a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Calls,
    Call,
    Transcript,
    Events,
    CallListeners,
    Audio,
    Pause,
    Resume,
    Marks,
    Listeners,
    Listener,
    CallStreams,
    Stream,
    Complete,
    Tickets,
    Openapi,
}

/// A path after `/api/v1/`.
#[derive(Debug)]
pub(super) struct Route {
    /// With the place of a name in braces.
    path: &'static str,
    /// As `Allow` tells them. An answer to HEAD is that to GET, of which the server leaves out the body.
    pub(super) methods: &'static str,
    pub(super) what: What,
}

const fn route(path: &'static str, methods: &'static str, what: What) -> Route {
    Route { path, methods, what }
}

/// All of them.
const ROUTES: [Route; 16] = [
    route("calls", "GET, HEAD", What::Calls),
    route("calls/{call_sid}", "GET, HEAD, DELETE", What::Call),
    route("calls/{call_sid}/transcript", "GET, HEAD, POST", What::Transcript),
    route("calls/{call_sid}/events", "GET, HEAD", What::Events),
    route("calls/{call_sid}/listeners", "GET, HEAD", What::CallListeners),
    route("calls/{call_sid}/audio.wav", "GET, HEAD", What::Audio),
    route("calls/{call_sid}/pause", "POST", What::Pause),
    route("calls/{call_sid}/resume", "POST", What::Resume),
    route("calls/{call_sid}/marks", "POST", What::Marks),
    route("listeners", "GET, HEAD", What::Listeners),
    route("listeners/{listener_id}", "DELETE", What::Listener),
    route("call_streams", "POST", What::CallStreams),
    route("call_streams/stream", "POST", What::Stream),
    route("call_streams/complete", "POST", What::Complete),
    route("tickets", "POST", What::Tickets),
    route("openapi.json", "GET, HEAD", What::Openapi),
];

/// The route that a path takes, and the name in it, empty where it has none. No part of a path is empty, and none
/// stands for something else: each thing has one path.
pub(super) fn find(path: &str) -> Option<(&'static Route, &str)> {
    ROUTES
        .iter()
        .find_map(|route| Some((route, route.name_in(path)?)))
}

impl Route {
    /// Whether it takes this method.
    pub(super) fn takes(&self, method: &str) -> bool {
        self.methods.split(", ").any(|takes| takes == method)
    }

    fn name_in<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (mut mine, mut theirs) = (self.path.split('/'), path.split('/'));
        let mut name = "";
        loop {
            match (mine.next(), theirs.next()) {
                (Some(place), Some(part)) if place.starts_with('{') && !part.is_empty() => name = part,
                (Some(word), Some(part)) if word == part => {}
                (None, None) => return Some(name),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;
    use crate::api::openapi::DOCUMENT;

    #[test]
    fn each_thing_has_one_path() {
        let found = |path: &str| find(path).map(|(route, name)| (route.what, name.to_owned()));
        assert_eq!(found("calls"), Some((What::Calls, String::new())));
        assert_eq!(found("calls/CA1"), Some((What::Call, "CA1".to_owned())));
        assert_eq!(
            found("calls/%2e%2e/events"),
            Some((What::Events, "%2e%2e".to_owned()))
        );
        for none in [
            "",
            "/",
            "calls/",
            "calls//events",
            "calls/CA1/",
            "calls/CA1/other",
            "Calls",
            "tickets/x",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn the_document_has_these_paths_and_methods_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let said = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(path, item)| {
                let operations = item
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter(|key| *key != "parameters");
                let methods: BTreeSet<String> = operations.map(|method| method.to_uppercase()).collect();
                Some((path.strip_prefix("/api/v1/")?.to_owned(), methods))
            });
        let taken = ROUTES.iter().map(|route| {
            // HEAD goes without saying.
            let methods = route.methods.split(", ").filter(|method| *method != "HEAD");
            (route.path.to_owned(), methods.map(str::to_owned).collect())
        });
        assert_eq!(
            said.collect::<BTreeMap<_, BTreeSet<String>>>(),
            taken.collect::<BTreeMap<_, _>>()
        );
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
