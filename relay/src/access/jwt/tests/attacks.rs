//! Tokens that somebody made who may not.

use serde_json::{Value, json};

use super::forge::{Signer, claims, encode, header};
use super::{Scratch, key_set, now, running, settings, with_keys};
use crate::access::jwt::refused::Refused;
use crate::access::jwt::{Jwt, MAX_TOKEN};

const SECRET: &[u8] = b"thirty-two bytes and a few more of them";

struct Login {
    rsa: Signer,
    p256: Signer,
    ed25519: Signer,
    jwt: std::sync::Arc<Jwt>,
}

fn login() -> Login {
    let (rsa, p256, ed25519) = (Signer::rsa(), Signer::p256(), Signer::ed25519());
    let keys = [rsa.jwk("rsa"), p256.jwk("ec"), ed25519.jwk("ed")];
    let secret = Scratch::new([SECRET, b"\n"].concat());
    let jwt = running(settings(&Scratch::new(key_set(&keys)), Some(&secret)));
    Login {
        rsa,
        p256,
        ed25519,
        jwt,
    }
}

#[tokio::test]
async fn each_algorithm_is_taken_by_its_own_kind_of_key_and_by_no_other() {
    let Login {
        rsa,
        p256,
        ed25519,
        jwt,
    } = login();
    let secret = Signer::secret(SECRET);
    let signers = [("rsa", &rsa), ("ec", &p256), ("ed", &ed25519), ("any", &secret)];
    let algs = [
        ("RS256", "rsa"),
        ("PS256", "rsa"),
        ("ES256", "ec"),
        ("EdDSA", "ed"),
        ("Ed25519", "ed"),
        ("HS256", "any"),
    ];
    for (alg, right) in algs {
        for (by, signer) in signers {
            for (kid, _) in signers {
                let token = signer.token(&header(alg, kid), &claims());
                let taken = jwt.verify(&token, now()).await.is_some();
                // The secret has no name, so every name will do.
                let expected = by == right && (kid == right || alg == "HS256");
                assert_eq!(taken, expected, "{alg} by {by} as {kid}");
            }
        }
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_each_for_its_reason() {
    let Login {
        rsa,
        p256,
        ed25519,
        jwt,
    } = login();
    let stranger = Signer::other_rsa();
    let good = rsa.token(&header("RS256", "rsa"), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let mut admin = claims();
    admin["partyline"]["role"] = json!("admin");
    let with = |name: &str, value: Value| {
        let mut header = header("RS256", "rsa");
        header[name] = value;
        header
    };
    let none = |alg: &str| format!("{}.{payload}.", encode(header(alg, "rsa").to_string()));
    let as_secret = |bytes: Vec<u8>, kid: &str| Signer::secret(bytes).token(&header("HS256", kid), &claims());
    let jwk_text = rsa.jwk("rsa").to_string().into_bytes();
    let zeros = |length: usize| format!("{head}.{payload}.{}", encode(vec![0; length]));
    let under =
        |signature: &str, header: Value| format!("{}.{payload}.{signature}", encode(header.to_string()));

    let attacks: Vec<(&str, String, Refused)> = vec![
        // No signature, or one that is none.
        ("none", none("none"), Refused::Algorithm),
        ("None", none("None"), Refused::Algorithm),
        ("NONE", none("NONE"), Refused::Algorithm),
        ("nOnE", none("nOnE"), Refused::Algorithm),
        ("empty alg", none(""), Refused::Algorithm),
        ("rs256", none("rs256"), Refused::Algorithm),
        ("no signature", format!("{message}."), Refused::Signature),
        ("zeros", zeros(256), Refused::Signature),
        ("one zero", zeros(1), Refused::Signature),
        (
            "zeros as ES256",
            under(&encode([0; 64]), header("ES256", "ec")),
            Refused::Signature,
        ),
        (
            "zeros as EdDSA",
            under(&encode([0; 64]), header("EdDSA", "ed")),
            Refused::Signature,
        ),
        (
            "nothing as HS256",
            under("", header("HS256", "rsa")),
            Refused::Signature,
        ),
        // A public key as if it were a secret.
        (
            "HS256, RSA key",
            as_secret(rsa.public(), "rsa"),
            Refused::Signature,
        ),
        (
            "HS256, EC point",
            as_secret(p256.public(), "ec"),
            Refused::Signature,
        ),
        (
            "HS256, Ed25519 key",
            as_secret(ed25519.public(), "ed"),
            Refused::Signature,
        ),
        ("HS256, the JWK", as_secret(jwk_text, "rsa"), Refused::Signature),
        (
            "HS256, no secret",
            as_secret(Vec::new(), "rsa"),
            Refused::Signature,
        ),
        (
            "HS256, the secret with its line's end",
            as_secret([SECRET, b"\n"].concat(), "x"),
            Refused::Signature,
        ),
        // Another's key, or another of ours.
        (
            "a stranger's",
            stranger.token(&header("RS256", "rsa"), &claims()),
            Refused::Signature,
        ),
        (
            "a stranger's as PS256",
            stranger.token(&header("PS256", "rsa"), &claims()),
            Refused::Signature,
        ),
        (
            "RS256 called PS256",
            under(signature, header("PS256", "rsa")),
            Refused::Signature,
        ),
        (
            "of another kind",
            rsa.token(&header("RS256", "ec"), &claims()),
            Refused::KeyMismatch,
        ),
        (
            "of an unknown name",
            rsa.token(&header("RS256", "RSA"), &claims()),
            Refused::UnknownKey,
        ),
        (
            "of no name",
            rsa.token(&header("RS256", ""), &claims()),
            Refused::UnknownKey,
        ),
        (
            "its own key in the header",
            stranger.token(&with("jwk", stranger.jwk("rsa")), &claims()),
            Refused::Signature,
        ),
        (
            "a key elsewhere",
            stranger.token(&with("jku", json!("http://127.0.0.1:1/")), &claims()),
            Refused::Signature,
        ),
        // Altered after it was signed.
        (
            "made admin",
            format!("{head}.{}.{signature}", encode(admin.to_string())),
            Refused::Signature,
        ),
        (
            "a byte less",
            good[..good.len() - 2].to_owned(),
            Refused::Signature,
        ),
        // Signed, but not as a token to be let in by.
        (
            "a logout",
            rsa.token(&with("typ", json!("logout+jwt")), &claims()),
            Refused::Type,
        ),
        (
            "a proof of possession",
            rsa.token(&with("typ", json!("dpop+jwt")), &claims()),
            Refused::Type,
        ),
        (
            "must understand",
            rsa.token(&with("crit", json!(["b64"])), &claims()),
            Refused::Critical,
        ),
        (
            "RS512",
            rsa.token(&header("RS512", "rsa"), &claims()),
            Refused::Algorithm,
        ),
        // No token.
        ("nothing", String::new(), Refused::Malformed),
        ("dots", "..".to_owned(), Refused::Malformed),
        ("two parts", message.to_owned(), Refused::Malformed),
        ("four parts", format!("{good}.{signature}"), Refused::Malformed),
        ("five parts", format!("{good}.a.b"), Refused::Malformed),
        ("padded", format!("{good}="), Refused::Malformed),
        ("a space before", format!(" {good}"), Refused::Malformed),
        ("a line's end after", format!("{good}\n"), Refused::Malformed),
        (
            "standard base64",
            format!("{message}.+/{signature}"),
            Refused::Malformed,
        ),
        ("not ASCII", format!("{message}.é"), Refused::Malformed),
        ("header no JSON", rsa.raw("alg", "{}"), Refused::Malformed),
        ("header a list", rsa.raw("[]", "{}"), Refused::Malformed),
        ("header without alg", rsa.raw("{}", "{}"), Refused::Malformed),
        ("alg no text", rsa.raw(r#"{"alg":256}"#, "{}"), Refused::Malformed),
        (
            "two algs",
            rsa.raw(
                r#"{"alg":"RS256","alg":"none","kid":"rsa"}"#,
                &claims().to_string(),
            ),
            Refused::Malformed,
        ),
        (
            "a long kid",
            rsa.token(&header("RS256", &"k".repeat(257)), &claims()),
            Refused::Malformed,
        ),
        (
            "deep",
            rsa.raw(
                &format!(r#"{{"alg":"RS256","kid":"rsa","x":{}"#, "[".repeat(2_000)),
                "{}",
            ),
            Refused::Malformed,
        ),
        (
            "giant",
            format!("{good}{}", "A".repeat(MAX_TOKEN)),
            Refused::TooLong,
        ),
        ("a byte over", "a".repeat(MAX_TOKEN + 1), Refused::TooLong),
    ];
    for (what, token, reason) in &attacks {
        let refused = jwt.check(token, now()).await.map(|taken| taken.name);
        assert_eq!(refused, Err(*reason), "{what}");
    }
    for (what, token, reason) in attacks {
        let before = jwt.totals();
        assert!(jwt.verify(&token, now()).await.is_none(), "{what}");
        let counted: Vec<_> = jwt
            .totals()
            .iter()
            .zip(&before)
            .filter(|(now, then)| now != then && !now.0.starts_with("jwt_key_look"))
            .map(|(now, then)| (now.0, now.1 - then.1))
            .collect();
        assert_eq!(counted, [(reason.name(), 1)], "{what}");
    }
    assert!(jwt.verify(&good, now()).await.is_some(), "and this one is good");
}

#[tokio::test]
async fn a_token_that_names_no_key_is_taken_only_where_one_can_be_meant() {
    let (rsa, other, p256) = (Signer::rsa(), Signer::other_rsa(), Signer::p256());
    let nameless = json!({"alg": "RS256"});
    let token = rsa.token(&nameless, &claims());
    let one = with_keys(&[rsa.jwk("a"), p256.jwk("b")]);
    assert!(one.verify(&token, now()).await.is_some());
    let two = with_keys(&[rsa.jwk("a"), other.jwk("b")]);
    assert_eq!(
        two.check(&token, now()).await.map(|taken| taken.name),
        Err(Refused::UnknownKey)
    );
}

#[tokio::test]
async fn without_a_secret_no_secret_is_taken_and_without_a_key_set_no_key() {
    let (rsa, secret) = (Signer::rsa(), Signer::secret(SECRET));
    let by_key = rsa.token(&header("RS256", "rsa"), &claims());
    let by_secret = secret.token(&header("HS256", "rsa"), &claims());
    let keys = with_keys(&[rsa.jwk("rsa"), secret.jwk("rsa")]);
    assert!(keys.verify(&by_key, now()).await.is_some());
    assert_eq!(
        keys.check(&by_secret, now()).await.map(|taken| taken.name),
        Err(Refused::Algorithm)
    );
    let file = Scratch::new(SECRET);
    let only = Jwt::new(super::Settings {
        secret_file: Some(file.0.clone()),
        ..Default::default()
    });
    let only = only.unwrap();
    assert!(only.verify(&by_secret, now()).await.is_some());
    assert_eq!(
        only.check(&by_key, now()).await.map(|taken| taken.name),
        Err(Refused::Algorithm)
    );
}
