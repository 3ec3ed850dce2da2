//! How well what was heard is understood: STOI, by `pystoi`, in an environment that is made when it is first asked for.

use std::path::Path;
use std::process::Command;

use harness::{Scratch, packages, speech};

/// Samples a second of STOI.
const RATE: &str = "10000";

/// What was said and, in the same places, what was heard: samples of STOI's rate, as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl Pair {
    pub(crate) fn new(said: &[f32], heard: &[f32], rate: u32) -> Pair {
        Pair {
            said: slower(said, rate),
            heard: slower(heard, rate),
        }
    }
}

fn slower(samples: &[f32], rate: u32) -> Vec<u8> {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let rate = rate.to_string();
    let from = ["-t", "f32", "-L", "-r", &rate, "-c", "1", "-"];
    let into = ["-t", "f32", "-L", "-", "rate", "-v", RATE];
    speech::sox(&[from.as_slice(), &into].concat(), &bytes)
}

/// STOI of each, 0 to 1.
pub(crate) fn stoi(pairs: &[&Pair]) -> Vec<f64> {
    let (python, scratch) = (packages::python("soundcheck").join("bin/python"), Scratch::new());
    for (n, pair) in pairs.iter().enumerate() {
        scratch.write(&format!("{n}.said"), &pair.said);
        scratch.write(&format!("{n}.heard"), &pair.heard);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("soundcheck/stoi.py");
    let out = Command::new(python)
        .arg(script)
        .arg(scratch.path())
        .arg(pairs.len().to_string())
        .output()
        .expect("Python runs");
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "stoi.py: {why}");
    let numbers = String::from_utf8_lossy(&out.stdout);
    let all: Vec<f64> = numbers
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert_eq!(all.len(), pairs.len(), "stoi.py: {why}");
    all
}
