//! Targets, met or missed; and the file of figures.

use serde_json::{Value, json};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    targets: Vec<Target>,
    tables: serde_json::Map<String, Value>,
}

/// A target with the places where it is missed.
#[derive(Debug)]
struct Target {
    text: String,
    places: usize,
    worst: f64,
    missed: Vec<String>,
}

impl Outcome {
    /// Judges the figures of some places against a target.
    pub(crate) fn target(
        &mut self,
        text: &str,
        figures: impl IntoIterator<Item = (String, f64)>,
        meets: impl Fn(f64) -> bool,
    ) {
        let figures: Vec<(String, f64)> = figures.into_iter().collect();
        let worst = figures.iter().map(|(_, figure)| *figure).fold(f64::NEG_INFINITY, f64::max);
        let missed = figures.iter().filter(|(_, figure)| !meets(*figure));
        let missed = missed.map(|(place, figure)| format!("{place}: {figure:.4}")).collect();
        self.targets.push(Target { text: text.to_owned(), places: figures.len(), worst, missed });
    }

    /// Keeps a table for the file.
    pub(crate) fn keep(&mut self, name: &str, rows: Vec<Value>) {
        self.tables.insert(name.to_owned(), rows.into());
    }

    /// One line for each target, and one for each place that misses it.
    pub(crate) fn print(&self) {
        println!("\nTargets");
        for Target { text, places, worst, missed } in &self.targets {
            let verdict = match (places, missed.len()) {
                (0, _) => "not measured".to_owned(),
                (_, 0) => format!("met at all {places}, highest {worst:.4}"),
                (_, missed) => format!("MISSED at {missed} of {places}"),
            };
            println!("  {text}: {verdict}");
            missed.iter().for_each(|place| println!("    {place}"));
        }
    }

    /// The file of figures.
    pub(crate) fn to_json(&self) -> String {
        let target = |target: &Target| {
            json!({
                "target": target.text, "places": target.places, "highest": target.worst, "missed": target.missed,
            })
        };
        let targets: Vec<Value> = self.targets.iter().map(target).collect();
        format!("{:#}\n", json!({ "targets": targets, "tables": self.tables }))
    }
}
