//! A server with an authority of its own.

use std::sync::Arc;

use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{Asked, http};
use crate::source::{
    Ask, MetricSource,
    http::{Call, TIMEOUT, address as url},
    prometheus::Prometheus,
};

/// Its address, and its certificate in PEM form.
async fn server() -> (String, String) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            assert!(stream.read(&mut request).await.is_ok_and(|n| n > 0));
            let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}"#;
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    });
    (address, made.cert.pem())
}

#[tokio::test]
async fn an_authority_of_its_own_is_trusted_where_the_secret_names_it() {
    let (address, pem) = server().await;
    let source = Prometheus::new(http(TIMEOUT));
    let plain = Asked::of(&address, "up");
    let error = source.query(&plain.ask()).await.unwrap_err();
    assert_eq!(error.reason(), "SourceUnreachable", "a stranger was trusted");
    let named = Asked::of(&address, "up").with(&[("ca.crt", &pem)]);
    assert_eq!(source.query(&named.ask()).await.unwrap(), [3.0]);
    let any = Ask { any_certificate: true, ..plain.ask() };
    assert_eq!(source.query(&any).await.unwrap(), [3.0]);
    // trust in one does not extend to another
    let (other, _) = server().await;
    let elsewhere = Asked::of(&other, "up").with(&[("ca.crt", &pem)]);
    assert!(source.query(&elsewhere.ask()).await.is_err());
}

#[tokio::test]
async fn f13_what_is_sent_as_the_operator_goes_to_servers_that_the_system_trusts() {
    let (address, pem) = server().await;
    let named = Asked::of(&address, "up").with(&[("project", "shop"), ("ca.crt", &pem)]);
    let http = http(TIMEOUT);
    for any_certificate in [false, true] {
        let ask = Ask { any_certificate, ..named.ask() };
        let call = |as_operator| Call { as_operator, ..Call::get(url(&address, "/").unwrap()) };
        assert!(http.send(&ask, call(false)).await.is_ok());
        let error = http.send(&ask, call(true)).await.err().unwrap();
        assert_eq!(error.reason(), "SourceUnreachable", "{error}");
    }
}
