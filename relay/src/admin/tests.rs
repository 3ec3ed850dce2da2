//! What an operator is shown, as text.

use super::*;
use crate::metrics::{Family, Kind, Metrics, Sample, Value};

#[test]
fn every_family_has_its_help_and_its_type_before_its_numbers() {
    let metrics = Metrics::default();
    metrics.signatures_wrong.add(3);
    metrics.times.fan_out.record(Duration::from_micros(70));
    let text = text::write(
        &metrics.families(),
        &[Family::gauge("process_open_fds", "Open", 7.0)],
    )
    .unwrap();
    for expected in [
        "# TYPE partyline_refusals_total counter\n",
        "partyline_refusals_total{door=\"twilio\",reason=\"signature_wrong\"} 3\n",
        "# TYPE partyline_fan_out_seconds histogram\n",
        "partyline_fan_out_seconds_bucket{le=\"5e-05\"} 0\n",
        "partyline_fan_out_seconds_bucket{le=\"0.0001\"} 1\n",
        "partyline_fan_out_seconds_bucket{le=\"+Inf\"} 1\n",
        "partyline_fan_out_seconds_count 1\n",
        "# HELP process_open_fds Open\n# TYPE process_open_fds gauge\nprocess_open_fds 7",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let (mut help, mut kind) = ("", "");
    for line in text.lines() {
        let words: Vec<&str> = line.split([' ', '{']).collect();
        match words[..] {
            ["#", "HELP", name, ..] => help = name,
            ["#", "TYPE", name, ..] => kind = name,
            [sample, ..] => {
                let rest = sample.strip_prefix(kind).unwrap_or("of nobody");
                assert!(
                    help == kind && ["", "_bucket", "_sum", "_count"].contains(&rest),
                    "{line}"
                );
            }
            [] => {}
        }
    }
}

#[test]
fn labels_cannot_break_the_text() {
    let labels = vec![("node", "a\"b\\c\nd".to_owned())];
    let value = Value::Level(1.0);
    let family = Family {
        name: "x",
        help: "x",
        kind: Kind::Gauge,
        samples: vec![Sample { labels, value }],
    };
    let text = text::write(&[family], &[]).unwrap();
    assert!(text.contains(r#"partyline_x{node="a\"b\\c\nd"} 1"#), "{text}");
}

#[test]
fn an_address_that_anybody_may_reach_is_known() {
    let public = |text: &str| is_public(text.parse().unwrap());
    for private in [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.1.1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
    ] {
        assert!(!public(private), "{private}");
    }
    for reached in ["0.0.0.0", "::", "203.0.113.7", "2001:db8::1"] {
        assert!(public(reached), "{reached}");
    }
}
