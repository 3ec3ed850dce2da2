//! The link of a monitor to its ear, for as long as the monitor runs: made again for ever, soon and with jitter, and
//! known to be dead when nothing comes for two seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{interval, sleep, timeout};

use super::BEAT;
use super::key::Key;
use super::link::{Cut, Reader, Writer, split};
use super::outbox::Outbox;
use super::pair::{Kind, NotPaired, call};
use super::wire::{ToDesk, ToMonitor};
use crate::event::Device;

/// The shortest wait before a link is made again, and the longest limit of it: who waits for sound waits no longer, and
/// a port where nobody is costs next to nothing.
const FLOOR: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(1);

/// How long making a link may take. By the code it also waits for its turn behind wrong ones.
const MAKING: Duration = Duration::from_secs(2);
pub(super) const PAIRING: Duration = Duration::from_secs(15);

/// Frames that are said in one piece: more of them and the first would wait for the last.
const PIECE: usize = 64;

/// A link that stands.
pub(super) struct Link {
    pub(super) reader: Reader<ReadHalf<TcpStream>>,
    pub(super) writer: Writer<WriteHalf<TcpStream>>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLink {
    /// The address leads nowhere.
    NoEar,
    /// Not with this ear.
    NotPaired(NotPaired),
    /// Another monitor plays there.
    Taken,
    /// It was cut.
    Cut(Cut),
}

/// Where an ear is, and how to be let in.
pub(super) struct Way {
    pub(super) addr: String,
    pub(super) key: Key,
}

/// Makes a link, up to the desk's first word.
pub(super) async fn make(addr: &str, kind: Kind, key: &Key) -> Result<(Link, ToMonitor), NoLink> {
    let limit = if kind == Kind::Code { PAIRING } else { MAKING };
    let made = timeout(limit, async {
        let mut stream = TcpStream::connect(addr).await.map_err(|_| NoLink::NoEar)?;
        // A frame that waits for the next is late.
        let _ = stream.set_nodelay(true);
        let sealed = call(&mut stream, kind, key).await.map_err(NoLink::NotPaired)?;
        let (mut reader, mut writer) = split(stream, sealed);
        writer.add(|out| ToDesk::Hello.put(out));
        writer.flush().await.map_err(NoLink::Cut)?;
        let word = reader.next().await.map_err(NoLink::Cut)?;
        match ToMonitor::read(word) {
            Ok(Some(word @ (ToMonitor::Welcome(_) | ToMonitor::Back))) => Ok((Link { reader, writer }, word)),
            Ok(Some(ToMonitor::Taken)) => Err(NoLink::Taken),
            _ => Err(NoLink::Cut(Cut::Broken)),
        }
    });
    made.await.unwrap_or(Err(NoLink::Cut(Cut::Silent)))
}

/// Carries until the monitor ends. `link` is the first one.
pub(super) async fn carry(way: Way, link: Link, outbox: Arc<Outbox>) {
    let mut link = Some(link);
    let mut attempts = 0;
    loop {
        let why = match link.take() {
            Some(link) => {
                attempts = 0;
                outbox.on_link();
                let cut = serve(link, &outbox).await;
                if outbox.quits() {
                    return;
                }
                NoLink::Cut(cut)
            }
            None => match make(&way.addr, Kind::Key, &way.key).await {
                Ok((made, _)) => {
                    link = Some(made);
                    continue;
                }
                Err(why) => why,
            },
        };
        outbox.on_cut(away(&way.addr, why));
        let wait = sleep(pause(attempts, rand::random()));
        attempts = attempts.saturating_add(1);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => break,
                () = outbox.something() => if outbox.quits() { return },
            }
        }
    }
}

/// How long to stay away; `dice` is drawn evenly from 0 to 1.
fn pause(attempts: u32, dice: f64) -> Duration {
    let limit = FLOOR.saturating_mul(2u32.saturating_pow(attempts + 1)).min(CAP);
    FLOOR + (limit - FLOOR).mul_f64(dice.clamp(0.0, 1.0))
}

/// Why nothing is heard, for a person.
fn away(addr: &str, why: NoLink) -> String {
    match why {
        NoLink::NotPaired(NotPaired::Refused) | NoLink::Taken => format!(
            "the ear at {addr} was started anew, or has another monitor: leave and come back with the code it shows"
        ),
        NoLink::NotPaired(NotPaired::Stranger) => {
            format!("what listens at {addr} is not the ear; nothing was said to it")
        }
        NoLink::NoEar | NoLink::NotPaired(NotPaired::Nobody) => {
            format!("the ear at {addr} is away")
        }
        NoLink::Cut(cut) => format!("the ear at {addr} is away: {cut}"),
    }
}

async fn serve(link: Link, outbox: &Outbox) -> Cut {
    let Link {
        mut reader,
        mut writer,
    } = link;
    // One at a time: another is asked for when it has come back.
    let (sent, pings) = mpsc::channel(1);
    let cut = tokio::select! {
        cut = listen(&mut reader, outbox, pings) => cut,
        cut = speak(&mut writer, outbox, sent) => cut,
    };
    // A socket that is closed with something unread in it is a reset, and the goodbye would be lost.
    if outbox.quits() {
        while reader.next().await.is_ok() {}
    }
    cut
}

/// What the desk says, passed on.
async fn listen(
    reader: &mut Reader<ReadHalf<TcpStream>>,
    outbox: &Outbox,
    mut pings: mpsc::Receiver<(u32, Instant)>,
) -> Cut {
    loop {
        let message = match reader.next().await {
            Ok(message) => message,
            Err(cut) => return cut,
        };
        match ToMonitor::read(message) {
            Ok(Some(ToMonitor::Device(device))) => outbox.device(at_the_ear(device)),
            Ok(Some(ToMonitor::Stats(stats))) => outbox.on_stats(*stats),
            Ok(Some(ToMonitor::Columns(columns))) => outbox.on_columns(columns),
            Ok(Some(ToMonitor::Devices(devices))) => outbox.on_devices(devices),
            Ok(Some(ToMonitor::Pong(id))) => {
                if let Ok((asked, at)) = pings.try_recv()
                    && asked == id
                {
                    outbox.on_round_trip(at.elapsed());
                }
            }
            Ok(Some(ToMonitor::Bye)) => return Cut::Closed,
            Ok(Some(ToMonitor::Welcome(_) | ToMonitor::Back | ToMonitor::Taken | ToMonitor::Beat) | None) => {
            }
            Err(_) => return Cut::Broken,
        }
    }
}

/// What there is to say, said; until it cannot be, or the monitor ends.
async fn speak(
    writer: &mut Writer<WriteHalf<TcpStream>>,
    outbox: &Outbox,
    pings: mpsc::Sender<(u32, Instant)>,
) -> Cut {
    let mut beat = interval(BEAT);
    let mut id = 0u32;
    loop {
        tokio::select! {
            () = outbox.something() => {}
            _ = beat.tick() => {
                id = id.wrapping_add(1);
                let _ = pings.try_send((id, Instant::now()));
                writer.add(|out| ToDesk::Ping(id).put(out));
            }
        }
        let quits = outbox.quits();
        let mut count = 0;
        while let Some(said) = outbox.next(Instant::now()) {
            count += 1;
            if count % PIECE == 0 || !writer.add(|out| said.put(out)) {
                if let Err(cut) = writer.flush().await {
                    return cut;
                }
                writer.add(|out| said.put(out));
            }
        }
        if quits {
            writer.add(|out| ToDesk::Bye.put(out));
        }
        if let Err(cut) = writer.flush().await {
            return cut;
        }
        if quits {
            writer.close().await;
            return Cut::Closed;
        }
    }
}

/// A card elsewhere, in words for here.
fn at_the_ear(device: Device) -> Device {
    match device {
        Device::Ready { name } => Device::Ready {
            name: format!("ear: {name}"),
        },
        Device::Open { name, rate } => Device::Open {
            name: format!("ear: {name}"),
            rate,
        },
        Device::Missing { why } => Device::Missing {
            why: format!(
                "no sound at the ear: {}",
                why.strip_prefix("no sound: ").unwrap_or(&why)
            ),
        },
        Device::Off => Device::Missing {
            why: "no sound at the ear: it was built without, or told not to play".to_owned(),
        },
        Device::Unknown => Device::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_again_soon_and_never_all_at_once() {
        let most: Vec<u128> = (0..6).map(|n| pause(n, 1.0).as_millis()).collect();
        assert_eq!(most, [200, 400, 800, 1000, 1000, 1000]);
        assert!((0..40).all(|n| pause(n, 0.0) == FLOOR));
        assert_eq!(pause(u32::MAX - 1, 1.0), CAP);
    }

    #[test]
    fn a_card_at_the_ear_is_called_so() {
        let name = || "Headset".to_owned();
        let open = Device::Open {
            name: name(),
            rate: 48_000,
        };
        assert_eq!(
            at_the_ear(open),
            Device::Open {
                name: "ear: Headset".to_owned(),
                rate: 48_000
            }
        );
        let why = "no sound device".to_owned();
        let trouble = at_the_ear(Device::Missing { why }).trouble().unwrap();
        assert_eq!(trouble, "no sound at the ear: no sound device");
        assert!(
            at_the_ear(Device::Off)
                .trouble()
                .unwrap()
                .starts_with("no sound at the ear")
        );
        assert_eq!(
            Device::Missing {
                why: away("127.0.0.1:7331", NoLink::NoEar)
            }
            .trouble()
            .unwrap(),
            "no sound: the ear at 127.0.0.1:7331 is away"
        );
    }
}
