//! `certificate-signing-request`.

use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use super::deadline::Deadline;
use super::namespace::create;
use super::reason::reason;
use super::stage::Stage;

/// The shortest time that the signer grants.
const VALID_S: u32 = 600;

/// An approved request is answered with a certificate for the name that was asked for.
pub(super) async fn issued(stage: &Stage, deadline: Deadline) -> Result<(), String> {
    let requests = &Api::<CertificateSigningRequest>::all(stage.client.clone());
    let name = stage.name.as_str();
    let manifest = manifest(name, &request(name)?);
    deadline
        .once(
            "create a certificate signing request",
            create(requests, manifest),
        )
        .await?;
    let result = approved(requests, name, deadline).await;
    let parameters = DeleteParams::default();
    let deletion = async {
        requests
            .delete(name, &parameters)
            .await
            .map(|_| ())
            .map_err(reason)
    };
    // An unissued certificate is the better reason.
    result.and(
        deadline
            .once("delete the certificate signing request", deletion)
            .await,
    )
}

async fn approved(
    requests: &Api<CertificateSigningRequest>,
    name: &str,
    deadline: Deadline,
) -> Result<(), String> {
    let approval = async {
        let patch = Patch::Merge(approval());
        requests
            .patch_approval(name, &PatchParams::default(), &patch)
            .await
            .map_err(reason)
    };
    deadline
        .once("approve the certificate signing request", approval)
        .await?;
    let look = || async move {
        let request = requests.get(name).await.map_err(reason)?;
        let certificate = request.status.and_then(|status| status.certificate);
        certificate.ok_or_else(|| "approved, but there is no certificate".to_owned())
    };
    let ByteString(certificate) = deadline.until("wait for the certificate", look).await?;
    let subject = subject(&certificate)?;
    if subject == format!("CN={name}") {
        Ok(())
    } else {
        Err(format!(
            "the certificate is for '{subject}', not for '{name}'"
        ))
    }
}

fn request(name: &str) -> Result<String, String> {
    let failed =
        |error: rcgen::Error| format!("cannot make a certificate signing request: {error}");
    let key = KeyPair::generate().map_err(failed)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
        .serialize_request(&key)
        .and_then(|request| request.pem())
        .map_err(failed)
}

fn manifest(name: &str, request: &str) -> Value {
    json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": { "name": name },
        "spec": {
            "signerName": "kubernetes.io/kube-apiserver-client",
            "request": ByteString(request.as_bytes().to_vec()),
            "usages": ["client auth"],
            "expirationSeconds": VALID_S,
        },
    })
}

fn approval() -> Value {
    json!({ "status": { "conditions": [{
        "type": "Approved", "status": "True", "reason": "Claims", "message": "a check of the signer",
    }] } })
}

fn subject(certificate: &[u8]) -> Result<String, String> {
    let failed = |error: String| format!("the certificate cannot be read: {error}");
    let (_, pem) = parse_x509_pem(certificate).map_err(|error| failed(error.to_string()))?;
    let parsed = pem
        .parse_x509()
        .map_err(|error| failed(error.to_string()))?;
    Ok(parsed.subject().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_asks_for_the_name() {
        let request = request("chrysalis-claims-1").unwrap();
        assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
        let manifest = manifest("chrysalis-claims-1", &request);
        let parsed: CertificateSigningRequest = serde_json::from_value(manifest.clone()).unwrap();
        assert_eq!(parsed.spec.request.0, request.as_bytes());
        assert_eq!(
            serde_json::to_value(parsed).unwrap(),
            manifest,
            "a field is misspelt"
        );
    }

    #[test]
    fn the_subject_of_a_certificate_is_read() {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "somebody");
        let certificate = parameters
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap();
        assert_eq!(
            subject(certificate.pem().as_bytes()),
            Ok("CN=somebody".to_owned())
        );
        assert!(subject(b"nothing").is_err());
    }
}
