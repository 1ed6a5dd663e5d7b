//! The program of docs/bare-metal.md: a line through four points, learnt on a Cortex-M4F.
#![no_std]
#![no_main]

use adagrad::Adagrad;
use semihosting::{println, process};

const OPT: Adagrad = Adagrad::new(0.5);
/// Points of the line y = 3·x − 1.
const POINTS: [(f32, f32); 4] = [(0.0, -1.0), (1.0, 2.0), (2.0, 5.0), (3.0, 8.0)];

#[cortex_m_rt::entry]
fn main() -> ! {
    // Static memory: `entry` hands out each as `&'static mut`, once.
    static mut PARAMS: [f32; 2] = [0.0; 2];
    static mut ACCUMULATOR: [f32; 2] = [0.0; 2];

    for _ in 0..500 {
        let mut grads = [0.0; 2];
        for (x, y) in POINTS {
            let error = PARAMS[0] * x + PARAMS[1] - y;
            grads[0] += error * x;
            grads[1] += error;
        }
        if let Err(error) = OPT.step(PARAMS, &grads, ACCUMULATOR) {
            println!("{error}");
            process::exit(1);
        }
    }
    println!("y = {:.3}·x + {:.3}", PARAMS[0], PARAMS[1]); // y = 3.000·x + -1.000
    process::exit(0)
}
