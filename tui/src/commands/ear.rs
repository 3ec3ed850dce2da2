//! `partyline ear`: the desk's end. And the other end's beginning: the code is asked for before there is a screen, and
//! never shown.

use std::time::Duration;

use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::listen::{self, quiet::Quiet};
use super::prompt;
use crate::audio::player::Settings;
use crate::cli;
use crate::config::Config;
use crate::ear::code::Code;
use crate::ear::desk::{Desk, Told};
use crate::ear::link::Cut;
use crate::ear::remote::Paired;
use crate::ear::sound::Wish;
use crate::event::Device;
use crate::failure::Failure;
use crate::print::{Lines, note};

/// How often it is looked whether the log has grown too long.
const LOG: Duration = Duration::from_secs(60);

/// Longest file that can hold a code, bytes.
const MAX_FILE: u64 = 256;

/// Plays what a monitor elsewhere hears, until Ctrl-C.
pub(super) async fn run(args: &cli::Ear, config: &Config) -> Result<(), Failure> {
    let desk = Desk::open(&args.listen).await?;
    let addr = desk.addr()?;
    let mut out = Lines::stdout();
    out.text(&format!("ear listening on {addr}"))?;
    out.text(&format!("code {}", desk.code()))?;
    let port = addr.port();
    out.text(&format!(
        "from here: ssh -R {port}:localhost:{port} SERVER; there: partyline --ear 127.0.0.1:{port}"
    ))?;
    let quiet = Quiet::begin();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let playing = tokio::spawn(desk.run(settings(config), stop.clone(), move |told| {
        // A code that nobody can read is of no use.
        if tell(told).is_err() {
            stopped.cancel();
        }
    }));
    let ends = listen::stop();
    tokio::pin!(ends);
    let mut look = interval(LOG);
    loop {
        tokio::select! {
            () = &mut ends => {
                stop.cancel();
                break;
            }
            () = stop.cancelled() => break,
            _ = look.tick() => quiet.trim(),
        }
    }
    let fault = |fault| Failure::Failed(format!("a part of the program has failed: {fault}"));
    playing.await.map_err(fault)
}

fn tell(told: Told) -> Result<(), Failure> {
    match told {
        Told::Code(code) => return Lines::stdout().text(&format!("code {code}")),
        Told::Paired => note("a monitor has paired; another one needs the next code"),
        Told::Back => note("the monitor is back"),
        Told::Lost(Cut::Closed) => note("the link to the monitor is gone; it may come back"),
        Told::Lost(cut) => note(&format!(
            "the link to the monitor is gone ({cut}); it may come back"
        )),
        Told::Closed => note("the monitor has not come back: its calls are closed; it may still come"),
        Told::Left => note("the monitor has ended"),
        Told::Refused => note("another monitor was refused: one at a time"),
        Told::Wrong => note("a wrong code was tried, and heard nothing"),
        Told::TooOften => note("that was one time too many; there is another code now"),
        Told::Device(device) => tell_device(&device),
    }
    Ok(())
}

fn tell_device(device: &Device) {
    match device {
        Device::Open { name, rate } => note(&format!("playing on {name}, {rate} Hz")),
        Device::Ready { name } => note(&format!("{name} is free")),
        Device::Missing { .. } => note(&format!(
            "{}; it is tried again",
            device.trouble().unwrap_or_default()
        )),
        Device::Off => note("no sound: this program was built without, or told not to play"),
        Device::Unknown => {}
    }
}

/// Where a monitor's sound comes from: a card here, or the ear that is asked to let us in.
pub(super) async fn sound(config: &Config) -> Result<Wish, Failure> {
    let Some(addr) = &config.ear.value else {
        return Ok(Wish::Here(settings(config)));
    };
    let text = Zeroizing::new(typed(addr, config).await?);
    let code = Code::parse(&text).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let paired = Paired::with(addr, &code).await?;
    Ok(Wish::Desk(Box::new(paired)))
}

/// Which card, and how.
fn settings(config: &Config) -> Settings {
    Settings {
        device: config.device.value.clone(),
        rate: config.rate.value,
        silent: false,
    }
}

/// The code, from where there is one.
async fn typed(addr: &str, config: &Config) -> Result<String, Failure> {
    if let Some(path) = &config.ear_code_file {
        let bad = |why: String| Failure::Usage(format!("--ear-code-file {}: {why}", path.display()));
        let length = std::fs::metadata(path)
            .map_err(|error| bad(error.to_string()))?
            .len();
        if length > MAX_FILE {
            return Err(bad("this is no code".to_owned()));
        }
        return std::fs::read_to_string(path).map_err(|error| bad(error.to_string()));
    }
    match std::env::var("PARTYLINE_EAR_CODE") {
        Ok(code) if !code.is_empty() => Ok(code),
        _ => {
            let without = "no code was read: PARTYLINE_EAR_CODE or --ear-code-file give one";
            prompt::secret(&format!("Code that the ear at {addr} shows"), without).await
        }
    }
}
