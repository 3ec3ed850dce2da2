//! What an `Accept` header prefers (RFC 9110, 12.5.1): the page, or what a script reads. Pure.

use http::HeaderMap;
use http::header::ACCEPT;

/// Ranges looked at in all: browsers send a dozen at most.
const MAX_RANGES: usize = 64;

/// Whether who asks would rather have HTML than JSON. Who says nothing, or likes both alike, is a script.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    quality(headers, "text", "html") > quality(headers, "application", "json")
}

/// How welcome a type is, in thousandths: by the most specific range that it is in; 0 where it is in none.
fn quality(headers: &HeaderMap, kind: &str, subtype: &str) -> u16 {
    let lists = headers.get_all(ACCEPT).iter();
    let ranges = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    let mut best = (0, 0);
    for range in ranges.take(MAX_RANGES) {
        let mut parts = range.split(';').map(str::trim);
        let Some((first, second)) = parts.next().and_then(|range| range.split_once('/')) else {
            continue;
        };
        let is = |said: &str, meant: &str| said.trim().eq_ignore_ascii_case(meant);
        let specific = match (is(first, kind), is(second, subtype)) {
            (true, true) => 3,
            (true, false) if second.trim() == "*" => 2,
            _ if first.trim() == "*" && second.trim() == "*" => 1,
            _ => continue,
        };
        // A parameter of the type (`;level=1`) is one that we do not have; what follows q is an extension.
        let mut quality = 1000;
        let mut is_ours = true;
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            if is(name, "q") {
                quality = thousandths(value.trim());
                break;
            }
            is_ours &= is(name, "charset") && is(value.trim_matches('"'), "utf-8");
        }
        if is_ours {
            best = best.max((specific, quality));
        }
    }
    best.1
}

/// `0.8` is 800; what is no weight weighs nothing.
fn thousandths(weight: &str) -> u16 {
    match weight.parse::<f32>() {
        Ok(weight @ 0.0..=1.0) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        for list in accept.split('|') {
            headers.append(ACCEPT, list.parse().unwrap());
        }
        prefers_html(&headers)
    }

    #[test]
    fn browsers_get_the_page() {
        let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
                        application/signed-exchange;v=b3;q=0.7";
        for accept in [
            chromium,
            "text/html",
            "TEXT/HTML;charset=UTF-8",
            "text/*, application/json;q=0.9",
            "application/json;q=0.1, */*",
            "*/*, application/json; q=0.999",
            "application/json;q=0|*/*",
            "application/json;q=high, text/html;q=0.001",
        ] {
            assert!(prefers(accept), "{accept}");
        }
    }

    #[test]
    fn scripts_get_json() {
        assert!(!prefers_html(&HeaderMap::new()));
        for accept in [
            "*/*",
            "application/json",
            "application/json, text/plain, */*",
            "application/json, text/html;q=0.9",
            "text/html, application/json",
            "text/html;q=0.5|application/json;q=0.6",
            "text/html;q=0, */*;q=0.1",
            "text/html;q=2",
            "text/html;level=1, application/json;q=0.1",
            "image/png",
            "text",
            "",
            ";;q=1,,/",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
    }
}
