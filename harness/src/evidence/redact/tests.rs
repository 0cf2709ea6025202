use super::*;

/// A secret in every form that evidence may hold it, made up for these tests.
const WEB_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJlLWJ5dGVz_x-1";

#[test]
fn values_of_secret_keys_are_taken_out() {
    for (text, expected) in [
        (
            "    client-key-data: TUlJRW93SUJBQUtDQVFFQQ==",
            "    client-key-data: [redacted]",
        ),
        (
            "    client-certificate-data: TUlJRE",
            "    client-certificate-data: TUlJRE",
        ),
        (
            r#"{"token":"a\"b","name":"x"}"#,
            r#"{"token":"[redacted]"b","name":"x"}"#,
        ),
        (
            r#"{"password": "p$ ss", "user": "u"}"#,
            r#"{"password": "[redacted]", "user": "u"}"#,
        ),
        (
            r#"{\"token\":\"abc\",\"a\":1}"#,
            r#"{\"token\":\"[redacted]\",\"a\":1}"#,
        ),
        ("--token=abc.def --v=2", "--token=[redacted] --v=2"),
        ("--token abc --v 2", "--token [redacted] --v 2"),
        ("access_token=abc&x=1", "access_token=[redacted]&x=1"),
        ("PASSWORD='two words' rest", "PASSWORD='[redacted]' rest"),
        ("  secret: c2VjcmV0IGlzIHNlY3VyZQ==", "  secret: [redacted]"),
    ] {
        assert_eq!(redact(text), expected);
    }
}

#[test]
fn credentials_are_known_by_their_form() {
    for (text, expected) in [
        (
            "Authorization: Bearer abcdefgh12345".to_owned(),
            "Authorization: Bearer [redacted]",
        ),
        (
            "authorization: Basic dXNlcjpwYXNz".to_owned(),
            "authorization: Basic [redacted]",
        ),
        (
            r#""Authorization":["Bearer abcdefgh12345"]"#.to_owned(),
            r#""Authorization":["Bearer [redacted]"]"#,
        ),
        (format!("got {WEB_TOKEN}, used"), "got [redacted], used"),
        (
            "join abcdef.0123456789abcdef now".to_owned(),
            "join abcdef.[redacted] now",
        ),
    ] {
        assert_eq!(redact(&text), expected);
    }
}

#[test]
fn private_keys_are_taken_out_wherever_they_stand() {
    let (begin, end) = (
        "-----BEGIN EC PRIVATE KEY-----",
        "-----END EC PRIVATE KEY-----",
    );
    let file = format!("a\n{begin}\nMHcCAQEE\nIBkg==\n{end}\nb\n");
    let expected = format!("a\n{begin}\n[redacted]\n[redacted]\n[redacted]{end}\nb\n");
    assert_eq!(redact(&file), expected);
    let inline = format!(r#"{{"key":"{begin}\nMHcC\n{end}\n","x":1}}"#);
    assert_eq!(
        redact(&inline),
        format!(r#"{{"key":"{begin}[redacted]{end}\n","x":1}}"#)
    );
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &file[2..]);
    assert_eq!(
        redact(&format!("  tls.key: {encoded}")),
        "  tls.key: [redacted]"
    );
}

#[test]
fn a_key_that_never_ends_does_not_take_the_rest_of_a_log() {
    let mut redactor = Redactor::default();
    redactor.line("-----BEGIN PRIVATE KEY-----");
    let lines: Vec<String> = (0..300).map(|_| redactor.line("later")).collect();
    assert_eq!(lines[0], "[redacted]");
    assert_eq!(lines[299], "later");
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "secret: admin",
        "secretName: tokens",
        "the token is valid; Basic things; bearer of news",
        "--service-account-key-file=/etc/kubernetes/sa.pub",
        "volumes: [{secret: {secretName: kube-apiserver}}]",
        "token: null",
        "kube-apiserver.service entered failed state — naïve ✓\r\n",
        "etcd 3.6.0 at 10.231.0.2:2379",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn redacting_twice_changes_nothing() {
    for text in [
        format!("Bearer {WEB_TOKEN}"),
        "password: x y".to_owned(),
        "--token=a".to_owned(),
    ] {
        let once = redact(&text);
        assert_eq!(redact(&once), once);
    }
}
