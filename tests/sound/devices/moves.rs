//! The default of ALSA's own files changes while a call plays; and what libraries print meanwhile is nowhere to be
//! seen.

use std::path::Path;

use harness::wait::{SOON, until};
use harness::{Card, Relay, Scratch, TwilioCall};

use super::{Talk, assert_ours_alone, listen, rings};

/// Waits until a card has played more than it has now.
async fn plays(card: &Card, what: &str) {
    let before = card.played();
    until(SOON, what, async || (card.played() > before).then_some(())).await;
}

/// Puts a file in the place of another at once, as editors do.
fn replace(scratch: &Scratch, path: &Path, text: &str) {
    let new = scratch.write("new", text);
    std::fs::rename(new, path).expect("a file can be renamed");
}

#[tokio::test]
async fn where_another_card_becomes_the_default_the_call_plays_on_there() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let cards = [Card::start(48_000, 0.0), Card::start(44_100, 0.0)];
    let configs = cards.each_ref().map(|card| {
        let (_, config) = card.env();
        std::fs::read_to_string(config).expect("a card has its configuration")
    });
    let alsa = scratch.write("asound.conf", &configs[0]);
    let mut call = TwilioCall::new(&relay);
    let listener = listen(&relay, &call, &alsa.to_string_lossy(), &[]);
    listener.complains(SOON, "playing on").await;
    rings(&relay, &call).await;
    let talk = Talk::begin(call.live_stream().await);
    plays(&cards[0], "the first card").await;
    replace(&scratch, &alsa, &configs[1]);
    plays(&cards[1], "the second card").await;
    // The first gets nothing any more, and the one it was is plugged in again.
    replace(&scratch, &alsa, &configs[0]);
    plays(&cards[0], "the first card again").await;
    // Half a file is what an editor may leave for a moment.
    replace(&scratch, &alsa, "pcm.!default { type");
    listener.complains(SOON, "no sound: ").await;
    replace(&scratch, &alsa, &configs[1]);
    plays(&cards[1], "the second card again").await;
    talk.end(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert_ours_alone(&done);
    relay.stop().await.expect_code(0);
}

/// The card is meant by a part of its name. ALSA starts a program that writes to the error output it was given: ours.
#[tokio::test]
async fn what_a_library_prints_while_it_plays_is_not_seen() {
    let (relay, scratch, card) = (Relay::start(&[]).await, Scratch::new(), Card::start(48_000, 0.0));
    let fifo = card.folder().join("card");
    let noise = scratch.write(
        "noise.sh",
        format!("echo 'a word of a library' >&2\nexec cat > {}\n", fifo.display()),
    );
    let config = format!(
        "</usr/share/alsa/alsa.conf>\npcm.loud {{ type plug \
         hint {{ show on description \"The loud one, as its maker calls it\" }} \
         slave {{ pcm \"card\" format S16_LE channels 2 rate 48000 }} }}\n\
         pcm.card {{ type file slave.pcm \"null\" file \"|sh {}\" format \"raw\" }}\n",
        noise.display()
    );
    let alsa = scratch.write("asound.conf", config);
    let mut call = TwilioCall::new(&relay);
    let listener = listen(&relay, &call, &alsa.to_string_lossy(), &["--device", "LOUD ONE"]);
    listener
        .complains(SOON, "playing on The loud one, as its maker calls it")
        .await;
    rings(&relay, &call).await;
    let talk = Talk::begin(call.live_stream().await);
    plays(&card, "the card").await;
    talk.end(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert_ours_alone(&done);
    relay.stop().await.expect_code(0);
}
