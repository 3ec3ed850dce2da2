//! A login's server on loopback: publishes keys, changes them, and fails in all the ways that servers do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_util::task::AbortOnDropHandle;

use super::key_set;
use crate::fetch;

#[derive(Clone)]
pub(super) enum Answers {
    Keys(Vec<Value>),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Takes the request and says nothing.
    Nothing,
    /// A head, and then a byte a second for ever.
    Drips,
    /// A body without end and without a length.
    TooMuch,
    /// Closes at once.
    Closes,
}

pub(super) struct Provider {
    answers: Arc<Mutex<Answers>>,
    asked: watch::Receiver<u32>,
    url: String,
    /// Trusts this server alone, where it speaks TLS.
    pub(super) trust: Option<Arc<ClientConfig>>,
    _task: AbortOnDropHandle<()>,
}

impl Provider {
    pub(super) async fn start(answers: Answers) -> Provider {
        Provider::serve(answers, None).await
    }

    /// With a certificate of its own for `localhost`.
    pub(super) async fn start_tls(answers: Answers) -> Provider {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        Provider::serve(answers, Some((cert.der().clone(), key))).await
    }

    async fn serve(
        answers: Answers,
        tls: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}/keys?canary=1"),
            None => format!("http://127.0.0.1:{port}/keys?canary=1"),
        };
        let trust = tls.as_ref().map(|(cert, _)| {
            let mut roots = RootCertStore::empty();
            roots.add(cert.clone()).unwrap();
            fetch::trusting(roots).unwrap()
        });
        let acceptor = tls.map(|(cert, key)| {
            let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![cert], key);
            TlsAcceptor::from(Arc::new(config.unwrap()))
        });
        let answers = Arc::new(Mutex::new(answers));
        let (count, asked) = watch::channel(0);
        let theirs = answers.clone();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                count.send_modify(|count| *count += 1);
                let answers = theirs.lock().unwrap().clone();
                match acceptor.clone() {
                    Some(acceptor) => {
                        open.spawn(async move {
                            if let Ok(tls) = acceptor.accept(tcp).await {
                                answer(tls, answers).await;
                            }
                        });
                    }
                    None => {
                        open.spawn(answer(tcp, answers));
                    }
                }
            }
        });
        Provider {
            answers,
            asked,
            url,
            trust,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    pub(super) fn now_answers(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    /// How often it was connected to.
    pub(super) fn asked(&self) -> u32 {
        *self.asked.borrow()
    }

    /// Waits until it was connected to `times` more.
    pub(super) async fn asked_again(&self, times: u32) {
        let from = self.asked();
        let mut asked = self.asked.clone();
        asked.wait_for(|asked| *asked >= from + times).await.unwrap();
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answers: Answers) {
    let mut head = Vec::new();
    if matches!(answers, Answers::Closes) {
        return;
    }
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    assert!(head.starts_with(b"GET /keys?canary=1 HTTP/1.1\r\n"));
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let bytes = match answers {
        Answers::Keys(ref keys) => {
            let body = key_set(keys);
            format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        }
        Answers::Raw(ref bytes) => bytes.clone(),
        _ => format!("{HEAD}\r\n").into_bytes(),
    };
    // Who has heard enough goes away, which is no fault of the server's.
    let _ = async {
        match answers {
            Answers::Nothing => std::future::pending().await,
            Answers::Drips => {
                stream.write_all(&bytes).await?;
                loop {
                    stream.write_all(b" ").await?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Answers::TooMuch => {
                stream.write_all(&bytes).await?;
                loop {
                    stream.write_all(&[b' '; 4096]).await?;
                }
            }
            _ => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await
            }
        }
    }
    .await;
}
