//! The centre: folds reports into sums, finds drift in them, and shows it. One process, one SQLite file.
//!
//! Modules in the order in which a report meets them:
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`clock`] | what time it is: the system's, or one that an operator moves |
//! | [`registry`] | the registered specs, as ingestion and reading need them |
//! | [`intake`] | from the bytes of a body to reports that fit their spec; pure |
//! | [`writer`] | the one thread that writes: queue, group commit, answers |
//! | [`store`] | the SQLite file: what is kept and how long |
//! | [`tally`] | how many reports met which fate |
//! | [`verdicts`] | from sums to estimates, tests and verdicts; pure |
//! | [`evidence`] | what all closed windows say together, however often one looks; pure |
//! | [`severity`] | how bad it is, in words |
//! | [`figure`] | what is known of a question whose answers are not shares; pure |
//! | [`drift_page`] | the verdicts as one page to show to others |
//! | [`mod@reference`] | what windows are compared with: made from a file or from earlier windows, in versions |
//! | [`http`] | routes, problem documents, pages |
//! | [`server`] | start and graceful stop |
//! | [`explain`] | why each question of a spec has its mechanism |
//! | [`freeze`] | from a draft to a spec: the best randomizer for each question |
//! | [`mod@plan`] | before deployment: what a fleet can find with a spec |
//! | [`simulate`] | simulated fleets with known drift, and how the detector does on them |
//! | [`compare`] | two windows whose rows are at hand, without any privacy |
//! | [`keys`] | ingest keys and the admin token |
//! | [`cli`] | the command line |
//!
//! What is sent is checked here, and nothing is decided about privacy: a report that arrives was privatized on the device. No
//! log line, error or answer holds the bytes of a report.

pub mod cli;
pub mod clock;
pub mod compare;
pub mod drift_page;
pub mod evidence;
pub mod explain;
pub mod figure;
pub mod freeze;
pub mod http;
pub mod intake;
pub mod keys;
pub mod plan;
pub mod reference;
pub mod registry;
pub mod server;
pub mod severity;
pub mod simulate;
pub mod store;
pub mod tally;
pub mod verdicts;
pub mod writer;
