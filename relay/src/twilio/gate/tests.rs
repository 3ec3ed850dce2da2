//! Which streams are let in, and that a refused one leaves no trace.

use std::collections::BTreeMap;

use http::HeaderValue;

use super::super::tests_support::*;
use super::*;
use crate::broker::commons::tests_support::Stand;
use crate::calls::parties::FromWebhook;
use crate::config::Secret;
use crate::twilio::pass::{Key, LIFE_MS};

const HOST: &str = "calls.example.com";

fn shown(config: &Config, signed_by: Option<&str>, url: &str) -> Result<Shown, Why> {
    let mut headers = HeaderMap::new();
    if let Some(token) = signed_by {
        let signature = signature::sign(token, url, &Form::default());
        headers.insert(signature::HEADER, HeaderValue::from_str(&signature).unwrap());
    }
    Shown::read(config, HOST, &headers, "/cable")
}

fn start(account: &str, call: &str, pass: Option<&str>) -> Start {
    let pass = pass.map(|pass| (pass::PARAMETER.to_owned(), pass.to_owned()));
    Start {
        account_sid: account.to_owned(),
        stream_sid: "MZ1".to_owned(),
        call_sid: call.to_owned(),
        tracks: Vec::new(),
        media_format: None,
        custom_parameters: pass.into_iter().collect::<BTreeMap<_, _>>(),
    }
}

fn written(token: &str, now: Now, account: &str, call: &str) -> String {
    Key::of_token(&Secret::new(token)).write(now.wall, rand::random(), account, call)
}

#[test]
fn a_handshake_shows_whose_token_signed_it() {
    let config = two_accounts();
    let wss = "wss://calls.example.com/cable";
    for url in [
        wss,
        "wss://calls.example.com/cable/",
        "wss://calls.example.com:443/cable",
    ] {
        assert_eq!(
            shown(&config, Some(SECOND_TOKEN), url),
            Ok(Shown::Signed(vec![Some(SECOND.to_owned())])),
            "{url}"
        );
    }
    for url in [
        "https://calls.example.com/cable",
        "wss://calls.example.com/",
        "wss://evil.example/cable",
    ] {
        assert_eq!(shown(&config, Some(TOKEN), url), Err(Why::Mismatch), "{url}");
    }
    assert_eq!(shown(&config, Some("another"), wss), Err(Why::Mismatch));
    assert_eq!(shown(&config, None, wss), Err(Why::Unsigned));
    // What two headers say is not known.
    let mut headers = HeaderMap::new();
    let right = HeaderValue::from_str(&signature::sign(TOKEN, wss, &Form::default())).unwrap();
    headers.append(signature::HEADER, right.clone());
    headers.append(signature::HEADER, right);
    assert_eq!(Shown::read(&config, HOST, &headers, "/cable"), Err(Why::Unsigned));
}

#[test]
fn under_insecure_nothing_need_be_shown_but_what_is_shown_is_right() {
    let wss = "wss://calls.example.com/cable";
    let config = config(&format!("{OURS}={TOKEN}"), true);
    assert_eq!(shown(&config, None, wss), Ok(Shown::Nothing));
    assert_eq!(shown(&config, Some("another"), wss), Err(Why::Mismatch));
    assert!(shown(&config, Some(TOKEN), wss).unwrap().is_signed());
    let none = super::super::tests_support::config("", true);
    assert_eq!(shown(&none, Some("any"), wss), Ok(Shown::Nothing));
}

#[test]
fn a_stream_shows_a_pass_of_its_call_once() {
    let (door, config, now) = (door(), Arc::new(two_accounts()), Now::take());
    let gate = |account: &str| {
        let shown = Shown::Signed(vec![Some(account.to_owned())]);
        Gate::new(door.clone(), config.clone(), shown)
    };
    let late = now.plus(Duration::from_millis(LIFE_MS as u64));
    let pass = || written(TOKEN, now, OURS, CALL);
    let other_call = written(TOKEN, now, OURS, "CA1");
    let other_account = written(SECOND_TOKEN, now, SECOND, CALL);
    let swapped = written(SECOND_TOKEN, now, OURS, CALL);
    let own = Key::new([1; 32]).write(now.wall, [1; 16], OURS, CALL);
    for (said, at, why) in [
        (None, now, Why::NoPass),
        (Some(String::new()), now, Why::ForgedPass),
        (Some("x".repeat(10_000)), now, Why::ForgedPass),
        (Some(other_call), now, Why::ForgedPass),
        (Some(other_account), now, Why::ForgedPass),
        (Some(swapped), now, Why::ForgedPass),
        (Some(own), now, Why::ForgedPass),
        (Some(pass()), late, Why::LatePass),
    ] {
        let refused = gate(OURS).admit(at, &start(OURS, CALL, said.as_deref()));
        assert_eq!(refused, Err(why));
    }
    // The handshake of one account brings no stream of another, whatever the stream shows.
    let refused = gate(SECOND).admit(now, &start(OURS, CALL, Some(&pass())));
    assert_eq!(refused, Err(Why::OtherAccount));

    let good = pass();
    assert_eq!(gate(OURS).admit(now, &start(OURS, CALL, Some(&good))), Ok(None));
    let again = gate(OURS).admit(now, &start(OURS, CALL, Some(&good)));
    assert_eq!(again, Err(Why::UsedPass));
    assert_eq!(door.metrics().streams_refused.get(), 10);
    assert_eq!(door.metrics().passes_forged.get(), 6);
    assert_eq!(door.registry().counts(), (0, 0), "no call was begun");
}

#[test]
fn a_foreign_stream_is_of_our_account_and_of_a_call_whose_twiml_is_not_ours() {
    let (door, now) = (door(), Now::take());
    let [deny, allow] = [Foreign::Deny, Foreign::Allow].map(|foreign_streams| {
        let mut config = two_accounts();
        config.foreign_streams = foreign_streams;
        Arc::new(config)
    });
    let admit = |shown: Shown, foreign, account: &str, call: &str, pass: Option<&str>| {
        let config = if foreign { &allow } else { &deny };
        let gate = Gate::new(door.clone(), config.clone(), shown);
        gate.admit(now, &start(account, call, pass))
    };
    let ours = || Shown::Signed(vec![Some(OURS.to_owned())]);
    assert_eq!(admit(ours(), true, OURS, CALL, None), Ok(None));
    assert_eq!(admit(ours(), false, OURS, CALL, None), Err(Why::NoPass));
    assert_eq!(admit(Shown::Nothing, true, OURS, CALL, None), Err(Why::NoPass));
    let any = Shown::Signed(vec![None]);
    assert_eq!(admit(any, true, "AC9", CALL, None), Err(Why::NoPass), "not ours");
    // It says that its TwiML is ours, and is wrong.
    assert_eq!(admit(ours(), true, OURS, CALL, Some("x")), Err(Why::ForgedPass));

    // Known by a callback: still not ours. By a webhook: its TwiML asked for a pass.
    let sid = CallSid::parse(CALL).unwrap();
    let call = door.registry().open(now, &sid).unwrap();
    call.stream_note(now, Some(OURS.to_owned()), None, None);
    assert_eq!(admit(ours(), true, OURS, CALL, None), Ok(None));
    let second = Shown::Signed(vec![Some(SECOND.to_owned())]);
    assert_eq!(
        admit(second, true, SECOND, CALL, None),
        Err(Why::NoPass),
        "another's call"
    );
    call.webhook(now, FromWebhook::default(), None);
    assert_eq!(admit(ours(), true, OURS, CALL, None), Err(Why::NoPass));
}

#[test]
fn under_insecure_a_stream_may_lack_a_pass_but_not_have_a_wrong_one() {
    let (door, config, now) = (door(), Arc::new(config("", true)), Now::take());
    let admit = |pass: Option<&str>| {
        let gate = Gate::new(door.clone(), config.clone(), Shown::Nothing);
        gate.admit(now, &start(OURS, CALL, pass))
    };
    assert_eq!(admit(None), Ok(None));
    assert_eq!(admit(Some("x")), Err(Why::ForgedPass));
    let whose = Whose {
        accounts: &config.accounts,
        insecure: true,
        account: OURS,
        call: CALL,
    };
    let pass = door.passes().write(now.wall, [9; 16], whose).unwrap();
    assert_eq!(admit(Some(&pass)), Ok(None));
    assert_eq!(admit(Some(&pass)), Err(Why::UsedPass));
}

#[tokio::test]
async fn a_pass_opens_one_stream_among_all_relays() {
    let stand = Stand::new();
    let [one, other] = [(), ()].map(|()| {
        let shown = Shown::Signed(vec![Some(OURS.to_owned())]);
        Gate::new(door_sharing(stand.commons()), Arc::new(two_accounts()), shown)
    });
    let now = Now::take();
    let pass = written(TOKEN, now, OURS, CALL);
    let shown = |gate: &Gate| gate.admit(now, &start(OURS, CALL, Some(&pass))).unwrap().unwrap();
    let (here, there) = (shown(&one), shown(&other));
    assert_eq!(one.among_all(now, here).await, Ok(()));
    assert_eq!(other.among_all(now, there).await, Err(Why::UsedPass));
    assert_eq!(other.door.metrics().passes_used.get(), 1);
    // Without Redis each relay knows its own.
    stand.be(false);
    let next = start(OURS, CALL, Some(&written(TOKEN, now, OURS, CALL)));
    let pass = one.admit(now, &next).unwrap().unwrap();
    assert_eq!(one.among_all(now, pass).await, Ok(()));
    assert_eq!(one.admit(now, &next), Err(Why::UsedPass));
}
