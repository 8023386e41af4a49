//! Gauss–Legendre quadrature, for the constants of ranges and the integral equations of run lengths.

use std::f64::consts::PI;

/// Nodes and weights of the `order`-point rule on `[low, high]`, in rising order of the nodes.
///
/// Newton's method on the Legendre polynomial from Tricomi's starting values (Numerical Recipes 4.6).
/// An order of zero is taken as one.
pub fn gauss_legendre(order: usize, low: f64, high: f64) -> Vec<(f64, f64)> {
    let order = order.max(1);
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let root = |i: usize| {
        let mut x = -(PI * (i as f64 + 0.75) / (order as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (value, derivative) = legendre(order, x);
            slope = derivative;
            let step = value / derivative;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (middle + half * x, half * 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..order).map(root).collect()
}

/// The composite rule: `panels` equal pieces of `[low, high]` with sixteen nodes each.
pub fn composite(panels: usize, low: f64, high: f64) -> Vec<(f64, f64)> {
    const ORDER: usize = 16;
    let panels = panels.max(1);
    let width = (high - low) / panels as f64;
    let unit = gauss_legendre(ORDER, 0.0, width);
    let shifted = |panel: usize| {
        let start = low + width * panel as f64;
        unit.iter().map(move |&(x, w)| (start + x, w))
    };
    (0..panels).flat_map(shifted).collect()
}

/// The Legendre polynomial of degree `order` and its derivative at `x`, by the three-term recurrence.
fn legendre(order: usize, x: f64) -> (f64, f64) {
    let (mut previous, mut current) = (1.0, x);
    for k in 2..=order {
        let k = k as f64;
        let next = ((2.0 * k - 1.0) * x * current - (k - 1.0) * previous) / k;
        previous = current;
        current = next;
    }
    (current, order as f64 * (x * current - previous) / (x * x - 1.0))
}
