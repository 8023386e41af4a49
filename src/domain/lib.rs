//! The pure core of Capline: what a capsule line is, counted and judged.
//!
//! Nothing in this crate waits, opens a file or asks what time it is: time and randomness are arguments,
//! and doubt is a value ([`units::Count`], [`reading::Quality`]) instead of an error.
//!
//! Modules in reading order; a module may use those above it and never those below. `tests/it/layers.rs` reads this
//! table and keeps it; what waits, opens or asks the time is found there too.
//!
//! | module | what it holds |
//! |---|---|
//! | [`units`] | counts with doubt, moments, identifiers |
//! | [`digest`] | SHA-256 and other bytes as text |
//! | [`stats`] | intervals, quantiles, moments of distributions |
//! | [`spc`] | control charts and their rules |
//! | [`reading`] | what a device said, and when, and how sure it was |
//! | [`line::counter`] | the counter ledger: raw values → counts that add up, with their doubt |
//! | [`line::count_file`] | counting cases as text |
//! | [`line::state`] | states of a machine and the class of time they are |
//! | [`line::transition`] | which changes of state PackML allows |
//! | [`line::output`] | what makes the output of a line: one machine, or several side by side |
//! | [`line::stop`] | why a line stood, which machine stopped it, what people say later |
//! | [`line::weight`] | weights as exact sums, and what is missing of them |
//! | [`plc_map`] | which register or node means what |
//! | [`line::weighing`] | published records of weights, each taken once |
//! | [`line::calendar`] | shifts and hours |
//! | [`line::minute`] | what one minute counted and how its time was spent |
//! | [`line::event`] | what happened and is worth a row |
//! | [`line::oee`] | the KPIs of ISO 22400-2 as exact fractions |
//! | [`line::oee_file`] | OEE cases as text |
//! | [`line::split`] | a whole number divided so that the parts add up |
//! | [`line::second`] | the same as a minute, second by second |
//! | [`line::trend`] | what one tag was over the parts of a span |
//! | [`line::batch`] | which batch a line works on, its yield and balance of material |
//! | [`line::rollup`] | hours, shifts and batches as sums |
//! | [`line::curve`] | what was made until each minute of a period, beside its target |
//! | [`line::kpi`] | the KPIs of these |
//! | [`line::balance`] | whether the counts of a line can be true together |
//! | [`line::report`] | which gaps of a period a person explains, and reports made final |
//! | [`line::call`] | calls for help: who called, who took it, what was done |
//! | [`alert`] | facts that lasted too long, each told once |
//! | [`detection`] | faults put into a simulated plant against what was said of them |
//! | [`line::layout`] | what a line is: machines, counters, sections of its balance |
//! | [`line::chronicle`] | stops, periods and balance of one line, written down as it is followed |
//! | [`quality`] | minutes → subgroups → charts |
//! | [`audit`] | entries that follow from each other: who did what, and what was signed |
//! | [`account`] | people and displays that ask: roles, sessions, locks |
//! | [`line::status`] | what a line looks like at one moment |
//! | [`line::tracker`] | one line followed: snapshots → events, minutes, status |

pub mod units;

pub mod digest;

pub mod stats;

pub mod spc;

pub mod reading;

pub mod line;

pub mod plc_map;

pub mod alert;

pub mod detection;

pub mod quality;

pub mod audit;

pub mod account;
