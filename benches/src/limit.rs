//! The limit: loops that read and write the memory of a step and compute next to nothing, so that no step can be faster
//! where memory is the limit.
//!
//! There are several, since no single one is the fastest everywhere: with the vectors of the default target and with
//! wider ones, which matters in a cache; and with one stream through each slice or with several parts of the slices in
//! turn, so that more cache lines are on their way, which matters in memory. There it is faster, too, to be done with all
//! lines of a part's accumulators before those of its parameters.

/// An exclusive or with the gradient's mantissa: a second one undoes it, so that no value leaves its binade.
#[inline(always)]
fn mix(x: &mut f32, g: f32) {
    *x = f32::from_bits(x.to_bits() ^ (g.to_bits() & 0x007F_FFFF));
}

#[inline(always)]
fn traffic(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    let both = |((w, g), a): ((&mut f32, &f32), &mut f32)| {
        mix(a, *g);
        mix(w, *g);
    };
    // The compiler makes vectors of it, but by eight: four columns of a narrow row would be left to a slower loop.
    if let (Ok(w), Ok(g), Ok(a)) = (
        <&mut [f32; 4]>::try_from(&mut *params),
        <&[f32; 4]>::try_from(grads),
        <&mut [f32; 4]>::try_from(&mut *accumulator),
    ) {
        return w.iter_mut().zip(g).zip(a).for_each(both);
    }
    params.iter_mut().zip(grads).zip(accumulator).for_each(both);
}

/// With one accumulator for the row.
#[inline(always)]
fn traffic_row_wise(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    mix(&mut accumulator[0], grads[0]);
    if let (Ok(w), Ok(g)) = (<&mut [f32; 4]>::try_from(&mut *params), <&[f32; 4]>::try_from(grads)) {
        return w.iter_mut().zip(g).for_each(|(w, g)| mix(w, *g));
    }
    params.iter_mut().zip(grads).for_each(|(w, g)| mix(w, *g));
}

/// How a loop goes through the slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    One,
    Several,
}

/// A loop over slices.
pub type Run = fn(&mut [f32], &[f32], &mut [f32]);

/// From this many elements on, several streams are tried: the slices take 1.5 MiB, which leaves most second-level caches.
const SEVERAL_FROM: usize = 1 << 17;

/// The loops for slices of `n` elements that this CPU can run.
pub fn loops(n: usize) -> Vec<(Streams, Run)> {
    /// Several streams: of so many parts so many elements.
    macro_rules! several {
        ($($run:ident)::+) => {[
            $($run)::+::<3, 64>, $($run)::+::<4, 64>, $($run)::+::<3, 96>, $($run)::+::<4, 96>, $($run)::+::<3, 128>,
            $($run)::+::<4, 128>,
        ]};
    }
    let mut loops: Vec<(Streams, Run)> = vec![(Streams::One, base::<1, 64>)];
    let mut widest: [Run; 6] = several!(base);
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx2") {
            loops.push((Streams::One, wide::avx2::<1, 64>));
            widest = several!(wide::avx2);
        }
        if std::is_x86_feature_detected!("avx512f") {
            loops.push((Streams::One, wide::avx512::<1, 64>));
            widest = several!(wide::avx512);
        }
    }
    if n >= SEVERAL_FROM {
        loops.extend(widest.map(|run| (Streams::Several, run)));
    }
    loops
}

/// `PARTS` parts of the slices in turn, `STEP` elements of each.
#[inline(always)]
fn streams<const PARTS: usize, const STEP: usize>(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    let part = params.len() / PARTS / STEP * STEP;
    if PARTS == 1 || part == 0 {
        return traffic(params, grads, accumulator);
    }
    let (w, rest_of_w) = params.split_at_mut(PARTS * part);
    let (g, rest_of_g) = grads.split_at(PARTS * part);
    let (a, rest_of_a) = accumulator.split_at_mut(PARTS * part);
    let (mut w, mut g, mut a) = (w.chunks_exact_mut(part), g.chunks_exact(part), a.chunks_exact_mut(part));
    let mut parts: [_; PARTS] = core::array::from_fn(|_| {
        let (w, g, a) = (w.next().unwrap_or_default(), g.next().unwrap_or_default(), a.next().unwrap_or_default());
        (w.as_chunks_mut::<STEP>().0, g.as_chunks::<STEP>().0, a.as_chunks_mut::<STEP>().0)
    });
    for i in 0..part / STEP {
        for (w, g, a) in &mut parts {
            a[i].iter_mut().zip(&g[i]).for_each(|(a, g)| mix(a, *g));
            w[i].iter_mut().zip(&g[i]).for_each(|(w, g)| mix(w, *g));
        }
    }
    traffic(rest_of_w, rest_of_g, rest_of_a);
}

#[inline(never)]
fn base<const PARTS: usize, const STEP: usize>(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    streams::<PARTS, STEP>(params, grads, accumulator);
}

/// A loop over rows of a table: its parameters, its accumulators and its columns, the rows, and their gradients.
pub type RunRows = fn(&mut [f32], &mut [f32], usize, &[u32], &[f32]);

/// What a loop over rows asks for before it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    Nothing,
    /// The beginnings of a row; the processor goes on by itself.
    Beginnings,
    /// All lines of a row.
    Lines,
}

/// The loops over rows that this CPU can run, by what they ask for: for tables with one accumulator per element or per row.
pub fn loops_over_rows(row_wise: bool) -> Vec<(Ahead, RunRows)> {
    fn all([nothing, beginnings, lines]: [RunRows; 3]) -> [(Ahead, RunRows); 3] {
        [(Ahead::Nothing, nothing), (Ahead::Beginnings, beginnings), (Ahead::Lines, lines)]
    }
    macro_rules! ways {
        ($($run:ident)::+) => {
            if row_wise {
                all([$($run)::+::<true, 0>, $($run)::+::<true, 1>, $($run)::+::<true, 2>])
            } else {
                all([$($run)::+::<false, 0>, $($run)::+::<false, 1>, $($run)::+::<false, 2>])
            }
        };
    }
    let mut loops = Vec::from(ways!(base_rows));
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx2") {
            loops.extend(ways!(wide::avx2_rows));
        }
        if std::is_x86_feature_detected!("avx512f") {
            loops.extend(ways!(wide::avx512_rows));
        }
    }
    loops
}

/// `AHEAD`: 0 asks for nothing, 1 for beginnings, 2 for all lines.
#[inline(always)]
fn rows_of<const ROW_WISE: bool, const AHEAD: usize>(
    params: &mut [f32],
    accumulator: &mut [f32],
    dim: usize,
    rows: &[u32],
    grads: &[f32],
) {
    const LINE: usize = 16;
    let accumulators = if ROW_WISE { 1 } else { dim };
    let distance = if AHEAD == 1 { 8 } else { 1 + 384 / dim };
    for (i, (row, g)) in rows.iter().zip(grads.chunks_exact(dim)).enumerate() {
        if AHEAD > 0
            && let Some(row) = rows.get(i + distance)
        {
            let (w, a) = (*row as usize * dim, *row as usize * accumulators);
            let (w, a) = (&params[w..][..dim], &accumulator[a..][..accumulators]);
            for values in [w, a] {
                let lines = if AHEAD == 1 { 1 } else { values.len().div_ceil(LINE) };
                values.iter().step_by(LINE).take(lines).for_each(prefetch);
            }
        }
        let row = *row as usize;
        let (w, a) = (&mut params[row * dim..][..dim], &mut accumulator[row * accumulators..][..accumulators]);
        if ROW_WISE { traffic_row_wise(w, g, a) } else { traffic(w, g, a) }
    }
}

#[inline(never)]
fn base_rows<const ROW_WISE: bool, const AHEAD: usize>(
    w: &mut [f32],
    a: &mut [f32],
    dim: usize,
    rows: &[u32],
    g: &[f32],
) {
    rows_of::<ROW_WISE, AHEAD>(w, a, dim, rows, g);
}

/// Asks for a value's cache line, where Rust has an instruction for it.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "there is no safe function for it"))]
fn prefetch(value: &f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has SSE, whose instruction this is, and it takes any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Loops for more than the default target. [`loops`] and [`loops_over_rows`] ask the CPU before they name one.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the compiler does not see that the CPU was asked")]
mod wide {
    use super::{rows_of, streams, traffic};

    macro_rules! with_features {
        ($dense:ident, $rows:ident, $features:literal) => {
            pub(super) fn $dense<const PARTS: usize, const STEP: usize>(w: &mut [f32], g: &[f32], a: &mut [f32]) {
                #[target_feature(enable = $features)]
                fn inner<const PARTS: usize, const STEP: usize>(w: &mut [f32], g: &[f32], a: &mut [f32]) {
                    streams::<PARTS, STEP>(w, g, a);
                }
                // All large vectors begin at the same place of a cache line: no load or store shall straddle two.
                let head = w.as_ptr().align_offset(64).min(w.len());
                let (w, g, a) = (w.split_at_mut(head), g.split_at(head), a.split_at_mut(head));
                traffic(w.0, g.0, a.0);
                // SAFETY: `loops` names this function only where the CPU has the features.
                unsafe { inner::<PARTS, STEP>(w.1, g.1, a.1) };
            }

            pub(super) fn $rows<const ROW_WISE: bool, const AHEAD: usize>(
                w: &mut [f32],
                a: &mut [f32],
                dim: usize,
                rows: &[u32],
                g: &[f32],
            ) {
                #[target_feature(enable = $features)]
                fn inner<const ROW_WISE: bool, const AHEAD: usize>(
                    w: &mut [f32],
                    a: &mut [f32],
                    dim: usize,
                    rows: &[u32],
                    g: &[f32],
                ) {
                    rows_of::<ROW_WISE, AHEAD>(w, a, dim, rows, g);
                }
                // SAFETY: `loops_over_rows` names this function only where the CPU has the features.
                unsafe { inner::<ROW_WISE, AHEAD>(w, a, dim, rows, g) };
            }
        };
    }
    with_features!(avx2, avx2_rows, "avx2");
    with_features!(avx512, avx512_rows, "avx512f");
}
