//! The true output law, enumerated through the module.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | draw | [`Draw`] | one uniform integer of a report |
//! | piece | `Piece` | values of a draw between which no report changes, whatever the other draws are |
//! | completion | | values of the other draws, held while one draw is moved |
//! | weight | | number of accepted values; those of a `Value` draw all have equally many words |
//!
//! **Decisions** are cut into pieces by bisection: the module runs at the ends of the range, on both sides of every
//! documented boundary and at random places, each with several completions; wherever two neighbors give different
//! reports the change is located to the integer. Values that are drawn again make a piece of their own, which has no
//! weight. **Values** are taken one by one. A draw that does not matter in a branch is counted and not followed. A
//! report's probability is the sum over all ways to it of the product of weights, over the product of all accepted
//! values: an exact fraction.
//!
//! **Selection sampling** is followed as a tree: with n left and m places left, the last word that is documented to
//! take (value m−1) and the first that is not (value m) are both run, at each step of each way.
//!
//! **What holds it together**: afterwards many reports are made with random bytes in all draws, and each must be the
//! one that the enumerated tree gives. What is left is a piece so small that no bisection or random report met it, at
//! a place that no document names.

use std::collections::HashMap;

use num_bigint::BigUint;

use crate::plan::{Draw, Edge, rejected_word};
use crate::probe::{Known, Probe, ProbeError};
use crate::tape::{Chance, Tape};

/// Why a law cannot be what was claimed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Violation {
    /// The module failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The draws are not the documented ones, or a report is not the one that the law foretells.
    #[error("{0}")]
    Draws(String),
}

/// A fraction of non-negative integers.
#[derive(Debug, Clone)]
pub struct Fraction {
    /// Above the line.
    pub numerator: BigUint,
    /// Below it; not 0.
    pub denominator: BigUint,
}

impl Fraction {
    /// Whether it exceeds another.
    #[must_use]
    pub fn exceeds(&self, other: &Self) -> bool {
        if self.denominator == other.denominator {
            return self.numerator > other.numerator;
        }
        &self.numerator * &other.denominator > &other.numerator * &self.denominator
    }

    /// In lowest terms.
    #[must_use]
    pub fn reduced(&self) -> Self {
        let (mut a, mut b) = (self.numerator.clone(), self.denominator.clone());
        while b != BigUint::ZERO {
            (a, b) = (b.clone(), a % b);
        }
        Self { numerator: &self.numerator / &a, denominator: &self.denominator / &a }
    }

    /// This over another.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        Self { numerator: &self.numerator * &other.denominator, denominator: &self.denominator * &other.numerator }
    }
}

/// The law of the reports of one symbol.
#[derive(Debug, Clone)]
pub struct Law {
    /// Weight of each report.
    pub weights: HashMap<Vec<u8>, BigUint>,
    /// Their sum.
    pub total: BigUint,
}

/// The largest and the least probability of each report, over laws of several symbols.
#[derive(Debug, Default)]
pub struct Extremes {
    laws: usize,
    most_and_least: HashMap<Vec<u8>, (Fraction, Fraction, usize)>,
}

impl Extremes {
    /// Takes a law in.
    pub fn add(&mut self, law: Law) {
        self.laws += 1;
        for (report, numerator) in law.weights {
            let here = Fraction { numerator, denominator: law.total.clone() };
            match self.most_and_least.get_mut(&report) {
                None => {
                    self.most_and_least.insert(report, (here.clone(), here, 1));
                }
                Some((most, least, seen)) => {
                    *seen += 1;
                    if here.exceeds(most) {
                        *most = here;
                    } else if least.exceeds(&here) {
                        *least = here;
                    }
                }
            }
        }
    }

    /// The largest ratio.
    ///
    /// # Errors
    ///
    /// [`Violation`] when a report is possible for one symbol and not for another: then there is no ε.
    pub fn ratio(&self) -> Result<Fraction, Violation> {
        let mut worst: Option<Fraction> = None;
        for (most, least, seen) in self.most_and_least.values() {
            if *seen < self.laws {
                return Err(Violation::Draws("a report is possible for one symbol and impossible for another".into()));
            }
            let ratio = most.over(least);
            if worst.as_ref().is_none_or(|worst| ratio.exceeds(worst)) {
                worst = Some(ratio);
            }
        }
        worst.ok_or_else(|| Violation::Draws("no report was made".into()))
    }

    /// Number of different reports.
    #[must_use]
    pub fn reports(&self) -> usize {
        self.most_and_least.len()
    }
}

/// The largest ratio between two laws.
///
/// # Errors
///
/// As [`Extremes::ratio`].
pub fn ratio_between(one: &Law, other: &Law) -> Result<Fraction, Violation> {
    let mut extremes = Extremes::default();
    extremes.add(one.clone());
    extremes.add(other.clone());
    extremes.ratio()
}

/// Values of a decision between which no report changes.
#[derive(Debug, Clone)]
struct Piece {
    /// Reports with each completion.
    prints: Vec<Vec<u8>>,
    /// First and last value of each interval.
    intervals: Vec<(u128, u128)>,
    weight: u128,
}

impl Piece {
    fn representative(&self) -> u128 {
        self.intervals[0].0
    }
}

/// Runs a probe on chosen draws.
#[allow(missing_debug_implementations, reason = "holds a probe")]
pub struct Enumerator<'p> {
    probe: &'p mut dyn Probe,
    known: Known,
    chance: Chance,
    tape: Tape,
    bytes: Vec<u8>,
    /// Runs so far.
    pub runs: u64,
}

/// A value of each draw.
type Values = Vec<(u128, Edge)>;

impl<'p> Enumerator<'p> {
    /// For reports with this coin and memo key; `seed` fixes the test points.
    pub fn new(probe: &'p mut dyn Probe, known: Known, seed: u64) -> Self {
        Self { probe, known, chance: Chance::seeded(seed), tape: Tape::script(Vec::new()), bytes: Vec::new(), runs: 0 }
    }

    /// Goes on with another coin and memo key.
    pub fn know(&mut self, known: Known) {
        self.known = known;
    }

    /// The report of a tape; `None` if it ran out. A report that left bytes over is an error.
    fn run(&mut self, symbol: u32) -> Result<Option<Vec<u8>>, Violation> {
        self.runs += 1;
        self.tape.rewind(&self.bytes);
        let report = self.probe.report(symbol, &self.known, &mut self.tape)?;
        match self.tape.left() {
            left if left > 0 && report.is_some() => Err(Violation::Draws(format!(
                "symbol {symbol}: {left} of {} documented bytes of entropy were not drawn",
                self.bytes.len()
            ))),
            _ => Ok(report),
        }
    }

    fn at(&mut self, symbol: u32, draws: &[Draw], values: &[(u128, Edge)]) -> Result<Option<Vec<u8>>, Violation> {
        self.bytes.clear();
        for (draw, (value, edge)) in draws.iter().zip(values) {
            draw.write(*value, *edge, &mut self.chance, &mut self.bytes);
        }
        self.run(symbol)
    }

    fn must(&mut self, symbol: u32, draws: &[Draw], values: &[(u128, Edge)]) -> Result<Vec<u8>, Violation> {
        self.at(symbol, draws, values)?.ok_or_else(|| {
            Violation::Draws(format!("symbol {symbol}: more entropy was drawn than is documented for accepted values"))
        })
    }

    /// The law of a symbol under a plan of plain draws, and a check of it on random tapes.
    ///
    /// # Errors
    ///
    /// [`Violation`].
    pub fn law(&mut self, symbol: u32, draws: &[Draw], foretell: u64) -> Result<Law, Violation> {
        let tree = self.tree(symbol, draws)?;
        let mut law = Law { weights: HashMap::new(), total: BigUint::from(1_u8) };
        for (draw, pieces) in draws.iter().zip(&tree.pieces) {
            law.total *= match pieces {
                Some(pieces) => BigUint::from(pieces.iter().map(|piece| piece.weight).sum::<u128>()),
                None => BigUint::from(draw.bound()),
            };
        }
        let mut walk = Walk { values: Vec::new(), branch: Vec::new(), law: &mut law, matters: HashMap::new() };
        self.follow(symbol, draws, &tree, &mut walk, BigUint::from(1_u8))?;
        let mut matters = walk.matters;
        for _ in 0..foretell {
            self.foretell(symbol, draws, &tree, &mut matters)?;
        }
        Ok(law)
    }

    /// For each decision its pieces.
    fn tree(&mut self, symbol: u32, draws: &[Draw]) -> Result<Tree, Violation> {
        let mut pieces = Vec::new();
        for (index, draw) in draws.iter().enumerate() {
            pieces.push(if draw.is_decision() { Some(self.pieces(symbol, draws, index)?) } else { None });
            if let Draw::Value { bound } = draw {
                self.check_words(symbol, draws, index, *bound)?;
            }
        }
        Ok(Tree { pieces })
    }

    /// Each value's first and last word give one report, and words that are to be drawn again are.
    fn check_words(&mut self, symbol: u32, draws: &[Draw], index: usize, bound: u32) -> Result<(), Violation> {
        let completions = self.completions(draws, index, 4);
        let spread = u64::from(bound).min(64);
        for step in 0..spread {
            let value = (step * u64::from(bound) / spread) as u32;
            for completion in &completions {
                let mut values = completion.clone();
                values[index] = (u128::from(value), Edge::First);
                let first = self.must(symbol, draws, &values)?;
                values[index].1 = Edge::Last;
                if first != self.must(symbol, draws, &values)? {
                    return Err(Violation::Draws(format!(
                        "symbol {symbol}: draw {index} has words of one value that give different reports"
                    )));
                }
            }
            if let Some(word) = rejected_word(bound, value) {
                self.bytes.clear();
                for (place, draw) in draws.iter().enumerate() {
                    let (value, edge) = completions[0][place];
                    if place == index {
                        self.bytes.extend_from_slice(&word.to_be_bytes());
                    } else {
                        draw.write(value, edge, &mut self.chance, &mut self.bytes);
                    }
                }
                if self.run(symbol)?.is_some() {
                    return Err(Violation::Draws(format!(
                        "symbol {symbol}: draw {index} takes a word that would make its values unequal"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Values of all draws, among which one is to be moved: both sides of every other decision, and random ones.
    fn completions(&mut self, draws: &[Draw], moved: usize, random: usize) -> Vec<Values> {
        let decisions: Vec<usize> =
            (0..draws.len()).filter(|index| *index != moved && draws[*index].is_decision()).collect();
        let mut completions = Vec::new();
        let any = |draw: &Draw, chance: &mut Chance| (chance.below_u128(draw.bound()), Edge::Any);
        for low in [true, false] {
            let end = |draw: &Draw| if low { (0, Edge::First) } else { (draw.bound() - 1, Edge::Last) };
            completions.push(draws.iter().map(end).collect());
        }
        if decisions.len() <= 3 {
            for sides in 0..1_usize << decisions.len() {
                let mut values: Values = draws.iter().map(|draw| any(draw, &mut self.chance)).collect();
                for (place, index) in decisions.iter().enumerate() {
                    values[*index] =
                        if sides >> place & 1 == 0 { (0, Edge::Any) } else { (draws[*index].bound() - 1, Edge::Any) };
                }
                completions.push(values);
            }
        }
        for _ in 0..random {
            completions.push(draws.iter().map(|draw| any(draw, &mut self.chance)).collect());
        }
        completions
    }

    fn pieces(&mut self, symbol: u32, draws: &[Draw], index: usize) -> Result<Vec<Piece>, Violation> {
        let draw = &draws[index];
        let completions = self.completions(draws, index, 4);
        let last = draw.last();
        let mut points = vec![0, draw.bound() - 1, draw.bound().min(last), last];
        match draw {
            Draw::Wide { hints, .. } => {
                points.extend(hints.iter().flat_map(|hint| [hint.saturating_sub(1), *hint]));
            }
            Draw::Share { hint, .. } => points.extend([u128::from(*hint - 1), u128::from(*hint)]),
            _ => {}
        }
        for _ in 0..if last < 2 { 0 } else { 40 } {
            points.push(self.chance.below_u128(last + 1));
        }
        points.retain(|point| *point <= last);
        points.sort_unstable();
        points.dedup();

        let mut found: Vec<Piece> = Vec::new();
        let mut start = points[0];
        let mut print = self.print(symbol, draws, index, &completions, start)?;
        let mut at = start;
        for point in points.into_iter().skip(1) {
            loop {
                let there = self.print(symbol, draws, index, &completions, point)?;
                if there == print {
                    break;
                }
                // The change nearest to `at`: the print at `low` is the one here, the one at `high` is another.
                let (mut low, mut high, mut print_high) = (at, point, there);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    let print_middle = self.print(symbol, draws, index, &completions, middle)?;
                    if print_middle == print {
                        low = middle;
                    } else {
                        (high, print_high) = (middle, print_middle);
                    }
                }
                add(&mut found, std::mem::replace(&mut print, print_high), start, low);
                (start, at) = (high, high);
            }
            at = point;
        }
        add(&mut found, print, start, last);
        // What is drawn again has no report.
        found.retain(|piece| !piece.prints.is_empty());
        if found.is_empty() {
            return Err(Violation::Draws(format!("symbol {symbol}: draw {index} accepts nothing")));
        }
        Ok(found)
    }

    /// The reports with each completion; none if the value is drawn again.
    fn print(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        index: usize,
        completions: &[Values],
        value: u128,
    ) -> Result<Vec<Vec<u8>>, Violation> {
        let mut prints = Vec::with_capacity(completions.len());
        for (count, completion) in completions.iter().enumerate() {
            let mut values = completion.clone();
            values[index] = (value, if count % 2 == 0 { Edge::First } else { Edge::Last });
            match self.at(symbol, draws, &values)? {
                Some(report) => prints.push(report),
                None if prints.is_empty() => return Ok(prints),
                None => {
                    return Err(Violation::Draws(format!(
                        "symbol {symbol}: whether draw {index} is drawn again depends on other draws"
                    )));
                }
            }
        }
        Ok(prints)
    }

    /// Whether a draw changes the report in a branch of the decisions before it.
    fn matters(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        branch: &[(usize, u128)],
        index: usize,
    ) -> Result<bool, Violation> {
        let bound = draws[index].bound();
        let mut tests = vec![0, bound / 2, bound - 1];
        tests.extend((0..4).map(|_| self.chance.below_u128(bound)));
        for completion in self.completions(draws, index, 6) {
            let mut first: Option<Vec<u8>> = None;
            for value in &tests {
                let mut values = completion.clone();
                for (decision, value) in branch {
                    values[*decision] = (*value, Edge::Any);
                }
                values[index] = (*value, Edge::Any);
                let report = self.must(symbol, draws, &values)?;
                if first.get_or_insert_with(|| report.clone()) != &report {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn follow(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        tree: &Tree,
        walk: &mut Walk<'_>,
        weight: BigUint,
    ) -> Result<(), Violation> {
        let index = walk.values.len();
        let Some(draw) = draws.get(index) else {
            let report = self.must(symbol, draws, &walk.values)?;
            *walk.law.weights.entry(report).or_default() += weight;
            return Ok(());
        };
        if let Some(pieces) = &tree.pieces[index] {
            for piece in pieces {
                walk.values.push((piece.representative(), Edge::First));
                walk.branch.push((index, piece.representative()));
                self.follow(symbol, draws, tree, walk, &weight * piece.weight)?;
                walk.branch.pop();
                walk.values.pop();
            }
            return Ok(());
        }
        let key = (index, walk.branch.clone());
        let matters = match walk.matters.get(&key) {
            Some(matters) => *matters,
            None => {
                let matters = self.matters(symbol, draws, &walk.branch, index)?;
                walk.matters.insert(key, matters);
                matters
            }
        };
        let (values, weight) = if matters { (draw.bound(), weight) } else { (1, weight * draw.bound()) };
        for value in 0..values {
            walk.values.push((value, Edge::First));
            self.follow(symbol, draws, tree, walk, weight.clone())?;
            walk.values.pop();
        }
        Ok(())
    }

    /// Makes a report with random draws and compares it with the one that the tree gives.
    fn foretell(&mut self, symbol: u32, draws: &[Draw], tree: &Tree, matters: &mut Matters) -> Result<(), Violation> {
        let mut random = Values::new();
        let mut foretold = Values::new();
        let mut branch = Vec::new();
        for (index, draw) in draws.iter().enumerate() {
            match &tree.pieces[index] {
                Some(pieces) => {
                    // A piece at random, so that rare branches are met too; then a value of it.
                    let piece = &pieces[self.chance.below(pieces.len() as u64) as usize];
                    let (first, last) = piece.intervals[self.chance.below(piece.intervals.len() as u64) as usize];
                    random.push((first + self.chance.below_u128(last - first + 1), Edge::Any));
                    foretold.push((piece.representative(), Edge::First));
                    branch.push((index, piece.representative()));
                }
                None => {
                    let value = self.chance.below_u128(draw.bound());
                    random.push((value, Edge::Any));
                    let key = (index, branch.clone());
                    let matters = match matters.get(&key) {
                        Some(matters) => *matters,
                        None => {
                            let found = self.matters(symbol, draws, &branch, index)?;
                            matters.insert(key, found);
                            found
                        }
                    };
                    foretold.push((if matters { value } else { 0 }, Edge::First));
                }
            }
        }
        if self.must(symbol, draws, &random)? == self.must(symbol, draws, &foretold)? {
            Ok(())
        } else {
            Err(Violation::Draws(format!("symbol {symbol}: a random report is not the one that the law foretells")))
        }
    }

    /// P\[bit i of the report is set\] for each bit that a draw of its own decides, when there are too many reports
    /// to list: draw 0 is a fair bit, draw i+1 decides bit i.
    ///
    /// # Errors
    ///
    /// [`Violation`] when a draw moves another bit than its own.
    pub fn bits(&mut self, symbol: u32, draws: &[Draw], foretell: u64) -> Result<Vec<Fraction>, Violation> {
        let bit = |report: &[u8], index: usize| report[report.len() - 1 - index / 8] >> (index % 8) & 1;
        let tree = self.tree(symbol, draws)?;
        let mut chances = Vec::new();
        for index in 0..draws.len() - 1 {
            // The bit of the true symbol is the fair one.
            let decider = if index == symbol as usize { 0 } else { index + 1 };
            let pieces = tree.pieces[decider].as_ref().expect("a decision");
            let (mut set, mut total) = (0_u128, 0_u128);
            for piece in pieces {
                let value = bit(&piece.prints[0], index);
                if piece.prints.iter().any(|report| bit(report, index) != value) {
                    return Err(Violation::Draws(format!("symbol {symbol}: bit {index} depends on several draws")));
                }
                total += piece.weight;
                set += u128::from(value) * piece.weight;
            }
            chances.push(Fraction { numerator: BigUint::from(set), denominator: BigUint::from(total) });
        }
        let mut matters = HashMap::new();
        for _ in 0..foretell {
            self.foretell(symbol, draws, &tree, &mut matters)?;
        }
        Ok(chances)
    }
}

/// Selection sampling.
impl Enumerator<'_> {
    /// The law of a symbol when a decision is followed by selection sampling, by following every way.
    ///
    /// # Errors
    ///
    /// [`Violation`].
    pub fn selection_law(
        &mut self,
        symbol: u32,
        keep: &Draw,
        domain: u32,
        size: u32,
        foretell: u64,
    ) -> Result<Law, Violation> {
        let (draws, pieces) = self.keep_pieces(symbol, keep, domain)?;
        let mut law = Law { weights: HashMap::new(), total: BigUint::from(1_u8) };
        law.total *= BigUint::from(pieces.iter().map(|piece| piece.weight).sum::<u128>());
        (1..domain).for_each(|n| law.total *= n);
        for (piece, size) in pieces.iter().zip([size - 1, size]) {
            let value = piece.representative();
            let start = Ways { inner: vec![(value, Edge::First)], outer: vec![(value, Edge::First)] };
            self.select(symbol, &draws, start, size, BigUint::from(piece.weight), &mut law)?;
        }
        for _ in 0..foretell {
            self.foretell_selection(symbol, &draws, &pieces, size)?;
        }
        Ok(law)
    }

    /// The weights of keeping and of not keeping, and a check of each step m of n with both its edges in random
    /// contexts.
    ///
    /// # Errors
    ///
    /// [`Violation`].
    pub fn selection_branches(
        &mut self,
        symbol: u32,
        keep: &Draw,
        domain: u32,
        size: u32,
        foretell: u64,
    ) -> Result<[u128; 2], Violation> {
        let (draws, pieces) = self.keep_pieces(symbol, keep, domain)?;
        for (piece, size) in pieces.iter().zip([size - 1, size]) {
            for step in 0..domain - 1 {
                let n = domain - 1 - step;
                // Of the steps before, some took; what is left must fit in what is left.
                for taken in size.saturating_sub(n)..=step.min(size) {
                    let m = size - taken;
                    if m == 0 || m == n {
                        continue;
                    }
                    for edge in [m - 1, m] {
                        self.check_step(symbol, &draws, piece, (step, taken, size), edge)?;
                    }
                }
            }
        }
        for _ in 0..foretell {
            self.foretell_selection(symbol, &draws, &pieces, size)?;
        }
        Ok([pieces[0].weight, pieces[1].weight])
    }

    /// Two pieces, the one that keeps first.
    fn keep_pieces(&mut self, symbol: u32, keep: &Draw, domain: u32) -> Result<(Vec<Draw>, Vec<Piece>), Violation> {
        let steps = (0..domain - 1).map(|step| Draw::Value { bound: domain - 1 - step });
        let draws: Vec<Draw> = std::iter::once(keep.clone()).chain(steps).collect();
        let pieces = self.pieces(symbol, &draws, 0)?;
        if pieces.len() == 2 {
            Ok((draws, pieces))
        } else {
            Err(Violation::Draws(format!("symbol {symbol}: keeping the answer has {} outcomes, not 2", pieces.len())))
        }
    }

    fn select(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        ways: Ways,
        missing: u32,
        weight: BigUint,
        law: &mut Law,
    ) -> Result<(), Violation> {
        let index = ways.inner.len();
        let Some(draw) = draws.get(index) else {
            let report = self.must(symbol, draws, &ways.inner)?;
            if report != self.must(symbol, draws, &ways.outer)? {
                return Err(Violation::Draws(format!("symbol {symbol}: a step does not take m of its n values")));
            }
            *law.weights.entry(report).or_default() += weight;
            return Ok(());
        };
        let (n, m) = (draw.bound() as u32, missing);
        if m > 0 {
            let next = ways.and((0, Edge::First), (u128::from(m - 1), Edge::Last));
            self.select(symbol, draws, next, m - 1, &weight * m, law)?;
        }
        if m < n {
            let next = ways.and((u128::from(n - 1), Edge::Last), (u128::from(m), Edge::First));
            self.select(symbol, draws, next, m, &weight * (n - m), law)?;
        }
        Ok(())
    }

    /// One step at one edge: the value beside the edge, at the word beside it, must give the report of an
    /// unmistakable value.
    fn check_step(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        piece: &Piece,
        (step, taken, size): (u32, u32, u32),
        value: u32,
    ) -> Result<(), Violation> {
        let mut values = vec![(piece.representative(), Edge::First)];
        // Which of the steps before took: `taken` of `step`, at random.
        let (mut left, mut places) = (step, taken);
        let mut missing = size;
        for index in 0..step {
            let n = draws[1 + index as usize].bound() as u32;
            let take = self.chance.below(u64::from(left)) < u64::from(places);
            values.push(unmistakable(take, n));
            (left, places, missing) =
                if take { (left - 1, places - 1, missing - 1) } else { (left - 1, places, missing) };
        }
        let n = draws[1 + step as usize].bound() as u32;
        let take = value < missing;
        values.push((u128::from(value), if take { Edge::Last } else { Edge::First }));
        let mut canonical = values.clone();
        canonical[1 + step as usize] = unmistakable(take, n);
        missing -= u32::from(take);
        for draw in &draws[2 + step as usize..] {
            let n = draw.bound() as u32;
            let take = self.chance.below(u64::from(n)) < u64::from(missing);
            let next = unmistakable(take, n);
            values.push(next);
            canonical.push(next);
            missing -= u32::from(take);
        }
        if self.must(symbol, draws, &values)? == self.must(symbol, draws, &canonical)? {
            Ok(())
        } else {
            Err(Violation::Draws(format!(
                "symbol {symbol}: with {n} left and {} places, value {value} is decided otherwise than documented",
                missing + u32::from(take)
            )))
        }
    }

    fn foretell_selection(
        &mut self,
        symbol: u32,
        draws: &[Draw],
        pieces: &[Piece],
        size: u32,
    ) -> Result<(), Violation> {
        let which = self.chance.below(2) as usize;
        let piece = &pieces[which];
        let (first, last) = piece.intervals[0];
        let mut random = vec![(first + self.chance.below_u128(last - first + 1), Edge::Any)];
        let mut canonical = vec![(piece.representative(), Edge::First)];
        let mut missing = if which == 0 { size - 1 } else { size };
        for draw in &draws[1..] {
            let n = draw.bound() as u32;
            let value = self.chance.below(u64::from(n)) as u32;
            let take = value < missing;
            random.push((u128::from(value), Edge::Any));
            canonical.push(unmistakable(take, n));
            missing -= u32::from(take);
        }
        if self.must(symbol, draws, &random)? == self.must(symbol, draws, &canonical)? {
            Ok(())
        } else {
            Err(Violation::Draws(format!("symbol {symbol}: a random report is not the one that the law foretells")))
        }
    }
}

/// A value that takes whenever any does, or one that takes only when all do.
fn unmistakable(take: bool, n: u32) -> (u128, Edge) {
    if take { (0, Edge::First) } else { (u128::from(n - 1), Edge::Last) }
}

struct Tree {
    /// For each decision its pieces; nothing for other draws.
    pieces: Vec<Option<Vec<Piece>>>,
}

type Matters = HashMap<(usize, Vec<(usize, u128)>), bool>;

struct Walk<'l> {
    values: Values,
    /// The decisions so far, by their representatives.
    branch: Vec<(usize, u128)>,
    law: &'l mut Law,
    matters: Matters,
}

/// One way through selection sampling, by values far from the edges and by values at them.
struct Ways {
    inner: Values,
    outer: Values,
}

impl Ways {
    fn and(&self, inner: (u128, Edge), outer: (u128, Edge)) -> Self {
        let extended = |values: &Values, next| values.iter().copied().chain([next]).collect();
        Self { inner: extended(&self.inner, inner), outer: extended(&self.outer, outer) }
    }
}

fn add(pieces: &mut Vec<Piece>, prints: Vec<Vec<u8>>, first: u128, last: u128) {
    let weight = last - first + 1;
    match pieces.iter_mut().find(|piece| piece.prints == prints) {
        Some(piece) => {
            piece.intervals.push((first, last));
            piece.weight += weight;
        }
        None => pieces.push(Piece { prints, intervals: vec![(first, last)], weight }),
    }
}
