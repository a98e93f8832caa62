//! The auditor: what the shipped module does to an answer, measured against what its spec claims.
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`verdict`] | what an audit found: text, JSON and privacy card are made from it |
//! | [`tape`] | entropy that the auditor controls |

pub mod tape;
pub mod verdict;
