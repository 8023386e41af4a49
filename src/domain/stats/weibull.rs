//! The Weibull law of times and strengths, fitted by maximum likelihood.

/// `P(X <= x) = 1 - exp(-(x/scale)^shape)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    /// Below one: failures early; one: the exponential law; above one: wear.
    pub shape: f64,
    /// The value that 63.2 % do not exceed.
    pub scale: f64,
}

impl Weibull {
    /// The maximum-likelihood fit, leaving out values that are not positive. `None` below two different values.
    ///
    /// The shape solves `Σ x^k ln x / Σ x^k - 1/k = mean ln x` (Lawless, ch. 5). The left side rises with k, so
    /// Newton steps inside a bracket cannot miss it. Values are scaled by the largest, so that no power overflows.
    pub fn fit(values: &[f64]) -> Option<Weibull> {
        let used: Vec<f64> = values.iter().copied().filter(|v| *v > 0.0 && v.is_finite()).collect();
        let largest = used.iter().copied().fold(0.0, f64::max);
        let logs: Vec<f64> = used.iter().map(|v| (v / largest).ln()).collect();
        let mean_log = super::summary::mean(&logs)?;
        if logs.iter().all(|log| (log - logs[0]).abs() < 1e-12) {
            return None;
        }
        let shape = solve_shape(&logs, mean_log);
        let mean_power =
            logs.iter().map(|log| (shape * log).exp()).sum::<f64>() / logs.len() as f64;
        Some(Weibull { shape, scale: largest * mean_power.powf(1.0 / shape) })
            .filter(Weibull::is_finite)
    }

    /// The exponential law with the mean of these values; `None` unless that is positive.
    pub fn exponential(values: &[f64]) -> Option<Weibull> {
        let scale = super::summary::mean(values)?;
        Some(Weibull { shape: 1.0, scale }).filter(Weibull::is_finite)
    }

    /// `P(X > x)`.
    pub fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { (-(x / self.scale).powf(self.shape)).exp() }
    }

    /// The value that a part `p` of all does not exceed; `None` outside `[0, 1)`.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        (0.0..1.0).contains(&p).then(|| self.scale * (-(-p).ln_1p()).powf(1.0 / self.shape))
    }

    fn is_finite(&self) -> bool {
        self.shape > 0.0 && self.scale > 0.0 && self.shape.is_finite() && self.scale.is_finite()
    }
}

fn solve_shape(logs: &[f64], mean_log: f64) -> f64 {
    let (mut low, mut high, mut k) = (0.0, f64::INFINITY, 1.0_f64);
    for _ in 0..200 {
        let (mut s0, mut s1, mut s2) = (0.0, 0.0, 0.0);
        for &log in logs {
            let power = (k * log).exp();
            s0 += power;
            s1 += power * log;
            s2 += power * log * log;
        }
        let excess = s1 / s0 - 1.0 / k - mean_log;
        let slope = s2 / s0 - (s1 / s0).powi(2) + 1.0 / (k * k);
        if excess > 0.0 {
            high = k;
        } else {
            low = k;
        }
        let newton = k - excess / slope;
        let next = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * k
        };
        let moved = (next - k).abs();
        k = next;
        if moved <= 1e-15 * k {
            break;
        }
    }
    k
}
