//! Every sentence of the contract's paragraph "Who is rung", as a table.

use super::*;
use crate::config::dial::Route;

const OURS: &str = "+12125550100";
const MOBILE: &str = "+15550100001";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text)
}

fn target(text: &str) -> Target {
    Target::parse(&number(text), true).unwrap()
}

/// The contract's sample, and nothing else.
fn sample() -> DialRules {
    DialRules {
        caller_id: Some(number(OURS)),
        default_dial: Some(target("client:alice")),
        dial_allow: vec![number("+1")],
        routes: vec![Route {
            to: number("+12125550111"),
            dial: target("sip:desk@example.com"),
            customer_id: Some("777".to_owned()),
            agent: Some(Track::Outbound),
        }],
        ..DialRules::default()
    }
}

/// What is rung, or why nobody is.
fn ask(rules: &DialRules, insecure: bool, request: (&str, &str, &str)) -> Result<String, Why> {
    let (direction, from, to) = request;
    let direction = (!direction.is_empty()).then_some(direction);
    let (from, to) = (PhoneNumber::non_empty(from), PhoneNumber::non_empty(to));
    match decide(rules, insecure, direction, from.as_ref(), to.as_ref()) {
        Verdict::Dial { target, .. } => Ok(target.address().as_str().to_owned()),
        Verdict::Apology { why } => Err(why),
    }
}

#[track_caller]
fn rings(rules: &DialRules, insecure: bool, request: (&str, &str, &str), who: &str) {
    assert_eq!(ask(rules, insecure, request), Ok(who.to_owned()), "{request:?}");
}

#[track_caller]
fn apologises(rules: &DialRules, insecure: bool, request: (&str, &str, &str), why: Why) {
    assert_eq!(ask(rules, insecure, request), Err(why), "{request:?}");
}

#[test]
fn routes_match_first_always() {
    let desk = "sip:desk@example.com";
    for rules in [
        sample(),
        DialRules {
            dial_allow: vec![],
            caller_id: None,
            default_dial: None,
            ..sample()
        },
    ] {
        for insecure in [false, true] {
            for direction in ["", "inbound", "outbound-api", "outbound-dial"] {
                for from in ["", MOBILE, "anonymous", "client:bob", "sip:bob@example.com"] {
                    rings(&rules, insecure, (direction, from, "+12125550111"), desk);
                    rings(&rules, insecure, (direction, from, " 12125550111"), desk);
                }
            }
        }
    }
    let verdict = decide(
        &sample(),
        false,
        Some("inbound"),
        None,
        Some(&number("+12125550111")),
    );
    let Verdict::Dial {
        customer_id,
        agent,
        caller_id,
        ..
    } = verdict
    else {
        panic!("{verdict:?}")
    };
    assert_eq!(
        (customer_id.as_deref(), agent),
        (Some("777"), Some(Track::Outbound))
    );
    assert_eq!(caller_id, Some(number(OURS)));
}

#[test]
fn the_first_of_two_routes_is_taken() {
    let mut rules = sample();
    let second = Route {
        dial: target("client:second"),
        ..rules.routes[0].clone()
    };
    rules.routes.push(second);
    rings(
        &rules,
        false,
        ("inbound", MOBILE, "+12125550111"),
        "sip:desk@example.com",
    );
}

#[test]
fn a_call_from_outside_never_rings_its_own_number() {
    for from in [
        MOBILE,
        "anonymous",
        "+266696687",
        "",
        "Anonymous",
        "clientele",
        "xclient:a",
    ] {
        for insecure in [false, true] {
            rings(&sample(), insecure, ("inbound", from, OURS), "client:alice");
            rings(
                &sample(),
                insecure,
                ("inbound", from, "+15550100009"),
                "client:alice",
            );
            rings(&sample(), insecure, ("inbound", from, ""), "client:alice");
            let nobody = DialRules {
                default_dial: None,
                ..sample()
            };
            apologises(&nobody, insecure, ("inbound", from, OURS), Why::NobodyTakesIt);
            apologises(
                &nobody,
                insecure,
                ("inbound", from, "+15550100009"),
                Why::NobodyTakesIt,
            );
        }
    }
}

#[test]
fn a_softphone_dials_what_dial_allow_permits() {
    for from in ["client:agent", "sip:agent@example.com", "sips:agent@example.com"] {
        for direction in ["", "inbound", "outbound-api"] {
            rings(
                &sample(),
                false,
                (direction, from, "+15550100002"),
                "+15550100002",
            );
            apologises(
                &sample(),
                false,
                (direction, from, "+445550100002"),
                Why::NotAllowed,
            );
            apologises(&sample(), false, (direction, from, "client:bob"), Why::NotAllowed);
            apologises(
                &sample(),
                false,
                (direction, from, "sip:+15550100002@example.com"),
                Why::NotAllowed,
            );
            apologises(&sample(), false, (direction, from, ""), Why::NoTo);
        }
    }
    let inside = DialRules {
        dial_allow: vec![number("client:"), number("sip:")],
        ..sample()
    };
    rings(
        &inside,
        false,
        ("inbound", "client:agent", "client:bob"),
        "client:bob",
    );
    rings(
        &inside,
        false,
        ("inbound", "client:agent", "sip:bob@example.com"),
        "sip:bob@example.com",
    );
    apologises(
        &inside,
        false,
        ("inbound", "client:agent", "+15550100002"),
        Why::NotAllowed,
    );
}

#[test]
fn a_request_with_neither_direction_nor_from_dials_what_dial_allow_permits() {
    rings(&sample(), false, ("", "", "+15550100002"), "+15550100002");
    apologises(&sample(), false, ("", "", "+445550100002"), Why::NotAllowed);
    let no_caller_id = DialRules {
        caller_id: None,
        ..sample()
    };
    rings(&no_caller_id, false, ("", "", "+15550100002"), "+15550100002");
}

#[test]
fn by_default_nothing_may_be_dialled_and_insecure_permits_all() {
    let none = DialRules::default();
    for to in [
        "+15550100002",
        "+445550100002",
        "client:bob",
        "sip:bob@example.com",
    ] {
        for (direction, from) in [
            ("", ""),
            ("inbound", "client:agent"),
            ("inbound", "sip:a@example.com"),
        ] {
            apologises(&none, false, (direction, from, to), Why::NotAllowed);
            rings(&none, true, (direction, from, to), to);
        }
    }
}

#[test]
fn a_softphone_needs_a_caller_id_except_under_insecure() {
    let none = DialRules {
        caller_id: None,
        ..sample()
    };
    for from in ["client:agent", "sip:agent@example.com"] {
        apologises(&none, false, ("inbound", from, "+15550100002"), Why::NoCallerId);
        rings(&none, true, ("inbound", from, "+15550100002"), "+15550100002");
    }
    let verdict = decide(
        &sample(),
        false,
        Some("inbound"),
        Some(&number("client:a")),
        Some(&number("+15550100002")),
    );
    assert!(matches!(verdict, Verdict::Dial { caller_id: Some(id), .. } if id == number(OURS)));
}

#[test]
fn everything_else_gets_the_apology() {
    for insecure in [false, true] {
        apologises(
            &sample(),
            insecure,
            ("outbound-api", MOBILE, "+15550100002"),
            Why::NoRule,
        );
        apologises(
            &sample(),
            insecure,
            ("outbound-api", "", "+15550100002"),
            Why::NoRule,
        );
        apologises(
            &sample(),
            insecure,
            ("outbound-dial", MOBILE, "+15550100002"),
            Why::NoRule,
        );
        apologises(
            &sample(),
            insecure,
            ("Inbound", MOBILE, "+15550100002"),
            Why::NoRule,
        );
        apologises(&sample(), insecure, ("", MOBILE, "+15550100002"), Why::NoRule);
        apologises(
            &sample(),
            insecure,
            ("", "anonymous", "+15550100002"),
            Why::NoRule,
        );
        apologises(&sample(), insecure, ("", "", ""), Why::NoTo);
    }
}

#[test]
fn the_first_curl_anybody_tries_is_dialled() {
    let none = DialRules::default();
    // `To=%2B1234567890`, and `To=+1234567890` whose plus the form makes a space.
    rings(&none, true, ("", "", "+1234567890"), "+1234567890");
    rings(&none, true, ("", "", " 1234567890"), "+1234567890");
    rings(&none, true, ("", "", "1234567890"), "1234567890");
    rings(&none, true, ("", "", "911"), "911");
}

#[test]
fn what_is_no_number_is_not_dialled() {
    let open = DialRules {
        dial_allow: vec![number("+")],
        ..sample()
    };
    for to in [
        "+",
        "+1",
        "+12",
        "+1234567890123456",
        "+1 212 555 0100",
        "+1(212)5550100",
        "+1212555o100",
        "++12125550100",
        "+12125550100;ext=1",
        "+12125550100,1",
        "<Number>",
        "tel:+12125550100",
        "client:",
        "sip:",
        "client:a b",
        "+١٢٣٤٥٦٧٨٩٠",
    ] {
        for insecure in [false, true] {
            apologises(&open, insecure, ("inbound", "client:agent", to), Why::NotDialable);
        }
    }
    // Without its plus a number is only a number on a developer's machine.
    apologises(
        &open,
        false,
        ("inbound", "client:agent", "2125550100"),
        Why::NotDialable,
    );
    apologises(&open, false, ("inbound", "client:agent", "911"), Why::NotDialable);
    rings(&open, false, ("inbound", "client:agent", "+123"), "+123");
    rings(
        &open,
        false,
        ("inbound", "client:agent", "+123456789012345"),
        "+123456789012345",
    );
}

#[test]
fn the_agent_is_on_inbound_where_a_client_calls_or_a_route_says_so() {
    for (from, route, track) in [
        ("client:agent", None, Track::Inbound),
        ("sip:agent@example.com", None, Track::Outbound),
        (MOBILE, None, Track::Outbound),
        ("anonymous", None, Track::Outbound),
        ("", None, Track::Outbound),
        (MOBILE, Some(Track::Inbound), Track::Inbound),
        ("", Some(Track::Inbound), Track::Inbound),
        // A visitor's browser is a client: too, and only the route knows.
        ("client:visitor", Some(Track::Outbound), Track::Outbound),
    ] {
        assert_eq!(
            agent_track(PhoneNumber::non_empty(from).as_ref(), route),
            track,
            "{from} {route:?}"
        );
    }
}

#[test]
fn no_verdict_prints_a_number() {
    for request in [
        (Some("inbound"), "client:a", "+15550100002"),
        (Some("inbound"), MOBILE, "+12125550111"),
    ] {
        let (direction, from, to) = request;
        let printed = format!(
            "{:?}",
            decide(
                &sample(),
                false,
                direction,
                Some(&number(from)),
                Some(&number(to))
            )
        );
        assert!(!printed.contains("5550"), "{printed}");
    }
}
