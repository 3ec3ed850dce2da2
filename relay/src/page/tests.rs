//! The page's files and headers.

use std::path::Path;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::*;

fn on_disk(folder: &Path, below: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            on_disk(&entry.path(), &format!("{name}/"), found);
        } else if name != "index.html" {
            found.push(name);
        }
    }
}

#[test]
fn each_file_of_the_folder_is_in_the_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/monitoring");
    let mut found = Vec::new();
    on_disk(Path::new(folder), "", &mut found);
    let mut built_in = files::names();
    built_in.sort_unstable();
    found.sort_unstable();
    assert_eq!(built_in, found);
}

#[test]
fn what_a_file_asks_for_is_there() {
    let texts = files::names().into_iter().filter(|name| name.ends_with(".js"));
    for name in texts {
        let text = std::str::from_utf8(files::find(name).unwrap().bytes).unwrap();
        let imports = text.split(" from ").skip(1).filter_map(|rest| {
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            rest.get(1..)?
                .split(quote)
                .next()
                .filter(|from| from.starts_with('.'))
        });
        for from in imports {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let asked = match from.strip_prefix("../") {
                Some(above) => above.to_owned(),
                None => format!("{folder}/{}", from.trim_start_matches("./")),
            };
            let asked = asked.trim_start_matches('/');
            assert!(files::find(asked).is_some(), "{name} imports {asked}");
        }
    }
    let page = std::str::from_utf8(files::PAGE).unwrap();
    let asked: Vec<&str> = page.split("/calls_monitoring/assets/").skip(1).collect();
    assert!(asked.len() > 2);
    for rest in asked {
        let name = rest.split('"').next().unwrap();
        assert!(files::find(name).is_some(), "the page asks for {name}");
    }
}

#[test]
fn nothing_inline_is_in_the_page() {
    let page = std::str::from_utf8(files::PAGE).unwrap();
    for inline in [" style=", "<style", " onclick=", "javascript:", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
}

#[test]
fn a_file_is_sent_once_and_then_only_said_to_be_the_same() {
    let first = file("main.js", &HeaderMap::new()).unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(first.headers()[CACHE_CONTROL], "no-cache");
    assert_eq!(first.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    let tag = first.headers()[ETAG].to_str().unwrap();
    for known in [
        tag.to_owned(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let asked = HeaderMap::from_iter([(IF_NONE_MATCH, known.parse().unwrap())]);
        let again = file("main.js", &asked).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(again.headers()[ETAG], tag);
        assert!(again.headers().get(CONTENT_LENGTH).is_none());
    }
    let other = HeaderMap::from_iter([(IF_NONE_MATCH, "\"other\"".parse().unwrap())]);
    assert_eq!(file("main.js", &other).unwrap().status(), StatusCode::OK);
}

#[test]
fn no_other_file_is_to_be_had() {
    for name in [
        "",
        "index.html",
        "../relay.toml",
        "view",
        "view/",
        "MAIN.js",
        "view//list.js",
    ] {
        assert!(file(name, &HeaderMap::new()).is_err(), "{name}");
    }
}
