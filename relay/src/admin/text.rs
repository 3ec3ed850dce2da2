//! Families as Prometheus reads them: its text exposition, version 0.0.4, written by Prometheus' own crate. The counters
//! stay ours, plain atomics that a media loop can afford; the crate is handed what they are at that moment.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::metrics::{Family, Kind, Value};

/// Of what [`write`] writes.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the relay's own families are called by; those of the process have the names that all programs use.
const PREFIX: &str = "partyline";

/// Families to be written.
#[derive(Debug)]
struct Sheet(Vec<Family>);

/// Writes families of the relay, and others by their own names.
///
/// # Errors
/// When there is no memory.
pub(super) fn write(ours: &[Family], others: &[Family]) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Sheet(ours.to_vec())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Sheet(others.to_vec())));
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Sheet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for sample in &family.samples {
                if sample.labels.is_empty() {
                    value(&mut metric, &sample.value)?;
                } else {
                    value(&mut metric.encode_family(&sample.labels)?, &sample.value)?;
                }
            }
        }
        Ok(())
    }
}

fn value(metric: &mut MetricEncoder<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Count(count) => metric.encode_counter::<NoLabelSet, u64, f64>(count, None),
        Value::Seconds(seconds) => metric.encode_counter::<NoLabelSet, f64, f64>(seconds, None),
        Value::Level(level) => metric.encode_gauge(level),
        Value::Times { sum, buckets } => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}
