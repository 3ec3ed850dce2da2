//! Forty ways to say from where one comes, and who is believed.

use super::*;
use http::HeaderValue;

/// `10.0.0.0/8` and `fd00::/8` are the proxies.
fn client(tcp: &str, lists: &[&str]) -> String {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|cidr| Cidr::parse(cidr).unwrap());
    let mut headers = HeaderMap::new();
    for list in lists {
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_bytes(list.as_bytes()).unwrap(),
        );
    }
    // Only one header names anybody.
    for other in [
        "forwarded",
        "x-real-ip",
        "x-client-ip",
        "cf-connecting-ip",
        "true-client-ip",
    ] {
        headers.append(other, HeaderValue::from_static("198.51.100.66"));
    }
    headers.append("forwarded", HeaderValue::from_static("for=198.51.100.66"));
    Peer::of(tcp.parse().unwrap(), &headers, &trusted)
        .address
        .to_string()
}

#[test]
fn a_proxy_of_ours_is_believed_and_nobody_else() {
    let cases: [(&str, &[&str], &str); 48] = [
        // Nobody in front.
        ("203.0.113.9", &[], "203.0.113.9"),
        ("::ffff:203.0.113.9", &[], "203.0.113.9"),
        ("2001:db8::9", &[], "2001:db8::9"),
        ("127.0.0.1", &[], "127.0.0.1"),
        // Who is no proxy of ours may say what it likes; this machine is none either.
        ("203.0.113.9", &["192.0.2.1"], "203.0.113.9"),
        ("203.0.113.9", &["10.0.0.1"], "203.0.113.9"),
        ("203.0.113.9", &["127.0.0.1"], "203.0.113.9"),
        ("203.0.113.9", &["192.0.2.1, 10.0.0.1"], "203.0.113.9"),
        ("127.0.0.1", &["192.0.2.1"], "127.0.0.1"),
        ("::1", &["192.0.2.1"], "::1"),
        ("11.0.0.1", &["192.0.2.1"], "11.0.0.1"),
        ("::10.0.0.1", &["192.0.2.1"], "::a00:1"),
        // One proxy.
        ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("fd00::1", &["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.1", &["2001:DB8:0::9"], "2001:db8::9"),
        ("10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["127.0.0.1"], "127.0.0.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // What a client says before it reaches the proxy stands further left.
        ("10.0.0.1", &["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["198.51.100.1,192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["198.51.100.1", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["10.9.9.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["rubbish, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["\u{e4}", "192.0.2.1"], "192.0.2.1"),
        // Several proxies in a row.
        ("10.0.0.1", &["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["192.0.2.1, fd00::2, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["192.0.2.1", "fd00::2", "10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["198.51.100.1, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // Ports, brackets, blanks.
        ("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
        ("10.0.0.1", &["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", &["[2001:db8::9]"], "2001:db8::9"),
        ("10.0.0.1", &[" \t192.0.2.1 \t"], "192.0.2.1"),
        ("10.0.0.1", &["192.0.2.1,\t10.0.0.2:443"], "192.0.2.1"),
        // What cannot be read is not believed, nor what stands before it.
        ("10.0.0.1", &[""], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1,"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1", ""], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", &["unknown"], "10.0.0.1"),
        ("10.0.0.1", &["_hidden"], "10.0.0.1"),
        ("10.0.0.1", &["for=192.0.2.1"], "10.0.0.1"),
        ("10.0.0.1", &["[192.0.2.1]"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.01"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1:99999"], "10.0.0.1"),
        ("10.0.0.1", &["192.0.2.1; 10.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", &["\u{ff11}92.0.2.1"], "10.0.0.1"),
    ];
    for (tcp, lists, expected) in cases {
        assert_eq!(client(tcp, lists), expected, "{lists:?} by {tcp}");
    }
}

#[test]
fn a_list_without_end_is_none_that_proxies_made() {
    let long = |hops: usize| format!("192.0.2.1{}", ", 10.0.0.2".repeat(hops));
    assert_eq!(client("10.0.0.1", &[&long(MAX_HOPS - 1)]), "192.0.2.1");
    assert_eq!(client("10.0.0.1", &[&long(MAX_HOPS)]), "10.0.0.1");
}

#[test]
fn beyond_loopback_only_the_proxies_and_this_machine_are_served() {
    let mut config = crate::config::tests_support::secure("0.0.0.0:0", &["10.0.0.0/8"]);
    for (tcp, served) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("11.1.2.3", false),
        ("fd00::1", false),
    ] {
        assert_eq!(is_served(&config, tcp.parse().unwrap()), served, "{tcp}");
    }
    config.listen = "127.0.0.1:0".parse().unwrap();
    assert!(is_served(&config, "127.0.0.2".parse().unwrap()));
}
