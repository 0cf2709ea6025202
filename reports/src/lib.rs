//! Evidence in, bytes out: verdicts and observations become JUnit, Markdown, a timeline, an exit code.
//!
//! *Case record*: what a case was, beside its verdict. *Run report*: a run's record and all its
//! cases; everything here is a pure function of it. *Narration*: an observation in words.
//!
//! Architecture invariant: this crate does not fail, sleep, log, read a clock or touch a file, and
//! it knows neither scenarios nor clusters. The same input gives the same bytes.

mod case_record;
mod closing;
mod counts;
mod exit_code;
mod figure;
mod junit;
mod merge;
mod narration;
mod repetition;
mod run_report;
mod standing;
mod summary;
mod timeline;
mod verdict_json;
mod xml_text;

pub use case_record::CaseRecord;
pub use closing::{at, closing, points, result_word, witness_lines};
pub use counts::Counts;
pub use exit_code::exit_code;
pub use figure::{duration, figure};
pub use junit::junit;
pub use merge::{MergeError, merge, never_ran};
pub use narration::{Told, Tone, narrate, source_name};
pub use repetition::{Repetition, repetitions};
pub use run_report::{CaseReport, RunRecord, RunReport};
pub use standing::Standing;
pub use summary::{summary_markdown, summary_with_timelines};
pub use timeline::timeline;
pub use verdict_json::verdict_json;
