//! The auditor: what the shipped module does to an answer, measured against what its spec claims.
//!
//! It loads the very file that devices load, scripts its entropy import, and enumerates the law of the reports that
//! come out. Modules in reading order:
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`verdict`] | what an audit found: text, JSON and privacy card are made from it |
//! | [`tape`] | entropy that the auditor controls |
//! | [`probe`] | a randomizer as an auditor sees it |
//! | [`module`] | the shipped file behind a probe |
//! | [`native`] | the crate's own randomizers behind a probe |
//! | [`claims`] | what can be read off a spec |
//! | [`plan`] | the draws that a mechanism is documented to make |
//! | [`law`] | the true law, enumerated |
//! | [`exact`] | the exact ε of a question |
//! | [`support`] | which symbols a report speaks for |
//! | [`bound`] | certain bounds of logarithms and probabilities |
//! | [`black_box`] | what sampling shows |
//! | [`format`](mod@format) | bytes, requests for entropy, instructions |
//! | [`audit`] | one audit |
//! | [`planted`] | randomizers that are broken on purpose |
//! | [`configuration`] | specs of one mechanism each |
//! | [`self_test`] | what the auditor catches, and what it leaves alone |
//! | [`secondary`] | what many reports compose to |
//! | [`text`](mod@text) | an audit as text |
//! | [`card`](mod@card) | an audit as a page for people: the privacy card |
//! | [`cli`] | the command line |
//!
//! A pass means: for every pair of answers and every report, the ratio of the probabilities is at most W_t/W_f, in
//! integers, and ln(W_t/W_f) is at most the ε that the ledger charges. `docs/audit.md` says what is checked how, and
//! what is not.

pub mod audit;
pub mod black_box;
pub mod bound;
pub mod card;
pub mod claims;
pub mod cli;
pub mod configuration;
pub mod exact;
pub mod format;
pub mod law;
pub mod module;
pub mod native;
pub mod plan;
pub mod planted;
pub mod probe;
pub mod secondary;
pub mod self_test;
pub mod support;
pub mod tape;
pub mod text;
pub mod verdict;

mod values;
