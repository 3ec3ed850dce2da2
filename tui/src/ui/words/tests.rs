//! Durations, shares and masks, as people read them.

use super::*;

#[test]
fn durations_are_as_long_as_they_need_to_be() {
    assert_eq!(duration(-5), "0:00");
    assert_eq!(duration(61_999), "1:01");
    assert_eq!(duration(3_661_000), "1:01:01");
    assert_eq!(spoken(1000), "1 second");
    assert_eq!(spoken(180_000), "3 minutes");
    assert_eq!(spoken(3_660_000), "1 hour 1 minute");
    assert_eq!(
        (short(840), short(4250)),
        ("840 ms".to_owned(), "4.2 s".to_owned())
    );
    assert_eq!(short(200_000), "3:20");
}

#[test]
fn clocks_are_in_utc_before_1970_too() {
    let at = UtcTime::parse("2026-11-22T13:02:09Z").unwrap();
    assert_eq!(
        (clock(at), clock_short(at)),
        ("13:02:09".to_owned(), "13:02".to_owned())
    );
    assert_eq!(clock(UtcTime::from_unix_ms(-1)), "23:59:59");
}

#[test]
fn shares_add_up() {
    let share = |customer, agent| customer_share(PerSide { customer, agent });
    assert_eq!(share(0, 0), None);
    assert_eq!(share(620, 380), Some(62));
    assert_eq!(share(u64::MAX, u64::MAX), Some(50));
}

#[test]
fn privacy_leaves_two_characters_and_no_word() {
    assert_eq!(number("+4930123456", true), "…56");
    assert_eq!(number("911", true), "…");
    assert_eq!(number("client:alice", false), "alice");
    assert_eq!(words("my card is 4711", true, "•••"), "••• ••• ••• •••");
    assert_eq!(words("so", false, "•••"), "so");
    assert_eq!(detail("status", "ringing", true, "•••"), "ringing");
    assert_eq!(detail("to", "+4930123456", true, "•••"), "…56");
    assert_eq!(detail("word", "my card 4", true, "•••"), "••• ••• •••");
    assert_eq!(detail("listener", "anna", true, "•••"), "•••");
}

#[test]
fn a_desk_phone_is_known_by_its_name_and_masked_where_that_may_be_a_number() {
    let of = |address: &str| {
        let mut row = crate::ui::tests::fixture::call(1);
        row.agent = Some(address.to_owned());
        row.from.clone_from(&row.agent);
        row
    };
    let row = of("sip:priya@lakeside.example");
    assert_eq!(agent(&row, false), "priya@lakeside.example");
    assert_eq!(
        [agent_name(&row, false), agent_name(&row, true), agent(&row, true)],
        ["priya"; 3]
    );
    assert_eq!(way(&row), Some("outgoing"));
    let row = of("sip:+4930123456@lakeside.example");
    assert_eq!(agent_name(&row, false), "+4930123456");
    assert_eq!(agent(&row, true), "…56");
    assert_eq!(agent(&of("client:bob"), true), "bob");
}
