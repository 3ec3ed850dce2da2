//! A media loop over real sockets: what it reads, who waits, how it ends. Knows no stream.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::*;
use crate::shards::Seat;

/// Long enough for anything on this machine; nobody waits for it unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a job has to tell at most.
const TALE: usize = 200_000;

/// What became of a job, in order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Read(String),
    Left,
    Ended,
    Dropped,
}

/// Reads one byte a turn and tells of it: `!` is a panic, `.` the end.
struct Reads {
    socket: mio::net::TcpStream,
    told: SyncSender<Told>,
}

impl Job for Reads {
    fn source(&mut self) -> &mut dyn Source {
        &mut self.socket
    }

    fn turn(&mut self, _woken: Instant, _closing: bool) -> Turn {
        let mut byte = [0];
        match self.socket.read(&mut byte) {
            Ok(0) => Turn::Over,
            Ok(_) if &byte == b"!" => panic!("as the test wants it"),
            Ok(_) if &byte == b"." => Turn::Over,
            Ok(_) => {
                let text = String::from_utf8_lossy(&byte).into_owned();
                self.told.send(Told::Read(text)).unwrap();
                Turn::Again
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Turn::Waits,
            Err(_) => Turn::Over,
        }
    }

    fn leave(&mut self) {
        self.told.send(Told::Left).unwrap();
    }

    fn end(self: Box<Self>) {
        self.told.send(Told::Ended).unwrap();
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        let _ = self.told.send(Told::Dropped);
    }
}

struct House {
    media: Arc<MediaLoop>,
    thread: Option<thread::JoinHandle<()>>,
    door: TcpListener,
}

impl House {
    fn open() -> House {
        let (media, thread) = MediaLoop::start("media-test".to_owned(), None).unwrap();
        House {
            media,
            thread: Some(thread),
            door: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
        }
    }

    fn guest(&self) -> (TcpStream, Receiver<Told>) {
        let peer = TcpStream::connect(self.door.local_addr().unwrap()).unwrap();
        let (socket, _) = self.door.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        let (told, tale) = sync_channel(TALE);
        let seat = Seat::take(std::slice::from_ref(&self.media), |one| &one.load, 8);
        let job = Box::new(Reads {
            socket: mio::net::TcpStream::from_std(socket),
            told,
        });
        self.media.drive(job, seat.unwrap().1);
        (peer, tale)
    }

    fn close(mut self) {
        self.media.end();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn next(tale: &Receiver<Told>) -> Told {
    tale.recv_timeout(PATIENCE).unwrap()
}

fn read(text: &str) -> Told {
    Told::Read(text.to_owned())
}

#[test]
fn what_comes_is_read_to_the_end_also_what_came_together_with_it() {
    let house = House::open();
    let (mut peer, tale) = house.guest();
    peer.write_all(b"a").unwrap();
    assert_eq!(next(&tale), read("a"));
    peer.write_all(b"bc").unwrap();
    drop(peer);
    for told in [read("b"), read("c"), Told::Ended, Told::Dropped] {
        assert_eq!(next(&tale), told);
    }
    let load = house.media.load.clone();
    house.close();
    assert_eq!(load.load(Relaxed), 0, "its seat is free");
}

#[test]
fn a_job_that_panics_ends_alone() {
    let house = House::open();
    let (mut bad, bad_tale) = house.guest();
    let (mut good, good_tale) = house.guest();
    bad.write_all(b"!").unwrap();
    assert_eq!(next(&bad_tale), Told::Dropped);
    good.write_all(b"x.").unwrap();
    for told in [read("x"), Told::Ended, Told::Dropped] {
        assert_eq!(next(&good_tale), told);
    }
    house.close();
}

#[test]
fn one_that_has_much_to_say_keeps_nobody_waiting() {
    let house = House::open();
    let (mut talker, heard) = house.guest();
    let (mut other, tale) = house.guest();
    talker.write_all(&[b't'; 100_000]).unwrap();
    other.write_all(b"o").unwrap();
    assert_eq!(next(&tale), read("o"));
    assert!(heard.try_iter().count() < 100_000, "it was not waited for");
    house.close();
}

#[test]
fn all_leave_when_told_and_so_does_who_comes_later() {
    let house = House::open();
    let (mut peer, tale) = house.guest();
    peer.write_all(b"a").unwrap();
    assert_eq!(next(&tale), read("a"));
    house.media.leave();
    let (_late, late_tale) = house.guest();
    for tale in [tale, late_tale] {
        for told in [Told::Left, Told::Ended, Told::Dropped] {
            assert_eq!(next(&tale), told);
        }
    }
    house.close();
}

#[test]
fn a_loop_that_has_ended_lets_go_of_what_it_has_and_of_what_comes() {
    let mut house = House::open();
    let (mut peer, tale) = house.guest();
    peer.write_all(b"a").unwrap();
    assert_eq!(next(&tale), read("a"));
    house.media.end();
    house.thread.take().unwrap().join().unwrap();
    assert_eq!(next(&tale), Told::Dropped);
    let (_late, late_tale) = house.guest();
    assert_eq!(next(&late_tale), Told::Dropped);
}
