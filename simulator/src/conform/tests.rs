//! Records of the simulators conform, and corrupted ones do not.
