//! What comes in pieces goes out in time: on the grid, whole, in step, and with silence where there is nothing.

use proptest::prelude::*;

use super::*;

const I: Track = Track::Inbound;
const O: Track = Track::Outbound;

/// What was played: track, chunk, timestamp and bytes of each frame.
type Played = Vec<(Track, u32, u32, Vec<u8>)>;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A stream and the moment at which it began.
fn began() -> (Stream, Instant) {
    let t = Instant::now();
    (Stream::new(t, 7, GONE), t)
}

/// Turns it at each moment that is due, up to `until`.
fn play(stream: &mut Stream, until: Instant) -> (Played, Turn) {
    let mut items = Vec::new();
    let mut turn = Turn::Goes(until);
    while stream.due() <= until && matches!(turn, Turn::Goes(_)) {
        let due = stream.due();
        turn = stream.turn(due, &mut items);
    }
    let played = items.into_iter().map(|item| match item {
        Item::Frame(f) => (f.track(), f.chunk(), f.timestamp_ms(), f.mulaw().to_vec()),
        other => panic!("nothing else is played: {other:?}"),
    });
    (played.collect(), turn)
}

/// The audio of one track, joined.
fn joined(played: &[(Track, u32, u32, Vec<u8>)], track: Track) -> Vec<u8> {
    let mine = played.iter().filter(|(of, ..)| *of == track);
    mine.flat_map(|(.., bytes)| bytes.clone()).collect()
}

#[test]
fn frames_leave_every_20_ms_and_the_last_is_as_short_as_it_is() {
    let (mut stream, t) = began();
    assert_eq!(stream.due(), t + GONE);
    let now = t + ms(7);
    stream.push(now, I, &[1; 400]).unwrap();
    let (played, _) = play(&mut stream, now + CUSHION);
    assert!(played.is_empty(), "it waits for what may be late: {played:?}");
    stream.end(now + CUSHION);
    let (played, turn) = play(&mut stream, t + ms(1000));
    assert_eq!(turn, Turn::Played);
    let shape: Vec<_> = played.iter().map(|(_, n, at, b)| (*n, *at, b.len())).collect();
    assert_eq!(shape, [(1, 120, 160), (2, 140, 160), (3, 160, 80)]);
    assert_eq!(joined(&played, I), [1; 400]);
}

#[test]
fn a_track_over_2_s_ahead_takes_no_more_until_it_is_played_and_the_other_does() {
    let (mut stream, t) = began();
    assert_eq!(stream.push(t, I, &[1; 16_000]), Ok(AHEAD));
    assert_eq!(
        stream.push(t, I, &[2; 65_536]),
        Ok(ms(2000 + 8192)),
        "it was not over it when this came"
    );
    let refused = stream.push(t, I, &[3]).unwrap_err();
    assert_eq!(refused.retry_after(), ms(8192));
    assert!(stream.push(t, O, &[3]).is_ok());
    play(&mut stream, t + CUSHION + ms(8172));
    assert!(stream.push(t, I, &[3]).is_err());
    let (played, _) = play(&mut stream, t + CUSHION + ms(8192));
    assert!(stream.push(t, I, &[3]).is_ok());
    assert!(played.len() <= 4, "no more than its time: {}", played.len());
}

#[test]
fn both_tracks_begin_together_and_stay_in_step_over_a_pause() {
    let (mut stream, t) = began();
    stream.push(t + ms(1), I, &[1; 320]).unwrap();
    stream.push(t + ms(90), O, &[2; 160]).unwrap();
    let (played, _) = play(&mut stream, t + ms(400));
    let at = |n: usize| (played[n].0, played[n].2, played[n].3[0]);
    assert_eq!([at(0), at(1)], [(I, 120, 1), (O, 120, 2)]);
    assert_eq!([at(2), at(3)], [(I, 140, 1), (O, 140, SILENCE)]);
    assert_eq!([at(4), at(5)], [(I, 160, SILENCE), (O, 160, SILENCE)]);
    // After the pause the one that comes later does not wait for a time of its own.
    stream.push(t + ms(401), O, &[4; 160]).unwrap();
    stream.push(t + ms(450), I, &[3; 160]).unwrap();
    let (played, _) = play(&mut stream, t + ms(600));
    let spoken = played.iter().filter(|(.., bytes)| bytes[0] != SILENCE);
    let spoken: Vec<_> = spoken.map(|(of, _, at, _)| (*of, *at)).collect();
    assert_eq!(spoken, [(I, 520), (O, 520)]);
    for track in Track::BOTH {
        let mine = played.iter().filter(|(of, ..)| *of == track);
        let chunks: Vec<u32> = mine.map(|(_, n, ..)| *n).collect();
        assert!(chunks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{chunks:?}");
    }
}

#[test]
fn a_rest_that_nothing_follows_is_filled_up_and_a_track_that_never_spoke_is_not() {
    let (mut stream, t) = began();
    stream.push(t, I, &[1; 200]).unwrap();
    let (played, _) = play(&mut stream, t + ms(160));
    assert!(played.iter().all(|(of, ..)| *of == I));
    let expected = [vec![1; 200], vec![SILENCE; 440]].concat();
    assert_eq!(joined(&played, I), expected);
}

#[test]
fn what_is_late_within_the_cushion_is_no_break() {
    let (mut stream, t) = began();
    let mut played = Vec::new();
    let mut now = t;
    for piece in 0..50u64 {
        // 40 ms at a time, each up to 90 ms late, and none before the one that was late.
        let late = ms([0, 90, 30, 60][piece as usize % 4]);
        now = now.max(t + ms(piece * 40) + late);
        played.extend(play(&mut stream, now).0);
        stream.push(now, I, &[piece as u8 + 1; 320]).unwrap();
    }
    played.extend(play(&mut stream, t + ms(2500)).0);
    let whole: Vec<u8> = (0..50u8).flat_map(|piece| [piece + 1; 320]).collect();
    assert_eq!(joined(&played, I)[..whole.len()], whole);
}

#[test]
fn who_says_nothing_is_silent_then_gone_and_the_last_word_is_known() {
    let (mut stream, t) = began();
    stream.push(t, O, &[1; 160]).unwrap();
    let (played, turn) = play(&mut stream, t + CUSHION + ms(5000));
    assert_eq!(turn, Turn::Goes(t + CUSHION), "silence is no word");
    assert_eq!(played.len(), 251);
    let (_, turn) = play(&mut stream, t + CUSHION + GONE - ms(20));
    assert!(matches!(turn, Turn::Goes(_)));
    assert_eq!(play(&mut stream, t + CUSHION + GONE).1, Turn::Gone);
    let (mut never, t) = began();
    assert_eq!(play(&mut never, t + GONE), (Vec::new(), Turn::Gone));
    let (mut at_once, t) = began();
    at_once.end(t + ms(3));
    assert_eq!(play(&mut at_once, t + ms(20)), (Vec::new(), Turn::Played));
}

#[test]
fn a_machine_that_stood_still_pours_nothing_out() {
    let (mut stream, t) = began();
    stream.push(t, I, &[1; 16_000]).unwrap();
    play(&mut stream, t + ms(200));
    let mut items = Vec::new();
    stream.turn(t + Duration::from_secs(3600), &mut items);
    assert_eq!(items.len(), 1);
    let Item::Frame(frame) = &items[0] else {
        panic!("{items:?}")
    };
    assert_eq!(frame.timestamp_ms(), 220);
}

proptest! {
    /// Whatever comes when, however late it is looked at: all of it leaves in order, on the grid, chunk after chunk,
    /// and what waits is bounded.
    #[test]
    fn all_that_was_taken_leaves_in_order(
        steps in prop::collection::vec((0u64..400, any::<bool>(), 1usize..3000), 1..60),
    ) {
        let (mut stream, t) = began();
        let (mut now, mut byte) = (t, 0u8);
        let mut sent = PerTrack::<Vec<u8>>::default();
        let mut items = Vec::new();
        for (wait, inbound, length) in steps {
            now += ms(wait);
            stream.turn(now, &mut items);
            let track = if inbound { I } else { O };
            byte = byte % 0x7e + 1;
            if stream.push(now, track, &vec![byte; length]).is_ok() {
                sent.get_mut(track).extend(vec![byte; length]);
            }
            prop_assert!(stream.sides.get(track).waiting.len() <= 16_000 + 3000);
        }
        stream.end(now);
        let end = now + Duration::from_secs(4);
        let mut turn = Turn::Goes(now);
        while stream.due() <= end && turn != Turn::Played {
            let due = stream.due();
            turn = stream.turn(due, &mut items);
        }
        prop_assert_eq!(turn, Turn::Played);
        for track in Track::BOTH {
            let frames = items.iter().filter_map(|item| match item {
                Item::Frame(frame) if frame.track() == track => Some(frame),
                _ => None,
            });
            let frames: Vec<&AudioFrame> = frames.collect();
            let said = frames.iter().flat_map(|frame| frame.mulaw().to_vec());
            let said: Vec<u8> = said.filter(|byte| *byte != SILENCE).collect();
            prop_assert_eq!(&said, sent.get(track));
            for pair in frames.windows(2) {
                prop_assert_eq!(pair[1].chunk(), pair[0].chunk() + 1);
                prop_assert_eq!(pair[1].timestamp_ms(), pair[0].timestamp_ms() + FRAME_MS);
            }
        }
    }
}
