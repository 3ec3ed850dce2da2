//! Made-up numbers and applications, judged.

use serde_json::json;

use super::*;
use crate::config::tests_support::secure;
use crate::doctor::Mark;

const HERE: &str = "https://calls.example.com/twilio/voice";

fn number(changes: &Value) -> Value {
    let mut number = json!({
        "phone_number": "+12125550111", "voice_url": HERE, "voice_method": "POST", "voice_application_sid": "",
        "voice_fallback_url": "https://fallback.example.com/", "status_callback": "https://calls.example.com/twilio/status",
    });
    for (name, value) in changes.as_object().unwrap() {
        number[name] = value.clone();
    }
    number
}

fn said(numbers: &[Value], apps: &[Value]) -> (Vec<(Mark, String)>, bool) {
    let mut config = secure("127.0.0.1:0", &[]);
    let route = crate::config::dial::Route {
        to: partyline_shared::phone::PhoneNumber::new("+12125550111"),
        dial: Target::Client(partyline_shared::phone::PhoneNumber::new("client:alice")),
        customer_id: None,
        agent: None,
    };
    config.dial.routes.push(route);
    let (verdicts, here) = judge(&config, numbers, apps);
    (
        verdicts
            .iter()
            .map(|verdict| (verdict.mark, verdict.line(true)))
            .collect(),
        here,
    )
}

#[test]
fn a_number_that_leads_here_whole_is_well() {
    let (verdicts, here) = said(&[number(&json!({}))], &[]);
    assert!(
        here && verdicts.len() == 1 && verdicts[0].0 == Mark::Ok,
        "{verdicts:?}"
    );
    for behind in ["?customer_id=7", "#rc=2&rp=ct,rt"] {
        let customer = number(&json!({ "voice_url": format!("{HERE}{behind}") }));
        assert_eq!(said(&[customer], &[]).0[0].0, Mark::Ok, "{behind}");
    }
}

#[test]
fn each_slip_has_its_mark_and_its_mend() {
    let mend = "; partyline-relay twilio configure --number +12125550111";
    for (changes, mark, word) in [
        (
            json!({ "voice_url": "https://demo.example/" }),
            Mark::Fail,
            "does not lead to",
        ),
        (json!({ "voice_method": "GET" }), Mark::Fail, "by GET"),
        (
            json!({ "status_callback": null }),
            Mark::Warn,
            "how its calls end",
        ),
        (json!({ "voice_fallback_url": "" }), Mark::Warn, "no fallback"),
        (
            json!({ "voice_application_sid": "AP1" }),
            Mark::Fail,
            "does not lead to",
        ),
    ] {
        let (verdicts, _) = said(&[number(&changes)], &[]);
        let [(found, line)] = &verdicts[..] else {
            panic!("{changes}: {verdicts:?}");
        };
        assert!(
            *found == mark && line.contains(word) && line.contains(mend),
            "{changes}: {line}"
        );
    }
}

#[test]
fn what_the_application_says_counts_and_others_numbers_are_left_alone() {
    let app = number(&json!({ "sid": "AP1", "phone_number": null }));
    let by_app = number(&json!({ "voice_application_sid": "AP1", "voice_url": "" }));
    let (verdicts, here) = said(&[by_app], std::slice::from_ref(&app));
    assert!(
        here && verdicts.len() == 1 && verdicts[0].0 == Mark::Ok,
        "{verdicts:?}"
    );
    let other = number(&json!({ "phone_number": "+12125550199", "voice_url": "https://other.example/" }));
    assert_eq!(said(&[other], &[]), (Vec::new(), false));
    let (alone, here) = said(&[], &[app]);
    assert!(here && alone[0].1.contains("AP1 leads here"), "{alone:?}");
}
