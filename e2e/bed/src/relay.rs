//! A line to the API server that can be cut: nothing passes then, in either direction, also on connections that are open, as
//! between two halves of a network. TLS passes untouched.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::addresses::APISERVER;

/// A running relay. Dropping it ends it.
pub struct Relay {
    address: SocketAddr,
    passes: watch::Sender<bool>,
    _server: JoinSet<()>,
}

impl Relay {
    /// Starts a relay to the bed's API server.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start() -> anyhow::Result<Self> {
        // where the certificate of the API server is valid
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listening as a relay")?;
        let address = listener.local_addr()?;
        let (passes, seen) = watch::channel(true);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, APISERVER, seen));
        Ok(Self { address, passes, _server: server })
    }

    /// For a kubeconfig.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Nothing passes from now on.
    pub fn cut(&self) {
        self.passes.send_replace(false);
    }

    /// Everything passes again, with what was held back.
    pub fn mend(&self) {
        self.passes.send_replace(true);
    }
}

async fn serve(listener: TcpListener, upstream: SocketAddr, passes: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // one that breaks off is a matter of the two ends
        connections.spawn(connect(stream, upstream, passes.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(near: TcpStream, upstream: SocketAddr, mut passes: watch::Receiver<bool>) {
    if passes.wait_for(|passes| *passes).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(upstream).await else { return };
    for stream in [&near, &far] {
        stream.set_nodelay(true).ok();
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(pump(near_in, far_out, passes.clone()), pump(far_in, near_out, passes));
}

/// Until either end closes.
async fn pump(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut passes: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if passes.wait_for(|passes| *passes).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_is_cut_holds_what_is_sent_until_it_is_mended() {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, (passes, seen)) = (listener.local_addr().unwrap(), watch::channel(true));
        let server = tokio::spawn(serve(listener, upstream.local_addr().unwrap(), seen));
        let mut near = TcpStream::connect(address).await.unwrap();
        let (mut far, _) = upstream.accept().await.unwrap();
        let mut text = [0; 3];
        near.write_all(b"one").await.unwrap();
        far.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"one");

        passes.send_replace(false);
        near.write_all(b"two").await.unwrap();
        let mut late = tokio::spawn(async move {
            far.read_exact(&mut text).await.unwrap();
            text
        });
        tokio::select! {
            biased;
            _ = &mut late => panic!("it passed"),
            () = async { for _ in 0..1000 { tokio::task::yield_now().await } } => {}
        }
        passes.send_replace(true);
        assert_eq!(&late.await.unwrap(), b"two");
        server.abort();
    }
}
