//! Two people on a network, heard through the live edge: what of it is whole, how late, and whether it clicks.

use partyline_shared::audio::g711;

use super::*;

/// What lies behind, µs.
const RING_US: u64 = 30_000;

/// One period of a voice of 125 Hz, samples; every frame is two and a half of them.
const PERIOD: f32 = 64.0;

/// What a person says, from the start: a vowel that comes and goes.
fn said(n: usize) -> f32 {
    let at = n as f32 / PERIOD * std::f32::consts::TAU;
    let loud = ((n as f32 / 1500.0).sin() * 3.0).clamp(0.05, 1.0);
    loud * (0.3 * at.sin() + 0.15 * (3.0 * at + 1.0).sin())
}

fn frame(track: Track, number: usize) -> AudioFrame {
    let samples = (number * SLOT..(number + 1) * SLOT).map(said);
    let mulaw: Vec<u8> = samples.map(|s| g711::encode((s * 32_768.0) as i16)).collect();
    AudioFrame::new(track, 1, number as u32 + 1, number as u32 * 20, &mulaw)
}

/// What came out.
#[derive(Default)]
struct Heard {
    samples: Vec<f32>,
    /// Of each slot: when it was pulled, and the delay of what begins in it, µs.
    delays: Vec<(u64, u64)>,
}

impl Heard {
    /// The delay that all but one in twenty are below, ms, from a time on.
    fn p95_ms(&self, from_us: u64) -> u64 {
        let later = self.delays.iter().filter(|(at, _)| *at >= from_us);
        let mut delays: Vec<_> = later.map(|(_, delay)| delay / 1000).collect();
        delays.sort_unstable();
        delays[delays.len() * 95 / 100]
    }

    fn largest_step(&self) -> f32 {
        let steps = self.samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.fold(0.0, f32::max)
    }
}

/// Both say `seconds`; a frame that is sent at a time arrives when `arrives` says, in order.
fn hear(live: &mut Live, seconds: usize, arrives: impl FnMut(u64) -> u64) -> Heard {
    look(live, seconds, arrives, |_, _| {})
}

/// The same, with a look at it after each slot.
fn look(
    live: &mut Live,
    seconds: usize,
    mut arrives: impl FnMut(u64) -> u64,
    mut looks: impl FnMut(u64, &Live),
) -> Heard {
    let mut last = 0;
    let arrivals = (0..seconds * 50).flat_map(|n| Track::BOTH.map(|track| (n, track)));
    let mut arrivals = arrivals
        .map(|(n, track)| {
            last = arrives(n as u64 * 20_000).max(last);
            (last, frame(track, n))
        })
        .peekable();
    let mut heard = Heard::default();
    for due in (0..seconds as u64 * 50).map(|slot| slot * 20_000 + 7_000) {
        while let Some((at, frame)) = arrivals.next_if(|(at, _)| *at <= due) {
            live.on_frame(at, &frame);
        }
        let both = live.next(due, RING_US);
        looks(due, live);
        let samples = match &both {
            Some(both) => both.samples.inbound,
            None => live.rest().inbound,
        };
        heard.samples.extend(samples);
        let arrived_us = both.and_then(|both| both.arrived_us.inbound);
        heard
            .delays
            .extend(arrived_us.map(|at| (due, due + RING_US - at)));
    }
    heard
}

/// What is held back in this time comes at its end.
fn stall(from_ms: u64, to_ms: u64) -> impl Fn(u64) -> u64 {
    move |at| match at {
        at if (from_ms * 1000..to_ms * 1000).contains(&at) => to_ms * 1000,
        at => at,
    }
}

fn natural_step() -> f32 {
    hear(&mut Live::new(), 5, |at| at).largest_step()
}

#[test]
fn an_even_network_is_heard_bit_for_bit() {
    let mut live = Live::new();
    let heard = hear(&mut live, 20, |at| at + 3_000);
    let start = heard.samples.iter().position(|sample| *sample != 0.0).unwrap() / SLOT * SLOT;
    let exact = |n: usize| g711::decode(g711::encode((said(n) * 32_768.0) as i16));
    for (n, heard) in heard.samples[start..].iter().enumerate().skip(SLOT) {
        assert_eq!((heard * 32_768.0) as i16, exact(n), "{n}");
    }
    let stats = live.stats();
    assert_eq!(
        (stats.stretched_ms, stats.concealed_ms, stats.dropped_ms),
        (0, 0, 0)
    );
    assert!(live.depth().is_some());
}

#[test]
fn a_burst_is_caught_up_with_by_playing_faster_and_nothing_is_cut() {
    let mut live = Live::new();
    let heard = hear(&mut live, 20, stall(8_000, 8_500));
    let stats = live.stats();
    assert_eq!(
        (stats.dropped_ms, stats.late, stats.lost_ms),
        (0, 0, 0),
        "{stats:?}"
    );
    assert!((300..600).contains(&stats.stretched_ms), "{stats:?}");
    assert!((300..460).contains(&stats.concealed_ms), "{stats:?}");
    assert!(heard.p95_ms(11_000_000) < 120, "{}", heard.p95_ms(11_000_000));
    assert!(
        heard.largest_step() < 1.5 * natural_step(),
        "{}",
        heard.largest_step()
    );
}

#[test]
fn bursts_that_come_again_and_again_are_waited_for() {
    let mut live = Live::new();
    hear(&mut live, 60, |at| {
        let since = at % 6_000_000;
        at - since + stall(3_000, 3_500)(since)
    });
    let stats = live.stats();
    assert!((300..=400).contains(&stats.target_ms), "{stats:?}");
    assert!(stats.concealed_ms < 10 * 200, "less than half of each: {stats:?}");
    assert_eq!(stats.dropped_ms, 0, "{stats:?}");
}

#[test]
fn after_a_stall_of_seconds_the_delay_is_what_it_was_within_two_seconds() {
    let mut live = Live::new();
    let heard = hear(&mut live, 20, stall(8_000, 13_000));
    let stats = live.stats();
    assert!((4_500..5_000).contains(&stats.dropped_ms), "{stats:?}");
    assert!(heard.p95_ms(15_000_000) < 120, "{}", heard.p95_ms(15_000_000));
    assert!(
        heard.largest_step() < 1.5 * natural_step(),
        "{}",
        heard.largest_step()
    );
}

#[test]
fn a_network_that_gets_uneven_is_followed_in_speech() {
    let (mut live, mut seed) = (Live::new(), 7_u64);
    let heard = hear(&mut live, 30, |at| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let most = at.saturating_sub(10_000_000).div_ceil(100).clamp(1_000, 80_000);
        at + (seed >> 33) % most
    });
    let stats = live.stats();
    assert!(stats.concealed_ms <= 100 && stats.dropped_ms == 0, "{stats:?}");
    assert!(stats.stretched_ms > 0 && stats.target_ms > 90, "{stats:?}");
    assert!(
        heard.largest_step() < 1.5 * natural_step(),
        "{}",
        heard.largest_step()
    );
}

#[test]
fn the_depth_is_told_with_what_was_stretched_of_it() {
    let mut live = Live::new();
    let mut all = Vec::new();
    look(&mut live, 20, stall(2_000, 2_500), |due, live| {
        // From the burst on, which stood time still.
        let depth = live.depth().filter(|_| due > 2_600_000);
        all.extend(depth.map(|depth| depth.is_s + depth.base_s - depth.stretched_s));
    });
    assert!(live.stretch.removed() > 800, "{:?}", live.stats());
    let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(least, most), at| {
        (least.min(*at), most.max(*at))
    });
    assert!(most - least < 0.000_5, "{least} to {most} s");
}

#[test]
fn in_a_pause_what_was_too_much_is_not_put_in_again() {
    let mut most_ms = 0;
    for talked in (200..1_000).step_by(25) {
        let mut live = Live::new();
        let (mut sent, mut inserted, mut surplus_ms) = (0u64, 0, 0);
        // Nobody pauses, and the target falls after a burst; then both are silent.
        for slot in 0..talked + 150 {
            let due = slot * 20_000 + 7_000;
            while sent * 20_000 <= due && !(100..105).contains(&slot) {
                for track in Track::BOTH {
                    let said = frame(track, sent as usize);
                    let silent = AudioFrame::new(track, 1, said.chunk(), said.timestamp_ms(), &[0xff; 160]);
                    live.on_frame(due, if sent < talked { &said } else { &silent });
                }
                sent += 1;
            }
            live.next(due, RING_US);
            if slot == talked {
                let stats = live.stats();
                (inserted, surplus_ms) = (
                    live.stretch.inserted(),
                    stats.depth_ms.saturating_sub(stats.target_ms),
                );
            }
        }
        let stats = live.stats();
        most_ms = most_ms.max(surplus_ms);
        assert_eq!(
            live.stretch.inserted(),
            inserted,
            "{surplus_ms} ms too much: {stats:?}"
        );
        let off = i64::from(stats.depth_ms) - i64::from(stats.target_ms);
        assert!((-10..=15).contains(&off), "{surplus_ms} ms too much: {stats:?}");
    }
    assert!(most_ms >= 24, "{most_ms}");
}

#[test]
fn to_play_slower_nothing_is_covered_up_that_is_only_not_there_yet() {
    // A line's noise has no place that is like another, so that more than a slot is looked at.
    let mut seed = 1u32;
    let mut noise = |number: u32| {
        let mulaw = [0u8; SLOT].map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            g711::encode(((seed >> 24) as i16 - 128) * 40)
        });
        Track::BOTH.map(|track| AudioFrame::new(track, 1, number + 1, number * 20, &mulaw))
    };
    let mut live = Live::new();
    let mut now = 0;
    for number in 0..400 {
        // Each comes in the nick of time, and is meant to have some time left.
        for frame in noise(number) {
            live.on_frame(now, &frame);
        }
        while live.jitter.has_next(now) || live.stretch.held() >= SLOT {
            if live.next(now, RING_US).is_none() {
                break;
            }
            now += 20_000;
        }
    }
    let stats = live.stats();
    assert!(stats.stretched_ms > 0 && stats.concealed_ms == 0, "{stats:?}");
}

#[test]
fn however_much_the_stretcher_holds_it_ends_without_a_step() {
    let (natural, mut held) = (natural_step(), Vec::new());
    for burst in 0..60 {
        let mut live = Live::new();
        let mut heard = hear(&mut live, 2, stall(1_000, 1_100 + 10 * burst));
        held.push(live.stretch.held());
        heard.samples.extend(live.rest().inbound);
        assert_eq!(heard.samples.last(), Some(&0.0), "{burst}");
        assert!(heard.largest_step() < 1.5 * natural, "{burst}");
    }
    assert!(held.iter().any(|held| *held > SLOT - 40), "{held:?}");
}

#[test]
fn what_is_still_inside_at_the_end_is_heard() {
    let mut live = Live::new();
    let mut heard = hear(&mut live, 10, stall(4_000, 4_300));
    live.on_over();
    let mut now = 10_000_000;
    while let Some(both) = live.next(now, RING_US) {
        heard.samples.extend(both.samples.inbound);
        now += 20_000;
    }
    heard.samples.extend(live.rest().inbound);
    assert_eq!(heard.samples.last(), Some(&0.0));
    assert!(
        heard.largest_step() < 1.5 * natural_step(),
        "{}",
        heard.largest_step()
    );
    assert_eq!(live.stats().waiting, 0);
}
