//! Row indices in bags, each of which has one gradient.

use super::RowIndex;
use crate::Error;
use crate::error::check_length;

/// Row indices in bags: the rows that were looked up and pooled together, such as the words of a text. Each bag has one
/// gradient, and [`Adagrad::step_bags`](crate::Adagrad::step_bags) steps each row of the bag with it.
///
/// `offsets` says where each bag begins among `rows`; one more is the end of the last bag. This is the form of `PyTorch`'s
/// `EmbeddingBag` with `include_last_offset=True`, and of FBGEMM's tables. A bag may be empty.
///
/// | pooling in the forward pass | the gradient of a row |
/// |---|---|
/// | sum | the bag's |
/// | [`mean`](Self::mean) | the bag's, divided by the number of rows in the bag |
/// | [`weighted`](Self::weighted) | one of these, then multiplied by the row's weight |
///
/// ```
/// use adagrad::Bags;
///
/// // Three bags: rows 7 and 2, none, rows 2, 0 and 1.
/// let bags = Bags::new(&[0_u32, 2, 2, 5], &[7, 2, 2, 0, 1])?;
/// assert_eq!(bags.len(), 3);
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bags<'a, I> {
    pub(crate) offsets: &'a [I],
    pub(crate) rows: &'a [I],
    pub(crate) mean: bool,
    pub(crate) weights: Option<&'a [f32]>,
    /// Whether each bag has one row.
    pub(crate) are_single: bool,
}

impl<'a, I: RowIndex> Bags<'a, I> {
    /// Bags whose gradients are those of a sum. Takes time in proportion to the number of bags.
    ///
    /// # Errors
    ///
    /// [`Error::TooShort`] unless `offsets` has at least one value; [`Error::Offset`] for the first one that is out of
    /// order: the first must be 0, each at least the one before, and the last the length of `rows`.
    pub fn new(offsets: &'a [I], rows: &'a [I]) -> Result<Self, Error> {
        let Some(last) = offsets.len().checked_sub(1) else {
            return Err(Error::TooShort { what: "offsets", minimum: 1, actual: 0 });
        };
        let (mut least, mut are_single) = (0, true);
        for (position, offset) in offsets.iter().enumerate() {
            let greatest = if position == 0 { 0 } else { rows.len() };
            if position == last && last > 0 {
                // What comes before is at most this.
                least = greatest;
            }
            match I::to_usize(*offset) {
                Some(offset) if least <= offset && offset <= greatest => {
                    least = offset;
                    are_single &= offset == position;
                }
                _ => return Err(Error::Offset { position, offset: I::to_i128(*offset), least, greatest }),
            }
        }
        if last == 0 {
            check_length("rows", 0, rows.len())?;
        }
        Ok(Self { offsets, rows, mean: false, weights: None, are_single })
    }

    /// The same bags, whose gradients are those of a mean: each row's is divided by the number of rows in its bag.
    #[must_use]
    pub fn mean(self) -> Self {
        Self { mean: true, ..self }
    }

    /// The same bags, with a factor for each row's gradient.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless there is one for each row.
    pub fn weighted(self, weights: &'a [f32]) -> Result<Self, Error> {
        check_length("weights", self.rows.len(), weights.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The number of bags.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no bag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a row's gradient may differ from its bag's, which takes room.
    pub(crate) fn are_scaled(&self) -> bool {
        self.mean || self.weights.is_some()
    }
}
