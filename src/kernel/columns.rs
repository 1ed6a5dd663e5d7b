//! Rows of a table and their gradients, of a number of columns that the compiler knows, or does not.

/// How many rows are stepped together.
pub(super) const TOGETHER: usize = 4;

/// The parameters of rows.
pub(super) trait Params {
    /// How many columns they have, if the compiler knows. If not it is 0, and a row is at most a block.
    const COLUMNS: usize = 0;

    /// Those of a row, if it is here.
    fn row(&mut self, place: usize) -> Option<&mut [f32]>;
}

impl<const D: usize> Params for &mut [[f32; D]] {
    const COLUMNS: usize = D;

    #[inline(always)]
    fn row(&mut self, place: usize) -> Option<&mut [f32]> {
        Some(self.get_mut(place)?.as_mut_slice())
    }
}

/// The gradients of rows, in order.
pub(super) trait Grads<'a>: Copy {
    fn first(self) -> Option<&'a [f32]>;

    fn first_together(self) -> Option<[&'a [f32]; TOGETHER]>;

    /// Those after the first.
    fn after(self, rows: usize) -> Self;
}

impl<'a, const D: usize> Grads<'a> for &'a [[f32; D]] {
    #[inline(always)]
    fn first(self) -> Option<&'a [f32]> {
        Some(<[_]>::first(self)?.as_slice())
    }

    #[inline(always)]
    fn first_together(self) -> Option<[&'a [f32]; TOGETHER]> {
        let rows: &[[f32; D]; TOGETHER] = self.first_chunk()?;
        Some(rows.each_ref().map(
            #[inline(always)]
            |row| row.as_slice(),
        ))
    }

    #[inline(always)]
    fn after(self, rows: usize) -> Self {
        self.get(rows..).unwrap_or_default()
    }
}

/// Either, of a number of columns that the compiler does not know.
#[derive(Clone, Copy)]
pub(super) struct OfColumns<T> {
    pub(super) values: T,
    pub(super) dim: usize,
}

impl Params for OfColumns<&mut [f32]> {
    #[inline(always)]
    fn row(&mut self, place: usize) -> Option<&mut [f32]> {
        row_of(self.values, place, self.dim)
    }
}

impl<'a> Grads<'a> for OfColumns<&'a [f32]> {
    #[inline(always)]
    fn first(self) -> Option<&'a [f32]> {
        self.values.get(..self.dim)
    }

    #[inline(always)]
    fn first_together(self) -> Option<[&'a [f32]; TOGETHER]> {
        let mut rows = [Default::default(); TOGETHER];
        let mut rest = self.values;
        for row in &mut rows {
            (*row, rest) = rest.split_at_checked(self.dim)?;
        }
        Some(rows)
    }

    #[inline(always)]
    fn after(self, rows: usize) -> Self {
        let values = self.values.get(rows.wrapping_mul(self.dim)..).unwrap_or_default();
        Self { values, ..self }
    }
}

/// What belongs to a row, of which there is so much, if it is here.
#[inline(always)]
pub(crate) fn row_of<T>(table: &mut [T], place: usize, dim: usize) -> Option<&mut [T]> {
    let start = place.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}
