//! Pages, one file each. A page is a shell in the reader's language with the figures of the
//! moment; the next ones come over the stream.

pub mod layout;
pub mod overview;

use super::Routes;

/// Routes of all pages.
pub(crate) fn routes() -> Routes {
    [overview::routes()].into_iter().flatten().collect()
}
