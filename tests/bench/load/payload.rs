//! The 160 bytes of a frame say who sent them and when, and prove it: a receiver that knows nothing else can tell
//! whether every byte is right.
//!
//! ```text
//! u32 call | u8 track | u24 run | u32 chunk | u64 sent, ns | 140 bytes that follow from these and the run
//! ```

/// 20 ms of µ-law.
pub(super) const LENGTH: usize = 160;
/// What comes before the bytes that follow from it.
const HEAD: usize = 20;
/// Of the run's number, the bits that a head has room for.
const RUN: u64 = 0xff_ffff;

/// Who a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its call's number.
    pub(super) call: u32,
    /// 0 inbound, 1 outbound.
    pub(super) track: u8,
    /// Of its track, from 1.
    pub(super) chunk: u32,
    /// When it was about to be written, ns on the machine's clock.
    pub(super) sent: u64,
}

/// Makes and reads the payloads of one run. Those of another are wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codec {
    run: u64,
}

impl Codec {
    pub(super) fn new(run: u64) -> Codec {
        Codec { run }
    }

    #[inline]
    pub(super) fn write(self, frame: Frame) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let run = (self.run & RUN) as u32;
        bytes[..4].copy_from_slice(&frame.call.to_be_bytes());
        bytes[4..8].copy_from_slice(&(u32::from(frame.track) << 24 | run).to_be_bytes());
        bytes[8..12].copy_from_slice(&frame.chunk.to_be_bytes());
        bytes[12..HEAD].copy_from_slice(&frame.sent.to_be_bytes());
        let mut state = self.run;
        for part in [
            u64::from(frame.call),
            u64::from(frame.track),
            u64::from(frame.chunk),
            frame.sent,
        ] {
            state = mixed(state ^ part);
        }
        for word in bytes[HEAD..].chunks_mut(8) {
            state = state.wrapping_add(STEP);
            word.copy_from_slice(&mixed(state).to_ne_bytes()[..word.len()]);
        }
        bytes
    }

    /// Who it is; `None` when any byte is not as it was sent.
    #[inline]
    pub(super) fn read(self, bytes: &[u8]) -> Option<Frame> {
        let head: &[u8; HEAD] = bytes.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let frame = Frame {
            call: word(0),
            track: head[4],
            chunk: word(8),
            sent: u64::from(word(12)) << 32 | u64::from(word(16)),
        };
        (self.write(frame) == bytes).then_some(frame)
    }
}

/// An odd number with as many ones as zeros.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Every bit of the result depends on every bit of the word (the finaliser of splitmix64).
#[inline]
pub(super) fn mixed(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame {
        call: 17,
        track: 1,
        chunk: 99,
        sent: 123_456_789_012,
    };

    #[test]
    fn what_was_written_is_read() {
        let codec = Codec::new(4242);
        assert_eq!(codec.read(&codec.write(FRAME)), Some(FRAME));
    }

    #[test]
    fn no_bit_can_change_unseen() {
        let codec = Codec::new(4242);
        let bytes = codec.write(FRAME);
        for bit in 0..LENGTH * 8 {
            let mut wrong = bytes;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(codec.read(&wrong), None, "bit {bit}");
        }
        for wrong in [
            &bytes[..159],
            &bytes[1..],
            &[],
            &[bytes.as_slice(), &[0]].concat(),
        ] {
            assert_eq!(codec.read(wrong), None, "{} bytes", wrong.len());
        }
        let mut exchanged = bytes;
        exchanged.swap(40, 41);
        assert_eq!(codec.read(&exchanged), None, "two bytes in each other's place");
    }

    #[test]
    fn another_runs_frame_is_wrong() {
        let bytes = Codec::new(4242).write(FRAME);
        assert_eq!(Codec::new(4243).read(&bytes), None);
        // Also where the part that a head has room for is the same.
        assert_eq!(Codec::new(4242 | 1 << 40).read(&bytes), None);
    }
}
