//! Tables, bags and owners of rows as plain structs, into which C may write anything.

use adagrad_rs::{Error, Owners as RustOwners, Table as RustTable};

use crate::status::Status;

/// Where a table's accumulators lie, see adagrad_table.
#[repr(u8)]
pub enum Layout {
    /// One per element, in an array of their own.
    ElementWise = 0,
    /// One per row, in an array of their own.
    RowWise = 1,
    /// One per element, behind the parameters of their row.
    Interleaved = 2,
    /// One per row, behind its parameters.
    InterleavedRowWise = 3,
}

/// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
/// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
/// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Table<P, A> {
    /// The parameters; the whole memory of an interleaved table.
    pub params: *mut P,
    /// The accumulators. Not used by an interleaved table.
    pub accumulator: *mut A,
    /// The number of rows.
    pub rows: usize,
    /// From where a row's parameters begin to where the next row's do, or its accumulators.
    pub dim: usize,
    /// How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    pub columns: usize,
    /// From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    /// is read, but memory has to be there, for the last one too.
    pub gradient_stride: usize,
    /// A row that no call changes. It need not be in the table; SIZE_MAX names none.
    pub padding_row: usize,
    /// An adagrad_layout.
    pub layout: u8,
    /// 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    /// adagrad_report; a negative index, made unsigned, is such a row.
    pub skip_out_of_range: u8,
    /// Must be 0.
    pub reserved: [u8; 6],
}

/// The crate's form of a C table, whose accumulators may lie behind the parameters.
macro_rules! over {
    ($of:ident, $Table:ident, $params:ident, $accumulator:ident, $behind:expr) => {{
        let table = if $of.layout == Layout::ElementWise as u8 {
            $Table::new($params, $accumulator, $of.dim)
        } else if $of.layout == Layout::RowWise as u8 {
            $Table::row_wise($params, $accumulator, $of.dim)
        } else {
            $behind
        }?;
        if $of.columns == 0 {
            return Err(Error::ZeroDim);
        }
        // What is as usual stays so: there are faster loops for it.
        let table = if $of.columns == $of.dim { table } else { table.with_columns($of.columns)? };
        let is_dense = $of.gradient_stride == $of.columns;
        let table = if is_dense { table } else { table.with_gradient_stride($of.gradient_stride)? };
        Ok(table.with_padding_row($of.padding_row).with_out_of_range_skipped($of.skip_out_of_range == 1))
    }};
}
#[cfg(feature = "half")]
pub(crate) use over;

impl<P, A> Table<P, A> {
    pub fn of(params: *mut P, accumulator: *mut A, rows: usize, dim: usize, layout: Layout) -> Self {
        Self {
            params,
            accumulator,
            rows,
            dim,
            columns: dim,
            gradient_stride: dim,
            padding_row: usize::MAX,
            layout: layout as u8,
            skip_out_of_range: 0,
            reserved: [0; 6],
        }
    }

    /// How many values the two arrays have.
    pub fn lengths(&self) -> Result<(usize, usize), Status> {
        // What lies in one array has one type.
        let last = if size_of::<P>() == size_of::<A>() { Layout::InterleavedRowWise } else { Layout::RowWise };
        if self.layout > last as u8 || self.skip_out_of_range > 1 || self.reserved != [0; 6] {
            return Err(Status::Unknown);
        }
        if self.dim == 0 {
            return Err(Status::Dim);
        }
        let of_rows = |values: usize| self.rows.checked_mul(values).ok_or(Status::Length);
        if self.layout == Layout::ElementWise as u8 {
            Ok((of_rows(self.dim)?, of_rows(self.dim)?))
        } else if self.layout == Layout::RowWise as u8 {
            Ok((of_rows(self.dim)?, self.rows))
        } else {
            let inside = if self.layout == Layout::Interleaved as u8 { self.dim } else { 1 };
            Ok((of_rows(self.dim.checked_add(inside).ok_or(Status::Length)?)?, 0))
        }
    }

    /// How many values so many gradients have.
    pub fn gradients(&self, count: usize) -> Result<usize, Status> {
        count.checked_mul(self.gradient_stride).ok_or(Status::Length)
    }
}

/// What arrays have.
pub trait Value: Copy + 'static {}

impl<T: Copy + 'static> Value for T {}

/// A C table of types that the crate has a table of.
pub trait Over<P: Value, A: Value> {
    type Rust<'a>;

    /// The crate's form, on the memory of the two arrays.
    fn over<'a>(&self, params: &'a mut [P], accumulator: &'a mut [A]) -> Result<Self::Rust<'a>, Error>;
}

impl Over<f32, f32> for Table<f32, f32> {
    type Rust<'a> = RustTable<'a>;

    fn over<'a>(&self, params: &'a mut [f32], accumulator: &'a mut [f32]) -> Result<RustTable<'a>, Error> {
        over!(self, RustTable, params, accumulator, {
            if self.layout == Layout::Interleaved as u8 {
                RustTable::interleaved(params, self.dim)
            } else {
                RustTable::interleaved_row_wise(params, self.dim)
            }
        })
    }
}

/// Row indices in bags, each of which has one gradient: the rows that were looked up and pooled together. This is the form
/// of PyTorch's EmbeddingBag with include_last_offset=True, and of FBGEMM's tables.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bags<I> {
    /// bags + 1 values: where each bag begins among the rows, and where the last one ends. The first is 0, none is less than
    /// the one before, and the last is count.
    pub offsets: *const I,
    /// The rows of all bags, count values.
    pub rows: *const I,
    /// A factor for each row's gradient, count values; null for none.
    pub weights: *const f32,
    /// The number of bags.
    pub bags: usize,
    /// The number of rows.
    pub count: usize,
    /// 0: the bags were summed. 1: they were a mean, so a row's gradient is the bag's, divided by the number of its rows.
    pub mean: u8,
    /// Must be 0.
    pub reserved: [u8; 7],
}

impl<I> Bags<I> {
    /// How many offsets there are.
    pub fn offsets(&self) -> Result<usize, Status> {
        if self.mean > 1 || self.reserved != [0; 7] {
            return Err(Status::Unknown);
        }
        self.bags.checked_add(1).ok_or(Status::Length)
    }

    /// Whether a row's gradient may differ from its bag's, which takes room.
    pub fn are_scaled(&self) -> bool {
        self.mean == 1 || !self.weights.is_null()
    }
}

/// Who owns which rows of a table that is divided among threads, processes or machines.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Owners {
    /// Null: row r belongs to owner r mod owners. Else owners values: owner 0 has the rows from 0 to before ends[0], owner k
    /// those from ends[k - 1] to before ends[k]. A range may be empty.
    pub ends: *const usize,
    /// The number of owners.
    pub owners: usize,
    /// The number of rows of the whole table; not used where there are ends.
    pub rows: usize,
}

impl Owners {
    /// The crate's form, with the ends that its pointer leads to.
    pub fn over<'a>(&self, ends: &'a [usize]) -> RustOwners<'a> {
        if self.ends.is_null() {
            RustOwners::Modulo { owners: self.owners, rows: self.rows }
        } else {
            RustOwners::Ranges(ends)
        }
    }
}
