//! Whatever comes: nothing is played twice or out of order, every frame is accounted for, and no number makes it
//! work or remember more than it may.

use proptest::prelude::*;

use super::*;

/// One thing that happens, and how many µs after the one before.
#[derive(Debug, Clone)]
enum Step {
    Frame(Track, u32, u32, u64),
    Missed(Track, u32, u32),
    Stream,
    Over,
    Pull(u64),
}

fn track() -> impl Strategy<Value = Track> {
    prop_oneof![Just(Track::Inbound), Just(Track::Outbound)]
}

fn hostile() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0u32..200,
        Just(u32::MAX),
        Just(1 << 31),
        (u32::MAX - 20)..=u32::MAX
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (track(), hostile(), hostile(), 0u64..100_000).prop_map(|(t, c, at, us)| Step::Frame(t, c, at, us)),
        1 => (track(), hostile(), hostile()).prop_map(|(t, from, to)| Step::Missed(t, from, to)),
        1 => Just(Step::Stream),
        1 => Just(Step::Over),
        10 => (0u64..1_000_000).prop_map(Step::Pull),
    ]
}

fn accounts(jitter: &Jitter) {
    let s = jitter.stats();
    assert_eq!(
        s.received,
        s.played + s.dropped + s.late + s.doubles + s.joined + s.waiting,
        "{s:?}"
    );
    assert!(s.waiting <= 2 * MAX_WAITING as u64);
}

/// A network: for each frame, whether it is lost, comes twice, and its delay in ms.
fn network() -> impl Strategy<Value = Vec<(bool, bool, u64)>> {
    let fate = (
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.05),
        prop_oneof![8 => 0u64..40, 1 => 0u64..1500],
    );
    prop::collection::vec(fate, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_hostile_breaks_it(steps in prop::collection::vec(step(), 0..400)) {
        let mut jitter = Jitter::new();
        let mut now = 1_000_000;
        for step in steps {
            match step {
                Step::Frame(track, chunk, at, us) => {
                    now += us;
                    jitter.on_frame(now, &frame(track, chunk, at, LOUD));
                }
                Step::Missed(track, from, to) => jitter.on_missed(now, track, from, to),
                Step::Stream => jitter.on_stream(now),
                Step::Over => jitter.on_over(),
                Step::Pull(us) => {
                    now += us;
                    let _ = jitter.pull(now, us);
                }
            }
            accounts(&jitter);
        }
        // It never comes to a stop: an end is reached in as many slots as the largest leaps allow, not in 2³¹.
        jitter.on_over();
        let slots = (0..200_000).take_while(|n| matches!(jitter.pull(now + n * 20_000, 0), Pull::Play(_))).count();
        prop_assert!(slots < 200_000);
        prop_assert_eq!(jitter.stats().waiting, 0);
    }

    /// Frames may come in any order.
    #[test]
    fn every_frame_is_played_at_most_once_and_in_order(inbound in network(), outbound in network(), start_ms in any::<u32>(), ordered: bool) {
        let mut calls = Vec::new();
        for (track, fates) in [(Track::Inbound, &inbound), (Track::Outbound, &outbound)] {
            for (n, &(lost, twice, delay_ms)) in fates.iter().enumerate() {
                let at_us = (n as u64 * 20 + delay_ms) * 1000;
                let at_ms = start_ms.wrapping_add(n as u32 * 20);
                let frame = frame(track, n as u32 + 1, at_ms, if n % 7 == 0 { QUIET } else { LOUD });
                calls.extend((0..u64::from(!lost) + u64::from(twice)).map(|again| Arrival {
                    at_us: at_us + again * 3_000,
                    frame: frame.clone(),
                }));
            }
        }
        calls.sort_by_key(|arrival| arrival.at_us);
        if ordered {
            calls.sort_by_key(|arrival| arrival.frame.chunk());
            let mut last = 0;
            for arrival in &mut calls {
                last = last.max(arrival.at_us);
                arrival.at_us = last;
            }
        }
        let mut card = Card::new();
        let mut heard = vec![card.play(&calls, 12_000_000)];
        card.jitter.on_over();
        heard.push(card.play(&[], 30_000_000));
        accounts(&card.jitter);
        let stats = card.jitter.stats();
        prop_assert_eq!(stats.waiting, 0);
        prop_assert_eq!(stats.received, calls.len() as u64);
        for track in Track::BOTH {
            let chunks: Vec<_> = heard.iter().flat_map(|heard| heard.chunks(track)).collect();
            prop_assert!(chunks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", chunks);
        }
        // Every place is played, covered, or passed over at a cut; none comes again once one was left.
        let slots: Vec<_> = heard.iter().flat_map(|heard| &heard.slots).filter_map(|(_, slot)| slot.as_ref()).collect();
        let mut passed = 0;
        for pair in slots.windows(2) {
            let step = pair[1].place - pair[0].place;
            let stood = matches!(pair[0].tracks, PerTrack { inbound: Piece::Conceal | Piece::Silence, outbound: Piece::Conceal | Piece::Silence });
            prop_assert!(step == 1 || (step == 0 && stood) || (step > 1 && pair[1].cut), "{:?}", pair);
            passed += (step - i64::from(!stood)).max(0) as u64;
        }
        let zero = |slot: &Slot, frame: &AudioFrame| slot.place - i64::from(frame.timestamp_ms().wrapping_sub(start_ms) / 20);
        let mut zeros: Vec<_> = slots.iter().flat_map(|slot| {
            [&slot.tracks.inbound, &slot.tracks.outbound].into_iter().filter_map(|piece| match piece {
                Piece::Play(frame) => Some(zero(slot, frame)),
                _ => None,
            }).collect::<Vec<_>>()
        }).collect();
        zeros.dedup();
        prop_assert!(zeros.len() <= 1, "each frame is at the place that its timestamp says: {:?}", zeros);
        if let (Some(first), Some(zero)) = (slots.first(), zeros.first()) {
            passed += (first.place - zero).max(0) as u64;
            prop_assert!(stats.dropped_ms <= passed * 20, "{:?}", stats);
        }
    }
}
