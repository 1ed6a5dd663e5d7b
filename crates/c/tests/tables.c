// Tests of the C library: tables of every layout, bags, what is done between steps, and owners of rows. Built by ../test like
// abi.c.

#include "common.h"

enum { ROWS = 7, DIM = 5, COUNT = 4, WIDE = 8, STRIDE = 6 };
static const uint32_t narrow[COUNT] = {6, 0, 3, 0};
static const uint64_t wide[COUNT] = {6, 0, 3, 0};

// Steps of a table with more in a row than is used, its accumulators apart or behind: the bits of a plain table, and what is
// not used stays.
static void padded(const adagrad_options *o, arrays start, arrays expected, int interleaved, int row_wise) {
    float memory[ROWS * 2 * WIDE], sums[ROWS * WIDE], grads[COUNT * STRIDE];
    for (size_t i = 0; i < ROWS * 2 * WIDE; i++) memory[i] = 99;
    for (size_t i = 0; i < ROWS * WIDE; i++) sums[i] = 99;
    for (size_t i = 0; i < COUNT * STRIDE; i++) grads[i] = NAN; // what is behind a gradient is not read
    for (size_t i = 0; i < COUNT; i++) memcpy(&grads[i * STRIDE], &start.g[i * DIM], DIM * sizeof(float));
    const size_t accumulators = row_wise ? 1 : DIM, room = row_wise ? 1 : WIDE;
    const size_t next = interleaved ? WIDE + room : WIDE;
    float *const other = interleaved ? &memory[WIDE] : sums;
    const size_t other_next = interleaved ? next : room;
    for (size_t row = 0; row < ROWS; row++) {
        memcpy(&memory[row * next], &start.w[row * DIM], DIM * sizeof(float));
        memcpy(&other[row * other_next], &start.a[row * accumulators], accumulators * sizeof(float));
    }
    adagrad_table table = interleaved ? row_wise ? adagrad_table_interleaved_row_wise(memory, ROWS, WIDE)
                                                 : adagrad_table_interleaved(memory, ROWS, WIDE)
                          : row_wise  ? adagrad_table_row_wise(memory, sums, ROWS, WIDE)
                                      : adagrad_table_new(memory, sums, ROWS, WIDE);
    table.columns = DIM;
    table.gradient_stride = STRIDE;
    CHECK(adagrad_table_step_u32(o, &table, narrow, grads, COUNT, NULL) == ADAGRAD_STATUS_OK);
    for (size_t row = 0; row < ROWS; row++) {
        CHECK(same(&memory[row * next], &expected.w[row * DIM], DIM));
        CHECK(same(&other[row * other_next], &expected.a[row * accumulators], accumulators));
        for (size_t i = DIM; i < WIDE; i++) CHECK(memory[row * next + i] == 99 && (row_wise || other[row * other_next + i] == 99));
    }
}

static void layouts(void) {
    const adagrad_options o = adagrad_new(0.1f);
    for (int row_wise = 0; row_wise < 2; row_wise++) {
        arrays start = made((size_t)ROWS * DIM), a = copied(start), b = copied(start), c = copied(start);
        adagrad_table table = row_wise ? adagrad_table_row_wise(a.w, a.a, ROWS, DIM) : adagrad_table_new(a.w, a.a, ROWS, DIM);
        CHECK(table.columns == DIM && table.gradient_stride == DIM && table.padding_row == SIZE_MAX);
        CHECK(adagrad_table_step_u32(&o, &table, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
        table.params = b.w, table.accumulator = b.a;
        CHECK(adagrad_table_step_u64(&o, &table, wide, b.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
        const adagrad_status status = row_wise ? adagrad_step_row_wise_u32(&o, c.w, c.a, ROWS, DIM, narrow, c.g, COUNT, NULL)
                                               : adagrad_step_rows_u32(&o, c.w, c.a, ROWS, DIM, narrow, c.g, COUNT, NULL);
        CHECK(status == ADAGRAD_STATUS_OK && all_same(a, c) && all_same(b, c) && !all_same(a, start));
        for (int interleaved = 0; interleaved < 2; interleaved++) padded(&o, start, a, interleaved, row_wise);
        freed(start), freed(a), freed(b), freed(c);
    }
}

static void rows_that_are_passed_over(void) {
    const adagrad_options o = adagrad_new(0.5f);
    float w[3] = {0, 0, 0}, a[3] = {0, 0, 0};
    const float g[4] = {1, 7, 7, 7};
    const uint32_t rows[4] = {2, 0, 5, UINT32_MAX};
    adagrad_report report = {9, 9, 9};
    adagrad_table table = adagrad_table_new(w, a, 3, 1);
    table.padding_row = 0;
    CHECK(adagrad_table_step_u32(&o, &table, rows, g, 4, &report) == ADAGRAD_STATUS_ROW);
    CHECK(report.position == 2 && report.out_of_range == 0 && w[2] == 0);
    table.skip_out_of_range = 1;
    CHECK(adagrad_table_step_u32(&o, &table, rows, g, 4, &report) == ADAGRAD_STATUS_OK);
    CHECK(report.out_of_range == 2 && report.position == 0 && report.skipped == 0);
    CHECK(w[0] == 0 && w[1] == 0 && w[2] == -0.5f && a[2] == 1 && a[0] == 0);
}

static void refused_tables(void) {
    const adagrad_options o = adagrad_new(0.1f);
    arrays x = made((size_t)ROWS * DIM), before = copied(x);
    adagrad_table table = adagrad_table_new(x.w, x.a, ROWS, DIM);
#define REFUSED(field, value, status)                                                               \
    do {                                                                                            \
        adagrad_table bad = table;                                                                  \
        bad.field = value;                                                                          \
        CHECK(adagrad_table_step_u32(&o, &bad, narrow, x.g, COUNT, NULL) == ADAGRAD_STATUS_##status); \
        CHECK(all_same(x, before));                                                                 \
    } while (0)
    REFUSED(params, NULL, NULL);
    REFUSED(accumulator, NULL, NULL);
    REFUSED(accumulator, x.w + 1, OVERLAP);
    REFUSED(accumulator, x.g, OVERLAP);
    REFUSED(params, (float *)(void *)((char *)x.w + 2), MISALIGNED);
    REFUSED(rows, SIZE_MAX / 4, LENGTH);
    REFUSED(rows, 6, ROW);
    REFUSED(dim, 0, DIM);
    REFUSED(columns, 0, DIM);
    REFUSED(columns, DIM + 1, DIM);
    REFUSED(gradient_stride, DIM - 1, DIM);
    REFUSED(gradient_stride, SIZE_MAX, LENGTH);
    REFUSED(layout, 4, UNKNOWN);
    REFUSED(skip_out_of_range, 2, UNKNOWN);
    REFUSED(reserved[5], 1, UNKNOWN);
#undef REFUSED
    CHECK(adagrad_table_step_u32(&o, NULL, narrow, x.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_table_step_u32(NULL, &table, narrow, x.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_table_step_u32(&o, &table, NULL, x.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_table_step_u32(&o, &table, narrow, NULL, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    adagrad_options bad = o;
    bad.order = 2;
    CHECK(adagrad_table_step_u32(&bad, &table, narrow, x.g, COUNT, NULL) == ADAGRAD_STATUS_OPTION);
    CHECK(all_same(x, before));
    table = adagrad_table_interleaved(x.w, ROWS, SIZE_MAX);
    CHECK(adagrad_table_step_u32(&o, &table, narrow, x.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    table = adagrad_table_new(NULL, NULL, 0, DIM);
    CHECK(adagrad_table_step_u32(&o, &table, NULL, NULL, 0, NULL) == ADAGRAD_STATUS_OK);
    freed(x), freed(before);
}

// Bags have the bits of a step with a gradient for each row.
static void bags(void) {
    const adagrad_options o = adagrad_new(0.1f);
    const uint32_t offsets[4] = {0, 3, 3, 4};
    const uint64_t wide_offsets[4] = {0, 3, 3, 4};
    const float weights[COUNT] = {0.5f, 2, -1, 3};
    for (int kind = 0; kind < 4; kind++) {
        arrays start = made((size_t)ROWS * DIM), a = copied(start), b = copied(start), c = copied(start);
        float copies[COUNT * DIM], scratch[DIM];
        for (int i = 0; i < COUNT; i++)
            for (int j = 0; j < DIM; j++) {
                float g = start.g[(i < 3 ? 0 : 2) * DIM + j];
                if (kind & 1) g = g / (i < 3 ? 3.0f : 1.0f);
                if (kind & 2) g = g * weights[i];
                copies[i * DIM + j] = g;
            }
        adagrad_bags_u32 all = {offsets, narrow, kind & 2 ? weights : NULL, 3, COUNT, kind & 1, {0}};
        const adagrad_bags_u64 same_bags = {wide_offsets, wide, kind & 2 ? weights : NULL, 3, COUNT, kind & 1, {0}};
        adagrad_table table = adagrad_table_new(a.w, a.a, ROWS, DIM);
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, a.g, kind ? scratch : NULL, NULL) == ADAGRAD_STATUS_OK);
        table.params = b.w, table.accumulator = b.a;
        CHECK(adagrad_table_step_bags_u64(&o, &table, &same_bags, b.g, kind ? scratch : NULL, NULL) == ADAGRAD_STATUS_OK);
        table.params = c.w, table.accumulator = c.a;
        CHECK(adagrad_table_step_u32(&o, &table, narrow, copies, COUNT, NULL) == ADAGRAD_STATUS_OK);
        CHECK(all_same(a, c) && all_same(b, c) && !all_same(a, start));

        adagrad_report report = {9, 9, 9};
        const uint32_t unordered[4] = {0, 3, 2, 4}, foreign[COUNT] = {6, 0, 7, 0};
        const adagrad_status expected = kind ? ADAGRAD_STATUS_NULL : ADAGRAD_STATUS_OK;
        if (kind) CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, NULL, &report) == expected);
        all.offsets = unordered;
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, scratch, &report) == ADAGRAD_STATUS_OFFSET && report.position == 2);
        all.offsets = offsets, all.rows = foreign;
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, scratch, &report) == ADAGRAD_STATUS_ROW && report.position == 2);
        all.rows = narrow, all.mean = 2;
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, scratch, &report) == ADAGRAD_STATUS_UNKNOWN && report.position == 0);
        all.mean = 1;
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, c.w, &report) == ADAGRAD_STATUS_OVERLAP);
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, c.g, &report) == ADAGRAD_STATUS_OVERLAP);
        all.bags = SIZE_MAX;
        CHECK(adagrad_table_step_bags_u32(&o, &table, &all, c.g, scratch, &report) == ADAGRAD_STATUS_LENGTH);
        CHECK(adagrad_table_step_bags_u32(&o, &table, NULL, c.g, scratch, &report) == ADAGRAD_STATUS_NULL);
        CHECK(all_same(a, c));
        freed(start), freed(a), freed(b), freed(c);
    }
}

static void between_steps(void) {
    float w[6] = {3, 4, 0.3f, 0.4f, INFINITY, 1}, a[6] = {0};
    const uint32_t rows[3] = {0, 1, 2}, outside[2] = {0, 3};
    const uint64_t first = 0;
    adagrad_report report = {9, 9, 9};
    adagrad_table table = adagrad_table_new(w, a, 3, 2);
    CHECK(adagrad_table_limit_norms_u32(&table, outside, 2, 1, &report) == ADAGRAD_STATUS_ROW && report.position == 1 && w[0] == 3);
    CHECK(adagrad_table_limit_norms_u32(&table, rows, 3, -1, &report) == ADAGRAD_STATUS_OPTION && w[0] == 3);
    CHECK(adagrad_table_limit_norms_u32(&table, rows, 3, 1, &report) == ADAGRAD_STATUS_OK && report.skipped == 1);
    CHECK(w[0] == 0.6f && w[1] == 0.8f && w[2] == 0.3f && w[5] == 1);
    CHECK(adagrad_table_limit_norms_u64(&table, &first, 1, 0, &report) == ADAGRAD_STATUS_OK && w[0] == 0 && w[1] == 0);

    float v[2] = {1, 1}, s[2] = {0, 0};
    uint32_t last[2] = {0, 0};
    table = adagrad_table_new(v, s, 2, 1);
    for (uint32_t step = 1; step <= 3; step++)
        CHECK(adagrad_table_decay_rows_u32(&table, rows, 1, 0.5f, 0.5f, last, step, NULL) == ADAGRAD_STATUS_OK);
    CHECK(v[0] == 0.421875f && v[1] == 1 && last[0] == 3 && last[1] == 0); // 0.75 to the third power
    CHECK(adagrad_table_decay_rows_u32(&table, rows, 2, 0.5f, 0.5f, last, 3, NULL) == ADAGRAD_STATUS_OK && v[1] == 0.421875f);
    CHECK(adagrad_table_decay_rows_u64(&table, &first, 1, 0.5f, 0.5f, last, 4, NULL) == ADAGRAD_STATUS_OK && v[0] == 0.31640625f);
    CHECK(adagrad_table_decay_rows_u32(&table, rows, 2, 0.5f, 0.5f, last, 3, &report) == ADAGRAD_STATUS_STEP && report.position == 0);
    CHECK(adagrad_table_decay_rows_u32(&table, rows, 2, 2, 0.75f, last, 5, &report) == ADAGRAD_STATUS_OPTION);
    CHECK(adagrad_table_decay_rows_u32(&table, rows, 2, 0.5f, 0.5f, NULL, 5, &report) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_table_decay_rows_u32(&table, rows, 2, 0.5f, 0.5f, (uint32_t *)(void *)v, 5, &report) == ADAGRAD_STATUS_OVERLAP);
    CHECK(v[0] == 0.31640625f && last[0] == 4 && last[1] == 3);
}

// Each owner's steps of its own table give the bits of the whole one.
static void owners(void) {
    enum { OWNERS = 3 };
    const adagrad_options o = adagrad_new(0.1f);
    const size_t ends[OWNERS] = {2, 2, ROWS};
    const adagrad_owners kinds[2] = {{NULL, OWNERS, ROWS}, {ends, OWNERS, 0}};
    for (int kind = 0; kind < 2; kind++) {
        arrays start = made((size_t)ROWS * DIM), whole = copied(start);
        uint32_t to_rows[COUNT];
        uint64_t to_wide[COUNT];
        float to_grads[COUNT * DIM], again[COUNT * DIM];
        size_t counts[OWNERS], counts_again[OWNERS], from = 0;
        CHECK(adagrad_partition_u32(narrow, start.g, COUNT, DIM, &kinds[kind], to_rows, to_grads, counts, NULL) == ADAGRAD_STATUS_OK);
        CHECK(adagrad_partition_u64(wide, start.g, COUNT, DIM, &kinds[kind], to_wide, again, counts_again, NULL) == ADAGRAD_STATUS_OK);
        CHECK(same(to_grads, again, COUNT * DIM) && memcmp(counts, counts_again, sizeof counts) == 0);
        for (int i = 0; i < COUNT; i++) CHECK(to_rows[i] == to_wide[i]);
        CHECK(adagrad_step_rows_u32(&o, whole.w, whole.a, ROWS, DIM, narrow, whole.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
        for (size_t owner = 0; owner < OWNERS; owner++) {
            float w[ROWS * DIM], a[ROWS * DIM];
            size_t own[ROWS], rows = 0;
            for (size_t row = 0; row < ROWS; row++)
                if (kind == 0 ? row % OWNERS == owner : row < ends[owner] && (owner == 0 || row >= ends[owner - 1])) own[rows++] = row;
            for (size_t i = 0; i < rows; i++) {
                memcpy(&w[i * DIM], &start.w[own[i] * DIM], DIM * sizeof(float));
                memcpy(&a[i * DIM], &start.a[own[i] * DIM], DIM * sizeof(float));
            }
            CHECK(adagrad_step_rows_u32(&o, w, a, rows, DIM, &to_rows[from], &to_grads[from * DIM], counts[owner], NULL) == ADAGRAD_STATUS_OK);
            for (size_t i = 0; i < rows; i++)
                CHECK(same(&w[i * DIM], &whole.w[own[i] * DIM], DIM) && same(&a[i * DIM], &whole.a[own[i] * DIM], DIM));
            from += counts[owner];
        }
        CHECK(from == COUNT);
        freed(start), freed(whole);
    }

    const float g[COUNT] = {1, 2, 3, 4};
    const uint32_t outside[COUNT] = {6, 0, 7, 0};
    const size_t unordered[OWNERS] = {4, 2, ROWS};
    const adagrad_owners none = {NULL, 0, ROWS}, bad = {unordered, OWNERS, 0};
    uint32_t to_rows[COUNT] = {9, 9, 9, 9};
    float to_grads[COUNT] = {0};
    size_t counts[OWNERS] = {9, 9, 9};
    adagrad_report report = {9, 9, 9};
    CHECK(adagrad_partition_u32(outside, g, COUNT, 1, &kinds[1], to_rows, to_grads, counts, &report) == ADAGRAD_STATUS_ROW && report.position == 2);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 1, &none, to_rows, to_grads, counts, NULL) == ADAGRAD_STATUS_OWNERS);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 1, &bad, to_rows, to_grads, counts, &report) == ADAGRAD_STATUS_OWNERS && report.position == 1);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 0, &kinds[0], to_rows, to_grads, counts, NULL) == ADAGRAD_STATUS_DIM);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 1, NULL, to_rows, to_grads, counts, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 1, &kinds[0], to_rows, to_grads, NULL, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_partition_u32(to_rows, g, COUNT, 1, &kinds[0], to_rows, to_grads, counts, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_partition_u32(narrow, g, COUNT, 1, &kinds[0], to_rows, (float *)(void *)to_rows, counts, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(to_rows[0] == 9 && to_grads[0] == 0 && counts[0] == 9);
}

int main(void) {
    layouts();
    rows_that_are_passed_over();
    refused_tables();
    bags();
    between_steps();
    owners();
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
