//! The port.

use std::{io::ErrorKind, net::SocketAddr};

use anyhow::anyhow;
use tokio::net::TcpListener;

use crate::exit::Usage;

/// Reads `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080` or a port alone.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost:", "127.0.0.1:");
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "an address and a port are needed, such as 127.0.0.1:8081".to_owned())
}

/// Takes the port. Other machines are let in only with a token.
pub(crate) async fn bind(address: SocketAddr, token: Option<&str>) -> anyhow::Result<TcpListener> {
    let token = token.filter(|token| !token.trim().is_empty());
    if !address.ip().is_loopback() && token.is_none() {
        let what = format!(
            "on {address} other machines can reach Perigee; give a token that they must bring with --token or \
             PERIGEE_TOKEN, or listen on 127.0.0.1"
        );
        return Err(Usage(what).into());
    }
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "{address} is taken: another program, perhaps another perigee, listens there; stop it, or choose another \
             port with --listen {}:{}",
            address.ip(),
            address.port().checked_add(1).unwrap_or(8081)
        ),
        ErrorKind::PermissionDenied => anyhow!("listening on {address} is not permitted; choose a port above 1023"),
        ErrorKind::AddrNotAvailable => anyhow!("{} is no address of this machine; choose one with --listen", address.ip()),
        _ => anyhow!(error).context(format!("cannot listen on {address}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_short() {
        for (text, expected) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("localhost:9000", "127.0.0.1:9000"),
            (":9000", "127.0.0.1:9000"),
            ("9000", "127.0.0.1:9000"),
            ("[::1]:9000", "[::1]:9000"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(expected.to_owned()), "{text}");
        }
        assert!(address("everywhere").is_err());
        assert!(address("127.0.0.1").is_err());
    }

    #[tokio::test]
    async fn other_machines_need_a_token() {
        let everywhere = "0.0.0.0:0".parse().unwrap();
        for token in [None, Some(""), Some(" ")] {
            let refused = bind(everywhere, token).await.unwrap_err();
            assert!(refused.is::<Usage>(), "{refused}");
        }
        assert!(bind(everywhere, Some("sesame")).await.is_ok());
    }

    #[tokio::test]
    async fn a_taken_port_is_said_with_the_way_out() {
        let first = bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let taken = first.local_addr().unwrap();
        let refused = bind(taken, None).await.unwrap_err().to_string();
        assert!(refused.contains("is taken") && refused.contains("--listen 127.0.0.1:"), "{refused}");
    }
}
