//! Networks, as --trusted-proxy names them. Knows addresses only: what is believed from whom is `peer`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::problem::Fault;

/// An address and how many of its first bits count. IPv4 written in IPv6's way is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address alone.
    ///
    /// # Errors
    /// A [`Fault`] that shows how one is written, also where bits stand after the prefix: `10.1.0.0/8` may
    /// have meant one network or the other.
    pub fn parse(text: &str) -> Result<Cidr, Fault> {
        let wrong = || {
            let fix = "write for example 10.0.0.0/8, fd00::/8 or 192.0.2.7";
            Fault::new(format!("`{text}` is no network"), fix)
        };
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = base.parse().map_err(|_| wrong())?;
        let base = written.to_canonical();
        let bits = match bits {
            None => width(base),
            Some(bits) if bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit()) => {
                let bits: u8 = bits.parse().map_err(|_| wrong())?;
                // `::ffff:10.0.0.0/104` has 96 bits in front that are IPv4's no more.
                let before = width(written) - width(base);
                bits.checked_sub(before)
                    .filter(|bits| *bits <= width(base))
                    .ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let network = masked(base, bits);
        if network != base {
            let network = Cidr { base: network, bits };
            let fix = format!("write {network}, or more bits");
            return Err(Fault::new(
                format!("`{text}` says more than its {bits} bits"),
                fix,
            ));
        }
        Ok(Cidr { base, bits })
    }

    /// Whether an address is one of these.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && masked(address, self.bits) == self.base
    }

    /// Whether it is every address of its kind.
    pub fn is_everybody(&self) -> bool {
        self.bits == 0
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl FromStr for Cidr {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        Cidr::parse(text)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.6/31", "192.0.2.7", "192.0.2.5"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "ffff::", "10.0.0.1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ] {
            let cidr = Cidr::parse(network).unwrap();
            assert!(cidr.contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(!cidr.contains(outside.parse().unwrap()), "{outside} in {network}");
        }
        assert!(Cidr::parse("::/0").unwrap().is_everybody());
        assert!(!Cidr::parse("::/1").unwrap().is_everybody());
    }

    #[test]
    fn what_is_no_network_is_told() {
        for bad in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "::/129",
            "::ffff:10.0.0.0/95",
            "fd00::%eth0/8",
            "localhost",
            "10.0.0.1:80",
        ] {
            let told = Cidr::parse(bad).unwrap_err().to_string();
            assert!(told.contains("is no network; write"), "{bad}: {told}");
        }
        let told = Cidr::parse("10.1.0.0/8").unwrap_err().to_string();
        assert!(told.contains("write 10.0.0.0/8"), "{told}");
    }

    proptest! {
        #[test]
        fn a_network_is_read_as_it_is_shown(bytes: u128, bits in 0u8..=128) {
            let base = masked(IpAddr::V6(bytes.into()), bits);
            prop_assume!(base.to_canonical() == base);
            let cidr = Cidr { base, bits };
            prop_assert_eq!(Cidr::parse(&cidr.to_string()), Ok(cidr));
            prop_assert!(cidr.contains(IpAddr::V6(bytes.into())));
        }
    }
}
