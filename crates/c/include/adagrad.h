// Adagrad steps over arrays of float, bfloat16 and half precision: without allocation, and with the same bits on every machine.
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
//
// 16-bit types: define ADAGRAD_HALF to declare them; the library must be built with Cargo's feature half. CMake's option
// ADAGRAD_HALF does both.


#ifndef ADAGRAD_H
#define ADAGRAD_H

// Made by cbindgen of crates/c/src: do not edit. `cargo run -p header` writes it anew.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(ADAGRAD_HALF)

// Values of 16 bits, as they lie in memory. C has no arithmetic for them: see adagrad_f32_from_bf16 and its kin.
// bfloat16: the upper half of a float.
typedef uint16_t adagrad_bf16;
// Half precision, binary16 of IEEE 754.
typedef uint16_t adagrad_f16;

#endif // defined(ADAGRAD_HALF)

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
    // The number of columns is 0, or greater than a row, or than a gradient stride.
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
    // A number of a plain struct, such as a layout, is none that it may have.
    ADAGRAD_STATUS_UNKNOWN = -11,
    // An offset of bags is out of order: see adagrad_bags_u32.
    ADAGRAD_STATUS_OFFSET = -12,
    // There is no owner of rows, or a range ends before it begins.
    ADAGRAD_STATUS_OWNERS = -13,
    // A row was last seen after the step that is asked for.
    ADAGRAD_STATUS_STEP = -14,
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

// Which comes first in a step, see adagrad_options.
enum adagrad_order
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The gradient is added to G, then the parameter moves by the new G.
    ADAGRAD_ORDER_ACCUMULATE_FIRST = 0,
    // The parameter moves by G as it was, then the gradient is added, as in GloVe. A step may then move a parameter by far
    // more than learning_rate, and G must not start at 0.
    ADAGRAD_ORDER_STEP_FIRST = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_order adagrad_order;
#else
typedef uint8_t adagrad_order;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#if defined(ADAGRAD_HALF)

// How 16-bit steps round, see adagrad_rounding.
enum adagrad_rounding_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // To the nearest value, of two the one whose last bit is 0. What is less than half of the distance between two values is
    // lost, each time: a bfloat16 accumulator of gradients 1 stops at 256, one in half precision at 2048.
    ADAGRAD_ROUNDING_KIND_NEAREST = 0,
    // To one of the two neighbours, each with a chance in proportion to how near it is. So the expected result is the exact
    // one, and what is small adds up. An accumulator in float is rounded by what its sum lost; parameters in float stay.
    ADAGRAD_ROUNDING_KIND_STOCHASTIC = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_rounding_kind adagrad_rounding_kind;
#else
typedef uint8_t adagrad_rounding_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#endif // defined(ADAGRAD_HALF)

// Where a table's accumulators lie, see adagrad_table.
enum adagrad_layout
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // One per element, in an array of their own.
    ADAGRAD_LAYOUT_ELEMENT_WISE = 0,
    // One per row, in an array of their own.
    ADAGRAD_LAYOUT_ROW_WISE = 1,
    // One per element, behind the parameters of their row.
    ADAGRAD_LAYOUT_INTERLEAVED = 2,
    // One per row, behind its parameters.
    ADAGRAD_LAYOUT_INTERLEAVED_ROW_WISE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum adagrad_layout adagrad_layout;
#else
typedef uint8_t adagrad_layout;
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
//
// With ADAGRAD_ORDER_STEP_FIRST d is made of G as it was before.
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
    // An adagrad_order.
    uint8_t order;
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

// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
typedef struct {
    // The parameters; the whole memory of an interleaved table.
    float *params;
    // The accumulators. Not used by an interleaved table.
    float *accumulator;
    // The number of rows.
    size_t rows;
    // From where a row's parameters begin to where the next row's do, or its accumulators.
    size_t dim;
    // How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    size_t columns;
    // From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    // is read, but memory has to be there, for the last one too.
    size_t gradient_stride;
    // A row that no call changes. It need not be in the table; SIZE_MAX names none.
    size_t padding_row;
    // An adagrad_layout.
    uint8_t layout;
    // 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    // adagrad_report; a negative index, made unsigned, is such a row.
    uint8_t skip_out_of_range;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_table;

// The hyper-parameters of steps with L1 and L2, whose parameters become exactly 0. Make them by adagrad_regularized_new.
typedef struct {
    // Finite, and at least 0; above 0 for adagrad_ftrl_step.
    float learning_rate;
    // The strength of L1: finite and at least 0.
    float l1;
    // The strength of L2: finite and at least 0.
    float l2;
    // An adagrad_backend.
    uint8_t backend;
    // Must be 0.
    uint8_t reserved[3];
} adagrad_regularized;

// What a call did, or where it found an error.
typedef struct {
    // The number of elements, or of rows of a row-wise table, that ADAGRAD_NON_FINITE_SKIP left as they were.
    size_t skipped;
    // The number of rows that were passed over because they are not in the table, see adagrad_table.
    size_t out_of_range;
    // With ADAGRAD_STATUS_ROW, _ACCUMULATOR, _OFFSET, _OWNERS and _STEP the first bad position in the array; otherwise 0.
    size_t position;
} adagrad_report;
#define adagrad_report_NONE (adagrad_report){ .skipped = 0, .out_of_range = 0, .position = 0 }

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

// Row indices in bags, each of which has one gradient: the rows that were looked up and pooled together. This is the form
// of PyTorch's EmbeddingBag with include_last_offset=True, and of FBGEMM's tables.
typedef struct {
    // bags + 1 values: where each bag begins among the rows, and where the last one ends. The first is 0, none is less than
    // the one before, and the last is count.
    const uint32_t *offsets;
    // The rows of all bags, count values.
    const uint32_t *rows;
    // A factor for each row's gradient, count values; null for none.
    const float *weights;
    // The number of bags.
    size_t bags;
    // The number of rows.
    size_t count;
    // 0: the bags were summed. 1: they were a mean, so a row's gradient is the bag's, divided by the number of its rows.
    uint8_t mean;
    // Must be 0.
    uint8_t reserved[7];
} adagrad_bags_u32;

// Row indices in bags, each of which has one gradient: the rows that were looked up and pooled together. This is the form
// of PyTorch's EmbeddingBag with include_last_offset=True, and of FBGEMM's tables.
typedef struct {
    // bags + 1 values: where each bag begins among the rows, and where the last one ends. The first is 0, none is less than
    // the one before, and the last is count.
    const uint64_t *offsets;
    // The rows of all bags, count values.
    const uint64_t *rows;
    // A factor for each row's gradient, count values; null for none.
    const float *weights;
    // The number of bags.
    size_t bags;
    // The number of rows.
    size_t count;
    // 0: the bags were summed. 1: they were a mean, so a row's gradient is the bag's, divided by the number of its rows.
    uint8_t mean;
    // Must be 0.
    uint8_t reserved[7];
} adagrad_bags_u64;

// Who owns which rows of a table that is divided among threads, processes or machines.
typedef struct {
    // Null: row r belongs to owner r mod owners. Else owners values: owner 0 has the rows from 0 to before ends[0], owner k
    // those from ends[k - 1] to before ends[k]. A range may be empty.
    const size_t *ends;
    // The number of owners.
    size_t owners;
    // The number of rows of the whole table; not used where there are ends.
    size_t rows;
} adagrad_owners;

#if defined(ADAGRAD_HALF)

// How a 16-bit step rounds what it stores. Make it by adagrad_round_nearest or adagrad_round_stochastic. The random bits are a
// function of these numbers and of an element's place in the call, and of nothing else.
typedef struct {
    // Another one gives other random bits.
    uint64_t seed;
    // The number of the step: another one gives other random bits.
    uint64_t step;
    // Where a call has a part only: the index of its first element in the whole array or, for rows, that of the table's first
    // row in the whole table.
    uint64_t first;
    // Where a call for rows has only a part of a step's rows: the index of its first one among them.
    uint64_t position;
    // An adagrad_rounding_kind. With ADAGRAD_ROUNDING_KIND_NEAREST the numbers above are not used.
    uint8_t kind;
    // 1 leaves positions out, for rows that each have one gradient in the step, as adagrad_coalesce_u32 makes them: then the
    // bits do not depend on their order, or on how they are divided among calls. A row that has two gets the same random bits
    // for both. 0 otherwise.
    uint8_t without_positions;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_rounding;

// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
typedef struct {
    // The parameters; the whole memory of an interleaved table.
    adagrad_bf16 *params;
    // The accumulators. Not used by an interleaved table.
    adagrad_bf16 *accumulator;
    // The number of rows.
    size_t rows;
    // From where a row's parameters begin to where the next row's do, or its accumulators.
    size_t dim;
    // How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    size_t columns;
    // From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    // is read, but memory has to be there, for the last one too.
    size_t gradient_stride;
    // A row that no call changes. It need not be in the table; SIZE_MAX names none.
    size_t padding_row;
    // An adagrad_layout.
    uint8_t layout;
    // 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    // adagrad_report; a negative index, made unsigned, is such a row.
    uint8_t skip_out_of_range;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_table_bf16;

// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
typedef struct {
    // The parameters; the whole memory of an interleaved table.
    adagrad_bf16 *params;
    // The accumulators. Not used by an interleaved table.
    float *accumulator;
    // The number of rows.
    size_t rows;
    // From where a row's parameters begin to where the next row's do, or its accumulators.
    size_t dim;
    // How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    size_t columns;
    // From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    // is read, but memory has to be there, for the last one too.
    size_t gradient_stride;
    // A row that no call changes. It need not be in the table; SIZE_MAX names none.
    size_t padding_row;
    // An adagrad_layout.
    uint8_t layout;
    // 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    // adagrad_report; a negative index, made unsigned, is such a row.
    uint8_t skip_out_of_range;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_table_bf16_accumulator_f32;

// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
typedef struct {
    // The parameters; the whole memory of an interleaved table.
    adagrad_f16 *params;
    // The accumulators. Not used by an interleaved table.
    adagrad_f16 *accumulator;
    // The number of rows.
    size_t rows;
    // From where a row's parameters begin to where the next row's do, or its accumulators.
    size_t dim;
    // How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    size_t columns;
    // From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    // is read, but memory has to be there, for the last one too.
    size_t gradient_stride;
    // A row that no call changes. It need not be in the table; SIZE_MAX names none.
    size_t padding_row;
    // An adagrad_layout.
    uint8_t layout;
    // 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    // adagrad_report; a negative index, made unsigned, is such a row.
    uint8_t skip_out_of_range;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_table_f16;

// Parameters in rows, with their accumulators. Make one by adagrad_table_new, _row_wise, _interleaved or
// _interleaved_row_wise, which say how long the arrays are, and then change the fields from columns on. Where these names have
// an ending, such as adagrad_table_new_bf16, the table's type has the same one.
typedef struct {
    // The parameters; the whole memory of an interleaved table.
    adagrad_f16 *params;
    // The accumulators. Not used by an interleaved table.
    float *accumulator;
    // The number of rows.
    size_t rows;
    // From where a row's parameters begin to where the next row's do, or its accumulators.
    size_t dim;
    // How many of these values are used, at most dim: those behind them are padding, which no call reads or writes.
    size_t columns;
    // From where a gradient begins to where the next one does, at least columns. Behind the columns of a gradient nothing
    // is read, but memory has to be there, for the last one too.
    size_t gradient_stride;
    // A row that no call changes. It need not be in the table; SIZE_MAX names none.
    size_t padding_row;
    // An adagrad_layout.
    uint8_t layout;
    // 0 refuses rows that are not in the table by ADAGRAD_STATUS_ROW. 1 passes over them and counts them in
    // adagrad_report; a negative index, made unsigned, is such a row.
    uint8_t skip_out_of_range;
    // Must be 0.
    uint8_t reserved[6];
} adagrad_table_f16_accumulator_f32;

#endif // defined(ADAGRAD_HALF)

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

// The step of GloVe's glove.c at this rate, in float. It multiplies gradients by the rate first, so that is the
// gradient_scale here, and learning_rate is 1: ADAGRAD_ORDER_STEP_FIRST, epsilon 0; accumulators start at 1.
adagrad_options adagrad_glove(float learning_rate);

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

// A table with one accumulator per element: params and accumulator have rows*dim values, row by row.
adagrad_table adagrad_table_new(float *params, float *accumulator, size_t rows, size_t dim);

// A table with one accumulator per row, FBGEMM's row-wise Adagrad: params has rows*dim values, accumulator has rows. A
// row's G grows by the mean of its squared gradients.
adagrad_table adagrad_table_row_wise(float *params, float *accumulator, size_t rows, size_t dim);

// A table in one array of rows*2*dim values: each row has dim parameters, and behind them their accumulators.
adagrad_table adagrad_table_interleaved(float *memory, size_t rows, size_t dim);

// A table in one array of rows*(dim + 1) values: each row has dim parameters, and behind them its one accumulator.
adagrad_table adagrad_table_interleaved_row_wise(float *memory, size_t rows, size_t dim);

// Steps with L1 and L2, see adagrad_regularized. Each strength must be finite and at least 0.
adagrad_regularized adagrad_regularized_new(float learning_rate, float l1, float l2);

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

// One step for each of count rows of a table, in their order: adagrad_step_rows_u32 for all layouts. rows has count values,
// grads has count*gradient_stride. A row that appears twice gets two steps. report may be null.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW, OPTION, UNAVAILABLE.
adagrad_status adagrad_table_step_u32(const adagrad_options *options,
                                      const adagrad_table *table,
                                      const uint32_t *rows,
                                      const float *grads,
                                      size_t count,
                                      adagrad_report *report);

// adagrad_table_step_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_u64(const adagrad_options *options,
                                      const adagrad_table *table,
                                      const uint64_t *rows,
                                      const float *grads,
                                      size_t count,
                                      adagrad_report *report);

// One step for each row of each bag, in that order, with the gradient of its bag: the bits of adagrad_table_step_u32 with a
// copy of it for each row. With mean a row's gradient is the bag's, divided by the number of its rows; with weights it is
// then multiplied by the row's. grads has bags*gradient_stride values. scratch has columns values; it may be null where
// there is neither mean nor weights. report may be null.
//
// Errors: those of adagrad_table_step_u32, and OFFSET.
adagrad_status adagrad_table_step_bags_u32(const adagrad_options *options,
                                           const adagrad_table *table,
                                           const adagrad_bags_u32 *bags,
                                           const float *grads,
                                           float *scratch,
                                           adagrad_report *report);

// adagrad_table_step_bags_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_u64(const adagrad_options *options,
                                           const adagrad_table *table,
                                           const adagrad_bags_u64 *bags,
                                           const float *grads,
                                           float *scratch,
                                           adagrad_report *report);

// Scales back each of count rows whose norm, the root of its sum of squares, is more than max_norm: by max_norm/(norm +
// 1e-7), as max_norm of torch.nn.Embedding does. Call it after a step. A row that is not finite is left as it is and counted
// in the report, which may be null.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW; OPTION if max_norm is negative or NaN.
adagrad_status adagrad_table_limit_norms_u32(const adagrad_table *table,
                                             const uint32_t *rows,
                                             size_t count,
                                             float max_norm,
                                             adagrad_report *report);

// adagrad_table_limit_norms_u32 with indices of 64 bits.
adagrad_status adagrad_table_limit_norms_u64(const adagrad_table *table,
                                             const uint64_t *rows,
                                             size_t count,
                                             float max_norm,
                                             adagrad_report *report);

// Takes the decoupled decay that each of count rows owes since the step in which it was last seen: w = w*(1 -
// learning_rate*weight_decay)^(step - last), the power rounded to float, and last = step. Call it before each step, with its
// rows and its number, from 1 on, and at the end with all rows; the steps themselves are without decay. last_steps has a
// value for each row of the table, and begins as 0. report may be null.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW; OPTION if the rate or the decay is negative or not finite, or
// their product is more than 1; STEP for a row that was last seen after step.
adagrad_status adagrad_table_decay_rows_u32(const adagrad_table *table,
                                            const uint32_t *rows,
                                            size_t count,
                                            float learning_rate,
                                            float weight_decay,
                                            uint32_t *last_steps,
                                            uint32_t step,
                                            adagrad_report *report);

// adagrad_table_decay_rows_u32 with indices of 64 bits.
adagrad_status adagrad_table_decay_rows_u64(const adagrad_table *table,
                                            const uint64_t *rows,
                                            size_t count,
                                            float learning_rate,
                                            float weight_decay,
                                            uint32_t *last_steps,
                                            uint32_t step,
                                            adagrad_report *report);

// Sorts the gradients of count rows by who owns the rows. rows has count values, grads count*dim; to_rows and to_grads are as
// long, and get those for owner 0 first, then those for owner 1, and so on, each in the order that it had. to_rows has the
// row's index in its owner's own table: the row less the first of the range, or the row divided by the number of owners.
// counts has a value for each owner: how many rows it got. report may be null. The owners' steps then give the bits that one
// call gives for the whole table.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM, ROW, OWNERS.
adagrad_status adagrad_partition_u32(const uint32_t *rows,
                                     const float *grads,
                                     size_t count,
                                     size_t dim,
                                     const adagrad_owners *owners,
                                     uint32_t *to_rows,
                                     float *to_grads,
                                     size_t *counts,
                                     adagrad_report *report);

// adagrad_partition_u32 with indices of 64 bits.
adagrad_status adagrad_partition_u64(const uint64_t *rows,
                                     const float *grads,
                                     size_t count,
                                     size_t dim,
                                     const adagrad_owners *owners,
                                     uint64_t *to_rows,
                                     float *to_grads,
                                     size_t *counts,
                                     adagrad_report *report);

// One step of FTRL-Proximal (McMahan et al., Ad Click Prediction, 2013) for each of n parameters w with gradient g,
// accumulator G and linear term z, the same bits as TensorFlow's ApplyFtrl with a power of -1/2. z starts at 0. All four
// arrays have n values. Each operation rounds once, and what overflows stays at FLT_MAX, but for z and w:
//
//     H = G + g*g
//     s = (sqrt(H) - sqrt(G))/learning_rate
//     z = z + (g - s*w)
//     d = sqrt(H)/learning_rate + 2*l2
//     w = (clamp(z, -l1, l1) - z)/d      so 0 where |z| is at most l1; nothing where d is 0
//     G = H
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE.
adagrad_status adagrad_ftrl_step(const adagrad_regularized *options,
                                 float *params,
                                 const float *grads,
                                 float *accumulator,
                                 float *linear,
                                 size_t n);

// One step of proximal Adagrad (Duchi, Hazan and Singer, 2011) for each of n parameters, as TensorFlow's
// ApplyProximalAdagrad. All three arrays have n values. Each operation rounds once, and what overflows stays at FLT_MAX, but
// for v and w:
//
//     G = G + g*g
//     r = learning_rate/sqrt(G)
//     v = w - r*g
//     w = (v - clamp(v, -r*l1, r*l1))/(1 + r*l2)      nothing where G is 0
//
// Errors: those of adagrad_ftrl_step.
adagrad_status adagrad_proximal_step(const adagrad_regularized *options,
                                     float *params,
                                     const float *grads,
                                     float *accumulator,
                                     size_t n);

// adagrad_ftrl_step for each of count rows of a table, in their order. The table has one accumulator per element, in any
// layout. linear has rows*dim values of the table, laid out as params in adagrad_table_new. rows has count values, grads has
// count*gradient_stride. A row that appears twice gets two steps; rows that the table passes over are passed over in linear,
// too. report may be null.
//
// Errors: those of adagrad_ftrl_step, UNKNOWN, DIM, ROW; LENGTH also for one accumulator per row.
adagrad_status adagrad_ftrl_step_rows_u32(const adagrad_regularized *options,
                                          const adagrad_table *table,
                                          float *linear,
                                          const uint32_t *rows,
                                          const float *grads,
                                          size_t count,
                                          adagrad_report *report);

// adagrad_ftrl_step_rows_u32 with indices of 64 bits.
adagrad_status adagrad_ftrl_step_rows_u64(const adagrad_regularized *options,
                                          const adagrad_table *table,
                                          float *linear,
                                          const uint64_t *rows,
                                          const float *grads,
                                          size_t count,
                                          adagrad_report *report);

// adagrad_proximal_step for each of count rows of a table, in their order: adagrad_ftrl_step_rows_u32 without linear.
//
// Errors: those of adagrad_ftrl_step_rows_u32.
adagrad_status adagrad_proximal_step_rows_u32(const adagrad_regularized *options,
                                              const adagrad_table *table,
                                              const uint32_t *rows,
                                              const float *grads,
                                              size_t count,
                                              adagrad_report *report);

// adagrad_proximal_step_rows_u32 with indices of 64 bits.
adagrad_status adagrad_proximal_step_rows_u64(const adagrad_regularized *options,
                                              const adagrad_table *table,
                                              const uint64_t *rows,
                                              const float *grads,
                                              size_t count,
                                              adagrad_report *report);

#if defined(ADAGRAD_HALF)

// Rounds to the nearest, in 16-bit steps.
adagrad_rounding adagrad_round_nearest(void);

// Rounds by chance, in 16-bit steps: a seed for each array or table, and the number of the step.
adagrad_rounding adagrad_round_stochastic(uint64_t seed, uint64_t step);

// adagrad_step of 16-bit params, grads and accumulator, with n values each. The arithmetic is that of adagrad_step, in float:
// each result is rounded once, as rounding says, to be stored. d is made of G before that. ADAGRAD_NON_FINITE_SKIP looks at
// values as they would be stored, and ADAGRAD_ARITHMETIC_FAST is exact here. report may be null. A call over a part of the
// arrays gives the same bits if rounding.first says where it begins.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE; UNKNOWN for a number in rounding.
adagrad_status adagrad_step_bf16(const adagrad_options *options,
                                 adagrad_bf16 *params,
                                 const adagrad_bf16 *grads,
                                 adagrad_bf16 *accumulator,
                                 size_t n,
                                 const adagrad_rounding *rounding,
                                 adagrad_report *report);

// adagrad_step_bf16 with grads in float.
adagrad_status adagrad_step_bf16_grads_f32(const adagrad_options *options,
                                           adagrad_bf16 *params,
                                           const float *grads,
                                           adagrad_bf16 *accumulator,
                                           size_t n,
                                           const adagrad_rounding *rounding,
                                           adagrad_report *report);

// adagrad_step_bf16 with an accumulator in float.
adagrad_status adagrad_step_bf16_accumulator_f32(const adagrad_options *options,
                                                 adagrad_bf16 *params,
                                                 const adagrad_bf16 *grads,
                                                 float *accumulator,
                                                 size_t n,
                                                 const adagrad_rounding *rounding,
                                                 adagrad_report *report);

// adagrad_table_new of 16-bit params and accumulator.
adagrad_table_bf16 adagrad_table_new_bf16(adagrad_bf16 *params, adagrad_bf16 *accumulator, size_t rows, size_t dim);

// adagrad_table_new of 16-bit params and an accumulator in float.
adagrad_table_bf16_accumulator_f32 adagrad_table_new_bf16_accumulator_f32(adagrad_bf16 *params,
                                                                          float *accumulator,
                                                                          size_t rows,
                                                                          size_t dim);

// adagrad_table_row_wise of 16-bit params and accumulator.
adagrad_table_bf16 adagrad_table_row_wise_bf16(adagrad_bf16 *params,
                                               adagrad_bf16 *accumulator,
                                               size_t rows,
                                               size_t dim);

// adagrad_table_row_wise of 16-bit params and an accumulator in float.
adagrad_table_bf16_accumulator_f32 adagrad_table_row_wise_bf16_accumulator_f32(adagrad_bf16 *params,
                                                                               float *accumulator,
                                                                               size_t rows,
                                                                               size_t dim);

// adagrad_table_interleaved of 16-bit values.
adagrad_table_bf16 adagrad_table_interleaved_bf16(adagrad_bf16 *memory, size_t rows, size_t dim);

// adagrad_table_interleaved_row_wise of 16-bit values.
adagrad_table_bf16 adagrad_table_interleaved_row_wise_bf16(adagrad_bf16 *memory, size_t rows, size_t dim);

// adagrad_table_step_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_bf16. A row that appears twice gets two
// steps, each with random bits of its own.
//
// Errors: those of adagrad_table_step_u32; UNKNOWN for a number in rounding, too.
adagrad_status adagrad_table_step_bf16_u32(const adagrad_options *options,
                                           const adagrad_table_bf16 *table,
                                           const uint32_t *rows,
                                           const adagrad_bf16 *grads,
                                           size_t count,
                                           const adagrad_rounding *rounding,
                                           adagrad_report *report);

// adagrad_table_step_bf16_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bf16_u64(const adagrad_options *options,
                                           const adagrad_table_bf16 *table,
                                           const uint64_t *rows,
                                           const adagrad_bf16 *grads,
                                           size_t count,
                                           const adagrad_rounding *rounding,
                                           adagrad_report *report);

// adagrad_table_step_bf16_u32 with grads in float.
adagrad_status adagrad_table_step_bf16_grads_f32_u32(const adagrad_options *options,
                                                     const adagrad_table_bf16 *table,
                                                     const uint32_t *rows,
                                                     const float *grads,
                                                     size_t count,
                                                     const adagrad_rounding *rounding,
                                                     adagrad_report *report);

// adagrad_table_step_bf16_grads_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bf16_grads_f32_u64(const adagrad_options *options,
                                                     const adagrad_table_bf16 *table,
                                                     const uint64_t *rows,
                                                     const float *grads,
                                                     size_t count,
                                                     const adagrad_rounding *rounding,
                                                     adagrad_report *report);

// adagrad_table_step_bf16_u32 with an accumulator in float, which cannot be interleaved.
adagrad_status adagrad_table_step_bf16_accumulator_f32_u32(const adagrad_options *options,
                                                           const adagrad_table_bf16_accumulator_f32 *table,
                                                           const uint32_t *rows,
                                                           const adagrad_bf16 *grads,
                                                           size_t count,
                                                           const adagrad_rounding *rounding,
                                                           adagrad_report *report);

// adagrad_table_step_bf16_accumulator_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bf16_accumulator_f32_u64(const adagrad_options *options,
                                                           const adagrad_table_bf16_accumulator_f32 *table,
                                                           const uint64_t *rows,
                                                           const adagrad_bf16 *grads,
                                                           size_t count,
                                                           const adagrad_rounding *rounding,
                                                           adagrad_report *report);

// adagrad_table_step_bags_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_bf16. Gradients are divided and
// multiplied in float, without being rounded to 16 bits. scratch has columns values of float, always: it is needed for bags
// that are a sum, too. The position of a row is that among the rows of all bags.
//
// Errors: those of adagrad_table_step_bags_u32; UNKNOWN for a number in rounding, too.
adagrad_status adagrad_table_step_bags_bf16_u32(const adagrad_options *options,
                                                const adagrad_table_bf16 *table,
                                                const adagrad_bags_u32 *bags,
                                                const adagrad_bf16 *grads,
                                                float *scratch,
                                                const adagrad_rounding *rounding,
                                                adagrad_report *report);

// adagrad_table_step_bags_bf16_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_bf16_u64(const adagrad_options *options,
                                                const adagrad_table_bf16 *table,
                                                const adagrad_bags_u64 *bags,
                                                const adagrad_bf16 *grads,
                                                float *scratch,
                                                const adagrad_rounding *rounding,
                                                adagrad_report *report);

// adagrad_table_step_bags_bf16_u32 with grads in float.
adagrad_status adagrad_table_step_bags_bf16_grads_f32_u32(const adagrad_options *options,
                                                          const adagrad_table_bf16 *table,
                                                          const adagrad_bags_u32 *bags,
                                                          const float *grads,
                                                          float *scratch,
                                                          const adagrad_rounding *rounding,
                                                          adagrad_report *report);

// adagrad_table_step_bags_bf16_grads_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_bf16_grads_f32_u64(const adagrad_options *options,
                                                          const adagrad_table_bf16 *table,
                                                          const adagrad_bags_u64 *bags,
                                                          const float *grads,
                                                          float *scratch,
                                                          const adagrad_rounding *rounding,
                                                          adagrad_report *report);

// adagrad_table_step_bags_bf16_u32 with an accumulator in float, which cannot be interleaved.
adagrad_status adagrad_table_step_bags_bf16_accumulator_f32_u32(const adagrad_options *options,
                                                                const adagrad_table_bf16_accumulator_f32 *table,
                                                                const adagrad_bags_u32 *bags,
                                                                const adagrad_bf16 *grads,
                                                                float *scratch,
                                                                const adagrad_rounding *rounding,
                                                                adagrad_report *report);

// adagrad_table_step_bags_bf16_accumulator_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_bf16_accumulator_f32_u64(const adagrad_options *options,
                                                                const adagrad_table_bf16_accumulator_f32 *table,
                                                                const adagrad_bags_u64 *bags,
                                                                const adagrad_bf16 *grads,
                                                                float *scratch,
                                                                const adagrad_rounding *rounding,
                                                                adagrad_report *report);

// The nearest 16-bit values of n floats, of two the one whose last bit is 0. NaN stays NaN.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH.
adagrad_status adagrad_bf16_from_f32(const float *values, adagrad_bf16 *converted, size_t n);

// The floats that n 16-bit values are, exactly. NaN stays NaN.
//
// Errors: those of adagrad_bf16_from_f32.
adagrad_status adagrad_f32_from_bf16(const adagrad_bf16 *values, float *converted, size_t n);

// adagrad_step of 16-bit params, grads and accumulator, with n values each. The arithmetic is that of adagrad_step, in float:
// each result is rounded once, as rounding says, to be stored. d is made of G before that. ADAGRAD_NON_FINITE_SKIP looks at
// values as they would be stored, and ADAGRAD_ARITHMETIC_FAST is exact here. report may be null. A call over a part of the
// arrays gives the same bits if rounding.first says where it begins.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE; UNKNOWN for a number in rounding.
adagrad_status adagrad_step_f16(const adagrad_options *options,
                                adagrad_f16 *params,
                                const adagrad_f16 *grads,
                                adagrad_f16 *accumulator,
                                size_t n,
                                const adagrad_rounding *rounding,
                                adagrad_report *report);

// adagrad_step_f16 with grads in float.
adagrad_status adagrad_step_f16_grads_f32(const adagrad_options *options,
                                          adagrad_f16 *params,
                                          const float *grads,
                                          adagrad_f16 *accumulator,
                                          size_t n,
                                          const adagrad_rounding *rounding,
                                          adagrad_report *report);

// adagrad_step_f16 with an accumulator in float.
adagrad_status adagrad_step_f16_accumulator_f32(const adagrad_options *options,
                                                adagrad_f16 *params,
                                                const adagrad_f16 *grads,
                                                float *accumulator,
                                                size_t n,
                                                const adagrad_rounding *rounding,
                                                adagrad_report *report);

// adagrad_table_new of 16-bit params and accumulator.
adagrad_table_f16 adagrad_table_new_f16(adagrad_f16 *params, adagrad_f16 *accumulator, size_t rows, size_t dim);

// adagrad_table_new of 16-bit params and an accumulator in float.
adagrad_table_f16_accumulator_f32 adagrad_table_new_f16_accumulator_f32(adagrad_f16 *params,
                                                                        float *accumulator,
                                                                        size_t rows,
                                                                        size_t dim);

// adagrad_table_row_wise of 16-bit params and accumulator.
adagrad_table_f16 adagrad_table_row_wise_f16(adagrad_f16 *params, adagrad_f16 *accumulator, size_t rows, size_t dim);

// adagrad_table_row_wise of 16-bit params and an accumulator in float.
adagrad_table_f16_accumulator_f32 adagrad_table_row_wise_f16_accumulator_f32(adagrad_f16 *params,
                                                                             float *accumulator,
                                                                             size_t rows,
                                                                             size_t dim);

// adagrad_table_interleaved of 16-bit values.
adagrad_table_f16 adagrad_table_interleaved_f16(adagrad_f16 *memory, size_t rows, size_t dim);

// adagrad_table_interleaved_row_wise of 16-bit values.
adagrad_table_f16 adagrad_table_interleaved_row_wise_f16(adagrad_f16 *memory, size_t rows, size_t dim);

// adagrad_table_step_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_f16. A row that appears twice gets two
// steps, each with random bits of its own.
//
// Errors: those of adagrad_table_step_u32; UNKNOWN for a number in rounding, too.
adagrad_status adagrad_table_step_f16_u32(const adagrad_options *options,
                                          const adagrad_table_f16 *table,
                                          const uint32_t *rows,
                                          const adagrad_f16 *grads,
                                          size_t count,
                                          const adagrad_rounding *rounding,
                                          adagrad_report *report);

// adagrad_table_step_f16_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_f16_u64(const adagrad_options *options,
                                          const adagrad_table_f16 *table,
                                          const uint64_t *rows,
                                          const adagrad_f16 *grads,
                                          size_t count,
                                          const adagrad_rounding *rounding,
                                          adagrad_report *report);

// adagrad_table_step_f16_u32 with grads in float.
adagrad_status adagrad_table_step_f16_grads_f32_u32(const adagrad_options *options,
                                                    const adagrad_table_f16 *table,
                                                    const uint32_t *rows,
                                                    const float *grads,
                                                    size_t count,
                                                    const adagrad_rounding *rounding,
                                                    adagrad_report *report);

// adagrad_table_step_f16_grads_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_f16_grads_f32_u64(const adagrad_options *options,
                                                    const adagrad_table_f16 *table,
                                                    const uint64_t *rows,
                                                    const float *grads,
                                                    size_t count,
                                                    const adagrad_rounding *rounding,
                                                    adagrad_report *report);

// adagrad_table_step_f16_u32 with an accumulator in float, which cannot be interleaved.
adagrad_status adagrad_table_step_f16_accumulator_f32_u32(const adagrad_options *options,
                                                          const adagrad_table_f16_accumulator_f32 *table,
                                                          const uint32_t *rows,
                                                          const adagrad_f16 *grads,
                                                          size_t count,
                                                          const adagrad_rounding *rounding,
                                                          adagrad_report *report);

// adagrad_table_step_f16_accumulator_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_f16_accumulator_f32_u64(const adagrad_options *options,
                                                          const adagrad_table_f16_accumulator_f32 *table,
                                                          const uint64_t *rows,
                                                          const adagrad_f16 *grads,
                                                          size_t count,
                                                          const adagrad_rounding *rounding,
                                                          adagrad_report *report);

// adagrad_table_step_bags_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_f16. Gradients are divided and
// multiplied in float, without being rounded to 16 bits. scratch has columns values of float, always: it is needed for bags
// that are a sum, too. The position of a row is that among the rows of all bags.
//
// Errors: those of adagrad_table_step_bags_u32; UNKNOWN for a number in rounding, too.
adagrad_status adagrad_table_step_bags_f16_u32(const adagrad_options *options,
                                               const adagrad_table_f16 *table,
                                               const adagrad_bags_u32 *bags,
                                               const adagrad_f16 *grads,
                                               float *scratch,
                                               const adagrad_rounding *rounding,
                                               adagrad_report *report);

// adagrad_table_step_bags_f16_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_f16_u64(const adagrad_options *options,
                                               const adagrad_table_f16 *table,
                                               const adagrad_bags_u64 *bags,
                                               const adagrad_f16 *grads,
                                               float *scratch,
                                               const adagrad_rounding *rounding,
                                               adagrad_report *report);

// adagrad_table_step_bags_f16_u32 with grads in float.
adagrad_status adagrad_table_step_bags_f16_grads_f32_u32(const adagrad_options *options,
                                                         const adagrad_table_f16 *table,
                                                         const adagrad_bags_u32 *bags,
                                                         const float *grads,
                                                         float *scratch,
                                                         const adagrad_rounding *rounding,
                                                         adagrad_report *report);

// adagrad_table_step_bags_f16_grads_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_f16_grads_f32_u64(const adagrad_options *options,
                                                         const adagrad_table_f16 *table,
                                                         const adagrad_bags_u64 *bags,
                                                         const float *grads,
                                                         float *scratch,
                                                         const adagrad_rounding *rounding,
                                                         adagrad_report *report);

// adagrad_table_step_bags_f16_u32 with an accumulator in float, which cannot be interleaved.
adagrad_status adagrad_table_step_bags_f16_accumulator_f32_u32(const adagrad_options *options,
                                                               const adagrad_table_f16_accumulator_f32 *table,
                                                               const adagrad_bags_u32 *bags,
                                                               const adagrad_f16 *grads,
                                                               float *scratch,
                                                               const adagrad_rounding *rounding,
                                                               adagrad_report *report);

// adagrad_table_step_bags_f16_accumulator_f32_u32 with indices of 64 bits.
adagrad_status adagrad_table_step_bags_f16_accumulator_f32_u64(const adagrad_options *options,
                                                               const adagrad_table_f16_accumulator_f32 *table,
                                                               const adagrad_bags_u64 *bags,
                                                               const adagrad_f16 *grads,
                                                               float *scratch,
                                                               const adagrad_rounding *rounding,
                                                               adagrad_report *report);

// The nearest 16-bit values of n floats, of two the one whose last bit is 0. NaN stays NaN.
//
// Errors: NULL, MISALIGNED, OVERLAP, LENGTH.
adagrad_status adagrad_f16_from_f32(const float *values, adagrad_f16 *converted, size_t n);

// The floats that n 16-bit values are, exactly. NaN stays NaN.
//
// Errors: those of adagrad_f16_from_f32.
adagrad_status adagrad_f32_from_f16(const adagrad_f16 *values, float *converted, size_t n);

#endif // defined(ADAGRAD_HALF)

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ADAGRAD_H */
