//! What a run leaves behind: its directory, and what may be written there.

mod clock;
pub mod collect;
pub mod folder_name;
mod judging;
pub mod planned_case;
pub mod record_file;
mod recorder;
pub mod redact;
pub mod run_directory;
pub mod stored_run;

pub use clock::{CaseClock, Sample};
pub use judging::judge_events;
pub use recorder::Recorder;
