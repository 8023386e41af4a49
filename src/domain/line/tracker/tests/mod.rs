//! A line followed, told as text: what was read when, and what the tracker makes of it.

mod at_rest;
mod balance;
mod change;
mod damage;
mod group;
mod hand;
mod inflow;
mod laws;
mod line;
mod messages;
mod misfit;
mod odometer;
mod periods;
mod script;
mod told;
mod unread;
mod weights;
