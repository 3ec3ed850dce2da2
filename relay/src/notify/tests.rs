//! A manager of the test's own, at a path or under a name.

use super::*;

fn found(vars: &[(&str, &str)]) -> io::Result<Option<Manager>> {
    let env = |name: &str| {
        let var = vars.iter().find(|(known, _)| *known == name);
        var.map(|(_, value)| (*value).to_owned())
    };
    Manager::find(env, 7)
}

fn heard(by: &UnixDatagram) -> String {
    let mut bytes = [0; 200];
    let length = by.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn who_was_started_by_nobody_tells_nobody() {
    assert!(found(&[]).unwrap().is_none());
    assert!(found(&[("NOTIFY_SOCKET", "")]).unwrap().is_none());
}

#[test]
fn what_is_no_address_is_an_error() {
    for at in ["notify", "vsock:2:1234", "@".repeat(200).as_str()] {
        assert!(found(&[("NOTIFY_SOCKET", at)]).is_err(), "{at}");
    }
}

#[test]
fn a_manager_is_told_at_its_path() {
    let at = std::env::temp_dir().join(format!("partyline-notify-{}", rand::random::<u64>()));
    let manages = UnixDatagram::bind(&at).unwrap();
    let manager = found(&[("NOTIFY_SOCKET", at.to_str().unwrap())])
        .unwrap()
        .unwrap();
    manager.say("READY=1");
    assert_eq!(heard(&manages), "READY=1");
    std::fs::remove_file(&at).unwrap();
    manager.say("STOPPING=1");
    assert!(manager.has_failed.load(Relaxed), "and nothing else happens");
}

#[cfg(target_os = "linux")]
#[test]
fn a_manager_is_told_under_its_name() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("partyline-notify-{}", rand::random::<u64>());
    let manages = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let at = format!("@{name}");
    found(&[("NOTIFY_SOCKET", &at)]).unwrap().unwrap().say("READY=1");
    assert_eq!(heard(&manages), "READY=1");
}

#[test]
fn the_watchdog_of_another_process_is_none_of_ours() {
    let with = |vars: &[(&str, &str)]| {
        let vars = [&[("NOTIFY_SOCKET", "/nowhere")], vars].concat();
        found(&vars).unwrap().unwrap().watchdog
    };
    let second = ("WATCHDOG_USEC", "1000000");
    assert_eq!(with(&[second]), Some(Duration::from_secs(1)));
    assert_eq!(
        with(&[second, ("WATCHDOG_PID", "7")]),
        Some(Duration::from_secs(1))
    );
    for none in [
        &[second, ("WATCHDOG_PID", "8")][..],
        &[("WATCHDOG_USEC", "0")],
        &[("WATCHDOG_USEC", "soon")],
        &[],
    ] {
        assert_eq!(with(none), None, "{none:?}");
    }
}
