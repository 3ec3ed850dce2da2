//! G.711 µ-law, as ITU-T writes it, by table. Decoding is exact; encoding takes the nearest code below
//! the biased magnitude, as Twilio's examples do.

const BIAS: i32 = 0x84;
/// Larger magnitudes would not fit the eight segments.
const CLIP: i32 = 32635;

/// Every byte's sample.
pub const DECODE: [i16; 256] = {
    let mut table = [0i16; 256];
    let mut byte = 0;
    while byte < 256 {
        let v = !(byte as u8) as i32;
        let t = (((v & 0x0f) << 3) + BIAS) << ((v >> 4) & 7);
        #[allow(clippy::indexing_slicing)]
        {
            table[byte] = (if v & 0x80 != 0 { BIAS - t } else { t - BIAS }) as i16;
        }
        byte += 1;
    }
    table
};

/// One byte's sample.
#[allow(clippy::indexing_slicing)] // a table of 256 has every u8
#[inline]
pub fn decode(byte: u8) -> i16 {
    DECODE[byte as usize]
}

/// The byte for a sample.
#[inline]
pub fn encode(sample: i16) -> u8 {
    let x = i32::from(sample);
    let magnitude = x.abs().min(CLIP) + BIAS;
    let segment = 24 - magnitude.leading_zeros() as i32;
    let mantissa = (magnitude >> (segment + 3)) & 0x0f;
    let sign = if x < 0 { 0x80 } else { 0 };
    !((sign | (segment << 4) | mantissa) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_hold() {
        for (sample, byte) in [
            (0, 0xff),
            (3, 0xff),
            (4, 0xfe),
            (8, 0xfe),
            (-1, 0x7f),
            (-4, 0x7e),
            (-8, 0x7e),
            (100, 0xf2),
            (-100, 0x72),
            (1000, 0xce),
            (-1000, 0x4e),
            (8000, 0xa0),
            (16000, 0x90),
            (32124, 0x80),
            (32767, 0x80),
            (-32124, 0x00),
            (-32768, 0x00),
        ] {
            assert_eq!(encode(sample), byte, "{sample}");
        }
        for (byte, sample) in [
            (0x80, 32124),
            (0x90, 15996),
            (0xa0, 7932),
            (0xbf, 1980),
            (0xcf, 924),
            (0xef, 132),
            (0xff, 0),
            (0x00, -32124),
        ] {
            assert_eq!(decode(byte), sample, "{byte:#x}");
        }
    }

    #[test]
    fn only_negative_zero_does_not_come_back() {
        for byte in 0..=255u8 {
            let back = encode(decode(byte));
            assert_eq!(back, if byte == 0x7f { 0xff } else { byte });
        }
    }
}
