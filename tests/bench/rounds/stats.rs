//! Medians and pairs. A ratio is made within one round, where both ran under the same conditions, and only then the
//! median of the rounds is taken: a machine that slows down between rounds changes both sides of a ratio alike.

/// What several rounds gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Rounds.
    pub(crate) count: usize,
}

impl Range {
    /// `None` where nothing was measured. What is no number counts as not measured.
    pub(crate) fn of(values: &[f64]) -> Option<Range> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let (&low, &high) = (sorted.first()?, sorted.last()?);
        // With an even count the mean of the two in the middle, which are one where it is odd.
        let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        Some(Range {
            median,
            low,
            high,
            count,
        })
    }
}

/// `a / b`; `None` where there is no ratio.
pub(crate) fn ratio(a: f64, b: f64) -> Option<f64> {
    let ratio = a / b;
    (b > 0.0 && ratio.is_finite()).then_some(ratio)
}

/// Whether two measurements of one thing are at most this part of the second apart.
pub(crate) fn agree(a: f64, b: f64, within: f64) -> bool {
    (a - b).abs() <= within * b.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_stands_in_the_middle() {
        let range = |values: &[f64]| Range::of(values).map(|range| (range.low, range.median, range.high));
        assert_eq!(range(&[3.0, 1.0, 9.0]), Some((1.0, 3.0, 9.0)));
        assert_eq!(range(&[4.0, 1.0, 2.0, 9.0]), Some((1.0, 3.0, 9.0)));
        assert_eq!(range(&[5.0]), Some((5.0, 5.0, 5.0)));
        assert_eq!(range(&[]), None);
    }

    #[test]
    fn what_is_no_number_was_not_measured() {
        assert_eq!(Range::of(&[f64::NAN, f64::INFINITY]), None);
        assert_eq!(Range::of(&[f64::NAN, 2.0]).map(|range| range.count), Some(1));
    }

    #[test]
    fn there_is_no_ratio_to_nothing() {
        assert_eq!(ratio(3.0, 2.0), Some(1.5));
        assert_eq!(ratio(3.0, 0.0), None);
        assert_eq!(ratio(0.0, 0.0), None);
        assert_eq!(ratio(f64::NAN, 1.0), None);
    }

    #[test]
    fn a_tenth_apart_still_agrees() {
        assert!(agree(1.1, 1.0, 0.1001) && agree(0.95, 1.0, 0.1));
        assert!(!agree(1.2, 1.0, 0.1) && !agree(0.8, 1.0, 0.1));
    }
}
