//! A control chart as SVG: points, centre line, limits in steps, signals as filled circles with their rules.

use std::fmt::Write;

use super::chart::{Panel, significant};

const WIDTH: f64 = 1_200.0;
const PANEL_HEIGHT: f64 = 320.0;
const HEAD: f64 = 40.0;
/// Room for numbers at the left and for the names of the limits at the right.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 30.0;

const STYLE: &str = "text{font:13px sans-serif;fill:#222}.s{fill:none;stroke:#345;stroke-width:1}\
.c{fill:none;stroke:#2a7a3b}.l{fill:none;stroke:#b3261e;stroke-dasharray:6 4}.p{fill:#345}\
.h{fill:#b3261e}.f{fill:none;stroke:#999}";

/// The panels one below the other.
pub(super) fn draw(title: &str, labels: &[&str], panels: &[Panel]) -> String {
    let height = HEAD + PANEL_HEIGHT * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-weight=\"bold\">{0}</text>\n",
        escaped(title)
    );
    for (i, panel) in panels.iter().enumerate() {
        draw_panel(&mut svg, HEAD + PANEL_HEIGHT * i as f64, labels, panel);
    }
    svg += "</svg>\n";
    svg
}

/// From data to paper.
struct Scale {
    top: f64,
    low: f64,
    high: f64,
    n: usize,
}

impl Scale {
    fn of(panel: &Panel, top: f64) -> Scale {
        let columns = [&panel.stat, &panel.center, &panel.lower, &panel.upper];
        let values = || columns.into_iter().flatten().copied().flatten();
        let (low, high) = values().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
        // Without a spread, or without any value, there is still a scale.
        let (low, high) = match low < high {
            true => (low, high),
            false if low == high => (low - 1.0, high + 1.0),
            false => (0.0, 1.0),
        };
        let margin = (high - low) * 0.05;
        Scale { top, low: low - margin, high: high + margin, n: panel.stat.len() }
    }

    /// Width of one point.
    fn pitch(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.n.max(1) as f64
    }

    fn x(&self, i: usize) -> f64 {
        LEFT + (i as f64 + 0.5) * self.pitch()
    }

    fn y(&self, value: f64) -> f64 {
        let height = PANEL_HEIGHT - TOP - BOTTOM;
        self.top + TOP + height * (self.high - value) / (self.high - self.low)
    }
}

fn draw_panel(svg: &mut String, top: f64, labels: &[&str], panel: &Panel) {
    let scale = Scale::of(panel, top);
    let (y, height) = (top + TOP, PANEL_HEIGHT - TOP - BOTTOM);
    let width = WIDTH - LEFT - RIGHT;
    let _ = writeln!(
        svg,
        "<g>\n<text x=\"{LEFT}\" y=\"{:.1}\">{}</text>\n\
         <rect class=\"f\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height}\"/>",
        top + 20.0,
        escaped(&panel.name)
    );
    for (column, class, name) in
        [(&panel.lower, "l", "lcl"), (&panel.center, "c", "cl"), (&panel.upper, "l", "ucl")]
    {
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", steps(&scale, column));
        if let Some(last) = column.iter().rev().find_map(|value| *value) {
            let (x, y) = (WIDTH - RIGHT + 6.0, scale.y(last) + 4.0);
            let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y:.1}\">{name}</text>");
            let number = significant(last);
            let x = LEFT - 6.0;
            let _ =
                writeln!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{number}</text>");
        }
    }
    let _ = writeln!(svg, "<path class=\"s\" d=\"{}\"/>", line(&scale, &panel.stat));
    for (i, value) in panel.stat.iter().enumerate() {
        let Some(value) = *value else { continue };
        let rules = &panel.signals[i];
        let (class, r) = if rules.is_empty() { ("p", 2.0) } else { ("h", 4.0) };
        let label = labels.get(i).copied().unwrap_or_default();
        let told = format!("{} {label}: {} {}", i + 1, significant(value), rules.join(" "));
        let (x, y) = (scale.x(i), scale.y(value));
        let _ = writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\"><title>{}</title></circle>",
            escaped(told.trim_end())
        );
    }
    for (i, anchor) in [(0, "start"), (scale.n.saturating_sub(1), "end")] {
        let (x, y) = (scale.x(i), top + PANEL_HEIGHT - 10.0);
        let label = escaped(labels.get(i).copied().unwrap_or_default());
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{label}</text>"
        );
    }
    *svg += "</g>\n";
}

/// A line from point to point, broken at gaps.
fn line(scale: &Scale, column: &[Option<f64>]) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (i, value) in column.iter().enumerate() {
        match value {
            Some(value) => {
                let _ = write!(path, "{pen}{:.1} {:.1}", scale.x(i), scale.y(*value));
                pen = 'L';
            }
            None => pen = 'M',
        }
    }
    path
}

/// A limit in steps, each as wide as its point, broken at gaps.
fn steps(scale: &Scale, column: &[Option<f64>]) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    let half = scale.pitch() / 2.0;
    for (i, value) in column.iter().enumerate() {
        match value {
            Some(value) => {
                let (x, y) = (scale.x(i), scale.y(*value));
                let _ = write!(path, "{pen}{:.1} {y:.1}H{:.1}", x - half, x + half);
                pen = 'L';
            }
            None => pen = 'M',
        }
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
