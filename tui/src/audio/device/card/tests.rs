//! What a card's faults mean. Cards themselves are in the stories: this may run where there is none.

use super::*;

#[test]
fn a_fault_that_repeats_is_the_end_and_an_underrun_is_counted() {
    let health = Arc::new(Health::default());
    on_fault(&health, ErrorKind::Xrun);
    on_fault(&health, ErrorKind::DeviceChanged);
    assert_eq!(
        (health.xruns.load(Relaxed), health.dead.load(Relaxed)),
        (1, false)
    );
    for kind in [ErrorKind::BackendError, ErrorKind::Xrun] {
        // A callback between is what says that it plays.
        health.faults.store(0, Relaxed);
        for _ in 0..FAULTS {
            on_fault(&health, kind);
        }
        assert!(!health.dead.load(Relaxed), "{FAULTS} may be a stumble");
        on_fault(&health, kind);
        assert!(health.dead.swap(false, Relaxed));
    }
    let health = Arc::new(Health::default());
    on_fault(&health, ErrorKind::StreamInvalidated);
    assert!(health.dead.load(Relaxed));
}

#[test]
fn people_are_told_in_their_own_words() {
    let told = |kind, said: &str| why(&cpal::Error::new(kind), said);
    assert_eq!(told(ErrorKind::DeviceNotAvailable, ""), "no sound device");
    assert_eq!(
        told(ErrorKind::DeviceBusy, ""),
        "the device is in use by another program"
    );
    let refused = "snd_pcm_open: PulseAudio: Unable to connect: Connection refused\n";
    assert_eq!(
        told(ErrorKind::BackendError, refused),
        "the sound server does not answer"
    );
    let hollow = "ALSA function 'snd_pcm_hw_params' failed with error 'I/O error (5)'";
    let told = |message: &'static str| why(&cpal::Error::with_message(ErrorKind::BackendError, message), "");
    assert_eq!(told(hollow), "there is no sound card behind the device");
    assert_eq!(
        told("ALSA function 'snd_pcm_open' failed with error 'Protocol error (71)'"),
        "the device cannot be opened: Protocol error (71)"
    );
    let odd = why(&cpal::Error::with_message(ErrorKind::Other, "odd"), "");
    assert_eq!(odd, "the device cannot be opened: odd");
}

/// A name that no device has is told as such, whatever devices there are.
#[test]
fn a_name_that_is_not_there_is_named() {
    let settings = Settings {
        device: Some("no such loudspeaker".to_owned()),
        ..Settings::default()
    };
    let mut card = Card::new(settings);
    let why = "no device called no such loudspeaker: `partyline devices` lists them";
    assert_eq!(card.probe(), Err(why.to_owned()));
    let opened = card.open(Instant::now()).map(|opened| opened.name);
    assert_eq!(opened, Err(why.to_owned()));
}
