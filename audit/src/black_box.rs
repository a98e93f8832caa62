//! What sampling shows: a lower bound on ε from reports made with the platform's entropy.
//!
//! Let E_uv be the event that a report speaks for symbol u and not for v. If P_u(y) ≤ e^ε P_v(y) for all y, u and v,
//! then A = avg P_u(E_uv) ≤ e^ε B = e^ε avg P_v(E_uv), the averages being over the same pairs. So ln of a lower bound
//! of A over an upper bound of B bounds ε from below. For each report a pair is drawn; the report of u is one trial
//! of A with (u, v) and one of B with (v, u).
//!
//! Where each report speaks for the same number w of k symbols, averaging over v leaves one unknown, p = P\[the
//! report speaks for the true symbol\]: A = p (k−w)/(k−1), B = (1−p) w/(k−1), and the bound is ln(p (k−w) / ((1−p)
//! w)) at the lower bound of p.
//!
//! A second test looks for what no theory names: the first half of the sample picks the output and the two symbols
//! that look worst, the second half tests them.

use driftglass::report::HEADER_BYTES;
use driftglass::spec::Question;

use crate::bound;
use crate::claims;
use crate::probe::{Known, Probe, ProbeError};
use crate::support::{Pairs, Support, number};
use crate::tape::{Chance, Tape};
use crate::verdict::BlackBox;

/// Most cells of the table in which outputs are counted by symbol.
const MAX_CELLS: u64 = 1 << 20;

/// Samples a question.
///
/// # Errors
///
/// [`ProbeError`] when the module fails.
pub fn sample(
    probe: &mut dyn Probe,
    question: &Question,
    reports: u64,
    error: f64,
    chance: Chance,
    mut choices: Chance,
) -> Result<BlackBox, ProbeError> {
    let (support, pairs) = Support::of(question);
    let constant = support.constant_size().filter(|_| matches!(pairs, Pairs::All(_)));
    let claim = question.epsilon_micronats as f64 / 1e6;
    let public = crate::exact::depends_on_known(question);
    let mut counts = (!public).then(|| Counts::new(question)).flatten();
    // Half of the error for each test; of it half for each bound of a quotient.
    let error_here = if counts.is_some() { error / 2.0 } else { error };

    let mut tape = Tape::endless(chance);
    let mut known: Known = [0; 48];
    let (mut hits, mut trials) = ([0_u64; 2], [0_u64; 2]);
    for index in 0..reports {
        let (symbol, other) = pairs.draw(&mut choices);
        if public {
            choices.fill(&mut known);
        }
        tape.forget_requests();
        let report = probe.report(symbol, &known, &mut tape)?;
        let report = report.ok_or_else(|| ProbeError("no report though there was entropy".into()))?;
        let payload = report.get(HEADER_BYTES..).filter(|payload| !payload.is_empty());
        let payload = payload.ok_or_else(|| ProbeError("a report without a payload".into()))?;
        let mut coin = [0; 16];
        coin.copy_from_slice(&known[..16]);
        let here = support.holds(payload, &coin, symbol);
        if constant.is_some() {
            trials[0] += 1;
            hits[0] += u64::from(here);
        } else {
            let there = support.holds(payload, &coin, other);
            if pairs != Pairs::First || symbol == 0 {
                trials[0] += 1;
                hits[0] += u64::from(here && !there);
            }
            if pairs != Pairs::First || symbol != 0 {
                trials[1] += 1;
                hits[1] += u64::from(there && !here);
            }
        }
        if let Some(counts) = &mut counts {
            if index == reports / 2 {
                counts.choose();
            }
            counts.take(symbol, number(payload));
        }
    }
    let lower_bound = match constant {
        Some(w) => {
            let (k, w) = (claims::symbols(question) as f64, w as f64);
            let p = bound::lower(hits[0], trials[0], error_here);
            libm::log(p * (k - w) / ((1.0 - p) * w))
        }
        None => quotient(hits, trials, error_here),
    };
    Ok(BlackBox {
        reports,
        event: support.in_words().to_owned(),
        lower_bound: lower_bound.max(0.0),
        found_lower_bound: counts.map(|counts| counts.bound(error / 2.0).max(0.0)),
        share_of_claim: lower_bound.max(0.0) / claim,
        error,
    })
}

/// ln of a lower bound of hits[0]/trials[0] over an upper bound of hits[1]/trials[1].
fn quotient(hits: [u64; 2], trials: [u64; 2], error: f64) -> f64 {
    let above = bound::lower(hits[0], trials[0], error / 2.0);
    let below = bound::upper(hits[1], trials[1], error / 2.0);
    libm::log(above / below)
}

/// Outputs by symbol.
struct Counts {
    symbols: usize,
    outputs: usize,
    cells: Vec<u64>,
    totals: Vec<u64>,
    /// The output, the symbol that it is likelier for, and the other; then hits and trials of the second half.
    chosen: Option<(usize, [usize; 2])>,
    hits: [u64; 2],
    trials: [u64; 2],
}

impl Counts {
    /// If the table is small.
    fn new(question: &Question) -> Option<Self> {
        let outputs = u64::try_from(claims::outputs(question)).ok()?;
        let symbols = claims::symbols(question);
        let cells = outputs.checked_mul(symbols).filter(|cells| *cells <= MAX_CELLS)?;
        Some(Self {
            symbols: symbols as usize,
            outputs: outputs as usize,
            cells: vec![0; cells as usize],
            totals: vec![0; symbols as usize],
            chosen: None,
            hits: [0; 2],
            trials: [0; 2],
        })
    }

    fn take(&mut self, symbol: u32, output: u64) {
        let symbol = symbol as usize;
        match self.chosen {
            Some((chosen, symbols)) => {
                for (which, of) in symbols.into_iter().enumerate() {
                    self.trials[which] += u64::from(of == symbol);
                    self.hits[which] += u64::from(of == symbol && output == chosen as u64);
                }
            }
            None if (output as usize) < self.outputs => {
                self.totals[symbol] += 1;
                self.cells[symbol * self.outputs + output as usize] += 1;
            }
            None => {}
        }
    }

    /// The output and symbols with the largest ratio when each count is moved three standard deviations toward the
    /// others.
    fn choose(&mut self) {
        let mut best = (f64::NEG_INFINITY, 0, [0, 0]);
        for output in 0..self.outputs {
            let share = |symbol: usize, deviations: f64| {
                let count = self.cells[symbol * self.outputs + output] as f64;
                let moved = count + deviations * libm::sqrt(count + 3.0);
                moved.max(1e-9) / (self.totals[symbol].max(1)) as f64
            };
            let seen = (0..self.symbols).filter(|symbol| self.totals[*symbol] > 0);
            let most = seen.clone().max_by(|a, b| share(*a, -3.0).total_cmp(&share(*b, -3.0)));
            let least = seen.min_by(|a, b| share(*a, 3.0).total_cmp(&share(*b, 3.0)));
            if let (Some(most), Some(least)) = (most, least) {
                let ratio = libm::log(share(most, -3.0) / share(least, 3.0));
                if most != least && ratio > best.0 {
                    best = (ratio, output, [most, least]);
                }
            }
        }
        self.chosen = Some((best.1, best.2));
    }

    fn bound(&self, error: f64) -> f64 {
        if self.trials.contains(&0) { 0.0 } else { quotient(self.hits, self.trials, error) }
    }
}
