//! `--coalesce`: frames that may wait for one another leave together, and nothing of a call changes by it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use harness::wait::{SOON, within};
use harness::{MediaSocket, Relay, simulate};
use partyline_shared::audio::frame::AudioFrame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

/// Frames of each track.
const FRAMES: usize = 50;

/// A connection that counts how often something was there to be read.
struct Counted(TcpStream, Arc<AtomicUsize>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = out.filled().len();
        let polled = Pin::new(&mut self.0).poll_read(cx, out);
        if out.filled().len() > before {
            self.1.fetch_add(1, Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn frames_that_may_wait_leave_together_and_in_order() {
    let relay = Relay::start(&["--coalesce", "60ms"]).await;
    let sid = "CA11111111111111111111111111111111";
    let mut stream = MediaSocket::open(relay.addr(), sid).await;
    stream.connected().await;
    stream.start(&[]).await;

    let reads = Arc::new(AtomicUsize::new(0));
    let tcp = TcpStream::connect(relay.addr()).await.unwrap();
    let counted = Counted(tcp, reads.clone());
    let (mut listener, _) = client_async(format!("ws://{}/listen", relay.addr()), counted)
        .await
        .unwrap();
    let subscribe = format!(r#"{{"type":"subscribe","call_sid":"{sid}"}}"#);
    listener.send(Message::text(subscribe)).await.unwrap();
    let subscribed = async {
        while let Some(message) = listener.next().await {
            if message
                .unwrap()
                .to_text()
                .is_ok_and(|text| text.contains(r#""subscribed""#))
            {
                return;
            }
        }
    };
    within(SOON, "subscribed", subscribed).await;

    let before = reads.load(Relaxed);
    let (audio, pace) = (vec![0xff; FRAMES * 160], Duration::from_millis(20));
    let plays = stream.play(&audio, &audio, pace);
    let hears = async {
        let mut chunks = [Vec::new(), Vec::new()];
        while chunks.iter().any(|chunks| chunks.len() < FRAMES) {
            if let Message::Binary(bytes) = listener.next().await.unwrap().unwrap() {
                let frame = AudioFrame::parse(bytes).unwrap().unwrap();
                chunks[frame.track().index()].push(frame.chunk() as usize);
            }
        }
        chunks
    };
    let ((), chunks) = within(SOON, "every frame", async { tokio::join!(plays, hears) }).await;
    let all: Vec<usize> = (1..=FRAMES).collect();
    assert_eq!(chunks, [all.clone(), all]);
    // Each frame by itself would have been there to be read a hundred times; six come together here.
    let reads = reads.load(Relaxed) - before;
    assert!(reads <= FRAMES, "{reads} reads for {} frames", 2 * FRAMES);
    stream.hang_up().await;
    relay.stop().await.expect_code(0);
}

/// Written down is the same call, whether its frames left at once or together.
#[tokio::test]
async fn a_call_arrives_whole_whatever_its_frames_wait_for() {
    for coalesce in ["off", "auto", "20ms"] {
        let relay = Relay::start(&["--coalesce", coalesce]).await;
        let args = ["--check", "--calls", "3", "--duration", "1s"];
        let done = simulate::start(&relay, &args).finish(SOON).await.expect_code(0);
        assert_eq!(done.text().matches(" ended\n").count(), 3, "{}", done.text());
        relay.stop().await.expect_code(0);
    }
}
