//! The ladder of free space, climbed: what is given up so that counting goes on, and said with the counts it covered.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};

use super::Rounds;
use crate::historian::error::StoreError;
use crate::historian::heal::COPY;
use crate::historian::place::{self, DATABASE, RESERVE};
use crate::historian::raw::{self, Day};
use crate::historian::space::{Room, Rung};
use crate::historian::{copy, journal};

/// Kept back for one last clean commit on a full disk; less on a small disk.
const RESERVE_BYTES: u64 = 64 << 20;
/// Seconds are given up a day at a time.
const DAY_US: i64 = 86_400_000_000;

/// The table of seconds.
const SECONDS: &str = "second_block";

impl Rounds {
    /// Looks at the room and gives up what the rung asks for, until the rung is left or there is nothing more to give.
    pub(in crate::historian) fn make_room(&mut self, now_us: i64) -> Result<Rung, StoreError> {
        let mut rung = self.look()?;
        while rung >= Rung::ShedSent {
            if !self.shed_one(rung, now_us)? {
                break;
            }
            rung = self.look()?;
        }
        if rung <= Rung::Low {
            self.reserve()?;
        }
        Ok(rung)
    }

    fn look(&self) -> Result<Rung, StoreError> {
        let disk = (self.room)(&self.dir).map_err(|e| StoreError::from_io(&self.dir, e))?;
        let raw_bytes: u64 =
            raw::names(&self.dir).iter().map(|name| journal::bytes(&self.dir.join(name))).sum();
        let copy_bytes = journal::bytes(&self.dir.join(COPY));
        let path = self.dir.join(DATABASE);
        let used = raw_bytes + copy_bytes + journal::bytes(&path) + journal::wal_bytes(&path);
        let room = match self.budget {
            Some(budget) => disk.narrower(Room::of_budget(budget, used)),
            None => disk,
        };
        self.gauge.room(room, raw_bytes, copy_bytes);
        Ok(room.rung())
    }

    /// Gives one thing up; false if there is none on this rung.
    fn shed_one(&self, rung: Rung, now_us: i64) -> Result<bool, StoreError> {
        let oldest = raw::names(&self.dir).into_iter().next();
        if let Some((name, (begin, end))) = oldest.and_then(|n| Some((n.clone(), raw::day_of(&n)?)))
            && (rung == Rung::Shed || end <= self.gauge.sent_us())
        {
            self.shed_day(&name, (begin, end), now_us)?;
            return Ok(true);
        }
        if rung == Rung::Shed { self.shed_seconds(now_us) } else { Ok(false) }
    }

    fn shed_day(&self, name: &str, span: (i64, i64), now_us: i64) -> Result<(), StoreError> {
        let lines = match Day::existing(&self.dir.join(name))? {
            // A damaged file is given up without a word about its lines rather than kept.
            Some(day) => day.lines().unwrap_or_default(),
            None => Vec::new(),
        };
        for line in lines {
            self.tell(&line, "readings as read", span, now_us)?;
        }
        tracing::warn!(file = name, "the disk is nearly full; raw readings of a day are given up");
        raw::remove(&self.dir, name)
    }

    /// The oldest day of seconds. Their room in the database is used again.
    fn shed_seconds(&self, now_us: i64) -> Result<bool, StoreError> {
        let conn = copy::open(&self.dir.join(DATABASE))?;
        let oldest: Option<i64> = conn
            .query_row(&format!("select min(start_us) from {SECONDS}"), [], |row| row.get(0))
            .map_err(|e| self.journal_says(e))?;
        // Today's seconds are on the screens.
        let Some(from_us) = oldest.filter(|oldest| now_us - oldest > DAY_US) else {
            return Ok(false);
        };
        let to_us = (from_us.div_euclid(DAY_US) + 1) * DAY_US;
        for (_, line) in super::compact::lines(&conn).map_err(|e| self.journal_says(e))? {
            self.tell(&line, "seconds", (from_us, to_us), now_us)?;
        }
        self.hand.perform(move |journal| {
            journal.transact(|conn| {
                let sql = format!("delete from {SECONDS} where start_us < ?1");
                conn.execute(&sql, [to_us]).map(drop)
            })
        })?;
        Ok(true)
    }

    /// An alarm of a line: what was given up, and what its minutes still hold of it.
    fn tell(
        &self,
        line: &str,
        what: &str,
        (from_us, to_us): (i64, i64),
        now_us: i64,
    ) -> Result<(), StoreError> {
        let conn = copy::open(&self.dir.join(DATABASE))?;
        let counts = || -> rusqlite::Result<Vec<(String, i64)>> {
            let mut find = conn.prepare(include_str!("../sql/shed_counts.sql"))?;
            let counts =
                find.query_map((line, from_us, to_us), |row| Ok((row.get(0)?, row.get(1)?)))?;
            counts.collect()
        };
        let counts = counts().map_err(|e| self.journal_says(e))?;
        let counts: Vec<String> =
            counts.into_iter().map(|(station, n)| format!("{station} {n}")).collect();
        let at = |us| {
            jiff::Timestamp::from_microsecond(us)
                .map_or_else(|_| us.to_string(), |at| format!("{at:.0}"))
        };
        let detail = format!(
            "{what} from {} to {} were given up because the disk is nearly full; no count is lost, the minutes hold: {}",
            at(from_us),
            at(to_us),
            if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") },
        );
        self.gauge.shed();
        let line = line.to_owned();
        self.hand.perform(move |journal| {
            journal.transact(|conn| {
                conn.execute(
                    include_str!("../sql/shed_event.sql"),
                    (&line, now_us, from_us, &detail),
                )
                .map(drop)
            })
        })
    }

    /// Keeps some room back, once there is enough.
    fn reserve(&self) -> Result<(), StoreError> {
        let path = self.dir.join(RESERVE);
        if path.exists() {
            return Ok(());
        }
        let disk = (self.room)(&self.dir).map_err(|e| StoreError::from_io(&self.dir, e))?;
        let bytes = RESERVE_BYTES.min(disk.of / 64);
        let made =
            allocate(&path, bytes).and_then(|()| place::sync(&self.dir).map_err(io::Error::other));
        if made.is_err() {
            // Not every file system can keep room back; without it the last commit may be refused, and is tried again.
            let _ = std::fs::remove_file(&path);
        }
        Ok(())
    }
}

fn allocate(path: &Path, bytes: u64) -> io::Result<()> {
    let file = File::create(path)?;
    fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
    file.sync_all()
}
