//! How a listener comes in: by a token or none, by any path, with a narrow buffer.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use partyline_shared::protocol::PROTOCOL;
use partyline_shared::protocol::server::ServerMessage;
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Listener;
use crate::wait::{SOON, within};

impl Listener {
    /// Connects to /listen and waits for `hello` and the whole snapshot.
    pub async fn connect(relay: SocketAddr) -> Listener {
        let opened = Self::open(relay, None).await;
        let mut listener = opened.unwrap_or_else(|e| panic!("/listen refused: {e}"));
        listener.greeted().await;
        listener
    }

    /// The same by a token.
    pub async fn connect_as(relay: SocketAddr, token: &str) -> Listener {
        let opened = Self::open_as(relay, token).await;
        let mut listener = opened.unwrap_or_else(|e| panic!("/listen refused: {e}"));
        listener.greeted().await;
        listener
    }

    /// Waits for `hello` and the whole snapshot.
    pub async fn greeted(&mut self) {
        let hello = self.next_text("hello").await;
        assert!(
            matches!(hello, ServerMessage::Hello { .. }),
            "first came {hello:?}"
        );
        let last = |m: &ServerMessage| matches!(m, ServerMessage::Calls { more: false, .. });
        self.until("the snapshot", last).await;
    }

    /// Connects and reads nothing yet. `receive_buffer` narrows the kernel's, bytes, so that a listener
    /// which stops reading is soon felt by the relay.
    ///
    /// # Errors
    /// What tungstenite says, with the HTTP answer where there is one.
    pub async fn open(relay: SocketAddr, receive_buffer: Option<u32>) -> Result<Listener, Error> {
        Self::open_at(relay, "/listen", &[], receive_buffer).await
    }

    /// The same by a token.
    ///
    /// # Errors
    /// As [`Listener::open`].
    pub async fn open_as(relay: SocketAddr, token: &str) -> Result<Listener, Error> {
        let bearer = format!("Bearer {token}");
        Self::open_at(relay, "/listen", &[("authorization", &bearer)], None).await
    }

    /// The same by this path and query, with these headers.
    ///
    /// # Errors
    /// As [`Listener::open`].
    pub async fn open_at(
        relay: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
        receive_buffer: Option<u32>,
    ) -> Result<Listener, Error> {
        let mut request = format!("ws://{relay}{path}").into_client_request()?;
        let protocol = ("sec-websocket-protocol", PROTOCOL);
        for (name, value) in headers.iter().chain([&protocol]) {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let socket = TcpSocket::new_v4().map_err(Error::Io)?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).map_err(Error::Io)?;
        }
        let stream = socket.connect(relay).await.map_err(Error::Io)?;
        let (socket, _) = within(SOON, "the upgrade of /listen", client_async(request, stream)).await?;
        Ok(Listener {
            socket,
            ended: None,
            audio: BTreeMap::new(),
            calls: BTreeMap::new(),
            heard: BTreeMap::new(),
            removed: Vec::new(),
            levels: Vec::new(),
            strays: Vec::new(),
        })
    }
}
