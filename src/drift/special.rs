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

/// ln P\[χ²_df > statistic\]: what [`chi_squared_survival`] cannot tell apart below 1e-300 still has an order here.
/// `df` > 0 need not be an integer.
#[must_use]
pub fn log_chi_squared_survival(statistic: f64, df: f64) -> f64 {
    let (a, x) = (df / 2.0, statistic / 2.0);
    if x <= 0.0 {
        return 0.0;
    }
    let log_scale = a * libm::log(x) - x - libm::lgamma(a);
    if x < a + 1.0 {
        libm::log1p(-libm::exp(log_scale) * lower_series(a, x))
    } else {
        log_scale + libm::log(upper_fraction(a, x))
    }
}

/// P\[χ²_df(λ) > statistic\] for the noncentral law: Σ_j Poisson(j; λ/2) P\[χ²_(df + 2j) > statistic\] (Johnson, Kotz and
/// Balakrishnan, "Continuous univariate distributions" 2, chapter 29, eq. 29.2), by the recurrence Q(a + 1, x) = Q(a, x) +
/// x^a e^(−x)/Γ(a + 1). `df` > 0 need not be an integer. Terms beyond 9 standard deviations of the Poisson law are left
/// out, so the error is below 1e-12; O(√λ) steps.
#[must_use]
pub fn noncentral_chi_squared_survival(statistic: f64, df: f64, noncentrality: f64) -> f64 {
    if statistic <= 0.0 {
        return 1.0;
    }
    let (mean, x) = (noncentrality / 2.0, statistic / 2.0);
    if mean <= 0.0 {
        return libm::exp(log_chi_squared_survival(statistic, df));
    }
    let spread = 9.0 * libm::sqrt(mean) + 30.0;
    let (first, last) = (libm::floor((mean - spread).max(0.0)), libm::ceil(mean + spread));
    let mut a = df / 2.0 + first;
    let mut upper = libm::exp(log_chi_squared_survival(statistic, 2.0 * a));
    let mut step = libm::exp(a * libm::log(x) - x - libm::lgamma(a + 1.0));
    let mut weight = libm::exp(first * libm::log(mean) - mean - libm::lgamma(first + 1.0));
    let (mut sum, mut j) = (0.0, first);
    while j <= last {
        sum += weight * upper.min(1.0);
        upper += step;
        a += 1.0;
        step *= x / a;
        j += 1.0;
        weight *= mean / j;
    }
    sum.clamp(0.0, 1.0)
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

    /// Values of mpmath 1.3 in 30 digits: ln of `gammainc(df/2, x/2, regularized=True)`.
    #[test]
    fn logarithms_of_tails_that_underflow() {
        close(log_chi_squared_survival(3.841_458_820_694_124, 1.0), libm::log(0.05));
        close(log_chi_squared_survival(0.509_193_862_883_096_1, 3.0), libm::log(0.916_866_966_925_675_8));
        close(log_chi_squared_survival(5_000.0, 15.0), -2456.6754628249116);
        close(log_chi_squared_survival(2_000.0, 1.0), -1004.0267419589519);
    }

    /// Values of mpmath 1.3 in 30 digits, the series summed term by term.
    #[test]
    fn noncentral_tail() {
        for (statistic, df, noncentrality, expected) in [
            (10.0, 3.0, 5.0, 0.293351352222548),
            (30.0, 15.0, 20.0, 0.658431704338456),
            (20.0, 7.5, 0.3, 0.0101617591018378),
            (300.0, 9.0, 400.0, 0.998100204489022),
        ] {
            let found = noncentral_chi_squared_survival(statistic, df, noncentrality);
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
        }
        let central = noncentral_chi_squared_survival(12.493_363_916_721_966, 3.0, 0.0);
        close(central, 0.005_870_759_294_273_446_5);
    }
}
