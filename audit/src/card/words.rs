//! Numbers as a person says them. What bounds from above is rounded up.

/// Seconds of the spans that have a name, the longest first.
const SPANS: [(u64, &str); 6] =
    [(31_536_000, "year"), (604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// `13 weeks`, `one year`, in the longest unit that leaves no remainder.
pub(super) fn span(secs: u64) -> String {
    let (unit, name) = SPANS.into_iter().find(|(unit, _)| secs.is_multiple_of(*unit)).unwrap_or((1, "second"));
    match secs / unit {
        1 => format!("one {name}"),
        count => format!("{count} {name}s"),
    }
}

/// ε from millionths, exactly.
pub(super) fn epsilon(micronats: u64) -> String {
    format!("{}", micronats as f64 / 1e6)
}

/// A figure that bounds from above: three digits behind the point, rounded up.
pub(super) fn above(figure: f64) -> String {
    format!("{:.3}", libm::ceil(figure * 1e3) / 1e3)
}

/// The same with twelve digits, where the distance to a claim is small.
pub(super) fn closely_above(figure: f64) -> String {
    format!("{:.12}", libm::ceil(figure * 1e12) / 1e12)
}

/// A figure that bounds from below: three digits behind the point, rounded down.
pub(super) fn below(figure: f64) -> String {
    format!("{:.3}", libm::floor(figure * 1e3) / 1e3)
}

/// e^ε, rounded up: `20.1`, or `3.1 · 10^9` where it is large.
pub(super) fn factor(micronats: u64) -> String {
    let factor = libm::exp(micronats as f64 / 1e6);
    if factor < 1e4 {
        let digits = if factor < 10.0 { 1e2 } else { 1e1 };
        return format!("{}", libm::ceil(factor * digits) / digits);
    }
    let power = libm::floor(libm::log10(factor));
    format!("{:.1} · 10^{power}", libm::ceil(factor / libm::pow(10.0, power) * 10.0) / 10.0)
}

/// `1,000,000`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `44 bytes`.
pub(super) fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_exact() {
        let spans = [604_800, 7_862_400, 31_536_000, 86_400, 90, 7_200].map(span);
        assert_eq!(spans, ["one week", "13 weeks", "one year", "one day", "90 seconds", "2 hours"]);
    }

    #[test]
    fn figures_from_above_are_rounded_up() {
        assert_eq!([3_000_000, 500_000, 39_000_000].map(factor), ["20.1", "1.65", "8.7 · 10^16"]);
        assert_eq!((above(1.0001).as_str(), below(1.9999).as_str()), ("1.001", "1.999"));
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
