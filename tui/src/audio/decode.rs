//! µ-law to samples, by a table.

use partyline_shared::audio::g711;

/// Every byte's sample, -1 to 1; the same as the 16-bit sample over 32,768, exactly.
const TABLE: [f32; 256] = {
    let mut table = [0.0; 256];
    let mut byte = 0;
    #[allow(clippy::indexing_slicing)]
    while byte < 256 {
        table[byte] = g711::DECODE[byte] as f32 / 32_768.0;
        byte += 1;
    }
    table
};

/// One byte's sample.
#[allow(clippy::indexing_slicing)] // a table of 256 has every u8
#[inline]
pub fn sample(byte: u8) -> f32 {
    TABLE[byte as usize]
}

/// Decodes as much as fits; how many samples were written.
pub fn decode(mulaw: &[u8], out: &mut [f32]) -> usize {
    for (out, &byte) in out.iter_mut().zip(mulaw) {
        *out = sample(byte);
    }
    mulaw.len().min(out.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_its_16_bit_sample() {
        for byte in 0..=255 {
            assert_eq!(sample(byte) * 32_768.0, f32::from(g711::decode(byte)));
        }
        let mut out = [9.0; 3];
        assert_eq!(decode(&[0x80, 0x00], &mut out), 2);
        assert_eq!(out, [32_124.0 / 32_768.0, -32_124.0 / 32_768.0, 9.0]);
        assert_eq!(decode(&[0xff; 9], &mut out), 3);
    }
}
