//! What a listener is told of the relays that share calls.

use partyline_shared::protocol::server::{Relays, RelaysState};
use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use super::*;

fn standing(state: RelaysState, relays: u32) -> Relays {
    Relays {
        state,
        since: UtcTime::from_unix_ms(1_000),
        relays,
    }
}

#[test]
fn a_listener_is_told_after_hello_and_when_it_changes() {
    let story = Story::begin();
    let said = watch::Sender::new(standing(RelaysState::CutOff, 1));
    let mut host = story.host();
    host.relays = Some(said.subscribe());
    let mut session = Session::new(story.now, host, Grant::insecure(), None);
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["hello", "relays", "calls"]);
    let cut_off =
        json!({ "type": "relays", "state": "cut_off", "since": "1970-01-01T00:00:01.000Z", "relays": 1 });
    assert_eq!(told[1], cut_off);

    let mut states = Vec::new();
    for (state, relays) in [
        (RelaysState::CatchingUp, 2),
        (RelaysState::CatchingUp, 2),
        (RelaysState::Shared, 2),
        (RelaysState::Shared, 3),
    ] {
        said.send_replace(standing(state, relays));
        // As is done for all when it changes.
        story.presence.recheck();
        let told = story.told(&mut session);
        states.push(
            told.iter()
                .map(|message| message["relays"].clone())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(states, [vec![json!(2)], vec![], vec![json!(2)], vec![json!(3)]]);
    assert_eq!(
        types(&story.told(&mut story.session())),
        ["hello", "calls"],
        "alone"
    );
}
