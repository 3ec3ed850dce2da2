//! A floor that does one frame in fifty wrong, each time in the same way: what a load program does not notice here
//! it would not notice of a relay.

use super::frame::FRAME;

/// One frame in that many.
const EVERY: u64 = 50;
/// A byte of the audio.
const FLIPPED: usize = 100;
/// The byte of the head that names the track.
const TRACK: usize = 5;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Fault {
    /// It is not sent.
    Drop,
    /// A bit of its audio is another.
    Flip,
    /// The next of its track comes before it.
    Swap,
    /// It is sent twice.
    Double,
    /// The listeners of another call get it.
    Stray,
}

/// What comes of one frame.
pub(super) struct Does {
    /// To be sent now, in this order.
    pub(super) frames: Vec<[u8; FRAME]>,
    /// Whether to the listeners of another call.
    pub(super) stray: bool,
}

pub(super) struct Faulty {
    fault: Fault,
    seen: u64,
    /// The one that waits for the next of its call and track.
    held: Option<(usize, [u8; FRAME])>,
}

impl Faulty {
    pub(super) fn new(fault: Fault) -> Faulty {
        Faulty {
            fault,
            seen: 0,
            held: None,
        }
    }

    /// Takes the call's next frame.
    pub(super) fn next(&mut self, call: usize, frame: &[u8; FRAME]) -> Does {
        self.seen += 1;
        let wrong = self.seen.is_multiple_of(EVERY);
        let mut does = Does {
            frames: vec![*frame],
            stray: false,
        };
        if let Some((_, held)) = self
            .held
            .take_if(|(of, held)| *of == call && held[TRACK] == frame[TRACK])
        {
            does.frames.push(held);
            return does;
        }
        match self.fault {
            _ if !wrong => {}
            Fault::Drop => does.frames.clear(),
            Fault::Flip => does.frames[0][FLIPPED] ^= 1,
            Fault::Swap if self.held.is_none() => {
                self.held = Some((call, *frame));
                does.frames.clear();
            }
            Fault::Swap => {}
            Fault::Double => does.frames.push(*frame),
            Fault::Stray => does.stray = true,
        }
        does
    }
}
