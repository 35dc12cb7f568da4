//! An engine that is not at the usual socket: over TCP, and over TLS with certificates.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rplay::model::{Outcome, Status};
use rplay::sys::{NoBlobs, Session};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::common::run;
use crate::container::is;
use crate::engine::Corner;

/// One question with its answer, handed on to the engine's socket.
fn hand_on(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut question = Vec::new();
    let mut buffer = [0; 4096];
    while !question.windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        question.extend_from_slice(&buffer[..n]);
    }
    let mut engine = UnixStream::connect("/var/run/docker.sock")?;
    engine.write_all(&question)?;
    let mut answer = Vec::new();
    engine.read_to_end(&mut answer)?;
    stream.write_all(&answer)?;
    stream.flush()
}

/// Listens, with TLS where there is a configuration; gives the port.
fn listen(tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            std::thread::spawn(move || match tls {
                None => drop(hand_on(&mut { stream })),
                Some(config) => {
                    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                    let _ = hand_on(&mut stream);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    port
}

fn certificates(dir: &Path) {
    let script = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 2
        make() {
            openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj /CN=$1 -addext $2
            openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -out $1.pem -days 2
        }
        make engine subjectAltName=DNS:engine.test
        make cert extendedKeyUsage=clientAuth
        mv cert.key key.pem";
    run(Command::new("sh").args(["-c", script]).current_dir(dir)).exits(0);
}

fn server(dir: &Path) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = |name: &str| CertificateDer::pem_file_iter(dir.join(name)).unwrap().map(Result::unwrap);
    let mut roots = RootCertStore::empty();
    chain("ca.pem").for_each(|c| roots.add(c).unwrap());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain("engine.pem").collect(), PrivateKeyDer::from_pem_file(dir.join("engine.key")).unwrap())
        .unwrap();
    Arc::new(config)
}

#[test]
fn an_engine_is_reached_over_tcp_and_tls() {
    let Some(corner) = Corner::new("elsewhere") else { return };
    certificates(corner.dir.path());
    let (plain, secured) = (listen(None), listen(Some(server(corner.dir.path()))));
    let ask = |more: String| corner.run("docker_host_info", &format!("{{{more}}}"), false);
    is(&ask(format!(r#""docker_host": "tcp://127.0.0.1:{plain}""#)), &Status::Ok, "tcp");
    let own = r#""client_cert": "$D/cert.pem", "client_key": "$D/key.pem""#;
    let verify = r#""validate_certs": true, "ca_path": "$D/ca.pem""#;
    let tls = |more: &str| ask(format!(r#""docker_host": "tcp://127.0.0.1:{secured}", {more}"#));
    is(&tls(&format!(r#"{own}, {verify}, "tls_hostname": "engine.test""#)), &Status::Ok, "checked");
    is(&tls(&format!(r#"{own}, "tls": true"#)), &Status::Ok, "not checked");
    let says = |outcome: &Outcome, words: &str| {
        is(outcome, &Status::Failed, words);
        let message = outcome.message().unwrap();
        assert!(message.contains(words), "{words} in: {message}");
    };
    says(&tls(&format!("{own}, {verify}")), "certificate");
    says(&tls(&format!(r#"{own}, "validate_certs": true, "tls_hostname": "engine.test""#)), "certificate");
    says(&tls(&format!(r#"{own}, "tls": true, "ca_path": "$D/no.pem", "validate_certs": true"#)), "no.pem");
    says(&tls(r#""tls": true"#), "Error connecting");
    // All of it from the environment, as Docker's own client takes it.
    let session = Session::new(Box::new(NoBlobs));
    let variables = [
        ("DOCKER_HOST", format!("tcp://127.0.0.1:{secured}")),
        ("DOCKER_TLS_VERIFY", "1".to_owned()),
        ("DOCKER_CERT_PATH", corner.text("$D")),
        ("DOCKER_TLS_HOSTNAME", "engine.test".to_owned()),
        ("DOCKER_TIMEOUT", "20".to_owned()),
        ("DOCKER_API_VERSION", "1.40".to_owned()),
    ];
    session.set_environment(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    is(&corner.run_in(&session, "docker_host_info", "{}", false), &Status::Ok, "environment");
}
