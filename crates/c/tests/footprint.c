// A dense step with options that are known at run time only, with STEP in float, with BF16 and F16 in 16 bits, or else nothing:
// the difference of these images is what a step takes. Built and compared by ../test; never run.

#if defined(BF16) || defined(F16)
#define ADAGRAD_HALF
#endif
#include <adagrad.h>

// The compiler knows none of it.
volatile float rate;
adagrad_options options;
float *params, *accumulator;
const float *grads;
uint16_t *narrow_params, *narrow_accumulator;
const uint16_t *narrow_grads;
size_t n;
volatile int status;
volatile uint64_t seed;
void reset(void);

void reset(void) {
#ifndef EMPTY
    options = adagrad_new(rate);
#endif
#ifdef STEP
    status = adagrad_step(&options, params, grads, accumulator, n, NULL);
#endif
#if defined(BF16) || defined(F16)
    const adagrad_rounding rounding = adagrad_round_stochastic(seed, seed);
#endif
#ifdef BF16
    status = adagrad_step_bf16(&options, narrow_params, narrow_grads, narrow_accumulator, n, &rounding, NULL);
#endif
#ifdef F16
    status = adagrad_step_f16(&options, narrow_params, narrow_grads, narrow_accumulator, n, &rounding, NULL);
#endif
    for (;;) {
    }
}
