//! Mergeable sums of reports for one (spec, window, question, segment, arm).
//!
//! Integers only; [`Aggregate::merge`] is commutative and associative, with the empty aggregate as identity, so any split of the reports over
//! nodes and any order give the same sums.

/// How many reports there are, and how many of them support each symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    reports: u64,
    support: Vec<u64>,
}

/// Two aggregates, or an aggregate and a report, over different domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only aggregates and reports over the same domain can be added")]
pub struct DomainMismatch;

impl Aggregate {
    /// The empty aggregate over a domain.
    #[must_use]
    pub fn new(domain_size: usize) -> Self {
        Self { reports: 0, support: vec![0; domain_size] }
    }

    /// The aggregate with these sums.
    #[must_use]
    pub fn from_sums(reports: u64, support: Vec<u64>) -> Self {
        Self { reports, support }
    }

    /// Adds one report, given as the symbols of its subset.
    ///
    /// # Errors
    ///
    /// [`DomainMismatch`] when a symbol lies outside the domain; then nothing is added.
    pub fn accumulate(&mut self, subset: &[usize]) -> Result<(), DomainMismatch> {
        if subset.iter().any(|symbol| *symbol >= self.support.len()) {
            return Err(DomainMismatch);
        }
        self.reports += 1;
        for symbol in subset {
            self.support[*symbol] += 1;
        }
        Ok(())
    }

    /// Adds all reports of another aggregate.
    ///
    /// # Errors
    ///
    /// [`DomainMismatch`] when the domains differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), DomainMismatch> {
        if self.support.len() != other.support.len() {
            return Err(DomainMismatch);
        }
        self.reports += other.reports;
        for (sum, more) in self.support.iter_mut().zip(&other.support) {
            *sum += more;
        }
        Ok(())
    }

    /// Number of reports.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// For each symbol, how many reports support it.
    #[must_use]
    pub fn support(&self) -> &[u64] {
        &self.support
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(subsets: &[Vec<usize>]) -> Aggregate {
        let mut sum = Aggregate::new(6);
        subsets.iter().for_each(|subset| sum.accumulate(subset).expect("in the domain"));
        sum
    }

    proptest! {
        #[test]
        fn any_split_and_order_give_the_same_sums(
            mut subsets in prop::collection::vec(prop::collection::vec(0_usize..6, 1..4), 0..40),
            split in 0_usize..40,
        ) {
            let whole = folded(&subsets);
            subsets.reverse();
            let (left, right) = subsets.split_at(split.min(subsets.len()));
            let (mut left, right) = (folded(left), folded(right));
            let mut swapped = right.clone();
            swapped.merge(&left).expect("one domain");
            left.merge(&right).expect("one domain");
            prop_assert_eq!(&left, &whole);
            prop_assert_eq!(&swapped, &whole);
        }
    }

    #[test]
    fn domains_are_not_mixed() {
        let mut sum = Aggregate::new(3);
        assert_eq!(sum.accumulate(&[3]), Err(DomainMismatch));
        assert_eq!(sum.merge(&Aggregate::new(4)), Err(DomainMismatch));
        assert_eq!(sum, Aggregate::new(3));
    }
}
