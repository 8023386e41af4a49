//! A line followed, told as text: what was read when, and what the tracker makes of it.

mod balance;
mod damage;
mod hand;
mod laws;
mod odometer;
mod script;
mod told;
mod weights;
