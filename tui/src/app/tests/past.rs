//! Back in time in the heard call, and forward again.

use super::*;
use crate::app::state::Pane;

/// `CA1` is heard for so long, and plays live.
fn hears(ms: u64) -> Story {
    let mut story = Story::shows("CA1");
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    story.wait(ms);
    story
}

impl Story {
    fn is_behind(&mut self, behind_ms: u32) {
        self.sound(FromSound::Playback(Playback {
            state: Playing::Behind,
            behind_ms,
            ..Playback::default()
        }));
    }

    /// A line whose words were said from then to then, ms of media time, and that came a second after.
    fn said_from(&mut self, seq: u64, zero: i64, from: u64, to: u64) {
        let at = UtcTime::from_unix_ms(START + zero + to as i64 + 1_000);
        let line = Line {
            at,
            start_ms: Some(from),
            end_ms: Some(to),
            ..said(seq, "yes")
        };
        self.says("CA1", line);
    }

    fn begins_at(&mut self, zero: i64) {
        self.relay(FromRelay::Following {
            call: sid("CA1"),
            zero_at: Some(UtcTime::from_unix_ms(START + zero)),
            resumed: true,
        });
    }
}

fn then(ms: i64) -> Effect {
    Effect::SeekTo(UtcTime::from_unix_ms(START + ms))
}

#[test]
fn left_goes_ten_seconds_back_and_right_forward_until_it_is_live() {
    let mut story = hears(60_000);
    assert_eq!(story.press(Intent::Back), [Effect::Seek(-10_000)]);
    assert_eq!(story.notice(), "10 s back");
    let playback = story.app.playback;
    assert_eq!(
        (playback.state, playback.behind_ms),
        (Playing::Behind, 10_000),
        "at once"
    );
    story.press(Intent::Back);
    assert_eq!(story.app.playback.behind_ms, 20_000);
    assert_eq!(story.press(Intent::Forward), [Effect::Seek(10_000)]);
    assert_eq!(story.notice(), "10 s forward");
    story.press(Intent::Forward);
    assert_eq!(
        (story.app.playback.state, story.notice()),
        (Playing::Live, "live")
    );
    assert_eq!(story.press(Intent::Forward), []);
    assert_eq!(story.notice(), "live already");
    assert_eq!(story.press(Intent::Live), [Effect::Live]);
}

#[test]
fn a_player_that_is_late_to_go_back_is_no_longer_live_and_l_reaches_it_all_the_same() {
    let mut story = hears(60_000);
    story.press(Intent::Back);
    story.plays(Playing::Live);
    let playback = story.app.playback;
    assert_eq!(
        (playback.state, playback.behind_ms),
        (Playing::Behind, 10_000),
        "it has not heard of it yet"
    );
    // However long it takes.
    story.wait(1_000);
    story.plays(Playing::Live);
    assert_eq!(story.app.playback.state, Playing::Live);
    assert_eq!(story.press(Intent::Live), [Effect::Live]);
}

#[test]
fn l_goes_back_to_live_from_anywhere() {
    let mut story = hears(60_000);
    story.press(Intent::Back);
    assert_eq!(story.press(Intent::Live), [Effect::Live]);
    assert_eq!(
        (story.app.playback.state, story.app.playback.behind_ms),
        (Playing::Live, 0)
    );
}

#[test]
fn the_player_says_where_the_past_ends() {
    let mut story = hears(60_000);
    story.press(Intent::Back);
    story.is_behind(2_000);
    assert_eq!(story.notice(), "10 s back", "it has not heard of it yet");
    story.wait(400);
    story.is_behind(9_900);
    assert_eq!(story.notice(), "10 s back");
    story.press(Intent::Back);
    story.wait(400);
    story.is_behind(10_600);
    assert!(
        story.notice().contains("what is remembered ends here"),
        "{}",
        story.notice()
    );
    story.wait(10_000);
    story.is_behind(5_000);
    assert_eq!(story.notice(), "", "it is said once");
}

#[test]
fn nothing_is_shown_to_be_remembered_from_before_it_was_heard() {
    let mut story = hears(4_000);
    story.press(Intent::Back);
    assert_eq!(story.app.playback.behind_ms, 4_000);
    assert_eq!(story.app.remembered_ms(), 4_000);
    story.wait(3_600_000);
    assert_eq!(story.app.remembered_ms(), 300_000);
}

#[test]
fn what_is_held_goes_back_and_stays_held() {
    let mut story = hears(60_000);
    story.press(Intent::Pause);
    assert_eq!(story.press(Intent::Back), [Effect::Seek(-10_000)]);
    assert_eq!(
        (story.app.playback.state, story.app.playback.behind_ms),
        (Playing::Paused, 10_000)
    );
}

#[test]
fn faster_and_without_silence_are_on_or_off() {
    let mut story = hears(60_000);
    assert_eq!(story.press(Intent::Fast), [Effect::Fast(true)]);
    assert!(story.notice().contains("what lies behind live"));
    story.press(Intent::Back);
    assert_eq!(story.press(Intent::Fast), [Effect::Fast(false)]);
    assert_eq!(story.press(Intent::Fast), [Effect::Fast(true)]);
    assert_eq!(story.notice(), "1.5 times as fast, until it is live");
    assert_eq!(story.press(Intent::SkipSilence), [Effect::SkipSilence(true)]);
    assert_eq!(story.press(Intent::SkipSilence), [Effect::SkipSilence(false)]);
    story.press(Intent::Fast);
    story.press(Intent::Stop);
    for key in [Intent::Back, Intent::Forward, Intent::Fast, Intent::SkipSilence] {
        assert_eq!(story.press(key), []);
        assert!(story.notice().contains("nothing is heard"));
    }
    story.press(Intent::Listen);
    assert!(!story.app.replay.fast, "another hearing begins as the first did");
    assert_eq!(story.press(Intent::Back), []);
    assert_eq!(story.notice(), "there is no audio yet");
}

#[test]
fn enter_on_a_line_plays_it_from_its_begin() {
    let mut story = hears(60_000);
    story.begins_at(5_000);
    for (seq, from) in [(1, 10_000), (2, 20_000), (3, 30_000)] {
        story.said_from(seq, 5_000, from, from + 2_000);
    }
    story.app.focus = Pane::Transcript;
    assert_eq!(story.press(Intent::Listen), [], "nobody has gone to a line");
    assert!(story.notice().contains("already"));
    story.press(Intent::Up);
    assert_eq!(story.press(Intent::Listen), [then(25_000)]);
    assert_eq!(story.notice(), "from this line on; l goes back to live");
    let behind = story.ms - 25_000;
    assert_eq!(u64::from(story.app.playback.behind_ms), behind);
    let second = story.app.shown_texts().unwrap().lines[1].id;
    assert_eq!(story.app.heard_line(), Some(second), "it is marked");
    story.ms += 2_500;
    story.happens(Event::Tick);
    assert_eq!(story.app.heard_line(), None, "between two lines");
    story.ms += 8_000;
    story.happens(Event::Tick);
    assert_eq!(story.app.heard_line(), Some(second + 1));
    story.press(Intent::Pause);
    story.press(Intent::Up);
    assert_eq!(story.press(Intent::Listen), [then(15_000), Effect::Pause(false)]);
    story.press(Intent::Live);
    assert_eq!(story.app.heard_line(), None);
}

#[test]
fn a_line_that_does_not_say_when_is_played_from_a_little_before_it_came() {
    let mut story = hears(60_000);
    let came = |seq, ms| Line {
        at: UtcTime::from_unix_ms(START + ms),
        ..said(seq, "yes")
    };
    story.says("CA1", came(1, 30_000));
    story.says("CA1", came(2, 40_000));
    story.app.focus = Pane::Transcript;
    story.press(Intent::Up);
    assert_eq!(story.press(Intent::Listen), [then(26_000)]);
}

#[test]
fn a_time_of_another_stream_is_not_believed() {
    let mut story = hears(300_000);
    story.begins_at(200_000);
    let line = Line {
        at: UtcTime::from_unix_ms(START + 205_000),
        start_ms: Some(180_000),
        ..said(1, "of the stream before")
    };
    story.says("CA1", line);
    assert_eq!(story.app.shown_texts().unwrap().lines[0].from, None);
}

#[test]
fn a_line_of_a_call_that_is_not_heard_hears_the_call() {
    let mut story = Story::shows("CA1");
    story.says("CA1", said(1, "yes"));
    story.says("CA1", said(2, "no"));
    story.app.focus = Pane::Transcript;
    story.press(Intent::Up);
    assert!(matches!(
        &story.press(Intent::Listen)[..],
        [Effect::Listen { .. }]
    ));
}

#[test]
fn a_line_of_a_call_behind_brings_it_to_the_front() {
    let mut story = hears(60_000);
    story.change(call("CA2", 1));
    story.press(Intent::Down);
    story.press(Intent::Also);
    story.press(Intent::Up);
    story.wait(300);
    story.says("CA1", said(1, "yes"));
    story.says("CA1", said(2, "no"));
    story.app.focus = Pane::Transcript;
    story.press(Intent::Up);
    let effects = story.press(Intent::Listen);
    assert!(matches!(&effects[..], [Effect::Front(call), Effect::SeekTo(_)] if *call == key("CA1")));
}

#[test]
fn only_the_second_that_is_shown_is_drawn_anew() {
    let mut story = hears(60_000);
    story.press(Intent::Back);
    let told = |behind_ms| {
        Event::Sound(FromSound::Playback(Playback {
            state: Playing::Behind,
            behind_ms,
            ..Playback::default()
        }))
    };
    story.happens(told(9_900));
    assert_eq!(story.dirt(told(9_100)), Dirty::Clean);
    assert_eq!(story.dirt(told(8_900)), Dirty::List);
}
