//! Names of hosts, as the addresses that may be called.

use std::{fmt, io, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::portless;
use crate::Guard;

/// Finds the addresses of a name.
#[async_trait]
pub(super) trait Names: Send + Sync + fmt::Debug {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own way of finding them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name that leads to no address that may be called.
#[derive(Debug, thiserror::Error)]
#[error("it resolves to {address}: {reason}")]
pub(super) struct Refused {
    address: IpAddr,
    reason: &'static str,
}

/// Hands the connector the addresses of a name that may be called, and no other.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) guard: Guard,
    pub(super) names: Arc<dyn Names>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, names) = (self.guard, Arc::clone(&self.names));
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let (refused, allowed): (Vec<_>, Vec<_>) = found
                .into_iter()
                .map(|address| (address, guard.refuses(address)))
                .partition(|(_, why)| why.is_some());
            if let (true, Some(&(address, Some(reason)))) = (allowed.is_empty(), refused.first()) {
                return Err(Refused { address, reason }.into());
            }
            Ok(Box::new(allowed.into_iter().map(|(address, _)| portless(address))) as Addrs)
        })
    }
}
