//! Addresses of a Redis, as they are written and as they are not.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> RedisUrl {
    RedisUrl::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn an_address_is_read_as_people_write_it() {
    let some = |text: &str| Some(text.to_owned());
    for (text, secure, host, port, db, user, password) in [
        ("redis://localhost", false, "localhost", 6379, 0, None, None),
        ("redis://localhost/", false, "localhost", 6379, 0, None, None),
        ("REDISS://R.example:1/15", true, "r.example", 1, 15, None, None),
        (
            "redis://127.0.0.1:7000/2",
            false,
            "127.0.0.1",
            7000,
            2,
            None,
            None,
        ),
        ("rediss://[fd00::1]", true, "fd00::1", 6379, 0, None, None),
        ("redis://[::1]:7/1/", false, "::1", 7, 1, None, None),
        ("redis://:pw@h", false, "h", 6379, 0, None, some("pw")),
        (
            "redis://u:p%40%3a%2F%C3%A9@h",
            false,
            "h",
            6379,
            0,
            some("u"),
            some("p@:/é"),
        ),
        ("redis://u:p:w@h:1", false, "h", 1, 0, some("u"), some("p:w")),
        ("redis://u:p@w@h", false, "h", 6379, 0, some("u"), some("p@w")),
        ("redis://u:@h", false, "h", 6379, 0, some("u"), some("")),
        ("redis://:@my_redis", false, "my_redis", 6379, 0, None, None),
    ] {
        let expected = RedisUrl {
            secure,
            host: host.to_owned(),
            port,
            db,
            user,
            password,
        };
        // A print leaves something out, so `==` alone.
        assert!(read(text) == expected, "{text}: {:?}", read(text));
    }
}

#[test]
fn what_is_none_is_told_without_a_word_of_it() {
    for (text, told) in [
        ("", "that is no address of a Redis; write redis://"),
        ("s3cret", "that is no address"),
        ("http://s3cret", "that is no address"),
        ("redis:s3cret", "that is no address"),
        ("redis+sentinel://s3cret", "Redis Sentinel is not supported"),
        ("redis-sentinel://s3cret", "Redis Sentinel is not supported"),
        ("rediss+cluster://s3cret", "Redis Cluster is not supported"),
        ("redis://s3cret:1,s3cret:2", "a Redis Cluster, are not supported"),
        ("unix:///s3cret", "a Unix socket is not supported"),
        ("redis+unix:///s3cret", "a Unix socket is not supported"),
        ("redis-socket:///s3cret", "a Unix socket is not supported"),
        ("redis://", "no host"),
        ("redis:///1", "no host"),
        ("redis://:s3cret@/1", "no host"),
        ("redis://h:0", "no port"),
        ("redis://h:s3cret", "no port"),
        ("redis://u:s3/cret@h", "no host, or no port"),
        ("redis://[::1", "no host"),
        ("redis://[s3cret]", "no host"),
        ("redis://[::1]s3cret", "no host"),
        ("redis://::1", "no port"),
        ("redis://s3cret host", "no host"),
        ("redis://h/s3cret", "the database is a number"),
        ("redis://h/-1", "the database is a number"),
        ("redis://h?s3cret=1", "ends with its database"),
        ("redis://u:s3cret#@h", "ends with its database"),
        ("redis://s3cret@h", "without the colon before it"),
        ("redis://u:s3cret%@h", "percent-encoded"),
        ("redis://u:%zzs3cret@h", "percent-encoded"),
        ("redis://u:%ffs3cret@h", "percent-encoded"),
    ] {
        let fault = RedisUrl::parse(text).unwrap_err().to_string();
        assert!(
            fault.contains(told) && !fault.contains("s3cret"),
            "{text}: {fault}"
        );
    }
}

#[test]
fn a_print_shows_where_and_not_who() {
    for (text, shown) in [
        ("redis://h", "redis://h:6379"),
        ("rediss://alice:topsecret@[::1]:7/3", "rediss://…@[::1]:7/3"),
        ("redis://:topsecret@h/0", "redis://…@h:6379"),
    ] {
        let url = read(text);
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("RedisUrl({shown})"));
    }
    assert!(
        read("redis://a:b@h") != read("redis://a:c@h"),
        "though both print alike"
    );
}

#[test]
fn a_prefix_is_short_and_plain() {
    let long = "a".repeat(MAX_PREFIX);
    for good in ["partyline", "smart_production", "a:b.c-D9", &long] {
        assert_eq!(prefix(good).unwrap(), good);
    }
    for bad in ["", " ", "a b", "a*", "a\n", "é", "{a}", &(long.clone() + "a")] {
        assert!(prefix(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_text_can_crash_the_reader(text in "(rediss?://)?\\PC{0,40}|rediss?://[a%@:/\\[\\]0-9.]{0,30}") {
        if let Ok(url) = RedisUrl::parse(&text)
            && !url.is_secret()
        {
            prop_assert!(RedisUrl::parse(&url.to_string()).unwrap() == url);
        }
    }

    #[test]
    fn any_password_can_be_written(password in "\\PC{1,20}") {
        let written: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let url = read(&format!("redis://:{written}@h"));
        prop_assert!(url.password.as_deref() == Some(password.as_str()));
    }
}
