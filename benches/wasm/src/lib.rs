//! The loops of `cargo xtask bench privacy` as WebAssembly, without bindings: `benches/privacy.mjs` calls them by
//! name and reads the clock.
//!
//! They run the library that ships, compiled with the profile that ships; what a report costs on top of its payload
//! is not in them.

// An export has a name that must be the only one of its kind, which the compiler calls unsafe. Nothing else here is.
#![allow(unsafe_code, reason = "`no_mangle` is an unsafe attribute")]

use std::cell::RefCell;

use work::Work;

#[path = "../../work/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the native bench, which prints")]
mod work;

thread_local! {
    static WORK: RefCell<Option<Work>> = const { RefCell::new(None) };
}

fn with(run: impl FnOnce(&mut Work)) {
    WORK.with_borrow_mut(|work| run(work.as_mut().expect("a case was prepared")));
}

/// Number of cases.
#[unsafe(no_mangle)]
pub extern "C" fn cases() -> usize {
    work::cases().len()
}

/// Reports of one loop.
#[unsafe(no_mangle)]
pub extern "C" fn reports() -> usize {
    work::REPORTS
}

/// Makes a case the one that the loops run.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(case: usize) {
    WORK.set(Some(Work::new(&work::cases()[case])));
}

/// Pays for the reports of the next [`privatize`].
#[unsafe(no_mangle)]
pub extern "C" fn pay() {
    with(Work::pay);
}

/// Privatizes.
#[unsafe(no_mangle)]
pub extern "C" fn privatize() {
    with(Work::privatize);
}

/// Reads the tape as [`privatize`] does, and no more.
#[unsafe(no_mangle)]
pub extern "C" fn replay() {
    with(Work::replay);
}

/// Adds the payloads to the counters.
#[unsafe(no_mangle)]
pub extern "C" fn accumulate() {
    with(Work::accumulate);
}

/// Adds the payloads together.
#[unsafe(no_mangle)]
pub extern "C" fn accumulate_all() {
    with(Work::accumulate_all);
}

/// From counters to supports.
#[unsafe(no_mangle)]
pub extern "C" fn support() {
    with(|work| work.support());
}
