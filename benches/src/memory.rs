//! Random numbers, and vectors of them at chosen places.

/// Parameters, gradients and accumulators.
pub type Vectors = (Vec<f32>, Vec<f32>, Vec<f32>);
/// The same of one step.
pub type Slices<'a> = (&'a mut [f32], &'a [f32], &'a mut [f32]);

/// Elements of a page of memory.
const PAGE: usize = 1024;

/// Memory for steps of up to so many elements. Filling it also makes the system provide its pages.
///
/// The vectors are not of one length: 2²⁷ bytes and one page apart, as they would lie, AMD's Zen takes the lines of one for
/// those of the other when it looks for them in its first cache, and finds out a dozen cycles later.
pub fn apart(elements: usize) -> Vectors {
    let mut random = Random(1);
    (random.numbers(elements), random.gradients(elements + 5 * PAGE), random.numbers(elements + 11 * PAGE))
}

/// Places in memory for steps of `n` elements: up to four, because now and then a place is slow by some misfortune of its
/// addresses, and not for all contenders alike.
pub fn places((w, g, a): &mut Vectors, n: usize) -> Vec<Slices<'_>> {
    // Their distance keeps the place in a page of memory, and so the alignment.
    let distance = w.len() / (w.len() / n).clamp(1, 4);
    let (w, g, a) = (w.chunks_exact_mut(distance), g.chunks_exact(distance), a.chunks_exact_mut(distance));
    w.zip(g).zip(a).map(|((w, g), a)| (&mut w[..n], &g[..n], &mut a[..n])).collect()
}

/// Where vectors of `n` elements lie that are allocated one after the other, each by `vec![0.0; n]`: first the one of which
/// `order` has the index (0 parameters, 1 gradients, 2 accumulators).
pub fn plain(n: usize, order: [usize; 3]) -> Vectors {
    let mut vectors: [Vec<f32>; 3] = Default::default();
    for i in order {
        vectors[i] = vec![0.0; n];
    }
    let [mut w, mut g, mut a] = vectors;
    let mut random = Random(1);
    random.fill_with_numbers(&mut w);
    random.fill_with_gradients(&mut g);
    random.fill_with_numbers(&mut a);
    (w, g, a)
}

/// Random numbers (xorshift64) from a fixed seed.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// At least 0, below 1.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between 1 and 2.
    pub fn fill_with_numbers(&mut self, values: &mut [f32]) {
        values.fill_with(|| f32::from_bits(1.0_f32.to_bits() | (self.bits() >> 41) as u32));
    }

    /// Of either sign, and between 2⁻¹⁴ and 2⁻¹³: neither `g²` nor `η·g` reaches half a unit in the last place of 1.
    pub fn fill_with_gradients(&mut self, values: &mut [f32]) {
        const SMALL: f32 = 1.0 / 16384.0;
        values.fill_with(|| {
            let bits = self.bits();
            let number = f32::from_bits(1.0_f32.to_bits() | (bits >> 41) as u32);
            number * if bits.is_multiple_of(2) { SMALL } else { -SMALL }
        });
    }

    pub fn numbers(&mut self, len: usize) -> Vec<f32> {
        let mut numbers = vec![0.0; len];
        self.fill_with_numbers(&mut numbers);
        numbers
    }

    pub fn gradients(&mut self, len: usize) -> Vec<f32> {
        let mut gradients = vec![0.0; len];
        self.fill_with_gradients(&mut gradients);
        gradients
    }

    /// `count` rows of a table that has so many.
    pub fn rows(&mut self, rows: usize, count: usize) -> Vec<u32> {
        (0..count).map(|_| (((self.bits() >> 32) * rows as u64) >> 32) as u32).collect()
    }
}
