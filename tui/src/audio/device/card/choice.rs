//! Which of the forms that a device offers is used. Pure: a list in, a choice out.

use cpal::{SampleFormat, SupportedStreamConfigRange};

/// The first of these that is offered: most devices run at one of them anyway, and 8 kHz goes into 48 six
/// times.
const RATES: [u32; 2] = [48_000, 44_100];

/// The forms of a sample, best first. Plain ones before such as need converting behind us.
const FORMATS: [SampleFormat; 9] = [
    SampleFormat::F32,
    SampleFormat::I16,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::F64,
    SampleFormat::U16,
    SampleFormat::U32,
    SampleFormat::I8,
    SampleFormat::U8,
];

/// Rates that are speech and that a resampler of ours reaches.
const SENSIBLE: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) rate: u32,
    pub(super) channels: u16,
    pub(super) format: SampleFormat,
}

/// The best of what is offered; `rate` where the user wants that and nothing else.
pub(super) fn choose(offers: &[SupportedStreamConfigRange], rate: Option<u32>) -> Result<Choice, String> {
    let ranked = offers.iter().filter_map(|offer| rank(offer, rate));
    let best = ranked.min_by_key(|(rank, _)| *rank).map(|(_, choice)| choice);
    best.ok_or_else(|| match rate {
        Some(rate) => format!("the device does not offer {rate} samples a second"),
        None => "the device plays nothing of ours".to_owned(),
    })
}

/// The less the better: rate, then channels, then form.
type Rank = (usize, u16, usize);

fn rank(offer: &SupportedStreamConfigRange, wanted: Option<u32>) -> Option<(Rank, Choice)> {
    let offered = offer.min_sample_rate()..=offer.max_sample_rate();
    let (rate_rank, rate) = match wanted {
        Some(rate) => offered.contains(&rate).then_some((0, rate))?,
        None => {
            let known = RATES.iter().position(|rate| offered.contains(rate));
            match known {
                Some(at) => (at, *RATES.get(at)?),
                // The one end that is nearest to what we like.
                None if *offered.start() > 44_100 => (RATES.len(), *offered.start()),
                None => (RATES.len() + 1, *offered.end()),
            }
        }
    };
    let channels = offer.channels();
    let channel_rank = match channels {
        0 => return None,
        2 => 0,
        1 => 1,
        more => more,
    };
    let format = offer.sample_format();
    let format_rank = FORMATS.iter().position(|known| *known == format)?;
    let choice = Choice {
        rate,
        channels,
        format,
    };
    SENSIBLE
        .contains(&rate)
        .then_some(((rate_rank, channel_rank, format_rank), choice))
}

#[cfg(test)]
mod tests {
    use cpal::SupportedBufferSize;

    use super::*;

    fn offer(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, SupportedBufferSize::Unknown, format)
    }

    fn chosen(offers: &[SupportedStreamConfigRange], rate: Option<u32>) -> (u32, u16, SampleFormat) {
        let choice = choose(offers, rate).unwrap();
        (choice.rate, choice.channels, choice.format)
    }

    #[test]
    fn what_suits_best_is_taken_wherever_it_stands() {
        let offers = [
            offer(2, (44_100, 44_100), SampleFormat::F32),
            offer(8, (8_000, 192_000), SampleFormat::F32),
            offer(2, (8_000, 192_000), SampleFormat::U8),
            offer(2, (48_000, 48_000), SampleFormat::I16),
            offer(1, (48_000, 48_000), SampleFormat::F32),
            offer(2, (48_000, 48_000), SampleFormat::DsdU8),
        ];
        assert_eq!(chosen(&offers, None), (48_000, 2, SampleFormat::I16));
        assert_eq!(chosen(&offers, Some(44_100)), (44_100, 2, SampleFormat::F32));
        assert_eq!(chosen(&offers[1..2], None), (48_000, 8, SampleFormat::F32));
        assert_eq!(chosen(&offers[4..5], None), (48_000, 1, SampleFormat::F32));
    }

    #[test]
    fn odd_devices_are_used_and_impossible_ones_named() {
        let odd = [offer(2, (8_000, 16_000), SampleFormat::I16)];
        assert_eq!(chosen(&odd, None), (16_000, 2, SampleFormat::I16));
        let high = [offer(2, (96_000, 192_000), SampleFormat::I32)];
        assert_eq!(chosen(&high, None), (96_000, 2, SampleFormat::I32));
        let told = choose(&odd, Some(48_000)).unwrap_err();
        assert_eq!(told, "the device does not offer 48000 samples a second");
        assert!(choose(&[offer(2, (2_822_400, 2_822_400), SampleFormat::DsdU8)], None).is_err());
        assert!(choose(&[offer(0, (48_000, 48_000), SampleFormat::F32)], None).is_err());
        assert!(choose(&[], None).is_err());
    }
}
