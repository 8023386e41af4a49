//! Odometers, and the counters that rise with them.

use std::collections::HashSet;

use super::super::document::Section;
use super::super::{Kind, OdometerLink, Role, Tag};
use super::counter::{natural_modulus, read_modulus};
use crate::line::counter::{Modulus, Odometer};

/// The role of a tag with what depends on its other keys: where an odometer starts again. Asks a tag that counts for
/// its odometer, so that the key is known there.
pub(super) fn complete(section: &Section<'_, '_>, role: Role, kind: Option<Kind>) -> Role {
    match (role, kind) {
        (Role::Odometer { capsules, .. }, Some(kind)) => {
            let modulus = read_modulus(section, kind).unwrap_or_else(|| natural_modulus(kind));
            if modulus == Modulus::Float32 {
                let way_out = "a type of whole numbers, u32 or wider, or role condition";
                section
                    .report("type", format!("an f32 stands still beyond 16777216; use {way_out}"));
            }
            Role::Odometer { capsules, modulus }
        }
        (role, _) => {
            if role.counts() {
                section.has("odometer");
            }
            role
        }
    }
}

/// Joins counters to the odometers they name. A counter is bounded only by what is read in the same poll. Of a tag that
/// was given up for another mistake nothing is said here.
pub(super) fn join(
    linked: &[(&Section<'_, '_>, usize)],
    given_up: &HashSet<&str>,
    tags: &mut [Tag],
) {
    for (section, counter) in linked {
        let Some(wanted) = section.text("odometer") else { continue };
        if given_up.contains(wanted.value) {
            continue;
        }
        let refuse = |message: String| {
            section.report_at(wanted.line, format!("odometer = \"{}\" {message}", wanted.value));
        };
        let Some(at) = tags.iter().position(|tag| tag.id.as_str() == wanted.value) else {
            let is_odometer = |tag: &&Tag| matches!(tag.role, Role::Odometer { .. });
            let known: Vec<&str> =
                tags.iter().filter(is_odometer).map(|tag| tag.id.as_str()).collect();
            refuse(match known.is_empty() {
                true => "is no tag of this map, which has none of role odometer".into(),
                false => format!("is no tag of this map; known are {}", known.join(", ")),
            });
            continue;
        };
        let Role::Odometer { capsules, modulus } = tags[at].role else {
            refuse("is no odometer; name a tag with role = \"odometer\"".into());
            continue;
        };
        if tags[at].group != tags[*counter].group {
            refuse(
                "is read in another group, at another moment; give both tags the same group".into(),
            );
            continue;
        }
        let odometer = Odometer { capsules, modulus };
        tags[*counter].odometer = Some(OdometerLink { tag: at as u16, odometer });
    }
}
