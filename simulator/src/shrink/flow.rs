//! Values in YAML's flow style, as people write scenarios.

use serde_json::Value;

/// A value on one line: `{ kill: { component: etcd, node: cp-1 } }`.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(pairs) if pairs.is_empty() => "{}".to_owned(),
        Value::Object(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| format!("{key}: {}", flow(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text, in quotes where it would be read as something else without.
pub(super) fn scalar(text: &str) -> String {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic())
        || text.starts_with('/')
        || text.starts_with("./");
    let is_plain = |other: char| other.is_ascii_alphanumeric() || "_-./=".contains(other);
    let means_more = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if begins && text.chars().all(is_plain) && !means_more.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else {
        // JSON's strings are YAML's double-quoted ones.
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_read_as_something_else_is_quoted() {
        for plain in [
            "cp-1",
            "./mine.json",
            "k8s-app=kube-apiserver",
            "kube-system",
            "SIGTERM",
        ] {
            assert_eq!(scalar(plain), plain);
        }
        for quoted in ["1.34", "@bootstrap", "off", "a: b", "", "- x", "say \"so\""] {
            assert!(scalar(quoted).starts_with('"'), "{quoted}");
        }
    }
}
