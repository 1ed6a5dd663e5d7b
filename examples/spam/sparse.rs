//! L1: how many weights are exactly 0, and how good the others are.

use adagrad::{Error, Ftrl, Proximal, Table};

use crate::common::text::thousands;
use crate::data::Split;
use crate::model::{Learner, Metrics, learn};
use crate::{loss, percent, share};

/// What accumulators start at.
const START: f32 = 0.1;
const STRENGTHS: [f32; 9] = [0.0, 0.001, 0.003, 0.01, 0.1, 1.0, 3.0, 10.0, 30.0];

/// FTRL-Proximal and proximal Adagrad side by side, for each strength of L1.
pub(crate) fn print(learning_rate: f32, split: &Split<'_>) -> Result<(), Error> {
    let rows = split.vocabulary.len();
    println!("\nL1: how many of the {} weights are exactly 0, η = {learning_rate}", thousands(rows));
    let columns = format!("{:>9}{:>10}{:>11}{:>10}", "zeros", "", "accuracy", "log-loss");
    println!("  {:<6}{:>9}{:>40}", "", "Ftrl", "Proximal");
    println!("  {:<6}{columns}{columns}", "l1");
    // Of each, the accuracy without L1, and the share of zeros with the strongest L1 that is no less accurate.
    let (mut accuracy, mut most) = ([0.0; 2], [0.0; 2]);
    for l1 in STRENGTHS {
        print!("  {l1:<6}");
        for (i, ftrl) in [true, false].into_iter().enumerate() {
            let weights = train(ftrl, l1, learning_rate, split)?;
            let zeros = weights.iter().filter(|&&weight| weight == 0.0).count();
            let (metrics, of_all) = (Metrics::new(&weights, &split.held_out), share(zeros, rows));
            print!("{:>9}{:>10}", thousands(zeros), percent(of_all));
            print!("{:>11}{:>10}", percent(metrics.accuracy), loss(metrics.log_loss));
            if l1 == 0.0 {
                accuracy[i] = metrics.accuracy;
            }
            if metrics.accuracy >= accuracy[i] {
                most[i] = of_all;
            }
        }
        println!();
    }
    let [ftrl, proximal] = most.map(percent);
    println!("  As accurate as without L1 with {ftrl} of the weights 0 (Ftrl), and with {proximal} (Proximal).");
    println!(
        "  With Ftrl all gradients of a word add up before they are compared with l1. Proximal shrinks a weight only"
    );
    println!(
        "  where a message has its word, so what a rare word has learnt stays; from l1 = 1 on its steps never leave 0,"
    );
    println!("  and where all weights are 0 every message counts as spam.");
    Ok(())
}

fn train(ftrl: bool, l1: f32, learning_rate: f32, split: &Split<'_>) -> Result<Vec<f32>, Error> {
    let rows = split.vocabulary.len();
    let (mut params, mut accumulator, mut linear) = (vec![0.0; rows], vec![START; rows], vec![0.0; rows]);
    let (table, linear) = (Table::new(&mut params, &mut accumulator, 1)?, &mut linear);
    let mut learner = if ftrl {
        Learner::Ftrl { opt: Ftrl::new(learning_rate).with_l1(l1), table, linear }
    } else {
        Learner::Proximal { opt: Proximal::new(learning_rate).with_l1(l1), table }
    };
    learn(&mut learner, &split.training, |_, _| {})?;
    Ok(params)
}
