//! How long privatizing and counting take for each report, natively and in wasm.
//!
//! Times are medians of batches of 16,384 reports, in processor time of the thread that runs them (in Node: of the
//! process). Randomizers are called through
//! `dyn Decoder`, as the device and the centre do. Entropy is a tape in memory; "tape" is what reading it
//! costs in the same pieces, by itself, and the targets are for the rest: privatize − tape. The permits were made
//! before.
//! "decode" is one report's part of `accumulate_all` over a batch, which checks payloads too, and of one `support`
//! for 100,000 reports; "single" is the
//! same with `accumulate` one by one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::outcome::Outcome;
use crate::work::{Case, REPORTS, Work, cases};

/// Reports that one transform of the counters serves.
pub(crate) const WINDOW: f64 = 100_000.0;

/// Nanoseconds: of a report, and of one `support`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Times {
    pub(crate) privatize: f64,
    pub(crate) tape: f64,
    accumulate: f64,
    accumulate_all: f64,
    support: f64,
}

impl Times {
    /// Privatizing, entropy excluded.
    fn net(&self) -> f64 {
        self.privatize - self.tape
    }

    fn single(&self) -> f64 {
        self.accumulate + self.support / WINDOW
    }

    pub(crate) fn decode(&self) -> f64 {
        self.accumulate_all + self.support / WINDOW
    }
}

pub(crate) fn run(quick: bool, wasm: Option<&Path>, outcome: &mut Outcome) {
    let batches = if quick { 7 } else { 51 };
    println!(
        "\nTime: nanoseconds per report, medians of {batches} batches of {REPORTS} (in wasm 25); entropy is a tape"
    );
    let in_wasm = wasm.map_or(Err("the module was not built; `cargo xtask bench privacy` does".to_owned()), node);
    let in_wasm = in_wasm.unwrap_or_else(|reason| {
        println!("  no figures in wasm: {reason}");
        Vec::new()
    });
    let headings = format!("{:>10}{:>8}{:>9}{:>9}{:>9}", "privatize", "tape", "net", "single", "decode");
    println!("{:>29} | {:^45} | {:^45}", "", "native", "wasm");
    println!("{:<22}{:>5}{:>2} | {headings} | {headings}", "mechanism", "k", "ε");
    let mut rows = Vec::new();
    for (index, case) in cases().into_iter().enumerate() {
        let native = measure(&case, batches);
        let wasm = in_wasm.get(index).copied();
        let cell = |times: Option<Times>| {
            times.map_or(format!("{:>45}", "–"), |times| {
                let figures = [times.privatize, times.tape, times.net(), times.single(), times.decode()];
                let [privatize, tape, net, single, decode] = figures;
                format!("{privatize:>10.1}{tape:>8.1}{net:>9.1}{single:>9.1}{decode:>9.1}")
            })
        };
        println!("{:<22}{:>5}{:>2} | {} | {}", case.describe(), case.k, case.epsilon, cell(Some(native)), cell(wasm));
        rows.push((case, native, wasm));
    }
    judge(&rows, outcome);
    let value = |(case, native, wasm): &(Case, Times, Option<Times>)| {
        let times = |times: &Times| {
            json!({
                "privatize_ns": times.privatize, "tape_ns": times.tape, "accumulate_ns": times.accumulate, "accumulate_all_ns": times.accumulate_all,
                "support_ns": times.support, "decode_ns": times.decode(),
            })
        };
        json!({
            "mechanism": case.describe(), "k": case.k, "epsilon": case.epsilon, "native": times(native),
            "wasm": wasm.as_ref().map(times),
        })
    };
    outcome.keep("time", rows.iter().map(value).collect());
}

fn judge(rows: &[(Case, Times, Option<Times>)], outcome: &mut Outcome) {
    let name = |case: &Case| case.randomizer.mechanism.name();
    let quick = |case: &Case| ["k-ary", "projective-geometry", "local-hashing"].contains(&name(case));
    let subset = |case: &Case| name(case) == "subset-selection" && case.k == 64;
    let place = |case: &Case| format!("{} k {} ε {}", case.describe(), case.k, case.epsilon);
    let mut privatize = |text: &str, which: &dyn Fn(&Case) -> bool, native_limit: f64, wasm_limit: f64| {
        let chosen = || rows.iter().filter(|(case, ..)| which(case));
        let native = chosen().map(|(case, native, _)| (place(case), native.net()));
        outcome.target(&format!("privatize {text} ≤ {native_limit} ns native"), native, |ns| ns <= native_limit);
        let wasm = chosen().filter_map(|(case, _, wasm)| Some((place(case), wasm.as_ref()?.net())));
        outcome.target(&format!("privatize {text} ≤ {wasm_limit} ns wasm"), wasm, |ns| ns <= wasm_limit);
    };
    privatize("k-ary, projective geometry, hashing", &quick, 50.0, 150.0);
    privatize("subset selection at k = 64", &subset, 200.0, 600.0);

    let hashing = |case: &Case| name(case) == "local-hashing" && case.k == 1_024;
    let decode = |which: &dyn Fn(&Case) -> bool| -> Vec<(String, f64)> {
        rows.iter().filter(|(case, ..)| which(case)).map(|(case, native, _)| (place(case), native.decode())).collect()
    };
    outcome.target("decode ≤ 50 ns a report", decode(&|case| !hashing(case)), |ns| ns <= 50.0);
    outcome.target("decode of hashing at k = 1024 ≤ 300 ns a report", decode(&hashing), |ns| ns <= 300.0);
}

/// A case in this process.
pub(crate) fn measure(case: &Case, batches: usize) -> Times {
    let mut work = Work::new(case);
    let reports = REPORTS as f64;
    Times {
        privatize: median(batches, &mut work, Work::pay, Work::privatize) / reports,
        tape: median(batches, &mut work, |_| (), Work::replay) / reports,
        accumulate: median(batches, &mut work, |_| (), Work::accumulate) / reports,
        accumulate_all: median(batches, &mut work, |_| (), Work::accumulate_all) / reports,
        support: median(batches, &mut work, |_| (), |work| work.support()),
    }
}

/// Median nanoseconds of a call.
fn median(batches: usize, work: &mut Work, prepare: impl Fn(&mut Work), call: impl Fn(&mut Work)) -> f64 {
    let mut times: Vec<Duration> = (0..batches)
        .map(|_| {
            prepare(work);
            let began = clock();
            call(work);
            clock() - began
        })
        .collect();
    times.sort_unstable();
    times[batches / 2].as_nanos() as f64
}

/// Processor time of this thread: other processes on the machine do not count.
#[cfg(unix)]
fn clock() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Wall time, where the processor's is not to be had.
#[cfg(not(unix))]
fn clock() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970")
}

/// All cases under Node.
fn node(module: &Path) -> Result<Vec<Times>, String> {
    let output = Command::new("node").arg("benches/privacy.mjs").arg(module).output();
    let output = output.map_err(|error| format!("cannot start node: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("node printed no figures: {error}"))
}
