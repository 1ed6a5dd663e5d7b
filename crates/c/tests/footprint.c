// A dense step with options that are known at run time only, or without STEP nothing: the difference of these images is
// what a step takes. Built and compared by ../test; never run.

#include <adagrad.h>

// The compiler knows none of it.
volatile float rate;
adagrad_options options;
float *params, *accumulator;
const float *grads;
size_t n;
volatile int status;
void reset(void);

void reset(void) {
#if defined(STEP) || defined(PRESET)
    options = adagrad_new(rate);
#endif
#ifdef STEP
    status = adagrad_step(&options, params, grads, accumulator, n, NULL);
#endif
    for (;;) {
    }
}
