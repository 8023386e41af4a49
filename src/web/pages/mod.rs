//! Pages, one file each. A page is a shell in the reader's language with the figures of the
//! moment; the next ones come over the stream.

pub mod layout;
pub mod overview;
pub mod spc;

use super::Routes;

/// Routes of all pages.
pub(crate) fn routes() -> Routes {
    [overview::routes(), spc::routes()].into_iter().flatten().collect()
}
