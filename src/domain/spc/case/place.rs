//! A JSON value that knows where in the case it stands, so that an error can name the place.

use serde_json::{Map, Value};

use super::CaseError;

/// A value of the case with its dotted path.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Place<'a> {
    /// The case itself.
    pub(super) fn root(value: &'a Value) -> Place<'a> {
        Place { path: String::new(), value }
    }

    /// The member `key`, if it is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<Place<'a>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Place { path: self.join(key), value })
    }

    /// The member `key`, which must be there.
    pub(super) fn need(&self, key: &str) -> Result<Place<'a>, CaseError> {
        self.get(key)
            .ok_or_else(|| CaseError { place: self.join(key), problem: "is missing".into() })
    }

    /// An error at this place: `expected` says what would do.
    pub(super) fn error(&self, expected: &str) -> CaseError {
        const SHOWN: usize = 60;
        let mut found = self.value.to_string();
        if let Some((cut, _)) = found.char_indices().nth(SHOWN) {
            found.truncate(cut);
            found.push('…');
        }
        CaseError {
            place: self.path.clone(),
            problem: format!("found {found}; expected {expected}"),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn number(&self) -> Result<f64, CaseError> {
        self.value.as_f64().ok_or_else(|| self.error("a number"))
    }

    pub(super) fn count(&self) -> Result<u64, CaseError> {
        self.value.as_u64().ok_or_else(|| self.error("a whole number that is not negative"))
    }

    pub(super) fn index(&self) -> Result<usize, CaseError> {
        Ok(usize::try_from(self.count()?).unwrap_or(usize::MAX))
    }

    pub(super) fn integer(&self) -> Result<i64, CaseError> {
        self.value.as_i64().ok_or_else(|| self.error("a whole number"))
    }

    pub(super) fn flag(&self) -> Result<bool, CaseError> {
        self.value.as_bool().ok_or_else(|| self.error("true or false"))
    }

    pub(super) fn text(&self) -> Result<&'a str, CaseError> {
        self.value.as_str().ok_or_else(|| self.error("a text"))
    }

    pub(super) fn list(&self) -> Result<Vec<Place<'a>>, CaseError> {
        let values = self.value.as_array().ok_or_else(|| self.error("a list"))?;
        Ok(values
            .iter()
            .enumerate()
            .map(|(i, value)| Place { path: self.join(&i.to_string()), value })
            .collect())
    }

    /// A list that takes long for each of its items.
    pub(super) fn short_list(&self, most: usize) -> Result<Vec<Place<'a>>, CaseError> {
        let n = self.value.as_array().map_or(0, Vec::len);
        if n > most {
            let problem = format!("found {n} items; expected at most {most}");
            return Err(CaseError { place: self.path.clone(), problem });
        }
        self.list()
    }

    pub(super) fn members(&self) -> Result<Vec<(&'a str, Place<'a>)>, CaseError> {
        let members = self.value.as_object().ok_or_else(|| self.error("an object"))?;
        let place = |(key, value): (&'a String, &'a Value)| {
            (key.as_str(), Place { path: self.join(key), value })
        };
        Ok(members.iter().map(place).collect())
    }

    /// A copy of the object that stands here.
    pub(super) fn object(&self) -> Result<Map<String, Value>, CaseError> {
        self.value.as_object().cloned().ok_or_else(|| self.error("an object"))
    }

    /// A list of numbers in which null is a gap.
    pub(super) fn series(&self) -> Result<Vec<Option<f64>>, CaseError> {
        self.list()?
            .iter()
            .map(|item| if item.is_null() { Ok(None) } else { item.number().map(Some) })
            .collect()
    }

    /// A list of numbers without gaps.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, CaseError> {
        self.list()?.iter().map(Place::number).collect()
    }

    /// The value of the listed name.
    pub(super) fn choose<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, CaseError> {
        let name = self.text()?;
        let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let found = choices.iter().find(|(choice, _)| *choice == name).map(|(_, value)| *value);
        found.ok_or_else(|| self.error(&format!("one of {}", names())))
    }

    // Members with a default, which is most of what a case says.

    pub(super) fn number_or(&self, key: &str, default: f64) -> Result<f64, CaseError> {
        self.get(key).map_or(Ok(default), |place| place.number())
    }

    pub(super) fn number_if_any(&self, key: &str) -> Result<Option<f64>, CaseError> {
        self.get(key).map(|place| place.number()).transpose()
    }

    pub(super) fn index_or(&self, key: &str, default: usize) -> Result<usize, CaseError> {
        self.get(key).map_or(Ok(default), |place| place.index())
    }

    pub(super) fn flag_or(&self, key: &str, default: bool) -> Result<bool, CaseError> {
        self.get(key).map_or(Ok(default), |place| place.flag())
    }

    pub(super) fn choose_or<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, CaseError> {
        self.get(key).map_or(Ok(default), |place| place.choose(choices))
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }
}
