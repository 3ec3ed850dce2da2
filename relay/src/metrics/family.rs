//! What `/metrics` shows, as plain data: families of samples with labels. How that is written is for the `admin` room.

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows from the start on. Its name is shown with `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How long things took, seconds.
    Histogram,
}

/// A family: one name, one help, one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Without the prefix that all of them have.
    pub name: &'static str,
    /// For a person, without a full stop.
    pub help: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// At least one.
    pub samples: Vec<Sample>,
}

/// One number, or one histogram, of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The same names in each sample of a family; the values are a closed set.
    pub labels: Vec<(&'static str, String)>,
    /// What it is.
    pub value: Value,
}

/// A sample's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a counter in seconds.
    Seconds(f64),
    /// Of a gauge.
    Level(f64),
    /// Of a histogram.
    Times {
        /// Seconds in all.
        sum: f64,
        /// Upper bound in seconds (the last is infinite), and how many were in that bucket alone.
        buckets: Vec<(f64, u64)>,
    },
}

impl Sample {
    /// A sample with labels out of the program's own text.
    pub fn new(labels: Vec<(&'static str, &'static str)>, value: Value) -> Sample {
        let labels = labels.into_iter();
        Sample {
            labels: labels.map(|(name, text)| (name, text.to_owned())).collect(),
            value,
        }
    }
}

impl Family {
    /// A gauge without labels.
    pub fn gauge(name: &'static str, help: &'static str, level: f64) -> Family {
        Family {
            name,
            help,
            kind: Kind::Gauge,
            samples: vec![Sample::new(Vec::new(), Value::Level(level))],
        }
    }
}
