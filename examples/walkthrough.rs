//! Adagrad by hand: five steps of two parameters, for both places of ε, and how the learning rate shrinks.
//!
//! `cargo run --release --example walkthrough`. Every number is what the crate's own step gives.

use core::error::Error;

use adagrad::{Adagrad, Epsilon};

const ETA: f32 = 0.1;
const EPSILON: f32 = 1e-8;
/// A frequent feature, whose gradient is never zero, and a rare one.
const GRADIENTS: [[f32; 2]; 5] = [[0.5, 0.0], [0.4, 0.3], [0.3, 0.0], [0.5, 0.2], [0.4, 0.0]];

fn main() -> Result<(), Box<dyn Error>> {
    println!("Adagrad, η = {ETA}, ε = {EPSILON:e}: G ← G + g², w ← w − (η/d)·g. Weights and G start at 0.");
    println!("Parameter 1 is a frequent feature, parameter 2 a rare one.");
    let inside = Adagrad::new(ETA).with_epsilon(Epsilon::InsideSqrt(EPSILON));
    let outside = Adagrad::new(ETA).with_epsilon(Epsilon::OutsideSqrt(EPSILON));
    let rates_inside = trace(&inside, "ε inside the root, d = √(G + ε)")?;
    let rates_outside = trace(&outside, "ε outside the root, d = √G + ε")?;

    println!("\nWhat to notice");
    let [frequent, rare] = rates_inside.last;
    println!("  * After step 5 the frequent feature learns at {frequent:.4}, the rare one still at {rare:.4}:");
    println!("    {:.2} times as fast. Each feature has a rate of its own, and none was set by hand.", rare / frequent);
    println!("  * A zero gradient leaves G, the rate and the weight as they were: steps 1, 3 and 5 of parameter 2.");
    let ([_, inside_0], [_, outside_0]) = (rates_inside.first, rates_outside.first);
    println!(
        "  * Where G is still 0 the rate is η/d = {inside_0:.0} with ε inside, {outside_0:.0} with ε outside. Still, no"
    );
    println!("    step is larger than η: each gradient is added to G before the rate is used.");
    println!("  * So the first gradient moves the weight by η, whatever its size, as long as it is well above ε:");
    for gradient in [1000.0, 0.5, 0.01] {
        let (w_inside, w_outside) = (first_move(&inside, gradient)?, first_move(&outside, gradient)?);
        println!("      g = {gradient:<4}  w = {w_inside:.4} with ε inside, {w_outside:.4} with ε outside");
    }
    println!("    With ε inside, what counts is g² beside ε, so this ends earlier:");
    for gradient in [1e-3, 1e-4, 1e-6, 1e-8] {
        let (w_inside, w_outside) = (first_move(&inside, gradient)?, first_move(&outside, gradient)?);
        println!("      g = {gradient:<4e}  w = {w_inside:.4} with ε inside, {w_outside:.4} with ε outside");
    }

    println!("\nThe rate only falls: a gradient of 0.5 at each step");
    println!("  {:>6}{:>12}{:>12}{:>12}", "steps", "G", "rate", "w");
    let (mut w, mut sum) = ([0.0], [0.0]);
    for step in 1..=10_000 {
        outside.step(&mut w, &[0.5], &mut sum)?;
        if [1, 10, 100, 1_000, 10_000].contains(&step) {
            println!("  {step:>6}{:>12.2}{:>12.5}{:>12.4}", sum[0], rate(&outside, sum[0])?, w[0]);
        }
    }
    println!(
        "  After ten times as many steps the rate is √10 = 3.16 times lower. G never falls, so the rate never rises. To"
    );
    println!("  follow data that has changed, start again with accumulator.fill(0.0).");
    Ok(())
}

/// The rates of both parameters, before the first step and after the last.
struct Rates {
    first: [f32; 2],
    last: [f32; 2],
}

/// Takes the five steps and prints the state after each.
fn trace(opt: &Adagrad, title: &str) -> Result<Rates, adagrad::Error> {
    println!("\n{title}");
    println!("        │{:^46}│{:^46}", "parameter 1 (frequent)", "parameter 2 (rare)");
    let names = format!("{:>8}{:>10}{:>15}{:>12} ", "g", "G", "rate η/d", "w");
    println!("   step │{names}│{names}");
    println!("  ──────┼{0}┼{0}", "─".repeat(46));

    let (mut w, mut sums) = ([0.0; 2], [0.0; 2]);
    let rates = |sums: [f32; 2]| Ok([rate(opt, sums[0])?, rate(opt, sums[1])?]);
    let cell = |g: &str, sum: f32, rate: f32, w: f32| {
        let decimals = if rate < 100.0 { 6 } else { 0 };
        // `0.0 +` shows −0 as 0.
        format!("{g:>8}{sum:>10.4}{rate:>15.decimals$}{:>12.6} ", 0.0 + w)
    };
    let first = rates(sums)?;
    let mut last = first;
    println!("  start │{}│{}", cell("", sums[0], first[0], w[0]), cell("", sums[1], first[1], w[1]));
    for (step, g) in (1..).zip(&GRADIENTS) {
        opt.step(&mut w, g, &mut sums)?;
        last = rates(sums)?;
        let cell = |i: usize| cell(&format!("{:.1}", g[i]), sums[i], last[i], w[i]);
        println!("  {step:>5} │{}│{}", cell(0), cell(1));
    }
    Ok(Rates { first, last })
}

/// The effective learning rate η/d at an accumulator.
fn rate(opt: &Adagrad, accumulator: f32) -> Result<f32, adagrad::Error> {
    let mut rates = [0.0];
    opt.effective_rates(&[accumulator], &mut rates)?;
    Ok(rates[0])
}

/// Where the first step takes a weight from 0.
fn first_move(opt: &Adagrad, gradient: f32) -> Result<f32, adagrad::Error> {
    let mut w = [0.0];
    opt.step(&mut w, &[gradient], &mut [0.0])?;
    Ok(w[0])
}
