//! placeholder until merge
pub(super) fn anchored_bit(_: &[u32], _: &[u32], _: &[u8; 16], draw: u64) -> u64 {
    draw & 1
}
