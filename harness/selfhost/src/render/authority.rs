//! Certificate authorities and the key pairs they sign.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// How long authorities live: about ten years, as kubeadm has it.
const AUTHORITY_VALIDITY: Duration = Duration::days(3650);
/// How long certificates live unless said otherwise: a year, as kubeadm has it.
pub(crate) const CERTIFICATE_VALIDITY: Duration = Duration::days(365);
/// Certificates begin in the past, in minutes, so that a node's clock may lag behind.
const CLOCK_LAG_ALLOWED_MINUTES: i64 = 10;

/// A certificate authority with its key.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    key_pem: String,
}

/// A certificate and its private key, both as PEM.
#[derive(Clone)]
pub(crate) struct Credential {
    /// The certificate.
    pub(crate) certificate: String,
    /// The private key (PKCS#8).
    pub(crate) key: String,
}

/// The keys that sign and check service-account tokens, as PEM.
#[derive(Clone)]
pub(crate) struct SigningKey {
    /// The private half (PKCS#8).
    pub(crate) private: String,
    /// The public half.
    pub(crate) public: String,
}

/// What a certificate says about its holder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    /// Common name: the user, for a client.
    pub(crate) common_name: String,
    /// Organisation: the group, for a client.
    pub(crate) organisation: Option<String>,
    /// Organisational unit: the incarnation, where there is one.
    pub(crate) organisational_unit: Option<String>,
}

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// To prove who calls.
    Client,
    /// To prove who answers.
    Server,
    /// Both, as between etcd members.
    Both,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot make the certificate of `{common_name}`; this is a mistake in the program, please report it"
)]
pub(crate) struct CertificateError {
    common_name: String,
    #[source]
    source: rcgen::Error,
}

impl Subject {
    /// A subject with a common name only.
    pub(crate) fn named(common_name: &str) -> Self {
        Self {
            common_name: common_name.to_owned(),
            ..Self::default()
        }
    }

    /// The same with an organisation.
    pub(crate) fn of(mut self, organisation: &str) -> Self {
        self.organisation = Some(organisation.to_owned());
        self
    }

    /// The same with an organisational unit.
    pub(crate) fn unit(mut self, organisational_unit: &str) -> Self {
        self.organisational_unit = Some(organisational_unit.to_owned());
        self
    }

    fn distinguished_name(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        if let Some(organisation) = &self.organisation {
            name.push(DnType::OrganizationName, organisation);
        }
        if let Some(unit) = &self.organisational_unit {
            name.push(DnType::OrganizationalUnitName, unit);
        }
        name.push(DnType::CommonName, &self.common_name);
        name
    }
}

impl Authority {
    /// A new authority that signs itself.
    ///
    /// # Errors
    /// Only if the cryptography library refuses.
    pub(crate) fn new(common_name: &str) -> Result<Self, CertificateError> {
        let fail = |source| CertificateError {
            common_name: common_name.to_owned(),
            source,
        };
        let mut params = params(&Subject::named(common_name), AUTHORITY_VALIDITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().map_err(fail)?;
        let key_pem = key.serialize_pem();
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(fail)?;
        Ok(Self { issuer, key_pem })
    }

    /// The authority's certificate, as PEM.
    pub(crate) fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's private key, as PEM.
    pub(crate) fn key(&self) -> &str {
        &self.key_pem
    }

    /// Signs a certificate for `subject` that lives for `validity` from now on; `names` are DNS names and IP addresses.
    ///
    /// # Errors
    /// If a name is neither, or the cryptography library refuses.
    pub(crate) fn sign(
        &self,
        subject: &Subject,
        usage: Usage,
        names: &[String],
        validity: Duration,
    ) -> Result<Credential, CertificateError> {
        let fail = |source| CertificateError {
            common_name: subject.common_name.clone(),
            source,
        };
        let mut params = params(subject, validity);
        params.subject_alt_names = alternative_names(names).map_err(fail)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match usage {
            Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usage::Both => {
                vec![
                    ExtendedKeyUsagePurpose::ServerAuth,
                    ExtendedKeyUsagePurpose::ClientAuth,
                ]
            }
        };
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok(Credential {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl SigningKey {
    /// A new pair. ECDSA, because the cryptography library makes no RSA keys and
    /// Kubernetes takes either.
    ///
    /// # Errors
    /// Only if the cryptography library refuses.
    pub(crate) fn new() -> Result<Self, CertificateError> {
        let key = KeyPair::generate().map_err(|source| CertificateError {
            common_name: "service-account signing key".to_owned(),
            source,
        })?;
        Ok(Self {
            private: key.serialize_pem(),
            public: key.public_key_pem(),
        })
    }
}

fn params(subject: &Subject, validity: Duration) -> CertificateParams {
    // The library's default ends in the year 4096, which no real cluster has.
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::default();
    params.distinguished_name = subject.distinguished_name();
    params.not_before = now - Duration::minutes(CLOCK_LAG_ALLOWED_MINUTES);
    params.not_after = now + validity;
    params
}

fn alternative_names(names: &[String]) -> Result<Vec<SanType>, rcgen::Error> {
    names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => Ok(SanType::IpAddress(address)),
            Err(_) => Ok(SanType::DnsName(name.as_str().try_into()?)),
        })
        .collect()
}
