//! Single lines for people. A reader that has gone, such as `head`, never ends a command in the
//! middle of its work: a run that died of a closed pipe would leave its clusters behind.

use std::fmt::Arguments;
use std::io::{Write, stderr, stdout};

/// Prints a line to standard output.
pub fn line(text: Arguments<'_>) {
    let _ = writeln!(stdout().lock(), "{text}");
}

/// Prints a line to standard error.
pub fn aside(text: Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// Like `println!`, for a reader that may have gone.
macro_rules! say {
    ($($text:tt)*) => { $crate::console::lines::line(format_args!($($text)*)) };
}

/// Like `eprintln!`, for a reader that may have gone.
macro_rules! tell {
    ($($text:tt)*) => { $crate::console::lines::aside(format_args!($($text)*)) };
}

pub(crate) use {say, tell};
