//! The ε at which a falling curve δ(ε) crosses a level.

/// Where the bracket is narrow enough, relative to its upper end.
const TOLERANCE: f64 = 1e-7;

/// Far more than the dozen that smooth curves take; halving alone would need about 60.
const MAX_STEPS: u32 = 200;

/// A bracket `(low, high)` of the crossing: `curve(low) > delta`, and `curve(high) <= delta` or `high == limit`.
///
/// `(0, 0)` if the curve starts below the level. Returned ends were evaluated, so they hold whatever the shape of the
/// curve; that it falls makes the bracket narrow and no more. The Illinois rule runs on y = sqrt(−ln δ), which is
/// nearly a straight line in ε for tails like the Gaussian's.
pub(super) fn bracket(delta: f64, limit: f64, curve: impl Fn(f64) -> f64) -> (f64, f64) {
    let level = depth(delta);
    let above = |epsilon: f64| level - depth(curve(epsilon));
    let (mut low, mut high) = (0.0, limit);
    // Signed distances of the ends from the level: positive at `low`, at most 0 at `high`, −∞ where the curve is 0.
    let (mut at_low, mut at_high) = (above(low), f64::NEG_INFINITY);
    if at_low <= 0.0 {
        return (0.0, 0.0);
    }
    let mut last_was_low = None;
    for _ in 0..MAX_STEPS {
        let width = high - low;
        if width <= TOLERANCE * high {
            break;
        }
        let guess = if at_high.is_finite() {
            low + width * (at_low / (at_low - at_high))
        } else if low == 0.0 {
            high / 8.0
        } else {
            libm::sqrt(low * high)
        };
        // Half a tolerance from both ends, so that an end at the crossing closes the bracket.
        let step = 0.5 * TOLERANCE * high;
        let epsilon = guess.clamp(low + step, high - step);
        let value = above(epsilon);
        let is_low = value > 0.0;
        let repeated = last_was_low == Some(is_low);
        if is_low {
            (low, at_low) = (epsilon, value);
            at_high *= if repeated { 0.5 } else { 1.0 };
        } else {
            (high, at_high) = (epsilon, value);
            at_low *= if repeated { 0.5 } else { 1.0 };
        }
        last_was_low = Some(is_low);
    }
    (low, high)
}

fn depth(delta: f64) -> f64 {
    libm::sqrt(f64::max(0.0, -libm::log(delta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(delta: f64, limit: f64, curve: impl Fn(f64) -> f64, root: f64) {
        let (low, high) = bracket(delta, limit, curve);
        assert!(low <= root && root <= high, "{root} is not in {low}..{high}");
        assert!(high - low <= 1e-7 * high, "{low}..{high}");
    }

    #[test]
    fn crossings_of_known_curves() {
        check(1e-6, 50.0, |x| libm::exp(-x), 6.0 * libm::log(10.0));
        check(1e-8, 64.0, |x| libm::exp(-x * x * 1e6), libm::sqrt(8e-6 * libm::log(10.0)));
        check(0.25, 1.0, |x| 0.5 * (1.0 - x), 0.5);
        // A step: no straight line helps.
        check(0.01, 1.0, |x| if x < 0.7 { 0.5 } else { 0.0 }, 0.7);
    }

    #[test]
    fn a_curve_below_the_level_is_crossed_at_zero() {
        assert_eq!(bracket(0.1, 3.0, |_| 0.05), (0.0, 0.0));
    }

    #[test]
    fn a_curve_above_the_level_ends_at_the_limit() {
        let (low, high) = bracket(0.1, 3.0, |_| 0.5);
        assert!(high == 3.0 && low > 2.999_999, "{low}..{high}");
    }
}
