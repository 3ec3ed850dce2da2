//! What the player says, on its way to the loop. It speaks from threads that may not wait, so there is a place
//! for the newest of each sort, and what was there before is out of date.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::event::{Device, DeviceInfo, FromSound, Playback};

/// The place.
#[derive(Clone, Default)]
pub(super) struct Said(Arc<Inner>);

#[derive(Default)]
struct Inner {
    newest: Mutex<Newest>,
    is_there: Notify,
}

#[derive(Default)]
struct Newest {
    device: Option<Device>,
    devices: Option<Vec<DeviceInfo>>,
    playback: Option<Playback>,
}

impl Said {
    /// Called by the player.
    pub(super) fn tell(&self, said: FromSound) {
        let mut newest = self.0.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match said {
            FromSound::Device(device) => newest.device = Some(device),
            FromSound::Devices(devices) => newest.devices = Some(devices),
            FromSound::Playback(playback) => newest.playback = Some(playback),
            // Those are fetched.
            FromSound::Columns { .. } => return,
        }
        drop(newest);
        self.0.is_there.notify_one();
    }

    /// What is new. Cancelling it loses nothing.
    pub(super) async fn next(&self) -> Vec<FromSound> {
        self.0.is_there.notified().await;
        let newest = std::mem::take(&mut *self.0.newest.lock().unwrap_or_else(PoisonError::into_inner));
        let device = newest.device.map(FromSound::Device);
        let devices = newest.devices.map(FromSound::Devices);
        let playback = newest.playback.map(FromSound::Playback);
        device.into_iter().chain(devices).chain(playback).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_of_each_sort_is_told_once() {
        let said = Said::default();
        said.tell(FromSound::Device(Device::Off));
        said.tell(FromSound::Playback(Playback::default()));
        let ready = Device::Ready {
            name: "card".to_owned(),
        };
        said.tell(FromSound::Device(ready.clone()));
        assert_eq!(
            said.next().await,
            [FromSound::Device(ready), FromSound::Playback(Playback::default())]
        );
        said.tell(FromSound::Device(Device::Off));
        said.tell(FromSound::Devices(Vec::new()));
        assert_eq!(
            said.next().await,
            [FromSound::Device(Device::Off), FromSound::Devices(Vec::new())]
        );
    }
}
