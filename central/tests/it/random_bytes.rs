//! Bytes from the network never crash the centre.

use std::sync::{Arc, LazyLock};

use driftglass_central::intake::check;
use driftglass_central::registry::{Registered, Registry};
use driftglass_central::store::Store;
use proptest::prelude::*;

use crate::support::{Centre, Fleet, SeededEntropy, body, data_dir, now_secs};

static REGISTERED: LazyLock<Arc<Registered>> = LazyLock::new(|| {
    let dir = data_dir();
    let registry = Registry::load(Arc::new(Store::open(dir.path()).expect("a store"))).expect("specs");
    Arc::clone(&registry.snapshot().specs()[0])
});

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| body(&Fleet::new(1).reports(4)));

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check(&REGISTERED, &bytes, now_secs());
    }

    #[test]
    fn good_reports_with_some_bytes_changed(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = GOOD.clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(checked) = check(&REGISTERED, &bytes, now_secs()) {
            prop_assert_eq!(checked.refusals.len(), 4);
            prop_assert_eq!(checked.refusals.iter().filter(|refusal| refusal.is_none()).count(), checked.entries.len());
            for entry in checked.entries {
                prop_assert_eq!(REGISTERED.randomizers[usize::from(entry.question)].check(&entry.payload), Ok(()));
            }
        }
    }
}

#[test]
fn over_http() {
    let centre = Centre::new();
    let mut random = SeededEntropy(1);
    for _ in 0..200 {
        let mut upload = GOOD.clone();
        for _ in 0..=random.below(4) {
            let place = random.below(upload.len());
            upload[place] = random.next() as u8;
        }
        upload.truncate(1 + random.below(2 * upload.len()));
        let status = centre.upload(&upload).status;
        assert!([202, 400, 409, 422].contains(&status), "{status}");
    }
    let stored = centre.count("SELECT coalesce(sum(reports), 0) FROM report_count");
    assert_eq!(centre.count("SELECT count(*) FROM journal"), stored);
    assert_eq!(centre.counter("accepted"), stored as u64);
}
