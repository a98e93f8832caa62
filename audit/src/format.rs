//! The bytes of reports and the requests for entropy: neither may tell more than the payload.

use driftglass::privacy::{Payload, decoder_of};
use driftglass::report::{HEADER_BYTES, Report};
use driftglass::spec::{MonitorSpec, Question};

use crate::claims;
use crate::plan::Plan;
use crate::probe::{Known, Probe, ProbeError};
use crate::tape::{Chance, Tape};
use crate::verdict::{Check, ControlFlow, Part};

/// Tapes that each symbol is run with.
const TAPES: u64 = 48;
/// Symbols that are compared.
const SYMBOLS: u64 = 64;

/// Looks at the reports of several symbols, each with the same tapes.
///
/// # Errors
///
/// [`ProbeError`] when the module fails.
pub fn format(
    probe: &mut dyn Probe,
    spec: &MonitorSpec,
    index: u16,
    seed: u64,
) -> Result<(Vec<Check>, ControlFlow), ProbeError> {
    let question = &spec.questions[usize::from(index)];
    let mut chance = Chance::seeded(seed);
    let symbols = symbols(question, &mut chance);
    let length = HEADER_BYTES + spec.payload_len();
    let randomizer = decoder_of(question);
    let plan = Plan::of(question, 0).requests();

    let mut findings = Findings::default();
    let mut instructions = Instructions::default();
    // The module's allocator settles.
    for symbol in symbols.iter().take(4) {
        probe.report(*symbol, &[0; 48], &mut Tape::endless(Chance::seeded(seed)))?;
    }
    for _ in 0..TAPES {
        let tape_seed = chance.word();
        let mut known: Known = [0; 48];
        chance.fill(&mut known);
        let mut first: Option<(Vec<u8>, Vec<u32>)> = None;
        for &symbol in &symbols {
            let mut tape = Tape::endless(Chance::seeded(tape_seed));
            let Some(report) = probe.report(symbol, &known, &mut tape)? else {
                return Err(ProbeError("no report though there was entropy".into()));
            };
            findings.lengths += u64::from(report.len() != length);
            findings.not_canonical += u64::from(!is_canonical(&report, &*randomizer));
            findings.headers += u64::from(!has_header(&report, spec, index, &known));
            let header = report.get(..HEADER_BYTES).unwrap_or(&report).to_vec();
            let requests = tape.requests().to_vec();
            findings.undocumented += u64::from(!is_documented(&requests, &plan));
            if requests == plan
                && let Some(count) = probe.instructions()
            {
                instructions.add(&report, count);
            }
            let (first_header, first_requests) = first.get_or_insert_with(|| (header.clone(), requests.clone()));
            findings.headers += u64::from(*first_header != header);
            findings.requests += u64::from(*first_requests != requests);
            findings.reports += 1;
        }
    }
    findings.open = failures_of_entropy(probe, &symbols, &plan, seed)?;
    Ok((findings.checks(length, symbols.len(), &plan), instructions.verdict()))
}

fn symbols(question: &Question, chance: &mut Chance) -> Vec<u32> {
    let all = claims::symbols(question);
    if all <= SYMBOLS {
        (0..all as u32).collect()
    } else {
        let ends = [0, 1, (all - 1) as u32];
        ends.into_iter().chain((0..SYMBOLS - 3).map(|_| chance.below(all) as u32)).collect()
    }
}

fn is_canonical(report: &[u8], randomizer: &dyn driftglass::privacy::Decoder) -> bool {
    let Ok(decoded) = Report::decode(report) else { return false };
    let payload = Payload::from_bytes(&decoded.payload);
    let checked = payload.and_then(|payload| {
        randomizer.check(&payload)?;
        Ok(payload.to_bytes(decoded.payload.len()) == decoded.payload)
    });
    decoded.encode() == report && checked == Ok(true)
}

fn has_header(report: &[u8], spec: &MonitorSpec, index: u16, known: &Known) -> bool {
    Report::decode(report).is_ok_and(|decoded| {
        decoded.spec_id == spec.id() && decoded.question == index && decoded.report_id == known[..16]
    })
}

/// The documented requests in their order, with others among them where a draw was not accepted: those have the size
/// of a draw or of one word.
fn is_documented(requests: &[u32], plan: &[u32]) -> bool {
    let mut planned = plan.iter().peekable();
    for length in requests {
        if planned.peek() == Some(&length) {
            planned.next();
        } else if *length != 4 && !plan.contains(length) {
            return false;
        }
    }
    planned.peek().is_none()
}

/// For each request that is refused: whether a report was made all the same.
fn failures_of_entropy(probe: &mut dyn Probe, symbols: &[u32], plan: &[u32], seed: u64) -> Result<u64, ProbeError> {
    let mut chance = Chance::seeded(seed);
    let mut open = 0;
    let mut given = 0;
    for request in plan.iter().take(16) {
        for symbol in symbols.iter().take(4) {
            let mut bytes = vec![0; given];
            chance.fill(&mut bytes);
            open += u64::from(probe.report(*symbol, &[0; 48], &mut Tape::script(bytes))?.is_some());
        }
        given += *request as usize;
    }
    Ok(open)
}

#[derive(Default)]
struct Findings {
    reports: u64,
    lengths: u64,
    not_canonical: u64,
    headers: u64,
    requests: u64,
    undocumented: u64,
    open: u64,
}

impl Findings {
    fn checks(&self, length: usize, symbols: usize, plan: &[u32]) -> Vec<Check> {
        let n = self.reports;
        let check = |name, wrong: u64, good: String, bad: String| {
            Check::new(
                name,
                Part::Format,
                wrong == 0,
                if wrong == 0 { good } else { format!("{wrong} of {n} reports {bad}") },
            )
        };
        let bytes: u32 = plan.iter().sum();
        vec![
            check(
                "one-length",
                self.lengths,
                format!("each of {n} reports of {symbols} symbols has {length} bytes"),
                format!("have not {length} bytes"),
            ),
            check(
                "canonical",
                self.not_canonical,
                format!("each of {n} reports decodes and encodes to the same bytes"),
                "are not the one encoding of an output".to_owned(),
            ),
            check(
                "header-known-before",
                self.headers,
                "no byte outside the payload depends on symbol or entropy".to_owned(),
                "have a header that depends on symbol or entropy".to_owned(),
            ),
            check(
                "entropy-same-for-all-symbols",
                self.requests,
                format!(
                    "with one tape every symbol asks for the same entropy, whether the answer is kept or not \
                        ({bytes} bytes in {} requests)",
                    plan.len()
                ),
                "ask for other entropy than those of another symbol".to_owned(),
            ),
            check(
                "entropy-fresh-and-documented",
                self.undocumented,
                "every report draws all of its entropy anew, as documented".to_owned(),
                "do not draw the documented entropy".to_owned(),
            ),
            Check::new(
                "fails-closed",
                Part::Format,
                self.open == 0,
                if self.open == 0 {
                    "no report is made when a request for entropy is refused".to_owned()
                } else {
                    format!("{} reports were made though entropy was refused", self.open)
                },
            ),
        ]
    }
}

/// Instructions by report.
#[derive(Default)]
struct Instructions {
    by_report: std::collections::HashMap<Vec<u8>, (u64, u64)>,
    repeated: u64,
    least: u64,
    most: u64,
}

impl Instructions {
    fn add(&mut self, report: &[u8], count: u64) {
        let first = self.by_report.is_empty();
        self.least = if first { count } else { self.least.min(count) };
        self.most = self.most.max(count);
        // The report id is no part of the answer.
        let output = report.get(HEADER_BYTES..).unwrap_or_default().to_vec();
        let entry = self.by_report.entry(output);
        if let std::collections::hash_map::Entry::Occupied(_) = &entry {
            self.repeated += 1;
        }
        let (least, most) = entry.or_insert((count, count));
        (*least, *most) = ((*least).min(count), (*most).max(count));
    }

    fn verdict(self) -> ControlFlow {
        if self.by_report.is_empty() {
            return ControlFlow {
                constant: false,
                least: 0,
                most: 0,
                note: "instructions were not counted".to_owned(),
            };
        }
        let constant = self.by_report.values().all(|(least, most)| least == most);
        let note = if self.least == self.most {
            "every report took the same number of instructions".to_owned()
        } else if constant {
            format!(
                "the same payload took the same number of instructions for every symbol ({} repetitions); different \
                    reports differ, which tells nothing that they do not",
                self.repeated
            )
        } else {
            "the same payload took different numbers of instructions".to_owned()
        };
        ControlFlow { constant, least: self.least, most: self.most, note }
    }
}
