//! Who we are to Redis, and whom we believe: passwords, ACL users, certificates. None of it is ever printed.

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::tls::tests_support::{Folder, made};

const CANARY: &str = "canary5ecret";

/// What the README says that a user needs.
const RULE: &str = "on resetpass >canary5ecret resetkeys ~partyline:v1:* resetchannels &partyline:v1:* -@all +@read +@write +@pubsub +@scripting +@connection +time +select -@dangerous";

static KINDS: Script = Script::new(
    "local p = ARGV[1]
     local now = redis.call('TIME')
     redis.call('ZADD', p .. 'z', now[1], 'a')
     redis.call('HSET', p .. 'h', 'f', '1')
     redis.call('HINCRBY', p .. 'h', 'f', 1)
     redis.call('XADD', p .. 's', 'MAXLEN', '~', 100, '*', 'k', 'l')
     redis.call('XDEL', p .. 's', '1-1')
     redis.call('SET', p .. 'k', '1', 'NX', 'PX', 10000)
     redis.call('PEXPIRE', p .. 'z', 10000)
     redis.call('ZREMRANGEBYRANK', p .. 'z', 0, -2000)
     redis.call('PUBLISH', p .. 'changes', 'told')
     local found = {#redis.call('ZRANGEBYSCORE', p .. 'z', 0, '+inf', 'WITHSCORES'), #redis.call('HGETALL', p .. 'h'),
         #redis.call('XRANGE', p .. 's', '-', '+')}
     redis.call('DEL', p .. 'z', p .. 'h', p .. 's', p .. 'k')
     return found",
);

#[tokio::test]
async fn a_user_with_only_what_is_needed_is_enough() {
    let redis = Redis::start();
    let mut admin = redis.admin().await;
    let mut user = cmd("ACL");
    user.arg("SETUSER")
        .arg("relay")
        .arg(RULE.split(' ').collect::<Vec<_>>());
    user.exec_async(&mut admin).await.unwrap();
    let running = Running::start(Settings {
        user: Some("relay".to_owned()),
        password: Some(CANARY.to_owned()),
        db: 3,
        ..redis.settings()
    });
    let broker = &running.broker;
    running.up().await;
    let found = broker.script(&KINDS, &[]).await.unwrap();
    assert_eq!(
        found,
        Value::Array(vec![Value::Int(2), Value::Int(2), Value::Int(1)])
    );
    until(&running, "changes", b"told").await;
    broker.publish_audio("audio:me", b"a").await.unwrap();
    // What is others' is not ours.
    for refused in [
        cmd("SET").arg("other").arg(1).clone(),
        cmd("PUBLISH").arg("other").arg(1).clone(),
        cmd("FLUSHALL"),
        cmd("KEYS").arg("*").clone(),
    ] {
        let Err(Failed::Refused(no)) = broker.command(refused).await else {
            panic!("nobody may");
        };
        assert_eq!(no.code(), "NOPERM");
        assert!(!format!("{no:?} {no}").contains("relay"));
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it_and_a_right_one_is_taken_later() {
    let redis = Redis::start();
    let mut admin = redis.admin().await;
    let mut user = cmd("ACL");
    user.arg("SETUSER")
        .arg("somebody")
        .arg("on")
        .arg(">another")
        .arg("~*")
        .arg("&*")
        .arg("+@all");
    user.exec_async(&mut admin).await.unwrap();
    let settings = Settings {
        user: Some("somebody".to_owned()),
        password: Some(CANARY.to_owned()),
        ..redis.settings()
    };
    let running = Running::start(settings.clone());
    let link = running
        .link(|link| link.why == "it does not take our user and password")
        .await;
    assert_eq!((link.up, link.generation), (false, 0));
    for print in [format!("{settings:?}"), format!("{:#?}", running.broker)] {
        assert!(!print.contains(CANARY) && !print.contains("somebody"), "{print}");
    }
    let mut user = cmd("ACL");
    user.arg("SETUSER").arg("somebody").arg(format!(">{CANARY}"));
    user.exec_async(&mut admin).await.unwrap();
    running.up().await;
    // One who may not hear is told so, and not let half in.
    let mut deaf = cmd("ACL");
    deaf.arg("SETUSER").arg("somebody").arg("resetchannels");
    deaf.exec_async(&mut admin).await.unwrap();
    running
        .link(|link| link.why == "it does not let us hear its channels")
        .await;
}

fn believing(pem: &str) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    Some(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// One that speaks TLS alone, by a certificate for `name` or else for its address; with its authority's.
fn speaking_tls(name: Option<&str>) -> (Redis, String, Folder) {
    let folder = Folder::new();
    let mut authority = String::new();
    let redis = Redis::with(|at| {
        let made = made(&[name.unwrap_or(&at.to_string())], 2400);
        folder.write(&made);
        authority = made.authority;
        let files = folder.files();
        let cert = ["--tls-cert-file", &files.cert.display().to_string()].map(str::to_owned);
        let key = ["--tls-key-file", &files.key.display().to_string()].map(str::to_owned);
        let port = ["--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"].map(str::to_owned);
        [&port[..], &cert, &key].concat()
    });
    (redis, authority, folder)
}

#[tokio::test]
async fn over_tls_the_certificate_has_to_be_trusted_and_of_that_name() {
    let (redis, authority, _folder) = speaking_tls(None);
    let settings = Settings {
        secure: true,
        trust: believing(&authority),
        ..redis.settings()
    };
    let running = Running::start(settings.clone());
    running.up().await;
    let broker = &running.broker;
    broker.command(set(broker, "x", "1")).await.unwrap();
    broker.publish_audio("audio:me", b"a").await.unwrap();
    until(&running, "audio:me", b"a").await;

    let stranger = made(&["localhost"], 2400).authority;
    let (other, others, _folder) = speaking_tls(Some("redis.example"));
    let plain = Redis::start();
    for (settings, why) in [
        (
            Settings {
                trust: believing(&stranger),
                ..settings.clone()
            },
            "it cannot be trusted",
        ),
        (
            Settings {
                host: other.at.to_string(),
                trust: believing(&others),
                ..settings.clone()
            },
            "it cannot be trusted",
        ),
        (
            Settings {
                host: plain.at.to_string(),
                ..settings.clone()
            },
            "it does not speak TLS",
        ),
        (
            Settings {
                secure: false,
                ..settings.clone()
            },
            "it hangs up",
        ),
    ] {
        let running = Running::start(settings);
        let link = running.link(|link| link.why != "not connected yet").await;
        assert_eq!((link.why, link.up), (why, false));
    }
}

#[test]
fn a_host_without_a_name_for_tls_is_refused_at_once() {
    let settings = Settings {
        secure: true,
        host: "no name".to_owned(),
        port: 1,
        db: 0,
        user: None,
        password: None,
        prefix: "p".to_owned(),
        node: "n".to_owned(),
        trust: None,
    };
    let refused = Broker::new(settings, Arc::default()).unwrap_err();
    assert!(refused.to_string().contains("`no name`"), "{refused}");
}

#[tokio::test]
async fn a_look_says_what_a_redis_is_and_what_our_user_may_not_do() {
    let redis = Redis::start();
    let mut admin = redis.admin().await;
    let found = examine::examine(&redis.settings()).await.unwrap();
    assert!(
        found.version.starts_with("redis ") && found.is_new_enough,
        "{found:?}"
    );
    assert_eq!((found.refused, found.evicts), (Vec::new(), None));
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut admin).await.unwrap();
    assert_eq!(keys, Vec::<String>::new(), "a look leaves nothing");

    for config in [["maxmemory", "100mb"], ["maxmemory-policy", "allkeys-lru"]] {
        let set = cmd("CONFIG").arg("SET").arg(&config).clone();
        set.exec_async(&mut admin).await.unwrap();
    }
    let found = examine::examine(&redis.settings()).await.unwrap();
    assert_eq!(found.evicts.as_deref(), Some("allkeys-lru"));

    let settings = Settings {
        user: Some("relay".to_owned()),
        password: Some(CANARY.to_owned()),
        ..redis.settings()
    };
    for (without, missing) in [
        ("", &[][..]),
        ("-@scripting", &["+@scripting"]),
        ("-time", &["+time"]),
        ("-publish", &["+@pubsub"]),
        ("resetchannels", &["+@pubsub"]),
        ("resetkeys", &["+@read", "+@write"]),
    ] {
        let mut user = cmd("ACL");
        user.arg("SETUSER").arg("relay").arg("reset");
        user.arg(RULE.split(' ').collect::<Vec<_>>());
        if !without.is_empty() {
            user.arg(without);
        }
        user.exec_async(&mut admin).await.unwrap();
        let found = examine::examine(&settings).await.unwrap();
        let mut rules: Vec<&str> = found.refused.iter().map(|(rule, _)| *rule).collect();
        rules.dedup();
        assert_eq!(rules, missing, "{without}: {found:?}");
        assert_eq!(found.evicts, None, "it may not know");
    }
    let nobody = Settings {
        user: Some("nobody".to_owned()),
        ..settings
    };
    let no = examine::examine(&nobody).await.unwrap_err();
    assert_eq!(no.why, "it does not take our user and password");
    assert!(!format!("{no:?}").contains("nobody"));
}
