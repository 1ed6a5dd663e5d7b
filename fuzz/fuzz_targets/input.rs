//! What the targets share: the fuzzer's bytes as hyper-parameters, lengths and buffers, and what every backend must
//! make of them.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;

use adagrad::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, Error, NonFinite, Order, Report, WeightDecay};
use bytemuck::Pod;
use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::reference::{Options, assert_same, same};

/// Values before and behind each slice, at least, that nothing may write to; also the alignment, in bytes, that its
/// offset counts from.
const MARGIN: usize = 64;

const SPECIAL: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::from_bits(1), // the least denormal
    -f32::from_bits(1),
    f32::from_bits(0x007F_FFFF), // the greatest
    1e-23,                       // its square is denormal
    1.9e19,                      // its square overflows
];

/// Calls of the crate, and the elements that they were about.
static CALLS: AtomicU64 = AtomicU64::new(0);
static ELEMENTS: AtomicU64 = AtomicU64::new(0);

/// Counts a call that is about so many elements. `fuzz/run` reads the sums, which are printed at the end.
pub fn count(elements: usize) {
    unsafe extern "C" {
        fn atexit(function: extern "C" fn()) -> i32;
    }
    extern "C" fn print() {
        eprintln!("calls: {}  elements: {}", CALLS.load(Ordering::Relaxed), ELEMENTS.load(Ordering::Relaxed));
    }
    if CALLS.fetch_add(1, Ordering::Relaxed) == 0 {
        // SAFETY: this is its signature on 32 and 64 bits, and the function does not end before the program does.
        unsafe { atexit(print) };
    }
    ELEMENTS.fetch_add(elements as u64, Ordering::Relaxed);
}

/// The fuzzer's bytes; where they end, a generator that the first eight of them seed goes on.
pub struct Input<'a> {
    bytes: Unstructured<'a>,
    random: u64,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut bytes = Unstructured::new(bytes);
        let random = bytes.arbitrary::<u64>().unwrap_or_default() | 1;
        Self { bytes, random }
    }

    /// An integer or a truth value.
    pub fn any<T: for<'b> Arbitrary<'b>>(&mut self) -> T {
        let result = if self.bytes.len() >= size_of::<T>() {
            self.bytes.arbitrary()
        } else {
            self.random ^= self.random << 13; // xorshift64; its high bits are the better ones
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            T::arbitrary(&mut Unstructured::new(&self.random.to_be_bytes()))
        };
        result.expect("there are enough bytes")
    }

    /// One of `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.any::<u16>()) % n
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// `expected`, or now and then another length.
    pub fn length(&mut self, expected: usize) -> usize {
        if self.one_in(24) { self.below(2 * expected + 2) } else { expected }
    }

    fn special(&mut self) -> f32 {
        if self.one_in(4) { f32::from_bits(self.any()) } else { SPECIAL[self.below(SPECIAL.len())] }
    }

    /// Mostly a valid one.
    pub fn hyperparameter(&mut self) -> f32 {
        match self.below(24) {
            0 => self.special(),
            1 | 2 => self.special().abs(),
            3 => 0.0,
            n => 10.0_f32.powi(6 - n as i32) * f32::from(self.any::<u8>()),
        }
    }

    /// Mostly between 0 and 1.
    fn retention(&mut self) -> f32 {
        if self.one_in(8) { self.hyperparameter() } else { f32::from(self.any::<u8>()) / 255.0 }
    }

    /// A number of threads to divide a step among, of which the pools stay.
    pub fn pool(&mut self) -> &'static ThreadPool {
        static POOLS: [OnceLock<ThreadPool>; 4] = [const { OnceLock::new() }; 4];
        let threads = self.below(POOLS.len());
        POOLS[threads].get_or_init(|| ThreadPoolBuilder::new().num_threads(threads + 1).build().expect("threads"))
    }

    pub fn options(&mut self) -> Options {
        let mut options = Options::new(self.hyperparameter(), Epsilon::OutsideSqrt(self.hyperparameter()));
        if self.any() {
            options.epsilon = Epsilon::InsideSqrt(self.hyperparameter());
        }
        match self.below(3) {
            0 => options.weight_decay = WeightDecay::L2(self.hyperparameter()),
            1 => options.weight_decay = WeightDecay::Decoupled(self.hyperparameter()),
            _ => {}
        }
        if self.any() {
            options.gradient_scale = self.hyperparameter();
        }
        if self.any() {
            options.clip_value = Some(self.hyperparameter());
        }
        options.maximize = self.any();
        match self.below(4) {
            0 | 1 => options.arithmetic = Arithmetic::Fused,
            2 => options.arithmetic = Arithmetic::Fast,
            _ => {}
        }
        match self.below(4) {
            0 => options.accumulation = Accumulation::Leaky(self.retention()),
            1 => options.accumulation = Accumulation::Ema(self.retention()),
            _ => {}
        }
        if self.any() {
            options.non_finite = NonFinite::Skip;
        }
        if self.one_in(4) {
            options.order = Order::StepFirst;
        }
        options
    }

    /// A slice of numbers: some are all moderate, some all special, some between.
    pub fn numbers(&mut self, len: usize) -> Buffer<f32> {
        let (wildness, not_negative) = (self.below(5), self.any());
        self.buffer(len, |input| {
            let moderate = input.below(4) >= wildness;
            let x = if moderate { f32::from(input.any::<i16>()) / 1024.0 } else { input.special() };
            if not_negative { x.abs() } else { x }
        })
    }

    /// Accumulators. Those below 0, against the documentation, must give NaN, or be skipped; but where ε stands inside the
    /// root one that reaches −ε gives a division by 0: none are made there.
    pub fn accumulators(&mut self, len: usize, options: &Options) -> Buffer<f32> {
        let mut accumulators = self.numbers(len);
        if let Epsilon::InsideSqrt(_) = options.epsilon {
            for a in &mut accumulators.given[accumulators.slice.clone()] {
                *a = if *a < 0.0 { -*a } else { *a }; // −0 stays
            }
        }
        accumulators
    }

    /// A slice at some offset from a cache line's start.
    pub fn buffer<T: Pod + From<u8>>(&mut self, len: usize, mut value: impl FnMut(&mut Self) -> T) -> Buffer<T> {
        let mut all = Vec::<T>::with_capacity(len + 3 * MARGIN);
        let start = MARGIN + all.as_ptr().align_offset(MARGIN) + self.below(MARGIN / size_of::<T>());
        all.resize(len + 3 * MARGIN, T::from(0x55));
        all[start..start + len].fill_with(|| value(self));
        Buffer { given: all.clone(), all, slice: start..start + len }
    }
}

/// A slice within a margin.
pub struct Buffer<T> {
    all: Vec<T>,
    slice: Range<usize>,
    given: Vec<T>,
}

impl<T: Pod> Buffer<T> {
    /// The slice as it was given.
    pub fn given(&self) -> &[T] {
        &self.given[self.slice.clone()]
    }

    /// The slice to write to, once more as it was given.
    pub fn fresh(&mut self) -> &mut [T] {
        self.all.copy_from_slice(&self.given);
        &mut self.all[self.slice.clone()]
    }

    /// The slice as it is now, after a call that may write to it; the margin must be as it was.
    pub fn written(&self) -> &[T] {
        let Range { start, end } = self.slice;
        assert!(bits(&self.all[..start]) == bits(&self.given[..start]), "a write before the slice");
        assert!(bits(&self.all[end..]) == bits(&self.given[end..]), "a write behind the slice");
        &self.all[self.slice.clone()]
    }

    /// Fails if a byte has changed.
    pub fn assert_untouched(&self) {
        assert!(bits(&self.all) == bits(&self.given), "an error, but not all is as it was");
    }
}

fn bits<T: Pod>(values: &[T]) -> &[u8] {
    bytemuck::cast_slice(values)
}

/// The first hyper-parameter that is not as documented.
pub fn fault_of(options: &Options) -> Option<Error> {
    let epsilon = match options.epsilon {
        Epsilon::OutsideSqrt(epsilon) | Epsilon::InsideSqrt(epsilon) => epsilon,
        other => panic!("a place of ε that is not known here: {other:?}"),
    };
    let weight_decay = match options.weight_decay {
        WeightDecay::L2(lambda) | WeightDecay::Decoupled(lambda) => lambda,
        _ => 0.0,
    };
    let clip = options.clip_value.unwrap_or(1.0);
    let retention = match options.accumulation {
        Accumulation::Leaky(rho) | Accumulation::Ema(rho) => rho,
        _ => 0.0,
    };
    let finite = f32::MIN..=f32::MAX;
    let not_negative = 0.0..=f32::MAX;
    [
        ("learning_rate", options.learning_rate, not_negative.contains(&options.learning_rate)),
        ("epsilon", epsilon, not_negative.contains(&epsilon)),
        ("weight_decay", weight_decay, not_negative.contains(&weight_decay)),
        ("gradient_scale", options.gradient_scale, finite.contains(&options.gradient_scale)),
        ("clip_value", clip, clip != 0.0 && not_negative.contains(&clip)),
        ("accumulation", retention, (0.0..1.0).contains(&retention)),
    ]
    .into_iter()
    .find_map(|(what, value, ok)| (!ok).then_some(Error::Hyperparameter { what, value, expected: "" }))
}

pub fn length_fault(what: &'static str, expected: usize, actual: usize) -> Option<Error> {
    (actual != expected).then_some(Error::Length { what, expected, actual })
}

/// Fails unless the call succeeded and nothing was at fault, or it was refused for one of the faults. Says whether it
/// succeeded.
pub fn accepted<T: core::fmt::Debug>(result: &Result<T, Error>, faults: &[Error]) -> bool {
    let named = |fault: &Error| match (result, fault) {
        (
            Err(Error::Hyperparameter { what, value, .. }),
            Error::Hyperparameter { what: expected_what, value: expected_value, .. },
        ) => what == expected_what && same(*value, *expected_value),
        (Err(error), fault) => error == fault,
        (Ok(_), _) => false,
    };
    let right = if result.is_ok() { faults.is_empty() } else { faults.iter().any(named) };
    assert!(right, "{result:?}, but the faults are {faults:?}");
    result.is_ok()
}

/// What a step must do with `Arithmetic::Separate` or `Arithmetic::Fused`: the parameters, the accumulators, how many
/// elements or rows it skips, and how many rows are not in the table.
pub struct Expected {
    pub params: Vec<f32>,
    pub accumulator: Vec<f32>,
    pub skipped: usize,
    pub out_of_range: usize,
}

/// A call that steps: with these hyper-parameters, parameters and accumulators.
pub type Step<'a, P = f32, A = f32> = &'a mut dyn FnMut(&Adagrad, &mut [P], &mut [A]) -> Result<Report, Error>;

/// Takes a step on every backend, and on the detected one. `check` is given the parameters and accumulators before and
/// after each that succeeds, and its report.
pub fn on_every_backend<P: Pod, A: Pod>(
    opt: &Adagrad,
    faults: &[Error],
    params: &mut Buffer<P>,
    accumulator: &mut Buffer<A>,
    step: Step<'_, P, A>,
    check: impl Fn((&[P], &[A]), (&[P], &[A]), Report),
) {
    for backend in Backend::ALL.iter().copied().map(Some).chain([None]) {
        let mut faults = faults.to_vec();
        let mut opt = *opt;
        if let Some(backend) = backend {
            opt = opt.with_backend(backend);
            if !backend.is_available() {
                faults.push(Error::Unavailable { backend });
            }
        }
        count(params.given().len());
        let result = step(&opt, params.fresh(), accumulator.fresh());
        if accepted(&result, &faults) {
            let after = (params.written(), accumulator.written());
            check((params.given(), accumulator.given()), after, result.unwrap_or_default());
        } else {
            params.assert_untouched();
            accumulator.assert_untouched();
        }
    }
}

impl Expected {
    /// Fails unless a step made these.
    pub fn assert(&self, (params, accumulator): (&[f32], &[f32]), report: Report) {
        assert_same(params, &self.params, "params");
        assert_same(accumulator, &self.accumulator, "accumulator");
        assert_eq!(report.skipped, self.skipped, "skipped");
        assert_eq!(report.out_of_range, self.out_of_range, "out of range");
    }
}
