//! The centre over its contracts: HTTP as in `docs/http-api.md`, the command line, and what survives a crash.
//!
//! Everything runs against a real server on a free port with a temporary data directory; reports are made by the plugin's own pipeline.

#![allow(missing_docs)]

mod canary;
mod cli;
mod clock;
mod compare;
mod duplicates;
mod flights;
mod overload;
mod pages;
mod performance;
mod problems;
mod random_bytes;
mod recovery;
mod references;
mod simulate;
mod specs;
mod store_failure;
mod support;
mod verdicts;
