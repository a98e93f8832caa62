//! References: made from files and from earlier windows, kept in versions, chosen, and named by verdicts.

use std::path::Path;
use std::process::Output;

use driftglass::drift::{Calendar, Fallback, Reference, SeasonKind};
use driftglass::privacy::decoder_of;
use driftglass_central::reference::from_file::{Columns, from_file};
use driftglass_central::reference::{MakeError, Seasons};
use serde_json::{Value, json};

use crate::support::{Answer, Centre, SPEC, WINDOW, client, data_dir, database, now_secs, register, run, spec};
use crate::verdicts::reference;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn refused(output: &Output, code: i32, reason: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(reason), "{}", text(&output.stderr));
}

/// `driftglass reference …` about the shipped spec in a directory.
fn reference_command(command: &[&str], dir: &Path) -> Output {
    let (dir, id) = (dir.display().to_string(), spec().id().to_string());
    run(&[&["reference"], command, &["--data-dir", &dir, "--spec-id", &id]].concat())
}

fn listed(dir: &Path) -> Value {
    serde_json::from_str(&done(&reference_command(&["list", "--json"], dir))).expect("JSON")
}

fn add(document: &str, dir: &Path, more: &[&str]) -> Output {
    let file = dir.join("reference.json");
    std::fs::write(&file, document).expect("a file");
    let (file, dir) = (file.display().to_string(), dir.display().to_string());
    run(&[&["reference", "add", &file, "--data-dir", &dir], more].concat())
}

/// Fills closed windows with reports of which `late` of a thousand are of the second symbol, as sums of the first
/// question.
fn fill(dir: &Path, windows: std::ops::Range<u32>, reports: u64, late: u64, first_open: u32) {
    let database = database(dir);
    let channel = driftglass::estimate::Channel::of(&spec().questions[0].randomizer, 3).expect("a frequency oracle");
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    assert_eq!(decoder_of(&spec().questions[0]).counters(), 3);
    for window in windows {
        let expected = |share: f64| ((q + (p - q) * share) * reports as f64).round() as u64;
        let late = expected(late as f64 / 1_000.0);
        let none = expected(0.0);
        for (counter, count) in [reports - late - none, late, none].into_iter().enumerate() {
            let sql = "INSERT INTO aggregate VALUES (1, ?1, 0, 0, 0, ?2, ?3)";
            database.execute(sql, (window, counter as i64, count as i64)).expect("a sum");
        }
        let sql = "INSERT INTO report_count VALUES (1, ?1, 0, 0, 0, ?2)";
        database.execute(sql, (window, reports as i64)).expect("a count");
    }
    database.execute("UPDATE spec SET first_open_window = ?1", [first_open]).expect("a spec");
}

#[test]
fn versions_are_kept_and_one_is_in_use() {
    let dir = data_dir();
    let dir = dir.path();
    refused(&reference_command(&["show"], dir), 2, "no such reference");
    let first = done(&add(&reference(0.9), dir, &[]));
    let first = first.trim().strip_prefix("added ").expect("a version");
    assert_eq!(done(&add(&format!(" {}", reference(0.9)), dir, &[])).trim(), format!("known {first}"));
    let second = done(&add(&reference(0.8), dir, &[]));
    let second = second.trim().strip_prefix("added ").expect("a version");
    let states = |list: &Value| -> Vec<(Value, Value, Value)> {
        let of = |one: &Value| (one["version"].clone(), one["in_use"].clone(), one["parent"].clone());
        list.as_array().expect("a list").iter().map(of).collect()
    };
    let expected = |used: usize| {
        vec![(json!(first), json!(used == 0), json!(null)), (json!(second), json!(used == 1), json!(first))]
    };
    assert_eq!(states(&listed(dir)), expected(0), "the first is used at once, later ones wait");
    assert_eq!(done(&reference_command(&["use", &second[..8]], dir)).trim(), format!("in use: {second}"));
    assert_eq!(states(&listed(dir)), expected(1));
    assert_eq!(done(&reference_command(&["show"], dir)).trim(), reference(0.8));
    assert_eq!(done(&reference_command(&["show", first], dir)).trim(), reference(0.9), "the old one stays readable");
    register(dir, Some(&reference(0.9)));
    assert_eq!(states(&listed(dir)), expected(0), "`spec add --reference` puts to use");
    register(dir, None);
    assert_eq!(states(&listed(dir)), expected(0));
    let uses = "SELECT group_concat(substr(version, 1, 8), ' ') FROM reference_use ORDER BY id";
    let uses: String = database(dir).query_row(uses, [], |row| row.get(0)).expect("text");
    assert_eq!(uses, [&first[..8], &second[..8], &first[..8]].join(" "), "which was in use when stays known");

    for unknown in ["0000", "00000000", "%%%%%%%%", &second[..7]] {
        refused(&reference_command(&["use", unknown], dir), 2, "no such reference");
    }
    refused(&add("{}", dir, &[]), 2, "needs the field \"spec_id\"");
    refused(&add(&reference(0.8).replace("0.8", "0.7"), dir, &[]), 2, "must sum to 1");
    let other = reference(0.9).replace(&spec().id().to_string(), &"0".repeat(32));
    refused(&add(&other, dir, &[]), 2, "no spec with this id is registered");
    let list = done(&reference_command(&["list"], dir));
    assert!(list.starts_with(&format!("{first}  in use  from document")), "{list}");
}

#[test]
fn verdicts_name_the_version_they_used() {
    let dir = data_dir();
    register(dir.path(), Some(&reference(0.9)));
    let centre = Centre::start(dir, driftglass_central::clock::Clock::simulated(now_secs()), Default::default());
    let path = format!("/v1/specs/{}", spec().id());
    let used = |centre: &Centre| centre.get(&format!("{path}/verdicts")).json["reference_version"].clone();
    let first = listed(centre.dir.path())[0]["version"].clone();
    assert_eq!(used(&centre), first);
    done(&add(&reference(0.8), centre.dir.path(), &["--use"]));
    let list = centre.get(&format!("{path}/references")).json;
    assert_eq!((&list[1]["parent"], &list[1]["in_use"]), (&first, &json!(true)));
    assert_eq!(used(&centre), list[1]["version"], "a running centre follows");
    let old = centre.get(&format!("{path}/references/{}", first.as_str().expect("text")));
    assert_eq!(old.json, serde_json::from_str::<Value>(&reference(0.9)).expect("JSON"));
    assert_eq!(centre.get(&format!("{path}/references/00000000")).problem(), "unknown-reference");
}

/// Windows 2,760 to 2,771 with 10 % late: the reference expects it, and the windows after it with 30 % drift.
#[test]
fn earlier_windows_are_a_reference() {
    let dir = data_dir();
    let path = dir.path();
    fill(path, 2_760..2_772, 20_000, 100, WINDOW);
    fill(path, WINDOW - 1..WINDOW + 1, 20_000, 300, WINDOW);
    refused(
        &reference_command(&["from-windows", "--windows", "2760..2800"], path),
        2,
        "windows 2760..2800: only closed windows in order; the first that still takes reports is 2800",
    );
    refused(&reference_command(&["from-windows", "--windows", "2771..2760"], path), 2, "only closed windows");
    refused(&reference_command(&["from-windows", "--windows", "1..2"], path), 2, "no question is covered");
    let made = reference_command(&["from-windows", "--windows", "2760..2771"], path);
    let version = done(&made).trim().strip_prefix("added ").expect("a version").to_owned();
    let name = &spec().questions[1].name;
    assert!(text(&made.stderr).contains(&format!("not covered: {name}: fewer than 100 answers")));
    let document = done(&reference_command(&["show"], path));
    let read = Reference::parse(&document, spec()).expect("a reference");
    assert_eq!(read.version.to_string(), version);
    let known = &read.questions[0].as_ref().expect("covered").seasons[&0];
    assert!((known.shares[1] - 0.1).abs() < 1e-3 && known.covariance.at(1, 1) > 0.1 * 0.9 / 240_000.0);
    assert_eq!(
        (&read.lineage["source"], &read.lineage["windows"], &read.lineage["reports"]),
        (&json!("windows"), &json!([2_760, 2_771]), &json!(240_000))
    );
    let centre = Centre::start(dir, driftglass_central::clock::Clock::simulated(now_secs()), Default::default());
    let found = centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json;
    let verdicts: Vec<_> = found["questions"][0]["windows"].as_array().expect("a list").iter().collect();
    assert_eq!(verdicts[11]["verdict"], "stable");
    assert_eq!(verdicts[12]["verdict"], "drift");
    assert_eq!(found["questions"][1]["reference"], json!(null));
}

/// Window 2,760 begins on 2022-11-24, so 2,760 to 2,771 are of November to February; February has one week.
#[test]
fn an_operator_makes_seasons_over_http() {
    let dir = data_dir();
    fill(dir.path(), 2_760..2_762, 20_000, 100, 2_772);
    fill(dir.path(), 2_762..2_772, 20_000, 200, 2_772);
    let centre = Centre::start(dir, driftglass_central::clock::Clock::simulated(now_secs()), Default::default());
    let url = format!("{}/v1/specs/{}/references", centre.url, spec().id());
    let post = |token: &str, body: &str| {
        Answer::of(client().post(&url).header("authorization", format!("Bearer {token}")).send(body))
    };
    let wanted = r#"{"windows": [2760, 2771], "season": {"kind": "month"}, "use": true}"#;
    assert_eq!(post("00", wanted).problem(), "unauthorized");
    let token = centre.token();
    for malformed in ["", "{}", r#"{"windows": [1]}"#, r#"{"windows": [1, 2], "season": {"kind": "year"}}"#] {
        assert_eq!(post(&token, malformed).problem(), "malformed-request", "{malformed}");
    }
    let hours = r#"{"windows": [2760, 2771], "season": {"kind": "hour-of-week"}}"#;
    for open in [r#"{"windows": [2760, 2800]}"#, r#"{"windows": [2, 1]}"#, hours] {
        let answer = post(&token, open);
        assert_eq!((answer.status, answer.problem()), (409, "open-windows"), "{open}");
    }
    assert_eq!(post(&token, r#"{"windows": [1, 2]}"#).problem(), "nothing-covered");
    let made = post(&token, wanted);
    assert_eq!((made.status, &made.json["added"]), (201, &json!(true)), "{made:?}");
    let name = &spec().questions[0].name;
    assert_eq!(made.json["missing_seasons"][name], json!([3, 4, 5, 6, 7, 8, 9, 10]));
    assert_eq!(post(&token, wanted).status, 200, "known");
    let found = centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json;
    assert_eq!(found["reference_version"], made.json["version"]);
    let window = &found["questions"][0]["windows"][0];
    assert_eq!(window["reference"]["seasons"], json!([{ "season": 11, "weight": 1.0 }]), "{window}");
    let share = |value: &Value| value["reference"]["shares"][1].as_f64().expect("a share");
    assert!((share(window) - 0.1).abs() < 1e-3, "{window}");
    let mixed = &found["questions"][0]["windows"][2]["reference"];
    let weights: f64 =
        mixed["seasons"].as_array().expect("seasons").iter().map(|s| s["weight"].as_f64().unwrap_or(0.0)).sum();
    assert!((weights - 1.0).abs() < 1e-12, "{mixed}");
}

/// A year of weeks whose late departures follow the months, 10 to 30 %: against the months of the reference they are no
/// evidence, from the week on in which 12 % more are late they are, and its place is found. A segment that has 15 %
/// more for good is told from one that changed.
#[test]
fn a_stream_is_held_against_the_mix_of_its_seasons() {
    const FIRST: u32 = 2_745;
    const CHANGED: u32 = FIRST + 40;
    let months = Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 };
    let late = |month: u16| 0.2 + 0.1 * (std::f64::consts::TAU * f64::from(month) / 12.0).sin();
    let known = |month: u16| {
        let v = late(month) * (1.0 - late(month)) / 5_000.0;
        let shares = [1.0 - late(month), late(month)];
        json!({ "season": month, "device_windows": 5_000, "shares": shares, "covariance": [[v, -v], [-v, v]] })
    };
    let name = &spec().questions[0].name;
    let document = json!({
        "spec_id": spec().id().to_string(),
        "season": { "kind": "month", "independent": true },
        "questions": { name: { "seasons": (1..=12).map(known).collect::<Vec<Value>>() } }
    });
    let run = |changed: f64| {
        let dir = data_dir();
        for week in FIRST..FIRST + 52 {
            let [start, end] = [spec().window.start_secs(week), spec().window.end_secs(week)];
            let season: f64 = months.overlap(start, end).iter().map(|(month, part)| part * late(*month)).sum();
            let shift = if week >= CHANGED { changed } else { 0.0 };
            fill(dir.path(), week..week + 1, 2_000, ((season + shift) * 1_000.0).round() as u64, FIRST + 52);
        }
        done(&add(&document.to_string(), dir.path(), &["--use"]));
        let centre = Centre::start(dir, driftglass_central::clock::Clock::simulated(now_secs()), Default::default());
        centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json["questions"][0].clone()
    };
    let number = |value: &Value| value.as_f64().expect("a number");
    let quiet = run(0.0);
    for window in quiet["windows"].as_array().expect("a list") {
        assert!(number(&window["evidence"]["log_e"]) < 1.0 && window["evidence"]["alarm"] == false, "{window}");
        assert!(window["verdict"] != "drift", "{window}");
    }
    let shifted = run(0.12);
    let windows = shifted["windows"].as_array().expect("a list");
    assert!(number(&windows[39]["evidence"]["log_e"]) < 1.0);
    let last = &windows[51]["evidence"];
    assert!(number(&last["log_e"]) > 20.0, "{last}");
    let alarmed = windows.iter().find(|window| window["evidence"]["alarm"] == true).expect("an alarm");
    let began = alarmed["evidence"]["likeliest_start"].as_u64().expect("a window");
    assert!(
        began.abs_diff(u64::from(CHANGED)) <= 1 && alarmed["window"].as_u64() <= Some(u64::from(CHANGED) + 2),
        "{alarmed}"
    );
    assert!(number(&last["effect"]["lower"]) > 0.0 && number(&last["effect"]["upper"]) < 0.12, "{last}");
}

/// A season without reference makes the verdict wait, and the average over all stands for it if so said.
#[test]
fn a_missing_season_waits_or_falls_back() {
    let verdict = |fallback: &str| {
        let dir = data_dir();
        fill(dir.path(), 2_760..2_762, 20_000, 100, WINDOW);
        fill(dir.path(), WINDOW - 5..WINDOW - 4, 20_000, 100, WINDOW);
        let command = ["from-windows", "--windows", "2760..2761", "--season", "month", "--fallback", fallback];
        done(&reference_command(&command, dir.path()));
        let centre = Centre::start(dir, driftglass_central::clock::Clock::simulated(now_secs()), Default::default());
        let found = centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json;
        found["questions"][0]["windows"][2]["verdict"].clone()
    };
    assert_eq!(verdict("wait"), "waiting");
    assert_eq!(verdict("all-seasons"), "stable");
}

fn columns(device: Option<&str>, time: Option<&str>, block: Option<&str>) -> Columns {
    let named = |name: Option<&str>| name.map(str::to_owned);
    let metrics = vec![("dep_delay".to_owned(), "delay".to_owned()), ("carrier".to_owned(), "airline".to_owned())];
    Columns { metrics, device: named(device), time: named(time), block: named(block) }
}

/// Twelve flights of three aircraft; what a spreadsheet writes: quotes, spaces, empty fields, NaN.
const ROWS: &str = "\
tail,delay,airline,when,year
A,-5, UA,0,1
A,20,UA,100,1
A,30,DL,604800,1
B,0,\"B6\",0,2
B,,3,0,2
B,NaN,ZZ,0,2
C,60,DL,0,3
C,61,DL,0,3
";

#[test]
fn raw_rows_are_a_reference() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("spec.json"), SPEC).expect("a file");
    std::fs::write(path("rows.csv"), ROWS).expect("a file");
    let (spec_file, rows, output) = (path("spec.json"), path("rows.csv"), path("reference.json"));
    let command = ["reference", "from-file", &spec_file, &rows, "--map", "dep_delay=delay", "--map", "carrier=airline"];
    let made = run(&[command.as_slice(), &["--device", "tail", "--time", "when", "--output", &output]].concat());
    assert_eq!(done(&made), "");
    assert!(text(&made.stderr).contains("no column is mapped to its metric"), "{}", text(&made.stderr));
    let read = Reference::parse(&std::fs::read_to_string(&output).expect("a file"), spec()).expect("a reference");
    // sha256sum of the rows.
    let digest = {
        use sha2::Digest;
        sha2::Sha256::digest(ROWS).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let lineage = &read.lineage;
    assert_eq!((&lineage["file_sha256"], &lineage["rows"]), (&json!(digest), &json!(8)));
    assert_eq!(lineage["covariance"], "clustered by device");
    // Departed late (> 0): device-windows A0 ½, A1 1, B0 0, C0 1, so g = 2.5/4; rests A 1.5 − 2·0.625, B −0.625, C
    // 0.375.
    let late = &read.questions[0].as_ref().expect("covered").seasons[&0];
    assert_eq!(spec().questions[0].name, "departed_late");
    let variance = 3.0 / 2.0 * (0.25_f64.powi(2) + 0.625_f64.powi(2) + 0.375_f64.powi(2)) / 16.0;
    assert_eq!(late.device_windows, 4);
    assert!((late.shares[1] - 0.625).abs() < 1e-12 && (late.covariance.at(1, 1) - variance).abs() < 1e-12);
    // Labels are trimmed, a number is the number of a label (3 is B6), and a new airline falls into no cell.
    let carrier = spec().questions.iter().position(|question| question.name.contains("carrier")).expect("a question");
    let carrier = &read.questions[carrier].as_ref().expect("covered").seasons[&0];
    assert_eq!((carrier.shares[3], carrier.shares[4], carrier.shares[11]), (0.25, 0.5, 0.25));

    refused(&run(&[command.as_slice(), &["--season", "month"]].concat()), 2, "seasons need the column of times");
    refused(&run(&[command.as_slice(), &["--device", "wing"]].concat()), 2, "the file has no column \"wing\"");
    refused(&run(&[command.as_slice(), &["--map", "wind=delay"]].concat()), 2, "the spec has no metric \"wind\"");
    refused(&run(&[command.as_slice(), &["--time", "airline", "--season", "month"]].concat()), 2, "line 2: the time");
}

#[test]
fn what_the_file_lacks_is_said() {
    let make = |rows: &str, columns: &Columns, seasons: &Seasons| from_file(spec(), rows.as_bytes(), columns, seasons);
    let months =
        Seasons { calendar: Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 }, fallback: Fallback::AllSeasons };
    let ragged = make(&ROWS.replace("A,20,UA,100,1", "A,20"), &columns(None, None, None), &Seasons::none());
    assert!(matches!(ragged, Err(MakeError::Csv(3))), "{ragged:?}");
    let empty = make("tail,delay,airline\n", &columns(None, None, None), &Seasons::none());
    assert!(matches!(empty, Err(MakeError::Nothing(_))), "{empty:?}");
    let blocks = make(ROWS, &columns(None, None, Some("year")), &Seasons::none());
    let Err(MakeError::Nothing(reasons)) = blocks else { panic!("three years are too few: {blocks:?}") };
    assert!(reasons.contains("fewer than 5 independent units"), "{reasons}");
    let seasonal = make(ROWS, &columns(Some("tail"), Some("when"), None), &months).expect("a reference");
    let read = Reference::parse(&seasonal.document, spec()).expect("a reference");
    assert_eq!((read.calendar, read.fallback, read.independent_seasons), (months.calendar, months.fallback, false));
    let late = read.questions[0].as_ref().expect("covered");
    assert_eq!((late.seasons.len(), late.all.as_ref().map(|all| all.device_windows)), (1, Some(4)));
    assert_eq!(seasonal.missing_seasons[0].1, (2..=12).collect::<Vec<u16>>());
    assert!(make(ROWS, &columns(None, Some("when"), None), &months).is_ok());
}

/// 33 years of a station's days with the year as block: the command makes what the library's tests compare with.
#[test]
fn years_of_weather_make_months() {
    let weather = include_str!("../../../tests/vectors/drift/bellevue_daily.csv");
    let mut rows = String::from("temperature,when,year\n");
    for (day, line) in (0_u64..).zip(weather.lines().skip(1)) {
        let value = line.split(',').next().expect("a field");
        // In the spec's unit, so that all its cells are met.
        let fahrenheit = value.parse::<f64>().expect("a number") / 100.0 * 20.0 + 51.0;
        let secs = 220_924_800 + 86_400 * day;
        rows.push_str(&format!("{fahrenheit},{secs},{}\n", day * 100 / 36_525));
    }
    let metrics = vec![("temperature".to_owned(), "temperature".to_owned())];
    let columns = Columns { metrics, device: None, time: Some("when".to_owned()), block: Some("year".to_owned()) };
    let months =
        Seasons { calendar: Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 }, fallback: Fallback::Wait };
    let made = from_file(spec(), rows.as_bytes(), &columns, &months).expect("a reference");
    assert!(made.missing_seasons.is_empty());
    let read = Reference::parse(&made.document, spec()).expect("a reference");
    assert_eq!(read.lineage["rows"], 12_053);
    let question = spec().questions.iter().position(|one| spec().metric_of(one).name == "temperature");
    let known = read.questions[question.expect("a question")].as_ref().expect("covered");
    assert_eq!(known.seasons.len(), 12);
    let (january, may, july) = (&known.seasons[&1], &known.seasons[&5], &known.seasons[&7]);
    assert!(january.shares[0] > 0.95 && july.shares[0] < 0.05, "{january:?} {july:?}");
    let multinomial = may.shares[0] * (1.0 - may.shares[0]) / may.device_windows as f64;
    // Days of a year are alike, and the next year is a new draw: some 33 times the variance of a mean over 33 years.
    assert!(may.covariance.at(0, 0) > 33.0 * multinomial, "{may:?}");
}
