//! Texts that want to be more than text. Each begins with a mark by which it is found on a screen.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

fn all(range: RangeInclusive<char>) -> String {
    range.collect()
}

/// What fits into any field. The mark `ab07` is of the text in its place 7, and of the field `ab`.
pub(super) fn short(field: &str) -> Vec<String> {
    let texts = [
        all('\0'..='\u{1f}') + "\u{7f}",
        all('\u{80}'..='\u{9f}'),
        "\u{1b}[2J\u{1b}[1;1HOWNED\u{1b}[31;5m\u{1b}[?1000h\u{1b}[6n\u{1b}[8;10;10t".to_owned(),
        "\u{9b}2J\u{9b}1;1HOWNED\u{9b}6n".to_owned(),
        "\u{1b}]0;OWNED\u{7}\u{1b}]2;OWNED\u{1b}\\\u{9d}0;OWNED\u{9c}".to_owned(),
        "\u{1b}]8;;http://owned.example\u{1b}\\click\u{1b}]8;;\u{1b}\\".to_owned(),
        "\u{1b}]52;c;T1dORUQ=\u{7}\u{1b}]52;c;?\u{7}\u{9d}52;c;T1dORUQ=\u{9c}".to_owned(),
        "\u{1b}P1$r0m\u{1b}\\\u{1b}_Gi=1,a=T;AAAA\u{1b}\\\u{1b}^x\u{1b}\\\u{1b}Xx\u{1b}\\\u{90}q\u{9c}\u{9f}G\u{9c}"
            .to_owned(),
        "\u{1b}c\u{1b}(0\u{1b}#8\u{1b}[!p\u{1b}[?47h\u{1b}>\u{1b}7\u{e}\u{f}".to_owned(),
        "\u{202a}\u{202b}\u{202d}\u{202e}gnp.exe\u{202c}\u{2066}\u{2067}\u{2068}gnp.exe\u{2069}\u{61c}\u{200e}\u{200f}"
            .to_owned(),
        "a\u{200b}b\u{200c}c\u{200d}d\u{2060}e\u{2064}f\u{feff}g\u{ad}h\u{34f}i\u{180e}j\u{3164}k\u{ffa0}".to_owned(),
        format!("☎{}x{}", all('\u{fe00}'..='\u{fe0f}'), all('\u{e0100}'..='\u{e01ef}')),
        format!("🏴{}", all('\u{e0001}'..='\u{e007f}')),
        "\u{e000}\u{f8ff}\u{f0000}\u{10fffd}\u{e0b0}".to_owned(),
        "one\u{2028}two\u{2029}three\u{85}four\tfive\r\nsix\u{b}seven\u{c}eight\rnine".to_owned(),
        format!("z{} e{}", "\u{301}\u{327}".repeat(60), "\u{20dd}\u{488}".repeat(60)),
        format!("ก{} ה{} ☺{}", "\u{e47}\u{e49}".repeat(60), "\u{5b0}\u{591}".repeat(60), "\u{fe0f}".repeat(60)),
        format!("ᄀ{} क{}", "\u{1161}\u{11a8}".repeat(60), "\u{94d}क".repeat(60)),
        "你好世界，ｆｕｌｌ ﾊﾟﾊﾞ 한국어".to_owned(),
        "👩‍🚀👨‍👩‍👧‍👦🇩🇪🇺🇦1️⃣👍🏽☎️🏳️‍🌈".to_owned(),
        "שלום עולם مرحبا بالعالم 123 abc".to_owned(),
        "\u{fffd}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}\u{fff9}a\u{fffa}b\u{fffb}".to_owned(),
        "\u{13430}\u{1d173}\u{1bca0}\u{206a}\u{17b4}\u{115f}\u{1160}\u{2800}\u{3000}\u{a0}".to_owned(),
        r"\u001b[2J\x1b[2J%s%n&#27;[2J<b>${x}\e[2J^[[2J".to_owned(),
    ];
    let texts = texts.iter().enumerate();
    texts.map(|(at, text)| format!("{field}{at:02} {text}")).collect()
}

/// What is longer than any screen, ten thousand characters each.
pub(super) fn long(field: &str) -> Vec<String> {
    let texts = [
        "x".repeat(10_000),
        "好".repeat(10_000),
        format!("e{}", "\u{301}".repeat(10_000)),
        "\u{1b}[2J".repeat(2_500),
        "👩‍🚀".repeat(3_334),
        "word ".repeat(2_000),
    ];
    let texts = texts.iter().enumerate();
    texts
        .map(|(at, text)| format!("{field}{:02} {text}", at + 50))
        .collect()
}

/// The first of `texts`' marks that the screen shows and that is none of `seen`.
pub(super) fn unseen(screen: &str, field: &str, seen: &[String]) -> Option<String> {
    screen.match_indices(field).find_map(|(at, _)| {
        let mark = screen.get(at..at + field.len() + 2)?;
        let is_mark = mark[field.len()..].bytes().all(|byte| byte.is_ascii_digit());
        (is_mark && !seen.iter().any(|known| known == mark)).then(|| mark.to_owned())
    })
}

/// A call that has `text` in every field that takes one.
pub(super) fn call(sid: &str, text: &str) -> Value {
    let stt = json!({"engine": text, "state": text, "since": null});
    json!({
        "call_sid": sid, "account_sid": text, "customer_id": text, "from": text, "to": text, "direction": text,
        "agent": text, "dialed": text, "roles": {"inbound": "customer", "outbound": "agent"},
        "status": "in-progress", "started_at": "2026-11-22T09:00:00.000Z", "stream": "live",
        "tracks": ["inbound", "outbound", text], "node": text, "transcription": {"inbound": stt, "outbound": stt},
    })
}

/// A line that says `text`.
pub(super) fn line(seq: u64, text: &str, is_final: bool) -> Value {
    json!({"seq": seq, "at": "2026-11-22T09:00:05.000Z", "track": "inbound", "text": text, "final": is_final,
        "engine": text})
}

/// An event that says `text` in many ways.
pub(super) fn event(seq: u64, kind: &str, text: &str) -> Value {
    json!({"seq": seq, "at": "2026-11-22T09:00:05.000Z", "kind": kind,
        "detail": {"message": text, "reason": [text, {text: text}], text: text}})
}
