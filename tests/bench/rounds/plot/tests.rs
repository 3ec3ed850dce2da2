//! Whatever was measured, the picture is one that can be opened and read.

use super::*;

fn mark(ink: Ink, median: f64, delay: Option<(f64, f64)>) -> Mark {
    let cost = Some(Range {
        median,
        low: median * 0.9,
        high: median * 1.1,
        count: 5,
    });
    Mark { ink, cost, delay }
}

fn group(title: &str, marks: Vec<Mark>) -> Group {
    Group {
        title: title.to_owned(),
        marks,
    }
}

fn whole() -> Plot {
    Plot {
        groups: vec![
            group(
                "200×2×1",
                vec![
                    mark(Ink::Relay, 9.1, Some((0.06, 0.31))),
                    mark(Ink::Coalescing, 4.3, Some((9.8, 19.7))),
                    mark(Ink::Floor, 8.2, Some((0.05, 0.24))),
                ],
            ),
            group(
                "50×2×2",
                vec![
                    mark(Ink::Relay, 11.2, None),
                    mark(Ink::Node, 27.9, Some((0.1, 4.0))),
                ],
            ),
        ],
        note: "A & B <processor>, 5 rounds".to_owned(),
    }
}

/// All texts of a picture that can be parsed, names nothing from elsewhere, and has everything within it.
fn texts(plot: &Plot) -> Vec<String> {
    let svg = plot.svg();
    assert!(
        !svg.contains("NaN") && !svg.contains("inf") && !svg.contains("href"),
        "{svg}"
    );
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|e| panic!("{e}\n{svg}"));
    for node in document.descendants() {
        for name in ["x", "x1", "x2", "cx", "width"] {
            let value = node.attribute(name).and_then(|value| value.parse::<f64>().ok());
            assert!(
                value.is_none_or(|value| (0.0..=WIDTH).contains(&value)),
                "{name} of {node:?}"
            );
        }
    }
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| Some(node.text()?.to_owned())).collect()
}

#[test]
fn names_figures_and_note_are_in_it() {
    let texts = texts(&whole());
    for words in [
        "50×2×2",
        "11.2",
        "4.3",
        "27.9",
        "0.06 / 0.31",
        "9.80 / 19.7",
        "A & B <processor>, 5 rounds",
        Ink::Node.name(),
    ] {
        assert!(
            texts.iter().any(|text| text == words),
            "{words} is not among {texts:?}"
        );
    }
}

#[test]
fn who_did_not_run_is_in_no_legend() {
    let mut plot = whole();
    for group in &mut plot.groups {
        group.marks.retain(|mark| mark.ink != Ink::Node);
    }
    assert!(texts(&plot).iter().all(|text| text != Ink::Node.name()));
}

#[test]
fn nothing_and_zero_are_pictures_too() {
    texts(&Plot::default());
    let mut plot = whole();
    plot.groups = vec![
        group("nothing", vec![mark(Ink::Relay, 0.0, Some((0.0, 0.0)))]),
        group("nobody", Vec::new()),
    ];
    assert!(texts(&plot).iter().any(|text| text == "0.0"));
    plot.groups = vec![group("one", vec![mark(Ink::Relay, 3.0, Some((0.0, 2.0)))])];
    assert!(texts(&plot).iter().any(|text| text == "0.00 / 2.00"));
}

#[test]
fn axes_end_at_round_numbers() {
    let even = |most: f64| Axis::even((0.0, 100.0), [most].into_iter()).ends.1;
    assert_eq!([27.9, 5.0, 101.0, 0.0].map(even), [30.0, 5.0, 120.0, 1.0]);
    let tenfold = |values: &[f64]| Axis::tenfold((0.0, 100.0), values.iter().copied()).ticks;
    assert_eq!(tenfold(&[0.05, 12.0]), [0.01, 0.1, 1.0, 10.0, 100.0]);
    assert_eq!(tenfold(&[1.0]), [1.0, 10.0]);
    assert_eq!(tenfold(&[]), [0.1, 1.0]);
}
