//! Errors of the client in few words.

use std::error::Error;

/// The message of the apiserver, or the chain of what went wrong on the way to it.
pub(super) fn reason(error: kube::Error) -> String {
    if let kube::Error::Api(status) = &error {
        return format!(
            "the apiserver answered {} {}: {}",
            status.code, status.reason, status.message
        );
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words
}
