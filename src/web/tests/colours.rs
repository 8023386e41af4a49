//! Colours and sizes of the style sheet.

use super::*;

/// The colours of the blocks of `app.css` that begin with `selector`.
fn tokens(css: &str, selector: &str) -> BTreeMap<String, [f64; 3]> {
    let block = css.split(selector).nth(1).unwrap().split('}').next().unwrap();
    let channel =
        |hex: &str, i: usize| f64::from(u8::from_str_radix(&hex[i..i + 2], 16).unwrap()) / 255.0;
    let token = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let hex = value.trim_end_matches(';').to_owned();
        Some((name.to_owned(), [0, 2, 4].map(|i| channel(&hex, i))))
    };
    block.lines().filter_map(token).collect()
}

/// Contrast after WCAG 2.2, "contrast ratio" and "relative luminance".
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let light = |c: [f64; 3]| 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    let (a, b) = (light(a) + 0.05, light(b) + 0.05);
    a.max(b) / a.min(b)
}

/// Shows: SCR-04
#[test]
fn every_pair_of_colours_can_be_told_apart() {
    let css = include_str!("../assets/app.css");
    assert_eq!(
        tokens(css, ":root[data-theme='dark'] {"),
        tokens(css, ":root[data-theme='auto'] {"),
        "dark by choice and dark by device are the same"
    );
    let text = ["ink", "ink2", "p1", "p2", "fault"];
    for selector in [":root {", ":root[data-theme='dark'] {"] {
        let colours = tokens(css, selector);
        let of = |name: &str| colours[name];
        for name in text {
            for ground in ["card", "field"] {
                let contrast = contrast(of(name), of(ground));
                assert!(contrast >= 4.5, "{selector} {name} on {ground}: {contrast:.2}");
            }
        }
        assert!(contrast(of("on-fault"), of("fault")) >= 4.5, "{selector} band");
        // Marks that lie on each other: the pointer on what is normal, filling in a track.
        for (mark, ground) in
            [("ink", "grid"), ("ink2", "field"), ("ink2", "card"), ("fault", "card")]
        {
            let contrast = contrast(of(mark), of(ground));
            assert!(contrast >= 3.0, "{selector} {mark} on {ground}: {contrast:.2}");
        }
    }
}

#[test]
fn no_text_is_smaller_than_can_be_read() {
    let css = include_str!("../assets/app.css");
    for size in css.split("font-size: ").skip(1).chain(css.split("font: bold ").skip(1)) {
        // What follows the size of its tile says the least that it may be.
        let least = size.strip_prefix("max(").unwrap_or(size);
        let px: f64 = least.split("px").next().unwrap().parse().unwrap();
        assert!(px >= 14.0, "{px} px");
    }
}
