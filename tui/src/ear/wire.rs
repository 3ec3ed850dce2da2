//! What is said over a link, as bytes, sans-I/O. One byte says what it is; then numbers, big-endian, or JSON for what
//! is said seldom. Both sides pass over what they do not know. Nothing here panics on what comes, or trusts a length.
//!
//! ```text
//! to the desk                                       to the monitor
//! 1  wanted, JSON                                   1  welcome: a key of 32 bytes
//! 2  u64 generation | i64 zero_ms, or nothing       2  back: the key is known
//! 3  u64 generation | a frame as `partyline.v1` has it   3  taken: another monitor plays here
//! 4  u64 generation | u8 track | u32 from | u32 to  4  device, JSON
//! 5  u64 generation: over                           5  stats, JSON
//! 6  device to use, JSON                            6  columns, four bytes each 20 ms
//! 7  list the devices                               7  devices, JSON
//! 8  u32 ping                                       8  u32 pong
//! 9  goodbye                                        9  goodbye
//! 10 hello                                          10 nothing to say
//! 11 the key has come
//! ```

use std::time::Instant;

use bytes::{Buf, Bytes};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::Track;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::{KEY, Key};
use crate::audio::desk::Wanted;
use crate::audio::player::{Heard, Stats};
use crate::event::{Column, Device, DeviceInfo};

/// Bytes of a column of both sides.
const COLUMN: usize = 4;

/// Furthest that a wish may lead through time, ms: some thousand years, and no sum of two overflows.
const FAR_MS: i64 = 1 << 47;

/// What the monitor says.
#[derive(Debug, Clone)]
pub enum ToDesk {
    /// The first word.
    Hello,
    /// The key has come: the code is used up.
    Thanks,
    /// All that is wanted.
    Wanted(Box<Wanted>),
    /// Something of a heard call.
    Heard(u64, Heard),
    /// Another sound card, or the system's default.
    UseDevice(Option<String>),
    /// Which there are.
    ListDevices,
    /// To be answered.
    Ping(u32),
    /// The monitor ends.
    Bye,
}

/// What the desk says.
#[derive(Debug, Clone)]
pub enum ToMonitor {
    /// Paired: with this key the monitor comes back.
    Welcome(Key),
    /// Paired before.
    Back,
    /// Another monitor plays here.
    Taken,
    /// Of the sound card.
    Device(Device),
    /// How it goes.
    Stats(Box<Stats>),
    /// What was played, as many for each side: the customer's and the agent's.
    Columns(Vec<(Column, Column)>),
    /// The sound cards.
    Devices(Vec<DeviceInfo>),
    /// The answer.
    Pong(u32),
    /// Nothing, and that the link stands.
    Beat,
    /// The desk ends.
    Bye,
}

/// That cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end says what cannot be read")]
pub struct Garbled;

impl ToDesk {
    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            ToDesk::Wanted(wanted) => json(out, 1, wanted),
            ToDesk::Heard(generation, heard) => put_heard(out, *generation, heard),
            ToDesk::UseDevice(device) => json(out, 6, device),
            ToDesk::ListDevices => out.push(7),
            ToDesk::Ping(id) => numbered(out, 8, *id),
            ToDesk::Bye => out.push(9),
            ToDesk::Hello => out.push(10),
            ToDesk::Thanks => out.push(11),
        }
    }

    /// Reads one message; `Ok(None)` for what a later version may say. `arrived` is when the socket was read.
    ///
    /// # Errors
    /// [`Garbled`].
    pub fn read(mut bytes: Bytes, arrived: Instant) -> Result<Option<ToDesk>, Garbled> {
        Ok(Some(match bytes.try_get_u8().map_err(|_| Garbled)? {
            1 => ToDesk::Wanted(Box::new(sane(read_json(&bytes)?))),
            kind @ 2..=5 => {
                let generation = bytes.try_get_u64().map_err(|_| Garbled)?;
                match heard(kind, bytes, arrived)? {
                    Some(heard) => ToDesk::Heard(generation, heard),
                    None => return Ok(None),
                }
            }
            6 => ToDesk::UseDevice(read_json(&bytes)?),
            7 => ToDesk::ListDevices,
            8 => ToDesk::Ping(bytes.try_get_u32().map_err(|_| Garbled)?),
            9 => ToDesk::Bye,
            10 => ToDesk::Hello,
            11 => ToDesk::Thanks,
            _ => return Ok(None),
        }))
    }
}

impl ToMonitor {
    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            ToMonitor::Welcome(key) => {
                out.push(1);
                out.extend_from_slice(key.bytes());
            }
            ToMonitor::Back => out.push(2),
            ToMonitor::Taken => out.push(3),
            ToMonitor::Device(device) => json(out, 4, device),
            ToMonitor::Stats(stats) => json(out, 5, stats),
            ToMonitor::Columns(columns) => {
                out.push(6);
                for (customer, agent) in columns {
                    let of = [customer.low, customer.high, agent.low, agent.high];
                    out.extend(of.map(|value| value as u8));
                }
            }
            ToMonitor::Devices(devices) => json(out, 7, devices),
            ToMonitor::Pong(id) => numbered(out, 8, *id),
            ToMonitor::Bye => out.push(9),
            ToMonitor::Beat => out.push(10),
        }
    }

    /// Reads one message; `Ok(None)` for what a later version may say.
    ///
    /// # Errors
    /// [`Garbled`].
    pub fn read(mut bytes: Bytes) -> Result<Option<ToMonitor>, Garbled> {
        Ok(Some(match bytes.try_get_u8().map_err(|_| Garbled)? {
            1 => {
                let key: [u8; KEY] = bytes.as_ref().try_into().map_err(|_| Garbled)?;
                ToMonitor::Welcome(Key::new(key))
            }
            2 => ToMonitor::Back,
            3 => ToMonitor::Taken,
            4 => ToMonitor::Device(read_json(&bytes)?),
            5 => ToMonitor::Stats(read_json(&bytes)?),
            6 => {
                let (columns, rest) = bytes.as_chunks::<COLUMN>();
                if !rest.is_empty() {
                    return Err(Garbled);
                }
                let column = |&[a, b, c, d]: &[u8; COLUMN]| {
                    let of = |low: u8, high: u8| Column {
                        low: low as i8,
                        high: high as i8,
                    };
                    (of(a, b), of(c, d))
                };
                ToMonitor::Columns(columns.iter().map(column).collect())
            }
            7 => ToMonitor::Devices(read_json(&bytes)?),
            8 => ToMonitor::Pong(bytes.try_get_u32().map_err(|_| Garbled)?),
            9 => ToMonitor::Bye,
            10 => ToMonitor::Beat,
            _ => return Ok(None),
        }))
    }
}

fn put_heard(out: &mut Vec<u8>, generation: u64, heard: &Heard) {
    let mut head = |kind: u8| {
        out.push(kind);
        out.extend(generation.to_be_bytes());
    };
    match heard {
        Heard::Stream { zero_ms } => {
            head(2);
            if let Some(zero_ms) = zero_ms {
                out.extend(zero_ms.to_be_bytes());
            }
        }
        Heard::Frame { frame, .. } => {
            head(3);
            out.extend_from_slice(frame.bytes());
        }
        Heard::Missed { track, from, to } => {
            head(4);
            out.push(track.index() as u8);
            out.extend(from.to_be_bytes());
            out.extend(to.to_be_bytes());
        }
        Heard::Over => head(5),
    }
}

fn heard(kind: u8, mut bytes: Bytes, arrived: Instant) -> Result<Option<Heard>, Garbled> {
    Ok(Some(match kind {
        2 if bytes.is_empty() => Heard::Stream { zero_ms: None },
        2 => {
            let zero_ms = bytes.try_get_i64().map_err(|_| Garbled)?;
            Heard::Stream {
                zero_ms: Some(zero_ms.clamp(-FAR_MS, FAR_MS)),
            }
        }
        3 => match AudioFrame::parse(bytes).map_err(|_| Garbled)? {
            Some(frame) => Heard::Frame { frame, arrived },
            None => return Ok(None),
        },
        4 => {
            let track = match bytes.try_get_u8().map_err(|_| Garbled)? {
                0 => Track::Inbound,
                1 => Track::Outbound,
                _ => return Err(Garbled),
            };
            let from = bytes.try_get_u32().map_err(|_| Garbled)?;
            let to = bytes.try_get_u32().map_err(|_| Garbled)?;
            if to < from {
                return Err(Garbled);
            }
            Heard::Missed { track, from, to }
        }
        _ => Heard::Over,
    }))
}

/// The same, within what can be reckoned with.
fn sane(mut wanted: Wanted) -> Wanted {
    for seat in wanted.seats.iter_mut().flatten() {
        seat.seek_ms = seat.seek_ms.clamp(-FAR_MS, FAR_MS);
        seat.jumps.1 = seat.jumps.1.clamp(-FAR_MS, FAR_MS);
    }
    wanted
}

fn numbered(out: &mut Vec<u8>, kind: u8, number: u32) {
    out.push(kind);
    out.extend(number.to_be_bytes());
}

fn json(out: &mut Vec<u8>, kind: u8, value: &impl Serialize) {
    out.push(kind);
    // Plain data into memory: nothing in it can fail.
    let _ = serde_json::to_writer(out, value);
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Garbled> {
    serde_json::from_slice(bytes).map_err(|_| Garbled)
}

#[cfg(test)]
mod tests;
