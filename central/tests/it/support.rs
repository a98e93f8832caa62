//! Devices, a centre in this process or in one of its own, and a client.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use driftglass::monitor::Monitor;
use driftglass::observe::{Observation, Values};
use driftglass::privacy::{DeviceState, EntropyError, EntropySource};
use driftglass::report::{Arm, Report};
use driftglass::spec::MonitorSpec;
use driftglass::upload::push_report;
use driftglass_central::clock::Clock;
use driftglass_central::server::{Config, ServeError, Server};
use driftglass_central::store::{Registration, Store, add_spec};
use driftglass_central::writer::QueueLimits;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) const SPEC: &str = include_str!("../../../pkg-config.json");
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// A window that is over when the clock stands at [`now_secs`].
pub(crate) const WINDOW: u32 = 2_800;

static PARSED: LazyLock<MonitorSpec> = LazyLock::new(|| MonitorSpec::parse(SPEC).expect("the shipped spec is valid"));

pub(crate) fn spec() -> &'static MonitorSpec {
    &PARSED
}

/// The first second after [`WINDOW`]; its grace has just begun.
pub(crate) fn now_secs() -> u64 {
    spec().window.end_secs(WINDOW)
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): for tests alone.
pub(crate) struct SeededEntropy(pub(crate) u64);

impl SeededEntropy {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

impl EntropySource for SeededEntropy {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill_with(|| self.next() as u8);
        Ok(())
    }
}

/// A fleet whose devices all saw one departure, 30 minutes late.
pub(crate) struct Fleet {
    monitor: Monitor,
    entropy: SeededEntropy,
}

impl Fleet {
    pub(crate) fn new(seed: u64) -> Self {
        let mut monitor = Monitor::new(spec().clone(), Arm::Stable, "all").expect("a declared segment");
        let inputs = [("numeric", Values::F32(&[30.0, 9.0, 0.0, 50.0]))];
        let seen = Observation { inputs: &inputs, ..Observation::default() };
        monitor.observe(&seen, None, spec().window.start_secs(WINDOW));
        Self { monitor, entropy: SeededEntropy(seed) }
    }

    /// The answer of a device that nobody heard of before.
    pub(crate) fn report(&mut self) -> Report {
        let before = spec().window.start_secs(WINDOW) - 1;
        let mut device = DeviceState::join(spec(), before, &mut self.entropy).expect("entropy");
        self.monitor.answer(&mut device, WINDOW, now_secs(), &mut self.entropy).expect("a due answer").report
    }

    pub(crate) fn reports(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.report().encode()).collect()
    }
}

pub(crate) fn body<R: AsRef<[u8]>>(reports: &[R]) -> Vec<u8> {
    let mut body = Vec::new();
    reports.iter().for_each(|report| push_report(&mut body, report.as_ref()));
    body
}

/// A data directory in which the shipped spec is registered under [`KEY`].
pub(crate) fn data_dir() -> Arc<TempDir> {
    let dir = tempfile::tempdir().expect("a directory");
    register(dir.path(), None);
    Arc::new(dir)
}

pub(crate) fn register(dir: &Path, reference: Option<&str>) {
    let store = Store::open(dir).expect("a store");
    let new = Registration { spec_id: spec().id(), document: SPEC, reference, new_key: KEY, now_secs: 0 };
    add_spec(&mut store.connect().expect("a connection"), &new).expect("a registration");
}

pub(crate) fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("driftglass.sqlite")).expect("the database")
}

pub(crate) fn count(dir: &Path, sql: &str) -> i64 {
    database(dir).query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// A centre in this process.
pub(crate) struct Centre {
    pub(crate) dir: Arc<TempDir>,
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Centre {
    pub(crate) fn new() -> Self {
        Self::start(data_dir(), Clock::simulated(now_secs()), QueueLimits::default())
    }

    pub(crate) fn start(dir: Arc<TempDir>, clock: Clock, queue: QueueLimits) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let config =
            Config { data_dir: dir.path().to_owned(), listen: SocketAddr::from(([127, 0, 0, 1], 0)), clock, queue };
        let thread = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
                let server = Server::bind(config).await?;
                tell.send(server.address()).expect("a test that waits");
                server.run(async { drop(stopped.await) }).await
            })
        });
        let address = told.recv().expect("a centre that starts");
        Self { dir, url: format!("http://{address}"), stop: Some(stop), thread: Some(thread) }
    }

    /// Stops gracefully and gives the directory back.
    pub(crate) fn stop(mut self) -> Arc<TempDir> {
        self.end();
        Arc::clone(&self.dir)
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic").expect("a graceful stop");
        }
    }

    /// Waits for a centre that nobody stops.
    pub(crate) fn end_by_itself(&mut self) -> Result<(), ServeError> {
        self.thread.take().expect("a thread").join().expect("no panic")
    }

    pub(crate) fn upload(&self, body: &[u8]) -> Answer {
        post(&format!("{}/v1/reports?key={KEY}", self.url), body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.url))
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.get("/v1/status").json["counters"][name].as_u64().expect("a counter")
    }

    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("admin-token")).expect("a token").trim().to_owned()
    }

    pub(crate) fn set_clock(&self, now_secs: u64) -> Answer {
        let request = client().post(format!("{}/v1/clock", self.url));
        let body = format!("{{\"now_secs\": {now_secs}}}");
        Answer::of(request.header("authorization", format!("Bearer {}", self.token())).send(body))
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        count(self.dir.path(), sql)
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.stop.take());
        } else {
            self.end();
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn of(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Self {
        Self::try_of(sent).expect("an answer")
    }

    pub(crate) fn try_of(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Self, ureq::Error> {
        let (head, mut body) = sent?.into_parts();
        let text = body.read_to_vec()?;
        let json = serde_json::from_slice(&text).unwrap_or(Value::Null);
        Ok(Self { status: head.status.as_u16(), headers: head.headers, json })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The type after `/problems/`, of an answer that is a problem document.
    #[track_caller]
    pub(crate) fn problem(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status, "{self:?}");
        self.json["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/")).expect("a type")
    }

    /// Accepted, duplicate, late, early, rejected.
    #[track_caller]
    pub(crate) fn counts(&self) -> [u64; 5] {
        ["accepted", "duplicate", "late", "early", "rejected"].map(|name| self.json[name].as_u64().expect("a count"))
    }
}

pub(crate) fn client() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

pub(crate) fn post(url: &str, body: &[u8]) -> Answer {
    Answer::of(client().post(url).content_type("text/plain").send(body))
}

pub(crate) fn get(url: &str) -> Answer {
    Answer::of(client().get(url).call())
}

/// The binary, run to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_driftglass")).args(arguments).output().expect("the binary runs")
}

/// A centre in a process of its own, so that it can be killed.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Process {
    pub(crate) fn serve(dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftglass"));
        command.arg("serve").arg("--data-dir").arg(dir).args(["--listen", "127.0.0.1:0", "--clock", "simulated"]);
        command.arg("--start-secs").arg(now_secs().to_string());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("driftglass listens on ").expect("the address").to_owned();
        Self { child, url }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
