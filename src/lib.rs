//! Capline: an edge service that keeps an exact account of every capsule of a line.
//!
//! # The way of a capsule
//!
//! ```text
//! PLC ─► sources ─► Snapshot ─► LineTracker ─► minutes, events ─► historian ─► charts ─► Overview ─► web
//!        (a missed poll is      (the task of        │              (the task of
//!         a snapshot too)        its line)          │               its charts)
//!                                                   └► LineStatus ─► web
//! ```
//!
//! Counting, states and charts are in the crate [`domain`], which neither waits nor opens a file nor asks the time.
//! Here is what touches the world. Charts work from the journal, so that they say the same of a minute that came late.
//!
//! # Code map
//!
//! A module uses what its row names and nothing else of ours; what it *alone* uses, no other module touches.
//! `tests/it/layers.rs` reads this table and keeps it.
//!
//! | module | what it does | may use | alone uses |
//! |---|---|---|---|
//! | [`clock`] | wall clock and boot clock, for an accelerated demo faster than real | `domain` | |
//! | [`secret`] | passwords and keys from the environment, a file that only we can read, or a credential of systemd | | |
//! | `tls` | certificates in PEM files, TLS clients that trust them, the certificate of the screens | `secret` | `x509_cert` |
//! | [`table`] | tables that leave the service: columns with units, their CSV, what they add up to | `domain` | `csv` |
//! | [`config`] | `config/*.toml` and `plc-maps/*.toml` as decided; all mistakes at once | `domain` `secret` | |
//! | [`sources`] | reads PLCs: polls Modbus, subscribes to OPC UA, plans requests, reconnects | `domain` `clock` `secret` `tls` `config` | `thread_priority` `tokio_modbus` `tokio_serial` `opcua` |
//! | [`historian`] | keeps ticks in one SQLite file; what a line goes on from; forwards to a plant's PostgreSQL; read out as a whole, and compared with the plant; the audit trail, whose entries prove each other | `domain` `clock` `secret` `tls` `table` | `rusqlite` `tokio_postgres` `tokio_postgres_rustls` |
//! | [`export`] | the journal as files of CSV or Parquet with a manifest that proves them | `domain` `clock` `historian` `table` | `parquet` |
//! | [`accounts`] | who may sign in: passwords, sessions, displays, by the rules of `domain` | `domain` `clock` `historian` | `argon2` `getrandom` |
//! | [`webhook`] | tells other systems of alerts: signs, sends, tries again | `domain` `clock` `secret` `tls` | `hmac` `base64` |
//! | [`web`] | pages, JSON, the live stream, metrics; computes nothing | `domain` `clock` `config` `table` `tls` | `axum` `maud` `utoipa` |
//! | [`service`] | brings a configuration to life, changes it while it runs, ends it: one task a line; tells systemd how it is | `domain` `clock` `secret` `tls` `config` `sources` `historian` `accounts` `webhook` `web` | `sd_notify` |
//! | [`selftest`] | recomputes its reference cases, built into the binary | `domain` | |
//! | `demo` | a simulated plant in this process, and the service pointed at it; its faults and its truth for the screens | `domain` `simulators` `clock` `config` `historian` `web` `service` | |
//! | `bench` | figures about ourselves: false alarms and delays on the simulated plant, pace and cost of acquisition, cost and speed of the store, of forwarding and of live screens, time of a month's charts, cost of the simulated plant | `domain` `simulators` `clock` `config` `sources` `demo` `historian` `service` `web` | |
//! | `commands` | commands that end by themselves. Looking: check, spc, count, oee, selftest, bench, reconcile; probe and browse ask machines; audit looks through the trail. Making files: backup, export; import makes a map of a list of tags. Changing: restore and adopt, journals; migrate, the plant's tables; pki, which servers are trusted; user and display, who may ask | `domain` `clock` `config` `sources` `historian` `accounts` `export` `table` `service` `demo` `selftest` `bench` | `rpassword` |
//! | `main` | the command line: prints, decides nothing | `domain` `clock` `config` `sources` `service` `demo` `commands` | |
//!
//! # What must stay true
//!
//! - **A counter has one owner.** The [`LineTracker`](domain::line::tracker::LineTracker) of a line belongs to the one
//!   task of that line; nothing else can reach it, and no lock is held while counting.
//! - **A tick is stored whole or not at all**, in order and once: readings, baselines, minutes, events and total go
//!   into one transaction. After any kind of end the line goes on from its last tick.
//! - **A missed poll is data.** It goes the same way as a reading, and what was made meanwhile is counted by the next
//!   reading. What is known only of a silence as a whole is a gap, in no minute.
//! - **Doubt is carried, not hidden.** A count is `low`, `best`, `high` in whole capsules, and sums add all three.
//! - **Nothing can write to a machine.** The two clients are private to a file each, which offers reads only.
//! - **Unknown beats all.** When readings are not current, a state is unknown, whatever it was before; when a line
//!   stops reporting, so is the line.
//! - **What is done is noted, or not done.** A change and its entry in the audit trail are one transaction; entries are
//!   only added, and each is bound to the one before. No key of the configuration switches that off.
//! - **A signature is bound to a record.** Where there are users it takes the password again; where there are none
//!   nothing is signed, and the report says so.
//! - **Who asks is known, or the service says that it is not.** Where people sign in, one place lets each request in by
//!   a list of what each route takes; what the list does not name is not written to. A name on a record is one account.
//! - **No secret can be read back.** Passwords are kept as argon2id, tokens as SHA-256; who gives out roles judges nothing.
//! - **Time enters in [`clock`].** Everything that is stored or judged carries a moment from there; timers only pace.
//! - **The web counts nothing.** It rounds and words what lines publish and what the historian kept.
//! - **An alert opens once and closes once.** Who is told waits for nobody: each webhook has a task of its own.
//! - **The simulated plant shares no code with the service**, so that no error can cancel out. Only `demo` and `bench` know it.

pub mod clock;

pub mod secret;

mod tls;

pub mod table;

pub mod config;

pub mod sources;

pub mod historian;

pub mod export;

pub mod accounts;

pub mod webhook;

pub mod web;

pub mod service;

pub mod selftest;

#[cfg(feature = "demo")]
pub mod demo;

#[cfg(feature = "demo")]
pub mod bench;
