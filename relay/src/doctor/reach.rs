//! Whether the public URL leads to this very relay, as Twilio comes to it: a name, a certificate, a webhook that is
//! signed, and a WebSocket that is. The relay that listens here is asked for its name by a signed request, and so is
//! whoever answers at the public URL: they are one where both say the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use partyline_shared::twilio::form::Form;

use crate::config::{Config, Origin};
use crate::twilio::door::WHO;
use crate::twilio::signature;

use super::ask::{Answer, Target, Unasked, ask};
use super::certificate;
use super::verdict::Verdict;

const URL: &str = "public URL";
const WEBHOOK: &str = "webhook";
const SOCKET: &str = "WebSocket";

pub(super) async fn look(config: &Config) -> Vec<Verdict> {
    let Some(origin) = &config.public_url else {
        let found = "there is none: Twilio cannot reach this relay";
        return vec![Verdict::warn(
            URL,
            found,
            "give --public-url https://HOST when it is to",
        )];
    };
    let target = Target::of(origin);
    let mut verdicts = Vec::new();
    match ask(&target, Method::GET, "/healthz", &[], String::new()).await {
        Err(error) => return vec![unreached(origin, &error)],
        Ok(answer) => {
            verdicts.extend(answer.certificate.as_ref().and_then(certificate::shown));
            verdicts.push(healthy(origin, &answer));
        }
    }
    let Some(token) = token(config) else {
        let found = "without a Twilio token nothing can be signed";
        let fix = "give one: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN";
        verdicts.push(Verdict::warn(WEBHOOK, found, fix));
        return verdicts;
    };
    let here = who(config, origin, local(config), &token).await;
    let there = who(config, origin, Some(target), &token).await;
    verdicts.push(same(config, origin, here, there));
    verdicts.push(socket(origin, &token).await);
    verdicts
}

/// The first token that there is, and the account that it is for.
fn token(config: &Config) -> Option<(Option<String>, String)> {
    let (account, token) = config.accounts.all().next()?;
    Some((account.map(str::to_owned), token.expose().to_owned()))
}

/// Where this relay listens, seen from this machine; `None` where nobody can know.
fn local(config: &Config) -> Option<Target> {
    let mut at = config.listen;
    if at.port() == 0 {
        return None;
    }
    match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => at.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => at.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let origin = config.public_url.as_ref()?;
    Some(Target::of(origin).here(SocketAddr::new(at.ip(), at.port()), config.tls.is_some()))
}

/// What whoever answers there calls itself; `None` where nobody can be asked.
async fn who(
    config: &Config,
    origin: &Origin,
    target: Option<Target>,
    (account, token): &(Option<String>, String),
) -> Option<Result<String, String>> {
    let target = target?;
    // Another each time: what somebody remembered is no answer.
    let nonce = format!("{:032x}", rand::random::<u128>());
    let mut fields = vec![("Nonce", nonce.as_str())];
    fields.extend(account.as_deref().map(|account| ("AccountSid", account)));
    let form = Form::from_pairs(fields.iter().copied());
    let signed = signature::sign(token, &format!("{origin}{WHO}"), &form);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        (signature::HEADER, signed.as_str()),
    ];
    let answer = match ask(&target, Method::POST, WHO, &headers, form.encode()).await {
        Ok(answer) => answer,
        Err(error) => return Some(Err(error.to_string())),
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let text = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    Some(match (answer.status, text("node"), text("nonce")) {
        (StatusCode::OK, Some(node), Some(echoed)) if echoed == nonce => Ok(node),
        (StatusCode::FORBIDDEN, ..) if !config.insecure => Err("it does not take our signature".to_owned()),
        (status, ..) => Err(format!("it answers {status}, and not as a relay does")),
    })
}

fn same(
    config: &Config,
    origin: &Origin,
    here: Option<Result<String, String>>,
    there: Option<Result<String, String>>,
) -> Verdict {
    let listen = config.listen;
    match (here, there) {
        (Some(Ok(here)), Some(Ok(there))) if here == there => Verdict::ok(
            WEBHOOK,
            format!("{origin} is the relay at {listen}, and takes what is signed"),
        ),
        (Some(Ok(_)), Some(Ok(_))) => Verdict::fail(
            WEBHOOK,
            format!("another relay than the one at {listen} answers at {origin}"),
            "lead the name, or the proxy behind it, to this one",
        ),
        (_, Some(Err(why))) => Verdict::fail(
            WEBHOOK,
            format!("{origin}{WHO}: {why}"),
            format!(
                "lead {origin} to the relay at {listen}, path and query unchanged, with the same Twilio token and --public-url"
            ),
        ),
        (Some(Err(why)), Some(Ok(_))) => Verdict::fail(
            WEBHOOK,
            format!("a relay with our token answers at {origin}, and none at {listen}: {why}"),
            "start the relay with this configuration, or give the doctor that of the one that runs",
        ),
        (None, Some(Ok(_))) => Verdict::warn(
            WEBHOOK,
            format!(
                "a relay with our token answers at {origin}; whether it is this one cannot be asked at {listen}"
            ),
            "give --listen a port other than 0",
        ),
        (_, None) => Verdict::warn(WEBHOOK, "nobody was asked", "give --public-url"),
    }
}

/// The handshake as Twilio's media servers make it; nothing is said behind it.
async fn socket(origin: &Origin, (_, token): &(Option<String>, String)) -> Verdict {
    let url = format!("wss://{}/cable", origin.authority());
    let signed = signature::sign(token, &url, &Form::default());
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    let headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key.as_str()),
        (signature::HEADER, signed.as_str()),
    ];
    let answer = ask(
        &Target::of(origin),
        Method::GET,
        "/cable",
        &headers,
        String::new(),
    )
    .await;
    let why = match answer {
        Ok(answer) if answer.status == StatusCode::SWITCHING_PROTOCOLS => {
            return Verdict::ok(SOCKET, format!("{url} opens"));
        }
        Ok(answer) => format!("it answers {}", answer.status),
        Err(error) => error.to_string(),
    };
    let fix = "have the proxy hand on WebSocket upgrades (HTTP/1.1, the headers Upgrade and Connection) to the relay; \
               assets/proxy shows how";
    Verdict::fail(SOCKET, format!("{url} does not open: {why}"), fix)
}

fn healthy(origin: &Origin, answer: &Answer) -> Verdict {
    if answer.status == StatusCode::OK {
        Verdict::ok(URL, format!("{origin} answers from here"))
    } else {
        let found = format!("{origin}/healthz answers {}, not 200", answer.status);
        Verdict::fail(
            URL,
            found,
            "lead every path of that name to the relay, and start it",
        )
    }
}

fn unreached(origin: &Origin, error: &Unasked) -> Verdict {
    let found = format!("{origin}: {error}");
    match error {
        Unasked::Name(_) => Verdict::fail(
            URL,
            found,
            "set a DNS record of that name to this machine, or to its proxy",
        ),
        Unasked::Connect(_) => Verdict::fail(
            URL,
            found,
            "start the relay or its proxy, and let that port in at the firewall",
        ),
        Unasked::Tls(_) => Verdict::fail(
            certificate::WHAT,
            found,
            "serve a certificate for that very name, with those that vouch for it (the whole chain), from an \
             authority that is known; for one of your own set SSL_CERT_FILE here, but Twilio will not take it",
        ),
        Unasked::Trust(_) => Verdict::fail(certificate::WHAT, found, "install ca-certificates"),
        Unasked::Http(_) | Unasked::Body | Unasked::Request => {
            Verdict::fail(URL, found, "lead the name to the relay")
        }
    }
}
