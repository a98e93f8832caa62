//! Does the auditor catch what is broken, and leave alone what is sound?

use driftglass::spec::MonitorSpec;

use crate::audit::{ERROR, Effort, Seeds, question};
use crate::configuration::Configuration;
use crate::native::Native;
use crate::planted::{Mistake, Planted};
use crate::tape::Chance;
use crate::verdict::{Part, PlantedBug, QuestionAudit, SelfTest};

const EFFORT: Effort = Effort { reports: 20_000, foretell: 500 };

/// The planted bugs, and three sound randomizers.
#[must_use]
pub fn quick(seed: u64) -> SelfTest {
    let mut chance = Chance::seeded(seed);
    let sound = 3;
    SelfTest {
        planted: Mistake::ALL.map(|mistake| planted(mistake, chance.word())).to_vec(),
        sound,
        false_accusations: accused(sound, &mut chance).len() as u64,
    }
}

/// Audits a randomizer with a mistake.
#[must_use]
pub fn planted(mistake: Mistake, seed: u64) -> PlantedBug {
    // Ordered sets of 4 of 16 fit the bytes of a rank; a payload of two bytes can have a leading zero.
    let (mechanism, symbols) = match mistake {
        Mistake::Order => ("subset-selection", 16),
        Mistake::Length => ("k-ary", 300),
        _ => ("k-ary", 16),
    };
    let configuration = Configuration { mechanism, symbols, epsilon_micronats: 1_000_000 };
    let spec = spec(&configuration);
    let mut probe = Planted::of(&spec, 0, mistake);
    let seeds = Seeds { points: seed, choices: seed, entropy: Some(seed) };
    let audit = question(&mut probe, &spec, 0, EFFORT, ERROR, seeds);
    let mut caught_by: Vec<Part> = audit.checks.iter().filter(|check| !check.passed).map(|check| check.part).collect();
    caught_by.dedup();
    PlantedBug { name: mistake.name(), description: mistake.description(), caught_by, finding: first_finding(&audit) }
}

/// Audits of sound randomizers of random configurations; what accused them, if anything did.
#[must_use]
pub fn accused(audits: u64, chance: &mut Chance) -> Vec<String> {
    let audit = |_| {
        let configuration = Configuration::random(chance);
        let spec = spec(&configuration);
        let seeds = Seeds { points: chance.word(), choices: chance.word(), entropy: Some(chance.word()) };
        let audit = question(&mut Native::of(&spec, 0), &spec, 0, EFFORT, ERROR, seeds);
        (!audit.passed()).then(|| format!("{}: {}", configuration.name(), first_finding(&audit)))
    };
    (0..audits).filter_map(audit).collect()
}

fn spec(configuration: &Configuration) -> MonitorSpec {
    MonitorSpec::parse(&configuration.spec()).expect("a configuration has a valid spec")
}

fn first_finding(audit: &QuestionAudit) -> String {
    audit.checks.iter().find(|check| !check.passed).map_or_else(String::new, |check| check.sentence.clone())
}
