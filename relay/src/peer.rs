//! From where a request came: the TCP peer, or, where that is a proxy of ours, whom it names in
//! X-Forwarded-For. Nothing is believed from anybody else, and an address grants nothing: it is what limits
//! count by and what the audit says. Pure: headers in, an address out.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::config::{Cidr, Config};

#[cfg(test)]
mod tests;

/// Who came before, the nearest last: each proxy adds whom it was asked by.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies in a row that are looked through; a list that goes on behind them is none that proxies made.
const MAX_HOPS: usize = 16;

/// The client of a request, for limits and the audit. Put among the extensions of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Its address; an IPv4 address is never in IPv6's clothes.
    pub address: IpAddr,
}

impl Peer {
    /// The client of a request that came over TCP from `tcp`, where only `trusted` are believed. Where what they
    /// say cannot be read, nothing of it is believed, and the client is `tcp` itself.
    pub fn of(tcp: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> Peer {
        let tcp = tcp.to_canonical();
        let address = named(tcp, headers, trusted).unwrap_or(tcp);
        Peer { address }
    }
}

/// Goes back from proxy to proxy, as far as they are ours; `None` where one names nobody.
fn named(tcp: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|cidr| cidr.contains(address));
    let lists = headers.get_all(X_FORWARDED_FOR).into_iter().rev();
    let mut entries = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
    let mut nearest = tcp;
    let mut hops = 0;
    while is_trusted(nearest) {
        match entries.next() {
            Some(entry) => nearest = address(entry)?,
            // It is a proxy of ours that asks, and for nobody else.
            None => break,
        }
        hops += 1;
        if hops > MAX_HOPS {
            return None;
        }
    }
    Some(nearest)
}

/// Whether the TCP peer may speak to the relay at all: where --listen is not loopback and there is no TLS, only
/// the proxies and this machine. To be asked before a byte is read.
pub fn is_served(config: &Config, tcp: IpAddr) -> bool {
    !config.only_proxies() || is_many(config, tcp)
}

/// Whether the TCP peer stands for many clients: this machine, or a proxy of ours.
pub fn is_many(config: &Config, tcp: IpAddr) -> bool {
    let tcp = tcp.to_canonical();
    tcp.is_loopback() || config.trusted_proxies.iter().any(|cidr| cidr.contains(tcp))
}

/// One entry: an address, one in brackets, either with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let v6 = |text: &str| text.parse().ok().map(IpAddr::V6);
    let address = match bare {
        Some(inside) => v6(inside),
        None => text
            .parse::<IpAddr>()
            .ok()
            .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())),
    };
    address.map(|address| address.to_canonical())
}
