//! Sums of numbers that are kept as logarithms, and the logarithm of the gamma function.

/// ln(eᵘ + eᵛ).
pub(super) fn ln_add(u: f64, v: f64) -> f64 {
    let (more, less) = if u >= v { (u, v) } else { (v, u) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}

/// The logarithm of the sum of all.
pub(super) fn ln_sum(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::NEG_INFINITY, ln_add)
}

/// From here on Stirling's series with six terms is exact to the last digits of a double.
const FAR: f64 = 12.0;
/// Bernoulli numbers over 2k(2k − 1).
const STIRLING: [f64; 6] =
    [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];

/// ln Γ(x) for x > 0.
pub(super) fn ln_gamma(x: f64) -> f64 {
    let (mut far, mut down) = (x, 0.0);
    while far < FAR {
        down += far.ln();
        far += 1.0;
    }
    let square = far * far;
    let series = STIRLING.iter().rev().fold(0.0, |sum, term| sum / square + term) / far;
    (far - 0.5) * far.ln() - far + 0.5 * std::f64::consts::TAU.ln() + series - down
}
