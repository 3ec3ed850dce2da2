//! What came together on one stream, as it leaves for every listener: encoded at the first one who can take
//! it at once, and for all who want it in the same form.

use super::{Form, Item};
use crate::ws::head::{self, Kind};

/// Frames, and what is missing between them, in order.
#[derive(Debug)]
pub struct Batch<'a> {
    items: &'a [Item],
    /// How its frames leave; `None` for as they are.
    form: Option<&'a dyn Form>,
    /// The frames as WebSocket messages, once somebody asked.
    wire: &'a mut Vec<u8>,
    encoded: bool,
    only_frames: bool,
    audio_bytes: u64,
}

impl<'a> Batch<'a> {
    /// A batch of `items`; `wire` is memory to encode them in.
    pub fn new(items: &'a [Item], wire: &'a mut Vec<u8>) -> Batch<'a> {
        let only_frames = items.iter().all(|item| matches!(item, Item::Frame(_)));
        Batch {
            items,
            form: None,
            wire,
            encoded: false,
            only_frames,
            audio_bytes: items.iter().map(audio_bytes).sum(),
        }
    }

    /// The same in another form, encoded in the same memory: what it was there is let go.
    pub fn formed<'b>(&'b mut self, form: &'b dyn Form) -> Batch<'b> {
        self.encoded = false;
        Batch {
            items: self.items,
            form: Some(form),
            wire: self.wire,
            encoded: false,
            only_frames: self.only_frames,
            audio_bytes: self.audio_bytes,
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
        if !self.encoded {
            self.encoded = true;
            self.wire.clear();
            for item in self.items {
                match (item, self.form) {
                    (Item::Frame(frame), None) => head::put(self.wire, Kind::Binary, frame.bytes()),
                    (Item::Frame(frame), Some(form)) => form.put(frame, self.wire),
                    _ => {}
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
