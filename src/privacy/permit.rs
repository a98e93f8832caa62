//! Proof that a debit was made.

/// Allows one answer to be privatized. Only the ledger makes one; it cannot be cloned and is consumed by use.
///
/// ```compile_fail
/// let permit = driftglass::privacy::Permit(());
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used is budget spent for nothing"]
pub struct Permit(());

impl Permit {
    pub(super) fn after_debit() -> Self {
        Self(())
    }
}
