//! Which addresses are called. A manifest names hosts, and a host can be anything: the metadata service of the machine
//! that runs us gives credentials to whoever asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[cfg(test)]
mod tests;

/// What may be called beside the addresses that always may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// Whether this machine may be called: only where it is somebody's own, under `perigee up`.
    pub loopback: bool,
}

/// IPv4 metadata services that lie outside of link-local: Alibaba's, Oracle's, and Azure's host.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];

/// Google's metadata service.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

impl Guard {
    /// Why `address` is not called; `None` when it may be.
    #[must_use]
    pub fn refuses(self, address: IpAddr) -> Option<&'static str> {
        match address {
            IpAddr::V4(address) => self.refuses_v4(address),
            IpAddr::V6(address) => self.refuses_v6(address),
        }
    }

    fn refuses_v4(self, address: Ipv4Addr) -> Option<&'static str> {
        let [first, ..] = address.octets();
        if address.is_link_local() || METADATA_V4.contains(&address) {
            return Some("it is a link-local or metadata address");
        }
        if address.is_loopback() {
            return (!self.loopback).then_some("it is this machine, which is called only under `perigee up`");
        }
        if first == 0 {
            return Some("it is no address of a host");
        }
        if address.is_multicast() || first >= 240 {
            return Some("it is a multicast, broadcast or reserved address");
        }
        None
    }

    fn refuses_v6(self, address: Ipv6Addr) -> Option<&'static str> {
        if address.is_loopback() {
            return (!self.loopback).then_some("it is this machine, which is called only under `perigee up`");
        }
        if address.is_unspecified() {
            return Some("it is no address of a host");
        }
        let segments = address.segments();
        // fd00:ec2::/32 holds what EC2 serves to its instances: metadata, and the credentials of EKS pods.
        if address.is_unicast_link_local() || address == METADATA_V6 || segments[..2] == [0xfd00, 0xec2] {
            return Some("it is a link-local or metadata address");
        }
        if address.is_multicast() {
            return Some("it is a multicast, broadcast or reserved address");
        }
        // 64:ff9b:1::/48 hides an IPv4 address at a place that only its network knows.
        if segments[..3] == [0x64, 0xff9b, 1] {
            return Some("it is an address of a local NAT64 network");
        }
        embedded(segments).and_then(|inner| self.refuses_v4(inner))
    }
}

/// The IPv4 address that an IPv6 address leads to, in each of the ways that one can be written into the other.
fn embedded(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // mapped, compatible, translated (RFC 2765), NAT64
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // ISATAP
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        // 6to4
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // Teredo
        [0x2001, 0, _, _, _, _, high, low] => Some(v4(!high, !low)),
        _ => None,
    }
}
