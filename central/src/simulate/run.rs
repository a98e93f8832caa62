//! One run: a fleet, its reports, and what the detector says about them.
//!
//! In each window each device that takes part is asked one question, drawn by the spec's weights. Its answer is paid
//! for from a ledger of its own under the spec's caps, hidden by the randomizer that ships, with a public coin and
//! fresh entropy from a seeded stream, and added to the sums of its segment. The detector is [`verdicts()`], as the
//! centre calls it, after the last window has closed: what it says of a window depends on that window and earlier ones
//! alone.
//!
//! The reference is made from the first windows as `driftglass reference` does from closed windows: pooled, with its
//! own noise. Those windows are not judged. Groups, as in the centre, are held against their own first windows.
//!
//! A device that is poisoned sends, from the first window of the change on, one report that supports the target cell,
//! in whatever question it is asked.
//!
//! Not simulated: questions whose answers are not shares, and memoized answers, for which earlier windows make no
//! reference. They are asked and paid for, and nothing is scored. Devices do not come and go; none is asked twice in a
//! window.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::{Reference, pooled};
use driftglass::privacy::{Charge, Coin, Decoder, Draws, EntropyError, EntropySource, Ledger, MemoKey, Payload};
use driftglass::spec::{MonitorSpec, Question, WindowIndex};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::fleet::{Law, population};
use super::scenario::{Scenario, change_window, target};
use super::tally::RunTally;
use super::{Settings, uniform};
use crate::clock::Clock;
use crate::registry::Registered;
use crate::store::{Stratum, Sums, total};
use crate::verdicts::{merged, verdicts};

/// The first simulated window; any would do.
const FIRST: WindowIndex = 1_000;

/// Attempts to make a fixed report that supports a cell; the chance to fail is below 2^-64 for any mechanism that keeps
/// the true symbol with probability 1/2 or more, and the last attempt is sent then.
const ATTEMPTS: usize = 64;

/// A fleet over time.
pub(super) struct Fleet<'a> {
    pub(super) spec: &'a MonitorSpec,
    pub(super) scenario: Scenario,
    pub(super) settings: &'a Settings,
    /// None for questions that are not simulated.
    pub(super) laws: Vec<Option<Law>>,
}

/// Entropy from a seed, for simulated devices alone.
struct Seeded<'a>(&'a mut SmallRng);

impl EntropySource for Seeded<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill_bytes(buffer);
        Ok(())
    }
}

/// Whether a question can be simulated.
pub(super) fn is_simulated(question: &Question) -> bool {
    question.has_shares() && question.epoch_windows().is_none()
}

/// Draws a fleet and its reports, and judges them.
pub(super) fn run(
    spec: &MonitorSpec,
    reference: Option<&Reference>,
    scenario: Scenario,
    settings: &Settings,
    run: u64,
) -> RunTally {
    let mut rng = SmallRng::seed_from_u64(settings.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(run));
    let fleet = Fleet::draw(spec, reference, scenario, settings, &mut rng);
    let mut registered = Registered::passing(spec.clone(), None);
    let strata = fleet.reports(&registered.randomizers, &mut rng);
    let all = total(&registered, strata.values());
    let judged_from = FIRST + settings.reference_windows;
    let pool = |(question, sums): (&Question, &BTreeMap<WindowIndex, Aggregate>)| {
        pooled(question, &merged(sums.range(..judged_from).map(|(_, sum)| sum))).ok()
    };
    registered.reference = Some(Reference::passing(spec.id(), spec.questions.iter().zip(&all).map(pool).collect()));
    let judged: Sums =
        all.iter().map(|sums| sums.range(judged_from..).map(|(at, sum)| (*at, sum.clone())).collect()).collect();
    let last = judged_from + settings.windows - 1;
    let clock = Clock::simulated(spec.window.end_secs(last) + spec.window.grace_secs);
    let found = verdicts(&registered, &judged, &strata, &clock);
    RunTally::of(&fleet, &all, &strata, &found)
}

impl<'a> Fleet<'a> {
    fn draw(
        spec: &'a MonitorSpec,
        reference: Option<&Reference>,
        scenario: Scenario,
        settings: &'a Settings,
        rng: &mut SmallRng,
    ) -> Self {
        let law = |(index, question): (usize, &Question)| {
            is_simulated(question).then(|| {
                let shares = population(spec, index, reference);
                let change = scenario.change(spec, index, settings.question, &shares, settings.strength);
                Law::draw(shares, change, settings.fleet, settings.concentration, rng)
            })
        };
        let laws = spec.questions.iter().enumerate().map(law).collect();
        Self { spec, scenario, settings, laws }
    }

    /// Whether a device is one of those that change. Devices are alike, so these are the first ones.
    pub(super) fn changes(&self, device: usize) -> bool {
        let share = self.settings.affected.filter(|_| self.scenario.is_partial()).unwrap_or(self.scenario.affected());
        (device as f64) < (share * self.settings.fleet as f64).round()
    }

    /// The segment of a device: by turns, but where one segment changes it has those that change, and no others.
    pub(super) fn segment(&self, device: usize) -> u16 {
        let segments = self.spec.segments.len();
        let place = match self.scenario {
            Scenario::Segment if self.changes(device) => 1,
            Scenario::Segment => [0].into_iter().chain(2..segments).nth(device % (segments - 1)).unwrap_or(0),
            _ => device % segments,
        };
        place as u16
    }

    /// Judged windows before a window.
    pub(super) fn judged_before(&self, window: WindowIndex) -> i64 {
        i64::from(window) - i64::from(FIRST + self.settings.reference_windows)
    }

    /// The part of the change that is in force in a window.
    pub(super) fn in_force(&self, window: WindowIndex) -> f64 {
        self.scenario.in_force(self.judged_before(window), self.settings.windows)
    }

    /// The sums of all reports, by segment.
    fn reports(&self, randomizers: &[Box<dyn Decoder>], rng: &mut SmallRng) -> BTreeMap<Stratum, Sums> {
        let settings = self.settings;
        let weights: u64 = self.spec.questions.iter().map(|question| u64::from(question.weight)).sum();
        let fixed: Vec<_> =
            self.laws.iter().zip(randomizers).map(|(law, randomizer)| fixed(law, randomizer.as_ref(), rng)).collect();
        let mut ledgers = vec![Ledger::default(); settings.fleet];
        let mut turns = vec![0; settings.fleet];
        let empty = || vec![BTreeMap::new(); self.spec.questions.len()];
        let mut strata: BTreeMap<Stratum, Sums> = BTreeMap::new();
        for window in FIRST..FIRST + settings.reference_windows + settings.windows {
            let in_force = self.in_force(window);
            let turn = window % self.spec.rotation_windows;
            let poisons = self.scenario == Scenario::Poisoned
                && self.judged_before(window) >= i64::from(change_window(settings.windows));
            for device in 0..settings.fleet {
                if turn == 0 || window == FIRST {
                    turns[device] = below(u64::from(self.spec.rotation_windows), rng) as u32;
                }
                if turns[device] != turn || uniform(rng) >= settings.participation {
                    continue;
                }
                let index = self.asked(below(weights, rng));
                let question = &self.spec.questions[index];
                let at_secs = self.spec.window.start_secs(window);
                let charge = Charge { at_secs, epsilon_micronats: question.epsilon_micronats };
                // A device whose budget is spent stays silent, as on a real one.
                let Ok(permit) = ledgers[device].spend(charge, &self.spec.caps) else { continue };
                let Some(law) = &self.laws[index] else { continue };
                let randomizer = randomizers[index].as_ref();
                let changes = self.changes(device);
                let (payload, coin) = match &fixed[index] {
                    Some(fixed) if poisons && changes => *fixed,
                    _ => {
                        let symbol = if uniform(rng) < settings.no_data {
                            question.no_data()
                        } else {
                            let changed = changes && uniform(rng) < in_force;
                            law.cell(device, changed, rng)
                        };
                        hide(randomizer, permit, symbol as u64, rng)
                    }
                };
                let stratum = Stratum { segment: self.segment(device), arm: 0 };
                let sum = strata.entry(stratum).or_insert_with(empty)[index]
                    .entry(window)
                    .or_insert_with(|| Aggregate::new(randomizer.counters()));
                // Cannot fail: the payload was made by this randomizer.
                sum.accumulate(randomizer, &payload, &coin).expect("an output");
            }
        }
        strata
    }

    /// The question that a number below the sum of all weights stands for.
    fn asked(&self, mut number: u64) -> usize {
        self.spec
            .questions
            .iter()
            .position(|question| {
                let weight = u64::from(question.weight);
                let found = number < weight;
                number = number.saturating_sub(weight);
                found
            })
            .unwrap_or(0)
    }
}

/// One report.
fn hide(
    randomizer: &dyn Decoder,
    permit: driftglass::privacy::Permit,
    symbol: u64,
    rng: &mut SmallRng,
) -> (Payload, Coin) {
    let (mut coin, mut memo) = ([0; 16], [0; 32]);
    rng.fill_bytes(&mut coin);
    rng.fill_bytes(&mut memo);
    let draws = Draws { coin: &coin, memo: &MemoKey::from_bytes(memo), entropy: &mut Seeded(rng) };
    // Cannot fail: a seeded stream always has entropy.
    (randomizer.privatize(permit, symbol, draws).expect("entropy"), coin)
}

/// A report that supports the target cell of a question.
fn fixed(law: &Option<Law>, randomizer: &dyn Decoder, rng: &mut SmallRng) -> Option<(Payload, Coin)> {
    let (law, oracle) = (law.as_ref()?, randomizer.oracle()?);
    let cell = target(&law.shares, false);
    let mut report = None;
    for _ in 0..ATTEMPTS {
        // Who forges a report owes nobody a debit; this one is of a ledger that nobody keeps.
        let charge = Charge { at_secs: 0, epsilon_micronats: 0 };
        let permit = Ledger::default().spend(charge, &[]).ok()?;
        let (payload, coin) = hide(randomizer, permit, cell as u64, rng);
        let mut counters = vec![0; randomizer.counters()];
        randomizer.accumulate(&payload, &coin, &mut counters).ok()?;
        report = Some((payload, coin));
        if oracle.support(&counters)[cell] > 0 {
            break;
        }
    }
    report
}

/// A uniform number below a bound, with a bias below 2^-32 for the bounds here.
fn below(bound: u64, rng: &mut SmallRng) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}
