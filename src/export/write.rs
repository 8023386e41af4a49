//! An export is written: line by line, each as it was at one moment, into a directory that gets its name at the end.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::units::LineId;
use jiff::tz::TimeZone;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::manifest::{FORM, FileEntry, LineEntry, Manifest, put};
use super::{ExportError, Format, Order, Progress, Watch, parquet};
use crate::clock::Clock;
use crate::historian::extract::{Extract, LineView, What};
use crate::historian::{PlantMark, digest_file};
use crate::table::span::{days, instant, moment};
use crate::table::{Cell, Column, Figures, sheet};

/// Rows between two reports.
const REPORT_EVERY: u64 = 4_096;

/// Writes an export, whether a service works on the journal or not, and gives it its name when it is whole.
///
/// # Errors
/// There is no journal or it is damaged, something is there already, the disk is full, a line or a moment is wrong; and
/// when it was given up. Nothing of it is left then.
pub fn write(order: &Order, watch: &Watch) -> Result<Manifest, ExportError> {
    if order.out.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(order.out.clone()));
    }
    let extract = Extract::open(&order.journal)?;
    step(watch, "looking through the journal", (0, 1), 0)?;
    extract.check()?;
    let mark = PlantMark::read(&extract)?;
    let zone = match (&order.plant, &mark) {
        (Some(plant), _) => plant.zone.clone(),
        (None, Some(mark)) => TimeZone::get(&mark.zone).unwrap_or(TimeZone::UTC),
        (None, None) => TimeZone::UTC,
    };
    let lines = chosen(&extract, order)?;
    let span = span(&extract, order, &lines, &zone)?;
    let (parent, place) = place(&order.out)?;
    let mut manifest = manifest(order, &extract, mark, &zone, span)?;
    let of = (lines.len() * order.what.len()) as u64;
    for (n, line) in lines.iter().enumerate() {
        let Some(view) = extract.view(line, &zone)? else { continue };
        let account = view.account(span)?;
        let mut writing = Writing {
            dir: place.path(),
            view: &view,
            zone: &zone,
            span,
            watch,
            steps: ((n * order.what.len()) as u64, of),
            manifest: &mut manifest,
        };
        for what in &order.what {
            writing.table(*what)?;
            writing.steps.0 += 1;
        }
        manifest.lines.push(LineEntry { line: line.to_string(), account });
    }
    if let Some((name, what)) = manifest.contradictions().into_iter().next() {
        return Err(ExportError::Contradiction(format!("{name}: {what}")));
    }
    manifest.write(place.path())?;
    sync(place.path())?;
    step(watch, "naming", (of, of), 0)?;
    give_name(place.path(), &order.out)?;
    // It has another name now: there is nothing to be taken away.
    let _ = place.keep();
    sync(parent)?;
    Ok(manifest)
}

/// Where an export becomes a whole one: a directory of its own beside the one that it will be, which is in the first.
fn place(out: &Path) -> Result<(&Path, tempfile::TempDir), ExportError> {
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let place = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".part")
        // As `mkdir` would: what others may see is for the mask of this user to say.
        .permissions(fs::Permissions::from_mode(0o777))
        .tempdir_in(parent)
        .map_err(|cause| ExportError::io(parent, cause))?;
    Ok((parent, place))
}

/// What the manifest says before anything is written.
fn manifest(
    order: &Order,
    extract: &Extract,
    mark: Option<PlantMark>,
    zone: &TimeZone,
    span: (i64, i64),
) -> Result<Manifest, ExportError> {
    let plant = order.plant.as_ref();
    let simulated = mark.as_ref().is_some_and(|mark| mark.simulated);
    let (site, config_sha256) = mark.map(|mark| (mark.site, mark.config_sha256)).unzip();
    Ok(Manifest {
        form: FORM,
        capline: env!("CARGO_PKG_VERSION").to_owned(),
        made_utc: instant(Clock::real().now().utc_us),
        simulated,
        site: plant.map(|plant| plant.site.clone()).or(site),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        config_sha256: plant.map(|plant| plant.config_sha256.clone()).or(config_sha256),
        journal: extract.uuid()?,
        schema: extract.schema(),
        from_utc: instant(span.0),
        to_utc: instant(span.1),
        format: order.format,
        what: order.what.iter().map(|what| what.word().to_owned()).collect(),
        lines: Vec::new(),
        files: Vec::new(),
    })
}

/// Gives a whole export its name, which nothing has taken meanwhile.
fn give_name(place: &Path, out: &Path) -> Result<(), ExportError> {
    renameat_with(CWD, place, CWD, out, RenameFlags::NOREPLACE).map_err(|error| match error {
        rustix::io::Errno::EXIST => ExportError::Exists(out.to_owned()),
        other => ExportError::io(out, other),
    })
}

fn chosen(extract: &Extract, order: &Order) -> Result<Vec<LineId>, ExportError> {
    let known = extract.lines()?;
    for line in &order.lines {
        if !known.iter().any(|known| known.as_str() == line) {
            let known = known.iter().map(|known| known.to_string()).collect();
            return Err(ExportError::NoLine { line: line.clone(), known });
        }
    }
    let is_chosen = |line: &LineId| {
        order.lines.is_empty() || order.lines.iter().any(|name| name == line.as_str())
    };
    Ok(known.into_iter().filter(is_chosen).collect())
}

/// The span that was asked for; without it all that there is now.
fn span(
    extract: &Extract,
    order: &Order,
    lines: &[LineId],
    zone: &TimeZone,
) -> Result<(i64, i64), ExportError> {
    let mut spans = Vec::new();
    for line in lines {
        if let Some(view) = extract.view(line, zone)? {
            spans.extend(view.span()?);
        }
    }
    let first = spans.iter().map(|span| span.0).min();
    let last = spans.iter().map(|span| span.1).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Err(ExportError::Nothing(order.journal.clone()));
    };
    let at = |option, text: &Option<String>| {
        let moment = text.as_deref().map(|text| moment(option, text, zone)).transpose();
        moment.map_err(ExportError::NoMoment)
    };
    let (from_us, to_us) = (at("--from", &order.from)?, at("--to", &order.to)?);
    let span = (from_us.unwrap_or(first), to_us.unwrap_or(last + 1));
    if span.0 < span.1 { Ok(span) } else { Err(ExportError::NoSpan) }
}

/// A line that is being written.
struct Writing<'a> {
    dir: &'a Path,
    view: &'a LineView<'a>,
    zone: &'a TimeZone,
    span: (i64, i64),
    watch: &'a Watch,
    /// Done, and how many there are.
    steps: (u64, u64),
    manifest: &'a mut Manifest,
}

/// A file that is being written.
enum Sink {
    Csv(Box<sheet::Writer<BufWriter<File>>>),
    Parquet(Box<parquet::Writer>),
}

impl Writing<'_> {
    /// Writes a table, a large one in days.
    fn table(&mut self, what: What) -> Result<(), ExportError> {
        let columns = self.view.columns(what);
        if !what.is_large() {
            let numbers = self.file(what, "", self.span, &columns)?;
            return numbers.into_iter().try_for_each(|number| self.page(number));
        }
        for (day, span) in days(self.span, self.zone) {
            self.file(what, &format!("_{day}"), span, &columns)?;
        }
        Ok(())
    }

    /// Writes a file. Returns the numbers of the reports in it. A day without rows has no file.
    fn file(
        &mut self,
        what: What,
        day: &str,
        span: (i64, i64),
        columns: &[Column],
    ) -> Result<Vec<i64>, ExportError> {
        let path =
            self.dir.join(self.name(&format!("{}{day}", what.word()), self.manifest.format.word()));
        let (mut figures, mut reports) = (Figures::new(columns), Vec::new());
        let mut sink = match day {
            "" => Some(self.sink(&path, what, columns)?),
            _ => None,
        };
        let mut stopped = None;
        let mut each = |cells: &[Cell]| {
            let mut write = || -> Result<(), ExportError> {
                if sink.is_none() {
                    sink = Some(self.sink(&path, what, columns)?);
                }
                if let Some(sink) = &mut sink {
                    sink.row(cells).map_err(|cause| ExportError::io(&path, cause))?;
                }
                figures.add(columns, cells);
                if let (What::Reports, Some(Cell::Number(number))) = (what, cells.get(2)) {
                    reports.push(*number);
                }
                if figures.rows.is_multiple_of(REPORT_EVERY) {
                    self.tell(what, figures.rows)
                } else {
                    Ok(())
                }
            };
            stopped = write().err();
            stopped.is_none()
        };
        self.view.rows(what, span, &mut each)?;
        if let Some(error) = stopped {
            return Err(error);
        }
        self.tell(what, figures.rows)?;
        let Some(sink) = sink else { return Ok(reports) };
        let done = sink.finish().and_then(|file| file.sync_all());
        done.map_err(|cause| ExportError::io(&path, cause))?;
        self.enter(&path, what.word(), columns.to_vec(), Some(figures))?;
        Ok(reports)
    }

    /// Writes the page of a final report.
    fn page(&mut self, number: i64) -> Result<(), ExportError> {
        let Some(page) = self.view.page(number)? else { return Ok(()) };
        let path = self.dir.join(self.name(&format!("report_{number}"), "html"));
        put(&path, &page)?;
        self.enter(&path, "page", Vec::new(), None)
    }

    /// Reads a file back for its hash and puts it into the manifest.
    fn enter(
        &mut self,
        path: &Path,
        what: &str,
        columns: Vec<Column>,
        figures: Option<Figures>,
    ) -> Result<(), ExportError> {
        let (bytes, sha256) =
            digest_file(path, &|_| {}).map_err(|cause| ExportError::io(path, cause))?;
        let name =
            path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (line, what) = (self.view.line().to_string(), what.to_owned());
        self.manifest.files.push(FileEntry { name, line, what, bytes, sha256, columns, figures });
        Ok(())
    }

    /// `L1_minutes.csv`, `L1_seconds_20261124_SIM.csv`.
    fn name(&self, what: &str, end: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let line: String = self.view.line().as_str().chars().map(plain).collect();
        let sim = if self.manifest.simulated { "_SIM" } else { "" };
        format!("{line}_{what}{sim}.{end}")
    }

    fn sink(&self, path: &PathBuf, what: What, columns: &[Column]) -> Result<Sink, ExportError> {
        let fail = |cause: std::io::Error| ExportError::io(path, cause);
        let file = File::create_new(path).map_err(fail)?;
        match self.manifest.format {
            Format::Csv => {
                let writer = sheet::Writer::new(BufWriter::new(file), columns).map_err(fail)?;
                Ok(Sink::Csv(Box::new(writer)))
            }
            Format::Parquet => parquet::Writer::new(file, columns, &self.said(what))
                .map(|writer| Sink::Parquet(Box::new(writer)))
                .map_err(|error| fail(std::io::Error::other(error))),
        }
    }

    /// What a file of Parquet says of itself, when somebody has taken it away from its manifest.
    fn said(&self, what: What) -> Vec<(String, String)> {
        let manifest = &self.manifest;
        let mark = if manifest.simulated { "SIM simulated data" } else { "" };
        let said = [
            ("capline", manifest.capline.as_str()),
            ("site", manifest.site.as_deref().unwrap_or("")),
            ("line", self.view.line().as_str()),
            ("what", what.word()),
            ("zone", &manifest.zone),
            ("journal", &manifest.journal),
            ("config_sha256", manifest.config_sha256.as_deref().unwrap_or("")),
            ("from_utc", &manifest.from_utc),
            ("to_utc", &manifest.to_utc),
            ("simulated", mark),
        ];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(key, value)| (format!("capline.{key}"), value.to_owned())).collect()
    }

    fn tell(&self, what: What, rows: u64) -> Result<(), ExportError> {
        step(self.watch, &format!("{} {}", self.view.line(), what.word()), self.steps, rows)
    }
}

impl Sink {
    fn row(&mut self, cells: &[Cell]) -> std::io::Result<()> {
        match self {
            Sink::Csv(writer) => writer.row(cells),
            Sink::Parquet(writer) => writer.row(cells).map_err(std::io::Error::other),
        }
    }

    fn finish(self) -> std::io::Result<File> {
        match self {
            Sink::Csv(writer) => writer.finish()?.into_inner().map_err(|error| error.into_error()),
            Sink::Parquet(writer) => writer.finish().map_err(std::io::Error::other),
        }
    }
}

/// Tells how far it is, and hears whether to go on.
fn step(watch: &Watch, what: &str, (done, of): (u64, u64), rows: u64) -> Result<(), ExportError> {
    match watch(Progress { what: what.to_owned(), done, of, rows }) {
        true => Ok(()),
        false => Err(ExportError::GivenUp),
    }
}

/// Makes the names in a directory durable.
fn sync(dir: &Path) -> Result<(), ExportError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|cause| ExportError::io(dir, cause))
}
