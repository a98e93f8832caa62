//! A model of the host: two processes, one transactional store, a clock, and a server that keeps what it is sent.
//!
//! The store is that of `js/src/device/store/`: a transaction reads the committed contents and commits state and outbox entry
//! together or not at all; two transactions never overlap, the second waits (a lock, an IndexedDB read-write
//! transaction); when its owner dies, a transaction is gone; when its owner only slept until others took it for dead,
//! it fails. The order of calls is that of `js/src/device/device.ts` and `js/src/device/upload.ts`. Monitor, state and ledger are
//! the real ones.
//!
//! Every arrow below is one step of a trace, so that a kill, the other process or a jump of the clock can come between
//! any two:
//!
//! ```text
//! idle → asked (clock read) → open (store read) → due (window chosen) → ready (debited, privatized) → committed
//! idle → read (outbox copied) → sent (server has it, or had it and the answer was lost) → removed
//! ```

use driftglass::monitor::{AnswerError, Monitor};
use driftglass::observe::{Observation, Values};
use driftglass::privacy::{Charge, DeviceState, EntropyError, EntropySource, LedgerError};
use driftglass::spec::{MonitorSpec, WindowIndex};

use super::oracle::{Fault, Oracle};
use crate::entropy::Generator;

/// A host, as it should be or with one planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Does what the JavaScript package does.
    Honest,
    /// Commits the outbox but not the state.
    CommitsOutboxAlone,
    /// Commits the state but loses the report.
    CommitsStateAlone,
    /// Lets two transactions overlap; the last to commit wins.
    LetsTransactionsOverlap,
    /// Takes debits later than its clock for errors, and drops them.
    ForgetsOnJumpBack,
    /// Answers anew when it has to send again.
    PrivatizesAnew,
    /// Debits again when it has to send again.
    DebitsAnew,
    /// Takes zeros for entropy when there is none.
    SwallowsFailureOfEntropy,
}

/// What happened in one or more traces.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) traces: u64,
    pub(crate) steps: u64,
    pub(crate) crashes: u64,
    /// Crashes inside an open transaction.
    pub(crate) crashes_in_transaction: u64,
    /// Distinct reports sent.
    pub(crate) released: u64,
    /// Times that a report was sent again.
    pub(crate) resent: u64,
    pub(crate) waits_for_other_writer: u64,
    /// Transactions whose owner slept until its lock was taken away.
    pub(crate) overtaken: u64,
    pub(crate) clock_set_back: u64,
    pub(crate) cleared: u64,
    pub(crate) spec_changes: u64,
    pub(crate) cap_refusals: u64,
    pub(crate) time_refusals: u64,
    pub(crate) not_due: u64,
    pub(crate) entropy_failures: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.traces += other.traces;
        self.steps += other.steps;
        self.crashes += other.crashes;
        self.crashes_in_transaction += other.crashes_in_transaction;
        self.released += other.released;
        self.resent += other.resent;
        self.waits_for_other_writer += other.waits_for_other_writer;
        self.overtaken += other.overtaken;
        self.clock_set_back += other.clock_set_back;
        self.cleared += other.cleared;
        self.spec_changes += other.spec_changes;
        self.cap_refusals += other.cap_refusals;
        self.time_refusals += other.time_refusals;
        self.not_due += other.not_due;
        self.entropy_failures += other.entropy_failures;
    }
}

/// Processes that share a store.
const PROCESSES: usize = 2;
/// Actions of one trace; one that works on a transaction takes up to six of its steps.
const STEPS: u64 = 120;
/// First second of every trace, before a random offset.
const EPOCH: u64 = 360_000_000;

/// What is too costly to make for each trace: for every process a monitor of every spec.
pub(crate) struct Bench<'s> {
    specs: &'s [MonitorSpec],
    monitors: [Vec<Monitor>; PROCESSES],
}

impl<'s> Bench<'s> {
    pub(crate) fn new(specs: &'s [MonitorSpec]) -> Self {
        let monitor = |spec: &MonitorSpec| {
            let segment = &spec.segments[0];
            Monitor::new(spec.clone(), driftglass::report::Arm::Stable, segment).expect("a segment of the spec")
        };
        Self { specs, monitors: std::array::from_fn(|_| specs.iter().map(monitor).collect()) }
    }

    /// One trace: the first fault and the step at which it was found, or `None`.
    pub(crate) fn trace(&mut self, host: Host, seed: u64, tally: &mut Tally) -> Option<(Fault, u64)> {
        let mut world = World::new(self, host, seed);
        let found = (1..=STEPS).find_map(|step| {
            world.step();
            world.oracle.faults.first().map(|fault| (*fault, step))
        });
        world.tally.released = world.oracle.released() as u64;
        world.tally.traces = 1;
        tally.add(&world.tally);
        found
    }

    /// All faults that one trace meets when it goes on after the first.
    pub(crate) fn faults(&mut self, host: Host, seed: u64) -> Vec<Fault> {
        let mut world = World::new(self, host, seed);
        (0..STEPS).for_each(|_| world.step());
        world.oracle.faults.iter().copied().collect()
    }
}

/// A report that waits, and how it was made: what a host that answers anew would need.
#[derive(Debug, Clone)]
struct Entry {
    sequence: u64,
    bytes: Vec<u8>,
    device: u32,
    origin: Origin,
}

#[derive(Debug, Clone)]
struct Origin {
    state: Vec<u8>,
    spec: usize,
    window: WindowIndex,
    now_secs: u64,
}

/// What is durable.
#[derive(Debug, Clone, Default)]
struct Contents {
    state: Option<Vec<u8>>,
    sequence: u64,
    outbox: Vec<Entry>,
}

#[derive(Debug)]
enum Transaction {
    Idle,
    Asked { now_secs: u64 },
    Open { now_secs: u64, working: Contents },
    Due { now_secs: u64, working: Contents, state: DeviceState, window: WindowIndex },
    Ready { working: Contents },
}

#[derive(Debug)]
enum Upload {
    Idle,
    Read { entries: Vec<Entry> },
    Sent { entries: Vec<Entry> },
}

#[derive(Debug)]
struct Process {
    spec: usize,
    /// Whether it has joined, as `Monitor.create` does once.
    joined: bool,
    transaction: Transaction,
    upload: Upload,
}

struct World<'b, 's> {
    bench: &'b mut Bench<'s>,
    host: Host,
    generator: Generator,
    now_secs: u64,
    store: Contents,
    /// Who has a transaction open.
    writer: Option<usize>,
    processes: [Process; PROCESSES],
    /// An old copy of the outbox.
    attic: Vec<Entry>,
    /// Number of the current device: one more each time that the storage is cleared.
    device: u32,
    oracle: Oracle<'s>,
    tally: Tally,
}

impl<'b, 's> World<'b, 's> {
    fn new(bench: &'b mut Bench<'s>, host: Host, seed: u64) -> Self {
        let mut generator = Generator::new(seed);
        let (now_secs, oracle) = (EPOCH + generator.next() % 86_400, Oracle::new(bench.specs));
        let process = |_| Process { spec: 0, joined: false, transaction: Transaction::Idle, upload: Upload::Idle };
        let mut world = Self {
            bench,
            host,
            generator,
            now_secs,
            store: Contents::default(),
            writer: None,
            processes: std::array::from_fn(process),
            attic: Vec::new(),
            device: 0,
            oracle,
            tally: Tally::default(),
        };
        (0..PROCESSES).for_each(|process| world.forget(process));
        world
    }

    fn step(&mut self) {
        let process = self.below(PROCESSES as u64) as usize;
        self.tally.steps += 1;
        match self.below(200) {
            0..10 => self.observe(process),
            10..60 => self.now_secs += self.below(4_500),
            60..64 => self.set_back(10_000),
            64 if self.below(4) == 0 => self.set_back(300_000),
            65 if self.below(4) == 0 => self.now_secs += self.below(300_000),
            // A year that some boards wake up in, and beyond what a ledger remembers.
            66 if self.below(16) == 0 => self.now_secs += 11 * 31_536_000,
            64..140 => self.transact_for_a_while(process),
            140..170 => self.upload(process),
            170..180 => self.crash(process),
            180 => self.clear(process),
            181..186 => self.attic.clone_from(&self.store.outbox),
            186..191 => self.send_all(self.attic.clone()),
            191..193 => self.change_spec(process),
            193 => self.overtake(),
            _ => {
                self.transact_for_a_while(process);
                self.crash(process);
            }
        }
    }

    /// Some steps of a transaction, up to a little more than a whole one.
    fn transact_for_a_while(&mut self, process: usize) {
        for _ in 0..self.below(7) {
            self.transact(process);
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.generator.next() % bound
    }

    fn observe(&mut self, process: usize) {
        let value = self.below(64) as f64 - 20.0;
        let (x, y) = ([value], [0.0, value / 32.0]);
        let (inputs, outputs) = ([("x", Values::F64(&x[..]))], [("y", Values::F64(&y[..]))]);
        let seen = Observation { inputs: &inputs, outputs: &outputs, ..Observation::default() };
        let spec = self.processes[process].spec;
        self.bench.monitors[process][spec].observe(&seen, None, self.now_secs);
    }

    fn set_back(&mut self, at_most_secs: u64) {
        self.tally.clock_set_back += 1;
        self.now_secs = self.now_secs.saturating_sub(self.below(at_most_secs));
    }

    /// The process dies: its transaction and its memory are gone, what is committed stays.
    fn crash(&mut self, process: usize) {
        self.tally.crashes += 1;
        if self.writer == Some(process) {
            self.tally.crashes_in_transaction += 1;
        }
        self.forget(process);
    }

    fn forget(&mut self, process: usize) {
        self.end(process);
        let spec = self.processes[process].spec;
        self.processes[process] = Process { spec, joined: false, transaction: Transaction::Idle, upload: Upload::Idle };
        self.bench.monitors[process].iter_mut().for_each(Monitor::purge);
    }

    /// The owner of the open transaction slept so long that its lock is taken away; it wakes up later and goes on.
    fn overtake(&mut self) {
        if self.writer.take().is_some() {
            self.tally.overtaken += 1;
        }
    }

    fn change_spec(&mut self, process: usize) {
        self.tally.spec_changes += 1;
        self.processes[process].spec = self.below(self.bench.specs.len() as u64) as usize;
        self.forget(process);
    }

    /// Wipes the storage; like a transaction, it waits for the one that is open. The process joins anew.
    fn clear(&mut self, process: usize) {
        if self.writer.is_some() {
            return;
        }
        self.tally.cleared += 1;
        self.store = Contents::default();
        self.device += 1;
        self.oracle.storage_cleared();
        self.forget(process);
    }

    /// One step towards a commit.
    fn transact(&mut self, process: usize) {
        self.tally.steps += 1;
        let transaction = std::mem::replace(&mut self.processes[process].transaction, Transaction::Idle);
        self.processes[process].transaction = match transaction {
            Transaction::Idle => Transaction::Asked { now_secs: self.now_secs },
            Transaction::Asked { now_secs } => self.begin(process, now_secs),
            Transaction::Open { now_secs, working } => self.choose(process, now_secs, working),
            Transaction::Due { now_secs, working, state, window } => {
                self.answer(process, now_secs, working, state, window)
            }
            Transaction::Ready { working } => self.commit(process, working),
        };
    }

    fn begin(&mut self, process: usize, now_secs: u64) -> Transaction {
        if self.writer.is_some() && self.host != Host::LetsTransactionsOverlap {
            self.tally.waits_for_other_writer += 1;
            return Transaction::Asked { now_secs };
        }
        self.writer = Some(process);
        let mut working = self.store.clone();
        if self.host == Host::ForgetsOnJumpBack {
            working.state = working.state.map(|state| without_debits_after(&state, now_secs));
        }
        Transaction::Open { now_secs, working }
    }

    /// Joins if the process has not; else looks for a window that is due.
    fn choose(&mut self, process: usize, now_secs: u64, mut working: Contents) -> Transaction {
        let spec = &self.bench.specs[self.processes[process].spec];
        let stored = working.state.as_deref().map(|state| DeviceState::from_bytes(state).expect("a stored state"));
        let Some(mut state) = stored else {
            if self.processes[process].joined {
                // Wiped by another process: only a person makes a new device.
                return self.end(process);
            }
            let mut entropy = self.entropy();
            let joined = DeviceState::join(spec, now_secs, &mut entropy);
            self.judge(&entropy, joined.is_ok());
            return match joined {
                Ok(state) => {
                    working.state = Some(state.to_bytes());
                    Transaction::Ready { working }
                }
                Err(EntropyError) => self.end(process),
            };
        };
        state.enter(spec, now_secs).expect("a state of this app");
        if !self.processes[process].joined {
            working.state = Some(state.to_bytes());
            return Transaction::Ready { working };
        }
        let monitor = &self.bench.monitors[process][self.processes[process].spec];
        match (monitor.due(&state, now_secs), self.generator.next() % 8) {
            // A window of the host's own choice, which is refused unless it is the one that is due.
            (due, 0) => {
                let window = due.unwrap_or(state.next_window()) + (self.generator.next() % 5) as WindowIndex;
                Transaction::Due { now_secs, working, state, window: window.saturating_sub(2) }
            }
            (Some(window), _) => Transaction::Due { now_secs, working, state, window },
            (None, _) => self.end(process),
        }
    }

    fn answer(
        &mut self,
        process: usize,
        now_secs: u64,
        mut working: Contents,
        mut state: DeviceState,
        window: WindowIndex,
    ) -> Transaction {
        let spec = self.processes[process].spec;
        let origin = Origin { state: state.to_bytes(), spec, window, now_secs };
        let mut entropy = self.entropy();
        let answer = self.bench.monitors[process][spec].answer(&mut state, window, now_secs, &mut entropy);
        self.judge(&entropy, answer.is_ok());
        let bytes = match answer {
            Ok(answer) => answer.report.encode(),
            Err(error) => {
                match error {
                    AnswerError::NotDue => self.tally.not_due += 1,
                    AnswerError::Ledger(LedgerError::TimeWentBack) => self.tally.time_refusals += 1,
                    AnswerError::Ledger(_) => self.tally.cap_refusals += 1,
                    _ => {}
                }
                return self.end(process);
            }
        };
        working.sequence += 1;
        working.state = Some(state.to_bytes());
        working.outbox.push(Entry { sequence: working.sequence, bytes, device: self.device, origin });
        Transaction::Ready { working }
    }

    fn commit(&mut self, process: usize, working: Contents) -> Transaction {
        if self.writer != Some(process) && self.host != Host::LetsTransactionsOverlap {
            // Overtaken: the file store has no draft to commit with, and the transaction fails.
            return self.end(process);
        }
        match self.host {
            Host::CommitsOutboxAlone if self.store.state.is_some() => {
                self.store = Contents { state: self.store.state.take(), ..working };
            }
            Host::CommitsStateAlone => self.store.state = working.state,
            _ => self.store = working,
        }
        self.processes[process].joined = true;
        self.changed();
        self.end(process)
    }

    /// One step towards an outbox that is empty.
    fn upload(&mut self, process: usize) {
        let upload = std::mem::replace(&mut self.processes[process].upload, Upload::Idle);
        self.processes[process].upload = match upload {
            Upload::Idle => Upload::Read { entries: self.store.outbox.clone() },
            Upload::Read { entries } => {
                self.send_all(entries.clone());
                // One answer in three is lost: the reports stay, and are sent again.
                if self.below(3) == 0 { Upload::Idle } else { Upload::Sent { entries } }
            }
            // Removal rewrites the store, so it waits for the transaction that is open.
            Upload::Sent { entries } if self.writer.is_some() => Upload::Sent { entries },
            Upload::Sent { entries } => {
                self.store.outbox.retain(|kept| entries.iter().all(|entry| entry.sequence != kept.sequence));
                self.changed();
                Upload::Idle
            }
        };
    }

    fn send_all(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if self.oracle.sends(entry.device, &entry.bytes) {
                continue;
            }
            self.tally.resent += 1;
            match self.host {
                Host::PrivatizesAnew => self.send_anew(&entry),
                Host::DebitsAnew => self.debit_anew(&entry),
                _ => {}
            }
        }
    }

    fn send_anew(&mut self, Entry { device, origin, .. }: &Entry) {
        let mut state = DeviceState::from_bytes(&origin.state).expect("a state");
        let monitor = &self.bench.monitors[0][origin.spec];
        let answer = monitor.answer(&mut state, origin.window, origin.now_secs, &mut self.generator);
        self.oracle.sends(*device, &answer.expect("it was answered before").report.encode());
    }

    fn debit_anew(&mut self, Entry { device, origin, .. }: &Entry) {
        let Some(bytes) = self.store.state.as_deref().filter(|_| *device == self.device) else { return };
        let mut state = DeviceState::from_bytes(bytes).expect("a state");
        let spec = &self.bench.specs[origin.spec];
        let charge = Charge { at_secs: spec.window.start_secs(origin.window), epsilon_micronats: 1 };
        if state.ledger.spend(charge, &[]).is_ok() {
            self.store.state = Some(state.to_bytes());
            self.changed();
        }
    }

    /// Ends a transaction, committed or not.
    fn end(&mut self, process: usize) -> Transaction {
        if self.writer == Some(process) {
            self.writer = None;
        }
        Transaction::Idle
    }

    fn changed(&mut self) {
        let outbox = self.store.outbox.iter().map(|entry| &entry.bytes[..]);
        self.oracle.sees_store(self.device, self.store.state.as_deref(), outbox);
    }

    /// Entropy for one call; in one of ten calls it fails at one of the first draws.
    fn entropy(&mut self) -> Supply {
        let fails_at = if self.below(10) == 0 { self.below(5) } else { u64::MAX };
        let swallows = self.host == Host::SwallowsFailureOfEntropy;
        Supply { generator: Generator::new(self.generator.next()), left: fails_at, failed: false, swallows }
    }

    fn judge(&mut self, entropy: &Supply, made: bool) {
        if entropy.failed {
            self.tally.entropy_failures += 1;
            if made {
                self.oracle.faults.insert(Fault::WithoutEntropy);
            }
        }
    }
}

/// Entropy that fails after some draws.
struct Supply {
    generator: Generator,
    left: u64,
    failed: bool,
    swallows: bool,
}

impl EntropySource for Supply {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        if self.left > 0 {
            self.left -= 1;
            return self.generator.fill(buffer);
        }
        self.failed = true;
        buffer.fill(0);
        if self.swallows { Ok(()) } else { Err(EntropyError) }
    }
}

/// A state as a ledger would leave it that forgets what its clock says has not happened yet.
fn without_debits_after(state: &[u8], now_secs: u64) -> Vec<u8> {
    let (head, rest) = state.split_at(73);
    // No question here is memoized: two bytes say so.
    let (debits, epochs) = rest.split_at(rest.len() - 2);
    let happened = |debit: &&[u8]| u64::from_be_bytes(debit[..8].try_into().expect("8 bytes")) <= now_secs;
    let kept: Vec<&[u8]> = debits.chunks(16).filter(happened).collect();
    [&head[..69], &(kept.len() as u32).to_be_bytes(), &kept.concat(), epochs].concat()
}
