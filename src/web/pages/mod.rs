//! Pages, one file each. A page is a shell in the reader's language with the figures of the
//! moment; the next ones come over the stream.

mod account;
mod admin;
mod audit;
mod calls;
mod configured;
pub mod data;
mod first_run;
pub mod layout;
pub mod line;
mod login;
mod map;
pub mod overview;
mod parts;
mod query;
pub(in crate::web) mod refusal;
pub mod rejects;
mod replay;
pub mod report;
pub mod sim;
pub mod spc;
pub mod stops;
pub mod wall;
pub(in crate::web) mod words;

use super::Routes;

/// Routes of all pages.
pub(crate) fn routes() -> Routes {
    [
        overview::routes(),
        wall::routes(),
        line::routes(),
        stops::routes(),
        rejects::routes(),
        spc::routes(),
        report::routes(),
        data::routes(),
        map::routes(),
        sim::routes(),
        login::routes(),
        account::routes(),
        admin::routes(),
        audit::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
