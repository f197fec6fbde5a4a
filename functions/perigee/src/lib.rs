//! The command line, and every function in one process.
