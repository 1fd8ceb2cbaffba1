//! The certificate chain behind the server's static key: check and, for servers, issue (chapter 01 §4.6–§4.7).
//!
//! There is no way around the check. Who needs another trust anchor gives another [`RootCa`].

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use prost::Message;
use rand_core::CryptoRng;
use wa_crypto::curve::{PrivateKey, PublicKey};
use wa_crypto::xeddsa::{self, SIGNATURE_LEN, VerifyingKey};
use wa_crypto::{CryptoError, ct_eq};

use crate::error::{CertificateFault, Link};
use wa_proto::cert::CertChain;
use wa_proto::cert::cert_chain::NoiseCertificate;
use wa_proto::cert::cert_chain::noise_certificate::Details;

/// The key that a chain must end at. The default is the live service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootCa {
    /// The raw X25519 key whose XEdDSA signature the intermediate carries.
    pub public_key: PublicKey,
    /// The issuer serial that the intermediate must name.
    pub serial: u32,
}

impl RootCa {
    /// From a raw key and the serial that the intermediate must name.
    pub const fn new(public_key: [u8; 32], serial: u32) -> Self {
        Self { public_key: PublicKey::from_bytes(public_key), serial }
    }
}

impl Default for RootCa {
    fn default() -> Self {
        const LIVE: [u8; 32] = [
            0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64, 0x37,
            0xc4, 0xa2, 0x8b, 0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
        ];
        Self { public_key: PublicKey::from_bytes(LIVE), serial: 0 }
    }
}

/// A verified server, in the form that is cached for IK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownServer {
    /// Names the server's static key.
    pub leaf: KnownCertificate,
    /// Signed the leaf.
    pub intermediate: KnownCertificate,
}

impl KnownServer {
    /// Whether IK may be tried at `now` (Unix seconds): both certificates are valid then. The last second of a
    /// validity no longer counts here, though [`verify_chain`] still accepts it.
    pub const fn usable_at(&self, now: u64) -> bool {
        self.leaf.covers(now) && self.intermediate.covers(now)
    }
}

/// What is kept of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCertificate {
    /// The key that it certifies.
    pub key: PublicKey,
    /// Start of its validity, Unix seconds.
    pub not_before: u64,
    /// End of its validity, Unix seconds.
    pub not_after: u64,
}

impl KnownCertificate {
    const fn covers(&self, now: u64) -> bool {
        self.not_before <= now && now < self.not_after
    }
}

/// Checks an encoded chain at `now` (Unix seconds) against the static key that the server proved to own.
///
/// # Errors
/// One [`CertificateFault`] for each way in which it can fail; structure first, then serials, signatures, the leaf's
/// key, and validity.
pub fn verify_chain(
    chain: &[u8],
    server_key: &PublicKey,
    root: &RootCa,
    now: u64,
) -> Result<KnownServer, CertificateFault> {
    let chain = CertChain::decode(chain).map_err(CertificateFault::Chain)?;
    let leaf = Presented::parse(Link::Leaf, chain.leaf.as_deref())?;
    let intermediate = Presented::parse(Link::Intermediate, chain.intermediate.as_deref())?;

    if intermediate.issuer_serial != root.serial {
        return Err(CertificateFault::RootSerial {
            expected: root.serial,
            found: intermediate.issuer_serial,
        });
    }
    if leaf.issuer_serial != intermediate.serial {
        return Err(CertificateFault::IntermediateSerial {
            expected: intermediate.serial,
            found: leaf.issuer_serial,
        });
    }
    verify_signatures(&intermediate, &leaf, &root.public_key)?;
    if !ct_eq(leaf.known.key.as_bytes(), server_key.as_bytes()) {
        return Err(CertificateFault::LeafKey);
    }
    intermediate.check_validity(now)?;
    leaf.check_validity(now)?;
    Ok(KnownServer { leaf: leaf.known, intermediate: intermediate.known })
}

/// Both signatures: the intermediate's under the root, the leaf's under the intermediate.
fn verify_signatures(
    intermediate: &Presented<'_>,
    leaf: &Presented<'_>,
    root: &PublicKey,
) -> Result<(), CertificateFault> {
    let fault = |certificate: &Presented<'_>| CertificateFault::Signature(certificate.link);
    let root_key = prepared_root(root).map_err(|_| fault(intermediate))?;
    let intermediate_key = VerifyingKey::new(&intermediate.known.key).map_err(|_| fault(leaf))?;
    root_key.verify(&[intermediate.details], intermediate.signature).map_err(|_| fault(intermediate))?;
    intermediate_key.verify(&[leaf.details], leaf.signature).map_err(|_| fault(leaf))
}

/// The root's key made ready. A process trusts one root for all its connections, so the last one is kept: it is public
/// and follows from `root` alone.
fn prepared_root(root: &PublicKey) -> Result<VerifyingKey, CryptoError> {
    static LAST: Mutex<Option<(PublicKey, VerifyingKey)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((key, prepared)) if key == root => Ok(*prepared),
        _ => {
            let prepared = VerifyingKey::new(root)?;
            *last = Some((*root, prepared));
            Ok(prepared)
        }
    }
}

/// What an issuer signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateDetails {
    /// The certificate's own serial.
    pub serial: u32,
    /// The serial of who signs it.
    pub issuer_serial: u32,
    /// The key that it certifies.
    pub key: PublicKey,
    /// Start of its validity, Unix seconds.
    pub not_before: u64,
    /// End of its validity, Unix seconds.
    pub not_after: u64,
}

/// Issues a chain: the root signs the intermediate, the intermediate signs the leaf. Nothing is checked, so that a
/// simulator can also issue wrong ones. Two draws of 64 bytes.
pub fn build_chain(
    root: &PrivateKey,
    intermediate_key: &PrivateKey,
    intermediate: &CertificateDetails,
    leaf: &CertificateDetails,
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    let mut issue = |issuer: &PrivateKey, details: &CertificateDetails| {
        let details = Bytes::from(
            Details {
                serial: Some(details.serial),
                issuer_serial: Some(details.issuer_serial),
                key: Some(Bytes::copy_from_slice(details.key.as_bytes())),
                not_before: Some(details.not_before),
                not_after: Some(details.not_after),
            }
            .encode_to_vec(),
        );
        let signature = xeddsa::sign(issuer, &[&details], rng);
        NoiseCertificate { signature: Some(Bytes::copy_from_slice(&signature)), details: Some(details) }
    };
    let intermediate = issue(root, intermediate);
    let leaf = issue(intermediate_key, leaf);
    CertChain { leaf: Some(leaf.into()), intermediate: Some(intermediate.into()) }.encode_to_vec()
}

/// A certificate whose structure holds; nothing else is proved yet.
struct Presented<'c> {
    link: Link,
    serial: u32,
    issuer_serial: u32,
    known: KnownCertificate,
    details: &'c [u8],
    signature: &'c [u8; SIGNATURE_LEN],
}

impl<'c> Presented<'c> {
    fn parse(link: Link, certificate: Option<&'c NoiseCertificate>) -> Result<Self, CertificateFault> {
        let certificate = certificate.ok_or(CertificateFault::Missing(link))?;
        let details = certificate.details.as_deref().ok_or(CertificateFault::MissingDetails(link))?;
        let signature = certificate.signature.as_deref().ok_or(CertificateFault::MissingSignature(link))?;
        let signature = signature
            .try_into()
            .map_err(|_| CertificateFault::SignatureLength { link, len: signature.len() })?;
        let parsed = Details::decode(details).map_err(|source| CertificateFault::Details { link, source })?;
        let key = parsed.key.unwrap_or_default();
        Ok(Self {
            link,
            serial: parsed.serial.unwrap_or_default(),
            issuer_serial: parsed.issuer_serial.unwrap_or_default(),
            known: KnownCertificate {
                key: PublicKey::from_raw(&key)
                    .map_err(|_| CertificateFault::KeyLength { link, len: key.len() })?,
                not_before: parsed.not_before.unwrap_or_default(),
                not_after: parsed.not_after.unwrap_or_default(),
            },
            details,
            signature,
        })
    }

    fn check_validity(&self, now: u64) -> Result<(), CertificateFault> {
        let KnownCertificate { not_before, not_after, .. } = self.known;
        if now < not_before {
            return Err(CertificateFault::NotYetValid { link: self.link, not_before, now });
        }
        if now > not_after {
            return Err(CertificateFault::Expired { link: self.link, not_after, now });
        }
        Ok(())
    }
}
