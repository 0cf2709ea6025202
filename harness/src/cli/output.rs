//! Standard output of the verbs that answer with a text.

use std::io::{ErrorKind, Write, stdout};

use super::exit::{Exit, Failure, Outcome};

/// Prints a text and ends the command well. A reader that has read enough, such as `head`, is no error.
///
/// # Errors
/// When standard output cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> Outcome {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, error))
        }
        _ => Ok(Exit::Success),
    }
}

/// `1 case`, `2 cases`.
pub fn cases(count: usize) -> String {
    format!("{count} case{}", if count == 1 { "" } else { "s" })
}
