// Adagrad steps over float arrays: without allocation, and with the same bits on every machine.
//
// Words: a parameter is w, its gradient g, its accumulator G, the state that a step keeps. An accumulator starts at the
// options' initial_accumulator and is never negative, infinite or NaN. All memory is the caller's. The library has no
// state but the remembered answer of the CPU's detection, so calls on different arrays may run in different threads.
//
// Arrays: each pointer leads to as many initialized values as the call says. Where that number is 0 it may be null. An
// array that a call writes must not overlap any other of that call. Null, misaligned and overlapping pointers, and lengths
// that do not fit the address space, are refused by a status. That a pointer is valid and an array long enough, no check
// can tell: the call's behaviour is undefined if not.
//
// Status: 0 is success. Below 0 no array was written, and a report has the position of what was found, or 0.
//
// Bits: they do not depend on the CPU or on how arrays are divided among calls, except with ADAGRAD_ARITHMETIC_FAST and
// where a CPU is set to flush denormals to zero. GCC may contract a*b + c in your own code into one instruction that
// rounds once, where the CPU has it. Compile with -ffp-contract=off if gradients must have the same bits everywhere.


#ifndef ADAGRAD_H
#define ADAGRAD_H

// Made by cbindgen of crates/c/src: do not edit. `cargo run -p header` writes it anew.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a call returns. Below 0, no array was written.
enum adagrad_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Done.
    ADAGRAD_STATUS_OK = 0,
    // A pointer is null: to something that is needed, or to an array whose length is not 0.
    ADAGRAD_STATUS_NULL = -1,
    // A pointer is not a multiple of its type's alignment.
    ADAGRAD_STATUS_MISALIGNED = -2,
    // An array that the call writes overlaps another one.
    ADAGRAD_STATUS_OVERLAP = -3,
    // An array is too long for the address space, or a scratch array too short.
    ADAGRAD_STATUS_LENGTH = -4,
    // The number of columns is 0.
    ADAGRAD_STATUS_DIM = -5,
    // A row index is not less than the number of rows.
    ADAGRAD_STATUS_ROW = -6,
    // A hyper-parameter is out of its range: see adagrad_bad_option.
    ADAGRAD_STATUS_OPTION = -7,
    // An accumulator is negative, infinite or NaN.
    ADAGRAD_STATUS_ACCUMULATOR = -8,
    // The backend that was named needs instructions that this CPU, or this build, does not have.
    ADAGRAD_STATUS_UNAVAILABLE = -9,
    // An error that has no number here.
    ADAGRAD_STATUS_OTHER = -10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_status adagrad_status;
#else
typedef int32_t adagrad_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The place of epsilon, see adagrad_options.
enum adagrad_epsilon_place
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // d = sqrt(G) + epsilon.
    ADAGRAD_EPSILON_PLACE_OUTSIDE_SQRT = 0,
    // d = sqrt(G + epsilon).
    ADAGRAD_EPSILON_PLACE_INSIDE_SQRT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_epsilon_place adagrad_epsilon_place;
#else
typedef uint8_t adagrad_epsilon_place;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What weight decay does, see adagrad_options.
enum adagrad_decay
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // g = g + weight_decay*w, before the accumulator sees g.
    ADAGRAD_DECAY_L2 = 0,
    // w = w - (w*weight_decay)*learning_rate, apart from the gradient.
    ADAGRAD_DECAY_DECOUPLED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_decay adagrad_decay;
#else
typedef uint8_t adagrad_decay;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How the accumulator takes in a squared gradient, see adagrad_options.
enum adagrad_accumulation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // G = G + g*g. rho is not used.
    ADAGRAD_ACCUMULATION_SUM = 0,
    // G = rho*G + g*g.
    ADAGRAD_ACCUMULATION_LEAKY = 1,
    // G = rho*G + (1 - rho)*(g*g), which makes the step that of RMSProp.
    ADAGRAD_ACCUMULATION_EMA = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_accumulation adagrad_accumulation;
#else
typedef uint8_t adagrad_accumulation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Whether a*b + c rounds once or twice, see adagrad_options.
enum adagrad_arithmetic
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Twice: after the product and after the sum.
    ADAGRAD_ARITHMETIC_SEPARATE = 0,
    // Once, as PyTorch does on CPUs with fused multiply-add.
    ADAGRAD_ARITHMETIC_FUSED = 1,
    // Twice, with quotients within 5 units in the last place of the exact ones. The only option whose results depend on
    // the CPU.
    ADAGRAD_ARITHMETIC_FAST = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_arithmetic adagrad_arithmetic;
#else
typedef uint8_t adagrad_arithmetic;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a step does with an element that is infinite or NaN, or would become so, see adagrad_options.
enum adagrad_non_finite
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It is stepped like any other.
    ADAGRAD_NON_FINITE_PROPAGATE = 0,
    // It is left as it was, and counted in adagrad_report. In a row-wise table that holds for whole rows.
    ADAGRAD_NON_FINITE_SKIP = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_non_finite adagrad_non_finite;
#else
typedef uint8_t adagrad_non_finite;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The instructions that run a step, see adagrad_options.
enum adagrad_backend
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The fastest that this CPU has.
    ADAGRAD_BACKEND_DETECTED = 0,
    // One element at a time.
    ADAGRAD_BACKEND_SCALAR = 1,
    // The SIMD that every CPU of the build's target has.
    ADAGRAD_BACKEND_PORTABLE = 2,
    // AVX2 and FMA.
    ADAGRAD_BACKEND_AVX2 = 3,
    // AVX-512F.
    ADAGRAD_BACKEND_AVX512 = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_backend adagrad_backend;
#else
typedef uint8_t adagrad_backend;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a schedule starts from, see adagrad_schedule. Steps t count from 1.
enum adagrad_schedule_base
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // rate.
    ADAGRAD_SCHEDULE_BASE_CONSTANT = 0,
    // rate/(1 + (t - 1)*decay): the lr_decay of torch.optim.Adagrad.
    ADAGRAD_SCHEDULE_BASE_INVERSE_TIME = 1,
    // rate/sqrt(t).
    ADAGRAD_SCHEDULE_BASE_INVERSE_SQRT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_schedule_base adagrad_schedule_base;
#else
typedef uint8_t adagrad_schedule_base;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a schedule ends, see adagrad_schedule.
enum adagrad_cool_down
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It does not fall any further.
    ADAGRAD_COOL_DOWN_NONE = 0,
    // Linearly.
    ADAGRAD_COOL_DOWN_LINEAR = 1,
    // Along half a cosine.
    ADAGRAD_COOL_DOWN_COSINE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_cool_down adagrad_cool_down;
#else
typedef uint8_t adagrad_cool_down;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The hyper-parameters. Make them by one of the presets, such as adagrad_new, and then change fields. A step does this to
// each parameter w with gradient g and accumulator G. Each operation rounds once, and a term that is off is left out:
//
//     g = gradient_scale*g               and -g if maximize
//     g = clamp(g, -clip_value, clip_value)
//     g = g + weight_decay*w             ADAGRAD_DECAY_L2
//     G = G + g*g                        or what accumulation says
//     d = sqrt(G) + epsilon              or sqrt(G + epsilon), as epsilon_place says
//     w = w - (w*weight_decay)*learning_rate        ADAGRAD_DECAY_DECOUPLED
//     w = w - (learning_rate*g)/d        nothing where d is 0
typedef struct {
    // At least 0 and finite.
    float learning_rate;
    // At least 0 and finite.
    float epsilon;
    // At least 0 and finite. 0 is off.
    float weight_decay;
    // Finite. 1 is off.
    float gradient_scale;
    // Above 0. Infinity is off.
    float clip_value;
    // At least 0 and below 1. Used unless accumulation is ADAGRAD_ACCUMULATION_SUM.
    float rho;
    // The value that accumulators start at: at least 0 and finite. For the code that makes them; no step uses it.
    float initial_accumulator;
    // An adagrad_epsilon_place.
    uint8_t epsilon_place;
    // An adagrad_decay.
    uint8_t decay;
    // An adagrad_accumulation.
    uint8_t accumulation;
    // An adagrad_arithmetic.
    uint8_t arithmetic;
    // An adagrad_non_finite.
    uint8_t non_finite;
    // An adagrad_backend.
    uint8_t backend;
    // 0 descends, 1 ascends.
    uint8_t maximize;
    // Must be 0.
    uint8_t reserved;
} adagrad_options;

// A learning rate as a function of the step: the base, times min(1, t/warm_up), times a factor that falls from 1 to
// cool_down_floor over the cool_down_steps steps after step cool_down_start. Make one by adagrad_schedule_constant,
// and then change fields.
typedef struct {
    // The rate of the base.
    double rate;
    // Of ADAGRAD_SCHEDULE_BASE_INVERSE_TIME.
    double decay;
    // In how many steps the rate rises. 0 is off.
    uint64_t warm_up;
    // The last step before the rate falls.
    uint64_t cool_down_start;
    // In how many steps it falls.
    uint64_t cool_down_steps;
    // The share of the rate that is left at the end.
    double cool_down_floor;
    // An adagrad_schedule_base.
    uint8_t base;
    // An adagrad_cool_down.
    uint8_t cool_down;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_schedule;

// What a call did, or where it found an error.
typedef struct {
    // The number of elements, or of rows of a row-wise table, that ADAGRAD_NON_FINITE_SKIP left as they were.
    size_t skipped;
    // With ADAGRAD_STATUS_ROW and ADAGRAD_STATUS_ACCUMULATOR the first bad position in the array; otherwise 0.
    size_t position;
} adagrad_report;
#define adagrad_report_NONE (adagrad_report){ .skipped = 0, .position = 0 }

// How far the effective learning rates of some accumulators have fallen. Rates that are infinite or NaN are counted in
// non_finite only.
typedef struct {
    // The mean of the finite rates; 0 if there is none.
    double mean;
    // The least finite rate; infinite if there is none.
    float min;
    // The greatest finite rate; 0 if there is none.
    float max;
    // The number of finite rates.
    size_t count;
    // The number of rates that are infinite or NaN.
    size_t non_finite;
    // The number of finite rates below the threshold.
    size_t below;
    // The number of accumulators that a gradient of the given size no longer changes.
    size_t stalled;
    // How many rates lie in each decade: bin 0 has all below 1e-8, bin b the decade from 10^(b-9) on, and the last bin
    // all from 1e6 on.
    size_t histogram[16];
} adagrad_summary;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Adagrad with epsilon 1e-8 outside the root, and all else off. A step from G = 0 moves a parameter by learning_rate.
adagrad_options adagrad_new(float learning_rate);

// torch.optim.Adagrad(fused=True), the same bits: epsilon 1e-10 outside the root, ADAGRAD_ARITHMETIC_FUSED. Its
// weight_decay is ADAGRAD_DECAY_L2.
adagrad_options adagrad_pytorch(float learning_rate);

// TensorFlow's ApplyAdagradV2, the same bits: epsilon 1e-7 outside the root; accumulators start at 0.1.
adagrad_options adagrad_tensorflow(float learning_rate);

// keras.optimizers.Adagrad of Keras 3, the same bits: epsilon 1e-7 inside the root; accumulators start at 0.1. Its
// weight_decay is ADAGRAD_DECAY_DECOUPLED.
adagrad_options adagrad_keras(float learning_rate);

// FBGEMM's sparse and row-wise Adagrad, the same bits: epsilon 1e-8 outside the root.
adagrad_options adagrad_fbgemm(float learning_rate);

// optax.adagrad, but for its approximate reciprocal root: epsilon 1e-7 inside the root; accumulators start at 0.1.
adagrad_options adagrad_optax(float learning_rate);

// What a status says, in English. Any number may be given. Do not free it.
const char *adagrad_status_message(int32_t status);

// The adagrad_backend that steps run on unless the options name one.
uint8_t adagrad_detected_backend(void);

// A schedule with the same rate at every step.
adagrad_schedule adagrad_schedule_constant(double rate);

// A schedule of rate/(1 + (t - 1)*decay).
adagrad_schedule adagrad_schedule_inverse_time(double rate, double decay);

// A schedule of rate/sqrt(t).
adagrad_schedule adagrad_schedule_inverse_sqrt(double rate);

// The gradient_scale that limits the norm of all gradients to max_norm: max_norm/sqrt(sum) where that is below 1, and 1
// elsewhere. NaN, which every step refuses, if an argument is negative or NaN.
float adagrad_clip_norm_scale(double sum_of_squares, float max_norm);

// The name of the first field of the options that is out of its range; null if there is none, or if options is null or
// misaligned. Do not free it.
const char *adagrad_bad_option(const adagrad_options *options);

// One step for each of n parameters, by the formula at adagrad_options. All three arrays have n values. report may be
// null. Several calls over parts of the arrays give the same bits as one.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE.
adagrad_status adagrad_step(const adagrad_options *options,
                            float *params,
                            const float *grads,
                            float *accumulator,
                            size_t n,
                            adagrad_report *report);

// adagrad_step, and then sets all gradients to 0 while they are in the cache.
//
// Errors: those of adagrad_step.
adagrad_status adagrad_step_and_zero(const adagrad_options *options,
                                     float *params,
                                     float *grads,
                                     float *accumulator,
                                     size_t n,
                                     adagrad_report *report);

// One step for each of count rows of a table, in their order. params and accumulator have table_rows*dim values, rows
// has count, grads has count*dim. A row that appears twice gets two steps: see adagrad_coalesce_u32. report may be null.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM, ROW, OPTION, UNAVAILABLE.
adagrad_status adagrad_step_rows_u32(const adagrad_options *options,
                                     float *params,
                                     float *accumulator,
                                     size_t table_rows,
                                     size_t dim,
                                     const uint32_t *rows,
                                     const float *grads,
                                     size_t count,
                                     adagrad_report *report);

// adagrad_step_rows_u32 with indices of 64 bits.
adagrad_status adagrad_step_rows_u64(const adagrad_options *options,
                                     float *params,
                                     float *accumulator,
                                     size_t table_rows,
                                     size_t dim,
                                     const uint64_t *rows,
                                     const float *grads,
                                     size_t count,
                                     adagrad_report *report);

// adagrad_step_rows_u32 with one accumulator per row, FBGEMM's row-wise Adagrad: accumulator has table_rows values, and
// the mean of a row's squared gradients stands for g*g.
adagrad_status adagrad_step_row_wise_u32(const adagrad_options *options,
                                         float *params,
                                         float *accumulator,
                                         size_t table_rows,
                                         size_t dim,
                                         const uint32_t *rows,
                                         const float *grads,
                                         size_t count,
                                         adagrad_report *report);

// adagrad_step_row_wise_u32 with indices of 64 bits.
adagrad_status adagrad_step_row_wise_u64(const adagrad_options *options,
                                         float *params,
                                         float *accumulator,
                                         size_t table_rows,
                                         size_t dim,
                                         const uint64_t *rows,
                                         const float *grads,
                                         size_t count,
                                         adagrad_report *report);

// Sums the gradients of rows that appear more than once, in place, as PyTorch does before a step. rows has count
// values, grads has count*dim, scratch has scratch_len: at least count, and better 2*count. distinct is then the number of
// rows, which come first in rows and grads, in order of their first occurrence. What follows them is unspecified.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM.
adagrad_status adagrad_coalesce_u32(uint32_t *rows,
                                    float *grads,
                                    size_t count,
                                    size_t dim,
                                    size_t *scratch,
                                    size_t scratch_len,
                                    size_t *distinct);

// adagrad_coalesce_u32 with indices of 64 bits.
adagrad_status adagrad_coalesce_u64(uint64_t *rows,
                                    float *grads,
                                    size_t count,
                                    size_t dim,
                                    size_t *scratch,
                                    size_t scratch_len,
                                    size_t *distinct);

// The learning rate of a step, for the options' learning_rate. Steps count from 1. NaN, which every step refuses, if
// schedule is null or misaligned, or one of its numbers has no meaning.
float adagrad_schedule_at(const adagrad_schedule *schedule, uint64_t step);

// The sum of the squares of n values. For a norm of several arrays, add their sums.
//
// Errors: NULL, MISALIGNED, LENGTH.
adagrad_status adagrad_sum_of_squares(const float *values, size_t n, double *sum);

// Whether none of n values is infinite or NaN.
//
// Errors: NULL, MISALIGNED, LENGTH.
adagrad_status adagrad_all_finite(const float *values, size_t n, bool *answer);

// Checks that each of n accumulators is finite and not negative: for a state that was loaded. report may be null.
//
// Errors: ACCUMULATOR, with the position in the report; NULL, MISALIGNED, LENGTH.
adagrad_status adagrad_check_accumulator(const float *accumulator, size_t n, adagrad_report *report);

// The effective learning rates of n accumulators: learning_rate/d, infinite where d is 0. rates has n values.
//
// Errors: those of adagrad_step.
adagrad_status adagrad_effective_rates(const adagrad_options *options,
                                       const float *accumulator,
                                       float *rates,
                                       size_t n);

// A summary of the effective learning rates of n accumulators: how many are below the threshold, and how many
// accumulators a gradient of the given size no longer changes.
//
// Errors: NULL, MISALIGNED, LENGTH, OPTION, UNAVAILABLE.
adagrad_status adagrad_summarize(const adagrad_options *options,
                                 const float *accumulator,
                                 size_t n,
                                 float threshold,
                                 float gradient,
                                 adagrad_summary *summary);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ADAGRAD_H */
