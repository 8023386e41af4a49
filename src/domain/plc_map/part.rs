//! A part of a value that is more than one number: an element of an array, a field of a structure.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The way from a value to a part of it: `[3]`, `Counters.Good`, `Lanes[2].Good`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part(Arc<[Step]>);

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the field of a structure with this name.
    Field(Arc<str>),
    /// To an element of an array, from 0. In an array of several dimensions the last index moves fastest.
    Element(u32),
}

/// Most steps; no machine nests deeper, and the way is followed by recursion.
const STEPS: usize = 16;

impl Part {
    /// The steps, from the outside to the inside. Never empty.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl FromStr for Part {
    type Err = ();

    fn from_str(text: &str) -> Result<Part, ()> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(open) = rest.strip_prefix('[') {
                let (index, after) = open.split_once(']').ok_or(())?;
                let plain = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
                steps.push(Step::Element(index.parse().ok().filter(|_| plain).ok_or(())?));
                rest = after;
            } else {
                let field = match (steps.is_empty(), rest.strip_prefix('.')) {
                    (true, None) => rest,
                    (false, Some(after)) => after,
                    _ => return Err(()),
                };
                let end = field.find(['.', '[']).unwrap_or(field.len());
                let (name, after) = field.split_at(end);
                if name.is_empty() || name.contains(']') {
                    return Err(());
                }
                steps.push(Step::Field(name.into()));
                rest = after;
            }
        }
        match steps.len() {
            1..=STEPS => Ok(Part(steps.into())),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Element(index) => write!(f, "[{index}]")?,
                Step::Field(name) if i == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_is_written() {
        for text in ["[0]", "Good", "Counters.Good", "Lanes[2].Good", "[1][2]", "Zähler", "a b[3]"]
        {
            assert_eq!(text.parse::<Part>().map(|part| part.to_string()), Ok(text.to_owned()));
        }
        let part: Part = "Lanes[2].Good".parse().unwrap();
        let field = |name: &str| Step::Field(name.into());
        assert_eq!(part.steps(), [field("Lanes"), Step::Element(2), field("Good")]);
    }

    #[test]
    fn what_is_no_way_is_refused() {
        let deep = "[0]".repeat(STEPS + 1);
        for text in [
            "",
            ".",
            "[",
            "[]",
            "[-1]",
            "[+1]",
            "[1",
            "[4294967296]",
            "a..b",
            "a.",
            ".a",
            "a[1]b",
            "a]",
            "[1].[2]",
            &deep,
        ] {
            assert_eq!(text.parse::<Part>(), Err(()), "{text}");
        }
    }
}
