//! What slices hold: `f32`, or nothing, in loops that have no third slice. `sixteen` has the 16-bit types.

use core::marker::PhantomData;

use crate::backend::lanes::Lanes;

/// The functions of a [`Storage`] by which a slice finds out that it has the type that another name stands for.
macro_rules! same_as {
    ($of:ident) => {
        #[inline(always)]
        fn same<K: $crate::kernel::storage::Borrow, T: Storage>(values: K::Slice<Self>) -> Option<K::Slice<T>> {
            T::$of::<K>(values)
        }

        #[inline(always)]
        fn $of<K: $crate::kernel::storage::Borrow>(values: K::Slice<Self>) -> Option<K::Slice<Self>> {
            Some(values)
        }
    };
}
#[cfg(feature = "half")]
pub(super) use same_as;

/// A kind of reference.
pub(crate) trait Borrow {
    type Slice<T: 'static>;
}

/// `&'a`.
#[cfg(feature = "half")]
pub(crate) struct Shared<'a>(PhantomData<&'a ()>);

#[cfg(feature = "half")]
impl<'a> Borrow for Shared<'a> {
    type Slice<T: 'static> = &'a [T];
}

/// `&'a mut`.
pub(crate) struct Exclusive<'a>(PhantomData<&'a mut ()>);

impl<'a> Borrow for Exclusive<'a> {
    type Slice<T: 'static> = &'a mut [T];
}

/// A value as it lies in memory.
pub(crate) trait Storage: Sized + 'static {
    /// Whether values must be rounded before they are stored, since storing does not, or the step looks at what it stores.
    #[inline(always)]
    fn must_round(_is_looked_at: bool) -> bool {
        false
    }

    /// The nearest value that can be stored; of two, the one whose last bit is 0.
    #[inline(always)]
    fn round<const W: usize, L: Lanes<W>>(_: L, value: L::Vector) -> L::Vector {
        value
    }

    /// One of the two values next to `value + remainder` that can be stored, by the bits of `noise`: the chance of each
    /// is its share of the distance between the two. What can be stored stays.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn dither<const W: usize, L: Lanes<W>>(
        _: L,
        value: L::Vector,
        _remainder: L::Vector,
        _noise: L::Vector,
    ) -> L::Vector {
        value
    }

    /// A slice as one of `T`, if that is this type. Each type hands the slice to the function of `T` that is named after
    /// it.
    #[inline(always)]
    fn same<K: Borrow, T: Storage>(_: K::Slice<Self>) -> Option<K::Slice<T>> {
        None
    }

    #[inline(always)]
    fn of_f32<K: Borrow>(_: K::Slice<f32>) -> Option<K::Slice<Self>> {
        None
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn of_bf16<K: Borrow>(_: K::Slice<half::bf16>) -> Option<K::Slice<Self>> {
        None
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn of_f16<K: Borrow>(_: K::Slice<half::f16>) -> Option<K::Slice<Self>> {
        None
    }

    /// Whether storing converts.
    #[cfg(feature = "half")]
    const CONVERTS: bool = true;

    /// Whether pairs of blocks are as values lie in memory.
    #[cfg(feature = "half")]
    const LIES_IN_PAIRS: bool = false;

    /// A pair of blocks: see [`InPairs`](super::pairs::InPairs).
    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_pair<const W: usize, L: Lanes<W>>(lanes: L, [low, high]: &[[Self; W]; 2]) -> [L::Vector; 2] {
        lanes.pair(Self::load(lanes, low), Self::load(lanes, high))
    }

    /// The inverse of [`Storage::load_pair`], of values which have been rounded if they must be.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_pair<const W: usize, L: Lanes<W>>(lanes: L, [even, odd]: [L::Vector; 2], to: &mut [[Self; W]; 2]) {
        let ([low, high], [to_low, to_high]) = (lanes.unpair(even, odd), to);
        Self::store(lanes, low, to_low);
        Self::store(lanes, high, to_high);
    }

    fn load<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self; W]) -> L::Vector;

    /// Stores a value, which has been rounded if it must be.
    fn store<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self; W]);

    /// At most `W` values.
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self]) -> L::Vector;

    /// At most `W` values.
    fn store_first<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self]);
}

/// One of 2⁻²³, 2·2⁻²³, … 1, by random bits. A move whose share is `p` is made where this is at most `p`.
#[cfg(feature = "half")]
#[inline(always)]
pub(super) fn chance<const W: usize, L: Lanes<W>>(lanes: L, noise: L::Vector) -> L::Vector {
    let from_one = lanes.add_bits(lanes.splat(1.0), lanes.shift_right(noise, 9));
    lanes.sub(from_one, lanes.splat(1.0 - f32::EPSILON))
}

impl Storage for f32 {
    same_as!(of_f32);

    #[cfg(feature = "half")]
    const CONVERTS: bool = false;

    /// `value`, or its neighbour on the side of `value + remainder`.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn dither<const W: usize, L: Lanes<W>>(
        lanes: L,
        value: L::Vector,
        remainder: L::Vector,
        noise: L::Vector,
    ) -> L::Vector {
        // One more in the bits is a greater magnitude, so one less where the signs differ.
        let differs = lanes.shift_right(lanes.xor_bits(value, remainder), 31);
        let by = lanes.add_bits(lanes.splat_bits(1), lanes.mul_bits(differs, lanes.splat_bits(2_u32.wrapping_neg())));
        let neighbour = lanes.add_bits(value, by);
        let magnitude = lanes.splat_bits(0x7FFF_FFFF);
        let gap = lanes.and_bits(lanes.sub(neighbour, value), magnitude);
        let distance = lanes.and_bits(remainder, magnitude);
        // False where anything is infinite or NaN. The product is 0 for some gaps of denormals.
        let moves = lanes.at_most(lanes.mul(chance(lanes, noise), gap), distance);
        let is_exact = lanes.at_most(distance, lanes.splat(0.0));
        lanes.select(is_exact, value, lanes.select(moves, neighbour, value))
    }

    #[inline(always)]
    fn load<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self; W]) -> L::Vector {
        lanes.load(from)
    }

    #[inline(always)]
    fn store<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self; W]) {
        lanes.store(value, to);
    }

    #[inline(always)]
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self]) -> L::Vector {
        lanes.load_first(from)
    }

    #[inline(always)]
    fn store_first<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self]) {
        lanes.store_first(value, to);
    }
}

impl Storage for () {
    #[inline(always)]
    fn load<const W: usize, L: Lanes<W>>(lanes: L, _: &[Self; W]) -> L::Vector {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn store<const W: usize, L: Lanes<W>>(_: L, _: L::Vector, _: &mut [Self; W]) {}

    #[inline(always)]
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, _: &[Self]) -> L::Vector {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn store_first<const W: usize, L: Lanes<W>>(_: L, _: L::Vector, _: &mut [Self]) {}
}
