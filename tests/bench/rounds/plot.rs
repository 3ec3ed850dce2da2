//! The plot: CPU of a delivered frame as bars, time from frame in to frame out as lines from median to p99. An SVG
//! without anything from elsewhere, on a card of its own, so that it can be read wherever it is shown; a reader in
//! the dark gets a dark card. Knows nothing of runs.

use std::fmt::Write as _;

use super::stats::Range;

/// Who a mark is of: its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ink {
    Relay,
    Coalescing,
    Floor,
    Node,
}

/// What one contestant gave: a bar with whiskers, and a line from median to p99.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) ink: Ink,
    /// µs.
    pub(crate) cost: Option<Range>,
    /// Median and p99, ms.
    pub(crate) delay: Option<(f64, f64)>,
}

/// Marks that are compared with each other.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) marks: Vec<Mark>,
}

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plot {
    pub(crate) groups: Vec<Group>,
    /// Below the picture: where and how it was measured.
    pub(crate) note: String,
}

impl Ink {
    const ALL: [Ink; 4] = [Ink::Relay, Ink::Coalescing, Ink::Floor, Ink::Node];

    fn class(self) -> &'static str {
        match self {
            Ink::Relay => "relay",
            Ink::Coalescing => "coalescing",
            Ink::Floor => "floor",
            Ink::Node => "node",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Ink::Relay => "Partyline, one write a frame",
            Ink::Coalescing => "Partyline, coalescing 20 ms",
            Ink::Floor => "the floor: a bare epoll program",
            Ink::Node => "a relay in Node with ws",
        }
    }
}

/// SVG units: the whole width, a mark's height with its gap, the gap between groups.
const WIDTH: f64 = 960.0;
const ROW: f64 = 18.0;
const BAR: f64 = 13.0;
const GAP: f64 = 16.0;
/// Where the panels begin, below title and legend, and what is left below them.
const TOP: f64 = 122.0;
const BOTTOM: f64 = 66.0;
/// Left edge and width of the two panels; names stand left of the first.
const COSTS: (f64, f64) = (156.0, 372.0);
const DELAYS: (f64, f64) = (592.0, 262.0);

const STYLE: &str = "\
.card{fill:#ffffff;stroke:#d8dde3}text{fill:#24292f}.soft{fill:#57606a}.grid{stroke:#e6e9ed}.axis{stroke:#8c959f}\
.whisker{stroke:#24292f}.relay{fill:#2563c9;stroke:#2563c9}.coalescing{fill:#7fb0f5;stroke:#7fb0f5}\
.floor{fill:#98a1ab;stroke:#98a1ab}.node{fill:#d9822b;stroke:#d9822b}\
@media (prefers-color-scheme:dark){.card{fill:#161b22;stroke:#30363d}text{fill:#e6edf3}.soft{fill:#9aa4af}.grid{stroke:#262d36}\
.axis{stroke:#6e7681}.whisker{stroke:#e6edf3}.relay{fill:#4c8df6;stroke:#4c8df6}.coalescing{fill:#a5c8ff;stroke:#a5c8ff}\
.floor{fill:#7d8590;stroke:#7d8590}.node{fill:#e09b4f;stroke:#e09b4f}}";

impl Plot {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let rows = |group: &Group| group.marks.len() as f64 * ROW + GAP;
        let below = TOP + self.groups.iter().map(rows).sum::<f64>().max(ROW);
        let height = below + BOTTOM;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif\" font-size=\"12\">\n\
             <title>What a delivered frame costs</title>\n<style>{STYLE}</style>\n\
             <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n",
            WIDTH - 1.0,
            height - 1.0
        );
        let title = "font-size=\"17\" font-weight=\"600\"";
        text(&mut svg, (24.0, 34.0), title, "What a delivered frame costs");
        self.legend(&mut svg);
        let head = "font-size=\"13\" font-weight=\"600\"";
        text(
            &mut svg,
            (COSTS.0, TOP - 14.0),
            head,
            "CPU for a delivered frame, µs",
        );
        text(
            &mut svg,
            (DELAYS.0, TOP - 14.0),
            head,
            "Frame in to frame out, ms: median and p99",
        );
        let marks = || self.groups.iter().flat_map(|group| &group.marks);
        let costs = Axis::even(COSTS, marks().filter_map(|mark| Some(mark.cost?.high)));
        let delays = Axis::tenfold(
            DELAYS,
            marks()
                .filter_map(|mark| mark.delay)
                .flat_map(|(p50, p99)| [p50, p99]),
        );
        costs.draw(&mut svg, below);
        delays.draw(&mut svg, below);
        let mut y = TOP + GAP / 2.0;
        for group in &self.groups {
            let middle = y + group.marks.len() as f64 * ROW / 2.0 + 4.0;
            text(
                &mut svg,
                (COSTS.0 - 12.0, middle),
                "text-anchor=\"end\"",
                &group.title,
            );
            for mark in &group.marks {
                let middle = y + ROW / 2.0;
                if let Some(range) = mark.cost {
                    cost(&mut svg, middle, mark.ink, range, &costs);
                }
                if let Some(delay) = mark.delay {
                    lag(&mut svg, middle, mark.ink, delay, &delays);
                }
                y += ROW;
            }
            y += GAP;
        }
        text(
            &mut svg,
            (24.0, height - 20.0),
            "class=\"soft\" font-size=\"11\"",
            &self.note,
        );
        svg.push_str("</svg>\n");
        svg
    }

    /// Only who is in the picture.
    fn legend(&self, svg: &mut String) {
        let has = |ink: &Ink| {
            self.groups
                .iter()
                .flat_map(|group| &group.marks)
                .any(|mark| mark.ink == *ink)
        };
        for (at, ink) in Ink::ALL.into_iter().filter(has).enumerate() {
            let x = 24.0 + at as f64 * 222.0;
            let class = ink.class();
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"54\" width=\"12\" height=\"12\" rx=\"2\"/>"
            );
            text(svg, (x + 19.0, 64.5), "", ink.name());
        }
    }
}

/// Values to places, with the round numbers that are written below.
struct Axis {
    left: f64,
    width: f64,
    /// Values at both ends, or their logarithms.
    ends: (f64, f64),
    is_tenfold: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// From nothing to a round number above all.
    fn even((left, width): (f64, f64), values: impl Iterator<Item = f64>) -> Axis {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        // A picture of nothing has an axis too.
        let most = if most > 0.0 { most } else { 1.0 };
        // The roundest step that gives at most seven.
        let power = 10f64.powf((most / 7.0).log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|step| step * power);
        let step = steps
            .into_iter()
            .find(|step| most / step <= 7.0)
            .unwrap_or(10.0 * power);
        let count = (most / step).ceil();
        Axis {
            left,
            width,
            ends: (0.0, count * step),
            is_tenfold: false,
            ticks: (0..=count as u32).map(|at| f64::from(at) * step).collect(),
        }
    }

    /// Each tenth as wide as the next: delays are of very different sizes.
    fn tenfold((left, width): (f64, f64), values: impl Iterator<Item = f64>) -> Axis {
        let (mut least, mut most) = (f64::INFINITY, 0f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        let (least, most) = if most > 0.0 { (least, most) } else { (0.1, 1.0) };
        let from = least.log10().floor();
        let to = most.log10().ceil().max(from + 1.0);
        Axis {
            left,
            width,
            ends: (from, to),
            is_tenfold: true,
            ticks: (from as i32..=to as i32).map(|power| 10f64.powi(power)).collect(),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let (from, to) = self.ends;
        let value = if self.is_tenfold { value.log10() } else { value };
        // Nothing is at the left; what is no number too.
        let part = ((value.max(from) - from) / (to - from)).clamp(0.0, 1.0);
        self.left + part * self.width
    }

    fn draw(&self, svg: &mut String, below: f64) {
        for (at, &value) in self.ticks.iter().enumerate() {
            let x = self.x(value);
            let class = if at == 0 { "axis" } else { "grid" };
            let _ = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{below:.1}\"/>"
            );
            // Steps are round, so six digits are exact, and trailing noughts are noise.
            let words = format!("{value:.6}");
            let words = words.trim_end_matches('0').trim_end_matches('.');
            let attributes = "class=\"soft\" font-size=\"11\" text-anchor=\"middle\"";
            text(svg, (x, below + 16.0), attributes, words);
        }
    }
}

fn cost(svg: &mut String, y: f64, ink: Ink, range: Range, axis: &Axis) {
    let Range {
        median, low, high, ..
    } = range;
    let (left, end) = (axis.left, axis.x(median));
    let _ = writeln!(
        svg,
        "<rect class=\"{}\" stroke=\"none\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"1.5\"/>",
        ink.class(),
        y - BAR / 2.0,
        end - left
    );
    let (low, high) = (axis.x(low), axis.x(high));
    let _ = writeln!(
        svg,
        "<path class=\"whisker\" fill=\"none\" d=\"M{low:.1} {y:.1}H{high:.1}M{low:.1} {0:.1}v6M{high:.1} {0:.1}v6\"/>",
        y - 3.0
    );
    let place = (high.max(end) + 6.0, y + 4.0);
    text(svg, place, "font-size=\"11\"", &format!("{median:.1}"));
}

fn lag(svg: &mut String, y: f64, ink: Ink, (p50, p99): (f64, f64), axis: &Axis) {
    let (from, to) = (axis.x(p50), axis.x(p99));
    let class = ink.class();
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" stroke-width=\"3\" stroke-opacity=\"0.45\" x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
         <circle class=\"{class}\" cx=\"{from:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\n\
         <rect class=\"{class}\" stroke=\"none\" x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"11\"/>",
        to - 1.5,
        y - 5.5
    );
    let words = format!("{} / {}", short(p50), short(p99));
    text(svg, (to.max(from) + 8.0, y + 4.0), "font-size=\"11\"", &words);
}

/// Three digits are what such a measurement gives.
fn short(value: f64) -> String {
    let decimals = if value >= 9.95 { 1 } else { 2 };
    format!("{value:.decimals$}")
}

fn text(svg: &mut String, (x, y): (f64, f64), attributes: &str, words: &str) {
    let words = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>");
}

#[cfg(test)]
mod tests;
