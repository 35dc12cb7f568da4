//! TLS to a service, by rustls: its certificate checked or not, ours shown or not.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};

use super::Tls;
use crate::model::Failure;

/// Where systems keep the certificates that they trust.
const SYSTEM: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Puts TLS on a connection.
pub(super) fn wrap(
    stream: TcpStream,
    settings: &Tls,
    host: &str,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Failure> {
    let name = settings.name.as_deref().unwrap_or(host);
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| Failure::new(format!("'{name}' is no name that a certificate can have")))?;
    let client = ClientConnection::new(Arc::new(config(settings)?), server)
        .map_err(|e| Failure::new(format!("TLS with {host}: {e}")))?;
    Ok(StreamOwned::new(client, stream))
}

fn config(settings: &Tls) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::new(format!("TLS: {e}")))?;
    let builder = if settings.verify {
        builder.with_root_certificates(roots(settings)?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    };
    let Some((certificate, key)) = &settings.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|e| Failure::missing(format!("cannot read the private key {key}: {e}")))?;
    builder.with_client_auth_cert(chain, key).map_err(|e| Failure::new(format!("TLS certificate {certificate}: {e}")))
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|e| Failure::missing(format!("cannot read certificates from {path}: {e}")))
}

fn roots(settings: &Tls) -> Result<RootCertStore, Failure> {
    let system = || SYSTEM.iter().find(|p| std::path::Path::new(p).is_file()).map(|p| (*p).to_owned());
    let path =
        settings.ca.clone().or_else(system).ok_or_else(|| {
            Failure::missing("this system has no file of trusted certificates; give one with `ca_path`")
        })?;
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates(&path)?);
    if added == 0 {
        return Err(Failure::new(format!("no certificate in {path}")));
    }
    Ok(store)
}

/// Takes any certificate: what `tls: true` without `validate_certs` asks for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
