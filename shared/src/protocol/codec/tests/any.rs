//! Any message of either side, as a version of today may write it.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::call::{Call, CallStatus, StreamState, Talk, TranscriptionState};
use crate::event::{Event, EventKind};
use crate::id::CallSid;
use crate::line::Line;
use crate::phone::PhoneNumber;
use crate::protocol::client::{After, ClientMessage, Subscribe};
use crate::protocol::server::{ErrorCode, GapReason, Level, Relays, RelaysState, ServerMessage, User};
use crate::time::UtcTime;
use crate::track::{PerTrack, Track, roles};

fn sid() -> impl Strategy<Value = CallSid> {
    "[A-Za-z0-9_-]{1,64}".prop_map(|text| CallSid::parse(&text).unwrap())
}

/// Milliseconds of the years 1970 to 2255.
fn time() -> impl Strategy<Value = UtcTime> {
    (0..9_000_000_000_000i64).prop_map(UtcTime::from_unix_ms)
}

fn text() -> impl Strategy<Value = String> {
    ".{0,20}"
}

fn track() -> impl Strategy<Value = Track> {
    select(Track::BOTH.to_vec())
}

/// Tenths, which any reader of JSON reads exactly.
fn number() -> impl Strategy<Value = f64> {
    (-900..900i32).prop_map(|tenths| f64::from(tenths) / 10.0)
}

pub(super) fn client() -> impl Strategy<Value = ClientMessage> {
    let after =
        (option::of(text()), any::<u64>(), any::<u64>()).prop_map(|(journal, transcript, event)| After {
            journal,
            transcript,
            event,
        });
    let subscribe = (
        sid(),
        any::<bool>(),
        option::of(after),
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(|(call_sid, audio, after, replay_ms, save)| {
            ClientMessage::Subscribe(Subscribe {
                call_sid,
                audio,
                after,
                replay_ms,
                save,
                saved: None,
            })
        });
    let watch = (number(), option::of(prop::collection::vec(sid(), 0..4)))
        .prop_map(|(levels_hz, call_sids)| ClientMessage::Watch { levels_hz, call_sids });
    prop_oneof![
        text().prop_map(|token| ClientMessage::Auth { token }),
        subscribe,
        sid().prop_map(|call_sid| ClientMessage::Unsubscribe { call_sid }),
        watch,
        any::<u64>().prop_map(|id| ClientMessage::Ping { id }),
        any::<u64>().prop_map(|id| ClientMessage::Pong { id }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    use CallStatus::*;
    let statuses = [
        Queued, Initiated, Ringing, InProgress, Completed, Busy, NoAnswer, Failed, Canceled,
    ];
    let streams = [
        StreamState::None,
        StreamState::Live,
        StreamState::Stopped,
        StreamState::Lost,
    ];
    let names = prop::collection::vec(option::of(text()), 7);
    let times = prop::collection::vec(option::of(time()), 4);
    let counts = prop::collection::vec(any::<u64>(), 5);
    let states = (select(statuses.to_vec()), select(streams.to_vec()), track());
    (sid(), names, times, counts, states, any::<bool>(), any::<u32>()).prop_map(
        |(call_sid, mut names, mut times, counts, (status, stream, agent), paused, listeners)| {
            let mut name = || names.pop().flatten();
            let mut time = || times.pop().flatten();
            let mut address = || name().map(|text| PhoneNumber::new(&text));
            let (from, to, dialed) = (address(), address(), address());
            let engine = name();
            Call {
                call_sid,
                account_sid: name(),
                customer_id: name(),
                from,
                to: to.clone(),
                direction: name(),
                agent: to,
                dialed,
                roles: roles(agent),
                status,
                started_at: time(),
                answered_at: time(),
                ended_at: time(),
                stream,
                tracks: vec![agent],
                paused,
                listeners,
                node: "n".into(),
                lost_chunks: counts[0],
                talk: Talk {
                    inbound_ms: counts[1],
                    outbound_ms: counts[2],
                    both_ms: counts[3],
                    silence_ms: counts[4],
                },
                transcription: PerTrack {
                    inbound: TranscriptionState {
                        engine,
                        state: "running".into(),
                        since: time(),
                    },
                    outbound: TranscriptionState::default(),
                },
            }
        },
    )
}

fn line() -> impl Strategy<Value = Line> {
    let counts = (
        any::<u64>(),
        option::of(any::<u64>()),
        option::of(any::<u64>()),
        option::of(any::<u64>()),
    );
    let words = (text(), option::of(text()), option::of(number()));
    (counts, words, time(), track(), any::<bool>()).prop_map(
        |((seq, start_ms, end_ms, hole_ms), (text, engine, confidence), at, track, is_final)| Line {
            seq,
            at,
            start_ms,
            end_ms,
            track,
            text,
            is_final,
            confidence,
            engine,
            hole_ms,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|n| json!(n)),
        text().prop_map(|text| json!({ "in": [text] }))
    ];
    let detail = prop::collection::btree_map(text(), value, 0..4);
    let kinds = [
        EventKind::CallStatus,
        EventKind::StreamReplaced,
        EventKind::Gap,
        EventKind::ListenerLeft,
        EventKind::Error,
    ];
    (any::<u64>(), time(), select(kinds.to_vec()), detail).prop_map(|(seq, at, kind, detail)| Event {
        seq,
        at,
        kind,
        detail: Map::from_iter(detail),
    })
}

pub(super) fn server() -> impl Strategy<Value = ServerMessage> {
    let user = (text(), text(), prop::collection::vec(text(), 0..3)).prop_map(|(name, role, allow)| User {
        name,
        role,
        allow,
    });
    let hello = (user, text(), text(), prop::collection::vec(text(), 0..3), time()).prop_map(
        |(user, relay, node, features, time)| ServerMessage::Hello {
            protocol: crate::protocol::PROTOCOL.into(),
            relay,
            node,
            user,
            features,
            time,
        },
    );
    let level =
        (sid(), option::of(number()), option::of(number())).prop_map(|(call_sid, inbound, outbound)| Level {
            call_sid,
            inbound,
            outbound,
        });
    let subscribed = (
        sid(),
        option::of(any::<u32>()),
        text(),
        any::<bool>(),
        option::of(time()),
    )
        .prop_map(
            |(call_sid, audio_id, journal, resumed, zero_at)| ServerMessage::Subscribed {
                call_sid,
                audio_id,
                journal,
                resumed,
                zero_at,
            },
        );
    use GapReason::*;
    let reasons = vec![SlowListener, Upstream, RelayLink, Paused];
    let gap = (sid(), track(), any::<u32>(), any::<u32>(), select(reasons)).prop_map(
        |(call_sid, track, from_chunk, to_chunk, reason)| ServerMessage::Gap {
            call_sid,
            track,
            from_chunk,
            to_chunk,
            reason,
        },
    );
    let codes = vec![
        ErrorCode::BadMessage,
        ErrorCode::NoSuchCall,
        ErrorCode::NotAllowed,
        ErrorCode::TooManySubscriptions,
    ];
    let error = (select(codes), text(), option::of(text()))
        .prop_map(|(code, message, re)| ServerMessage::Error { code, message, re });
    prop_oneof![
        hello,
        (prop::collection::vec(call(), 0..3), any::<bool>())
            .prop_map(|(calls, more)| ServerMessage::Calls { calls, more }),
        call().prop_map(|call| ServerMessage::Call { call: Box::new(call) }),
        sid().prop_map(|call_sid| ServerMessage::CallRemoved { call_sid }),
        prop::collection::vec(level, 0..4).prop_map(|levels| ServerMessage::Levels { levels }),
        subscribed,
        sid().prop_map(|call_sid| ServerMessage::Unsubscribed { call_sid }),
        (sid(), line()).prop_map(|(call_sid, line)| ServerMessage::Transcript { call_sid, line }),
        (sid(), event()).prop_map(|(call_sid, event)| ServerMessage::Event { call_sid, event }),
        gap,
        error,
        (text(), any::<u64>()).prop_map(|(reason, retry_after_ms)| ServerMessage::Goodbye {
            reason,
            retry_after_ms
        }),
        any::<u64>().prop_map(|id| ServerMessage::Ping { id }),
        (
            select(vec![
                RelaysState::Shared,
                RelaysState::CutOff,
                RelaysState::CatchingUp
            ]),
            time(),
            any::<u32>()
        )
            .prop_map(|(state, since, relays)| ServerMessage::Relays(Relays {
                state,
                since,
                relays
            })),
        (any::<u64>(), option::of(time())).prop_map(|(id, time)| ServerMessage::Pong { id, time }),
    ]
}
