//! What came together on one stream, as it leaves for every listener: encoded at the first one who can take
//! it at once, and for all of them.

use super::Item;
use crate::ws::head::{self, Kind};

/// Frames, and what is missing between them, in order.
#[derive(Debug)]
pub struct Batch<'a> {
    items: &'a [Item],
    /// The frames as WebSocket messages, once somebody asked.
    wire: &'a mut Vec<u8>,
    only_frames: bool,
    audio_bytes: u64,
}

impl<'a> Batch<'a> {
    /// A batch of `items`; `wire` is memory to encode them in.
    pub fn new(items: &'a [Item], wire: &'a mut Vec<u8>) -> Batch<'a> {
        wire.clear();
        let only_frames = items.iter().all(|item| matches!(item, Item::Frame(_)));
        Batch {
            items,
            wire,
            only_frames,
            audio_bytes: items.iter().map(audio_bytes).sum(),
        }
    }

    /// Bytes of µ-law in its frames.
    pub fn audio_bytes(&self) -> u64 {
        self.audio_bytes
    }

    /// All of it.
    pub fn items(&self) -> &'a [Item] {
        self.items
    }

    /// Whether it can be written as it is: what else there is has to be put into words for each listener.
    pub fn is_only_frames(&self) -> bool {
        self.only_frames
    }

    /// Its frames as WebSocket messages, one behind the other.
    pub fn wire(&mut self) -> &[u8] {
        if self.wire.is_empty() {
            for item in self.items {
                if let Item::Frame(frame) = item {
                    head::put(self.wire, Kind::Binary, frame.bytes());
                }
            }
        }
        self.wire
    }
}

fn audio_bytes(item: &Item) -> u64 {
    match item {
        Item::Frame(frame) => frame.mulaw().len() as u64,
        Item::Gap(_) | Item::Stream(_) => 0,
    }
}
