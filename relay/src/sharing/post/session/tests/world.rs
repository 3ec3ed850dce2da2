//! A relay that sends, others that have calls or lose them, and a net between them that loses, repeats and reorders.

use proptest::prelude::*;

use super::*;

/// The relay that sends; others follow.
const ME: usize = 0;
const NODES: usize = 4;
pub(super) const CALLS: usize = 3;

pub(super) fn sid(call: usize) -> CallSid {
    CallSid::parse(&format!("CA{call}")).unwrap()
}

fn of(sid: &CallSid) -> usize {
    sid.as_str().trim_start_matches("CA").parse().unwrap()
}

pub(super) fn name(node: usize) -> Arc<str> {
    format!("node{node}").into()
}

pub(super) fn deed(n: u64) -> Deed {
    Deed::Error {
        message: n.to_string(),
    }
}

fn number(deed: &Deed) -> u64 {
    match deed {
        Deed::Error { message } => message.parse().unwrap_or(0),
        other => panic!("{other:?}"),
    }
}

/// What a call's owner knows of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) log: Vec<u64>,
    applied: u64,
}

impl Known {
    fn apply(&mut self, number_: u64, after: u64, what: &Deed) -> bool {
        if number_ <= self.applied {
            return true;
        }
        if after > self.applied {
            return false;
        }
        self.applied = number_;
        self.log.push(number(what));
        true
    }
}

#[derive(Debug, Clone)]
enum Letter {
    Deeds {
        to: usize,
        batch: u64,
        deeds: Vec<Handed>,
    },
    Answer {
        from: usize,
        batch: u64,
        back: Vec<u64>,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Push(usize),
    Deliver(usize),
    Drop(usize),
    Twice(usize),
    Tell(usize),
    Look(usize),
    Move(usize, usize),
    Die(usize),
    Wait(u64),
    Link(bool),
}

pub(super) fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..CALLS).prop_map(Op::Push),
        8 => (0..64usize).prop_map(Op::Deliver),
        2 => (0..64usize).prop_map(Op::Drop),
        2 => (0..64usize).prop_map(Op::Twice),
        2 => (0..CALLS).prop_map(Op::Tell),
        2 => (0..CALLS).prop_map(Op::Look),
        2 => ((0..CALLS), (0..NODES)).prop_map(|(call, node)| Op::Move(call, node)),
        1 => (0..CALLS).prop_map(Op::Die),
        4 => (1..700u64).prop_map(Op::Wait),
        1 => any::<bool>().prop_map(Op::Link),
    ]
}

pub(super) struct World {
    now: Instant,
    up: bool,
    pub(super) session: Session,
    net: Vec<Letter>,
    /// Whose each call is; nobody's where that one died.
    owner: [Option<usize>; CALLS],
    /// The same as this relay sees it.
    seen: [Option<usize>; CALLS],
    pub(super) live: [Known; CALLS],
    told: [Known; CALLS],
    /// What this relay has heard told.
    heard: [u64; CALLS],
    pub(super) pushed: [Vec<u64>; CALLS],
    pub(super) next: u64,
    claims: usize,
}

impl World {
    pub(super) fn new() -> World {
        World {
            now: Instant::now(),
            up: true,
            session: Session::default(),
            net: Vec::new(),
            owner: [Some(1), Some(2), Some(ME)],
            seen: [Some(1), Some(2), Some(ME)],
            live: Default::default(),
            told: Default::default(),
            heard: [0; CALLS],
            pushed: Default::default(),
            next: 0,
            claims: 0,
        }
    }

    fn look(&mut self, call: usize) {
        self.seen[call] = self.owner[call];
        self.heard[call] = self.told[call].applied;
    }

    fn run(&mut self) {
        let (seen, heard) = (self.seen, self.heard);
        let way = |sid: &CallSid| match seen[of(sid)] {
            None => Way::Nobody,
            Some(ME) => Way::Here,
            Some(node) => Way::There {
                node: name(node),
                told: heard[of(sid)],
            },
        };
        for out in self.session.poll(self.now, self.up, way) {
            match out {
                Out::Send {
                    node, batch, deeds, ..
                } => {
                    let to = (0..NODES).find(|n| name(*n) == node).unwrap();
                    self.net.push(Letter::Deeds { to, batch, deeds });
                }
                Out::Do(sid, deeds) => {
                    let call = of(&sid);
                    let mut upto = 0;
                    for (number, deed) in deeds {
                        if self.owner[call] != Some(ME) || !self.live[call].apply(number, 0, &deed) {
                            break;
                        }
                        upto = number;
                    }
                    self.session.did(self.now, &sid, upto);
                }
                Out::Claim(sid) => {
                    let call = of(&sid);
                    self.claims += 1;
                    // Another may have been first.
                    if self.owner[call].is_none() {
                        self.owner[call] = Some(self.claims % NODES);
                    }
                    self.look(call);
                    self.session.claimed(self.now, &sid);
                }
            }
        }
    }

    fn deliver(&mut self, letter: Letter) {
        match letter {
            Letter::Deeds { to, batch, deeds } => {
                let mut back = Vec::new();
                for handed in deeds {
                    let call = of(&handed.call_sid);
                    if self.owner[call] != Some(to)
                        || !self.live[call].apply(handed.number, handed.after, &handed.deed)
                    {
                        back.push(handed.number);
                    }
                }
                self.net.push(Letter::Answer {
                    from: to,
                    batch,
                    back,
                });
            }
            Letter::Answer { from, batch, back } => {
                self.session.answered(self.now, &name(from), batch, &back);
            }
        }
    }

    pub(super) fn op(&mut self, op: Op) {
        let at = |n: usize, net: &[Letter]| (!net.is_empty()).then(|| n % net.len());
        match op {
            Op::Push(call) => {
                self.next += 1;
                self.pushed[call].push(self.next);
                self.session.push(sid(call), deed(self.next));
            }
            Op::Deliver(n) if self.up => {
                if let Some(at) = at(n, &self.net) {
                    let letter = self.net.remove(at);
                    self.deliver(letter);
                }
            }
            Op::Deliver(_) => {}
            Op::Drop(n) => drop(at(n, &self.net).map(|at| self.net.remove(at))),
            Op::Twice(n) => {
                if let Some(at) = at(n, &self.net) {
                    self.net.push(self.net[at].clone());
                }
            }
            Op::Tell(call) => {
                if self.owner[call].is_some() {
                    self.told[call] = self.live[call].clone();
                }
            }
            Op::Look(call) => self.look(call),
            Op::Move(call, node) => {
                if let Some(before) = self.owner[call].replace(node) {
                    if before == ME {
                        // What this relay had itself it does not forget with another.
                        self.told[call] = self.live[call].clone();
                    }
                    // What is its own or no more this relay knows.
                    if node == ME || self.seen[call] == Some(ME) {
                        self.look(call);
                    }
                } else {
                    self.owner[call] = None;
                }
            }
            Op::Die(call) => {
                if self.owner[call].is_some_and(|node| node != ME) {
                    self.owner[call] = None;
                    self.live[call] = self.told[call].clone();
                }
            }
            Op::Wait(ms) => {
                self.now += Duration::from_millis(ms);
                self.session.stir();
            }
            Op::Link(up) => {
                if up && !self.up {
                    self.session.link_is_back();
                }
                self.up = up;
            }
        }
        self.run();
    }

    /// Nothing is lost from here on.
    pub(super) fn settle(&mut self) {
        self.op(Op::Link(true));
        for _ in 0..1_000 {
            if self.session.is_idle() {
                return;
            }
            while !self.net.is_empty() {
                let letter = self.net.remove(0);
                self.deliver(letter);
                self.run();
            }
            for call in 0..CALLS {
                self.op(Op::Tell(call));
                self.op(Op::Look(call));
            }
            self.op(Op::Wait(600));
        }
        panic!("it never came to rest: {:?}", self.session);
    }
}
