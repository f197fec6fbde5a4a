//! Addresses of networks.

use std::{fmt, net::IpAddr};

use super::{Function, Outcome, global, member, no_overload};
use crate::{budget::Trouble, value::Val};

/// An address, or a block of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Network {
    Address(IpAddr),
    Block { address: IpAddr, prefix: u8 },
}

impl PartialEq for Network {
    /// An IPv4 address is equal to itself within IPv6.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => a.to_canonical() == b.to_canonical(),
            (Self::Block { address: a, prefix: x }, Self::Block { address: b, prefix: y }) => {
                a == b && x == y
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Block { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", 1, 1, |_, args| match args {
        [Val::Text(text)] => address(text).map(|address| Val::Net(Network::Address(address))),
        [Val::Net(Network::Address(_))] => Ok(args.first().cloned().unwrap_or(Val::Null)),
        _ => Err(no_overload("ip", args)),
    }),
    global("isIP", 1, 1, |_, args| match args {
        [Val::Text(text)] => Ok(Val::Bool(address(text).is_ok())),
        _ => Err(no_overload("isIP", args)),
    }),
    global("ip.isCanonical", 1, 1, |_, args| match args {
        [Val::Text(text)] => address(text).map(|address| Val::Bool(address.to_string() == **text)),
        _ => Err(no_overload("ip.isCanonical", args)),
    }),
    global("cidr", 1, 1, |_, args| match args {
        [Val::Text(text)] => block(text).map(Val::Net),
        _ => Err(no_overload("cidr", args)),
    }),
    global("isCIDR", 1, 1, |_, args| match args {
        [Val::Text(text)] => Ok(Val::Bool(block(text).is_ok())),
        _ => Err(no_overload("isCIDR", args)),
    }),
    member("family", 1, 1, |_, args| match args {
        [Val::Net(Network::Address(address))] => Ok(Val::Int(if address.is_ipv4() { 4 } else { 6 })),
        _ => Err(no_overload("family", args)),
    }),
    member("isUnspecified", 1, 1, |_, args| is("isUnspecified", args, IpAddr::is_unspecified)),
    member("isLoopback", 1, 1, |_, args| is("isLoopback", args, IpAddr::is_loopback)),
    member("isGlobalUnicast", 1, 1, |_, args| is("isGlobalUnicast", args, is_global_unicast)),
    member("isLinkLocalUnicast", 1, 1, |_, args| is("isLinkLocalUnicast", args, is_link_local_unicast)),
    member("isLinkLocalMulticast", 1, 1, |_, args| is("isLinkLocalMulticast", args, is_link_local_multicast)),
    member("containsIP", 2, 2, |_, args| match args {
        [Val::Net(Network::Block { address, prefix }), Val::Net(Network::Address(inner))] => {
            Ok(Val::Bool(within(*address, *prefix, *inner)))
        }
        [Val::Net(Network::Block { address, prefix }), Val::Text(text)] => {
            self::address(text).map(|inner| Val::Bool(within(*address, *prefix, inner)))
        }
        _ => Err(no_overload("containsIP", args)),
    }),
    member("containsCIDR", 2, 2, |_, args| {
        let inner = match args.get(1) {
            Some(Val::Text(text)) => block(text)?,
            Some(Val::Net(network)) => *network,
            _ => return Err(no_overload("containsCIDR", args)),
        };
        match (args.first(), inner) {
            (
                Some(Val::Net(Network::Block { address, prefix })),
                Network::Block { address: inner, prefix: longer },
            ) => Ok(Val::Bool(*prefix <= longer && within(*address, *prefix, inner))),
            _ => Err(no_overload("containsCIDR", args)),
        }
    }),
    member("ip", 1, 1, |_, args| match args {
        [Val::Net(Network::Block { address, .. })] => Ok(Val::Net(Network::Address(*address))),
        _ => Err(no_overload("ip", args)),
    }),
    member("masked", 1, 1, |_, args| match args {
        [Val::Net(Network::Block { address, prefix })] => {
            Ok(Val::Net(Network::Block { address: masked(*address, *prefix), prefix: *prefix }))
        }
        _ => Err(no_overload("masked", args)),
    }),
    member("prefixLength", 1, 1, |_, args| match args {
        [Val::Net(Network::Block { prefix, .. })] => Ok(Val::Int(i64::from(*prefix))),
        _ => Err(no_overload("prefixLength", args)),
    }),
    global("net.IsValidIP", 1, 1, |_, args| match args {
        [Val::Text(text)] => Ok(Val::Bool(address(text).is_ok())),
        _ => Err(no_overload("net.IsValidIP", args)),
    }),
    global("net.ContainsCIDR", 2, 2, |_, args| match args {
        [Val::Text(outer), Val::Text(inner)] => Ok(Val::Bool(match (block(outer), address(inner)) {
            (Ok(Network::Block { address, prefix }), Ok(inner)) => within(address, prefix, inner),
            _ => false,
        })),
        _ => Err(no_overload("net.ContainsCIDR", args)),
    }),
];

fn is<'a>(name: &str, args: &[Val<'a>], holds: fn(&IpAddr) -> bool) -> Outcome<'a> {
    match args {
        [Val::Net(Network::Address(address))] => Ok(Val::Bool(holds(address))),
        _ => Err(no_overload(name, args)),
    }
}

/// Reads an address. A zone is refused, and IPv4 written within IPv6 with dots.
fn address(text: &str) -> Result<IpAddr, Trouble> {
    let wrong = |why: &str| Trouble::no_value(format!("`{}` {why}", crate::fault::shortened(text)));
    if text.contains('%') {
        return Err(wrong("names a zone, which an address here may not"));
    }
    let address: IpAddr = text.parse().map_err(|_| wrong("is no IP address"))?;
    if address.is_ipv6() && text.contains('.') {
        return Err(wrong("is IPv4 within IPv6; write the IPv4 address alone"));
    }
    Ok(address)
}

fn block(text: &str) -> Result<Network, Trouble> {
    let wrong = || Trouble::no_value(format!("`{}` is no block of addresses", crate::fault::shortened(text)));
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let address = self::address(address)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= most).ok_or_else(wrong)?;
    Ok(Network::Block { address, prefix })
}

/// An address as a number whose highest bit comes first.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

fn within(block: IpAddr, prefix: u8, inner: IpAddr) -> bool {
    let ((block, width), (inner, other)) = (number(block), number(inner));
    let rest = width.saturating_sub(u32::from(prefix));
    width == other && block.checked_shr(rest).unwrap_or(0) == inner.checked_shr(rest).unwrap_or(0)
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let (bits, width) = number(address);
    let rest = width.saturating_sub(u32::from(prefix));
    let kept = bits.checked_shr(rest).and_then(|kept| kept.checked_shl(rest)).unwrap_or(0);
    match address {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(kept).unwrap_or(0).into()),
        IpAddr::V6(_) => IpAddr::V6(kept.into()),
    }
}

fn is_link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_global_unicast(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local_unicast(address))
}
