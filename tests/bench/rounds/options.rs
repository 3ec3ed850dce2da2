//! What `bench rounds` is told.

use std::path::PathBuf;

use super::case::Scene;

/// Rounds, seconds a run and pairs of delays, as goals are judged.
const FULL: (u32, u64, usize) = (5, 10, 9);
/// The same for a first look, by which nothing is judged.
const QUICK: (u32, u64, usize) = (2, 3, 2);

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// A first look: fewer and shorter rounds, by which no goal is judged
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each case is run; 5, or 2 with --quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Steady seconds of each run; 10, or 3 with --quick
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Only this load; repeatable
    #[arg(long = "only", value_name = "NAME", value_parser = scene)]
    only: Vec<Scene>,
    /// Without the relay in Node
    #[arg(long)]
    pub(crate) no_node: bool,
    /// Folder for bench.md and bench.svg; without it the tables go to stdout only
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Another load program to compare with, in the same rounds
    #[arg(long, value_name = "PATH", requires = "limit")]
    loadgen: Option<PathBuf>,
    /// The floor that belongs to it
    #[arg(long, value_name = "PATH", requires = "loadgen")]
    limit: Option<PathBuf>,
}

impl Args {
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(self.usual().0)
    }

    /// Of each run's steady part.
    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(self.usual().1)
    }

    /// Fewest pairs of delays that count.
    pub(crate) fn pairs(&self) -> usize {
        self.usual().2
    }

    /// In the order in which they are shown, whatever was said first.
    pub(crate) fn scenes(&self) -> Vec<Scene> {
        let wanted = |scene: &Scene| self.only.is_empty() || self.only.contains(scene);
        Scene::ALL.into_iter().filter(wanted).collect()
    }

    /// Load and floor of the yardstick.
    pub(crate) fn yardstick(&self) -> Option<(PathBuf, PathBuf)> {
        self.loadgen.clone().zip(self.limit.clone())
    }

    fn usual(&self) -> (u32, u64, usize) {
        if self.quick { QUICK } else { FULL }
    }
}

fn scene(name: &str) -> Result<Scene, String> {
    let found = Scene::ALL.into_iter().find(|scene| scene.name() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = Scene::ALL.iter().map(|scene| scene.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn read(line: &str) -> Result<Args, String> {
        let words = std::iter::once("rounds").chain(line.split_whitespace());
        Cli::try_parse_from(words)
            .map(|cli| cli.args)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_said_is_all_at_length() {
        let args = read("").unwrap();
        assert_eq!((args.rounds(), args.seconds(), args.pairs()), (5, 10, 9));
        assert_eq!(args.scenes(), Scene::ALL);
        assert_eq!(args.yardstick(), None);
    }

    #[test]
    fn what_is_said_counts_wherever_it_stands() {
        let args = read("--rounds 7 --quick --only idle --only slow").unwrap();
        assert_eq!((args.rounds(), args.seconds(), args.pairs()), (7, 3, 2));
        assert_eq!(args.scenes(), [Scene::Slow, Scene::Idle]);
        let args = read("--loadgen a --limit b").unwrap();
        assert_eq!(args.yardstick(), Some(("a".into(), "b".into())));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (line, why) in [
            ("--rounds 0", "not in 1.."),
            ("--only fast", "there are 50x2x2, "),
            ("--loadgen a", "--limit"),
        ] {
            let told = read(line).unwrap_err();
            assert!(told.contains(why), "{line}: {told}");
        }
    }
}
