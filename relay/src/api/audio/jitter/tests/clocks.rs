//! A long call whose clock is not ours: nothing grows, nothing is lost, and both tracks stay in step.

use super::*;

/// How long it goes on, s.
const TIME: u64 = 300;

/// What becomes of a call whose clock is fast by so many millionths: people speak for 4 s and are quiet for 1 s, and the
/// network holds back what they say by up to 80 ms.
struct After {
    /// Samples that wait at the end.
    waits: usize,
    /// Frames that were not given.
    lost: u64,
    /// Times that a word was broken by silence.
    holes: usize,
    /// Loud samples of both tracks.
    loud: [usize; 2],
    /// Loud samples that were said.
    said: usize,
}

fn call(ppm: i64) -> After {
    let begun = Instant::now();
    let mut jitter = Jitter::new(begun, Kept::Both);
    let (mut said, mut loud, mut holes) = (0, [0, 0], 0);
    let (mut silence, mut chance) = (0, 1u32);
    let mut out = Vec::new();
    let mut deliver_at = 0u64;
    let mut took_us = 0u64;
    for n in 0..(TIME * 50) as u32 {
        let step_us = 20_000 - 20_000 * ppm / 1_000_000;
        let spoken_us = u64::from(n) * step_us as u64;
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        deliver_at = deliver_at.max(spoken_us + u64::from(chance >> 16) % 80_000);
        while took_us + 40_000 <= deliver_at {
            took_us += 40_000;
            jitter.read(begun + Duration::from_micros(took_us), &mut out);
        }
        let speaks = n / 50 % 5 != 4;
        for track in Track::BOTH {
            let mulaw = if speaks { LOUD } else { 0xff };
            let now = begun + Duration::from_micros(deliver_at);
            jitter.on_frame(now, &frame(track, n + 1, 20 * n, mulaw));
        }
        said += if speaks { FRAME_BYTES } else { 0 };
        for samples in out.as_chunks::<4>().0 {
            let is_loud = [samples[0] | samples[1], samples[2] | samples[3]].map(|byte| byte != 0);
            assert_eq!(is_loud[0], is_loud[1], "the tracks have parted");
            loud = [
                loud[0] + usize::from(is_loud[0]),
                loud[1] + usize::from(is_loud[1]),
            ];
            if is_loud[0] {
                // A pause is far longer.
                holes += usize::from(loud[0] > 1 && (1..ms(500)).contains(&silence));
                silence = 0;
            } else {
                silence += 1;
            }
        }
        out.clear();
    }
    jitter.finish(&mut out);
    let waits = out.len() / 4;
    for samples in out.as_chunks::<4>().0 {
        loud = [
            loud[0] + usize::from(samples[1] != 0),
            loud[1] + usize::from(samples[3] != 0),
        ];
    }
    After {
        waits,
        lost: jitter.take_lost(),
        holes,
        loud,
        said,
    }
}

#[test]
fn a_clock_that_is_fast_or_slow_is_followed_in_the_pauses() {
    for ppm in [-2000, 0, 2000] {
        let after = call(ppm);
        assert!((ms(20)..ms(500)).contains(&after.waits), "{ppm}: {}", after.waits);
        assert_eq!((after.lost, after.holes), (0, 0), "{ppm}");
        assert_eq!(after.loud, [after.said; 2], "{ppm}");
    }
}
