//! What is written is read back by others: an independent parser, and a person with goldens.

mod example;
mod golden;
mod junit;
mod merge;
mod repetition;
mod story;
mod summary;
mod timeline;
