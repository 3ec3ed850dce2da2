//! Twilio's REST API in Twilio's place: takes only what is documented, answers as Twilio does, and where a stream is
//! asked for, opens it to the relay as Twilio would.

mod answers;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ::http::{Method, Request, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use partyline_relay::twilio::signature;
use partyline_shared::twilio::form::Form;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::media::MediaSocket;
use crate::signed::TOKEN;
use crate::twilio::{ACCOUNT, new_sid};
use crate::wait::{SOON, within};

pub use answers::{App, Number, RestCall};

/// Streams that may wait for their story.
const STREAMS: usize = 64;
/// Calls on one page of a list, so that few calls make several.
const PAGE: usize = 2;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Below the account: `Calls/CA…/Streams.json`.
    pub resource: String,
    /// What was posted, or the query.
    pub form: Form,
}

/// A stream that was asked for and is open.
pub struct Opened {
    /// Its socket; `connected` and `start` have been said.
    pub stream: MediaSocket,
    /// What `start` carried.
    pub parameters: Vec<(String, String)>,
}

#[derive(Default)]
struct Inner {
    calls: BTreeMap<String, RestCall>,
    numbers: Vec<Number>,
    apps: Vec<App>,
    /// Answers to the next requests for a stream, instead of the right ones.
    failures: VecDeque<(u16, Value)>,
    /// Streams are granted and never opened, so many times.
    withheld: u32,
    token: String,
    asked: Vec<Asked>,
}

/// The stand-in; it is gone when dropped.
pub struct Rest {
    addr: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    relay: watch::Sender<Option<SocketAddr>>,
    streams: mpsc::Receiver<Opened>,
    news: watch::Receiver<usize>,
    /// No answer is given while this is so.
    holds: watch::Sender<bool>,
    /// Requests that wait for their answer, and the most that ever did.
    waiting: Arc<watch::Sender<(usize, usize)>>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    relay: watch::Receiver<Option<SocketAddr>>,
    streams: mpsc::Sender<Opened>,
    news: Arc<watch::Sender<usize>>,
    held: watch::Receiver<bool>,
    waiting: Arc<watch::Sender<(usize, usize)>>,
}

impl Rest {
    /// Starts one on a free port, that knows the account and its token.
    pub async fn start() -> Rest {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let inner = Arc::new(Mutex::new(Inner {
            token: TOKEN.to_owned(),
            ..Inner::default()
        }));
        let (relay, aimed) = watch::channel(None);
        let (opened, streams) = mpsc::channel(STREAMS);
        let (tell, news) = watch::channel(0);
        let (holds, held) = watch::channel(false);
        let waiting = Arc::new(watch::channel((0, 0)).0);
        let shared = Shared {
            inner: inner.clone(),
            relay: aimed,
            streams: opened,
            news: Arc::new(tell),
            held,
            waiting: waiting.clone(),
        };
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(shared.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Rest {
            addr,
            inner,
            relay,
            streams,
            news,
            holds,
            waiting,
            serving,
        }
    }

    /// Gives no answer from now on, or those that it owes.
    pub fn holds(&self, held: bool) {
        self.holds.send_replace(held);
    }

    /// Waits until so many requests at once wait for their answer; gives the most that ever did.
    pub async fn until_waiting(&self, count: usize) -> usize {
        let mut waiting = self.waiting.subscribe();
        let so = waiting.wait_for(|(now, _)| *now >= count);
        within(SOON, "requests that wait", so)
            .await
            .expect("the stand-in serves")
            .1
    }

    /// The most requests that ever waited at once.
    pub fn most_waiting(&self) -> usize {
        self.waiting.borrow().1
    }

    /// What `--twilio-api` is to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where streams are opened to; until this is said they wait.
    pub fn aim(&self, relay: Option<SocketAddr>) {
        self.relay.send_replace(relay);
    }

    /// There is such a call now, instead of what there was under its SID.
    pub fn has(&self, sid: &str, call: RestCall) {
        self.inner.lock().unwrap().calls.insert(sid.to_owned(), call);
    }

    /// The account has this number.
    pub fn has_number(&self, number: Number) {
        self.inner.lock().unwrap().numbers.push(number);
    }

    /// The account has this application.
    pub fn has_app(&self, app: App) {
        self.inner.lock().unwrap().apps.push(app);
    }

    /// A number's fields as they stand.
    pub fn number(&self, number: &str) -> BTreeMap<String, String> {
        let inner = self.inner.lock().unwrap();
        let found = inner.numbers.iter().find(|known| known.number == number);
        found.expect("the account has the number").fields.clone()
    }

    /// The next request for a stream is answered so.
    pub fn fails_next(&self, status: u16, code: u64) {
        let body = json!({ "code": code, "message": "Not now, +15550100002", "status": status });
        self.inner.lock().unwrap().failures.push_back((status, body));
    }

    /// The next stream is granted and does not come.
    pub fn withholds_next(&self) {
        self.inner.lock().unwrap().withheld += 1;
    }

    /// The account's token is another now.
    pub fn knows_token(&self, token: &str) {
        self.inner.lock().unwrap().token = token.to_owned();
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// Requests for a stream of this call so far.
    pub fn asked_for(&self, sid: &str) -> Vec<Asked> {
        let streams = format!("Calls/{sid}/Streams.json");
        let asked = self.asked().into_iter();
        asked.filter(|asked| asked.resource == streams).collect()
    }

    /// Waits until the requests so far are so.
    pub async fn until_asked(&self, what: &str, so: impl Fn(&[Asked]) -> bool) {
        let mut news = self.news.clone();
        within(SOON, what, async {
            while !so(&self.asked()) {
                news.changed().await.expect("the stand-in serves");
            }
        })
        .await;
    }

    /// The next stream that was asked for and is open.
    pub async fn stream(&mut self) -> Opened {
        within(SOON, "a stream that was asked for", self.opened()).await
    }

    /// The same, for whoever waits for something else as well.
    pub async fn opened(&mut self) -> Opened {
        self.streams.recv().await.expect("the stand-in serves")
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.waiting
            .send_modify(|(now, most)| (*now, *most) = (*now + 1, (*most).max(*now + 1)));
        let mut held = self.held.clone();
        let _ = held.wait_for(|held| !held).await;
        self.waiting.send_modify(|(now, _)| *now -= 1);
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let credentials = parts.headers.get(header::AUTHORIZATION);
        let token = self.inner.lock().unwrap().token.clone();
        let right = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{token}")));
        if credentials.is_none_or(|shown| shown != right.as_str()) {
            return said(401, &refusal(401, 20003, "Authenticate"));
        }
        let prefix = format!("/2010-04-01/Accounts/{ACCOUNT}/");
        let Some(resource) = parts.uri.path().strip_prefix(&prefix) else {
            return said(404, &refusal(404, 20404, "The requested resource was not found"));
        };
        let posted = parts.method == Method::POST;
        let kind = parts.headers.get(header::CONTENT_TYPE);
        if posted && kind.is_none_or(|kind| kind != "application/x-www-form-urlencoded") {
            return said(415, &refusal(415, 20422, "a form is posted"));
        }
        let query = parts.uri.query().unwrap_or_default();
        let form = Form::parse(if posted { &body } else { query.as_bytes() });
        let (status, json) = self.route(&parts.method, resource, &form);
        let count = {
            let mut inner = self.inner.lock().unwrap();
            inner.asked.push(Asked {
                method: parts.method,
                resource: resource.to_owned(),
                form,
            });
            inner.asked.len()
        };
        self.news.send_replace(count);
        said(status, &json)
    }

    fn route(&self, method: &Method, resource: &str, form: &Form) -> (u16, Value) {
        let mut inner = self.inner.lock().unwrap();
        let unknown = (404, refusal(404, 20404, "The requested resource was not found"));
        let parts: Vec<&str> = resource.split('/').collect();
        match (method, parts.as_slice()) {
            (&Method::GET, ["Calls.json"]) => (200, answers::list(&inner.calls, form, PAGE)),
            (&Method::GET, ["Calls", call]) => {
                let call = call.trim_end_matches(".json");
                let known = inner.calls.get(call);
                known.map_or(unknown, |known| (200, known.json(call)))
            }
            (&Method::POST, ["Calls", call, "Streams.json"]) => self.stream(&mut inner, call, form),
            (&Method::POST, ["Calls", call, "Streams", stream]) => {
                assert_eq!(form.pairs().collect::<Vec<_>>(), [("Status", "stopped")]);
                let stream = stream.trim_end_matches(".json");
                (200, answers::stream(call, stream, "stopped"))
            }
            (&Method::GET, ["IncomingPhoneNumbers.json"]) => {
                let wanted = form.get("PhoneNumber").unwrap_or_default();
                let found = inner.numbers.iter().filter(|known| known.number.contains(wanted));
                let list: Vec<Value> = found.map(Number::json).collect();
                (
                    200,
                    json!({ "incoming_phone_numbers": list, "next_page_uri": null }),
                )
            }
            (&Method::POST, ["IncomingPhoneNumbers", sid]) => {
                let sid = sid.trim_end_matches(".json");
                let known = inner.numbers.iter_mut().find(|known| known.sid == sid);
                known.map_or(unknown, |known| {
                    answers::set(&mut known.fields, form, answers::NUMBER);
                    (200, known.json())
                })
            }
            (&Method::GET, ["Applications.json"]) => {
                let list: Vec<Value> = inner.apps.iter().map(App::json).collect();
                (200, json!({ "applications": list, "next_page_uri": null }))
            }
            (method, ["Applications", sid]) => {
                let sid = sid.trim_end_matches(".json");
                let known = inner.apps.iter_mut().find(|known| known.sid == sid);
                known.map_or(unknown, |known| {
                    if method == Method::POST {
                        answers::set(&mut known.fields, form, answers::APP);
                    }
                    (200, known.json())
                })
            }
            _ => unknown,
        }
    }

    fn stream(&self, inner: &mut Inner, call: &str, form: &Form) -> (u16, Value) {
        let (url, parameters) = answers::asked_stream(form);
        if let Some(failure) = inner.failures.pop_front() {
            return failure;
        }
        match inner.calls.get(call).map(|known| known.status) {
            None => return (404, refusal(404, 20404, "The requested resource was not found")),
            Some("in-progress") => {}
            Some(_) => return (400, refusal(400, 21220, "Call is not in-progress")),
        }
        let sid = new_sid("MZ");
        let answer = (200, answers::stream(call, &sid, "in-progress"));
        if inner.withheld > 0 {
            inner.withheld -= 1;
            return answer;
        }
        let (shared, call) = (self.clone(), call.to_owned());
        tokio::spawn(async move { shared.open(&url, &call, sid, parameters).await });
        answer
    }

    /// As Twilio opens a stream, once it knows where the host of the URL is.
    async fn open(mut self, url: &str, call: &str, sid: String, parameters: Vec<(String, String)>) {
        let aimed = self.relay.wait_for(Option::is_some).await;
        let Some(relay) = aimed.ok().and_then(|relay| *relay) else {
            return;
        };
        let signature = signature::sign(TOKEN, url, &Form::default());
        let headers = [(signature::HEADER, signature.as_str())];
        let opened = MediaSocket::try_open(relay, call, &headers).await;
        let Ok(mut stream) = opened else { return };
        stream.stream = sid;
        stream.connected().await;
        let given: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        stream.start(&given).await;
        // A story that is over takes none.
        let _ = self.streams.send(Opened { stream, parameters }).await;
    }
}

fn refusal(status: u16, code: u64, message: &str) -> Value {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    json!({ "code": code, "message": message, "more_info": more, "status": status })
}

fn said(status: u16, json: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(json.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    let kind = ::http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
