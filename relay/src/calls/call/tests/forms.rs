//! Listeners who want a call's frames in forms of their own.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Waker};

use super::*;
use crate::calls::fanout::{Batch, Form, Outlet, Taken};

/// Writes its name for each frame, and counts them.
#[derive(Debug)]
struct Named(&'static str, Arc<AtomicUsize>);

impl Form for Named {
    fn name(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn put(&self, frame: &AudioFrame, out: &mut Vec<u8>) {
        self.1.fetch_add(1, Relaxed);
        out.extend_from_slice(format!("{}{} ", self.0, frame.chunk()).as_bytes());
    }
}

#[derive(Debug, Default)]
struct Paper(Mutex<Vec<u8>>);

impl Outlet for Paper {
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(Taken {
            bytes: bytes.len(),
            waits: false,
        })
    }
}

struct Reader {
    paper: Arc<Paper>,
    mailbox: Arc<Mailbox>,
    subscription: Subscription,
}

impl Reader {
    /// One that sleeps with everything written.
    fn asleep(call: &Arc<Call>, now: Now, form: Option<Named>) -> Reader {
        let paper = Arc::<Paper>::default();
        let mailbox = Arc::new(Mailbox::new(Some(paper.clone())));
        mailbox.set_subs(vec![1]);
        let ask = Ask {
            mailbox: &mailbox,
            sub: 1,
            audio: true,
            form: form.map(|form| Arc::new(form) as Arc<dyn Form>),
            from: Begin::Now,
            replay_ms: 0,
        };
        let subscription = call.subscribe(now, &Grant::insecure(), ask).unwrap();
        let _ = items(&mailbox);
        let reader = Reader {
            paper,
            mailbox,
            subscription,
        };
        reader.sleep();
        reader
    }

    /// Takes word of the journal, and sleeps.
    fn sleep(&self) {
        self.mailbox.take(&mut VecDeque::new(), 0);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(self.mailbox.poll_ready(&mut cx).is_pending());
    }

    fn read(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *lock(&self.paper.0))).into_owned()
    }
}

#[test]
fn a_frame_is_put_into_each_form_once_and_written_to_all_who_sleep() {
    let (call, now) = call();
    accept(&call, now, 1);
    let made = Arc::<AtomicUsize>::default();
    let form = |name| Some(Named(name, made.clone()));
    let readers: Vec<Reader> = [form("a"), None, form("b"), form("a"), form("a")]
        .into_iter()
        .map(|form| Reader::asleep(&call, now, form))
        .collect();
    readers.iter().for_each(Reader::sleep);
    media(&call, now.mono, 1, &[frame(1, 1), frame(1, 2)]);
    let plain = Batch::new(&[frame(1, 1), frame(1, 2)], &mut Vec::new())
        .wire()
        .to_vec();
    assert_eq!(
        *lock(&readers[1].paper.0),
        plain,
        "as it is, where no form is asked for"
    );
    let [a, _, b, other, third] = &readers[..] else {
        panic!("five readers")
    };
    assert_eq!(
        [a, b, other, third].map(Reader::read),
        ["a1 a2 ", "b1 b2 ", "a1 a2 ", "a1 a2 "]
    );
    assert_eq!(made.load(Relaxed), 4, "two frames in two forms");
    let kept = |reader: &Reader| Arc::as_ptr(reader.subscription.form.as_ref().unwrap()).cast::<()>();
    assert!(kept(a) == kept(other) && kept(a) != kept(b));
    assert_eq!(a.mailbox.passed().frames, 2);
    assert_eq!(a.mailbox.bytes(1), 320, "bytes of audio, not of the form");
}

#[test]
fn who_is_awake_gets_frames_as_items_and_a_stream_is_told_to_all() {
    let (call, now) = call();
    accept(&call, now, 1);
    let form = || Some(Named("a", Arc::default()));
    let (awake, asleep) = (
        Reader::asleep(&call, now, form()),
        Reader::asleep(&call, now, form()),
    );
    awake.sleep();
    awake.mailbox.shut();
    media(&call, now.mono, 1, &[frame(1, 1)]);
    assert_eq!(items(&awake.mailbox), [frame(1, 1)]);
    assert_eq!(asleep.read(), "a1 ");
    accept(&call, now, 2);
    assert!(matches!(
        items(&asleep.mailbox)[..],
        [Item::Stream(StreamInfo { audio_id: 2, .. })]
    ));
    drop(awake.subscription);
    assert!(matches!(items(&awake.mailbox)[..], [Item::Stream(_)]));
    media(&call, now.mono, 2, &[frame(2, 1)]);
    assert_eq!(items(&awake.mailbox), []);
}

#[test]
fn who_begins_now_reads_only_what_comes() {
    let (call, now) = call();
    let line = |text: &str| {
        let line = NewLine {
            at: now.wall,
            track: Track::Inbound,
            text: text.to_owned(),
            is_final: true,
            confidence: None,
            engine: "twilio".to_owned(),
            sequence: None,
            start_ms: None,
            end_ms: None,
        };
        call.transcribed(now, None, "", None, (now.wall, Heard::Line(line)));
    };
    line("before");
    let reader = Reader::asleep(&call, now, None);
    line("after");
    let mut cursor = reader.subscription.cursor;
    let told = reader.subscription.seat.read(&mut cursor, 10).unwrap();
    let told: Vec<&str> = told.iter().map(|entry| entry.encoded().json()).collect();
    assert!(
        told.iter().any(|json| json.contains("after")) && !told.iter().any(|json| json.contains("before"))
    );
}
