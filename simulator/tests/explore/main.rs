//! The explorer, tried on toys whose answers are known.

mod golden;
mod plain;
mod returns;
mod search;
mod second_opinion;
mod session;
mod shrink;
mod stateright_model;
mod table;
mod toys;
mod walk;
