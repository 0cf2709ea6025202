//! What a run leaves behind: its directory, and what may be written there.

pub mod folder_name;
pub mod planned_case;
pub mod redact;
pub mod run_directory;
pub mod stored_run;
