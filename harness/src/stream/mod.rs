//! One dispatcher, one ordered stream: everything that is seen goes through here to the record,
//! to the live judge, to the console, and into the picture that the runner decides by.

mod dispatcher;
mod picture;
mod recording;

pub use dispatcher::{Dispatcher, Stream};
pub use picture::Picture;
pub use recording::{Observers, Recording};
