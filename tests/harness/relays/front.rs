//! HAProxy before two relays that share calls, as Twilio and people reach them: the way in for whoever speaks plainly.

use std::net::SocketAddr;

use super::{Relays, stream_of};
use crate::certificates::Authority;
use crate::guarded::Guarded;
use crate::listener::Listener;
use crate::media::MediaSocket;
use crate::proxy::Proxy;
use crate::signed::{ORIGIN, TOKEN};
use crate::tunnel::Tunnel;
use crate::twilio::{TwilioCall, pass};

/// What relays behind it are to be told as well.
pub const BEHIND: [&str; 2] = ["--trusted-proxy", "127.0.0.1"];

/// The proxy and the way to it.
pub struct Front {
    proxy: Proxy,
    way: Tunnel,
}

impl Front {
    /// Starts it before the first two, which were started with [`BEHIND`].
    pub async fn before(relays: &Relays) -> Front {
        Self::before_these([relays.addr(0), relays.addr(1)]).await
    }

    async fn before_these(relays: [SocketAddr; 2]) -> Front {
        let authority = Authority::new();
        let pair = authority.certify(&["localhost", "127.0.0.1"]);
        let proxy = Proxy::before(relays, &pair).await;
        let way = Tunnel::to(proxy.addr(), &authority).await;
        Front { proxy, way }
    }

    /// Where it is reached, in plain.
    pub fn addr(&self) -> SocketAddr {
        self.way.addr()
    }

    /// Waits until HAProxy sends new work to so many.
    pub async fn serves(&self, count: usize) {
        self.proxy.serves(count).await;
    }

    /// All that it has logged.
    pub fn logs(&self) -> String {
        self.proxy.logs()
    }

    /// A new call of this customer, whose stream is accepted by whichever relay; `sees` waits for that.
    pub async fn live_call(&self, customer: &str, sees: (&Guarded, &str)) -> (TwilioCall, MediaSocket) {
        let mut call = TwilioCall::at(self.addr());
        call.signs = Some((TOKEN, ORIGIN));
        call.from = format!("client:{}", call.sid());
        let answer = call.webhook(&[("customer_id", customer)]).await.expect(200);
        let stream = stream_of(&call, &pass(&answer)).await;
        sees.0.is_live(call.sid(), sees.1).await;
        (call, stream)
    }

    /// A listener by this token, once it has the list; `None` while nobody lets it in.
    pub async fn try_listen(&self, token: &str) -> Option<Listener> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let opened = Listener::open_at(self.addr(), "/listen", &headers, None).await;
        let mut listener = opened.ok()?;
        listener.greeted().await;
        Some(listener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;
    use crate::network::quiet_port;

    #[tokio::test]
    async fn who_is_gone_is_asked_for_nothing_and_who_is_back_is_asked_again() {
        let (one, other) = (Guarded::new().start(&BEHIND).await, Guarded::new());
        let at = quiet_port();
        let other = other.start_at(at, &BEHIND).await;
        let front = Front::before_these([one.addr(), at]).await;
        front.serves(2).await;
        let other = other.kill().await;
        // Also before HAProxy knows: what one does not take the other one does.
        for _ in 0..8 {
            http::get(front.addr(), "/healthz").await.expect(200);
        }
        front.serves(1).await;
        let _other = other.start_at(at, &BEHIND).await;
        front.serves(2).await;
    }
}
