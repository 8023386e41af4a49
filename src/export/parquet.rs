//! Tables as Parquet: every column optional, moments as microseconds of UTC, counts as unsigned 64 bits, what a device
//! gave as a decimal of 20 digits.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::record::Field;
use parquet::schema::parser::parse_message_type;

use crate::table::{Cell, Column, Kind};

/// Rows that are in memory at a time.
const GROUP_ROWS: usize = 50_000;
/// Bytes of a decimal of 20 digits.
const WHOLE_BYTES: usize = 9;

/// A file that is being written.
pub(super) struct Writer {
    file: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Values>,
    rows: usize,
}

/// The values of a column, and for each row whether it has one.
struct Values {
    there: Vec<i16>,
    cells: Cells,
}

enum Cells {
    Int(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
    Text(Vec<ByteArray>),
    Whole(Vec<FixedLenByteArray>),
}

impl Writer {
    /// Begins a file; `said` is put into its metadata.
    pub(super) fn new(
        file: File,
        columns: &[Column],
        said: &[(String, String)],
    ) -> Result<Writer, ParquetError> {
        let said = said.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("capline ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(said.collect()))
            .build();
        let schema = Arc::new(parse_message_type(&schema(columns))?);
        let file = SerializedFileWriter::new(BufWriter::new(file), schema, Arc::new(properties))?;
        Ok(Writer { file, columns: columns.iter().map(Values::new).collect(), rows: 0 })
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), ParquetError> {
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
        self.rows += 1;
        if self.rows < GROUP_ROWS { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for values in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                values.write(&mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<File, ParquetError> {
        self.flush()?;
        let buffered = self.file.into_inner()?;
        buffered.into_inner().map_err(|error| ParquetError::External(Box::new(error.into_error())))
    }
}

fn schema(columns: &[Column]) -> String {
    let column = |column: &Column| {
        let form = match column.kind {
            Kind::Time => "int64 {} (timestamp(micros,true))",
            Kind::Text => "binary {} (utf8)",
            Kind::Count => "int64 {} (integer(64,false))",
            Kind::Number => "int64 {}",
            Kind::Whole => "fixed_len_byte_array(9) {} (decimal(20,0))",
            Kind::Real => "double {}",
            Kind::Flag => "boolean {}",
        };
        format!("optional {};", form.replace("{}", &column.name))
    };
    let columns: Vec<String> = columns.iter().map(column).collect();
    format!("message capline {{ {} }}", columns.join(" "))
}

impl Values {
    fn new(column: &Column) -> Values {
        let cells = match column.kind {
            Kind::Time | Kind::Count | Kind::Number => Cells::Int(Vec::new()),
            Kind::Real => Cells::Real(Vec::new()),
            Kind::Flag => Cells::Flag(Vec::new()),
            Kind::Text => Cells::Text(Vec::new()),
            Kind::Whole => Cells::Whole(Vec::new()),
        };
        Values { there: Vec::new(), cells }
    }

    fn push(&mut self, cell: &Cell) {
        let there = match (&mut self.cells, cell) {
            (Cells::Int(all), Cell::Time(n) | Cell::Number(n)) => {
                all.push(*n);
                true
            }
            // The column says that it has no sign.
            (Cells::Int(all), Cell::Count(n)) => {
                all.push(*n as i64);
                true
            }
            (Cells::Real(all), Cell::Real(x)) => {
                all.push(*x);
                true
            }
            (Cells::Flag(all), Cell::Flag(flag)) => {
                all.push(*flag);
                true
            }
            (Cells::Text(all), Cell::Text(text)) => {
                all.push(ByteArray::from(text.as_str()));
                true
            }
            (Cells::Whole(all), Cell::Whole(n)) => {
                let bytes = n.to_be_bytes();
                all.push(bytes[bytes.len() - WHOLE_BYTES..].to_vec().into());
                true
            }
            _ => false,
        };
        self.there.push(i16::from(there));
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let there = Some(self.there.as_slice());
        match &mut self.cells {
            Cells::Int(all) => {
                column.typed::<Int64Type>().write_batch(all, there, None)?;
                all.clear();
            }
            Cells::Real(all) => {
                column.typed::<DoubleType>().write_batch(all, there, None)?;
                all.clear();
            }
            Cells::Flag(all) => {
                column.typed::<BoolType>().write_batch(all, there, None)?;
                all.clear();
            }
            Cells::Text(all) => {
                column.typed::<ByteArrayType>().write_batch(all, there, None)?;
                all.clear();
            }
            Cells::Whole(all) => {
                column.typed::<FixedLenByteArrayType>().write_batch(all, there, None)?;
                all.clear();
            }
        }
        self.there.clear();
        Ok(())
    }
}

/// Reads what [`Writer`] wrote, row by row.
///
/// # Errors
/// What is wrong.
pub(super) fn read(
    path: &Path,
    columns: &[Column],
    mut each: impl FnMut(&[Cell]) -> Result<(), String>,
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
    let rows = reader.get_row_iter(None).map_err(|error| error.to_string())?;
    for (n, row) in rows.enumerate() {
        let row = row.map_err(|error| error.to_string())?;
        let fields = row.get_column_iter();
        let mut cells = Vec::with_capacity(columns.len());
        for (column, (name, field)) in columns.iter().zip(fields) {
            let fits = Some(field).filter(|_| column.name == *name).and_then(cell);
            let wrong =
                || format!("row {}: {name} is no {} or no {:?}", n + 1, column.name, column.kind);
            cells.push(fits.ok_or_else(wrong)?);
        }
        if cells.len() != columns.len() {
            return Err("its columns are not those of the manifest".to_owned());
        }
        each(&cells)?;
    }
    Ok(())
}

fn cell(field: &Field) -> Option<Cell> {
    Some(match field {
        Field::Null => Cell::Empty,
        Field::TimestampMicros(us) => Cell::Time(*us),
        Field::Str(text) => Cell::Text(text.clone()),
        Field::ULong(n) => Cell::Count(*n),
        Field::Long(n) => Cell::Number(*n),
        Field::Double(x) => Cell::Real(*x),
        Field::Bool(flag) => Cell::Flag(*flag),
        Field::Decimal(decimal) => {
            let bytes = decimal.data();
            let sign = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
            Cell::Whole(bytes.iter().fold(sign, |n: i128, byte| n << 8 | i128::from(*byte)))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_cell_comes_back() {
        let kinds = [
            (Kind::Time, Cell::Time(-5)),
            (Kind::Text, Cell::Text("=料斗".to_owned())),
            (Kind::Count, Cell::Count(u64::MAX)),
            (Kind::Number, Cell::Number(i64::MIN)),
            (Kind::Whole, Cell::Whole(i128::from(u64::MAX))),
            (Kind::Whole, Cell::Whole(i128::from(i64::MIN))),
            (Kind::Real, Cell::Real(0.1)),
            (Kind::Flag, Cell::Flag(true)),
        ];
        let columns: Vec<Column> = kinds
            .iter()
            .enumerate()
            .map(|(n, (kind, _))| Column::new(&format!("c{n}"), *kind))
            .collect();
        let full: Vec<Cell> = kinds.iter().map(|(_, cell)| cell.clone()).collect();
        let empty = vec![Cell::Empty; columns.len()];
        let dir = tempfile::tempdir().expect("there is room");
        let path = dir.path().join("all.parquet");
        let said = [("site".to_owned(), "Test".to_owned())];
        let mut writer = Writer::new(File::create(&path).expect("it is ours"), &columns, &said)
            .expect("a schema");
        for n in 0..GROUP_ROWS + 10 {
            writer.row(if n % 3 == 0 { &empty } else { &full }).expect("a row");
        }
        writer.finish().expect("a file");
        let mut n = 0;
        read(&path, &columns, |row| {
            assert_eq!(row, if n % 3 == 0 { &empty } else { &full }, "row {n}");
            n += 1;
            Ok(())
        })
        .expect("its own file");
        assert_eq!(n, GROUP_ROWS + 10);
    }
}
