//! A script's side of HTTP: one request, one connection, one whole answer.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use partyline_shared::twilio::form::Form;
use tokio::net::TcpStream;

use crate::wait::{SOON, within};

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{}: the body is no JSON ({e}): {}", self.status, self.text()))
    }

    /// One header, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// Fails the story unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "status; the body: {body}");
        self
    }
}

/// GET of a path with its query.
pub async fn get(addr: SocketAddr, path: &str) -> Answer {
    send(addr, Method::GET, path, &[], Bytes::new()).await
}

/// POST of a form, as Twilio sends it.
pub async fn post_form(addr: SocketAddr, path: &str, form: &Form) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    send(addr, Method::POST, path, &[kind], form.encode()).await
}

/// POST of JSON.
pub async fn post_json(addr: SocketAddr, path: &str, body: &serde_json::Value) -> Answer {
    let kind = (CONTENT_TYPE.as_str(), "application/json");
    send(addr, Method::POST, path, &[kind], body.to_string()).await
}

/// Any request; a `host` among the headers replaces the right one.
pub async fn send(
    addr: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let what = format!("the answer to {method} {path}");
    let mut request = Request::builder().method(method).uri(path);
    let map = request.headers_mut().expect("the path is a URI");
    map.insert(
        HOST,
        HeaderValue::from_str(&addr.to_string()).expect("an address is a header"),
    );
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a header's name");
        map.insert(name, value.parse().expect("a header's value"));
    }
    let request = request.body(Full::new(body.into())).expect("the request is one");
    let whole = async {
        let stream = TcpStream::connect(addr)
            .await
            .map_err(|e| format!("connecting: {e}"))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| e.to_string())?;
        let pump = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        pump.abort();
        Ok::<_, String>(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    };
    within(SOON, &what, whole)
        .await
        .unwrap_or_else(|e| panic!("{what}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};

    /// A server of one request, which it gives back.
    async fn once(answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let mut filled = 0;
            while !request[..filled].ends_with(b"x=%2B1") && !request[..filled].ends_with(b"\r\n\r\n") {
                filled += stream.read(&mut request[filled..]).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request[..filled].to_vec()).unwrap()
        });
        (addr, server)
    }

    #[tokio::test]
    async fn an_answer_arrives_whole() {
        let (addr, server) =
            once("HTTP/1.1 404 Not Found\r\nx-kind: odd\r\ncontent-length: 9\r\n\r\n{\"a\": 1}\n").await;
        let answer = get(addr, "/path?q=1").await.expect(404);
        assert_eq!(
            (answer.header("X-Kind"), answer.json()["a"].as_i64()),
            ("odd", Some(1))
        );
        let request = server.await.unwrap().to_lowercase();
        assert!(request.starts_with("get /path?q=1 http/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("host: {addr}\r\n")), "{request}");
    }

    #[tokio::test]
    async fn a_form_is_posted_as_twilio_does() {
        let (addr, server) = once("HTTP/1.1 204 No Content\r\n\r\n").await;
        let form = Form::from_pairs([("x", "+1")]);
        post_form(addr, "/twilio/status", &form).await.expect(204);
        let request = server.await.unwrap();
        assert!(request.contains("application/x-www-form-urlencoded"), "{request}");
        assert!(request.ends_with("\r\n\r\nx=%2B1"), "{request}");
    }

    #[tokio::test]
    #[should_panic(expected = "the answer to GET /: connecting")]
    async fn nobody_there_is_said() {
        // Bound, and nobody listens at it: nobody else is given the port meanwhile.
        let held = TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = held.local_addr().unwrap();
        get(addr, "/").await;
    }
}
