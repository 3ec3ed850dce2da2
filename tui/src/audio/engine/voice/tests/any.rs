//! Whatever is wanted and whatever comes, in any order.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Deed {
    Say(u8),
    Take(u8),
    Lose(u8),
    Replay(u8),
    Seek(i32),
    Jump(i64),
    Live,
    Hold(bool),
    Fast(bool),
    Skip(bool),
    Stream(u32),
    Over(bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (1..40u8).prop_map(Deed::Say),
        4 => (1..40u8).prop_map(Deed::Take),
        1 => (1..30u8).prop_map(Deed::Lose),
        1 => (1..60u8).prop_map(Deed::Replay),
        2 => (-3_000..3_000i32).prop_map(Deed::Seek),
        1 => (-1_000..9_000i64).prop_map(|ms| Deed::Jump(ZERO_MS + ms)),
        1 => any::<i64>().prop_map(Deed::Jump),
        1 => Just(Deed::Live),
        1 => any::<bool>().prop_map(Deed::Hold),
        1 => any::<bool>().prop_map(Deed::Fast),
        1 => any::<bool>().prop_map(Deed::Skip),
        1 => (0..3u32).prop_map(Deed::Stream),
        1 => any::<bool>().prop_map(Deed::Over),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_breaks_it_and_it_catches_up(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut story = Story::new(speech);
        for deed in deeds {
            match deed {
                Deed::Say(slots) => (0..slots).for_each(|_| story.say()),
                Deed::Take(slots) => for _ in 0..slots {
                    story.take();
                },
                Deed::Lose(slots) => story.said += i64::from(slots),
                Deed::Replay(slots) => {
                    for slot in story.said..story.said + i64::from(slots) {
                        let frame = story.frame(Track::Inbound, slot).replayed();
                        story.put(&frame);
                    }
                    story.said += i64::from(slots);
                }
                Deed::Seek(ms) => story.want(|seat| seat.seek_ms += i64::from(ms)),
                Deed::Jump(to) => story.want(|seat| seat.jumps = (seat.jumps.0 + 1, to)),
                Deed::Live => story.want(|seat| {
                    seat.held = false;
                    seat.lives += 1;
                }),
                Deed::Hold(held) => story.want(|seat| seat.held = held),
                Deed::Fast(fast) => story.want(|seat| seat.fast = fast),
                Deed::Skip(skip) => story.want(|seat| seat.skip_silence = skip),
                Deed::Stream(ahead) => {
                    story.memory.lock().on_stream(Some(ZERO_MS + story.said * 20 + i64::from(ahead) * 700));
                    story.voice.on_stream(story.now_us);
                    story.said = 0;
                }
                Deed::Over(over) => {
                    story.want(|seat| seat.over = over);
                    if !over {
                        story.voice.on_stream(story.now_us);
                    }
                }
            }
        }
        prop_assert!(story.heard.iter().flatten().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
        // Whoever wants what is said now gets it.
        story.want(|seat| {
            (seat.held, seat.over) = (false, false);
            seat.lives += 1;
        });
        story.voice.on_stream(story.now_us);
        story.go(300);
        prop_assert_eq!(story.stats().state, State::Playing);
        prop_assert_eq!(story.stats().behind_ms, 0);
        prop_assert!(story.stats().depth_ms < 500, "{:?}", story.stats());
    }
}
