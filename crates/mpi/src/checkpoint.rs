//! Checkpoints: one file in the format of safetensors, the same bytes whatever the number of ranks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use mpi::traits::CommunicatorCollectives;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::agree::{Same, agree, rank, ranks};
use crate::shape::{Accumulators, Division, Shape, range};
use crate::table::Part;
use crate::{Error, ShardedDense, ShardedTable};

/// So many values are read or written at once.
const BLOCK: usize = 1 << 20;
/// No header of ours is longer.
const LONGEST_HEADER: u64 = 1 << 16;
const NAMES: [&str; 2] = ["params", "accumulator"];

impl<'c, C: CommunicatorCollectives> ShardedTable<'c, C> {
    /// Collective. Saves the table to one file that all ranks can write, in the format of safetensors: `params`, `rows × dim`,
    /// and `accumulator`, `rows × dim` or, where the table is row-wise, `rows`. Rows are in the order of the whole table, so the
    /// bytes depend on neither the number of ranks nor on the division.
    ///
    /// The file is written under the name `path.part` first. A file that was there stays until the new one is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] on a rank that cannot write, [`Error::Elsewhere`] on the others; [`Error::Differs`] if `path` differs.
    pub fn save(&mut self, path: &Path) -> Result<(), Error> {
        let Shape { rows, dim, accumulators, .. } = self.shape();
        let shapes = match accumulators {
            Accumulators::ElementWise => [vec![rows, dim], vec![rows, dim]],
            Accumulators::RowWise => [vec![rows, dim], vec![rows]],
        };
        let world = self.world();
        let mut file = Checkpoint::create(world, path, shapes)?;
        for (tensor, part) in [Part::Params, Part::Accumulator].into_iter().enumerate() {
            let width = self.width(part);
            for block in blocks(world, rows, width) {
                let (indices, mut values) = (indices(&block), vec![0.0; block.len() * width]);
                self.read_part(part, &indices, &mut values)?;
                file.write(tensor, block.start * width, &values);
            }
        }
        file.finish(world)
    }

    /// Collective. Loads a table that [`ShardedTable::save`] has saved, by any number of ranks, and divides it by `division`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Format`] on a rank that cannot read the file, [`Error::Elsewhere`] on the others;
    /// [`Error::Differs`] if the ranks see different files, or `division` differs.
    pub fn load(world: &'c C, path: &Path, division: Division) -> Result<Self, Error> {
        let mut file = Checkpoint::open(world, path, |[params, accumulator]| match (params, accumulator) {
            (&[_, 0], _) => Err("it has 0 columns".into()),
            (&[rows, dim], &[same, width]) if (same, width) == (rows, dim) => Ok(Shape::new(rows, dim)),
            (&[rows, dim], &[same]) if same == rows => Ok(Shape::new(rows, dim).row_wise()),
            (params, accumulator) => Err(format!("params of shape {params:?} and accumulator of {accumulator:?}")),
        })?;
        let shape = Shape { division, ..file.of };
        let mut table = Self::new(world, shape, 0.0, |_, _| ())?;
        for (tensor, part) in [Part::Params, Part::Accumulator].into_iter().enumerate() {
            let width = table.width(part);
            for block in blocks(world, shape.rows, width) {
                let mut values = vec![0.0; block.len() * width];
                file.read(tensor, block.start * width, &mut values);
                table.write_part(part, &indices(&block), &values)?;
            }
        }
        file.check(world)?;
        Ok(table)
    }
}

impl<'c, C: CommunicatorCollectives> ShardedDense<'c, C> {
    /// Collective. Saves `params` and `accumulator`, each as long as the parameters, as [`ShardedTable::save`] does.
    ///
    /// # Errors
    ///
    /// Those of [`ShardedTable::save`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let len = self.params.len();
        let mut file = Checkpoint::create(self.world, path, [vec![len], vec![len]])?;
        let own = self.own();
        for (tensor, values) in [&self.params[own.clone()], &self.accumulator].into_iter().enumerate() {
            for (block, values) in values.chunks(BLOCK).enumerate() {
                file.write(tensor, own.start + block * BLOCK, values);
            }
        }
        file.finish(self.world)
    }

    /// Collective. Loads what [`ShardedDense::save`] has saved, by any number of ranks. For the same bits as without the pause,
    /// `parts` must be as before.
    ///
    /// # Errors
    ///
    /// Those of [`ShardedTable::load`] and of [`ShardedDense::new`].
    pub fn load(world: &'c C, parts: usize, path: &Path) -> Result<Self, Error> {
        let mut file = Checkpoint::open(world, path, |shapes| match shapes {
            [&[len], &[same]] if same == len => Ok(len),
            [params, accumulator] => Err(format!("params of shape {params:?} and accumulator of {accumulator:?}")),
        })?;
        let len = file.of;
        let own = range(len, rank(world), ranks(world));
        let (mut params, mut accumulator) = (vec![0.0; len], vec![0.0; own.len()]);
        for (tensor, first, values) in [(0, 0, &mut params), (1, own.start, &mut accumulator)] {
            for (block, values) in values.chunks_mut(BLOCK).enumerate() {
                file.read(tensor, first + block * BLOCK, values);
            }
        }
        file.check(world)?;
        let mut dense = Self::new(world, parts, params, 0.0)?;
        dense.accumulator = accumulator;
        Ok(dense)
    }
}

/// The rows that this rank reads from the file or writes to it, in as many blocks as those of every other rank.
fn blocks<C: CommunicatorCollectives>(world: &C, rows: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let own = range(rows, rank(world), ranks(world));
    let (most, each) = (rows.div_ceil(ranks(world)), (BLOCK / width.max(1)).max(1));
    (0..most.div_ceil(each)).map(move |block| {
        let at = |block: usize| (own.start + block * each).min(own.end);
        at(block)..at(block + 1)
    })
}

fn indices(rows: &Range<usize>) -> Vec<u64> {
    (rows.start as u64..rows.end as u64).collect()
}

/// A file with two tensors. After an error it does nothing more, so that this rank still takes part in all calls.
struct Checkpoint<T> {
    path: PathBuf,
    /// Where it is written.
    part: PathBuf,
    file: Result<File, Error>,
    /// Where the values of each tensor begin, in bytes.
    starts: [u64; 2],
    /// What its shapes say.
    of: T,
}

impl Checkpoint<()> {
    /// Collective.
    fn create<C: CommunicatorCollectives>(world: &C, path: &Path, shapes: [Vec<usize>; 2]) -> Result<Self, Error> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let io = |source| Error::Io { path: part.clone(), source };
        // Rank 0 makes the file, and then the others find it.
        let made = header(shapes).map_err(|why| Error::Format { path: path.into(), why }).and_then(|header| {
            let make = || {
                let mut file = File::create(&part)?;
                file.write_all(&header.bytes)?;
                file.set_len(header.len)?;
                Ok(file)
            };
            let file = if rank(world) == 0 { Some(make().map_err(io)?) } else { None };
            Ok((file, header.starts))
        });
        let (file, starts) = agree(world, made, Same("path", format_args!("create {}", path.display())))?;
        let file = file.map_or_else(|| File::options().write(true).open(&part).map_err(io), Ok);
        Ok(Self { path: path.into(), part, file, starts, of: () })
    }

    fn write(&mut self, tensor: usize, first: usize, values: &[f32]) {
        let at = self.starts[tensor] + 4 * first as u64;
        self.with_file(|file| {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
        });
    }

    /// Collective.
    fn finish<C: CommunicatorCollectives>(mut self, world: &C) -> Result<(), Error> {
        self.with_file(|file| file.sync_all());
        let Self { path, part, file, .. } = self;
        agree(world, file.map(drop), Same("the kind of call", format_args!("finish")))?;
        let renamed = if rank(world) == 0 { fs::rename(part, &path) } else { Ok(()) };
        let renamed = renamed.map_err(|source| Error::Io { path, source });
        agree(world, renamed, Same("the kind of call", format_args!("rename")))
    }
}

impl<T> Checkpoint<T> {
    /// Collective. `of` says what the shapes of the two tensors mean, or why nothing.
    fn open<C: CommunicatorCollectives>(
        world: &C,
        path: &Path,
        of: impl FnOnce([&[usize]; 2]) -> Result<T, String>,
    ) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.into(), source };
        let opened = File::open(path).map_err(io).and_then(|mut file| {
            let bytes = read_header(&mut file).map_err(io)?;
            let len = file.metadata().map_err(io)?.len();
            let meaning = meaning(&bytes, len, of).map_err(|why| Error::Format { path: path.into(), why })?;
            Ok((file, bytes, meaning))
        });
        let header = opened.as_ref().map_or(String::new(), |(_, bytes, _)| format!("{bytes:?}"));
        let (file, _, (starts, of)) = agree(world, opened, Same("the file's header", format_args!("open {header}")))?;
        Ok(Self { path: path.into(), part: path.into(), file: Ok(file), starts, of })
    }

    fn read(&mut self, tensor: usize, first: usize, values: &mut [f32]) {
        let at = self.starts[tensor] + 4 * first as u64;
        self.with_file(|file| {
            let mut bytes = vec![0; 4 * values.len()];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut bytes)?;
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
            Ok(())
        });
    }

    /// Collective.
    fn check<C: CommunicatorCollectives>(self, world: &C) -> Result<(), Error> {
        agree(world, self.file.map(drop), Same("the kind of call", format_args!("read")))
    }

    fn with_file(&mut self, work: impl FnOnce(&mut File) -> io::Result<()>) {
        if let Ok(file) = &mut self.file
            && let Err(source) = work(file)
        {
            self.file = Err(Error::Io { path: self.part.clone(), source });
        }
    }
}

/// The header of a file, and where its tensors begin, in bytes, and its length.
struct Header {
    bytes: Vec<u8>,
    starts: [u64; 2],
    len: u64,
}

fn header(shapes: [Vec<usize>; 2]) -> Result<Header, String> {
    let (mut end, mut tensors) = (0, Vec::new());
    for (name, shape) in NAMES.into_iter().zip(shapes) {
        let bytes = shape.iter().try_fold(4_usize, |bytes, size| bytes.checked_mul(*size));
        let start = end;
        end = bytes.and_then(|bytes| bytes.checked_add(start)).ok_or("the table has more bytes than usize counts")?;
        tensors.push((name.to_string(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, end) }));
    }
    let second = tensors[1].1.data_offsets.0 as u64;
    let metadata = Metadata::new(None, tensors).map_err(|error| error.to_string())?;
    let mut json = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let first = 8 + json.len() as u64;
    let bytes = [&(json.len() as u64).to_le_bytes(), &json[..]].concat();
    Ok(Header { bytes, starts: [first, first + second], len: first + end as u64 })
}

/// The header's JSON.
fn read_header(file: &mut File) -> io::Result<Vec<u8>> {
    let mut len = [0; 8];
    file.read_exact(&mut len)?;
    let mut json = Vec::new();
    file.take(u64::from_le_bytes(len).min(LONGEST_HEADER)).read_to_end(&mut json)?;
    Ok(json)
}

/// Where the tensors begin, and what their shapes mean; or why they mean nothing.
fn meaning<T>(
    json: &[u8],
    file: u64,
    of: impl FnOnce([&[usize]; 2]) -> Result<T, String>,
) -> Result<([u64; 2], T), String> {
    let metadata: Metadata = serde_json::from_slice(json).map_err(|error| format!("its header: {error}"))?;
    let first = 8 + json.len() as u64;
    let expected = first + metadata.data_len() as u64;
    if file != expected {
        return Err(format!("it has {file} bytes, expected {expected}"));
    }
    let [params, accumulator] = NAMES.map(|name| match metadata.info(name) {
        Some(info) if info.dtype == Dtype::F32 => Ok(info),
        Some(info) => Err(format!("{name} is of type {:?}, expected F32", info.dtype)),
        None => Err(format!("it has no tensor {name}")),
    });
    let (params, accumulator) = (params?, accumulator?);
    let starts = [params, accumulator].map(|info| first + info.data_offsets.0 as u64);
    Ok((starts, of([&params.shape, &accumulator.shape])?))
}
