//! Distribution functions, by `libm` alone, so that native and wasm agree bit for bit.

pub use crate::estimate::normal_quantile;

/// P\[χ²_df > statistic\] = Q(df/2, statistic/2), the regularized upper incomplete gamma function (NIST DLMF 8.2.4).
///
/// Series 8.11.4 below the mean, Lentz's continued fraction 8.9.2 above.
#[must_use]
pub fn chi_squared_survival(statistic: f64, df: usize) -> f64 {
    let (a, x) = (df as f64 / 2.0, statistic / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 { 1.0 - scale * lower_series(a, x) } else { scale * upper_fraction(a, x) }
}

/// Σ xⁿ / (a (a+1) … (a+n)).
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    let mut n = a;
    while term > sum * f64::EPSILON / 4.0 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// 1/(x+1−a− 1(1−a)/(x+3−a− 2(2−a)/(x+5−a− …))), evaluated by the modified Lentz algorithm.
fn upper_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..1_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b, TINY);
        c = nonzero(b + numerator / c, TINY);
        let factor = c * d;
        value *= factor;
        if libm::fabs(factor - 1.0) < f64::EPSILON {
            break;
        }
    }
    value
}

fn nonzero(value: f64, tiny: f64) -> f64 {
    if libm::fabs(value) < tiny { tiny } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} is not {expected}");
    }

    /// Values of scipy 1.17: `chi2.sf`.
    #[test]
    fn chi_squared_tail() {
        close(chi_squared_survival(3.841_458_820_694_124, 1), 0.05);
        close(chi_squared_survival(12.493_363_916_721_966, 3), 0.005_870_759_294_273_446_5);
        close(chi_squared_survival(37.712_309_884_875_26, 3), 3.251_973_328_777_989e-8);
        close(chi_squared_survival(0.509_193_862_883_096_1, 3), 0.916_866_966_925_675_8);
        assert_eq!(chi_squared_survival(0.0, 4), 1.0);
    }
}
