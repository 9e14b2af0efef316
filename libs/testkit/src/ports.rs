//! Ports for servers that a test may stop and start again on the same port.

use std::{fs::File, io::Read, net::TcpListener};

use anyhow::Context;

/// Below the range from which Linux takes ports for outgoing connections and for "port 0" (32768 and up): a port
/// from here stays free while its server is down, and a client that keeps dialling it cannot connect to itself.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A loopback port that nobody listens on right now, picked at random so that test processes rarely meet.
///
/// # Errors
/// If none is found.
pub fn free_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let [high, low] = random::<2>()?;
        let port = RANGE.start + u16::from_be_bytes([high, low]) % (RANGE.end - RANGE.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free loopback port found between {} and {}", RANGE.start, RANGE.end)
}

/// Launches a server on a free port. Somebody may take the port between our look and the server's start, so there
/// is a second and a third try, each with another port.
pub(crate) fn launch_on_free_port<T>(
    mut launch: impl FnMut(u16) -> anyhow::Result<T>,
) -> anyhow::Result<(T, u16)> {
    for _ in 0..2 {
        let port = free_port()?;
        if let Ok(launched) = launch(port) {
            return Ok((launched, port));
        }
    }
    let port = free_port()?;
    Ok((launch(port)?, port))
}

/// `N` random bytes of the operating system, as lower-case hexadecimal text: for names and passwords.
pub(crate) fn random_hex<const N: usize>() -> anyhow::Result<String> {
    Ok(random::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(bytes)
}
