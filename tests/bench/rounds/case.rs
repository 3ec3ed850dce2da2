//! What is run: loads, and who carries them. Names here are what `--only` takes.

/// A load: so many calls, heard by so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) calls: u32,
    pub(crate) tracks: u32,
    /// Of each call.
    pub(crate) listeners: u32,
    /// Of each call, beside those: they speak Action Cable.
    pub(crate) cable: u32,
    /// Connected, and subscribed to nothing.
    pub(crate) idle: u32,
    /// Of all; they do not read.
    pub(crate) slow: u32,
    /// Both tracks' frames leave at once, not 10 ms apart.
    pub(crate) together: bool,
}

/// Each load is run once in each round, by each that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    Fifty,
    TwoHundred,
    FiftyTogether,
    TwoHundredTogether,
    TenSolo,
    FiftySolo,
    FiftyCable,
    FiftyMixed,
    Slow,
    FourHundred,
    Idle,
    Bare,
    Elsewhere,
}

/// One that carries a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// `--coalesce off`.
    Relay,
    /// `--coalesce 20ms`: as if the machine were busy all the time.
    Coalescing,
    /// `--coalesce auto`, the default.
    Auto,
    /// `--coalesce off --history 0s`.
    Forgetful,
    /// Read, find the payload, write: `bench floor`, or the yardstick's `limit`.
    Floor,
    /// `node/relay.mjs`.
    Node,
    /// Two relays that share calls over Redis: the streams at one, the listeners at the other. `--coalesce off`.
    Two,
}

/// Whose load and whose floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Judge {
    Ours,
    /// The programs that were named by `--loadgen` and `--limit`.
    Yardstick,
}

/// One run of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) judge: Judge,
    pub(crate) scene: Scene,
    pub(crate) who: Who,
}

impl Judge {
    /// For whoever watches.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Judge::Ours => "with",
            Judge::Yardstick => "by the yardstick with",
        }
    }
}

impl Case {
    pub(crate) const fn ours(scene: Scene, who: Who) -> Case {
        Case {
            judge: Judge::Ours,
            scene,
            who,
        }
    }

    pub(crate) const fn yardstick(scene: Scene, who: Who) -> Case {
        Case {
            judge: Judge::Yardstick,
            scene,
            who,
        }
    }
}

impl Scene {
    pub(crate) const ALL: [Scene; 13] = [
        Scene::Fifty,
        Scene::TwoHundred,
        Scene::FiftyTogether,
        Scene::TwoHundredTogether,
        Scene::TenSolo,
        Scene::FiftySolo,
        Scene::FiftyCable,
        Scene::FiftyMixed,
        Scene::Slow,
        Scene::FourHundred,
        Scene::Idle,
        Scene::Bare,
        Scene::Elsewhere,
    ];

    /// For `--only`, and for whoever watches.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scene::Fifty => "50x2x2",
            Scene::TwoHundred => "200x2x1",
            Scene::FiftyTogether => "50x2x2-together",
            Scene::TwoHundredTogether => "200x2x1-together",
            Scene::TenSolo => "10x2x1",
            Scene::FiftySolo => "50x2x1",
            Scene::FiftyCable => "50x2x2-cable",
            Scene::FiftyMixed => "50x2x2-mixed",
            Scene::Slow => "slow",
            Scene::FourHundred => "400x2x1",
            Scene::Idle => "idle",
            Scene::Bare => "bare",
            Scene::Elsewhere => "across",
        }
    }

    /// For tables and the plot: calls × tracks × listeners of each.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Scene::Fifty => "50×2×2",
            Scene::TwoHundred => "200×2×1",
            Scene::FiftyTogether => "50×2×2 together",
            Scene::TwoHundredTogether => "200×2×1 together",
            Scene::TenSolo => "10×2×1",
            Scene::FiftySolo => "50×2×1",
            Scene::FiftyCable => "50×2×2 Action Cable",
            Scene::FiftyMixed => "50×2×2, one of each two Action Cable",
            Scene::Slow => "200×2×1, 20 do not read",
            Scene::FourHundred => "400×2×1",
            Scene::Idle => "1×2×1, 1,000 idle",
            Scene::Bare => "200×2×0",
            Scene::Elsewhere => "50×2×1 elsewhere",
        }
    }

    pub(crate) fn shape(self) -> Shape {
        let of = |calls, listeners| Shape {
            calls,
            tracks: 2,
            listeners,
            cable: 0,
            idle: 0,
            slow: 0,
            together: false,
        };
        let together = |shape| Shape {
            together: true,
            ..shape
        };
        match self {
            Scene::Fifty => of(50, 2),
            Scene::TwoHundred => of(200, 1),
            Scene::FiftyTogether => together(of(50, 2)),
            Scene::TwoHundredTogether => together(of(200, 1)),
            Scene::TenSolo => of(10, 1),
            Scene::FiftySolo | Scene::Elsewhere => of(50, 1),
            Scene::FiftyCable => Shape {
                cable: 2,
                ..of(50, 0)
            },
            Scene::FiftyMixed => Shape {
                cable: 1,
                ..of(50, 1)
            },
            // One in ten of the listeners there are.
            Scene::Slow => Shape {
                slow: 20,
                ..of(200, 1)
            },
            Scene::FourHundred => of(400, 1),
            Scene::Idle => Shape {
                idle: 1_000,
                ..of(1, 1)
            },
            Scene::Bare => of(200, 0),
        }
    }

    /// Who carries it.
    pub(crate) fn contestants(self) -> &'static [Who] {
        match self {
            Scene::Fifty => &[Who::Relay, Who::Floor, Who::Node],
            Scene::TwoHundred => &[Who::Relay, Who::Floor, Who::Coalescing, Who::Node],
            Scene::FiftyTogether | Scene::TwoHundredTogether | Scene::TenSolo | Scene::FiftySolo => {
                &[Who::Relay, Who::Floor]
            }
            Scene::FiftyCable | Scene::FiftyMixed | Scene::Slow | Scene::Idle => &[Who::Relay],
            Scene::FourHundred => &[Who::Auto],
            Scene::Bare => &[Who::Forgetful],
            Scene::Elsewhere => &[Who::Two],
        }
    }

    /// Whether the yardstick is laid on it as well.
    pub(crate) fn has_yardstick(self) -> bool {
        matches!(
            self,
            Scene::Fifty | Scene::TwoHundred | Scene::FiftyTogether | Scene::TwoHundredTogether
        )
    }

    /// Whether it counts memory and not time: a few seconds will do.
    pub(crate) fn is_about_memory(self) -> bool {
        matches!(self, Scene::Idle | Scene::Bare)
    }
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Relay => "relay",
            Who::Coalescing => "relay, 20 ms",
            Who::Auto => "relay, auto",
            Who::Forgetful => "relay, no history",
            Who::Floor => "floor",
            Who::Node => "Node ws",
            Who::Two => "two relays, Redis",
        }
    }

    /// What the relay is told; `None` for the others.
    pub(crate) fn options(self) -> Option<&'static [&'static str]> {
        match self {
            Who::Relay | Who::Two => Some(&["--coalesce", "off"]),
            Who::Coalescing => Some(&["--coalesce", "20ms"]),
            Who::Auto => Some(&["--coalesce", "auto"]),
            Who::Forgetful => Some(&["--coalesce", "off", "--history", "0s"]),
            Who::Floor | Who::Node => None,
        }
    }
}

/// The cases of one round, in the order of the scenes.
pub(crate) fn of_a_round(scenes: &[Scene], with_node: bool, with_yardstick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for &scene in scenes {
        let all = scene.contestants().iter().copied();
        let ours = all.filter(|&who| with_node || who != Who::Node);
        cases.extend(ours.map(|who| Case::ours(scene, who)));
        if with_yardstick && scene.has_yardstick() {
            cases.extend([Who::Relay, Who::Floor].map(|who| Case::yardstick(scene, who)));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_one_scene_each() {
        let mut names: Vec<_> = Scene::ALL.iter().map(|scene| scene.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Scene::ALL.len());
    }

    #[test]
    fn a_round_has_each_case_once() {
        let mut cases = of_a_round(&Scene::ALL, true, true);
        let count = cases.len();
        cases.sort_unstable();
        cases.dedup();
        assert_eq!(cases.len(), count);
        assert!(cases.contains(&Case::ours(Scene::Fifty, Who::Node)));
        assert!(cases.contains(&Case::yardstick(Scene::TwoHundred, Who::Floor)));
    }

    #[test]
    fn who_is_not_wanted_does_not_run() {
        let cases = of_a_round(&Scene::ALL, false, false);
        assert!(
            cases
                .iter()
                .all(|case| case.who != Who::Node && case.judge == Judge::Ours)
        );
        assert_eq!(
            of_a_round(&[Scene::Slow], true, true),
            [Case::ours(Scene::Slow, Who::Relay)]
        );
    }
}
