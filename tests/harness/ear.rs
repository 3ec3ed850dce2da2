//! `partyline ear` as a process: the desk's end of a monitor that runs elsewhere.

use std::net::SocketAddr;

use crate::binaries;
use crate::program::{Finished, Program};
use crate::wait::SOON;

/// The ear; it plays where its environment says.
pub struct Ear {
    program: Program,
    addr: SocketAddr,
    /// The codes so far, the last one last.
    codes: Vec<String>,
}

impl Ear {
    /// Starts one on a port of its own, and waits for its code.
    pub async fn start(env: &[(&str, &str)]) -> Ear {
        let args = ["ear", "--listen", "127.0.0.1:0"];
        let program = Program::start(&binaries::path(binaries::LISTENER), args, env);
        let begin = "ear listening on ";
        let line = program.line(SOON, begin, |line| line.starts_with(begin)).await;
        let addr = line[begin.len()..].parse().expect("an address");
        let mut ear = Ear {
            program,
            addr,
            codes: Vec::new(),
        };
        ear.next_code().await;
        ear
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The last code that was waited for.
    pub fn code(&self) -> &str {
        self.codes.last().expect("one was waited for")
    }

    /// Waits for another code.
    pub async fn next_code(&mut self) -> &str {
        let code = |line: &str| line.strip_prefix("code ").map(str::to_owned);
        let is_new = |line: &str| code(line).is_some_and(|code| !self.codes.contains(&code));
        let line = self.program.line(SOON, "another code", is_new).await;
        self.codes.extend(code(&line));
        self.code()
    }

    /// Its process.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Ctrl-C.
    pub async fn stop(self) -> Finished {
        self.program.signal("INT");
        self.program.finish(SOON).await
    }
}
